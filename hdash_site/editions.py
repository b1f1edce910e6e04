"""Whether the figures of a build make a new edition of the history (`htan.history`)."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hdash_site.engine.build import Build
from hdash_site.engine.model import Broken, Digest, Key, digest
from hdash_site.htan import history
from hdash_site.snapshot import Snapshot
from hdash_site.state.store import Store

_FACETS = ("summary", "codes", "manifests", "findings.csv")


class Begun(NamedTuple):
    """A build: its source, the newest edition of that source (empty if there is none), and when it began."""

    source: str
    last: str
    moment: str


Reports = Mapping[Key, Mapping[str, Digest] | Broken]
"""The parts of each report of today, or why there is none."""


def add(
    build: Build, reports: Reports, snapshots: Mapping[str, Snapshot], store: Store, begun: Begun
) -> tuple[str, str] | None:
    """Add an edition to the store if the figures are others than in the last; give its time and itself.

    An edition is a second after the one before it, if not later, whatever the clock says.
    """
    source, last, moment = begun
    before: dict[str, Any] | None = json.loads(last) if last else None
    basis: dict[str, Any] = json.loads(store.basis(source) or "{}")
    found = {
        key.name: _report(build, key, parts, snapshots[key.name], basis.get(key.name))
        for key, parts in reports.items()
    }
    if before:
        moment = max(moment, _after(before["when"]))
    made, bases = history.edition(before, basis, found, moment)
    if made is None:
        if before and bases.keys() - basis.keys():
            # The basis was lost with a newer edition that was dropped: from now on there is one again.
            store.set_basis(source, before["when"], _json(bases))
        return None
    if before is None:
        store.problems += _left_behind(store, source)
    text = _json(made)
    store.add_edition(source, moment, text, _json(bases))
    return moment, text


def _left_behind(store: Store, source: str) -> list[str]:
    """Return a line about the histories of other sources, which the site no longer shows."""
    others = [f"{other or UNKNOWN} ({len(store.editions(other))} editions)" for other in store.sources()]
    if not others:
        return []
    kept = f"the history of {', '.join(others)} is kept, but the site no longer shows it"
    return [f"a new history begins, because the atlases come from another source ({source}); {kept}"]


OTHER = "other"
"""The source of editions that version 0.1.0 made of other atlases than those of the newest edition."""

UNKNOWN = "unknown"
"""How messages call the source of editions of version 0.1.0 until a build assigns them to a source."""


def adopt(store: Store, source: str, kind: str) -> None:
    """Assign editions whose source is not known, or only its kind, to a source.

    `source` is that of this run, `kind` that of the snapshots in the state ("" if there are none).
    """
    known = store.sources()
    own_kind = source.partition("-")[0]
    if "" in known:
        # Without a snapshot nothing says where they came from; they hardly came from the sample.
        kind = kind or (own_kind if own_kind != "sample" else "")
        target = source if kind == own_kind else kind
        if target and target not in known:
            # What is not of the snapshots' source is most likely of today's, if that is another one.
            _assign(store, target, OTHER if target == source else source)
    elif own_kind in known and source not in known:
        store.replace_histories({own_kind: (), source: _rows(read(store, own_kind))})


def _assign(store: Store, target: str, other: str) -> None:
    """Assign the editions without a source to `target`, and those of another source among them to `other`."""
    whole = read(store, "")
    foreign = history.foreign([*whole.editions])
    if not foreign or other in store.sources():
        store.replace_histories({"": (), target: _rows(whole)})
        return
    own = set(range(len(whole.editions))) - {*foreign}
    store.replace_histories({"": (), target: _rows(_less(whole, foreign)), other: _rows(_less(whole, own))})
    store.problems.append(
        f"{len(foreign)} editions of the history were made of other atlases than the newest;"
        f" they are kept as the history of the source {other} ('hdash-site history list' shows them)"
    )


class Chain(NamedTuple):
    """The editions of a source, oldest first, and the known bases by the time of their edition."""

    editions: list[Mapping[str, Any]]
    bases: dict[str, Mapping[str, Any]]


def read(store: Store, source: str) -> Chain:
    """Return the history of a source."""
    bases = {moment: json.loads(basis) for moment, basis in store.bases(source).items()}
    return Chain([json.loads(text) for _, text in store.editions(source)], bases)


def drop(store: Store, source: str, moment: str) -> Chain:
    """Drop an edition, recompute the differences of those after it, and return what is left."""
    whole = read(store, source)
    left = _less(whole, [index for index, one in enumerate(whole.editions) if one["when"] == moment])
    store.replace_histories({source: _rows(left)})
    return left


def _less(chain: Chain, dropped: Iterable[int]) -> Chain:
    for index in sorted(dropped, reverse=True):
        chain = Chain(*history.without(chain.editions, chain.bases, index))
    return chain


def _rows(chain: Chain) -> list[tuple[str, str, str]]:
    bases = {moment: _json(basis) for moment, basis in chain.bases.items()}
    return [(one["when"], _json(one), bases.get(one["when"], "")) for one in chain.editions]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _report(
    build: Build,
    key: Key,
    parts: Mapping[str, Digest] | Broken,
    snapshot: Snapshot,
    basis: Mapping[str, Any] | None,
) -> history.Report | None:
    """Give what a report says; None if it is what the last edition was made of, or cannot be had.

    A report with a check that raised is none: what that check had found would count as fixed.
    """
    if isinstance(parts, Broken) or crashed(parts):
        return None
    digests = {entity: fetched.digest for entity, fetched in sorted(snapshot.manifests.items())}
    mark = digest(json.dumps([[parts[name] for name in _FACETS], digests]).encode())
    if basis and basis["mark"] == mark:
        return None
    try:
        summary, codes, manifests, findings = (
            build.value(key._replace(part=name)) or b"" for name in _FACETS
        )
    except Broken:
        return None
    return history.Report(
        json.loads(summary), json.loads(codes), json.loads(manifests), findings, digests, mark
    )


def crashed(parts: Mapping[str, Digest]) -> bool:
    """Tell whether a check of a report raised."""
    return parts["crashed"] != _NONE


_NONE = digest(b"[]")


def _after(moment: str) -> str:
    later = datetime.datetime.fromisoformat(moment) + datetime.timedelta(seconds=1)
    return later.isoformat(timespec="seconds")
