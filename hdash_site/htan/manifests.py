"""Manifests as the checks see them: with what was read of each, by what its listing calls it."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hdash_site.htan.columns import (
    ADJACENT_IDS,
    BIOSPECIMEN_ID,
    DATA_FILE_ID,
    ENTITY_ID,
    PARENT_BIOSPECIMEN_ID,
    PARENT_DATA_FILE_ID,
    PARENT_ID,
    PARTICIPANT_ID,
)
from hdash_site.htan.components import Catalogue, Component
from hdash_site.htan.ids import Cell
from hdash_site.htan.privacy import (
    Column,
    is_component_name,
    is_private,
    known_columns,
    positions,
    public_columns,
)
from hdash_site.htan.problems import Problem
from hdash_site.htan.sheet import row_number
from hdash_site.htan.text import natural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NO_COUNTS: Final = b'{"columns":[],"filled":0,"cells":0}'
_NO_ROWS: Final = b'{"gaps":[],"no_entity":[],"entities":"","days":{},"dates":[]}'


class IdColumn(NamedTuple):
    """An id column: of each record its one well-formed id, or blank; and by record what is odd."""

    texts: list[str]
    odd: dict[int, Cell]
    atlases: tuple[str, ...]

    def one(self, record: int) -> str:
        """The only id of a record, well-formed or not; blank if it has none, or the cell holds a comma."""
        text = self.texts[record]
        if text or record not in self.odd:
            return text
        cell = self.odd[record]
        words = cell.good + cell.bad
        return words[0] if len(words) == 1 and "," not in cell.shown else ""

    def good(self, record: int) -> tuple[str, ...]:
        """The well-formed ids of a record."""
        text = self.texts[record]
        if text:
            return (text,)
        return self.odd[record].good if record in self.odd else ()


NO_IDS: Final = IdColumn([], {}, ())


@dataclass(frozen=True, slots=True)
class Manifest:
    """A metadata manifest that counts, with what was read of it."""

    id: str
    name: str
    path: str
    modified: int
    component: Component
    """As the catalogue has it; if it does not know it, what the columns tell."""
    is_known: bool
    failure: str = ""
    """Why it could not be fetched; else blank."""
    records: int = 0
    """Of these and of cells a manifest that is none has no count."""
    filled: int = 0
    cells: int = 0
    names: frozenset[str] = frozenset()
    """Its columns."""
    usable: bool = False
    """Whether some column is one of a manifest."""
    ids: Mapping[str, IdColumn] = field(default_factory=dict[str, IdColumn])
    days: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    no_entity: Sequence[tuple[int, int, str]] = ()
    """Records whose `entityId` is no Synapse ID, as (first record, how many, cell)."""
    entities: str = ""
    """The Synapse IDs of all records, packed; blank if no record has one."""
    gaps: Sequence[tuple[int, int]] = ()
    problems: Sequence[Problem] = ()
    is_private: bool = False
    """Whether its values and the names of its columns are published by allow-list only."""
    columns: Sequence[Column] = ()
    hidden_columns: Mapping[str, str] = field(default_factory=dict[str, str])
    """By the name in the manifest, what a column is called that must not be named."""
    dates: Sequence[tuple[int, int, int]] = ()
    """Columns with calendar dates: position from 0, first record, how many records."""

    def row(self, record: int) -> int:
        """The number of a record as a spreadsheet has it: blank rows count, the header is row 1."""
        return row_number(record, self.gaps)

    def record(self, row: int) -> int:
        """The record in a row that holds one."""
        place = bisect_right(self.gaps, row, key=lambda gap: gap[0] + gap[1] + 2)
        return row - 2 - (self.gaps[place - 1][1] if place else 0)

    def column(self, name: str) -> IdColumn:
        return self.ids.get(name, NO_IDS)

    @property
    def primary(self) -> IdColumn:
        return self.column(self.component.primary_id)


def read_manifests(
    listed: Sequence[Mapping[str, Any]],
    facets: Mapping[str, Mapping[str, bytes]],
    failures: Mapping[str, str],
    catalogue: Catalogue,
) -> tuple[Manifest, ...]:
    """The manifests of a listing with their facets, in the catalogue's order, then by path.

    Of a manifest that is given by its facet `ids` alone, nothing else is known.
    """
    allowed = known_columns(catalogue)
    manifests = [
        _manifest(row, facets.get(row["id"]), failures.get(row["id"]), catalogue, allowed) for row in listed
    ]
    ranked = sorted(manifests, key=lambda one: (natural(one.path), natural(one.id)))
    return tuple(sorted(ranked, key=lambda one: (catalogue.order(one.component), one.component.name)))


def _manifest(
    row: Mapping[str, Any],
    facets: Mapping[str, bytes] | None,
    failure: str | None,
    catalogue: Catalogue,
    allowed: frozenset[str],
) -> Manifest:
    annotated = str(row["component"])
    if facets is None:
        known = catalogue.find(annotated)
        component = _told(known, annotated, frozenset())
        failure = failure or "The manifest was not fetched."
        return Manifest(
            row["id"], row["name"], row["path"], row["modified"], component, known is not None, failure
        )
    columns = json.loads(facets.get("columns", _NO_COUNTS))
    ids, rows = json.loads(facets["ids"]), json.loads(facets.get("rows", _NO_ROWS))
    name = annotated or str(ids["component"])
    known = catalogue.find(name)
    if known is None and not annotated and not is_component_name(name):
        name = ""
    names = frozenset(ids["names"])
    usable: bool = ids["usable"]
    component = _told(known, name, names)
    # A header row that names no column may be the first record, of a biospecimen too.
    private = is_private(component, is_known=known is not None) or not (usable or component.kind == "assay")
    public = public_columns(columns["columns"], allowed, private=private)
    return Manifest(
        id=row["id"],
        name=row["name"],
        path=row["path"],
        modified=row["modified"],
        component=component,
        is_known=known is not None,
        records=ids["records"] if usable else 0,
        filled=columns["filled"] if usable else 0,
        cells=columns["cells"] if usable else 0,
        names=names,
        usable=usable,
        ids={column: _id_column(packed, ids["records"]) for column, packed in ids["ids"].items()},
        days=rows["days"] if usable else {},
        no_entity=rows["no_entity"],
        entities=rows["entities"],
        gaps=rows["gaps"],
        problems=[Problem(**problem) for problem in json.loads(facets.get("problems", b"[]"))],
        is_private=private,
        columns=public,
        hidden_columns=positions(columns["columns"], public),
        dates=rows["dates"],
    )


def _id_column(packed: Mapping[str, Any], records: int) -> IdColumn:
    odd = {record: Cell(shown, tuple(good), tuple(bad)) for record, shown, good, bad in packed["odd"]}
    return IdColumn(packed["texts"].split(",") if records else [], odd, tuple(packed["atlases"]))


def _told(known: Component | None, name: str, names: frozenset[str]) -> Component:
    """The component; where the catalogue names no id columns, with those that the manifest has."""
    if known is not None and (known.primary_id or known.parent_id):
        return known
    parents = [column for column in (PARENT_DATA_FILE_ID, PARENT_BIOSPECIMEN_ID) if column in names]
    if known is not None or DATA_FILE_ID in names or parents:
        primary = DATA_FILE_ID if DATA_FILE_ID in names else ""
        parent, second = (*parents, "", "")[:2]
        told = Component(
            name, name, "assay", "other", primary_id=primary, parent_id=parent, second_parent_id=second
        )
    elif BIOSPECIMEN_ID in names:
        parent, adjacent = (column if column in names else "" for column in (PARENT_ID, ADJACENT_IDS))
        told = Component(name, name, "biospecimen", "", 0, "", BIOSPECIMEN_ID, parent, adjacent)
    elif PARTICIPANT_ID in names:
        told = Component(name, name, "clinical", "clinical", primary_id=PARTICIPANT_ID)
    else:
        told = Component(name, name, "assay", "")
    if known is not None:
        return replace(
            known,
            primary_id=told.primary_id,
            parent_id=told.parent_id,
            second_parent_id=told.second_parent_id,
        )
    requires = told.kind == "assay" and ENTITY_ID in names
    return replace(told, abbreviation="".join(name.split()) or "X", entity_id_required=requires)
