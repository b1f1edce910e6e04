"""The atlas has a manifest of biospecimens.

**Passes** when at least one current manifest of the atlas is a Biospecimen or SRRSBiospecimen manifest.

**Example**: the atlas has manifests of Demographics and of scRNA-seq, and none of its samples. It is one
finding of the atlas as a whole, without a row.

**What to do**: upload the biospecimens; without them no assay can be linked to a participant.

**Compared with the dashboard before**: the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas

CODE: Final = "H_BIOSPEC"
TITLE: Final = "There is a Biospecimen manifest"
SEVERITY: Final[Severity] = "error"


def check(atlas: Atlas) -> Iterator[Finding]:
    if not any(one.component.kind == "biospecimen" for one in atlas.manifests):
        message = "The atlas has no Biospecimen or SRRSBiospecimen manifest; upload one."
        expected = "a Biospecimen manifest"
        yield Finding(CODE, SEVERITY, "", "Biospecimen", 0, "", "", expected, message, "no-biospecimens")
