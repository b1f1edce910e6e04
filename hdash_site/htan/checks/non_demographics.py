"""Every participant of a clinical manifest is in Demographics.

**Passes** when each well-formed participant id of each clinical manifest also stands in a Demographics
manifest. It is made only if there is one (see H_DEM) and all of them could be read.

**Example**: a Therapy manifest names `HTA3_8010` in rows 4 to 9, and no Demographics manifest does. It
is one finding, at row 4.

**What to do**: add the participant to Demographics, or correct the id. A participant is named once for
each manifest, at the first row that names it.

**Compared with the dashboard before**: an id that is not well-formed is no longer reported here as well;
H_ID_SPEC reports it once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan import ids
from hdash_site.htan.findings import Finding, Severity
from hdash_site.htan.lineage import DEMOGRAPHICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas

CODE: Final = "H_NON_DEM"
TITLE: Final = "Participants of clinical manifests are in Demographics"
SEVERITY: Final[Severity] = "error"


def check(atlas: Atlas) -> Iterator[Finding]:
    demographics = [one for one in atlas.manifests if one.component.name == DEMOGRAPHICS]
    if not demographics or not all(one.component.primary_id in one.ids for one in demographics):
        return
    known = {
        name for one in demographics for record in range(one.records) for name in one.primary.good(record)
    }
    for _, manifest in atlas.checked(CODE):
        if manifest.component.kind != "clinical" or manifest.component.name == DEMOGRAPHICS:
            continue
        column = manifest.component.primary_id
        expected = ids.expected(column, atlas.id)
        named: set[str] = set()
        for record, name in enumerate(manifest.primary.texts):
            if name and name not in known and name not in named:
                named.add(name)
                message = "The participant is not in Demographics; add it there, or correct the id."
                component, row = manifest.component.name, manifest.row(record)
                yield Finding(CODE, SEVERITY, manifest.id, component, row, column, name, expected, message)
