"""What a check finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

Severity = Literal["error", "warning"]

HIDDEN: Final = "(not shown)"
"""What is shown in place of a value that must not be published (`htan.privacy`)."""


class Finding(NamedTuple):
    """One thing that is wrong, with its place, so that a submitter can fix it without searching."""

    code: str
    severity: Severity
    manifest: str
    """Synapse id of the manifest; of the file or folder for findings of the listing; or empty."""
    component: str
    row: int
    """As a spreadsheet numbers it: the header is row 1, the first record row 2; 0: no row."""
    column: str
    value: str
    expected: str
    message: str
    """One plain sentence: what is wrong, and the way out. What stands in parentheses is of this one only."""
    kind: str = ""
    """Which of the check's mistakes it is, in words that no release changes, such as `missing-parent`."""


def further_rows(rows: Sequence[int]) -> str:
    """Say how many rows have the same problem as the first of them, and which is the last."""
    more = len(rows) - 1
    return f"also in {more} more row{'s' * (more > 1)}, the last is row {rows[-1]}" if more else ""
