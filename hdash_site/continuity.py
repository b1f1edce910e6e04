"""Refuse to publish from a state that does not know the history of the site that is published already.

A database that is named for the first time, or named no longer, is another state: it would begin a new
history, and the pages of the old one would be deleted. A first edition alone has compared nothing. So it
counts only where the cache shows that another state was used here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from hdash_site import aws, publish
from hdash_site.bucket import Bucket
from hdash_site.config import Config
from hdash_site.errors import ConfigError
from hdash_site.options import Options, cache_folder, output_folder, state_place
from hdash_site.pages.history import name_of
from hdash_site.state import where
from hdash_site.state.copies import newest
from hdash_site.state.moments import FOREIGN, editions_in, moments
from hdash_site.state.store import Store

_NAME = re.compile(r"\d{4}(-\d\d){5}")
_FOLDER = "changes/"


class Guard(NamedTuple):
    """What was there before the state was opened. `used`: the cache has the blobs of some state.

    `old`: the address of a state with editions, if one is at hand; `place`: of the state that is opened.
    `copy`: the name of the newest copy that was kept of a file of SQLite, if there is one.
    """

    used: bool
    old: str
    place: str
    copy: str = ""


def guard(options: Options, place: str) -> Guard:
    """Look around before the state is opened, which makes a cache; `place` is where the state is."""
    cache = cache_folder(options)
    file = where.file(cache)
    elsewhere = state_place(options) != file or bool(os.environ.get(where.STATE))
    old = file.name if elsewhere and editions_in(Path(file.name)) else ""
    copy, _ = newest(file) if not elsewhere else ("", 0)
    return Guard((cache / "blobs/cache.db").exists(), old, place, copy)


def check_folder(guard: Guard, options: Options, store: Store) -> None:
    """Raise `ConfigError` if the folder of the site has editions of another state."""
    output = output_folder(options)
    unknown = _unknown(_names_below(output / _FOLDER), options, store)
    if not unknown:
        return
    ours = store.published(str(output))
    unknown = [name for name in unknown if f"{_FOLDER}{name}/index.html" not in ours]
    if len(unknown) > 1 or (unknown and (guard.used or ours)):
        raise _refusal(guard, str(output), unknown)


def check_bucket(guard: Guard, options: Options, config: Config, store: Store) -> None:
    """Raise `ConfigError` if the bucket of the site has editions of another state."""
    place = publish.place()
    if place is None or store.published(str(place)):
        return  # what this state deployed there, it knows
    bucket = Bucket(place, aws.access(os.environ, config.patience))
    names: list[str] = []
    for key, _ in bucket.list(after=_FOLDER):
        if not key.startswith(_FOLDER):
            break
        name, _, rest = key.removeprefix(_FOLDER).partition("/")
        if rest == "index.html":
            names.append(name)
    unknown = _unknown(names, options, store)
    if len(unknown) > 1 or (unknown and guard.old):
        raise _refusal(guard, str(place), unknown)


def _unknown(names: Collection[str], options: Options, store: Store) -> list[str]:
    """Return the editions among these that this state did not make, the oldest first."""
    published = sorted(name for name in names if _NAME.fullmatch(name))
    if not published:
        return []
    known = set(map(name_of, store.moments()))
    unknown = [name for name in published if name not in known]
    last = store.fact(FOREIGN) if unknown else ""
    unknown = [name for name in unknown if name > last]
    if unknown and options.new_history:
        store.set_fact(FOREIGN, unknown[-1])
        return []
    return unknown


def _names_below(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _refusal(guard: Guard, published: str, unknown: Collection[str]) -> ConfigError:
    known = moments()
    state = "this state does not know" if known else "this state is empty, and does not know"
    editions = f"{len(unknown)} edition{'s' * (len(unknown) != 1)}"
    old = guard.old or "FROM"
    replace = " --replace" if known else ""
    instead = "go on without them" if known else "begin a new history"
    hint = "" if guard.old else " (FROM: the address of the old state)"
    way_out = f"copy the old state: hdash-site state copy {old} here{replace}{hint}"
    if guard.copy and not known:
        way_out = f"restore the newest copy: hdash-site state restore {guard.copy}; or {way_out}"
    return ConfigError(
        f"{state} {editions} of the history that {published} shows",
        guard.place,
        f"{way_out}; or, to {instead}, add --new-history",
    )
