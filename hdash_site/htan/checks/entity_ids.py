"""Every row of an assay names its file in Synapse.

**Passes** when each row of each assay manifest has an `entityId` that starts with `syn`. AccessoryManifest
is left out: its rows are no files of the atlas.

**Example**: in row 7 of a manifest of scRNA-seq the cell `entityId` is empty, or says `n/a`;
`syn24986117` would be right.

**What to do**: upload the file and fill in its Synapse id, or delete the row.

**Compared with the dashboard before**: the same rows, each with its number. A manifest without the column
ended the run; now it is one finding of H_MANIFEST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan.columns import ENTITY_ID
from hdash_site.htan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas

CODE: Final = "H_ENTITY_ID"
TITLE: Final = "Every assay row has a Synapse id"
SEVERITY: Final[Severity] = "error"


def check(atlas: Atlas) -> Iterator[Finding]:
    message = "The row names no Synapse entity; fill in the Synapse id of its file."
    for _, manifest in atlas.checked(CODE):
        component = manifest.component
        if component.kind != "assay" or not component.entity_id_required:
            continue
        for first, count, cell in manifest.no_entity:
            for record in range(first, first + count):
                row = manifest.row(record)
                yield Finding(
                    CODE,
                    SEVERITY,
                    manifest.id,
                    component.name,
                    row,
                    ENTITY_ID,
                    cell,
                    "an id like syn24986117",
                    message,
                )
