"""What can be wrong with the form of a manifest, each in plain sentences: what is wrong, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hdash_site.htan.text import shown, shown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hdash_site.htan.findings import Severity
    from hdash_site.htan.sheet import QuoteFaults


class Problem(NamedTuple):
    """One thing that is wrong with the form of a manifest; becomes a finding of H_MANIFEST."""

    severity: Severity
    row: int
    column: str
    value: str
    expected: str
    message: str
    """What is in parentheses is of this finding only."""
    kind: str
    """Which mistake it is, in words that no release changes."""


def too_large(size: int, largest: int) -> Problem:
    message = "The manifest is too large and was not read. Split it into several manifests."
    return Problem("error", 0, "", f"{size} bytes", f"at most {largest} bytes", message, "too-large")


def given_up(resource: str, value: str) -> Problem:
    """A manifest that exceeds the limit of "time" or "memory" within which it is read."""
    if resource == "memory":
        message = "The manifest takes too much memory and was not read. Split it into several manifests."
        return Problem("error", 0, "", value, "a manifest within the memory limit", message, "memory-limit")
    message = "The manifest takes too long to read and was not read. Split it into several manifests."
    return Problem("error", 0, "", value, "a manifest within the time limit", message, "time-limit")


def nul_bytes(count: int) -> Problem:
    message = "The file contains NUL bytes, which were skipped. Save it again as CSV UTF-8."
    return Problem("error", 0, "", f"{count} NUL bytes", "text in UTF-8", message, "nul-bytes")


def repeated_marks(count: int) -> Problem:
    message = (
        "The file begins with several byte order marks, which were skipped. Other programs may take them"
        " for a part of the first column name. Save the file again as CSV UTF-8."
    )
    return Problem("warning", 1, "", f"{count} marks", "at most one mark", message, "repeated-marks")


def utf16(undecodable: int) -> Problem:
    message = (
        "The file is not UTF-8 and was read as UTF-16. Save it again as CSV UTF-8"
        f"{_undecodable(undecodable, 'character')}."
    )
    return Problem("warning", 0, "", "UTF-16", "text in UTF-8", message, "utf-16")


def not_utf8(data: bytes, position: int) -> Problem:
    line = (
        data.count(b"\n", 0, position) + data.count(b"\r", 0, position) - data.count(b"\r\n", 0, position) + 1
    )
    undefined = sum(map(data.count, _UNDEFINED))
    message = (
        "The file is not UTF-8 and was read as Windows-1252. Save it again as CSV UTF-8"
        f" (see line {line}){_undecodable(undefined, 'byte')}."
    )
    return Problem("warning", 0, "", f"byte 0x{data[position]:02X}", "text in UTF-8", message, "not-utf-8")


_UNDEFINED = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
"""Bytes that mean nothing in Windows-1252."""


def _undecodable(count: int, unit: str) -> str:
    return f" ({count} {unit}{'s' * (count > 1)} could not be decoded, read as U+FFFD)" if count else ""


def no_header(data: bytes) -> Problem:
    empty = "The file is empty. Upload the manifest again."
    blank = "The first row names no column. Write the names of the columns there."
    message = blank if data.strip() else empty
    return Problem("error", 1, "", "", "a first row that names the columns", message, "no-header")


def not_htan(header: Sequence[str]) -> Problem:
    expected = "columns like Component, entityId, HTAN Data File ID"
    message = "No column is one of an HTAN manifest. Upload the metadata as a CSV separated by commas."
    return Problem("error", 1, "", shown(",".join(header)), expected, message, "not-a-manifest")


def too_many_columns(count: int, most: int) -> Problem:
    message = (
        f"The manifest has more than {most} columns, and the columns after column {most} were not read."
        " Upload the manifest with the columns of its component only."
    )
    return Problem("error", 1, "", f"{count} columns", f"at most {most} columns", message, "too-many-columns")


def too_many_ids(column: str, rows: Sequence[int], most: int) -> Problem:
    message = (
        f"The cell names more than {most} IDs, or is longer than these would be, and was not read as IDs."
        f" Name at most {most} IDs in a cell{_others(rows)}."
    )
    return Problem("error", rows[0], column, "", f"at most {most} IDs", message, "too-many-ids")


def repeated(name: str, count: int) -> Problem:
    message = (
        "Several columns have this name, and only the first of them was read."
        f" Merge them, or give each its own name ({count} columns)."
    )
    return Problem("error", 1, shown(name), shown(name), "each column once", message, "repeated-column")


def repeats(written: str, read: str, place: int) -> Problem:
    """A column repeats another one under a name that a tool made, or in another spelling."""
    message = (
        "The column repeats another one and was not read. Merge the two columns, or give this column"
        f" a name of its own (column {place + 1} was read)."
    )
    return Problem(
        "error", 1, shown(read), shown_name(written), "each column once", message, "column-of-a-tool"
    )


def renamed(written: str, name: str) -> Problem:
    """A column that rules know is written in another way."""
    message = f'The column is written "{shown_name(written)}". Rename it to "{shown(name)}".'
    return Problem(
        "warning", 1, shown(name), shown_name(written), f"a column {shown(name)}", message, "column-name"
    )


def unclear_name(written: str, name: str) -> Problem:
    """The name of an attribute has characters that cannot be seen. The message does not quote it."""
    message = (
        "The column name contains characters that cannot be seen, or unusual blanks. Type the name again."
    )
    expected = "visible characters and single blanks"
    return Problem("warning", 1, shown(name), shown_name(written), expected, message, "unclear-column-name")


def without_name(column: str, filled: int) -> Problem:
    message = (
        "The column has no name, so its values are not counted. Write the name of the attribute into"
        f" the first row ({filled} cells with a value)."
    )
    return Problem("warning", 1, column, "", "a name for each column", message, "column-without-a-name")


def stray_quotes(faults: QuoteFaults, header: Sequence[str]) -> Problem:
    """Quotes that open a cell and are not closed properly, at most one a line."""
    first, count = faults.first[0], faults.count
    lines = ", ".join(str(fault.line) for fault in faults.first)
    more = f" and {count - len(faults.first)} more" if count > len(faults.first) else ""
    where = f"line {lines} of the file" if count == 1 else f"{count} lines of the file: {lines}{more}"
    message = (
        "A quote at the start of this cell is not closed at its end, so the row was read up to the end of the"
        f" line. Remove the quote, or close it at the end of the cell ({where})."
    )
    return Problem(
        "error", first.row, _column(header, first.cell), shown(first.text), _QUOTES, message, "stray-quote"
    )


def swallowed_rows(faults: QuoteFaults, header: Sequence[str]) -> Problem:
    """Cells in quotes that hold what look like rows."""
    first = faults.first[0]
    more = f", and {faults.count - 1} more cells" if faults.count > 1 else ""
    message = (
        "The cell holds lines that look like rows: one quote opens it, and another quote, lines below,"
        f" closes it. If these are rows, remove both quotes (line {first.line} of the file{more})."
    )
    return Problem(
        "warning",
        first.row,
        _column(header, first.cell),
        shown(first.text),
        _QUOTES,
        message,
        "rows-in-a-cell",
    )


_QUOTES = 'a cell without quotes, or one that begins and ends with "'


def _column(header: Sequence[str], place: int) -> str:
    """The name of the column at a position, or which one it is."""
    name = header[place] if place < len(header) else ""
    return shown(name) or f"column {place + 1}"


def short_rows(rows: Sequence[int], width: int) -> Problem:
    message = (
        "The row has fewer cells than the header, so its last cells are missing. Complete the row"
        f"{_others(rows)}."
    )
    return Problem("error", rows[0], "", "", f"{width} cells", message, "short-row")


def long_rows(rows: Sequence[int], width: int) -> Problem:
    message = (
        f"The row has more cells than the header. Put cells that contain a comma in quotes{_others(rows)}."
    )
    return Problem("error", rows[0], "", "", f"{width} cells", message, "long-row")


def no_rows() -> Problem:
    message = "The manifest has no rows. Add a row for each record."
    return Problem("warning", 0, "", "", "a row for each record", message, "no-rows")


def _others(rows: Sequence[int]) -> str:
    """How many rows have the same problem as the first of them."""
    return "" if len(rows) == 1 else f" (as do {len(rows) - 1} more rows, the last is row {rows[-1]})"
