from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..helpers import LEVEL_1, PEOPLE, SAMPLES, SOUND, csv_of, decoded, findings, places, report_of, table

ID = "HTAN Data File ID"
PARENT = "HTAN Parent Data File ID"
FILE = "HTAN Data File ID|HTAN Parent Data File ID|entityId"


def level_2(*rows: str, component: str = "ScRNA-seqLevel2") -> bytes:
    return table(component, FILE, *(f"{row}|syn1" for row in rows))


@pytest.mark.parametrize(
    "name", ["HTA1_", "HTA1__", "HTA1_EXT", "HTA1_1_", "HTA1_1", "HTA1_1_x", "HTA100_1_1", "x", "HTA1_1_1_1"]
)
def test_a_malformed_primary_id_is_an_error(name: str) -> None:
    found = findings(*SOUND, level_2(f"{name}|HTA1_1_101"), code="H_ID_SPEC")
    assert places(found) == [("syn15", 2, ID, name)]
    assert (found[0].severity, found[0].expected) == ("error", "a data file id, like HTA3_8001_4651918348")


@pytest.mark.parametrize(
    ("name", "shown"), [("HTA1_1_9\n", "HTA1_1_9\\n"), (" HTA1_1_9", "<U+0020>HTA1_1_9")]
)
def test_the_whole_cell_of_a_primary_id_must_match(name: str, shown: str) -> None:
    data = csv_of(["Component", ID, PARENT, "entityId"], ["ScRNA-seqLevel2", name, "HTA1_1_101", "syn1"])
    assert places(findings(*SOUND, data, code="H_ID_SPEC")) == [("syn15", 2, ID, shown)]


def test_biospecimens_and_clinical_manifests_are_checked_too() -> None:
    people = table("Demographics", "HTAN Participant ID", "HTA1_", "HTA1_2")
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_B1|HTA1_2")
    assert places(findings(people, samples, code="H_ID_SPEC")) == [
        ("syn11", 2, "HTAN Participant ID", "HTA1_"),
        ("syn12", 2, "HTAN Biospecimen ID", "HTA1_1_B1"),
    ]


def test_a_malformed_id_is_reported_once_where_it_is_primary_with_the_rows_that_name_it() -> None:
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_x|HTA1_1", "HTA1_1_2|HTA1_1_x"
    )
    files = table(
        "ImagingLevel2",
        "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId",
        "HTA1_1_101|HTA1_1_x|syn1",
        "HTA1_1_102|HTA1_1_2, HTA1_1_x|syn1",
    )
    for order in ((PEOPLE, samples, files), (files, PEOPLE, samples)):
        (found,) = findings(*order, code="H_ID_SPEC")
        assert (found.component, found.row, found.column, found.value) == (
            "Biospecimen",
            2,
            "HTAN Biospecimen ID",
            "HTA1_1_x",
        )
        assert "(3 other rows name it)" in found.message


def test_rows_that_name_an_id_with_a_blank_around_it_are_counted() -> None:
    samples = csv_of(
        ["Component", "HTAN Biospecimen ID", "HTAN Parent ID"], ["Biospecimen", "HTA1_1_1 ", "HTA1_1"]
    )
    (found,) = findings(
        PEOPLE,
        samples,
        table(
            "ImagingLevel2",
            "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId",
            "HTA1_1_101|HTA1_1_1|syn1",
        ),
        code="H_ID_SPEC",
    )
    assert (found.value, found.message.endswith("(1 other row names it).")) == ("HTA1_1_1<U+0020>", True)


def test_a_malformed_parent_that_is_nowhere_primary_is_reported_at_the_first_row() -> None:
    files = level_2("HTA1_1_201|HTA1_1_y", "HTA1_1_202|HTA1_1_y", "HTA1_1_203|see table")
    found = findings(*SOUND[:3], files, code="H_ID_SPEC")
    assert places(found) == [("syn14", 2, PARENT, "HTA1_1_y"), ("syn14", 4, PARENT, "see table")]
    assert "(also in 1 more row, the last is row 3)" in found[0].message


def test_the_same_wrong_id_in_three_manifests_is_a_finding_in_each_and_its_page_says_so() -> None:
    wrong = [level_2(f"HTA1_1_{n}01|HTA1_1_y", f"HTA1_1_{n}02|HTA1_1_y") for n in (3, 4, 5)]
    report = report_of(*SOUND, *wrong)
    for entity in ("syn15", "syn16", "syn17"):
        groups = decoded(report, f"findings/{entity}")["groups"]
        [group] = [one for one in groups if one["code"] == "H_ID_SPEC"]
        assert (group["column"], group["findings"]) == (PARENT, [[2, "HTA1_1_y"]])
        assert "(also in 1 more row, the last is row 3)" in group["message"]
    assert all(one["errors"] for one in decoded(report, "manifests")[-3:])


def test_a_wrong_id_in_two_columns_of_a_manifest_is_a_finding_in_each() -> None:
    columns = "HTAN Biospecimen ID|HTAN Parent ID|Adjacent Biospecimen IDs"
    samples = table("Biospecimen", columns, "HTA1_1_1|HTA1_1|HTA1_1_z", "HTA1_1_2|HTA1_1_z|")
    assert places(findings(PEOPLE, samples, code="H_ID_SPEC")) == [
        ("syn12", 2, "Adjacent Biospecimen IDs", "HTA1_1_z"),
        ("syn12", 3, "HTAN Parent ID", "HTA1_1_z"),
    ]


def test_a_malformed_participant_is_a_finding_in_each_manifest_that_has_it_as_primary_id() -> None:
    people = table("Demographics", "HTAN Participant ID", "HTA1_1", "HTA1__")
    therapy = table("Therapy", "HTAN Participant ID", "HTA1__", "HTA1_1", "HTA1__")
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1__")
    found = findings(people, therapy, samples, code="H_ID_SPEC")
    assert places(found) == [
        ("syn11", 3, "HTAN Participant ID", "HTA1__"),
        ("syn12", 2, "HTAN Participant ID", "HTA1__"),
    ]
    assert [one.message.rpartition(" (")[2] for one in found] == [
        "1 other row names it).",
        "also in 1 more row, the last is row 4).",
    ]


def test_a_parent_malformed_in_a_manifest_that_is_exempt_is_reported_where_it_is_named() -> None:
    odd, child = level_2("HTA1_1_x|HTA1_1_101"), level_2("HTA1_1_301|HTA1_1_x")
    found = findings(*SOUND, odd, child, code="H_ID_SPEC", exempt={"H_ID_SPEC": ["syn15"]})
    assert places(found) == [("syn16", 2, PARENT, "HTA1_1_x")]


def test_a_missing_id_is_reported_once_in_its_row() -> None:
    files = level_2("|HTA1_1_101", "HTA1_1_202|", "HTA1_1_203|unknown", "NA|HTA1_1_101")
    assert places(findings(*SOUND[:3], files, code="H_ID_SPEC")) == [
        ("syn14", 2, ID, ""),
        ("syn14", 3, PARENT, ""),
        ("syn14", 4, PARENT, "unknown"),
        ("syn14", 5, ID, "NA"),
    ]


def test_several_ids_in_a_primary_cell_are_an_error() -> None:
    found = findings(*SOUND, level_2("HTA1_1_301,HTA1_1_302|HTA1_1_101"), code="H_ID_SPEC")
    assert places(found) == [("syn15", 2, ID, "HTA1_1_301,HTA1_1_302")]


def test_an_adjacent_id_follows_the_sop_and_may_be_missing() -> None:
    columns = "HTAN Biospecimen ID|HTAN Parent ID|Adjacent Biospecimen IDs"
    for component in ("Biospecimen", "SRRSBiospecimen"):
        samples = table(
            component, columns, "HTA1_1_1|HTA1_1|HTA1_1_z", "HTA1_1_2|HTA1_1|", "HTA1_1_3|HTA1_1|unknown"
        )
        found = findings(PEOPLE, samples, code="H_ID_SPEC")
        assert places(found) == [("syn12", 2, "Adjacent Biospecimen IDs", "HTA1_1_z")]


def test_a_duplicate_is_an_error_wherever_the_first_one_stands() -> None:
    again = level_2(
        "HTA1_1_201|HTA1_1_101", "HTA1_1_101|HTA1_1_102", "HTA1_1_1|HTA1_1_101", "HTA1_1_201|HTA1_1_101"
    )
    found = findings(PEOPLE, SAMPLES, LEVEL_1, again, code="H_ID_SPEC")
    assert places(found) == [
        ("syn14", 3, ID, "HTA1_1_101"),
        ("syn14", 4, ID, "HTA1_1_1"),
        ("syn14", 5, ID, "HTA1_1_201"),
    ]
    assert "(row 2 of syn13)" in found[0].message
    assert "(row 2 of syn12)" in found[1].message


def test_a_duplicate_biospecimen_is_an_error_and_a_participant_may_stand_in_many_rows() -> None:
    more = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_1")
    therapy = table("Therapy", "HTAN Participant ID", "HTA1_1", "HTA1_1")
    found = findings(PEOPLE, PEOPLE, therapy, SAMPLES, more, code="H_ID_SPEC")
    assert places(found) == [("syn15", 2, "HTAN Biospecimen ID", "HTA1_1_1")]


def test_the_primary_id_of_an_accessory_manifest_is_not_checked() -> None:
    columns = "Accessory Synapse ID|HTAN Parent Biospecimen ID"
    accessory = table("AccessoryManifest", columns, "syn77|HTA1_1_1", "syn77|HTA1_1_x", "|HTA1_1_1")
    found = findings(PEOPLE, SAMPLES, accessory, code="H_ID_SPEC")
    assert places(found) == [("syn13", 3, "HTAN Parent Biospecimen ID", "HTA1_1_x")]


@pytest.mark.parametrize("component", ["BulkWESLevel2", "BulkRNA-seqLevel2"])
@pytest.mark.parametrize("cell", ["Not Applicable", "Not Applicable - no raw data", "not applicable"])
def test_not_applicable_is_a_legal_parent_for_bulk_level_2(component: str, cell: str) -> None:
    assert findings(*SOUND, level_2(f"HTA1_1_301|{cell}", component=component), code="H_ID_SPEC") == []


@pytest.mark.parametrize("component", ["ScRNA-seqLevel2", "BulkWESLevel3", "RPPALevel2"])
def test_not_applicable_is_no_parent_elsewhere(component: str) -> None:
    found = findings(*SOUND, level_2("HTA1_1_301|Not Applicable", component=component), code="H_ID_SPEC")
    assert places(found) == [("syn15", 2, PARENT, "Not Applicable")]


def test_not_applicable_is_fine_where_the_parent_biospecimen_is_given() -> None:
    columns = "HTAN Data File ID|HTAN Parent Data File ID|HTAN Parent Biospecimen ID|entityId"
    rows = (
        "HTA1_1_301|Not Applicable|HTA1_1_1|syn1",
        "HTA1_1_302|Not Applicable|HTA1_1_x|syn1",
        "HTA1_1_303|Not Applicable||syn1",
    )
    found = findings(*SOUND, table("RPPALevel2", columns, *rows), code="H_ID_SPEC")
    assert places(found) == [
        ("syn15", 3, "HTAN Parent Biospecimen ID", "HTA1_1_x"),
        ("syn15", 4, PARENT, "Not Applicable"),
    ]


BOTH = "HTAN Data File ID|HTAN Parent Data File ID|HTAN Parent Biospecimen ID|entityId"
TWO_PARENTS = (
    "RPPALevel2", "RPPALevel3", "RPPALevel4", "MassSpectrometryLevel2", "MassSpectrometryLevel3",
    "MassSpectrometryLevel4", "MultiplexedCITE-seqLevel2", "MultiplexedCITE-seqLevel3",
    "MultiplexedCITE-seqLevel4", "10xVisiumSpatialTranscriptomics-RNA-seqLevel2",
    "10xVisiumSpatialTranscriptomics-RNA-seqLevel3", "10xVisiumSpatialTranscriptomics-RNA-seqLevel4",
    "10xVisiumSpatialTranscriptomics-AuxiliaryFiles", "ImagingLevel3Image", "BulkRNA-seqLevel2",
    "BulkWESLevel2", "MicroarrayLevel2",
)  # fmt: skip


@pytest.mark.parametrize("component", TWO_PARENTS)
def test_both_parent_columns_are_checked_where_the_model_requires_both(component: str) -> None:
    rows = (
        "HTA1_1_301|HTA1_1_101|HTA1_1_1|syn1",
        "HTA1_1_302|HTA1_1_x|HTA1_1_y|syn1",
        "HTA1_1_303|HTA2_1_101|HTA2_1_1|syn1",
        "HTA1_1_304|HTA1_1_101 see table|HTA1_1_1|syn1",
    )
    found = findings(*SOUND, table(component, BOTH, *rows), code="H_ID_SPEC")
    assert [(one.severity, one.row, one.column, one.value) for one in found] == [
        ("error", 3, "HTAN Parent Biospecimen ID", "HTA1_1_y"),
        ("error", 3, PARENT, "HTA1_1_x"),
        ("warning", 4, "HTAN Parent Biospecimen ID", "HTA2_1_1"),
        ("warning", 4, PARENT, "HTA2_1_101"),
        ("error", 5, PARENT, "see"),
        ("error", 5, PARENT, "table"),
    ]


def test_both_parent_columns_of_an_unknown_component_and_of_one_of_the_site_are_checked() -> None:
    odd = table("Holotomography", BOTH, "HTA1_1_301|HTA1_1__|HTA1_1_|syn1")
    own = {
        "name": "Holotomography",
        "kind": "assay",
        "primary_id": ID,
        "parent_id": "HTAN Parent Biospecimen ID",
        "second_parent_id": PARENT,
    }
    for rules in ({}, {"components": [own]}):
        assert places(findings(*SOUND, odd, code="H_ID_SPEC", **rules)) == [
            ("syn15", 2, "HTAN Parent Biospecimen ID", "HTA1_1_"),
            ("syn15", 2, PARENT, "HTA1_1__"),
        ]


@pytest.mark.parametrize(
    ("component", "is_missing"),
    [
        ("RPPALevel2", False),
        ("10xVisiumSpatialTranscriptomics-AuxiliaryFiles", False),
        ("RPPALevel3", True),
        ("MassSpectrometryLevel2", True),
        ("10xVisiumSpatialTranscriptomics-RNA-seqLevel3", True),
        ("BulkWESLevel2", True),
    ],
)
def test_a_blank_parent_file_is_fine_where_the_biospecimen_is_given_and_there_is_no_lower_level(
    component: str, *, is_missing: bool
) -> None:
    found = findings(*SOUND, table(component, BOTH, "HTA1_1_301||HTA1_1_1|syn1"), code="H_ID_SPEC")
    assert [(one.column, one.kind) for one in found] == [(PARENT, "missing-parent")] * is_missing


@pytest.mark.parametrize("component", ["RPPALevel2", "RPPALevel3", "MassSpectrometryLevel2"])
def test_a_blank_biospecimen_is_fine_beside_a_parent_file_and_two_blanks_are_one_finding(
    component: str,
) -> None:
    rows = ("HTA1_1_301|HTA1_1_101||syn1", "HTA1_1_302|||syn1", "HTA1_1_303||unknown|syn1")
    found = findings(*SOUND, table(component, BOTH, *rows), code="H_ID_SPEC")
    assert places(found) == [("syn15", 3, PARENT, ""), ("syn15", 4, PARENT, "")]


def test_an_id_of_another_atlas_is_one_warning() -> None:
    samples = table(
        "Biospecimen",
        "HTAN Biospecimen ID|HTAN Parent ID",
        "HTA2_1_1|HTA1_1",
        "HTA1_1_2|HTA2_1_1",
        "HTA1_1_3|HTA12_1",
    )
    found = findings(PEOPLE, samples, code="H_ID_SPEC")
    assert [(one.severity, one.row, one.column, one.value) for one in found] == [
        ("warning", 2, "HTAN Biospecimen ID", "HTA2_1_1"),
        ("warning", 4, "HTAN Parent ID", "HTA12_1"),
    ]
    assert "(1 other row names it)" in found[0].message


def test_an_id_of_another_atlas_is_a_warning_in_each_manifest_that_names_it() -> None:
    wrong = [level_2(f"HTA1_1_{n}01|HTA2_1_101", f"HTA1_1_{n}02|HTA2_1_101, HTA1_1_101") for n in (3, 4)]
    found = findings(*SOUND, *wrong, code="H_ID_SPEC")
    assert [(one.severity, one.kind, *place) for one, place in zip(found, places(found), strict=True)] == [
        ("warning", "foreign-id", "syn15", 2, PARENT, "HTA2_1_101"),
        ("warning", "foreign-id", "syn16", 2, PARENT, "HTA2_1_101"),
    ]


def test_an_atlas_that_is_not_called_as_its_ids_has_no_foreign_ids() -> None:
    assert findings(*SOUND, code="H_ID_SPEC", atlas="TNP/SARDANA") == []
    assert findings(*SOUND, code="H_ID_SPEC", atlas="HTA1 (test)") == []
    assert len(findings(PEOPLE, code="H_ID_SPEC", atlas="HTA11")) == 2


def test_phase_2_ids_are_known() -> None:
    people = table("Demographics", "HTAN Participant ID", "HTA200_1")
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA200_1_B1|HTA200_1", "HTA200_1_B2|HTA200_1_B1"
    )
    files = table(
        "OtherAssay",
        "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId",
        "HTA200_1_D1|HTA200_1_B1|syn1",
        "HTA200_1_B3|HTA200_1_D1|syn1",
    )
    found = findings(people, samples, files, code="H_ID_SPEC", atlas="HTA200")
    assert places(found) == [
        ("syn13", 3, "HTAN Data File ID", "HTA200_1_B3"),
        ("syn13", 3, "HTAN Parent Biospecimen ID", "HTA200_1_D1"),
    ]


def test_an_exempt_manifest_hides_nothing_of_the_others() -> None:
    one, two = level_2("HTA1_1_x|HTA1_1_101"), level_2("HTA1_1_x|HTA1_1_101")
    found = findings(*SOUND, one, two, code="H_ID_SPEC", exempt={"H_ID_SPEC": ["syn15"]})
    assert places(found) == [("syn16", 2, ID, "HTA1_1_x")]


def test_a_row_without_ids_is_shown_with_its_number_behind_blank_rows() -> None:
    data = level_2("|HTA1_1_101").replace(b"\r\n", b"\r\n\r\n,,\r\n", 1)
    assert places(findings(*SOUND, data, code="H_ID_SPEC")) == [("syn15", 4, ID, "")]


WELL_FORMED = re.compile(r"HTA[1-9][0-9]?_[0-9]+_[0-9]+")
NAMES = st.sampled_from(
    ["HTA1_1_901", "HTA1_1_902", "HTA1_1_x", "HTA1_1_y", "HTA1_1_", "HTA2_1_901", "HTA2_1_902", ""]
)
ROWS = st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=1, max_size=4)


@given(st.lists(st.tuples(st.sampled_from(["RPPALevel2", "RPPALevel3"]), ROWS), min_size=1, max_size=3))
def test_each_wrong_id_is_found_where_it_is_primary_or_else_in_each_manifest_and_column(
    drawn: list[tuple[str, list[tuple[str, str, str]]]],
) -> None:
    """Against plain loops: nothing vanishes by merging, and no dependent is reported beside its cause."""
    columns = (ID, PARENT, "HTAN Parent Biospecimen ID")
    cells: dict[tuple[str, str, str], list[int]] = {}
    for number, (_, rows) in enumerate(drawn, 11):
        for row, record in enumerate(rows, 2):
            for column, name in zip(columns, record, strict=True):
                if name and not (WELL_FORMED.fullmatch(name) and name.startswith("HTA1_")):
                    cells.setdefault((f"syn{number}", column, name), []).append(row)
    primary = {name for _, column, name in cells if column == ID}
    expected = {
        (entity, column, name, rows[0])
        for (entity, column, name), rows in cells.items()
        if column == ID or name not in primary
    }
    tables = [table(component, "|".join(columns), *map("|".join, rows)) for component, rows in drawn]
    found = [one for one in findings(*tables, code="H_ID_SPEC") if one.kind in ("malformed-id", "foreign-id")]
    assert {(one.manifest, one.column, one.value, one.row) for one in found} == expected
    assert len(found) == len(expected)
    for name in primary:
        named = sum(len(rows) for (_, column, one), rows in cells.items() if column != ID and one == name)
        said = [one.message for one in found if one.value == name and "other row" in one.message]
        assert len(said) == bool(named)
        assert not named or f"{named} other row" in said[0]
