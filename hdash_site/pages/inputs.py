"""What the build begins with: settings, snapshots, and the files of layouts and content.

config:site.toml#<part>      site, content, limits, drafts, menu, redirects, listing, components,
                             checks/<atlas>
atlases:                     the ids of the atlases, in the source's order
snapshot:<atlas>#<part>      project, listing, entities; manifests: why some could not be fetched;
                             manifest/<entity>: the digest of its bytes, or why there are none
blob:<digest>                a listing or a manifest
folder:<path>                the files below it
layout:<path>  asset:<path>  content:<path>
owner:<address>#<pages>      which of the pages that claim an address has it: the one that had it in the last
                             build, or else the first
shown:<page>#<file>          whether a page had that file when it was made last
history:...                  the editions of the figures, as `pages.history` says
begun:<day>                  whether that day, "2026-11-24", has begun
version:                     of this program
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from hdash_site import __version__
from hdash_site.config import Config
from hdash_site.engine.model import Given, Inputs, Key, digest
from hdash_site.errors import LayoutError
from hdash_site.files import Looks
from hdash_site.pages.folders import FOLDERS, Folders, Links
from hdash_site.pages.history import History
from hdash_site.pages.site import Traces, owners
from hdash_site.snapshot import Fetched, Snapshot


def inputs(
    config: Config,
    snapshots: Mapping[str, Snapshot],
    load: Callable[[str], bytes],
    today: str,
    history: History,
    looks: Looks,
    last: Traces,
    links: Links,
) -> Inputs:
    """Answer for every input; `load` gives the bytes of a digest, `today` is a day as in "2026-11-24".

    `last`: what pages were made of in the last build. `links`: takes the symbolic links that are met.
    """
    folders = Folders(config.root, links)
    of_last_build = last_build(last)

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
                return _json(folders.names(key.name))
            case "owner" | "shown":
                return of_last_build(key)
            case "history":
                return history.answer(key.name, key.part)
            case "begun":
                return _json(key.name <= today)
            case "version":
                return _given(__version__.encode())
            case "layout" | "asset" | "content":
                return (_content if key.kind == "content" else _layout)(folders, key, looks)
            case _:
                return None

    return answer


def last_build(last: Traces) -> Inputs:
    """Answer what depends on the last build: who had an address, and which pages have a file."""
    owned = functools.cache(lambda: owners(last))

    def answer(key: Key) -> Given | None:
        if key.kind == "shown":
            return _given(b"") if key.part in (last.parts(Key("page", key.name)) or ()) else None
        claimants: list[str] = json.loads(key.part)
        owner = owned().get(key.name, "")
        return _given((owner if owner in claimants else claimants[0]).encode())

    return answer


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
        case "limits":
            return config.limits
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


def _content(folders: Folders, key: Key, looks: Looks) -> Given | None:
    """Give an article; none if it cannot be read, so that it spoils no page but its own."""
    try:
        return folders.file(key, looks)
    except OSError:
        return None


def _layout(folders: Folders, key: Key, looks: Looks) -> Given | None:
    try:
        return folders.file(key, looks)
    except OSError as error:
        problem = f"cannot be read ({(error.strerror or str(error)).lower()})"
        raise LayoutError(problem, f"{FOLDERS[key.kind]}/{key.name}", "see that you may read it") from None
