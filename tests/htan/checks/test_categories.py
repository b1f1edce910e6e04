from __future__ import annotations

from ..helpers import PEOPLE, SOUND, decoded, findings, places, report_of, table

ODD = table(
    "Holotomography", "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId", "HTA1_1_901|HTA1_1_1|syn9"
)
ODD_2 = table(
    "Holotomography", "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId", "HTA1_1_902|HTA1_1_1|syn9"
)


def test_an_unknown_component_is_one_warning_however_many_manifests_it_has() -> None:
    found = findings(*SOUND, ODD, ODD_2, code="H_CATEGORIES")
    assert places(found) == [("syn15", 0, "Component", "Holotomography")]
    assert found[0].severity == "warning"
    assert "(1 more of its manifests)" in found[0].message


def test_an_unknown_component_is_shown_and_counted() -> None:
    report = report_of(*SOUND, ODD)
    assert decoded(report, "manifests")[-1]["component"] == "Holotomography"
    assert decoded(report, "manifests")[-1]["records"] == 1
    assert "X_" not in report["network.sif"].decode()
    assert "B_HTA1_1_1\tconnect\tHolotomography_HTA1_1_901" in report["network.sif"].decode()


def test_an_unknown_component_is_checked_by_its_columns() -> None:
    odd = table(
        "Odd",
        "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId",
        "HTA1_1_x|HTA1_1_99|",
        "|HTA1_1_1|syn601",
    )
    assert len(findings(*SOUND, odd, code="H_ID_SPEC")) == 2
    assert places(findings(*SOUND, odd, code="H_LINKS")) == [
        ("syn15", 2, "HTAN Parent Biospecimen ID", "HTA1_1_99")
    ]
    assert places(findings(*SOUND, odd, code="H_ENTITY_ID")) == [("syn15", 2, "entityId", "")]


def test_an_unknown_component_with_biospecimens_or_participants_is_of_that_kind() -> None:
    samples = table("OddSamples", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_1")
    people = table("OddPeople", "HTAN Participant ID", "HTA1_9")
    rows = decoded(report_of(PEOPLE, samples, people), "manifests")
    assert {row["component"]: row["kind"] for row in rows[1:]} == {
        "OddSamples": "biospecimen",
        "OddPeople": "clinical",
    }
    assert findings(PEOPLE, samples, code="H_BIOSPEC") == []
    assert places(findings(PEOPLE, people, code="H_NON_DEM")) == [
        ("syn12", 2, "HTAN Participant ID", "HTA1_9")
    ]


def test_a_component_that_the_site_adds_is_known() -> None:
    site = [{"name": "Holotomography", "kind": "assay", "primary_id": "HTAN Data File ID"}]
    assert findings(*SOUND, ODD, code="H_CATEGORIES", components=site) == []


def test_the_annotation_comes_before_the_column_and_aliases_are_known() -> None:
    report = report_of(("BulkDNALevel1", table("Biospecimen", "HTAN Data File ID", "HTA1_1_1")))
    assert decoded(report, "manifests")[0]["component"] == "BulkWESLevel1"
    assert decoded(report, "manifests")[0]["label"] == "Bulk WES Level 1"


def test_an_exempt_manifest_is_left_out() -> None:
    assert findings(*SOUND, ODD, code="H_CATEGORIES", exempt={"H_CATEGORIES": ["syn15"]}) == []
