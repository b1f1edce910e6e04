"""Which files a site is made from, and by which names a site knows a file that symbolic links lead to.

All paths here are real paths, except the names that `Links.names` returns: those are below the root of the
site, as it was given.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from hdash_site.pages.folders import is_hidden, is_within

FOLDERS = ("content", "layouts", "data")
INNER = ("layouts/assets",)
"""Folders below these that may be links to anywhere too."""

SETTINGS = "site.toml"

MOST_NAMES = 1000
"""Names of one file that are looked for, at most: links can multiply them without end."""


class Links(NamedTuple):
    """`root` as it was given, `top` is its real path. `targets`: where each link leads, by its own path."""

    root: str
    top: str
    targets: Mapping[str, str]

    def names(self, path: str) -> set[Path]:
        """Return the names below the root by which the site knows a file, or a folder that changed."""
        found: set[str] = set()
        waiting = [(path, frozenset[str]())]
        while waiting and len(found) < MOST_NAMES:
            name, used = waiting.pop()
            if name in found:
                continue
            found.add(name)
            for link, target in self.targets.items():
                if link in used:
                    continue
                if is_within(name, target):
                    waiting.append((link + name[len(target) :], used | {link}))
                elif is_within(target, name):  # a folder above the target came, went or moved
                    waiting.append((link, used | {link}))
        names = {self._below(name) for name in found}
        return {Path(self.root, name) for name in names if _counts(name)}

    def _below(self, path: str) -> str:
        return path[len(self.top) + 1 :] if is_within(path, self.top) else ""

    def trees(self) -> list[str]:
        """Return the folders that count with all that is below them; none is in another."""
        folders = [os.path.realpath(f"{self.top}/{name}") for name in (*FOLDERS, *INNER)]
        folders = sorted(filter(os.path.isdir, {*folders, *self.targets.values()}))
        trees: list[str] = []
        for folder in folders:
            if not any(is_within(folder, tree) for tree in trees):
                trees.append(folder)
        return trees

    def beside(self, trees: Collection[str]) -> set[str]:
        """Return the folders that count without their subfolders: those of linked files, and above trees."""
        found = {self.top}
        for target in self.targets.values():
            parent = os.path.dirname(target)  # noqa: PTH120 - plain strings, as everywhere here
            while parent not in found and not any(is_within(parent, tree) for tree in trees):
                found.add(parent)
                if not is_within(parent, self.top):
                    break
                parent = os.path.dirname(parent)  # noqa: PTH120
        return found


Stats = dict[str, tuple[int, ...]]
"""By path, what changes when a file or folder does."""


def links_of(root: Path, ours: Collection[Path]) -> Links:
    """Find the links of a site; `ours` are folders that we write to ourselves, which are not looked into."""
    links, entries = _walk(root, ours)
    for _ in entries:
        pass
    return links


def survey(root: Path, ours: Collection[Path]) -> tuple[Links, Stats]:
    """Find the links of a site and look at every file and folder that it is made from."""
    links, entries = _walk(root, ours)
    stats: Stats = {}
    for name in (*FOLDERS, SETTINGS):
        with contextlib.suppress(OSError):
            path = os.path.realpath(f"{links.top}/{name}")
            stats[path] = _stat(os.lstat(path))
    for entry in entries:
        with contextlib.suppress(OSError):
            stats[entry.path] = _stat(entry.stat(follow_symlinks=False))
    for target in links.targets.values():
        if target not in stats:
            with contextlib.suppress(OSError):
                stats[target] = _stat(os.lstat(target))
    return links, stats


def _stat(found: os.stat_result) -> tuple[int, ...]:
    """Of a folder the time says nothing that its files do not say."""
    kind = found.st_mode & 0o170000
    if kind == 0o040000:
        return kind, found.st_dev, found.st_ino
    return kind, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _walk(root: Path, ours: Collection[Path]) -> tuple[Links, Iterator[os.DirEntry[str]]]:
    """Go through every real folder once; the links are complete when the entries were gone through.

    A link counts if it leads into a folder that the site is made from; these folders themselves may be links
    to anywhere. A link to a folder above itself, or to what we write ourselves, would have no end.
    """
    top = os.path.realpath(root)
    targets: dict[str, str] = {}
    closed = [os.path.realpath(path) for path in ours]
    allowed = [os.path.realpath(f"{top}/{name}") for name in (*FOLDERS, *INNER)]
    waiting = list(allowed)
    for name in (*FOLDERS, *INNER, SETTINGS):
        path = f"{top}/{name}"
        if os.path.islink(path):  # noqa: PTH114
            targets[path] = os.path.realpath(path)

    def counts(link: str, target: str) -> bool:
        return (
            any(is_within(target, folder) for folder in allowed)
            and not is_within(link, target)
            and not any(is_within(target, folder) or is_within(folder, target) for folder in closed)
        )

    def entries() -> Iterator[os.DirEntry[str]]:
        seen: set[str] = set()
        while waiting:
            folder = waiting.pop()
            if folder in seen:
                continue
            seen.add(folder)
            with contextlib.suppress(OSError), os.scandir(folder) as found:
                for entry in found:
                    if is_hidden(entry.name):
                        continue
                    if entry.is_symlink():
                        target = os.path.realpath(entry.path)
                        if counts(entry.path, target):
                            targets[entry.path] = target
                            waiting.append(target)
                    elif entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    yield entry

    return Links(str(root), top, targets), entries()


def _counts(name: str) -> bool:
    """Return whether a site is made from the file with this name below its root."""
    first, *rest = name.split("/")
    return not any(map(is_hidden, (first, *rest))) and (first in FOLDERS or name == SETTINGS)
