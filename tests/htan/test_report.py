from __future__ import annotations

import csv
import io
import json

from .helpers import LEVEL_1, PEOPLE, SAMPLES, SOUND, decoded, entity, findings, report_of, table

ODD = table(
    "ImagingLevel2",
    "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId",
    *(f"HTA1_1_9{n:02}|HTA1_1_77|" for n in range(60)),
)


def test_the_facets_are_these() -> None:
    assert list(report_of(*SOUND)) == [
        "summary",
        "codes",
        "manifests",
        "manifest/syn11",
        "manifest/syn12",
        "manifest/syn13",
        "manifest/syn14",
        "columns/syn11",
        "columns/syn12",
        "columns/syn13",
        "columns/syn14",
        "checks",
        "crashed",
        "tracebacks",
        "titles",
        "compared",
        "fixes",
        "fixes.csv",
        "completeness",
        "completeness/clinical.csv",
        "completeness/clinical-tier3.csv",
        "completeness/single-cell.csv",
        "timeline",
        "folders",
        "findings.csv",
        "findings/syn11",
        "findings/syn12",
        "findings/syn13",
        "findings/syn14",
        "network.sif",
    ]


def test_the_summary_adds_up_cells_not_percentages() -> None:
    people = table("Demographics", "HTAN Participant ID|Gender|Race", "HTA1_1|x|", "HTA1_2||")
    therapy = table("Therapy", "HTAN Participant ID|Treatment Type", "HTA1_1|x")
    more = (entity("syn5", "a.bam", dataFileSizeBytes="10"),)
    assert decoded(report_of(people, therapy, SAMPLES, more=more), "summary") == {
        "id": "HTA1",
        "synapse_id": "syn1",
        "name": "Atlas",
        "liaison": "Somebody",
        "files": 1,
        "bytes": 10,
        "types": {
            "BAM": {"files": 1, "bytes": 10},
            "FASTQ": {"files": 0, "bytes": 0},
            "Image": {"files": 0, "bytes": 0},
            "Matrix": {"files": 0, "bytes": 0},
            "Other": {"files": 0, "bytes": 0},
        },
        "manifests": 3,
        "records": 6,
        "filled": 2,
        "cells": 5,
        "participants": 2,
        "participants_with_biospecimens": 2,
        "biospecimens": 3,
        "metadata": True,
        "errors": 0,
        "warnings": 0,
        "crashed": 0,
    }


def test_a_manifest_has_its_row_as_a_facet_of_its_own() -> None:
    report = report_of(*SOUND)
    assert decoded(report, "manifest/syn12") == decoded(report, "manifests")[1]


def test_the_summary_says_how_many_errors_and_warnings_each_check_found() -> None:
    assert decoded(report_of(*SOUND, ODD), "codes") == {"H_ENTITY_ID": [60, 0], "H_LINKS": [60, 0]}


def test_manifests_stand_in_the_order_of_the_catalogue_then_of_their_paths() -> None:
    rows = decoded(report_of(LEVEL_1, SAMPLES, PEOPLE, PEOPLE), "manifests")
    assert [(row["component"], row["id"]) for row in rows] == [
        ("Demographics", "syn13"),
        ("Demographics", "syn14"),
        ("Biospecimen", "syn12"),
        ("ScRNA-seqLevel1", "syn11"),
    ]
    assert {key: rows[3][key] for key in ("label", "kind", "group", "level", "records")} == {
        "label": "scRNA-seq Level 1",
        "kind": "assay",
        "group": "single-cell",
        "level": 1,
        "records": 2,
    }


def test_errors_and_warnings_are_counted_apart() -> None:
    latin = (
        table("Demographics", "HTAN Participant ID|Cause of Death", "HTA1_3|Zürich")
        .decode()
        .encode("latin-1")
    )
    report = report_of(*SOUND, latin, table("Therapy", "HTAN Participant ID", "HTA1_7"))
    assert (decoded(report, "summary")["errors"], decoded(report, "summary")["warnings"]) == (1, 1)
    rows = {row["id"]: (row["errors"], row["warnings"]) for row in decoded(report, "manifests")}
    assert (rows["syn15"], rows["syn16"]) == ((0, 1), (1, 0))


def test_findings_of_a_manifest_and_column_go_together_most_frequent_first() -> None:
    report = report_of(*SOUND, ODD, table("Therapy", "HTAN Participant ID", "HTA1_7", "HTA1_8"))
    checks = {row["code"]: row for row in decoded(report, "checks")}
    assert (checks["H_LINKS"]["errors"], checks["H_ENTITY_ID"]["errors"]) == (60, 60)
    assert checks["H_LINKS"]["groups"] == [
        {
            "manifest": "syn15",
            "component": "ImagingLevel2",
            "column": "HTAN Parent Biospecimen ID",
            "message": "The parent does not exist in the atlas. Correct the ID, or upload the manifest that"
            " describes the parent.",
            "severity": "error",
            "count": 60,
            "rows": [2, 3, 4, 5, 6],
            "value": "HTA1_1_77",
            "values": ["HTA1_1_77"] * 5,
            "expected": "a biospecimen id, like HTA3_8001_1",
        }
    ]


def test_a_manifest_has_up_to_fifty_findings_of_a_group_and_their_count() -> None:
    groups = decoded(report_of(*SOUND, ODD), "findings/syn15")["groups"]
    assert [(group["code"], group["count"], len(group["findings"])) for group in groups] == [
        ("H_ENTITY_ID", 60, 50),
        ("H_LINKS", 60, 50),
    ]
    assert groups[1]["findings"][0] == [2, "HTA1_1_77"]
    assert decoded(report_of(*SOUND, ODD), "findings/syn11") == {"groups": []}


def test_what_is_of_one_finding_only_is_not_in_the_message_of_a_group() -> None:
    again = table(
        "ScRNA-seqLevel1",
        "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId",
        "HTA1_1_101|HTA1_1_1|syn601",
    )
    once = decoded(report_of(*SOUND, again), "findings/syn15")["groups"][0]["message"]
    twice = decoded(
        report_of(*SOUND, again + b"ScRNA-seqLevel1,HTA1_1_102,HTA1_1_1,syn602\r\n"), "findings/syn15"
    )
    assert "(row 2 of syn13)" in once
    assert twice["groups"][0]["message"] == once.replace(" (row 2 of syn13)", "")


def test_the_download_has_a_row_a_finding_with_its_place() -> None:
    text = report_of(*SOUND, ODD)["findings.csv"].decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == [
        "atlas",
        "code",
        "severity",
        "manifest",
        "component",
        "row",
        "column",
        "value",
        "expected",
        "message",
        "kind",
    ]
    assert len(rows) == 121
    assert rows[1] == [
        "HTA1",
        "H_ENTITY_ID",
        "error",
        "syn15",
        "ImagingLevel2",
        "2",
        "entityId",
        "",
        "the Synapse ID of a file of this atlas, like syn24986117",
        "The entityId is missing. Enter the Synapse ID of the file.",
        "missing-entity",
    ]
    assert "\r" not in text


def test_a_formula_in_a_cell_is_text_in_the_download() -> None:
    rows = (f"HTA1_1_7{n}|{parent}" for n, parent in enumerate(("=HYPERLINK('x')", "+1", "-1", "@x")))
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", *rows)
    rows = list(csv.reader(io.StringIO(report_of(PEOPLE, samples)["findings.csv"].decode())))
    values = [row[7] for row in rows if row[1] == "H_ID_SPEC"]
    assert values == ["'=HYPERLINK('x')", "'+1", "'-1", "'@x"]


def test_a_cell_of_ten_megabytes_is_shortened() -> None:
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_9|" + "x" * 10**7)
    (found,) = findings(PEOPLE, samples, code="H_ID_SPEC")
    assert found.value == "x" * 199 + "…"


def test_a_well_formed_id_of_twelve_hundred_characters_is_shortened_where_it_is_shown() -> None:
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_" + "1" * 1200)
    (found,) = findings(PEOPLE, samples, code="H_LINKS")
    assert found.value == "HTA1_" + "1" * 194 + "…"


def test_an_atlas_without_manifests_is_built() -> None:
    report = report_of()
    summary = decoded(report, "summary")
    assert (summary["manifests"], summary["metadata"], summary["cells"], summary["errors"]) == (
        0,
        False,
        0,
        2,
    )
    assert (
        decoded(report, "completeness") == decoded(report, "timeline") == decoded(report, "manifests") == []
    )
    assert report["network.sif"] == b""


def test_a_report_depends_on_its_arguments_alone() -> None:
    first, second = report_of(*SOUND, ODD), report_of(*SOUND, ODD)
    assert first == second
    assert all(json.loads(first[name]) is not None for name in first if "." not in name)


ODD_IDS = ("HTA1_", "hta1_3", "HTA1-4", "see table", "HTA1_5, HTA1_6", "HTA1_7x", "HTA100_1")


def test_only_well_formed_ids_count_as_participants_and_biospecimens() -> None:
    people = table("Demographics", "HTAN Participant ID", *ODD_IDS, "HTA1_1", "HTA1_1", " HTA1_1", "HTA2_9")
    therapy = table("Therapy", "HTAN Participant ID", "HTA1_1", "HTA1_1x", "HTA1_8")
    samples = table(
        "Biospecimen",
        "HTAN Biospecimen ID|HTAN Parent ID",
        *(f"{name}_1|HTA1_1" for name in ODD_IDS),
        "HTA1_1_1|HTA1_1",
        "HTA1_8_x|HTA1_8",
    )
    summary = decoded(report_of(people, therapy, samples), "summary")
    assert (summary["participants"], summary["biospecimens"]) == (3, 1)
    assert summary["participants_with_biospecimens"] == 1


def test_a_biospecimen_derived_from_a_malformed_one_is_its_participants() -> None:
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_x|HTA1_1", "HTA1_1_2|HTA1_1_x"
    )
    summary = decoded(report_of(PEOPLE, samples), "summary")
    assert (summary["biospecimens"], summary["participants_with_biospecimens"]) == (1, 1)


def test_a_malformed_participant_has_no_timeline() -> None:
    columns = "HTAN Participant ID|Treatment Type|Days to Treatment Start|Days to Treatment End"
    therapy = table("Therapy", columns, "HTA1_1|Surgery|1|2", "HTA1_x|Surgery|1|2")
    assert [one["participant"] for one in decoded(report_of(PEOPLE, therapy), "timeline")] == ["HTA1_1"]
