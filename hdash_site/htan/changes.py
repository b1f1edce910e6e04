"""What changed in an atlas between two reports: findings that are new, and findings that are fixed.

A finding is the same one in both reports if its check, manifest, column, kind and value are the same. Its row
moves when a row is added above it, and its words change with a release of this program: neither makes
another finding of it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING, Final

from hdash_site.htan.findings import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

IDENTITY: Final = ("code", "manifest", "column", "kind", "value")
"""The columns of `findings.csv` that say which finding a row is."""
_OLD_IDENTITY: Final = ("code", "manifest", "column", "value")
"""The same for a `findings.csv` of version 0.1.0, which has no column `kind`."""

Findings = Counter[tuple[str, ...]]


def findings_moved(
    before: bytes, after: bytes, crashed: Collection[str] = ()
) -> tuple[Counter[str], Counter[str]]:
    """Return the numbers of new and of fixed findings between two `findings.csv`, by code of the check.

    The codes in `crashed` are left out: their checks raised before or now, so nobody knows.
    Where `before` has no kinds, kinds do not count, and a value that is hidden today equals any value.
    """
    if not before or "kind" in _header(before):
        old, new = counted(before), counted(after)
    else:
        old, new = _counted(before, _OLD_IDENTITY), _counted(after, _OLD_IDENTITY)
        hidden = {finding[:-1] for finding in new if finding[-1] == HIDDEN}
        old, new = _without_values(old, hidden), _without_values(new, hidden)
    return _by_code(new - old, crashed), _by_code(old - new, crashed)


def counted(data: bytes) -> Findings:
    """Count the findings of a `findings.csv` by their `IDENTITY`: the code of the check comes first."""
    return _counted(data, IDENTITY)


def _header(data: bytes) -> list[str]:
    return data.partition(b"\n")[0].decode().strip().split(",")


def _counted(data: bytes, identity: Sequence[str]) -> Findings:
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    return Counter(tuple(row.get(name, "") for name in identity) for row in rows)


def _without_values(findings: Findings, hidden: Iterable[tuple[str, ...]]) -> Findings:
    """Blank the value of the findings that are one of `hidden` but for their value."""
    blank: Findings = Counter()
    for finding, count in findings.items():
        blank[(*finding[:-1], "") if finding[:-1] in hidden else finding] += count
    return blank


def _by_code(findings: Findings, without: Collection[str]) -> Counter[str]:
    total: Counter[str] = Counter()
    for finding, count in findings.items():
        if finding[0] not in without:
            total[finding[0]] += count
    return total
