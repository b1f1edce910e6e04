"""What can be wrong with the form of a manifest, each in one sentence with its way out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.files import vocabulary
from hdash_site.htan.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hdash_site.htan.findings import Severity

_MOST_REPEATED: Final = 20
"""Repeated columns of a manifest that are named."""


class Problem(NamedTuple):
    """One thing that is wrong with the form of a manifest; becomes a finding of H_MANIFEST."""

    severity: Severity
    row: int
    column: str
    value: str
    expected: str
    message: str


def too_large(size: int, largest: int) -> Problem:
    message = "The manifest is too large and was not read; split it."
    return Problem("error", 0, "", f"{size} bytes", f"at most {largest} bytes", message)


def nul_bytes(data: bytes) -> Problem:
    message = "The file holds NUL bytes, which were skipped; save it again as a CSV in UTF-8."
    return Problem("error", 0, "", f"{data.count(0)} NUL bytes", "text in UTF-8", message)


def not_utf8(data: bytes) -> Problem:
    try:
        start = len(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        start = error.start
    line = data.count(b"\n", 0, start) + 1
    message = f"The file is not UTF-8 and was read as Latin-1; save it again in UTF-8 (see line {line})."
    return Problem("warning", 0, "", f"byte 0x{data[start]:02X}", "text in UTF-8", message)


def no_header(data: bytes) -> Problem:
    empty = "The file is empty; upload the manifest again."
    blank = "The first row names no column; put the names of the columns there."
    return Problem("error", 1, "", "", "a first row that names the columns", blank if data.strip() else empty)


def not_htan(header: Sequence[str]) -> Problem:
    expected = "columns like Component, entityId, HTAN Data File ID"
    message = "No column is one of an HTAN manifest; upload the metadata as a CSV separated by commas."
    return Problem("error", 1, "", shown(",".join(header)), expected, message)


def repeated(header: Sequence[str]) -> Iterator[Problem]:
    """A problem for each column whose name stands more than once (up to a number of columns)."""
    counts = Counter(filter(None, header))
    if len(counts) == len(header):
        return
    twice = [
        (name, count) for name, count in counts.items() if count > 1 and not vocabulary().is_unnamed(name)
    ]
    for name, count in twice[:_MOST_REPEATED]:
        message = f"The column stands more than once, and only the first was read ({count}); rename others."
        yield Problem("error", 1, shown(name), shown(name), "each column once", message)


def short_rows(rows: Sequence[int], width: int) -> Problem:
    message = (
        f"The row has fewer cells than the header, so its last ones are missing; complete it{_others(rows)}."
    )
    return Problem("error", rows[0], "", "", f"{width} cells", message)


def long_rows(rows: Sequence[int], width: int) -> Problem:
    message = f"The row has more cells than the header; quote cells that hold a comma{_others(rows)}."
    return Problem("error", rows[0], "", "", f"{width} cells", message)


def no_rows() -> Problem:
    return Problem(
        "warning", 0, "", "", "a row a record", "The manifest has no rows; fill it in or delete it."
    )


def _others(rows: Sequence[int]) -> str:
    """How many rows have the same problem as the first of them."""
    return "" if len(rows) == 1 else f" (as do {len(rows) - 1} more rows, the last is row {rows[-1]})"
