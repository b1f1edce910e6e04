from __future__ import annotations

import pytest

from ..helpers import LEVEL_1, PEOPLE, SAMPLES, SOUND, findings, places, table

FILE = "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId"
PARENT = "HTAN Parent Biospecimen ID"


def level_1(*rows: str) -> bytes:
    return table("ImagingLevel2", FILE, *rows)


def test_a_parent_that_does_not_exist_is_an_error_in_each_row() -> None:
    files = level_1("HTA1_1_101|HTA1_1_7|syn1", "HTA1_1_102|HTA1_1_1, HTA1_1_7;HTA1_1_8|syn1")
    assert places(findings(PEOPLE, SAMPLES, files, code="H_LINKS")) == [
        ("syn13", 2, PARENT, "HTA1_1_7"),
        ("syn13", 3, PARENT, "HTA1_1_7"),
        ("syn13", 3, PARENT, "HTA1_1_8"),
    ]


def test_an_external_parent_may_be_absent() -> None:
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_EXT5")
    assert findings(samples, level_1("HTA1_1_101|HTA1_EXT5_1|syn1"), code="H_LINKS") == []


def test_blank_and_malformed_parents_are_not_reported_here() -> None:
    files = level_1("HTA1_1_101||syn1", "HTA1_1_102|HTA1_1_x|syn1", "HTA1_1_103|unknown|syn1")
    assert findings(PEOPLE, SAMPLES, files, code="H_LINKS") == []


def test_nothing_is_its_own_parent() -> None:
    samples = table(
        "Biospecimen",
        "HTAN Biospecimen ID|HTAN Parent ID",
        "HTA1_1_1|HTA1_1_1",
        "HTA1_1_2|HTA1_1_1, HTA1_1_2",
    )
    found = findings(PEOPLE, samples, code="H_LINKS")
    assert places(found) == [
        ("syn12", 2, "HTAN Parent ID", "HTA1_1_1"),
        ("syn12", 3, "HTAN Parent ID", "HTA1_1_2"),
    ]
    assert {one.message for one in found} == {
        "The record is its own parent. Name what the record comes from."
    }


def test_links_of_rows_whose_own_id_is_blank_or_holds_a_comma_are_checked() -> None:
    files = level_1("|HTA1_1_7|syn1", "HTA1_1_101,HTA1_1_102|HTA1_1_8|syn1")
    found = findings(PEOPLE, SAMPLES, files, code="H_LINKS")
    assert places(found) == [("syn13", 2, PARENT, "HTA1_1_7"), ("syn13", 3, PARENT, "HTA1_1_8")]


def test_every_adjacent_id_exists_also_for_srrs() -> None:
    columns = "HTAN Biospecimen ID|HTAN Parent ID|Adjacent Biospecimen IDs"
    for component in ("Biospecimen", "SRRSBiospecimen"):
        rows = (
            "HTA1_1_1|HTA1_1|HTA1_1_2, HTA1_1_9",
            "HTA1_1_2|HTA1_1|HTA1_1_8",
            "HTA1_1_3|HTA1_1|Not Applicable",
        )
        assert places(findings(PEOPLE, table(component, columns, *rows), code="H_LINKS")) == [
            ("syn12", 2, "Adjacent Biospecimen IDs", "HTA1_1_9"),
            ("syn12", 3, "Adjacent Biospecimen IDs", "HTA1_1_8"),
        ]


def test_a_parent_taken_from_the_biospecimen_column_is_named_with_that_column() -> None:
    columns = "HTAN Data File ID|HTAN Parent Data File ID|HTAN Parent Biospecimen ID|entityId"
    files = table("RPPALevel2", columns, "HTA1_1_101|Not Applicable|HTA1_1_7|syn1")
    assert places(findings(PEOPLE, SAMPLES, files, code="H_LINKS")) == [("syn13", 2, PARENT, "HTA1_1_7")]


BOTH = "HTAN Data File ID|HTAN Parent Data File ID|HTAN Parent Biospecimen ID|entityId"


@pytest.mark.parametrize(
    "component", ["RPPALevel3", "MassSpectrometryLevel2", "ImagingLevel3Image", "Unheard"]
)
def test_ids_of_both_parent_columns_exist_and_neither_is_the_record_itself(component: str) -> None:
    rows = (
        "HTA1_1_301|HTA1_1_101|HTA1_1_1|syn1",
        "HTA1_1_302|HTA1_1_777|HTA1_1_78|syn1",
        "HTA1_1_303|HTA1_1_303|HTA1_1_303|syn1",
        "HTA1_1_304|HTA1_1_EXT|HTA1_EXT9_1|syn1",
    )
    found = findings(*SOUND, table(component, BOTH, *rows), code="H_LINKS")
    assert [(one.row, one.column, one.value, one.kind) for one in found] == [
        (3, PARENT, "HTA1_1_78", "unknown-parent"),
        (3, "HTAN Parent Data File ID", "HTA1_1_777", "unknown-parent"),
        (4, PARENT, "HTA1_1_303", "own-parent"),
        (4, "HTAN Parent Data File ID", "HTA1_1_303", "own-parent"),
    ]


def test_children_of_an_id_that_is_malformed_where_it_is_primary_are_left_to_h_id_spec() -> None:
    """A participant written like a biospecimen: its children name a well-formed id that no record has."""
    people = table("Demographics", "HTAN Participant ID", "HTA1_1_7")
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_1_7")
    assert findings(people, samples, code="H_LINKS") == []
    [found] = findings(people, samples, code="H_ID_SPEC")
    assert (found.manifest, found.value) == ("syn11", "HTA1_1_7")
    assert "(1 other row names it)" in found.message


def test_blank_rows_shift_the_numbers_of_rows() -> None:
    files = level_1("HTA1_1_9|HTA1_1_7|syn1").replace(b"\r\n", b"\r\n,,,\r\n", 1)
    assert places(findings(PEOPLE, SAMPLES, files, code="H_LINKS")) == [("syn13", 3, PARENT, "HTA1_1_7")]


def test_an_exempt_manifest_is_left_out() -> None:
    files = level_1("HTA1_1_901|HTA1_1_7|syn1")
    assert findings(*SOUND, files, code="H_LINKS", exempt={"H_LINKS": ["syn15"]}) == []
    assert len(findings(PEOPLE, LEVEL_1, code="H_LINKS")) == 2
