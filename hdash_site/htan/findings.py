"""What a check finds, and how much of it is kept one by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

Severity = Literal["error", "warning"]

MOST_ALIKE: Final = 2_000
"""Findings of one kind in one column of one manifest that are kept one by one."""
MOST_KEPT: Final = 50_000
"""Findings of one check in one atlas that are kept one by one."""

_DETAIL: Final = re.compile(r" \([^()]*\)")

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
    stands_for: int = 1
    """How many findings it stands for: more than 1 in the last finding of a kind that has very many."""

    @property
    def is_rest(self) -> bool:
        return self.stands_for > 1


def total(findings: Iterable[Finding]) -> int:
    """Return how many findings these stand for."""
    return sum([finding.stands_for for finding in findings])


def limited(findings: Iterable[Finding], manifests: Container[str] = ()) -> Iterator[Finding]:
    """Yield the findings of one check, but at most `MOST_ALIKE` of each kind in each column of each manifest,
    and at most `MOST_KEPT` in all; then for each kind with more a finding that stands for all others.

    A finding that is in none of the `manifests` counts as one of the listing.
    """
    counts: dict[tuple[str, ...], int] = {}
    rest: dict[tuple[str, ...], Finding] = {}
    rest_counts: dict[tuple[str, ...], int] = {}
    kept = 0
    for finding in findings:
        place = finding.manifest if finding.manifest in manifests else ""
        key = (place, finding.column, finding.kind, finding.severity)
        if key in rest:
            rest_counts[key] += finding.stands_for
            continue
        counts[key] = counts.get(key, 0) + 1
        if counts[key] > MOST_ALIKE or kept >= MOST_KEPT:
            rest[key] = finding
            rest_counts[key] = finding.stands_for
        else:
            kept += 1
            yield finding
    for key, finding in rest.items():
        yield _standing_for(finding, key[0], rest_counts[key]) if rest_counts[key] > 1 else finding


def _standing_for(first: Finding, place: str, count: int) -> Finding:
    """Return a finding that stands for so many findings, the first of which is given."""
    message = f"{kind_of(first.message).removesuffix('.')} (and {count - 1} more findings like this one)."
    return first._replace(manifest=place, value="", message=message, stands_for=count)


def kind_of(message: str) -> str:
    """A message without what is of one finding only, which stands in parentheses."""
    return _DETAIL.sub("", message)


def further_rows(rows: Sequence[int]) -> str:
    """Say how many rows have the same problem as the first of them, and which is the last."""
    more = len(rows) - 1
    return f"also in {more} more row{'s' * (more > 1)}, the last is row {rows[-1]}" if more else ""
