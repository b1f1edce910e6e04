"""HTAN ids follow the SOP, and primary ids are unique in the atlas.

**Passes** when the primary, parent and adjacent ids of each manifest are written as the HTAN identifier SOP
says (`HTA3_8001` for a participant, `HTA3_8001_1` for a biospecimen or data file; the whole cell must match,
and an ID has at most 200 characters), none is missing, ids begin with the number of the atlas (otherwise: a
warning), and no two biospecimens or data files have the same id. A participant may have many rows. The
primary id of AccessoryManifest is a Synapse id, and not checked.

Where the data model requires two parent columns, `HTAN Parent Biospecimen ID` and `HTAN Parent Data File ID`
(RPPA, mass spectrometry, CITE-seq and Visium from level 2, and a few others), both are checked. The
biospecimen may be blank where the parent files are given. The parent file may be blank where the component
has no lower level and the biospecimen is given (RPPA level 2, Visium level 2 and auxiliary files).
"Not Applicable" is a legal parent file in BulkWES and BulkRNA-seq level 2, and wherever
`HTAN Parent Biospecimen ID` of the same row is filled in.

**Example**, in the atlas HTA3:

| value | what is wrong |
|---|---|
| `HTA3_8001_` | a number is missing at the end |
| `HTA3-8001-1` | hyphens instead of underscores |
| `hta3_8001_1` | small letters |
| `HTA4_8001_1` | the id of another atlas: a warning |

**What to do**: correct the id in the spreadsheet. Where the malformed id is the primary id of a record, the
finding is at that record and has the number of rows that name it as parent or adjacent id: correct the id in
those rows too. Every other malformed id is a finding in each manifest and column that holds it, at the first
row, with the number of further rows. A malformed id counts as no participant, biospecimen or file on any
page. A manifest can be exempted in the settings of the atlas.

**Compared with the dashboard before**: biospecimens and clinical manifests are checked as well; before, only
assays were. Duplicate biospecimens were not reported, and the last record replaced the first; now the first
counts. `HTA1_`, `HTA1_EXT` and ids with a line break at the end passed. Ids of other atlases passed. Only one
of two parent columns was read. A blank parent is one finding, not two, and a malformed primary id is one
finding, not one for each child.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hdash_site.htan import ids
from hdash_site.htan.findings import Finding, Severity, further_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.manifests import IdColumn, Manifest

CODE: Final = "H_ID_SPEC"
TITLE: Final = "Ids follow the SOP and are unique"
SEVERITY: Final[Severity] = "error"

_MISSING: Final = {
    "missing-id": "The primary ID is missing. Give the record its ID.",
    "missing-parent": "The parent ID is missing. Name what the record comes from.",
}
_MALFORMED: Final = (
    "The ID does not follow the HTAN SOP. Correct it in this row and in every row that names it"
)
_FOREIGN: Final = (
    "The ID begins with the number of another atlas. Check whether the record belongs to this atlas"
)


class _Cells(NamedTuple):
    """The cells of one column that hold the same wrong id."""

    manifest: int
    column: str
    value: str
    is_primary: bool
    records: list[int]
    """In ascending order."""


@dataclass(slots=True)
class _Wrong:
    """Everywhere that a wrong id is: the cells by column, and how many rows name it well-formed."""

    cells: dict[tuple[int, str], _Cells] = field(default_factory=dict[Any, Any])
    named: int = 0


def check(atlas: Atlas) -> Iterator[Finding]:
    malformed: dict[str, _Wrong] = {}
    foreign: dict[str, _Wrong] = {}
    for place, manifest in atlas.checked(CODE):
        yield from _missing(atlas, place, manifest)
        for is_primary, column, cells in _columns(atlas, place, manifest):
            _note_malformed(malformed, place, is_primary, column, cells)
            _note_foreign(foreign, atlas, place, is_primary, column, cells)
    _count_well_formed(atlas, malformed)
    yield from _report(atlas, malformed, SEVERITY, _MALFORMED, "malformed-id")
    yield from _report(atlas, foreign, "warning", _FOREIGN, "foreign-id")
    yield from _duplicates(atlas)


def _columns(atlas: Atlas, place: int, manifest: Manifest) -> Iterator[tuple[bool, str, IdColumn]]:
    """The id columns to look at: is it the primary one, its name, its cells."""
    component = manifest.component
    if component.check_primary and component.primary_id in manifest.ids:
        yield True, component.primary_id, manifest.primary
    for column, cells in atlas.lineage.parents[place].columns:
        yield False, column, cells
    if component.adjacent_id in manifest.ids:
        yield False, component.adjacent_id, manifest.column(component.adjacent_id)


def _missing(atlas: Atlas, place: int, manifest: Manifest) -> Iterator[Finding]:
    """Report records without a primary id, or without a parent.

    Of two parent columns the second may be blank.
    """
    component = manifest.component
    for is_primary, column, cells in _columns(atlas, place, manifest):
        if column not in (component.primary_id, component.parent_id) or "" not in cells.texts:
            continue
        excused = frozenset[int]() if is_primary else atlas.lineage.parents[place].excused
        kind = "missing-id" if is_primary else "missing-parent"
        for record, text in enumerate(cells.texts):
            odd = cells.odd.get(record)
            if not text and record not in excused and (odd is None or odd.is_missing):
                value = odd.shown if odd else ""
                yield _finding(atlas, place, record, column, value, SEVERITY, _MISSING[kind], kind)


def _note_malformed(
    found: dict[str, _Wrong], place: int, is_primary: bool, column: str, cells: IdColumn
) -> None:
    """Note malformed ids, and primary cells that are not just one id."""
    for record, cell in cells.odd.items():
        if is_primary and not cell.is_missing and (len(cell.good) != 1 or cell.bad):
            names = cell.bad if len(cell.bad) == 1 and not cell.good else (cell.shown,)
        elif is_primary:
            names = cell.good
        else:
            names = cell.bad
        for name in names:
            value = cell.shown if is_primary else name
            _note(found, name, _Cells(place, column, value, is_primary, [record]))


def _note_foreign(
    found: dict[str, _Wrong], atlas: Atlas, place: int, is_primary: bool, column: str, cells: IdColumn
) -> None:
    """Note well-formed ids of another atlas, if the atlas is called as its ids begin."""
    if not ids.is_atlas(atlas.id):
        return
    prefix = atlas.id + "_"
    if set(cells.atlases) - {atlas.id}:
        for record, name in enumerate(cells.texts):
            if name and not name.startswith(prefix):
                _note(found, name, _Cells(place, column, name, is_primary, [record]))
    for record, cell in cells.odd.items():
        for name in cell.good:
            if not name.startswith(prefix):
                _note(found, name, _Cells(place, column, name, is_primary, [record]))


def _note(found: dict[str, _Wrong], name: str, cell: _Cells) -> None:
    """Add a cell to those that hold this id."""
    cells = found.setdefault(name, _Wrong()).cells.setdefault((cell.manifest, cell.column), cell)
    if cells is not cell:
        cells.records.extend(cell.records)


def _count_well_formed(atlas: Atlas, malformed: Mapping[str, _Wrong]) -> None:
    """Count the rows that name, well-formed, an id that is malformed where it is primary.

    There it has a blank around it, or is an id of another kind.
    """
    wanted = {name for name, wrong in malformed.items() if _primary(wrong)}
    if not wanted:
        return
    for place, manifest in atlas.checked(CODE):
        for is_primary, _, cells in _columns(atlas, place, manifest):
            if not is_primary and not wanted.isdisjoint(cells.texts):
                for name in filter(wanted.__contains__, cells.texts):
                    malformed[name].named += 1


def _primary(wrong: _Wrong) -> list[_Cells]:
    return [cells for cells in wrong.cells.values() if cells.is_primary]


def _report(
    atlas: Atlas, found: Mapping[str, _Wrong], severity: Severity, message: str, kind: str
) -> Iterator[Finding]:
    """Report each id at the records that have it as primary id; else in each column that holds it."""
    for wrong in found.values():
        primary = _primary(wrong)
        dependents = wrong.named + sum(
            len(cells.records) for cells in wrong.cells.values() if not cells.is_primary
        )
        for number, cells in enumerate(primary or wrong.cells.values()):
            place, column, value, _, records = cells
            details = [further_rows([atlas.manifests[place].row(record) for record in records])]
            if primary and not number and dependents:
                details.append(f"{dependents} other row{' names' if dependents == 1 else 's name'} it")
            more = f" ({'; '.join(filter(None, details))})" if any(details) else ""
            yield _finding(atlas, place, records[0], column, value, severity, f"{message}{more}.", kind)


def _duplicates(atlas: Atlas) -> Iterator[Finding]:
    """Report primary ids that an earlier record has."""
    left_out = atlas.exempt.get(CODE, frozenset())
    for name, place, record, first, first_record in atlas.lineage.duplicates:
        manifest, other = atlas.manifests[place], atlas.manifests[first]
        # A malformed cell is reported as such.
        if manifest.usable and manifest.id not in left_out and manifest.primary.texts[record]:
            where = f"(row {other.row(first_record)} of {other.id})"
            message = f"Duplicate ID: an earlier record has it {where}. Give this record a unique ID."
            column = manifest.component.primary_id
            yield _finding(atlas, place, record, column, name, SEVERITY, message, "duplicate-id")


def _finding(
    atlas: Atlas,
    place: int,
    record: int,
    column: str,
    value: str,
    severity: Severity,
    message: str,
    kind: str,
) -> Finding:
    manifest = atlas.manifests[place]
    component, row = manifest.component.name, manifest.row(record)
    expected = ids.expected(column, atlas.id)
    return Finding(CODE, severity, manifest.id, component, row, column, value, expected, message, kind)
