from __future__ import annotations

import pytest

from hdash_site.htan.components import catalogue

from ..helpers import PEOPLE, SAMPLES, SOUND, csv_of, decoded, findings, places, report_of, table


def test_a_manifest_that_could_not_be_fetched_is_a_finding_with_the_reason() -> None:
    (found,) = findings(*SOUND, ("Therapy", "Synapse says: 403."), code="H_MANIFEST")
    assert (found.manifest, found.component, found.message) == ("syn15", "Therapy", "Synapse says: 403.")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty"),
        (b"\n\n", "The file is empty"),
        (b",,\n1,2\n", "The first row names no column"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "No column is one of an HTAN manifest"),
    ],
)
def test_a_broken_manifest_is_an_error_and_the_atlas_is_built(data: bytes, message: str) -> None:
    report = report_of(*SOUND, ("Therapy", data))
    found = findings(*SOUND, ("Therapy", data), code="H_MANIFEST")
    assert any(one.message.startswith(message) for one in found)
    assert {one.manifest for one in found} == {"syn15"}
    assert decoded(report, "summary")["records"] == 8
    assert [row["errors"] for row in decoded(report, "checks") if row["code"] == "H_ID_SPEC"] == [0]


def test_latin_1_and_no_rows_are_warnings() -> None:
    latin = table("Demographics", "HTAN Participant ID|Site", "HTA1_3|Zürich").decode().encode("latin-1")
    empty = table("Therapy", "HTAN Participant ID")
    found = findings(*SOUND, latin, ("Therapy", empty), code="H_MANIFEST")
    assert [(one.severity, one.manifest) for one in found] == [("warning", "syn15"), ("warning", "syn16")]


def test_each_missing_column_that_a_check_needs_is_a_finding() -> None:
    found = findings(PEOPLE, table("ImagingLevel4", "File Format", "csv"), code="H_MANIFEST")
    assert places(found) == [
        ("syn12", 1, "HTAN Data File ID", ""),
        ("syn12", 1, "HTAN Parent Data File ID", ""),
        ("syn12", 1, "entityId", ""),
    ]


@pytest.mark.parametrize("component", [component.name for component in catalogue()])
def test_no_component_crashes_without_its_columns(component: str) -> None:
    known = catalogue().find(component)
    assert known is not None
    needed = {column for column in (known.primary_id, known.parent_id) if column} - {"Accessory Synapse ID"}
    needed |= {"entityId"} if known.entity_id_required else set()
    found = findings(table(component, "Id", "1"), code="H_MANIFEST")
    assert {one.column for one in found} == needed


def test_adjacent_ids_are_optional() -> None:
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_1")
    assert findings(PEOPLE, samples, code="H_MANIFEST") == []


def test_a_manifest_that_names_no_component_is_an_error_and_still_checked() -> None:
    data = csv_of(["HTAN Data File ID", "HTAN Parent Biospecimen ID"], ["HTA1_1_9", "HTA1_1_99"])
    (found,) = findings(*SOUND, data, code="H_MANIFEST")
    assert (found.manifest, found.column) == ("syn15", "Component")
    assert places(findings(*SOUND, data, code="H_LINKS")) == [
        ("syn15", 2, "HTAN Parent Biospecimen ID", "HTA1_1_99")
    ]
    assert findings(*SOUND, data, code="H_CATEGORIES") == []


def test_repeated_columns_and_ragged_rows_are_named() -> None:
    data = table("Demographics", "HTAN Participant ID|Gender|Gender", "HTA1_1|f|f", "HTA1_2", "HTA1_3|f|f|f")
    found = findings(SAMPLES, data, code="H_MANIFEST")
    assert places(found) == [("syn12", 1, "Gender", "Gender"), ("syn12", 3, "", ""), ("syn12", 4, "", "")]


def test_two_manifests_with_the_same_bytes_are_both_shown() -> None:
    rows = decoded(report_of(PEOPLE, PEOPLE), "manifests")
    assert [(row["id"], row["records"]) for row in rows] == [("syn11", 2), ("syn12", 2)]
