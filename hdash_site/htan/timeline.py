"""Therapies and samples of a participant over time (section 8 of the dashboard's rules).

Days are counted from a participant's first event, which is day 0. A row without both days or without a
label is left out; what cannot be read as a number is no day. Labels are shown as `htan.privacy` allows, and
nothing that lies more than 89 years after the first event.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.files import is_value
from hdash_site.htan.findings import HIDDEN
from hdash_site.htan.ids import identifiers, well_formed
from hdash_site.htan.privacy import OLDEST, may_publish
from hdash_site.htan.text import natural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hdash_site.htan.manifests import Manifest

THERAPY: Final = "Therapy"
LABEL: Final = ("Treatment Type", "Treatment Type 1")
START: Final = ("Days to Treatment Start", "Days to Treatment Start 1")
END: Final = ("Days to Treatment End", "Days to Treatment End 1")
METHOD: Final = "Acquisition Method Type"
COLLECTED: Final = "Collection Days from Index"
SITE: Final = "Site of Resection or Biopsy"
LATERALITY: Final = "Specimen Laterality"
COLUMNS: Final = (*LABEL, *START, *END, METHOD, COLLECTED, SITE, LATERALITY)
"""The columns that a timeline is made from."""


class Event(NamedTuple):
    """Something that happened to a participant; days are still those of the manifest."""

    participant: str
    kind: str
    label: str
    start: int
    end: int
    detail: str
    id: str
    """Of the sample."""


def timeline(manifests: Sequence[Manifest]) -> list[dict[str, object]]:
    """Facet `timeline`: the participants in natural order, with their events in order of time."""
    by_participant: dict[str, list[Event]] = {}
    for manifest in manifests:
        for event in _events(manifest):
            by_participant.setdefault(event.participant, []).append(event)
    return [
        {"participant": participant, "events": _grouped(by_participant[participant])}
        for participant in sorted(by_participant, key=natural)
    ]


def _events(manifest: Manifest) -> Iterator[Event]:
    if manifest.component.name == THERAPY:
        yield from _therapies(manifest)
    elif manifest.component.kind == "biospecimen":
        yield from _samples(manifest)


def _therapies(manifest: Manifest) -> Iterator[Event]:
    labels = _published(manifest, LABEL)
    starts, ends = (_days(manifest, names) for names in (START, END))
    for record, (label, start, end) in enumerate(zip(labels, map(day, starts), map(day, ends), strict=True)):
        participant = _own_id(manifest, record)
        if participant and start is not None and end is not None and is_value(label.rstrip(",")):
            yield Event(participant, "therapy", label, min(start, end), max(start, end), "", "")


def _samples(manifest: Manifest) -> Iterator[Event]:
    """Samples taken from a participant; those derived from another sample are none."""
    parents = manifest.column(manifest.component.parent_id)
    methods, sites, sides = (_published(manifest, (name,)) for name in (METHOD, SITE, LATERALITY))
    days = _days(manifest, (COLLECTED,))
    is_participant = well_formed(tuple(kind for kind in identifiers() if kind.name == "participant"))
    for record, (label, at) in enumerate(zip(methods, map(day, days), strict=True)):
        good = parents.good(record) if parents.texts else ()
        if len(good) == 1 and is_participant(good[0]) and at is not None and is_value(label):
            detail = ", ".join(word for word in (sites[record], sides[record]) if is_value(word))
            identifier = _own_id(manifest, record)
            yield Event(good[0], "biospecimen", label, at, at, detail, identifier)


def _own_id(manifest: Manifest, record: int) -> str:
    """Return the well-formed id of a record; blank if it has none, or several."""
    primary = manifest.primary
    return primary.one(record) if primary.texts and primary.good(record) else ""


def _days(manifest: Manifest, names: Sequence[str]) -> list[str]:
    """The cells of the first of these columns that the manifest has; blanks if it has none."""
    for name in names:
        if name in manifest.days:
            return manifest.days[name]
    return [""] * manifest.records


def _published(manifest: Manifest, names: Sequence[str]) -> list[str]:
    """The same where these cells may be published; what may not is hidden, but still a value."""
    name = next((name for name in names if name in manifest.days), "")
    cells = _days(manifest, names)
    public = {
        cell: cell if may_publish(manifest.component, name, cell.rstrip(",")) else HIDDEN
        for cell in set(cells)
    }
    return [public[cell] for cell in cells]


def day(cell: str) -> int | None:
    """A day as typed, which spreadsheets also write `13026.0`; None if it is none."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return int(number) if math.isfinite(number) and abs(number) < 1e6 else None


def _grouped(events: list[Event]) -> list[dict[str, object]]:
    """A participant's events from day 0 on; samples taken at the same time and site are one event."""
    zero = min(event.start for event in events)
    groups: dict[tuple[object, ...], list[Event]] = {}
    for number, event in enumerate(one for one in events if one.end - zero <= OLDEST):
        alone = number if event.kind == "therapy" else -1
        key = (event.start, event.end, event.kind, event.label, event.detail, alone)
        groups.setdefault(key, []).append(event)
    ordered = sorted(groups.values(), key=lambda group: (group[0].start, group[0].end, group[0][1:6]))
    return [
        {
            "kind": group[0].kind,
            "label": group[0].label,
            "start": group[0].start - zero,
            "end": group[0].end - zero,
            "detail": group[0].detail,
            "count": len(group),
            "ids": _sorted([event.id for event in group if event.id]),
        }
        for group in ordered
    ]


def _sorted(names: list[str]) -> list[str]:
    """The names in natural order; mostly it is one, which needs no key."""
    return sorted(names, key=natural) if len(names) > 1 else names
