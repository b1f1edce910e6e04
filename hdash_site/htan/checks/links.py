"""Ids that a manifest names exist in the atlas.

**Passes** when every parent of a biospecimen or data file is a primary id of some manifest of the atlas,
unless it contains `EXT` (it comes from outside), nothing is its own parent, and every adjacent id exists.

**Example**: row 12 of a Biospecimen manifest names the parent `HTA3_8010`, and no manifest has a
participant of that id: it was mistyped, or is not uploaded yet. A parent such as `HTA3_EXT5` need not
exist.

**What to do**: correct the id, or upload the manifest that describes it. If a whole manifest is missing,
there is a finding for each row that needs it.

**Compared with the dashboard before**: rows whose own id is blank or holds several ids are checked too, and
so are adjacent ids of SRRSBiospecimen. Blank and malformed ids are no longer reported here as well (there,
a blank parent was the parent "nan", and each malformed id counted again in every child): H_ID_SPEC
reports them once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan import ids
from hdash_site.htan.columns import PARENT_BIOSPECIMEN_ID
from hdash_site.htan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.lineage import Parents
    from hdash_site.htan.manifests import IdColumn, Manifest

CODE: Final = "H_LINKS"
TITLE: Final = "Links lead to ids that exist"
SEVERITY: Final[Severity] = "error"

_EXTERNAL: Final = "EXT"
_NO_PARENT: Final = (
    "The parent does not exist in the atlas; correct the id, or upload the manifest that describes it."
)
_NO_NEIGHBOUR: Final = "The adjacent id does not exist in the atlas; correct it, or add the biospecimen."
_OWN_PARENT: Final = "The record is its own parent; name what it comes from."


def check(atlas: Atlas) -> Iterator[Finding]:
    for place, manifest in atlas.checked(CODE):
        parents = atlas.lineage.parents[place]
        for record, name in _unknown(atlas, parents.ids):
            if _EXTERNAL not in name:
                yield _finding(atlas, manifest, record, _column(manifest, parents, record), name, _NO_PARENT)
        for record, name in _own_parents(manifest, parents):
            yield _finding(atlas, manifest, record, _column(manifest, parents, record), name, _OWN_PARENT)
        adjacent = manifest.component.adjacent_id
        for record, name in _unknown(atlas, manifest.column(adjacent)):
            yield _finding(atlas, manifest, record, adjacent, name, _NO_NEIGHBOUR)


def _finding(atlas: Atlas, manifest: Manifest, record: int, column: str, name: str, message: str) -> Finding:
    component, row = manifest.component.name, manifest.row(record)
    return Finding(
        CODE, SEVERITY, manifest.id, component, row, column, name, ids.expected(column, atlas.id), message
    )


def _column(manifest: Manifest, parents: Parents, record: int) -> str:
    return PARENT_BIOSPECIMEN_ID if record in parents.replaced else manifest.component.parent_id


def _unknown(atlas: Atlas, column: IdColumn) -> Iterator[tuple[int, str]]:
    """The well-formed ids of a column that no manifest has, as (record, id), by record."""
    nodes = atlas.lineage.nodes
    unknown = set(column.texts).difference(nodes, ("",))
    found = [(record, name) for record, name in enumerate(column.texts) if name in unknown] if unknown else []
    found += [
        (record, name) for record, cell in column.odd.items() for name in cell.good if name not in nodes
    ]
    yield from sorted(found)


def _own_parents(manifest: Manifest, parents: Parents) -> Iterator[tuple[int, str]]:
    """The well-formed ids that stand in the parent cell of their own record, as (record, id)."""
    primary = manifest.primary
    if not primary.texts or not parents.ids.texts:
        return
    rows = zip(primary.texts, parents.ids.texts, strict=True)
    yield from [(record, mine) for record, (mine, parent) in enumerate(rows) if mine == parent and mine]
    for record, cell in parents.ids.odd.items():
        if primary.texts[record] in cell.good:
            yield record, primary.texts[record]
