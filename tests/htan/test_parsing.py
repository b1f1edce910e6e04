from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan import parsing
from hdash_site.htan.header import MOST_COLUMNS
from hdash_site.htan.ids import LONGEST, MOST_IDS

from .helpers import csv_of, read, table


def problems(data: bytes) -> list[dict[str, Any]]:
    return read(data)["problems"]


def filled(data: bytes) -> dict[str, int]:
    return {column["name"]: column["filled"] for column in read(data)["columns"]["columns"]}


def test_records_are_rows_and_cells_count_outside_id_and_bookkeeping_columns() -> None:
    data = table(
        "Biospecimen",
        "HTAN Biospecimen ID|Filename|Fixative Type|Site|entityId",
        "HTA1_1_1|f|None|unknown|syn1",
        "HTA1_1_2|f|Formalin||syn2",
        "HTA1_1_3|f| NA |Lung|syn3",
    )
    columns = read(data)["columns"]
    assert (columns["records"], columns["filled"], columns["cells"]) == (3, 3, 6)
    assert filled(data) == {
        "Component": 3, "HTAN Biospecimen ID": 3, "Filename": 3, "Fixative Type": 2, "Site": 1, "entityId": 3,
    }  # fmt: skip
    assert [column["name"] for column in columns["columns"] if column["counted"]] == ["Fixative Type", "Site"]
    assert read(data)["ids"]["component"] == "Biospecimen"


def test_columns_without_a_name_do_not_count() -> None:
    columns = read(csv_of(["Component", "", "Unnamed: 3", "X18", " "], ["D", "a", "b", "c", "d"]))["columns"]
    assert (columns["filled"], columns["cells"]) == (0, 0)
    data = csv_of(["Component", "", "X18", "X18", "Unnamed: 0", "X"], ["D", "", "", "", "0", "1"])
    assert [problem["kind"] for problem in problems(data)] == []


def test_a_column_without_a_name_that_holds_values_is_reported_by_its_position() -> None:
    data = csv_of(
        ["Component", "X18", "", "Unnamed: 0", "HTAN Participant ID"], ["D", "a", "", "7", "HTA1_1"]
    )
    found = problems(data)
    assert [(problem["kind"], problem["column"]) for problem in found] == [
        ("column-without-a-name", "column 2"),
        ("column-without-a-name", "column 4"),
    ]
    assert read(data)["columns"]["cells"] == 0


def test_names_of_columns_are_trimmed() -> None:
    found = read(csv_of(["Component ", " HTAN Participant ID"], ["Demographics", "HTA1_1"]))["ids"]
    assert found["ids"]["HTAN Participant ID"]["texts"] == "HTA1_1"


def test_of_a_repeated_column_the_first_stands_and_the_column_is_named() -> None:
    data = csv_of(["Component", "Gender", "Gender"], ["D", "", "male"], ["D", "female", "male"])
    columns = read(data)["columns"]
    assert (columns["filled"], columns["cells"]) == (1, 2)
    (problem,) = problems(data)
    assert (problem["row"], problem["column"], problem["severity"]) == (1, "Gender", "error")


def test_blank_rows_are_no_records_but_have_a_number() -> None:
    data = b"Component,HTAN Participant ID\r\n\r\nD,HTA1_1\r\n,\r\n  ,\r\nD,HTA1_2\r\n\r\n,,,\r\n\r\n"
    facets = read(data)
    assert facets["columns"]["records"] == 2
    assert facets["rows"]["gaps"] == [[0, 1], [1, 3]]
    assert facets["problems"] == []


def test_a_short_row_is_filled_up_with_missing_cells_and_reported_once() -> None:
    data = b"Component,Gender,Race\nD,female,white\nD,male\nD\nD\n"
    assert read(data)["columns"]["cells"] == 8
    assert filled(data) == {"Component": 4, "Gender": 2, "Race": 1}
    (problem,) = problems(data)
    assert problem["row"] == 3
    assert "2 more rows, the last is row 5" in problem["message"]


def test_cells_beyond_the_header_are_reported_once_and_blank_ones_are_not() -> None:
    data = b"Component,Gender\nD,female,,\nD,male,x\nD,male,x,y\n"
    (problem,) = problems(data)
    assert (problem["row"], problem["expected"]) == (3, "2 cells")
    assert "1 more rows" in problem["message"]
    assert read(data)["columns"]["cells"] == 3


def test_ragged_rows_keep_their_ids_in_order() -> None:
    data = b"Component,HTAN Data File ID,Gender\nD,HTA1_1_1\nD,HTA1_1_2,x\nD\nD,HTA1_1_4,x,y\n"
    assert read(data)["ids"]["ids"]["HTAN Data File ID"]["texts"] == "HTA1_1_1,HTA1_1_2,,HTA1_1_4"


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert read(b"\xef\xbb\xbfComponent,A\nD,1\n")["columns"]["columns"][0]["name"] == "Component"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_windows_1252_is_read_and_warned_of(end: str) -> None:
    data = end.join(["Component,Treatment Type", "D,", "D,“Zürich” – 5 €", ""]).encode("cp1252")
    (problem,) = problems(data)
    assert (problem["severity"], problem["kind"], problem["value"]) == ("warning", "not-utf-8", "byte 0x93")
    assert "Windows-1252" in problem["message"]
    assert "line 3" in problem["message"]
    assert read(data)["rows"]["days"]["Treatment Type"] == ["", "“Zürich” – 5 €"]


def test_bytes_that_mean_nothing_in_windows_1252_are_counted() -> None:
    data = b"Component,Treatment Type\nD,a\x81b\x9d\n"
    (problem,) = problems(data)
    assert "2 bytes" in problem["message"]
    assert read(data)["rows"]["days"]["Treatment Type"] == ["a\ufffdb\ufffd"]


@pytest.mark.parametrize("size", [2**20 - 1, 2**20, 2**20 + 1])
def test_a_character_at_the_border_of_two_blocks_is_utf_8(size: int) -> None:
    start = b"Component,Site\nD,"
    data = start + b"x" * (size - len(start)) + "é\n".encode()
    assert problems(data) == []
    (problem,) = problems(data + b"D,\xe9\n")
    assert "line 3" in problem["message"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("marks", [0, 1, 2])
def test_utf_16_is_read_with_and_without_marks(encoding: str, marks: int) -> None:
    text = "\ufeff" * marks + "Component,HTAN Participant ID,Gender\r\nDemographics,HTA1_1,Größe\r\n"
    facets = read(text.encode(encoding))
    assert facets["ids"]["ids"]["HTAN Participant ID"]["texts"] == "HTA1_1"
    assert (facets["columns"]["filled"], facets["columns"]["cells"]) == (1, 1)
    kinds = [problem["kind"] for problem in facets["problems"]]
    assert kinds == ["utf-16", *["repeated-marks"] * (marks > 1)]


def test_utf_16_that_is_cut_off_is_read_and_said() -> None:
    data = "Component,HTAN Participant ID\nDemographics,HTA1_1\n".encode("utf-16-le")[:-1]
    (problem,) = problems(data)
    assert "(1 character could not be decoded" in problem["message"]


def test_several_byte_order_marks_are_skipped_and_reported() -> None:
    data = b"\xef\xbb\xbf" * 3 + b"Component,Gender\nD,x\n"
    assert read(data)["columns"]["cells"] == 1
    assert [(problem["kind"], problem["value"]) for problem in problems(data)] == [
        ("repeated-marks", "3 marks")
    ]


def test_nul_bytes_are_skipped_and_reported() -> None:
    data = b"Component,HTAN Participant ID\nDemo\0graphics,HTA1_1\0\n"
    (problem,) = problems(data)
    assert problem["value"] == "2 NUL bytes"
    assert read(data)["ids"]["component"] == "Demographics"
    assert read(data)["ids"]["ids"]["HTAN Participant ID"]["texts"] == "HTA1_1"


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b" , ,\nComponent\n", b"\0"])
def test_a_manifest_without_a_header_is_one_error(data: bytes) -> None:
    found = [problem for problem in problems(data) if "NUL" not in problem["message"]]
    assert [problem["severity"] for problem in found] == ["error"]
    assert read(data)["columns"] == {"records": 0, "columns": [], "filled": 0, "cells": 0}


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n", b"<html><body>Not found</body>", b'{"a": 1}', b"Component;Id\n"]
)
def test_what_is_no_csv_of_a_manifest_is_one_error(data: bytes) -> None:
    found = [problem for problem in problems(data) if problem["severity"] == "error"]
    assert [problem["message"][:32] for problem in found] == ["No column is one of an HTAN mani"]
    assert not read(data)["ids"]["usable"]


def test_a_header_without_rows_is_a_warning() -> None:
    (problem,) = problems(b"Component,HTAN Participant ID\n")
    assert (problem["severity"], problem["message"]) == (
        "warning",
        "The manifest has no rows. Add a row for each record.",
    )


def test_a_manifest_that_is_too_large_is_refused() -> None:
    (problem,) = problems(b"Component,Id\n" + b"x" * parsing.LARGEST)
    assert (
        problem["message"] == "The manifest is too large and was not read. Split it into several manifests."
    )


def test_quoted_line_breaks_are_one_row() -> None:
    data = b'Component,Note,HTAN Participant ID\nD,"a\nb",HTA1_1\nD,c,HTA1_2\n'
    facets = read(data)
    assert facets["columns"]["records"] == 2
    assert facets["rows"]["gaps"] == []


READS = "Component,Filename,HTAN Data File ID,HTAN Parent Biospecimen ID,Library Construction Method,entityId"


def reads(*stray: int, rows: int = 5, before: int = 5) -> bytes:
    """A manifest with a quote too many in some rows, before the cell at a position."""
    table = [
        ["ScRNA-seqLevel1", f"f{row}.fastq", f"HTA1_{row}_900{row}", f"HTA1_{row}_1", "10xV3", f"syn90{row}"]
        for row in range(rows)
    ]
    for row in stray:
        table[row][before] = '"' + table[row][before]
    return "\n".join([READS, *map(",".join, table), ""]).encode()


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("stray", [(1,), (3, 98), (0, 1, 2, 99)])
def test_a_quote_that_is_not_closed_swallows_no_record(stray: tuple[int, ...], before: int) -> None:
    facets = read(reads(*stray, rows=100, before=before))
    assert facets["columns"]["records"] == 100
    (problem,) = facets["problems"]
    assert (problem["severity"], problem["kind"], problem["row"]) == ("error", "stray-quote", stray[0] + 2)
    assert (problem["column"], problem["value"][0]) == (READS.split(",")[before], '"')
    for row in stray:
        assert str(row + 2) in problem["message"]


def test_of_many_stray_quotes_the_first_are_named_and_all_are_counted() -> None:
    (problem,) = problems(reads(*range(100), rows=100))
    assert "100 lines" in problem["message"]
    assert "and 80 more" in problem["message"]
    assert len(problem["message"]) < 400


def test_a_cell_in_quotes_that_looks_like_rows_is_a_warning() -> None:
    lines = reads(rows=5).decode().split("\n")
    lines[2], lines[4] = lines[2].replace(",10xV3", ',"10xV3'), lines[4].replace("10xV3", '10xV3"')
    facets = read("\n".join(lines).encode())
    assert facets["columns"]["records"] == 3
    (problem,) = facets["problems"]
    assert (problem["severity"], problem["kind"], problem["row"]) == ("warning", "rows-in-a-cell", 3)
    assert "quote" in problem["message"]


def test_a_row_after_a_cell_of_several_lines_names_both_its_row_and_its_line() -> None:
    data = b'Component,Note,Id\nD,"a\n\nb",1\nD,c,"2\nD,d,3\n'
    (problem,) = problems(data)
    assert (problem["row"], problem["column"], problem["value"]) == (3, "Id", '"2')
    assert "line 5" in problem["message"]
    assert read(data)["columns"]["records"] == 3


CELLS_OF_A_TABLE = st.text('ab,"\n é', max_size=6)


@given(st.lists(st.lists(CELLS_OF_A_TABLE, min_size=2, max_size=2), min_size=1, max_size=6), st.data())
def test_a_quote_typed_anywhere_loses_no_record_without_a_finding(
    cells: list[list[str]], data: st.DataObject
) -> None:
    clean = csv_of(["Component", "Note", "Site"], *(["D", *row] for row in cells)).decode()
    place = data.draw(st.integers(0, len(clean)))
    facets = read((clean[:place] + '"' + clean[place:]).encode())
    assert facets["columns"]["records"] >= len(cells) or facets["problems"]


def test_ids_are_told_apart_into_single_good_ones_and_odd_cells() -> None:
    data = table(
        "ScRNA-seqLevel2",
        "HTAN Data File ID|HTAN Parent Data File ID",
        "HTA1_1_1|HTA1_1_5",
        "|HTA2_1_5; HTA1_1_x",
        "HTA1_1_3 |unknown",
    )
    ids = read(data)["ids"]["ids"]
    assert ids["HTAN Data File ID"] == {
        "texts": "HTA1_1_1,,",
        "odd": [[2, "HTA1_1_3<U+0020>", ["HTA1_1_3"], []]],
        "atlases": ["HTA1"],
    }
    assert ids["HTAN Parent Data File ID"] == {
        "texts": "HTA1_1_5,,",
        "odd": [[1, "HTA2_1_5; HTA1_1_x", ["HTA2_1_5"], ["HTA1_1_x"]], [2, "unknown", [], []]],
        "atlases": ["HTA1"],
    }


def test_rows_without_a_synapse_id_are_runs() -> None:
    data = table("X", "entityId", "syn1", "", "", "no", "syn2", "", " syn3", "syn12abc", "syn", "syn1,2")
    rows = read(data)["rows"]
    assert rows["no_entity"] == [
        [1, 2, ""],
        [3, 1, "no"],
        [5, 1, ""],
        [6, 1, " syn3"],
        [7, 1, "syn12abc"],
        [8, 1, "syn"],
        [9, 1, "syn1,2"],
    ]
    assert rows["entities"] == "1,,,,2,,,,,"
    assert filled(data)["entityId"] == 7


def test_the_synapse_ids_of_many_rows_are_packed_in_their_order() -> None:
    rows = [f"syn{n}" if n % 200 else "" for n in range(1000)]
    packed = read(csv_of(["Component", "entityId"], *(["X", row] for row in rows)))["rows"]["entities"]
    assert packed.split(",") == [row.removeprefix("syn") for row in rows]


@pytest.mark.parametrize("data", [b"Component\nX\nX\n", b"Component,entityId\nX,\nX,NA\n", b""])
def test_a_manifest_without_synapse_ids_packs_none(data: bytes) -> None:
    assert read(data)["rows"]["entities"] == ""


def test_a_component_that_the_site_adds_keeps_its_id_column() -> None:
    site = json.dumps([{"name": "Lamp", "kind": "assay", "primary_id": "Lamp ID"}])
    data = table("Lamp", "Lamp ID", "HTA1_1_1")
    assert "Lamp ID" not in read(data)["ids"]["ids"]
    assert read(data, site)["ids"]["ids"]["Lamp ID"]["texts"] == "HTA1_1_1"


def test_the_component_is_the_most_frequent_value() -> None:
    data = csv_of(
        ["Component", "Id"], ["", "1"], ["B", "2"], ["A", "3"], ["A", "4"], ["NA", "5"], ["NA", "6"]
    )
    assert read(data)["ids"]["component"] == "A"


def test_a_wide_header_over_many_short_rows_costs_no_more_than_its_bytes() -> None:
    data = b"Component," + b",".join(b"c%d" % n for n in range(100_000)) + b"\n" + b"x\n" * 100_000
    columns = read(data)["columns"]
    assert (columns["records"], columns["cells"]) == (100_000, 100_000 * (MOST_COLUMNS - 1))
    assert columns["filled"] == 0


CELLS = st.sampled_from(
    ["", " ", "NA", "unknown", "None", "x", "HTA1_1_1", "HTA1_1_1, HTA1_1_2", 'a "b"', "é\n"]
)


@given(st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=20))
def test_counts_agree_with_a_plain_count(cells: list[list[str]]) -> None:
    header = ["Component", "HTAN Data File ID", "Gender", "entityId"]
    kept = [row for row in cells if any(cell.strip() for cell in row)]
    missing = {"", "na", "unknown"}
    expected = {
        name: sum(row[place].strip().lower() not in missing for row in kept)
        for place, name in enumerate(header)
    }
    facets = read(csv_of(header, *cells))
    assert facets["columns"]["records"] == len(kept)
    assert {column["name"]: column["filled"] for column in facets["columns"]["columns"]} == expected


def test_of_a_manifest_with_too_many_columns_the_first_are_read_and_its_rows_are_whole() -> None:
    names = [f"Own {number}" for number in range(2 * MOST_COLUMNS)]
    narrow = csv_of(
        ["Component", *names[: MOST_COLUMNS - 1]],
        *([component, *["x"] * (MOST_COLUMNS - 1)] for component in ("A", "A", " ")),
    )
    wide = csv_of(["Component", *names], *([component, *["x"] * len(names)] for component in ("A", "A", " ")))
    assert read(wide)["columns"] == read(narrow)["columns"]
    assert [problem["kind"] for problem in problems(wide)] == ["too-many-columns"]


def test_blank_columns_of_a_spreadsheet_change_nothing_but_values_in_them_are_said() -> None:
    plain = csv_of(["Component", "Site"], ["A", "Lung"])
    blank = csv_of(["Component", "Site", *[""] * 16_382], ["A", "Lung", *[""] * 16_382])
    odd = csv_of(["Component", "Site", *[""] * 16_382], ["A", "Lung", *[""] * 16_381, "x"])
    assert read(blank)["columns"]["filled"] == read(plain)["columns"]["filled"] == 1
    assert problems(blank) == []
    assert [problem["kind"] for problem in problems(odd)] == ["long-row"]


def test_a_cell_that_names_too_many_ids_is_said_with_its_row() -> None:
    ids_of = lambda count: ", ".join(f"HTA1_1_{number}" for number in range(count))  # noqa: E731
    most, more = (
        table("ScRNA-seqLevel2", "HTAN Parent Data File ID", "", ids_of(count))
        for count in (MOST_IDS, MOST_IDS + 1)
    )
    assert not problems(most)
    [problem] = problems(more)
    assert (problem["kind"], problem["row"]) == ("too-many-ids", 3)
    [[_, text, good, bad]] = read(more)["ids"]["ids"]["HTAN Parent Data File ID"]["odd"]
    assert (good, bad) == ([], [text])


def test_an_id_is_malformed_if_it_is_too_long() -> None:
    longest = "HTA1_1_" + "1" * (LONGEST - 7)
    found = read(table("ScRNA-seqLevel1", "HTAN Data File ID", longest, longest + "1"))["ids"]["ids"]
    assert found["HTAN Data File ID"]["texts"] == f"{longest},"
    assert found["HTAN Data File ID"]["odd"] == [[1, f"{longest[:-1]}…", [], [f"{longest[:-1]}…"]]]
