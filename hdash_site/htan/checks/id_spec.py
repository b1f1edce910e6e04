"""HTAN ids follow the SOP, and primary ids are unique in the atlas.

**Passes** when the primary, parent and adjacent ids of each manifest are written as the HTAN identifier SOP
says (`HTA3_8001` for a participant, `HTA3_8001_1` for a biospecimen or data file; the whole cell must match),
none is missing, ids begin with the number of the atlas (else: a warning), and no two biospecimens or data
files have the same id. A participant may stand in many rows. The primary id of AccessoryManifest is a
Synapse id, and not checked. "Not Applicable" is a legal parent in BulkWES and BulkRNA-seq level 2, and
wherever `HTAN Parent Biospecimen ID` of the same row says what the file comes from.

**Example**, in the atlas HTA3:

| value | what is wrong |
|---|---|
| `HTA3_8001_` | a number is missing at the end |
| `HTA3-8001-1` | hyphens where underscores belong |
| `hta3_8001_1` | small letters |
| `HTA4_8001_1` | the id of another atlas: a warning |

**What to do**: correct the id. A malformed id is reported once, where it is the primary id or else in the
first row that names it, with the number of other rows that name it: correct it there too. A manifest can
be exempted in the settings of the atlas.

**Compared with the dashboard before**: biospecimens and clinical manifests are checked as well, there only
assays were; duplicates of biospecimens were not reported, the last one silently stood, now the first does.
`HTA1_`, `HTA1_EXT` and ids with a line break at the end passed. Ids of other atlases passed. On the other
hand a blank parent is one finding, not two, and a malformed id is one, not one for each child.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hdash_site.htan import ids
from hdash_site.htan.columns import PARENT_BIOSPECIMEN_ID
from hdash_site.htan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.manifests import IdColumn, Manifest

CODE: Final = "H_ID_SPEC"
TITLE: Final = "Ids follow the SOP and are unique"
SEVERITY: Final[Severity] = "error"

_MALFORMED: Final = "The id does not follow the HTAN SOP; correct it here and where else it stands"
_FOREIGN: Final = "The id is of another atlas; check whether it belongs here"


class _Place(NamedTuple):
    """A cell that names an id."""

    is_primary: bool
    manifest: int
    record: int
    column: str
    value: str


@dataclass(slots=True)
class _Named:
    """Where an id is named: the place to report, which is where it is primary if it is, and how many rows."""

    place: _Place
    rows: set[tuple[int, int]] = field(default_factory=set[Any])


def check(atlas: Atlas) -> Iterator[Finding]:
    malformed: dict[str, _Named] = {}
    foreign: dict[str, _Named] = {}
    for place, manifest in atlas.checked(CODE):
        yield from _missing(atlas, place, manifest)
        for is_primary, column, cells in _columns(atlas, place, manifest):
            _note_malformed(malformed, place, is_primary, column, cells)
            _note_foreign(foreign, atlas, place, is_primary, column, cells)
    _count_children(atlas, malformed)
    yield from _report(atlas, malformed, SEVERITY, _MALFORMED)
    yield from _report(atlas, foreign, "warning", _FOREIGN)
    yield from _duplicates(atlas)


def _columns(atlas: Atlas, place: int, manifest: Manifest) -> Iterator[tuple[bool, str, IdColumn]]:
    """The id columns to look at: is it the primary one, its name, its cells."""
    component, parents = manifest.component, atlas.lineage.parents[place]
    if component.check_primary and component.primary_id in manifest.ids:
        yield True, component.primary_id, manifest.primary
    if component.parent_id in manifest.ids:
        yield False, component.parent_id, parents.ids
    if component.adjacent_id in manifest.ids:
        yield False, component.adjacent_id, manifest.column(component.adjacent_id)


def _column_name(atlas: Atlas, place: int, record: int, column: str) -> str:
    """The column that the cell is really in: a "Not Applicable" parent is taken from another one."""
    parents, component = atlas.lineage.parents[place], atlas.manifests[place].component
    is_other = column == component.parent_id and record in parents.replaced
    return PARENT_BIOSPECIMEN_ID if is_other else column


def _missing(atlas: Atlas, place: int, manifest: Manifest) -> Iterator[Finding]:
    """Records without a primary id, or without a parent."""
    for is_primary, column, cells in _columns(atlas, place, manifest):
        if column == manifest.component.adjacent_id or "" not in cells.texts:
            continue
        excused = frozenset[int]() if is_primary else atlas.lineage.parents[place].excused
        what = (
            "primary id is missing; give the record its id" if is_primary else "parent id is missing; name it"
        )
        for record, text in enumerate(cells.texts):
            odd = cells.odd.get(record)
            if not text and record not in excused and (odd is None or odd.is_missing):
                value = odd.shown if odd else ""
                yield _finding(atlas, place, record, column, value, SEVERITY, f"The {what}.")


def _note_malformed(
    found: dict[str, _Named], place: int, is_primary: bool, column: str, cells: IdColumn
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
            _note(found, name, _Place(is_primary, place, record, column, cell.shown if is_primary else name))


def _note_foreign(
    found: dict[str, _Named], atlas: Atlas, place: int, is_primary: bool, column: str, cells: IdColumn
) -> None:
    """Note well-formed ids of another atlas, if the atlas is called as its ids begin."""
    if not ids.is_atlas(atlas.id):
        return
    prefix = atlas.id + "_"
    if set(cells.atlases) - {atlas.id}:
        for record, name in enumerate(cells.texts):
            if name and not name.startswith(prefix):
                _note(found, name, _Place(is_primary, place, record, column, name))
    for record, cell in cells.odd.items():
        for name in cell.good:
            if not name.startswith(prefix):
                _note(found, name, _Place(is_primary, place, record, column, name))


def _note(found: dict[str, _Named], name: str, place: _Place) -> None:
    named = found.setdefault(name, _Named(place))
    named.rows.add((place.manifest, place.record))
    if place.is_primary and not named.place.is_primary:
        named.place = place


def _count_children(atlas: Atlas, malformed: Mapping[str, _Named]) -> None:
    """Note the rows that name, well-formed, an id that has a blank around it where it is primary."""
    wanted = {
        name for name, named in malformed.items() if named.place.is_primary and name != named.place.value
    }
    if not wanted:
        return
    for place, parents in enumerate(atlas.lineage.parents):
        for record, name in enumerate(parents.ids.texts):
            if name in wanted:
                malformed[name].rows.add((place, record))


def _report(atlas: Atlas, found: Mapping[str, _Named], severity: Severity, message: str) -> Iterator[Finding]:
    for named in found.values():
        others = len(named.rows) - 1
        more = f" ({others} more row{'s' * (others > 1)})" if others else ""
        _, place, record, column, value = named.place
        yield _finding(atlas, place, record, column, value, severity, f"{message}{more}.")


def _duplicates(atlas: Atlas) -> Iterator[Finding]:
    """Primary ids that stand already; the first stands."""
    left_out = atlas.exempt.get(CODE, frozenset())
    for name, place, record, first, first_record in atlas.lineage.duplicates:
        manifest, other = atlas.manifests[place], atlas.manifests[first]
        if manifest.usable and manifest.id not in left_out:
            where = f"(row {other.row(first_record)} of {other.id})"
            message = (
                f"The primary id stands already, and the first one counts {where}; give each record its own."
            )
            yield _finding(atlas, place, record, manifest.component.primary_id, name, SEVERITY, message)


def _finding(
    atlas: Atlas, place: int, record: int, column: str, value: str, severity: Severity, message: str
) -> Finding:
    manifest = atlas.manifests[place]
    column = _column_name(atlas, place, record, column)
    component, row = manifest.component.name, manifest.row(record)
    return Finding(
        CODE, severity, manifest.id, component, row, column, value, ids.expected(column, atlas.id), message
    )
