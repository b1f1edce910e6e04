"""What the Demographics manifests tell of each participant, as it was filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan import encodings, sheet
from hdash_site.htan.columns import COMPONENT, PARTICIPANT_ID
from hdash_site.htan.header import read_header
from hdash_site.htan.parsing import LARGEST, known_columns
from hdash_site.htan.people import grouping
from hdash_site.htan.text import dumps, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_COLUMNS: Final = 100
"""Columns that are told of a participant."""


def facets(manifests: Sequence[bytes], people: int) -> dict[str, bytes]:
    """By group of the participants (there are `people` of them), of each its columns with their cells.

    Where a participant stands twice, the first row counts.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for data in manifests:
        if len(data) <= LARGEST:
            for participant, row in _rows(data):
                found.setdefault(participant, row)
    group = grouping(people)
    groups: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for participant, row in found.items():
        groups.setdefault(group(participant), {})[participant] = row
    return {name: dumps(some) for name, some in groups.items()}


def _rows(data: bytes) -> list[tuple[str, list[tuple[str, str]]]]:
    decoded = encodings.decode(data)
    rows = list(sheet.rows(decoded.data, decoded.encoding, "replace"))
    places = read_header(rows[0], known_columns("[]")).places if rows else {}
    if PARTICIPANT_ID not in places:
        return []
    own = places[PARTICIPANT_ID]
    columns = [
        (place, shown(name)) for name, place in places.items() if name not in (PARTICIPANT_ID, COMPONENT)
    ][:MOST_COLUMNS]
    return [
        (
            shown(row[own].strip()),
            [(name, shown(row[place].strip()) if place < len(row) else "") for place, name in columns],
        )
        for row in rows[1:]
        if len(row) > own and row[own].strip()
    ]
