"""The files of layouts and content as inputs, with symbolic links: which are followed, and what a save means.

A link is followed if it leads to a file or a folder below the folder that it is in, such as `content`; each
path is an input of its own. Any other link is left out, which a build and a check say: whoever can add a link
could publish files of the machine with it. No link of a folder that was reached by a link is followed, so
that the number of files does not grow with each link to a link.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from hdash_site.config import FILE
from hdash_site.engine.model import Digest, Given, Key, Moved, digest
from hdash_site.files import Looks

FOLDERS = {"layout": "layouts", "asset": "layouts/assets", "content": "content"}


class LeftOut(NamedTuple):
    """A link that is not followed; `path` is below the site."""

    path: str
    problem: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.way_out}"


class Links(NamedTuple):
    """The links that were met: the inputs by the real path of their file, and by folder what is left out."""

    inputs: dict[str, set[Key]]
    left_out: dict[str, list[LeftOut]]


def no_links() -> Links:
    return Links({}, {})


def left_out(root: Path, links: Links) -> list[LeftOut]:
    """Return the links of a site that are not followed, in the order of their paths."""
    folders = Folders(root, links)
    for folder in ("layouts", "content"):
        # The layouts are few, and mostly read one by one.
        if folder == "layouts" or folder not in links.left_out:
            folders.names(folder)
    return sorted({link for some in links.left_out.values() for link in some})


class Folders:
    """The folders of a site during one build: where a path leads is looked up once."""

    def __init__(self, root: Path, links: Links) -> None:
        self._root, self._links = root, links
        self._real = functools.cache(_real)

    def names(self, folder: str) -> list[str]:
        """Return the files below a folder, relative to it, without hidden ones and editors' leftovers."""
        self._links.left_out[folder] = []
        top = self._real(f"{self._root}/{folder}")
        return (
            sorted(self._below(folder)) if is_within(top, self._real(f"{self._root}/{_area(folder)}")) else []
        )

    def file(self, key: Key, looks: Looks) -> Given | None:
        """Return a file below its folder. Raises `OSError`."""
        # Called for every file of the site: plain strings take a fraction of the time of paths.
        folder = f"{self._root}/{FOLDERS[key.kind]}"
        parent, _, base = f"{folder}/{key.name}".rpartition("/")
        inside = self._real(folder) + os.sep
        try:
            path = f"{self._real(parent)}/{base}"
            if not path.startswith(inside) or base in ("", ".", ".."):
                return None
            found = os.lstat(path)
            if stat.S_ISLNK(found.st_mode):
                path = os.path.realpath(path)
                if not path.startswith(inside):
                    return None
                found = os.stat(path)  # noqa: PTH116
            if path != inside + key.name:
                self._links.inputs.setdefault(path, set()).add(key)
            if not stat.S_ISREG(found.st_mode):
                return None
            content, data = looks.read(path, found)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Given(content, functools.partial(_bytes, key, path, content, data))

    def _below(self, folder: str) -> Iterator[str]:
        waiting = [("", False)]
        while waiting:
            prefix, is_linked = waiting.pop()
            with (
                contextlib.suppress(FileNotFoundError, NotADirectoryError),
                os.scandir(self._root / folder / prefix) as entries,
            ):
                for entry in entries:
                    name = prefix + entry.name
                    if is_hidden(entry.name):
                        continue
                    if entry.is_symlink():
                        problem = self._problem(folder, name, is_linked=is_linked)
                        if problem:
                            self._links.left_out[folder].append(LeftOut(f"{folder}/{name}", *problem))
                            continue
                    if entry.is_dir():
                        waiting.append((f"{name}/", is_linked or entry.is_symlink()))
                    elif entry.is_file():
                        yield name

    def _problem(self, folder: str, name: str, *, is_linked: bool) -> tuple[str, str] | None:
        """Return why a link is not followed, and what to do."""
        link = f"{self._root}/{folder}/{name}"
        target = os.path.realpath(link)
        if not os.path.exists(target):  # noqa: PTH110
            return "the link leads nowhere", "correct or remove the link"
        if f"{folder}/{name}" in FOLDERS.values():
            return None  # the folder itself may be elsewhere
        area = _area(folder)
        top = self._real(f"{self._root}/{area}")
        is_folder = os.path.isdir(target)  # noqa: PTH112
        left = "its files are left out" if is_folder else "the file is left out"
        if not is_within(target, top):
            way_out = f"copy the {'folder' if is_folder else 'file'} to {area}/"
            return f"the link leads outside {area}/; {left}", way_out
        if is_folder and is_within(self._real(os.path.dirname(link)), target):  # noqa: PTH120
            return f"the link leads to a folder that contains it; {left}", "remove the link"
        if is_folder and is_linked:
            return f"it is a link in a linked folder; {left}", "link to the folder itself"
        return None


def is_hidden(name: str) -> bool:
    """Return whether a name is of no file of the site: what editors and systems leave beside."""
    return name.startswith(".") or name.endswith("~")


def touched(root: Path, saved: Iterable[Path], known: Mapping[Key, str], links: Links) -> set[Key]:
    """Return those inputs that a build knows which may have changed, since these files were saved.

    A file can be saved by any of its paths; `links` tells by which paths the build knows it.
    """
    tops = {os.path.abspath(root): "", os.path.realpath(root): ""}  # noqa: PTH100
    tops |= {os.path.realpath(root / folder): f"{folder}/" for folder in FOLDERS.values()}
    # Another build was made since these were asked for.
    found = {key for key in known if key.kind in ("owner", "shown")}
    linked = {key for keys in links.inputs.values() for key in keys}
    odd: set[str] = set()
    for path in saved:
        paths = _paths(path)
        names = {
            f"{prefix}{name.removeprefix(top)[1:]}"
            for name in paths
            for top, prefix in tops.items()
            if name.startswith(f"{top}/")
        }
        keys = {key for name in names for key in _of_file(name)}
        if keys & linked:  # a file instead of a link: other links can lead to it
            found |= linked
        keys |= {key for name in paths for key in links.inputs.get(name, ())}
        found |= keys
        # A file that comes or goes, a folder or a link changes what there is; so do the settings.
        if FILE in names or path.is_symlink() or not (path.is_file() and any(map(known.get, keys))):
            odd |= {f"{name}/" for name in names}
    if odd:
        found |= linked
        for key in known:
            folder = FOLDERS.get(key.kind)
            if key.kind in ("folder", "config") or (folder and f"{folder}/{key.name}".startswith(tuple(odd))):
                found.add(key)
    return found


def _paths(path: Path) -> set[str]:
    """Return the paths of a file: as it was saved, with its folder resolved, and resolved itself."""
    name = os.path.abspath(path)  # noqa: PTH100
    parent, base = os.path.split(name)
    return {name, os.path.join(os.path.realpath(parent), base), os.path.realpath(name)}  # noqa: PTH118


def _of_file(name: str) -> set[Key]:
    """Give the inputs that a file can be."""
    return {
        Key(kind, name.removeprefix(f"{folder}/"))
        for kind, folder in FOLDERS.items()
        if name.startswith(f"{folder}/")
    }


def _real(path: str) -> str:
    return os.path.realpath(path)


def _area(folder: str) -> str:
    """Return the folder below which the links of a folder must lead."""
    return next(area for area in sorted(FOLDERS.values(), reverse=True) if is_within(folder, area))


def is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _bytes(key: Key, path: str, content: Digest, data: bytes | None) -> bytes:
    if data is None:
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
        if digest(data) != content:
            raise Moved(key)
    return data
