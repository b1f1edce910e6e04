"""What the Demographics manifests say of each participant, as far as it is published (`htan.privacy`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from hdash_site.htan import encodings, sheet
from hdash_site.htan.columns import PARTICIPANT_ID
from hdash_site.htan.components import catalogue
from hdash_site.htan.findings import HIDDEN
from hdash_site.htan.header import read_header
from hdash_site.htan.lineage import DEMOGRAPHICS
from hdash_site.htan.parsing import LARGEST, known_columns
from hdash_site.htan.people import grouping
from hdash_site.htan.privacy import may_publish, normal
from hdash_site.htan.text import dumps, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hdash_site.htan.components import Component

MOST_COLUMNS: Final = 100
"""Columns that are shown of a participant."""


def facets(manifests: Sequence[bytes], people: int, components: str = "[]") -> dict[str, bytes]:
    """Return, by group of the participants (there are `people` of them), the published cells of each.

    `components` is JSON of the site's `[[component]]` tables. Of several rows of one participant the first
    counts.
    """
    component = catalogue(json.loads(components)).find(DEMOGRAPHICS)
    assert component is not None
    known = known_columns(components)
    found: dict[str, list[tuple[str, str]]] = {}
    for data in manifests:
        if len(data) <= LARGEST:
            for participant, row in _rows(data, component, known):
                found.setdefault(participant, row)
    group = grouping(people)
    groups: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for participant, row in found.items():
        groups.setdefault(group(participant), {})[participant] = row
    return {name: dumps(some) for name, some in groups.items()}


def _rows(
    data: bytes, component: Component, known: tuple[str, ...]
) -> list[tuple[str, list[tuple[str, str]]]]:
    decoded = encodings.decode(data)
    rows = list(sheet.rows(decoded.data, decoded.encoding, "replace"))
    places = read_header(rows[0], known).places if rows else {}
    if PARTICIPANT_ID not in places:
        return []
    own = places[PARTICIPANT_ID]
    written = {normal(name): place for name, place in reversed(places.items())}
    columns = [(written[normal(name)], name) for name in component.publish if normal(name) in written]
    columns = sorted(columns)[:MOST_COLUMNS]
    return [
        (
            shown(row[own].strip()),
            [
                (name, _cell(component, name, row[place].strip()) if place < len(row) else "")
                for place, name in columns
            ],
        )
        for row in rows[1:]
        if len(row) > own and row[own].strip()
    ]


def _cell(component: Component, column: str, cell: str) -> str:
    return shown(cell) if may_publish(component, column, cell) else HIDDEN
