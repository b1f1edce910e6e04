from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan import completeness
from hdash_site.htan.completeness import runs
from hdash_site.pages.charts import matrix

from .helpers import LEVEL_1, PEOPLE, SAMPLES, SOUND, decoded, report_of, table


def matrices(*tables: bytes | tuple[str, bytes]) -> dict[str, Any]:
    return {one["key"]: one for one in decoded(report_of(*tables), "completeness")}


def ones(matrix: dict[str, Any]) -> dict[str, list[list[int]]]:
    return {column["name"]: column["runs"] for column in matrix["columns"] if column["runs"]}


def test_clinical_rows_are_participants_with_a_one_where_a_manifest_names_them() -> None:
    therapy = table("Therapy", "HTAN Participant ID", "HTA1_10", "HTA1_2", "HTA1_2")
    clinical = matrices(PEOPLE, therapy)["clinical"]
    assert (clinical["rows"], clinical["count"], clinical["names"]) == (
        "participants",
        3,
        ["HTA1_1", "HTA1_2", "HTA1_10"],
    )
    assert ones(clinical) == {"Demographics": [[0, 2]], "Therapy": [[1, 2]]}
    assert {column["name"]: column["count"] for column in clinical["columns"]}["Therapy"] == 2


def test_assay_rows_are_the_biospecimens_that_have_one() -> None:
    found = matrices(*SOUND)
    assert set(found) == {"clinical", "clinical-tier3", "single-cell"}
    assert found["single-cell"]["names"] == ["HTA1_1_1", "HTA1_1_2"]
    assert (found["single-cell"]["count"], found["single-cell"]["empty"]) == (3, 1)
    assert ones(found["single-cell"]) == {"ScRNA-seqLevel1": [[0, 2]], "ScRNA-seqLevel2": [[0, 2]]}


def test_the_denominator_is_every_biospecimen_of_the_atlas_and_rows_without_a_mark_are_a_count() -> None:
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", *(f"HTA1_1_{n}|HTA1_1" for n in range(1, 101))
    )
    imaging = table("ImagingLevel2", "HTAN Data File ID|HTAN Parent Biospecimen ID", "HTA1_1_901|HTA1_1_50")
    found = matrices(PEOPLE, samples, imaging)["imaging"]
    assert (found["count"], found["empty"], found["names"]) == (100, 99, ["HTA1_1_50"])
    assert ones(found) == {"ImagingLevel2": [[0, 1]]}
    drawn = matrix(found)
    assert (drawn.count, drawn.empty, drawn.names, drawn.height) == (100, 99, ["HTA1_1_50"], 14)


def test_participants_without_a_record_of_the_group_are_a_count() -> None:
    therapy = table("ClinicalDataTier2", "HTAN Participant ID", "HTA1_2")
    tier_3 = table("LungCancerTier3", "HTAN Participant ID", "HTA1_2")
    found = matrices(PEOPLE, therapy, tier_3)["clinical-tier3"]
    assert (found["count"], found["empty"], found["names"]) == (2, 1, ["HTA1_2"])


def test_a_malformed_id_is_no_row() -> None:
    people = table(
        "Demographics", "HTAN Participant ID", "HTA1_", "hta1_3", "HTA1_1 x", "HTA1_1", "HTA1_2\u200b"
    )
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_x|HTA1_1", "HTA1_1_1|HTA1_1")
    files = table(
        "ImagingLevel2",
        "HTAN Data File ID|HTAN Parent Biospecimen ID",
        "HTA1_1_101|HTA1_1_x",
        "HTA1_1_102|HTA1_1_1",
    )
    report = report_of(people, samples, files)
    found = {one["key"]: one for one in decoded(report, "completeness")}
    assert (found["clinical"]["names"], found["clinical"]["count"]) == (["HTA1_1"], 1)
    assert (found["imaging"]["names"], found["imaging"]["count"]) == (["HTA1_1_1"], 1)
    for key in ("clinical", "imaging"):
        assert len(report[f"completeness/{key}.csv"].decode().splitlines()) == 2


def test_a_matrix_without_rows_is_left_out() -> None:
    assert matrices(SAMPLES) == {}


def test_columns_stand_in_the_order_of_the_model() -> None:
    names = [column["name"] for column in matrices(*SOUND)["single-cell"]["columns"]]
    assert names[:4] == ["ScRNA-seqLevel1", "ScRNA-seqLevel2", "ScRNA-seqLevel3", "ScRNA-seqLevel4"]
    assert {"ScATAC-seqLevel1", "ScmC-seqLevel2", "ScDNA-seqLevel1"} <= set(names)


def test_every_assay_family_has_its_matrix() -> None:
    families = {
        "single-cell": ["ScRNA-seqLevel1", "ScATAC-seqLevel1", "ScDNA-seqLevel1", "ScmC-seqLevel1"],
        "bulk": ["BulkRNA-seqLevel1", "BulkWESLevel1", "BulkMethylation-seqLevel1", "HI-C-seqLevel1"],
        "imaging": ["ImagingLevel2", "SRRSImagingLevel2"],
        "other": [
            "10xVisiumSpatialTranscriptomics-RNA-seqLevel1",
            "Slide-seqLevel1",
            "ElectronMicroscopyLevel1",
            "MassSpectrometryLevel1",
            "RPPALevel1",
            "MultiplexedCITE-seqLevel1",
            "OtherAssay",
            "ExSeqMinimal",
            "10XGenomicsXeniumISSExperiment",
        ],
    }
    columns = "HTAN Data File ID|HTAN Parent Biospecimen ID"
    for key, names in families.items():
        tables = [table(name, columns, f"HTA1_1_{100 + n}|HTA1_1_1") for n, name in enumerate(names)]
        found = matrices(SAMPLES, *tables)
        assert set(found) == {key}
        assert set(ones(found[key])) == set(names)


def test_an_unknown_component_is_a_column_too() -> None:
    unknown = table("Holotomography", "HTAN Data File ID|HTAN Parent Biospecimen ID", "HTA1_1_101|HTA1_1_2")
    assert ones(matrices(SAMPLES, unknown)["other"]) == {"Holotomography": [[0, 1]]}


def test_names_of_rows_are_given_up_to_a_hundred() -> None:
    for count in (100, 101):
        people = table("Demographics", "HTAN Participant ID", *(f"HTA1_{n}" for n in range(count)))
        clinical = matrices(people)["clinical"]
        assert (clinical["count"], len(clinical["names"])) == (count, count if count <= 100 else 0)


def test_the_full_table_is_a_download() -> None:
    text = report_of(PEOPLE, SAMPLES, LEVEL_1)["completeness/single-cell.csv"].decode()
    header, *rows = text.splitlines()
    assert header.split(",")[:3] == ["HTAN Biospecimen ID", "ScRNA-seqLevel1", "ScRNA-seqLevel2"]
    assert [row.split(",")[:3] for row in rows] == [
        ["HTA1_1_1", "1", "0"],
        ["HTA1_1_2", "1", "0"],
        ["HTA1_2_1", "0", "0"],
    ]
    assert {row.count(",") for row in rows} == {header.count(",")}


def test_a_hostile_component_is_text_in_the_download() -> None:
    odd = table('=HYPERLINK("x")', "HTAN Data File ID|HTAN Parent Biospecimen ID", "HTA1_1_101|HTA1_1_2")
    header = report_of(SAMPLES, odd)["completeness/other.csv"].decode().splitlines()[0]
    assert header.endswith(',"\'=HYPERLINK(""x"")"')


@given(st.sets(st.integers(0, 30)))
def test_runs_unfold_to_the_numbers_they_were_made_of(numbers: set[int]) -> None:
    folded = runs(sorted(numbers))
    assert {start + step for start, length in folded for step in range(length)} == numbers
    assert all(a + n < b for (a, n), (b, _) in pairwise(folded))


def test_of_very_many_unknown_components_the_first_have_a_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completeness, "MOST_UNKNOWN", 2)
    odd = [
        table(f"Odd{one}", "HTAN Data File ID|HTAN Parent Biospecimen ID", f"HTA1_1_{50 + one}|HTA1_1_1")
        for one in range(3)
    ]
    found = {one["key"]: one for one in decoded(report_of(*SOUND, *odd), "completeness")}
    assert [one["name"] for one in found["other"]["columns"]][-2:] == ["Odd0", "Odd1"]
    assert (found["other"]["left_out"], found["single-cell"]["left_out"]) == (1, 0)
