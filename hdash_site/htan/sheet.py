"""A CSV as it was typed: bytes to rows of cells, fast, whatever the bytes are.

Each physical line begins a row, or continues a cell in quotes. A quote that opens a cell is stray if it is
never closed, or if the quote that closes it is not followed by a comma, a line end or the end of the file.
A stray quote is text: its cell ends at the next comma, its row at the end of the line.
"""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from itertools import accumulate, islice
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

BOM: Final = b"\xef\xbb\xbf"
CHUNK: Final = 128
"""Rows of a chunk: few enough for a processor's cache, which makes columns of short texts cheap."""

_LONGEST_TEXT: Final = 1_000
_MOST_NAMED: Final = 20
_NARROWEST: Final = 4
"""Cells of a row in which the commas of a cell are compared with those of the row."""
_QUOTED: Final = re.compile(r'"[^"]*+(?:""[^"]*+)*+"(?=[,\r\n]|\Z)')
_CELL_END: Final = re.compile(r"[,\r\n]|\Z")
_LINE_END: Final = re.compile(r"[\r\n]|\Z")
_LINE_BREAK: Final = re.compile(r"\r\n?|\n")

csv.field_size_limit(2**31 - 1)


class QuoteFault(NamedTuple):
    """A cell whose quotes look wrong."""

    row: int
    """Number of the row, from 1."""
    line: int
    """Number of the physical line, from 1."""
    cell: int
    """Position of the cell in its row, from 0."""
    text: str
    """The cell, shortened."""


@dataclass(slots=True)
class QuoteFaults:
    """Faults of one kind: how many, the first ones, and the last."""

    count: int = 0
    first: list[QuoteFault] = field(default_factory=list[QuoteFault])

    def add(self, fault: QuoteFault) -> None:
        self.count += 1
        if len(self.first) < _MOST_NAMED:
            self.first.append(fault)


@dataclass(slots=True)
class Notes:
    """What `rows` notes while it reads."""

    continued: int = 0
    """Physical lines that continue a cell; all others begin a row."""
    stray: QuoteFaults = field(default_factory=QuoteFaults)
    """Stray quotes, at most one of each line."""
    swallowed: QuoteFaults = field(default_factory=QuoteFaults)
    """Cells of several lines that look like several rows."""


def rows(
    data: bytes | BinaryIO, encoding: str, errors: str = "strict", notes: Notes | None = None
) -> Iterator[list[str]]:
    """Yield the rows as `csv.reader` reads them, from bytes or from the start of a file; note stray quotes.

    Byte order marks of UTF-8 at the start are skipped, however many there are. Raises UnicodeDecodeError at
    bytes that are not of the encoding, unless `errors` says otherwise.

    A line without a quote, which is nearly every one, is merely split: twice as fast.
    """
    notes = notes or Notes()
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    start = stream.tell()
    while stream.read(len(BOM)) == BOM:
        start += len(BOM)
    stream.seek(start)
    lines = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
    row = 0
    try:
        for line in lines:
            row += 1
            cells = _cells(line) if '"' in line else line.rstrip("\r\n").split(",")
            if cells is None:
                row += yield from _rows_of_several_lines(line, lines, row, notes)
            else:
                yield cells
    finally:
        lines.detach()  # the file is its owner's to close


def _cells(line: str) -> list[str] | None:
    """Return the cells of a line; None if it has a stray quote, or a cell that does not end in it."""
    try:
        return next(csv.reader((line,), strict=True)) or [""]
    except csv.Error:
        return None


def _rows_of_several_lines(
    first: str, lines: Iterator[str], row: int, notes: Notes
) -> Generator[list[str], None, int]:
    """Yield the row that begins with a line, and those of the lines that were read to find its end.

    Returns how many rows that are more than one. The time is linear in the length of the lines: the search
    for the end of a cell stops at the next run of an odd number of quotes, and only such a run opens a cell
    for which further lines are read.
    """
    pending = deque((first,))
    last = row - 1
    while pending:
        last += 1
        line = pending.popleft()
        taken: list[str] = []
        cells = _cells(line)
        if cells is None:
            cells = _row_of_several_lines(line, pending, lines, taken, last, notes)
        notes.continued += len(taken)
        yield cells
    return last - row


def _row_of_several_lines(
    line: str, pending: deque[str], lines: Iterator[str], taken: list[str], row: int, notes: Notes
) -> list[str]:
    """Return the cells of a row that does not end with its first line, or has a stray quote.

    The further lines of the row are added to `taken`. Lines that were read and belong to later rows are put
    back into `pending`.
    """
    line_number = row + notes.continued
    try:
        cells = next(csv.reader(_noting(line, pending, lines, taken), strict=True))
    except csv.Error:
        cells, used, stray = _cells_with_stray_quote((line, *taken))
        notes.stray.add(QuoteFault(row, line_number + used, stray, cells[stray][:_LONGEST_TEXT]))
        pending.extendleft(reversed(taken[used:]))
        del taken[used:]
        return cells
    if sum(part.count('"') for part in (line, *taken)) % 2:  # a quote too many: the row may be several rows
        place = next((place for place, cell in enumerate(cells) if _LINE_BREAK.search(cell)), None)
    else:
        place = _holds_rows(cells)
    if place is not None:
        notes.swallowed.add(QuoteFault(row, line_number, place, cells[place][:_LONGEST_TEXT]))
    return cells


def _noting(line: str, pending: deque[str], lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    """Yield the line and those after it, which are noted in `taken`."""
    yield line
    while (following := pending.popleft() if pending else next(lines, None)) is not None:
        taken.append(following)
        yield following


def _cells_with_stray_quote(lines: Sequence[str]) -> tuple[list[str], int, int]:
    """Return the cells of a row with a stray quote, how many more lines it has, and which cell is stray.

    Cells before the stray one are read as usual, over several lines too. From there on, the row ends with the
    line, and what is not a cell in quotes is text as typed.
    """
    text = "".join(lines)
    limit = len(text)
    cells: list[str] = []
    stray, used, position = -1, 0, 0
    while True:
        is_quoted = text.startswith('"', position)
        quoted = _QUOTED.match(text, position, limit) if is_quoted else None
        if quoted:
            cells.append(quoted[0][1:-1].replace('""', '"'))
            position = quoted.end()
        else:
            if is_quoted and stray < 0:
                stray = len(cells)
                used = bisect_right(list(accumulate(map(len, lines))), position)
                limit = _search_end(_LINE_END, text, position, limit)
            end = _search_end(_CELL_END, text, position, limit)
            cells.append(text[position:end])
            position = end
        if position >= limit or text[position] != ",":
            return cells, used, stray
        position += 1


def _search_end(pattern: re.Pattern[str], text: str, position: int, limit: int) -> int:
    match = pattern.search(text, position, limit)
    return match.start() if match else limit


def _holds_rows(cells: Sequence[str]) -> int | None:
    """Return the position of a cell of several lines that look like rows; None if there is none.

    They do if the commas of each line are those of a row, and the first row and the last one have a cell in
    common. This happens where one quote opens a cell and another one, rows below, closes it.
    """
    width = len(cells)
    if width < _NARROWEST:
        return None
    for place, cell in enumerate(cells):
        lines = _LINE_BREAK.split(cell)
        commas = [line.count(",") for line in lines]
        expected = [width - 1 - place, *[width - 1] * (len(lines) - 2), place]
        if len(lines) > 1 and commas == expected:
            first = [*cells[:place], *lines[0].split(",")]
            last = [*lines[-1].split(","), *cells[place + 1 :]]
            if any(one and one == other for one, other in zip(first, last, strict=True)):
                return place
    return None


def chunks(source: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    """The same rows, many at a time."""
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def is_blank(row: list[str]) -> bool:
    return not any(map(str.strip, row))


def row_number(record: int, gaps: Sequence[tuple[int, int]]) -> int:
    """Return the number of a record (from 0) as a spreadsheet has it: blank rows count, the header is row 1.

    Each of the gaps is a record and how many blank rows came before it.
    """
    place = bisect_right(gaps, record, key=lambda gap: gap[0])
    return record + 2 + (gaps[place - 1][1] if place else 0)
