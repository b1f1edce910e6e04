"""The whole site in two rounds: which pages there are, then every page; the files that come of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import NamedTuple, Protocol

from hdash_site.engine.build import Build
from hdash_site.engine.model import Broken, Digest, Key, Trace
from hdash_site.pages.names import folded
from hdash_site.pages.route import Route
from hdash_site.pages.rules import page_key

_FAILED = Key("failed")


class Traces(Protocol):
    """What a page was made of when it was made last."""

    def parts(self, key: Key) -> Mapping[str, Digest] | None: ...

    def record(self, key: Key, trace: Trace) -> None: ...

    def load(self, digest: str) -> bytes | None: ...


class File(NamedTuple):
    """A file of the site: the digest of its bytes, and the part of a page that it is.

    `redirect`: where its reader is led instead, below the site or in full; empty if nowhere.
    """

    digest: Digest
    key: Key
    redirect: str = ""


class Site(NamedTuple):
    """`problems` are whole lines for people; `made` is what came of each page in the `routes` (a digest).

    `failed` are those pages that could not be made.
    """

    files: dict[str, File]
    problems: list[str]
    routes: Digest = ""
    made: Mapping[Key, Mapping[str, Digest] | Broken] = {}
    failed: Set[Key] = frozenset()


def site(build: Build, traces: Traces, last: Site | None = None) -> Site:
    """Bring every page up to date. One that fails keeps the files that it had.

    `last`: what came of the build before in this process, so that only what differs is gone through.
    """
    known = build.bring([Key("routes")])[Key("routes")]
    if isinstance(known, Broken):
        return Site({}, [])
    if last and last.routes == known[""]:
        moved = build.bring_again(last.made)
        files = _refreshed(last, moved)
        if files is not None:
            failed = (last.failed - moved.keys()) | _failed(moved)
            return Site(files, [], known[""], {**last.made, **moved}, failed)
    routes = [Route(*fields) for fields in json.loads(build.value(Key("routes")) or b"[]")]
    made = build.bring(page_key(route) for route in routes)
    files, problems = _files(
        routes, {key: parts for key, parts in made.items() if not isinstance(parts, Broken)}
    )
    failed = _failed(made)
    return Site(_last_good(traces, routes, failed, files), problems, known[""], made, failed)


def note_failures(traces: Traces, built: Site, last: Site | None = None) -> None:
    """Note which pages could not be made, for who wants the files of the site later (`remembered`).

    `last`: what came of the build before in this process; without it, the traces say what failed then.
    """
    before = last.failed if last else _noted(traces)
    if built.failed != before:
        traces.record(_FAILED, Trace("", (), {key.name: "" for key in sorted(built.failed)}))


def _failed(made: Mapping[Key, Mapping[str, Digest] | Broken]) -> set[Key]:
    return {key for key, parts in made.items() if isinstance(parts, Broken)}


def _noted(traces: Traces) -> set[Key]:
    """Give the pages that were noted as failed."""
    return {Key("page", name) for name in traces.parts(_FAILED) or ()}


def some(build: Build, paths: Iterable[str], last: Site) -> dict[str, File] | None:
    """Bring the pages of these files up to date before all others, and the assets, which they may show.

    Give all files with these as they are now; None if that cannot be told without all pages.
    """
    pages = {last.files[path].key._replace(part="") for path in paths if path in last.files}
    routes = build.bring([Key("routes")])[Key("routes")]
    if not pages or isinstance(routes, Broken) or routes[""] != last.routes:
        return None
    assets = [key for key in last.made if key.name.startswith("asset/")]
    return _refreshed(last, build.bring([*assets, *sorted(pages)]))


def _refreshed(last: Site, made: Mapping[Key, Mapping[str, Digest] | Broken]) -> dict[str, File] | None:
    """Give the files of the pages of last time as they are now; None if they are others by name."""
    if last.problems:
        return None
    files = dict(last.files)
    for key, parts in made.items():
        before = last.made[key]
        if parts is before:
            continue
        if isinstance(parts, Broken) or isinstance(before, Broken) or parts.keys() != before.keys():
            return None
        for path, digest in parts.items():
            files[path] = files[path]._replace(digest=digest)
    return files


def remembered(traces: Traces) -> dict[str, File]:
    """Give the files of the site as it was built last; none if it was not, or its list of pages is lost."""
    routes = listed(traces)
    failed = _noted(traces)
    made = {key: parts for key in map(page_key, routes) if key not in failed and (parts := traces.parts(key))}
    return _last_good(traces, routes, failed, _files(routes, made)[0])


def _last_good(
    traces: Traces, routes: Sequence[Route], failed: Collection[Key], made: dict[str, File]
) -> dict[str, File]:
    """Return the files that were made, with those that failed pages had and no page has now."""
    if not failed:
        return made
    kept = {key: traces.parts(key) or {} for key in map(page_key, routes) if key in failed}
    taken = set(map(folded, made))
    old = {path: file for path, file in _files(routes, kept)[0].items() if folded(path) not in taken}
    return old | made


def listed(traces: Traces) -> list[Route]:
    """Give every page of the site as it was built last, those that could not be made too."""
    known = traces.parts(Key("routes"))
    data = traces.load(known[""]) if known else None
    return [Route(*fields) for fields in json.loads(data or b"[]")]


def owners(traces: Traces) -> dict[str, str]:
    """Return the page that had each address in the last build, by the address as `folded` gives it."""
    refused = _refused(traces)
    found: dict[str, str] = {}
    for route in listed(traces):
        if route.name not in refused:
            found.setdefault(folded(route.file), route.name)
    return found


def refused(traces: Traces) -> dict[str, str]:
    """Return the pages that claimed an address of another page in the last build, with what is wrong."""
    parts = traces.parts(Key("routes")) or {}
    return {name: json.loads(traces.load(parts[name]) or b'["", ""]')[1] for name in _refused(traces)}


def _refused(traces: Traces) -> list[str]:
    known = traces.parts(Key("routes")) or {}
    return json.loads(traces.load(known.get("refused", "")) or b"[]")


def drafts(traces: Traces) -> list[str]:
    """Give the articles of the site as it was built last that only a preview shows."""
    known = traces.parts(Key("routes")) or {}
    return json.loads(traces.load(known.get("drafts", "")) or b"[]")


def _files(
    routes: Sequence[Route], made: Mapping[Key, Mapping[str, Digest]]
) -> tuple[dict[str, File], list[str]]:
    targets = {page_key(route): route.target for route in routes if route.target}
    files: dict[str, File] = {}
    problems: list[str] = []
    for key, parts in made.items():
        target = targets.get(key, "") if targets else ""
        for path, digest in parts.items():
            held = files.setdefault(path, File(digest, key._replace(part=path), target))
            if held.key._replace(part="") != key:
                problems.append(f"/{path}: {key} and {held.key.name} both make this file; rename one of them")
    return files, problems + _one_on_some_systems(files)


def _one_on_some_systems(files: dict[str, File]) -> list[str]:
    """Take away files whose names differ from that of another only in case, or the form of accents."""
    names: dict[str, str] = {}
    for path in files:
        names.setdefault(folded(path), path)
    problems = [
        f"/{path}: it is one file with /{names[folded(path)]} on macOS and Windows; rename one of them"
        for path in (files.keys() - names.values() if len(names) < len(files) else ())
    ]
    for path in files.keys() - names.values():
        del files[path]
    return sorted(problems)


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
