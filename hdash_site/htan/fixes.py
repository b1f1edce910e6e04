"""What to fix in an atlas: its findings by cause, so that who fixes one thing sees all places at once.

A cause is a check with a column and what is wrong there. Under it are the manifests that have it, or the
files and folders of the listing, each with its rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.completeness import runs
from hdash_site.htan.findings import kind_of, total
from hdash_site.htan.text import csv_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.findings import Finding
    from hdash_site.htan.manifests import Manifest

MOST_PLACES: Final = 20
"""Manifests, files or folders of a cause that its page gets; the download has all."""
MOST_RANGES: Final = 20
"""Ranges of rows of one place that are named."""
MOST_VALUES: Final = 3
"""Different values of one place that are shown."""
CSV_HEADER: Final = (
    "atlas", "code", "severity", "findings", "entity", "component", "path", "column", "rows", "value",
    "expected", "message",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A manifest with all its findings of one cause; or an entity of the listing."""

    entity: str
    manifest: Manifest | None
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Cause:
    """What is wrong in the same way; `first` stands for all of its findings."""

    first: Finding
    count: int
    places: list[Place]

    @property
    def message(self) -> str:
        return message_of(self.first, self.count)


def message_of(first: Finding, count: int) -> str:
    """What so many findings of one kind say together."""
    return first.message if count == 1 else kind_of(first.message)


def alike(
    findings: Iterable[Finding], place_of: Callable[[Finding], str] = attrgetter("manifest")
) -> list[list[Finding]]:
    """Findings of one check, place, column, kind of message and severity together."""
    groups: dict[tuple[str, str, str, str, str], list[Finding]] = {}
    for one in findings:
        key = (one.code, place_of(one), one.column, kind_of(one.message), one.severity)
        groups.setdefault(key, []).append(one)
    return [_rest_last(group) for group in groups.values()]


def _rest_last(findings: list[Finding]) -> list[Finding]:
    """Put what stands for many findings behind the findings that can stand for all of their kind."""
    is_even = findings[-1].is_rest or not any(one.is_rest for one in findings)
    return findings if is_even else sorted(findings, key=lambda one: one.is_rest)


def in_common(like: Sequence[Finding]) -> dict[str, object]:
    """What findings of one kind in one manifest have in common."""
    first = like[0]
    return {
        "manifest": first.manifest,
        "component": first.component,
        "column": first.column,
        "message": message_of(first, total(like)),
        "severity": first.severity,
    }


def find_causes(atlas: Atlas, findings: Sequence[Finding]) -> list[Cause]:
    """The findings by cause, and by place in each; those with the most findings come first, of
    causes with as many the errors.
    """
    manifests = {manifest.id: manifest for manifest in atlas.manifests}
    found: dict[tuple[str, str, str, str], dict[str, Place]] = {}
    for one in findings:
        cause = found.setdefault((one.code, one.column, kind_of(one.message), one.severity), {})
        place = cause.setdefault(one.manifest, Place(one.manifest, manifests.get(one.manifest), []))
        place.findings.append(one)
    causes = [_cause(list(places.values())) for places in found.values()]
    return sorted(causes, key=lambda cause: (-cause.count, cause.first.severity))


def _cause(places: list[Place]) -> Cause:
    places = [Place(place.entity, place.manifest, _rest_last(place.findings)) for place in places]
    first = min((place.findings[0] for place in places), key=lambda one: one.is_rest)
    counts = {place.entity: total(place.findings) for place in places}
    ordered = sorted(places, key=lambda place: (not place.entity, -counts[place.entity]))
    return Cause(first, sum(counts.values()), ordered)


def facet_of_causes(causes: Sequence[Cause]) -> list[dict[str, object]]:
    """What the pages of the fix list show."""
    return [
        {
            "code": cause.first.code,
            "severity": cause.first.severity,
            "column": cause.first.column,
            "message": cause.message,
            "expected": cause.first.expected,
            "count": cause.count,
            "places": len(cause.places),
            "where": [_where(place) for place in cause.places[:MOST_PLACES]],
        }
        for cause in causes
    ]


def _where(place: Place) -> dict[str, object]:
    return {
        "entity": place.entity,
        "is_manifest": place.manifest is not None,
        "component": place.findings[0].component,
        "path": place.manifest.path if place.manifest else "",
        "count": total(place.findings),
        "rows": rows_of(place.findings),
        "values": _values(place.findings),
    }


class Rows(NamedTuple):
    """Rows of a manifest as ranges, first and last row of each, and how many rows are in none of them."""

    ranges: list[tuple[int, int]]
    more: int


def rows_of(findings: Sequence[Finding]) -> Rows:
    rows = sorted({one.row for one in findings if one.row})
    named = runs(rows)[:MOST_RANGES]
    ranges = [(first, first + length - 1) for first, length in named]
    not_kept = total(findings) - len(findings)
    return Rows(ranges, len(rows) - sum(length for _, length in named) + not_kept)


def _values(findings: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(one.value for one in findings if one.value))[:MOST_VALUES]


def csv_of_causes(atlas: str, causes: Sequence[Cause]) -> bytes:
    """A line a cause and place. A range is written with a word: a spreadsheet takes 2-5 for a day of May."""
    rows = [
        (
            atlas,
            cause.first.code,
            cause.first.severity,
            total(place.findings),
            place.entity,
            place.findings[0].component,
            place.manifest.path if place.manifest else "",
            cause.first.column,
            _in_words(rows_of(place.findings)),
            ", ".join(_values(place.findings)),
            cause.first.expected,
            cause.message,
        )
        for cause in causes
        for place in cause.places
    ]
    return csv_bytes(CSV_HEADER, rows)


def _in_words(rows: Rows) -> str:
    words = [str(first) if first == last else f"{first} to {last}" for first, last in rows.ranges]
    return ", ".join([*words, f"and {rows.more} more"] if rows.more else words)
