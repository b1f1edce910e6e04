"""What changed in an atlas between two reports: findings that are new, and those that are gone."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import Final

_ROW: Final = "row"
"""Where a finding stands moves when a row is added above it: that makes no new finding of it."""


def findings_moved(before: bytes, after: bytes) -> tuple[Counter[str], Counter[str]]:
    """Compare two `findings.csv`; give the numbers of new and of fixed findings, by code of the check."""
    old, new = counted(before), counted(after)
    return _by_code(new - old), _by_code(old - new)


def counted(data: bytes) -> Counter[tuple[str, ...]]:
    """Count the findings of a `findings.csv`: code of the check first, then all else but the row."""
    reader = csv.reader(io.StringIO(data.decode(), newline=""))
    header = next(reader, list[str]())
    place = header.index(_ROW) if _ROW in header else len(header)
    code = header.index("code") if header else 0
    return Counter((row[code], *row[:place], *row[place + 1 :]) for row in reader)


def _by_code(findings: Counter[tuple[str, ...]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for finding, count in findings.items():
        total[finding[0]] += count
    return total
