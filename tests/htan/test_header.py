from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdash_site.htan import demographics
from hdash_site.htan.header import MOST_COLUMNS, Header, read_header
from hdash_site.htan.parsing import known_columns

from .helpers import csv_of, read, table

KNOWN = known_columns("[]")


def header(*names: str) -> Header:
    return read_header(names, KNOWN)


def kinds(found: Header) -> list[tuple[str, str, str]]:
    return [(problem.kind, problem.column, problem.value) for problem in found.problems]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("HTAN\u00a0Data File ID", "HTAN<U+00A0>Data File ID"),
        ("HTAN  Data File ID", "HTAN <U+0020>Data File ID"),
        ("htan data file id", "htan data file id"),
        ("HTAN Data\u200b File ID", "HTAN Data<U+200B> File ID"),
        ("\ufeffHTAN Data File ID", "<U+FEFF>HTAN Data File ID"),
        ("HTAN Data File ID\u00a0", "HTAN Data File ID<U+00A0>"),
        ("HTAN Data\u00ad File ID", "HTAN Data<U+00AD> File ID"),
        ("HTAN\u2003Data\u202fFile\u3000ID", "HTAN<U+2003>Data<U+202F>File<U+3000>ID"),
        ("HTAN.Data.File.ID", "HTAN.Data.File.ID"),
        ("HTAN_Data_File_ID", "HTAN_Data_File_ID"),
        ("HTAN Data File ID.1", "HTAN Data File ID.1"),
        ("HTAN Data File ID_x", "HTAN Data File ID_x"),
        ("HTAN Data File ID.y", "HTAN Data File ID.y"),
        ("HTAN Data File ID...2", "HTAN Data File ID...2"),
        ("HTAN Data File ID_1", "HTAN Data File ID_1"),
        ("HTAN.Data.File.ID.1", "HTAN.Data.File.ID.1"),
    ],
)
def test_a_column_that_rules_know_is_recognised_in_another_spelling(written: str, shown: str) -> None:
    found = header("Component", written)
    assert found.places == {"Component": 0, "HTAN Data File ID": 1}
    (problem,) = found.problems
    assert (problem.kind, problem.severity, problem.row, problem.value) == (
        "column-name",
        "warning",
        1,
        shown,
    )
    assert problem.message == f'The column is written "{shown}". Rename it to "HTAN Data File ID".'


@pytest.mark.parametrize("name", ["entityid", "ENTITYID", "Entity\u200bId", "entityId.1", "entityId_y"])
def test_bookkeeping_is_recognised_too_and_never_counts(name: str) -> None:
    data = csv_of(["Component", "Filename ", name], ["D", "f", "syn1"])
    assert read(data)["columns"]["cells"] == 0
    assert read(data)["rows"]["no_entity"] == []


@pytest.mark.parametrize("copy", ["HTAN Data File ID.1", "htan data file id", "HTAN\u00a0Data File ID_x"])
@pytest.mark.parametrize("first", [True, False])
def test_beside_the_proper_column_another_spelling_is_a_repetition(copy: str, first: bool) -> None:
    columns = [("HTAN Data File ID", "HTA1_1_1"), (copy, "HTA1_1_2")]
    names, cells = zip(*columns if first else columns[::-1], strict=True)
    facets = read(csv_of(["Component", *names], ["D", *cells]))
    assert facets["ids"]["ids"]["HTAN Data File ID"]["texts"] == "HTA1_1_1"
    assert facets["columns"]["cells"] == 0
    (problem,) = facets["problems"]
    assert (problem["kind"], problem["severity"], problem["column"]) == (
        "column-of-a-tool",
        "error",
        "HTAN Data File ID",
    )
    assert f"(column {2 if first else 3} was read)" in problem["message"]


def test_of_two_spellings_without_the_proper_column_the_first_is_read() -> None:
    found = header("entityId_x", "entityId_y")
    assert found.places == {"entityId": 0}
    assert kinds(found) == [
        ("column-name", "entityId", "entityId_x"),
        ("column-of-a-tool", "entityId", "entityId_y"),
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("pool_x",),
        ("Grade.1", "Grade.2"),
        ("Age...5",),
        ("Antibody", "Antibody_1"),
        ("Source HTAN Data File ID",),
        ("Treatment Type", "Treatment Type 1"),
        ("Größe", "größe"),
        ("x", "y"),
        ("centroid_x", "centroid_y"),
    ],
)
def test_an_attribute_with_such_a_name_is_itself(names: tuple[str, ...]) -> None:
    found = header("Component", *names)
    assert (found.names, list(found.places)) == (["Component", *names], ["Component", *names])
    assert not found.problems


@pytest.mark.parametrize(
    ("names", "read_columns"),
    [
        (("Gender", "Gender.1"), {"Gender": 1}),
        (("Gender.1", "Gender"), {"Gender": 2}),
        (("Gender_x", "Gender_y"), {"Gender_x": 1}),
        (("Gender.x", "Gender.y"), {"Gender.x": 1}),
        (("Gender...2", "Gender...7"), {"Gender...2": 1}),
        (("Gender", "Gender\u200b"), {"Gender": 1}),
        (("Gender", "Gender"), {"Gender": 1}),
    ],
)
def test_an_attribute_that_is_there_twice_counts_once(
    names: tuple[str, ...], read_columns: dict[str, int]
) -> None:
    found = header("Component", *names)
    assert found.places == {"Component": 0} | read_columns
    assert [problem.severity for problem in found.problems] == ["error"]
    assert read(csv_of(["Component", *names], ["D", "a", "b"]))["columns"]["cells"] == 1


def test_an_attribute_with_an_invisible_character_is_reported_without_its_name_in_the_message() -> None:
    data = csv_of(["Component", "Tumor\u00a0Grade\u200b", "Id"], ["D", "G1", "1"])
    (problem,) = read(data)["problems"]
    assert (problem["kind"], problem["value"]) == ("unclear-column-name", "Tumor<U+00A0>Grade<U+200B>")
    assert "Tumor" not in problem["message"]
    assert [column["name"] for column in read(data)["columns"]["columns"]] == [
        "Component",
        "Tumor Grade",
        "Id",
    ]


def test_of_many_columns_the_first_are_named_and_the_rest_is_counted() -> None:
    found = header("Component", *(f"A{number}{end}" for number in range(50) for end in ("", ".1")))
    assert len(found.problems) == 20
    assert "(and 30 more columns)" in found.problems[-1].message


def test_a_very_long_name_is_read() -> None:
    assert not header("x" * 10**6 + "\u00a0").problems


def test_columns_after_the_last_that_is_read_are_said_to_be_left_out() -> None:
    most = header("Component", *(f"A{number}" for number in range(1, MOST_COLUMNS)))
    assert (len(most.places), most.problems) == (MOST_COLUMNS, [])
    found = header("Component", *(f"A{number}" for number in range(1, 20_000)))
    assert (found.places, found.width) == (most.places, 20_000)
    [problem] = found.problems
    assert (problem.kind, problem.value) == ("too-many-columns", "20000 columns")


def test_blank_cells_after_the_last_column_that_is_read_are_no_columns() -> None:
    found = header("Component", "Gender", *[""] * 16_382)
    assert (found.width, found.problems) == (MOST_COLUMNS, [])


def test_demographics_are_shown_whatever_their_header_and_encoding_are() -> None:
    plain = table("Demographics", "HTAN Participant ID|Gender", "HTA1_1|female")
    changed = plain.decode().replace("HTAN Participant", "HTAN\u00a0Participant").encode("utf-16")
    assert demographics.facets([changed], 1) == demographics.facets([plain], 1)


COLUMNS = ("Component", "HTAN Data File ID", "HTAN Parent Biospecimen ID", "Filename", "Gender", "entityId")
CELLS = st.sampled_from(["", "HTA1_1_1", "HTA1_1_2", "NA", "unknown", "None", "é", "a, b", "x\ny", "syn1"])
BLANK = st.sampled_from(["\u00a0", "  ", "\u2003", "\u200b ", " \u3000", "\ufeff "])
INSERTED = st.sampled_from(["\u200b", "\u00ad", "\u2060", "\ufeff", "\u200e"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "marks"])


@st.composite
def changed(draw: st.DrawFn, name: str) -> str:
    """The name of a column that rules know, in another spelling."""
    how = draw(st.sampled_from(["blank", "insert", "case", "suffix", "none"]))
    if how == "blank" and " " in name:
        before, _, after = name.partition(" ")
        return before + draw(BLANK) + after
    if how == "insert":
        place = draw(st.integers(1, len(name)))  # before the first column U+FEFF is a byte order mark
        return name[:place] + draw(INSERTED) + name[place:]
    if how == "case":
        return draw(st.sampled_from([name.lower(), name.upper(), name.swapcase()]))
    if how == "suffix":
        return name + draw(st.sampled_from([".1", "_x", "_y", ".x", "...2", "_1"]))
    return name


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=5, max_size=5), min_size=1, max_size=8), ENCODINGS, st.data())
def test_a_manifest_reads_the_same_in_any_spelling_and_encoding(
    cells: list[list[str]], encoding: str, data: st.DataObject
) -> None:
    rows = [["ScRNA-seqLevel1", *row] for row in cells]
    names = [data.draw(changed(name)) if name != "Gender" else name for name in COLUMNS]
    plain, other = read(csv_of(list(COLUMNS), *rows)), read(encode([names, *rows], encoding))
    for facet in ("columns", "rows", "ids"):
        assert other[facet] == plain[facet]
    spelt = [problem for problem in other["problems"] if problem["kind"] == "column-name"]
    assert len(spelt) == sum(name != column for name, column in zip(names, COLUMNS, strict=True))
    if encoding.startswith("utf-16"):
        assert "utf-16" in [problem["kind"] for problem in other["problems"]]
    if encoding == "marks":
        assert "repeated-marks" in [problem["kind"] for problem in other["problems"]]


def encode(rows: list[list[str]], encoding: str) -> bytes:
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    text = stream.getvalue()
    if encoding == "marks":
        return b"\xef\xbb\xbf" * 2 + text.encode()
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:  # cp1252 has no zero width space
        return text.encode()
