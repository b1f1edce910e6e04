"""Whatever strangers write, the domain answers: with findings, in valid UTF-8, without an exception."""

from __future__ import annotations

import csv
import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from hdash_site.htan import entities, listing, parsing, report
from hdash_site.htan.components import catalogue

from .helpers import PROJECT, csv_of, listing_of, newest, report_of

NASTY = [
    *["", " ", "\n", "\0", "\x1b[31m", "\ud800", "\u202egnp.exe", "🧬", "é", "x" * 256, "HTA1_" + "1" * 1200],
    *[
        "<script>alert(1)</script>",
        '"><img onerror=x>',
        "javascript:alert(1)",
        "]]>",
        "${7*7}",
        "<%",
        "../../x",
    ],
    *[
        "../../x",
        "=HYPERLINK(1)",
        "+1",
        "-1",
        "@x",
        "\t=1",
        "nan",
        "inf",
        "1e999",
        "-0",
        "13026.0",
        "unknown",
    ],
    *[
        "Not Applicable",
        "HTA1_1",
        "HTA1_1_1",
        "HTA1_1_1,HTA1_1_2",
        "HTA1_",
        "HTA1__",
        "HTA1_EXT",
        "HTA1_EXT5_1",
    ],
    *[
        "HTA1_EXT5_1",
        "HTA1_1_1\n",
        "HTA2_1_1",
        "HTA200_1_B1",
        "HTA200_1_D1",
        "syn1",
        "syn2",
        "syn3",
        "plain.gz",
        "archive",
    ],
    *["synapse_storage_manifest_x.csv", "file", "folder"],
]
CELLS = st.sampled_from(NASTY) | st.text(st.characters(codec=None), max_size=12)
COLUMNS = [
    *["Component", "entityId", "Id", "", "X18", "Gender", "Treatment Type", "Days to Treatment Start"],
    *[
        "Days to Treatment End",
        "Acquisition Method Type",
        "Collection Days from Index",
        *catalogue().id_columns(),
    ],
]
COMPONENTS = [component.name for component in catalogue()] + ["Odd", "", "DataFlow"]


def sound(facets: dict[str, bytes]) -> None:
    """Each facet is valid UTF-8 (json.loads and csv.reader read it) and holds no NUL."""
    for name, facet in facets.items():
        text = facet.decode("utf-8")
        assert "\0" not in text
        if name.endswith(".csv"):
            rows = list(csv.reader(io.StringIO(text)))
            assert len({len(row) for row in rows}) == 1
            assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for row in rows for cell in row)
        elif not name.endswith(".sif"):
            json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")
            assert "\\u0000" not in text
            assert "\\ud8" not in text


def encoded(rows: list[list[str]]) -> bytes:
    """A CSV, lone surrogates and all."""
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(rows)
    return stream.getvalue().encode("utf-8", "surrogatepass")


TABLES = st.tuples(
    st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=8),
    st.lists(st.lists(CELLS, max_size=9), max_size=6),
).map(lambda given: encoded([given[0], *given[1]]))
MANIFESTS = st.tuples(st.sampled_from(COMPONENTS), TABLES | st.binary(max_size=80) | CELLS)
IDS = st.sampled_from(["syn1", "syn2", "syn3", "syn4", "", PROJECT, "\ud800"])
ENTITIES = st.tuples(IDS, CELLS, st.sampled_from(["file", "folder", "table", ""]), IDS, *[CELLS] * 7).map(
    list
)


@given(st.binary(max_size=300) | TABLES)
def test_any_bytes_are_a_manifest(data: bytes) -> None:
    sound(parsing.facets(data))


@given(st.lists(ENTITIES, max_size=12), st.lists(CELLS, max_size=3))
def test_any_cells_are_a_listing(rows: list[list[str]], archives: list[str]) -> None:
    data = encoded([list(entities.COLUMNS), *rows])
    sound(listing.facets(data, PROJECT, archives))
    newest(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_listing(data: bytes) -> None:
    sound(listing.facets(data, PROJECT, []))
    newest(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(MANIFESTS, max_size=5), st.sampled_from(["HTA1", "HTA200", "a/b", "\ud800", ""]))
def test_any_manifests_make_a_report(tables: list[tuple[str, bytes | str]], atlas: str) -> None:
    first = report_of(*tables, atlas=atlas)
    sound(first)
    assert first == report_of(*tables, atlas=atlas)
    summary = json.loads(first["summary"])
    rows = list(csv.DictReader(io.StringIO(first["findings.csv"].decode())))
    assert summary["errors"] + summary["warnings"] == len(rows)
    assert all(
        len(row["value"]) <= 201 and row["message"].endswith(".")
        for row in rows
        if row["code"] != "H_MANIFEST"
    )


@settings(deadline=None)
@given(st.lists(ENTITIES, max_size=12), st.binary(max_size=100))
def test_any_listing_makes_a_report(rows: list[list[str]], data: bytes) -> None:
    facets = listing.facets(encoded([list(entities.COLUMNS), *rows]), PROJECT, [])
    read = {name: parsing.facets(data) for name, _ in newest(encoded([list(entities.COLUMNS), *rows]))}
    about = json.dumps({"id": "HTA1", "synapse_id": PROJECT, "name": "<b>", "liaison": "\ud800"})
    sound(report.facets(about, facets, read, {}, "{}"))


def test_a_listing_of_one_huge_name_and_one_huge_manifest_cell_is_read() -> None:
    big = "HTA1_x " * 10**6
    report_of(
        csv_of(["Component", "HTAN Data File ID", "HTAN Parent Data File ID"], ["OtherAssay", big, big])
    )
    listing.facets(listing_of(["syn2", big, "folder", PROJECT, *[""] * 7]), PROJECT, [])
