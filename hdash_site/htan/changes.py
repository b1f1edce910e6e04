"""What changed in an atlas between two reports: findings that are new, and findings that are fixed.

A finding is the same one in both reports if its check, manifest, column, kind and value are the same. Its row
moves when a row is added above it, and its words change with a release of this program: neither makes
another finding of it. Where one of the reports does not keep all findings of a kind in a column one by one,
only their numbers are compared: which of them are kept is no news.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.findings import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Sequence

IDENTITY: Final = ("code", "manifest", "column", "kind", "value")
"""The columns of `findings.csv` that say which finding a row is."""
_OLD_IDENTITY: Final = ("code", "manifest", "column", "value")
"""The same for a `findings.csv` of version 0.1.0, which has no column `kind`."""

_GROUP: Final = ("code", "column", "kind")

Findings = Counter[tuple[str, ...]]


class Counted(NamedTuple):
    findings: Findings
    """How many findings there are of each `IDENTITY`."""
    groups: Findings
    """The groups of which not all findings are kept one by one, by check, column and kind, with the number of
    their findings; `findings` has none of these.
    """


def findings_moved(
    before: bytes, after: bytes, crashed: Collection[str] = ()
) -> tuple[Counter[str], Counter[str]]:
    """Return the numbers of new and of fixed findings between two `findings.csv`, by code of the check.

    The codes in `crashed` are left out: their checks raised before or now, so nobody knows.
    Where `before` has no kinds, kinds do not count, and a value that is hidden today equals any value.
    """
    if not before or "kind" in _header(before):
        old, new = _comparable(counted(before), counted(after))
    else:
        old, new = _counted(before, _OLD_IDENTITY), _counted(after, _OLD_IDENTITY)
        hidden = {finding[:-1] for finding in new if finding[-1] == HIDDEN}
        old, new = _without_values(old, hidden), _without_values(new, hidden)
    return _by_code(new - old, crashed), _by_code(old - new, crashed)


def counted(data: bytes) -> Counted:
    """Count the findings of a `findings.csv` by their `IDENTITY`: the code of the check comes first."""
    findings = _counted(data, IDENTITY)
    crowded = _crowded(data)
    return Counted(*_split(findings, crowded)) if crowded else Counted(findings, Counter())


def _crowded(data: bytes) -> set[tuple[str, ...]]:
    """Return the groups that have a row which stands for many findings."""
    return {
        tuple(row[name] for name in _GROUP) for row in _rows(data) if (row.get("stands_for") or "1") != "1"
    }


def _split(findings: Findings, crowded: Container[tuple[str, ...]]) -> tuple[Findings, Findings]:
    """Split off the findings of crowded groups, which are counted by group."""
    kept: Findings = Counter()
    groups: Findings = Counter()
    for finding, count in findings.items():
        group = group_of(finding)
        if group in crowded:
            groups[group] += count
        else:
            kept[finding] += count
    return kept, groups


def group_of(finding: Sequence[str]) -> tuple[str, ...]:
    """Return the group of a finding, given by its `IDENTITY`."""
    return tuple(finding[IDENTITY.index(name)] for name in _GROUP)


def _comparable(old: Counted, new: Counted) -> tuple[Findings, Findings]:
    """Return the findings of both as one counter each; groups that are crowded in one are counted in both."""
    crowded = old.groups.keys() | new.groups.keys()
    both: list[Findings] = []
    for one in (old, new):
        kept, groups = _split(one.findings, crowded) if crowded else (one.findings, Findings())
        both.append(kept + groups + one.groups)
    return both[0], both[1]


def _header(data: bytes) -> list[str]:
    return data.partition(b"\n")[0].decode().strip().split(",")


def _counted(data: bytes, identity: Sequence[str]) -> Findings:
    findings: Findings = Counter()
    for row in _rows(data):
        findings[tuple(row.get(name, "") for name in identity)] += int(row.get("stands_for") or 1)
    return findings


def _rows(data: bytes) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(data.decode(), newline=""))


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
