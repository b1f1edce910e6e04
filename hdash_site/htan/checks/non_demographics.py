"""Every participant of a clinical manifest is in Demographics.

**Passes** when each well-formed participant id of each clinical manifest is also in a Demographics manifest.
The check is made only if the atlas has a Demographics manifest (see H_DEM) and all of them could be read.

**Example**: a Therapy manifest names `HTA3_8010` in rows 4 to 9, and no Demographics manifest does. This is
one finding, at row 4.

**What to do**: add the participant to Demographics, or correct the id. A participant is one finding in each
manifest, at the first row that names it, with the number of further rows.

**Compared with the dashboard before**: an id that is not well-formed is reported by H_ID_SPEC only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan import ids
from hdash_site.htan.findings import Finding, Severity, further_rows
from hdash_site.htan.lineage import DEMOGRAPHICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.manifests import Manifest

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
        rows: dict[str, list[int]] = {}
        for record, name in enumerate(manifest.primary.texts):
            if name and name not in known:
                rows.setdefault(name, []).append(manifest.row(record))
        for name, some in rows.items():
            yield _finding(atlas, manifest, name, some)


def _finding(atlas: Atlas, manifest: Manifest, participant: str, rows: Sequence[int]) -> Finding:
    column, component = manifest.component.primary_id, manifest.component.name
    more = f" ({further_rows(rows)})" if len(rows) > 1 else ""
    message = f"The participant is not in Demographics{more}. Add the participant there, or correct the ID."
    expected, kind = ids.expected(column, atlas.id), "not-in-demographics"
    return Finding(
        CODE, SEVERITY, manifest.id, component, rows[0], column, participant, expected, message, kind
    )
