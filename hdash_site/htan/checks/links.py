"""Ids that a manifest names exist in the atlas.

**Passes** when every parent of a biospecimen or data file is a primary id of some manifest of the atlas,
unless it contains `EXT` (it comes from outside), nothing is its own parent, and every adjacent id exists.
Where a component has two parent columns (see H_ID_SPEC), the ids of both are looked up.

**Example**: row 12 of a Biospecimen manifest names the parent `HTA3_8010`, and no manifest has a
participant of that id: it was mistyped, or is not uploaded yet. A parent such as `HTA3_EXT5` need not
exist.

**What to do**: correct the id, or upload the manifest that describes it. If a whole manifest is missing,
there is a finding for each row that needs it.

**Compared with the dashboard before**: rows whose own id is blank or holds several ids are checked too, and
so are adjacent ids of SRRSBiospecimen and the second of two parent columns. Blank and malformed ids are
reported by H_ID_SPEC only; before, a blank parent was the parent "nan", and each malformed id counted again
in every child.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan import ids
from hdash_site.htan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.manifests import IdColumn, Manifest

CODE: Final = "H_LINKS"
TITLE: Final = "Links lead to ids that exist"
SEVERITY: Final[Severity] = "error"

_EXTERNAL: Final = "EXT"
_NO_PARENT: Final = (
    "The parent does not exist in the atlas. Correct the ID,"
    " or upload the manifest that describes the parent."
)
_NO_NEIGHBOUR: Final = (
    "The adjacent biospecimen does not exist in the atlas. Correct the ID, or add the biospecimen."
)
_OWN_PARENT: Final = "The record is its own parent. Name what the record comes from."


def check(atlas: Atlas) -> Iterator[Finding]:
    for place, manifest in atlas.checked(CODE):
        for column, cells in atlas.lineage.parents[place].columns:
            for record, name in _unknown(atlas, cells):
                if _EXTERNAL not in name:
                    yield _finding(atlas, manifest, record, column, name, _NO_PARENT, "unknown-parent")
            for record, name in _own_parents(manifest, cells):
                yield _finding(atlas, manifest, record, column, name, _OWN_PARENT, "own-parent")
        adjacent = manifest.component.adjacent_id
        for record, name in _unknown(atlas, manifest.column(adjacent)):
            yield _finding(atlas, manifest, record, adjacent, name, _NO_NEIGHBOUR, "unknown-adjacent")


def _finding(
    atlas: Atlas, manifest: Manifest, record: int, column: str, name: str, message: str, kind: str
) -> Finding:
    component, row = manifest.component.name, manifest.row(record)
    expected = ids.expected(column, atlas.id)
    return Finding(CODE, SEVERITY, manifest.id, component, row, column, name, expected, message, kind)


def _unknown(atlas: Atlas, column: IdColumn) -> Iterator[tuple[int, str]]:
    """Return the well-formed ids of a column that no manifest has, as (record, id), by record."""
    nodes = atlas.lineage.nodes
    unknown = set(column.texts).difference(nodes, ("",))
    found = [(record, name) for record, name in enumerate(column.texts) if name in unknown] if unknown else []
    found += [
        (record, name) for record, cell in column.odd.items() for name in cell.good if name not in nodes
    ]
    yield from sorted(found)


def _own_parents(manifest: Manifest, column: IdColumn) -> Iterator[tuple[int, str]]:
    """Return the well-formed ids that are in a parent cell of their own record, as (record, id)."""
    primary = manifest.primary
    if not primary.texts or not column.texts:
        return
    rows = zip(primary.texts, column.texts, strict=True)
    yield from [(record, mine) for record, (mine, parent) in enumerate(rows) if mine == parent and mine]
    for record, cell in column.odd.items():
        if primary.texts[record] in cell.good:
            yield record, primary.texts[record]
