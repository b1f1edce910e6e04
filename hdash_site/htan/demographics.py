"""What the Demographics manifests tell of each participant, as it was filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan import sheet
from hdash_site.htan.columns import COMPONENT, PARTICIPANT_ID
from hdash_site.htan.parsing import LARGEST
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
    data = data.replace(b"\0", b"")
    try:
        rows = list(sheet.rows(data, "utf-8"))
    except UnicodeDecodeError:
        rows = list(sheet.rows(data, "latin-1"))
    header = [name.strip() for name in rows[0]] if rows else []
    if PARTICIPANT_ID not in header:
        return []
    own = header.index(PARTICIPANT_ID)
    columns = [
        (place, shown(name))
        for place, name in enumerate(header)
        if name and name not in (PARTICIPANT_ID, COMPONENT) and header.index(name) == place
    ][:MOST_COLUMNS]
    return [
        (
            shown(row[own].strip()),
            [(name, shown(row[place].strip()) if place < len(row) else "") for place, name in columns],
        )
        for row in rows[1:]
        if len(row) > own and row[own].strip()
    ]
