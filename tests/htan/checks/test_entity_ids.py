from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from ..helpers import PEOPLE, PROJECT, SAMPLES, decoded, entity, findings, places, report_of, table

COLUMNS = "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId"


def assay(*entities: str, component: str = "ImagingLevel2", first: int = 101) -> bytes:
    rows = (f"HTA1_1_{number}|HTA1_1_1|{entity}" for number, entity in enumerate(entities, first))
    return table(component, COLUMNS, *rows)


def found(*tables: bytes, **more: object) -> list[tuple[str, int, str, str]]:
    """Manifest, row, value and kind of each finding of the check."""
    every = findings(*tables, code="H_ENTITY_ID", **more)
    assert {one.column for one in every} <= {"entityId"}
    return [(one.manifest, one.row, one.value, one.kind) for one in every]


def test_each_assay_row_without_a_synapse_id_is_an_error() -> None:
    rows = assay("", "syn501", "NA", "")
    assert found(rows) == [
        ("syn11", 2, "", "missing-entity"),
        ("syn11", 4, "NA", "missing-entity"),
        ("syn11", 5, "", "missing-entity"),
    ]


def test_a_synapse_id_is_exactly_syn_and_digits() -> None:
    wrong = ["syn12abc", "syn", "SYN501", " syn501", "syn501 ", "24986117", "syn501;syn502", "syn５０１"]
    assert found(assay("syn501", *wrong)) == [
        ("syn11", row, value, "malformed-entity") for row, value in enumerate(wrong, 3)
    ]


def test_a_synapse_id_that_the_listing_does_not_hold_is_an_error() -> None:
    tables = (assay("syn501", "syn502"), assay("syn502", "syn503", first=201))
    assert found(*tables, unlisted=("syn501", "syn503")) == [
        ("syn11", 2, "syn501", "unknown-entity"),
        ("syn12", 2, "syn502", "duplicate-entity"),
        ("syn12", 3, "syn503", "unknown-entity"),
    ]
    assert found(assay(PROJECT)) == [("syn11", 2, PROJECT, "unknown-entity")]


def test_the_synapse_id_of_a_folder_is_no_file() -> None:
    (one,) = findings(assay("syn601"), code="H_ENTITY_ID", more=(entity("syn601", "f", "folder"),))
    assert (one.severity, one.row, one.value, one.kind) == ("error", 2, "syn601", "folder-entity")


def test_a_file_in_an_archive_is_a_warning_with_its_own_words() -> None:
    more = (entity("syn601", "archive", "folder"), entity("syn602", "a.bam", parent="syn601"))
    (one,) = findings(assay("syn602"), code="H_ENTITY_ID", more=more)
    assert (one.severity, one.row, one.value, one.kind) == ("warning", 2, "syn602", "archived-entity")
    assert "archive folder" in one.message


def test_the_same_synapse_id_in_two_rows_is_an_error_that_says_where_the_first_one_is() -> None:
    one, two = findings(assay("syn501", "syn502", "syn501", "syn501"), code="H_ENTITY_ID")
    assert places([one, two]) == [("syn11", 4, "entityId", "syn501"), ("syn11", 5, "entityId", "syn501")]
    assert {one.kind, two.kind} == {"duplicate-entity"}
    assert "(row 2 of syn11)" in one.message
    assert "(row 2 of syn11)" in two.message


def test_the_same_synapse_id_in_two_manifests_is_an_error_in_the_later_one() -> None:
    first = assay("syn501", component="ScRNA-seqLevel1")
    second = assay("syn502", "syn501", component="ImagingLevel2", first=201)
    (one,) = findings(second, first, code="H_ENTITY_ID")
    assert (one.manifest, one.row, one.kind) == ("syn11", 3, "duplicate-entity")
    assert "(row 2 of syn12)" in one.message


def test_blank_rows_count_in_the_row_of_the_first_one() -> None:
    data = assay("syn501", "syn501").replace(b"\r\n", b"\r\n,,,\r\n", 1)
    (one,) = findings(data, code="H_ENTITY_ID")
    assert (one.row, "(row 3 of syn11)" in one.message) == (4, True)


def test_a_synapse_id_repeated_in_many_rows_is_one_group() -> None:
    report = report_of(SAMPLES, assay(*["syn501"] * 400))
    (group,) = decoded(report, "findings/syn12")["groups"]
    assert (group["count"], group["rows"]) == (399, [[[3, 401]], 0])
    assert group["message"] == (
        "Duplicate entityId: already used in another row. Give each record its own file."
    )


def test_an_exempt_manifest_has_no_findings_and_its_rows_still_count() -> None:
    tables = (assay("syn501", "syn502", ""), assay("syn501", first=201))
    assert found(*tables, exempt={"H_ENTITY_ID": ["syn11"]}) == [("syn12", 2, "syn501", "duplicate-entity")]
    assert found(*tables, exempt={"H_ENTITY_ID": ["syn12"]}) == [("syn11", 4, "", "missing-entity")]


def test_clinical_and_biospecimen_rows_need_none() -> None:
    people = table("Demographics", "HTAN Participant ID|entityId", "HTA1_1|", "HTA1_2|syn1", "HTA1_3|syn1")
    assert found(PEOPLE, SAMPLES) == found(people, SAMPLES) == []


def test_accessory_manifests_need_none() -> None:
    columns = "Accessory Synapse ID|HTAN Parent Biospecimen ID|entityId"
    accessory = table("AccessoryManifest", columns, "syn77|HTA1_1_1|", "syn78|HTA1_1_1|x", "syn79|HTA1_1_1|x")
    assert found(SAMPLES, accessory) == []


def test_a_component_that_the_site_exempts_needs_none() -> None:
    site = [{"name": "ImagingLevel2", "entity_id_required": False}]
    assert found(assay("", "syn12abc", "syn501", "syn501"), components=site) == []


CELLS = st.sampled_from(
    ["syn501", "syn502", "syn503", "syn601", "syn602", "syn603", "syn999", "syn5010", "", "NA", "x", "syn1x"]
)
MANIFESTS = st.lists(
    st.tuples(
        st.sampled_from(["ScRNA-seqLevel1", "ImagingLevel2", "Biospecimen", "AccessoryManifest", "Lamp"]),
        st.lists(CELLS, min_size=1, max_size=6),
    ),
    max_size=4,
)
LISTED = (
    entity("syn501", "a.bam"),
    entity("syn502", "b.bam", parent="syn601"),
    entity("syn503", ".DS_Store"),
    entity("syn601", "data", "folder"),
    entity("syn602", "Archive", "folder"),
    entity("syn603", "c.bam", parent="syn602"),
)


@settings(deadline=None)
@given(MANIFESTS)
def test_the_findings_are_those_of_a_plain_look_at_each_cell(manifests: list[tuple[str, list[str]]]) -> None:
    tables = [assay(*cells, component=component) for component, cells in manifests]
    report = report_of(*tables, more=LISTED, unlisted=("syn999", "syn5010"))
    told = [
        (row["manifest"], int(row["row"]), row["kind"])
        for row in csv.DictReader(io.StringIO(report["findings.csv"].decode()))
        if row["code"] == "H_ENTITY_ID"
    ]
    order = [one["id"] for one in decoded(report, "manifests")]
    wrong: list[tuple[str, int, str]] = []
    seen: set[str] = set()
    for name in order:
        component, cells = manifests[int(name.removeprefix("syn")) - 11]
        if component in ("Biospecimen", "AccessoryManifest"):
            continue
        for row, cell in enumerate(cells, 2):
            kinds = {
                "": "missing",
                "NA": "missing",
                "x": "malformed",
                "syn1x": "malformed",
                "syn601": "folder",
                "syn602": "folder",
                "syn603": "archived",
                "syn999": "unknown",
                "syn5010": "unknown",
            }
            if cell in kinds:
                wrong.append((name, row, f"{kinds[cell]}-entity"))
            if cell in seen:
                wrong.append((name, row, "duplicate-entity"))
            if kinds.get(cell) not in ("missing", "malformed"):
                seen.add(cell)
    assert sorted(told) == sorted(wrong)
