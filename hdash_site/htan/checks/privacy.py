"""Clinical manifests hold no data that could identify a participant.

**Passes** when each column of each clinical manifest is one of the HTAN data model or of the settings of this
site, the first row is a header, and no cell holds a calendar date.

**Example**: column 14 of a Demographics manifest is called `MRN` and holds the numbers of the patients in a
hospital; or a cell of `Treatment Outcome` says when a patient came back, with day and month.

**What to do**: upload the manifest without the column, or rename the column if it is one of the data model.
Write days as numbers of days since the index date. What you see here is not on this site: unknown columns are
named by their position ("column 14", the first is column 1), because their names may be data as well, and the
values are not shown. But the manifest itself is in Synapse: see who can read it there.

The rules for values of clinical manifests (and of manifests whose component is unknown):

- Columns that the catalogue publishes (of Demographics: ethnicity, gender, race and vital status; of Therapy:
  the type of treatment): a value that the data model allows is shown, and no other.
- Columns of ids: HTAN ids are shown; a malformed id is shown only if it begins with `HTA`, is made of digits,
  `_`, `-`, `.`, `EXT`, `B` and `D`, and is at most 50 characters long.
- All other values are never shown: ages, days and dates among them.

**Compared with the dashboard before**: new. There, all columns of Demographics could be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan.findings import HIDDEN, Finding, Severity
from hdash_site.htan.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.manifests import Manifest

CODE: Final = "H_PRIVACY"
TITLE: Final = "Clinical manifests hold no private data"
SEVERITY: Final[Severity] = "error"

MOST_NAMED: Final = 20
"""Columns of a manifest that get a finding of their own, of each kind."""

_UNKNOWN: Final = (
    "The column is not in the HTAN data model, so it may identify participants. Upload the manifest without "
    "this column, or rename it if it is a column of the data model."
)
_DATED: Final = (
    "The column holds calendar dates{}. Replace each date with the number of days since the index date."
)
_NO_HEADER: Final = (
    "The first row names no column of the HTAN data model; it may be the data of a participant. Put a header "
    "row above it and upload the manifest again."
)


def check(atlas: Atlas) -> Iterator[Finding]:
    for manifest in atlas.manifests:
        if manifest.component.kind != "clinical":
            continue
        if not any(column.is_known and column.name for column in manifest.columns):
            if manifest.columns:
                yield _finding(manifest, "no-header", 1, "", "", "a header row", _NO_HEADER)
            continue
        yield from _unknown_columns(manifest)
        yield from _dates(manifest)


def _unknown_columns(manifest: Manifest) -> Iterator[Finding]:
    names = [column.name for column in manifest.columns if not column.is_known]
    for name in names[:MOST_NAMED]:
        yield _finding(manifest, "unknown-column", 1, name, "", "a column of the HTAN data model", _UNKNOWN)
    if more := len(names[MOST_NAMED:]):
        message = f"The manifest has more such columns ({more})."
        yield _finding(manifest, "more-unknown-columns", 1, "", "", "columns of the HTAN data model", message)


def _dates(manifest: Manifest) -> Iterator[Finding]:
    for place, record, count in manifest.dates[:MOST_NAMED]:
        more = f" ({count - 1} more row{'s' * (count > 2)})" if count > 1 else ""
        column = manifest.columns[place].name
        message = _DATED.format(more)
        yield _finding(
            manifest, "calendar-date", manifest.row(record), column, HIDDEN, "a number of days", message
        )
    if more := len(manifest.dates[MOST_NAMED:]):
        message = f"More columns hold calendar dates ({more})."
        yield _finding(manifest, "more-calendar-dates", 0, "", "", "numbers of days", message)


def _finding(
    manifest: Manifest, kind: str, row: int, column: str, value: str, expected: str, message: str
) -> Finding:
    component = shown(manifest.component.name)
    return Finding(CODE, SEVERITY, manifest.id, component, row, column, value, expected, message, kind)
