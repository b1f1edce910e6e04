from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan import sheet


@given(st.text('ab,"\n\r \u2028é', max_size=60))
def test_rows_are_those_of_the_csv_module(text: str) -> None:
    data = text.encode()
    expected = list(csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")))
    assert [row or [""] for row in expected] == list(sheet.rows(data, "utf-8"))


def test_a_byte_order_mark_is_skipped() -> None:
    assert list(sheet.rows(b"\xef\xbb\xbfa,b\r\n", "utf-8")) == [["a", "b"]]


def test_a_cell_of_ten_megabytes_is_read() -> None:
    rows = list(sheet.rows(b'a,"' + b"x" * 10**7 + b'"\n', "utf-8"))
    assert [len(cell) for cell in rows[0]] == [1, 10**7]
