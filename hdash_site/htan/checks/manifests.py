"""Every manifest can be read, and has the columns that the checks need.

**Passes** when each current manifest could be fetched, is a CSV in UTF-8 with a header that names each
column once, has as many cells in each row as in the header, names its component, and has its id columns
(and `entityId`, if it is an assay). Warnings: a manifest that is read as UTF-16 or Windows-1252, one without
rows, a column name that is written differently, a column without a name that holds values, and a superseded
manifest whose content is newer than that of the manifest that counts.

**Example**: the header `HTAN Biospecimen ID,Site,Site` names a column twice. So does `Site,Site.1`, which
pandas and R write for a repeated column: the column `Site.1` is not read. `HTAN  Data File ID`, with two
blanks, is read as `HTAN Data File ID`. A row with a comma too many has one cell more than the header: a cell
that contains a comma must be in quotes. A quote that opens a cell and is never closed, or closed before the
end of the cell (`"HTA1_1" x`), is read as text: the cell ends at the next comma, the row at the end of the
line.

**What to do**: what the finding says. In most cases: save the manifest again as CSV UTF-8, and upload it.

**Compared with the dashboard before**: new. There, one such manifest ended the run for every atlas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan.columns import ENTITY_ID
from hdash_site.htan.findings import Finding, Severity
from hdash_site.htan.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.components import Component
    from hdash_site.htan.manifests import Manifest

CODE: Final = "H_MANIFEST"
TITLE: Final = "Every manifest can be read"
SEVERITY: Final[Severity] = "error"


def check(atlas: Atlas) -> Iterator[Finding]:
    for manifest in atlas.manifests:
        name = shown(manifest.component.name)
        if manifest.failure:
            message = shown(manifest.failure, 500)
            yield Finding(
                CODE, SEVERITY, manifest.id, name, 0, "", "", "a manifest that can be fetched", message
            )
        for problem in manifest.problems:
            yield Finding(CODE, problem.severity, manifest.id, name, *problem[1:])
        if manifest.usable:
            yield from _missing(manifest, name)
    yield from (finding for finding in atlas.listing if finding.code == CODE)


def _missing(manifest: Manifest, name: str) -> Iterator[Finding]:
    """A finding for a component that is not named, and for each column that a check needs."""
    if not name:
        message = "The manifest names no component; fill in its Component annotation and column."
        yield Finding(
            CODE, SEVERITY, manifest.id, name, 0, "Component", "", "a component of the data model", message
        )
    for column in _needed(manifest.component):
        if column not in manifest.names:
            message = "The manifest lacks a column that the checks need; add the column."
            yield Finding(CODE, SEVERITY, manifest.id, name, 1, column, "", f"a column {column}", message)


def _needed(component: Component) -> Iterator[str]:
    """The columns without which a check cannot be made. Adjacent ids are optional in the data model."""
    if component.primary_id and component.check_primary:
        yield component.primary_id
    if component.parent_id:
        yield component.parent_id
    if component.kind == "assay" and component.entity_id_required:
        yield ENTITY_ID
