"""Every manifest can be read, and has the columns that the checks need.

**Passes** when each manifest that is used could be fetched, is a CSV in UTF-8 with a header that names each
column once, has as many cells in each row as in the header, names its component, and has its id columns (and
`entityId`, if it is an assay). Only the first 2000 columns of a manifest are read, and at most 10000 IDs of a
cell. Warnings: a manifest that is read as UTF-16 or Windows-1252, one without rows, a column name that is
written differently, and a column without a name that holds values.

Of each component, the newest manifest of a folder is used; the path check of the atlas lists the others.
Three more warnings are about this choice: a manifest that is not used has newer content than the manifest
that is used; a folder holds a censored manifest (`…_censored.csv`) beside the whole manifest, which is used
whichever is newer; a manifest has the legacy name `synapse_storage_manifest.csv`, and is read only because
its folder holds no other manifest.

**Example**: the header `HTAN Biospecimen ID,Site,Site` names a column twice. So does `Site,Site.1`, which
pandas and R write for a repeated column: the column `Site.1` is not read. `HTAN  Data File ID`, with two
blanks, is read as `HTAN Data File ID`. A row with a comma too many has one cell more than the header: a cell
that contains a comma must be in quotes. A quote that opens a cell and is never closed, or closed before the
end of the cell (`"HTA1_1" x`), is read as text: the cell ends at the next comma, the row at the end of the
line.

**What to do**: what the finding says. In most cases: save the manifest again as CSV UTF-8, and upload it.
Move a manifest that must not be used to a root folder called `archive`; do not delete it. Rename a manifest
with the legacy name, for example to `synapse_storage_manifest_biospecimen.csv`.

**Compared with the dashboard before**: new. There, one such manifest ended the run for every atlas. Only
the newest manifest of a folder was used, whatever the components of the others. A censored manifest
replaced the whole one if it was newer. A folder with nothing but a manifest with the legacy name was
skipped.
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
        if manifest.failure:
            expected = "a manifest that can be fetched"
            yield _finding(manifest, 0, "", expected, shown(manifest.failure, 500), "not-fetched")
        for problem in manifest.problems:
            name = shown(manifest.component.name)
            yield Finding(CODE, problem.severity, manifest.id, name, *problem[1:])
        if manifest.usable:
            yield from _missing(manifest)
    yield from (finding for finding in atlas.listing if finding.code == CODE)


def _missing(manifest: Manifest) -> Iterator[Finding]:
    """A finding for a component that is not named, and for each column that a check needs."""
    if not manifest.component.name:
        message = "The manifest names no component. Fill in its Component annotation and column."
        expected = "a component of the data model"
        yield _finding(manifest, 0, "Component", expected, message, "missing-component")
    for column in _needed(manifest.component):
        if column not in manifest.names:
            message = "The manifest lacks a column that the checks need. Add the column."
            yield _finding(manifest, 1, column, f"a column {column}", message, "missing-column")


def _finding(manifest: Manifest, row: int, column: str, expected: str, message: str, kind: str) -> Finding:
    name = shown(manifest.component.name)
    return Finding(CODE, SEVERITY, manifest.id, name, row, column, "", expected, message, kind)


def _needed(component: Component) -> Iterator[str]:
    """The columns without which a check cannot be made. Adjacent ids are optional in the data model."""
    if component.primary_id and component.check_primary:
        yield component.primary_id
    if component.parent_id:
        yield component.parent_id
    if component.kind == "assay" and component.entity_id_required:
        yield ENTITY_ID
