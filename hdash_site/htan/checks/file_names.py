"""Names of files and folders have no characters that the CRDC does not allow.

**Passes** when the name of each data file, and of each folder, has letters, digits, periods, underscores
and hyphens only. Archives, and files that are left out, do not count.

**Example**: `tumor (left) 1.tif` has blanks and brackets; `tumor_left_1.tif` is allowed.

**What to do**: rename the file or folder in Synapse; blanks and brackets become underscores, say.

**Compared with the dashboard before**: only the last part of a path was checked. Folders are checked now
too, each once, however many files it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas

CODE: Final = "H_FILE_NAMES"
TITLE: Final = "File and folder names follow the CRDC rule"
SEVERITY: Final[Severity] = "warning"


def check(atlas: Atlas) -> Iterator[Finding]:
    yield from (finding for finding in atlas.listing if finding.code == CODE)
