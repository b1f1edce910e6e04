from __future__ import annotations

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan.text import clean, csv_bytes, dumps, inert, natural, shown, shown_end, shown_name

ANYTHING = st.text(st.characters(codec=None), max_size=400)


def test_what_cannot_be_seen_is_shown_by_its_code() -> None:
    assert clean("a\nb\tc\rd") == "a\\nb\\tc\\rd"
    assert clean("a\0b\x1b\u202ec\ud800d") == "a<U+0000>b<U+001B><U+202E>c<U+D800>d"
    for code in (0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF, 0xE0041):
        assert clean(f"x{chr(code)}y") == f"x<U+{code:04X}>y"


def test_letters_and_blanks_of_any_script_stay() -> None:
    for text in ("Zoë 🧬 µ", "Größe", "НTA", "日本\u3000語", "5\u00a0mm", "❤\ufe0f"):
        assert clean(text) == text


def test_the_name_of_a_column_shows_its_blanks() -> None:
    assert shown_name("HTAN\u00a0Data  File ID") == "HTAN<U+00A0>Data <U+0020>File ID"
    assert shown_name("Größe in mm") == "Größe in mm"


def test_a_long_cell_is_shortened_with_an_ellipsis() -> None:
    assert shown("x" * 200) == "x" * 200
    assert shown("x" * 201) == "x" * 199 + "…"
    assert shown_end("/" + "x" * 200) == "…" + "x" * 199
    assert len(shown("\n" * 10**7)) == 200


@given(ANYTHING)
def test_whatever_is_shown_is_short_and_valid_utf8(text: str) -> None:
    assert len(shown(text)) <= 200
    assert len(shown_end(text)) <= 200
    clean(text).encode("utf-8")
    assert not set(clean(text)) & {"\0", "\n", "\r", "\t", "\u202e"}
    json.loads(dumps([text]).decode("utf-8"))


def test_natural_order_is_by_number() -> None:
    names = ["HTA1_10", "HTA1_2", "HTA1_02", "HTA10_1", "HTA2_1", "HTA1_2_1"]
    assert sorted(names, key=natural) == ["HTA1_02", "HTA1_2", "HTA1_2_1", "HTA1_10", "HTA2_1", "HTA10_1"]


@given(st.lists(st.text("HTA_019a", max_size=8), max_size=20))
def test_natural_order_is_total(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural) == sorted(backwards, key=natural)
    assert len({natural(name) for name in names}) == len(set(names))


def test_natural_order_takes_numbers_of_any_length() -> None:
    assert natural("1" * 10**6) < natural("2" * 10**6)


def test_cells_that_a_spreadsheet_would_run_get_an_apostrophe() -> None:
    for cell in ("=HYPERLINK()", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "\u00a0=1", "＝1"):
        assert inert(cell) == "'" + cell
    for cell in ("", "a=1", "HTA1_1", "1-2"):
        assert inert(cell) == cell


@given(st.lists(ANYTHING, min_size=1, max_size=5))
def test_a_download_reads_back_and_runs_nothing(cells: list[str]) -> None:
    shown_cells = [clean(cell) for cell in cells]
    text = csv_bytes(["x"] * len(cells), [shown_cells]).decode("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [cell.removeprefix("'") for cell in rows[1]] == [cell.removeprefix("'") for cell in shown_cells]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in rows[1])
