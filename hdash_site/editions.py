"""Whether the figures of a build make a new edition of the history (`htan.history`)."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from hdash_site.engine.build import Build
from hdash_site.engine.model import Broken, Digest, Key, digest
from hdash_site.htan import history
from hdash_site.snapshot import Snapshot
from hdash_site.state.store import Store

_FACETS = ("summary", "codes", "manifests", "findings.csv")

Reports = Mapping[Key, Mapping[str, Digest] | Broken]
"""The parts of each report of today, or why there is none."""


def add(
    build: Build, reports: Reports, snapshots: Mapping[str, Snapshot], store: Store, last: str, moment: str
) -> tuple[str, str] | None:
    """Add an edition to the store if the figures are others than in the `last`; give its time and itself.

    `moment` is when the build began. An edition is a second after the one before it, if not later, whatever
    the clock says.
    """
    before: dict[str, Any] | None = json.loads(last) if last else None
    basis: dict[str, Any] = json.loads(store.basis() or "{}")
    found = {
        key.name: _report(build, key, parts, snapshots[key.name], basis.get(key.name))
        for key, parts in reports.items()
    }
    if before:
        moment = max(moment, _after(before["when"]))
    made = history.edition(before, basis, found, moment)
    if made is None:
        return None
    text, left = (json.dumps(one, separators=(",", ":")) for one in made)
    store.add_edition(moment, text, left)
    return moment, text


def _report(
    build: Build,
    key: Key,
    parts: Mapping[str, Digest] | Broken,
    snapshot: Snapshot,
    basis: Mapping[str, Any] | None,
) -> history.Report | None:
    """Give what a report says; None if it is what the last edition was made of, or cannot be had."""
    if isinstance(parts, Broken):
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


def _after(moment: str) -> str:
    later = datetime.datetime.fromisoformat(moment) + datetime.timedelta(seconds=1)
    return later.isoformat(timespec="seconds")
