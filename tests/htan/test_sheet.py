from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan import sheet


def read(text: str) -> tuple[list[list[str]], sheet.Notes]:
    notes = sheet.Notes()
    return list(sheet.rows(text.encode(), "utf-8", notes=notes)), notes


def physical_lines(text: str) -> list[str]:
    """The text with its line ends, which are CR LF, LF or CR."""
    lines, line = [], ""
    for place, character in enumerate(text):
        line += character
        if character == "\n" or (character == "\r" and text[place + 1 : place + 2] != "\n"):
            lines.append(line)
            line = ""
    return [*lines, line] if line else lines


def slow_rows(text: str) -> tuple[list[list[str]], list[int]]:
    """The rows, and the lines with a stray quote, one character after the other."""
    lines, number = physical_lines(text), 0
    rows: list[list[str]] = []
    stray: list[int] = []
    while number < len(lines):
        rest, cells, limit = "".join(lines[number:]), [], None
        place, used = 0, 1
        while True:
            end = closing_quote(rest[:limit], place) if rest[place : place + 1] == '"' else None
            if end is not None:
                cells.append(rest[place + 1 : end].replace('""', '"'))
                used += len(physical_lines(rest[: end + 1])) - len(physical_lines(rest[: place + 1]))
                place = end + 1
            else:
                if rest[place : place + 1] == '"' and limit is None:
                    stray.append(number + used)
                    limit = len("".join(lines[number : number + used]).rstrip("\r\n"))
                begin = place
                while place < len(rest[:limit]) and rest[place] not in ",\r\n":
                    place += 1
                cells.append(rest[begin:place])
            if rest[:limit][place : place + 1] != ",":
                break
            place += 1
        rows.append(cells)
        number += used
    return rows, stray


def closing_quote(text: str, place: int) -> int | None:
    """Where the quote is that closes the cell which begins at `place`; None if it is not closed properly."""
    place += 1
    while place < len(text):
        if text[place] != '"':
            place += 1
        elif text[place + 1 : place + 2] == '"':
            place += 2
        else:
            return place if text[place + 1 : place + 2] in ("", ",", "\r", "\n") else None
    return None


@given(st.text('ab,"\n\r \u2028é', max_size=60))
def test_rows_are_those_of_a_slow_reader_that_sees_stray_quotes(text: str) -> None:
    rows, notes = read(text)
    expected, stray = slow_rows(text)
    assert rows == expected
    assert notes.stray.count == len(stray)
    assert [fault.line for fault in notes.stray.first] == stray[:20]


@given(st.text('ab,"\n\r \u2028é', max_size=60))
def test_every_physical_line_begins_a_row_or_continues_a_cell(text: str) -> None:
    rows, notes = read(text)
    assert len(rows) + notes.continued == len(physical_lines(text))


CELLS = st.text('ab,"\n\r é', max_size=8)
TABLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
)


def written(table: list[list[str]]) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerows(table)
    return stream.getvalue()


@given(TABLES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_well_formed_table_is_read_as_it_was_written(table: list[list[str]], end: str) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    assert read(written(table))[0] == table
    rows, notes = read(stream.getvalue())
    assert rows == table == list(csv.reader(io.StringIO(stream.getvalue(), newline="")))
    assert notes.stray.count == 0


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True), st.integers(0, 4), st.booleans())
def test_of_unclosed_quotes_in_a_plain_table_each_line_is_its_own_row(
    spoilt: list[int], column: int, at_the_end: bool
) -> None:
    """Quotes that open a cell: the next one never closes the cell that the last one opened."""
    table = [[f"{row}{place}" for place in range(5)] for row in range(10)]
    for row in spoilt:
        table[row][column] = '"' + table[row][column]
    text = "\n".join(map(",".join, table)) + "\n" * at_the_end
    rows, notes = read(text)
    assert rows == table
    assert [(fault.row, fault.line, fault.cell) for fault in notes.stray.first] == [
        (row + 1, row + 1, column) for row in sorted(spoilt)
    ]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a,"b\nc,d\n', [["a", '"b'], ["c", "d"]]),
        ('a,"b"c,d\ne\n', [["a", '"b"c', "d"], ["e"]]),
        ('a,"b" ,d', [["a", '"b" ', "d"]]),
        ('a,"b,c\nd,"e,f"\n', [["a", '"b', "c"], ["d", "e,f"]]),
        ('"x\ny","st,z\nq,w\n', [["x\ny", '"st', "z"], ["q", "w"]]),
        ('a,"b,"c,d",e\nf\n', [["a", '"b', "c,d", "e"], ["f"]]),
        ('a,"b\r\nc\rd', [["a", '"b'], ["c"], ["d"]]),
        ('5" needle,a"b"\n', [['5" needle', 'a"b"']]),
    ],
)
def test_a_stray_quote_is_text_up_to_the_next_comma_or_the_end_of_the_line(
    text: str, rows: list[list[str]]
) -> None:
    assert read(text)[0] == rows


@pytest.mark.parametrize(
    ("text", "widths", "cell"),
    [
        ('A,1,"2,3\nA,4,5,6\nA,7,8",9\nA,1,2,3\n', [4, 4], 2),  # the lines have the commas of a row
        ('"a,b,c\nd,",x",e\nf,g,h\n', [3, 3], 0),  # a quote is left over
    ],
)
def test_two_quotes_that_make_one_cell_of_several_rows_are_noted(
    text: str, widths: list[int], cell: int
) -> None:
    rows, notes = read(text)
    assert [len(row) for row in rows] == widths
    assert [(fault.row, fault.line, fault.cell) for fault in notes.swallowed.first] == [(1, 1, cell)]


@pytest.mark.parametrize("text", ['A,1,"2\n3",4\n', 'A,1,"note, b\nmore",4\n', 'A,"x,y\nA,z"\n'])
def test_an_ordinary_cell_of_several_lines_is_not_noted(text: str) -> None:
    assert not read(text)[1].swallowed.count


@pytest.mark.parametrize(
    "line", ['a,"b\n', '"a""\n', 'a,"b""\n', '"a,', '"\n', 'a,b"\n"""x\n', '"' + "x\n" * 50 + '","s\n']
)
def test_time_is_linear_whatever_the_quotes(line: str) -> None:
    def seconds(size: int) -> float:
        data = (line * (size // len(line))).encode()
        started = time.process_time()
        assert sum(1 for _ in sheet.rows(data, "utf-8"))
        return time.process_time() - started

    assert seconds(400_000) < 100 * seconds(40_000) + 0.1


@pytest.mark.parametrize("marks", [1, 2, 5])
def test_byte_order_marks_are_skipped(marks: int) -> None:
    assert list(sheet.rows(b"\xef\xbb\xbf" * marks + b"a,b\r\n", "utf-8")) == [["a", "b"]]


def test_a_cell_of_ten_megabytes_is_read() -> None:
    rows = list(sheet.rows(b'a,"' + b"x" * 10**7 + b'"\n', "utf-8"))
    assert [len(cell) for cell in rows[0]] == [1, 10**7]
