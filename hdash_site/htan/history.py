"""The history of the figures. An edition is what the atlases held when a build found them changed.

An edition is JSON of `when` (UTC, ISO 8601), `before` (when the one before was; empty if it is the first),
`totals` and `risen` (figures of all atlases, and by how much those that changed did), `atlases`, `arrived`
and `gone` (ids), and `changes`. Once made it stays as it is, and holds all that its page shows.

`atlases`, by id: `figures`, and `checks`, by code: errors, warnings, and since when there are any.
`uncompared` are atlases whose figures alone could be compared, because what the edition before was made of is
not known; the key is left out if there are none.
`changes`, by id, where there are some: `risen`; `added` and `removed` (manifests: entity, component),
`replaced` (the same, and the entity that it was before), `components` that appear for the first time,
`new` and `fixed` (numbers of findings by code).

A basis is what the next edition is compared with: by atlas id, its manifests, the components that it ever
had, and what stands for each of its findings.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hdash_site.htan.changes import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIGURES: Final = (
    "files",
    "bytes",
    "manifests",
    "records",
    "participants",
    "participants_with_biospecimens",
    "biospecimens",
    "filled",
    "cells",
    "errors",
    "warnings",
)
"""The figures of a summary that are kept; they can be added up."""

UNCOMPARED: Final = "uncompared"

_MARK: Final = 8
"""Bytes that stand for a finding."""


class Report(NamedTuple):
    """What an edition takes from a report.

    `summary`, `codes`, `manifests` are its facets of that name; `findings` is `findings.csv`; `digests` are
    those of the bytes of the manifests, by entity; `mark` is equal only if all of these are.
    """

    summary: Mapping[str, Any]
    codes: Mapping[str, Sequence[int]]
    manifests: Sequence[Mapping[str, Any]]
    findings: bytes
    digests: Mapping[str, str]
    mark: str


def edition(
    before: Mapping[str, Any] | None,
    basis: Mapping[str, Any],
    reports: Mapping[str, Report | None],
    when: str,
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Give the edition that comes after `before`, or None if nothing changed, and the basis of the next one.

    `reports` are those of all atlases; None stands for one whose figures are those of `before`, as they are
    if there is no report of it today.
    """
    known: Mapping[str, Any] = before["atlases"] if before else {}
    atlases: dict[str, Any] = {}
    bases: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for atlas, report in reports.items():
        if report:
            old = basis.get(atlas)
            bases[atlas] = _basis(report, old)
            atlases[atlas] = _figures(report, known.get(atlas), when)
            changes[atlas] = _moved(old, bases[atlas]) if atlas in known and old else {}
        elif atlas in known:
            atlases[atlas] = known[atlas]
            if atlas in basis:
                bases[atlas] = basis[atlas]
    gone = [atlas for atlas in known if atlas not in atlases]
    for atlas in (*atlases, *gone):
        risen = _risen(known.get(atlas), atlases.get(atlas))
        changes[atlas] = changes.get(atlas, {}) | ({"risen": risen} if risen else {})
    changes = {atlas: some for atlas, some in changes.items() if some} if before else {}
    arrived = [atlas for atlas in atlases if atlas not in known] if before else []
    if not (changes or arrived or gone if before else atlases):
        return None, bases
    totals = _total(atlases)
    made = {
        "when": when,
        "before": before["when"] if before else "",
        "totals": totals,
        "risen": _differences(before["totals"], totals) if before else {},
        "atlases": atlases,
        "arrived": arrived,
        "gone": gone,
        "changes": changes,
    }
    uncompared = [atlas for atlas in reports if atlas in known and reports[atlas] and atlas not in basis]
    return made | ({UNCOMPARED: uncompared} if uncompared else {}), bases


def _figures(report: Report, known: Mapping[str, Any] | None, when: str) -> dict[str, Any]:
    since: dict[str, str] = {code: counts[2] for code, counts in known["checks"].items()} if known else {}
    return {
        "figures": {name: report.summary[name] for name in FIGURES},
        "checks": {code: [*counts, since.get(code, when)] for code, counts in report.codes.items()},
    }


def _total(atlases: Mapping[str, Any]) -> dict[str, int]:
    return {name: sum(one["figures"][name] for one in atlases.values()) for name in FIGURES}


def _risen(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, int]:
    return _differences(old["figures"] if old else {}, new["figures"] if new else {})


def _differences(old: Mapping[str, int], new: Mapping[str, int]) -> dict[str, int]:
    risen = {name: new.get(name, 0) - old.get(name, 0) for name in FIGURES}
    return {name: number for name, number in risen.items() if number}


def _basis(report: Report, old: Mapping[str, Any] | None) -> dict[str, Any]:
    manifests = {
        one["id"]: [
            report.digests.get(one["id"], ""),
            one["label"] or one["component"],
            one["path"].rpartition("/")[0],
        ]
        for one in report.manifests
    }
    components = {component for _, component, _ in manifests.values()}
    return {
        "mark": report.mark,
        "manifests": manifests,
        "components": sorted(components.union(old["components"] if old else ())),
        "findings": _marks(report.findings),
    }


def _marks(findings: bytes) -> dict[str, str]:
    """Give, by code, what stands for each finding wherever its row is, all in one text."""
    marks: dict[str, list[bytes]] = {}
    for (code, *rest), count in counted(findings).items():
        text = "\0".join(rest).encode("utf-8", "surrogatepass")
        mark = hashlib.blake2b(text, digest_size=_MARK).digest()
        marks.setdefault(code, []).extend([mark] * count)
    return {code: base64.b64encode(b"".join(sorted(some))).decode() for code, some in sorted(marks.items())}


def _moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    fresh = [name for name in new["components"] if name not in set(old["components"])]
    some = {
        **_manifests(old["manifests"], new["manifests"]),
        "components": fresh,
        "new": _more(old["findings"], new["findings"]),
        "fixed": _more(new["findings"], old["findings"]),
    }
    return {name: what for name, what in some.items() if what}


def _manifests(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    """Compare manifests: one with other bytes, or in the place of another of its component, replaces it."""
    replaced = [
        [entity, component, entity]
        for entity, (digest, component, _) in new.items()
        if entity in old and old[entity][0] != digest
    ]
    left: dict[tuple[str, str], list[str]] = {}
    for entity, (_, component, folder) in old.items():
        if entity not in new:
            left.setdefault((component, folder), []).append(entity)
    added: list[list[str]] = []
    for entity, (_, component, folder) in new.items():
        if entity not in old:
            former = left.get((component, folder))
            if former:
                replaced.append([entity, component, former.pop(0)])
            else:
                added.append([entity, component])
    removed = [[entity, component] for (component, _), some in left.items() for entity in some]
    return {"added": added, "removed": removed, "replaced": replaced}


def _more(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, int]:
    """Count, by code, the findings that are in `new` alone."""
    counts = {code: (_counts(marks) - _counts(old.get(code, ""))).total() for code, marks in new.items()}
    return {code: count for code, count in counts.items() if count}


def _counts(marks: str) -> Counter[bytes]:
    data = base64.b64decode(marks)
    return Counter(data[at : at + _MARK] for at in range(0, len(data), _MARK))
