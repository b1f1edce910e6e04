"""The whole site in two rounds: which pages there are, then every page; the files that come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from hdash_site.engine.build import Build
from hdash_site.engine.model import Broken, Digest, Key, Trace
from hdash_site.pages.route import Route
from hdash_site.pages.rules import page_key


class Traces(Protocol):
    """What a page was made of when it was made last."""

    def trace(self, key: Key) -> Trace | None: ...


class File(NamedTuple):
    """A file of the site: the digest of its bytes, and the part of a page that it is."""

    digest: Digest
    key: Key


class Site(NamedTuple):
    """`problems` are whole lines for people."""

    files: dict[str, File]
    asked_for: list[Key]
    problems: list[str]


def site(build: Build, traces: Traces) -> Site:
    """Bring every page up to date. One that fails keeps the files that it had."""
    listed = build.bring([Key("routes")])[Key("routes")]
    if isinstance(listed, Broken):
        return Site({}, [], [])
    routes = [Route(*fields) for fields in json.loads(build.value(Key("routes")) or b"[]")]
    made = build.bring(page_key(route) for route in routes)
    files: dict[str, File] = {}
    problems: list[str] = []
    for key, parts in made.items():
        for path, digest in _parts(key, parts, traces).items():
            held = files.setdefault(path, File(digest, key._replace(part=path)))
            if held.key._replace(part="") != key:
                problems.append(f"/{path}: {key} and {held.key.name} both make this file; rename one of them")
    return Site(files, build.asked_for(), problems)


def _parts(key: Key, parts: Mapping[str, Digest] | Broken, traces: Traces) -> Mapping[str, Digest]:
    if not isinstance(parts, Broken):
        return parts
    last = traces.trace(key)
    return last.parts if last else {}


def findings(build: Build, atlases: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count the findings of all atlases, by code."""
    total: dict[str, dict[str, int]] = {}
    for atlas in atlases:
        try:
            codes = json.loads(build.value(Key("report", atlas, "codes")) or b"{}")
        except Broken:
            continue
        for code, (errors, warnings) in codes.items():
            counts = total.setdefault(code, {"errors": 0, "warnings": 0})
            counts["errors"] += errors
            counts["warnings"] += warnings
    return total
