"""What the build begins with: settings, snapshots, and the files of layouts and content.

config:site.toml#<part>      site, content, drafts, menu, redirects, listing, components, checks/<atlas>
atlases:                     the ids of the atlases, in the source's order
snapshot:<atlas>#<part>      project, listing, entities; manifests: why some could not be fetched;
                             manifest/<entity>: the digest of its bytes, or why there are none
blob:<digest>                a listing or a manifest
folder:<path>                the files below it
layout:<path>  asset:<path>  content:<path>
history:...                  the editions of the figures, as `pages.history` says
begun:<day>                  whether that day, "2026-11-24", has begun
version:                     of this program
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hdash_site import __version__
from hdash_site.config import FILE, Config
from hdash_site.engine.model import Digest, Given, Inputs, Key, Moved, digest
from hdash_site.errors import LayoutError
from hdash_site.files import Looks
from hdash_site.pages.history import History
from hdash_site.snapshot import Fetched, Snapshot

FOLDERS = {"layout": "layouts", "asset": "layouts/assets", "content": "content"}


def inputs(
    config: Config,
    snapshots: Mapping[str, Snapshot],
    load: Callable[[str], bytes],
    today: str,
    history: History,
    looks: Looks,
) -> Inputs:
    """Answer for every input; `load` gives the bytes of a digest, `today` is a day as in "2026-11-24"."""
    real = functools.cache(_real)

    def answer(key: Key) -> Given | None:
        match key.kind:
            case "blob":
                return Given(key.name, functools.partial(load, key.name))
            case "snapshot":
                return _of_snapshot(snapshots.get(key.name), key.part, load)
            case "config":
                return _json(_of_config(config, key.part))
            case "atlases":
                return _json(list(snapshots))
            case "folder":
                return _json(sorted(_below(config.root / key.name)))
            case "history":
                return history.answer(key.name, key.part)
            case "begun":
                return _json(key.name <= today)
            case "version":
                return _given(__version__.encode())
            case "layout" | "asset":
                return _layout(config.root, key, real, looks)
            case "content":
                return _content(config.root, key, real, looks)
            case _:
                return None

    return answer


def touched(root: Path, saved: Iterable[Path], known: Mapping[Key, str]) -> set[Key]:
    """Give those of the inputs that a build knows which may be others, since these files were saved."""
    names = {path: path.relative_to(root).as_posix() for path in saved}
    found = {key for name in names.values() for key in _of_file(name)}
    # A file that comes or goes, or a folder, changes what there is; so do the settings.
    odd = [
        f"{name}/"
        for path, name in names.items()
        if not (path.is_file() and any(known.get(key) for key in _of_file(name)))
    ]
    if odd or FILE in names.values():
        for key in known:
            folder = FOLDERS.get(key.kind)
            if key.kind in ("folder", "config") or (folder and f"{folder}/{key.name}".startswith(tuple(odd))):
                found.add(key)
    return found


def _of_file(name: str) -> set[Key]:
    """Give the inputs that a file can be."""
    return {
        Key(kind, name.removeprefix(f"{folder}/"))
        for kind, folder in FOLDERS.items()
        if name.startswith(f"{folder}/")
    }


def _of_snapshot(snapshot: Snapshot | None, part: str, load: Callable[[str], bytes]) -> Given | None:
    if snapshot is None:
        return None
    kind, _, entity = part.partition("/")
    match kind:
        case "project":
            return _json(snapshot.project._asdict())
        case "listing":
            return Given(snapshot.listing, functools.partial(load, snapshot.listing))
        case "manifests":
            return _json({entity: fetched.error for entity, fetched in sorted(snapshot.manifests.items())})
        case "manifest":
            return _json(_how(snapshot.manifests[entity])) if entity in snapshot.manifests else None
        case "entities":
            return _json(sorted(snapshot.manifests))
        case _:
            return None


def _how(fetched: Fetched) -> dict[str, str]:
    return {"error": fetched.error} if fetched.error else {"digest": fetched.digest}


def _of_config(config: Config, part: str) -> Any:
    kind, _, atlas = part.partition("/")
    match kind:
        case "site":
            return {
                "title": config.title,
                "base_url": config.base_url,
                "sample": config.source_kind == "sample",
            }
        case "content":
            return {"raw_html": config.raw_html}
        case "drafts":
            return config.drafts
        case "menu":
            return list(config.menu)
        case "redirects":
            return list(config.redirects)
        case "listing":
            return {"archives": config.archives}
        case "components":
            return list(config.components)
        case "checks":
            return {"demographics": atlas not in config.without_demographics, "exempt": config.exempt}
        case _:
            raise ValueError(f"no part {part!r} of the settings")


def _json(value: Any) -> Given:
    return _given(json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace"))


def _given(data: bytes) -> Given:
    return Given(digest(data), lambda: data)


def _real(path: str) -> str:
    return os.path.realpath(path)


def _layout(root: Path, key: Key, real: Callable[[str], str], looks: Looks) -> Given | None:
    try:
        return _file(root, key, real, looks)
    except OSError as error:
        problem = f"cannot be read ({(error.strerror or str(error)).lower()})"
        raise LayoutError(problem, f"{FOLDERS[key.kind]}/{key.name}", "see that you may read it") from None


def _content(root: Path, key: Key, real: Callable[[str], str], looks: Looks) -> Given | None:
    """Give an article; none if it cannot be read, so that it spoils no page but its own."""
    try:
        return _file(root, key, real, looks)
    except OSError:
        return None


def _file(root: Path, key: Key, real: Callable[[str], str], looks: Looks) -> Given | None:
    """Give a file below its folder; `real` gives where a path leads."""
    # Called for every file of the site: plain strings take a fraction of the time of paths.
    folder = f"{root}/{FOLDERS[key.kind]}"
    parent, _, base = f"{folder}/{key.name}".rpartition("/")
    inside = real(folder) + os.sep
    try:
        path = f"{real(parent)}/{base}"
        if not path.startswith(inside) or base in ("", ".", ".."):
            return None
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            path = os.path.realpath(path)
            if not path.startswith(inside):
                return None
            found = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(found.st_mode):
            return None
        content, data = looks.read(path, found)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Given(content, functools.partial(_bytes, key, path, content, data))


def _bytes(key: Key, path: str, content: Digest, data: bytes | None) -> bytes:
    if data is None:
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
        if digest(data) != content:
            raise Moved(key)
    return data


def _below(folder: Path) -> Iterator[str]:
    """Give the files below a folder, relative to it, without hidden ones and editors' leftovers."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder / prefix) as found:
            for entry in found:
                if entry.name.startswith(".") or entry.name.endswith("~"):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{prefix}{entry.name}/")
                elif entry.is_file():
                    yield prefix + entry.name
