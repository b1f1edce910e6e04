"""The atlas has a Demographics manifest.

**Passes** when at least one current manifest of the atlas is a Demographics manifest.

**Example**: the atlas has a Diagnosis manifest, but nothing says who its participants are. It is one
finding of the atlas as a whole, without a row.

**What to do**: upload the demographics of the participants. For an atlas that has none by design (HTA15),
the setting `checks.without_demographics` switches this check off.

**Compared with the dashboard before**: the same; the exception for HTA15 was code and is a setting now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan.findings import Finding, Severity
from hdash_site.htan.lineage import DEMOGRAPHICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas

CODE: Final = "H_DEM"
TITLE: Final = "There is a Demographics manifest"
SEVERITY: Final[Severity] = "error"


def check(atlas: Atlas) -> Iterator[Finding]:
    if atlas.demographics_expected and not any(one.component.name == DEMOGRAPHICS for one in atlas.manifests):
        message = "The atlas has no Demographics manifest; upload one."
        expected = "a Demographics manifest"
        yield Finding(CODE, SEVERITY, "", DEMOGRAPHICS, 0, "", "", expected, message, "no-demographics")
