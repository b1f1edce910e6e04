"""The listing of the atlas makes sense: what Synapse says of its files and folders.

**Passes** when the file view lists the atlas, and each entity is listed once, is a file or a folder, and is
in a folder that is listed too, up to the project.

**Example**: a file is in the folder `syn22124400`, which the file view does not list, so the path of the
file is unknown.

**What to do**: mostly, crawl the atlas again. A folder that is still missing then is outside the scope of
the file view: add it to the scope.

**Compared with the dashboard before**: new. There, a folder cycle or a missing parent ended the run for
every atlas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas

CODE: Final = "H_LISTING"
TITLE: Final = "The listing of the atlas is sound"
SEVERITY: Final[Severity] = "error"


def check(atlas: Atlas) -> Iterator[Finding]:
    yield from (finding for finding in atlas.listing if finding.code == CODE)
