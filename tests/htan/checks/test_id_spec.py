from __future__ import annotations

import pytest

from ..helpers import LEVEL_1, PEOPLE, SAMPLES, SOUND, csv_of, findings, places, table

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
        assert "(3 more rows)" in found.message


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
    assert (found.value, found.message.endswith("(1 more row).")) == ("HTA1_1_1<U+0020>", True)


def test_a_malformed_parent_that_is_nowhere_primary_is_reported_at_the_first_row() -> None:
    files = level_2("HTA1_1_201|HTA1_1_y", "HTA1_1_202|HTA1_1_y", "HTA1_1_203|see table")
    found = findings(*SOUND[:3], files, code="H_ID_SPEC")
    assert places(found) == [("syn14", 2, PARENT, "HTA1_1_y"), ("syn14", 4, PARENT, "see table")]
    assert "(1 more row)" in found[0].message


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
    assert "(1 more row)" in found[0].message


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
