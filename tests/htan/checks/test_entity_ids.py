from __future__ import annotations

from ..helpers import PEOPLE, SAMPLES, findings, places, table

COLUMNS = "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId"


def test_each_assay_row_without_a_synapse_id_is_an_error() -> None:
    rows = (
        "HTA1_1_101|HTA1_1_1|",
        "HTA1_1_102|HTA1_1_1|syn1",
        "HTA1_1_103|HTA1_1_1|NA",
        "HTA1_1_104|HTA1_1_1|",
    )
    found = findings(SAMPLES, table("ImagingLevel2", COLUMNS, *rows), code="H_ENTITY_ID")
    assert places(found) == [
        ("syn12", 2, "entityId", ""),
        ("syn12", 4, "entityId", "NA"),
        ("syn12", 5, "entityId", ""),
    ]


def test_clinical_and_biospecimen_rows_need_none() -> None:
    assert findings(PEOPLE, SAMPLES, code="H_ENTITY_ID") == []


def test_accessory_manifests_need_none() -> None:
    columns = "Accessory Synapse ID|HTAN Parent Biospecimen ID|entityId"
    accessory = table("AccessoryManifest", columns, "syn77|HTA1_1_1|")
    assert findings(SAMPLES, accessory, code="H_ENTITY_ID") == []
