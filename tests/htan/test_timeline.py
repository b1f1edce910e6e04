from __future__ import annotations

from typing import Any

import pytest

from hdash_site.htan.timeline import day

from .helpers import decoded, report_of, table

THERAPY = "HTAN Participant ID|Treatment Type|Days to Treatment Start|Days to Treatment End"
SAMPLE = (
    "HTAN Biospecimen ID|HTAN Parent ID|Acquisition Method Type|Collection Days from Index"
    "|Site of Resection or Biopsy|Specimen Laterality"
)


def events(*tables: bytes | tuple[str, bytes]) -> dict[str, list[tuple[Any, ...]]]:
    rows = decoded(report_of(*tables), "timeline")
    return {row["participant"]: [tuple(event.values()) for event in row["events"]] for row in rows}


def test_day_0_is_the_first_event_of_a_participant() -> None:
    therapy = table("Therapy", THERAPY, "HTA1_1|Chemotherapy|26883|26946.0", "HTA1_2|Surgery|5|5")
    samples = table("Biospecimen", SAMPLE, "HTA1_1_1|HTA1_1|Biopsy|26880.0|Lung|Left")
    assert events(therapy, samples) == {
        "HTA1_1": [
            ("biospecimen", "Biopsy", 0, 0, "Lung, Left", 1, ["HTA1_1_1"]),
            ("therapy", "Chemotherapy", 3, 66, "", 1, []),
        ],
        "HTA1_2": [("therapy", "Surgery", 0, 0, "", 1, [])],
    }


def test_participants_stand_in_natural_order() -> None:
    rows = [f"HTA1_{n}|Surgery|1|2" for n in (10, 9, 100)]
    assert list(events(table("Therapy", THERAPY, *rows))) == ["HTA1_9", "HTA1_10", "HTA1_100"]


def test_numbered_columns_of_old_manifests_are_read() -> None:
    columns = "HTAN Participant ID|Treatment Type 1|Days to Treatment Start 1|Days to Treatment End 1"
    assert events(table("Therapy", columns, "HTA1_1|Surgery|-5|10")) == {
        "HTA1_1": [("therapy", "Surgery", 0, 15, "", 1, [])]
    }


@pytest.mark.parametrize(
    "row",
    [
        "HTA1_1|Surgery||10",
        "HTA1_1|Surgery|10|",
        "HTA1_1|Surgery|unknown|10",
        "HTA1_1|Surgery|nan|10",
        "HTA1_1|Surgery|inf|10",
        "HTA1_1||5|10",
        "HTA1_1|Not Reported|5|10",
        "HTA1_1|not reported|5|10",
        "|Surgery|5|10",
    ],
)
def test_a_row_without_both_days_or_a_label_is_left_out(row: str) -> None:
    assert events(table("Therapy", THERAPY, row)) == {}


def test_only_samples_taken_from_a_participant_are_events() -> None:
    samples = table("SRRSBiospecimen", SAMPLE, "HTA1_1_1|HTA1_1|Biopsy|7||", "HTA1_1_2|HTA1_1_1|Biopsy|8||")
    assert events(samples) == {"HTA1_1": [("biospecimen", "Biopsy", 0, 0, "", 1, ["HTA1_1_1"])]}


def test_samples_of_the_same_time_and_site_are_one_event_with_their_ids() -> None:
    samples = table(
        "Biospecimen",
        SAMPLE,
        "HTA1_1_10|HTA1_1|Biopsy|7|Lung|Left",
        "HTA1_1_9|HTA1_1|Biopsy|7.0|Lung|Left",
        "HTA1_1_3|HTA1_1|Biopsy|7|Lung|Right",
        "HTA1_1_4|HTA1_1|Biopsy|9|Lung|unknown",
    )
    assert events(samples)["HTA1_1"] == [
        ("biospecimen", "Biopsy", 0, 0, "Lung, Left", 2, ["HTA1_1_9", "HTA1_1_10"]),
        ("biospecimen", "Biopsy", 0, 0, "Lung, Right", 1, ["HTA1_1_3"]),
        ("biospecimen", "Biopsy", 2, 2, "Lung", 1, ["HTA1_1_4"]),
    ]


def test_two_equal_therapies_are_two_events() -> None:
    therapy = table("Therapy", THERAPY, "HTA1_1|Surgery|1|2", "HTA1_1|Surgery|1|2")
    assert len(events(therapy)["HTA1_1"]) == 2


@pytest.mark.parametrize(
    "data",
    [
        table("Therapy", "HTAN Participant ID|Treatment Type", "HTA1_1|Surgery"),
        table("Therapy", "Treatment Type|Days to Treatment Start|Days to Treatment End", "Surgery|1|2"),
        table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_1"),
        table("Biospecimen", "Acquisition Method Type|Collection Days from Index", "Biopsy|1"),
        table("Therapy", THERAPY),
        b"Treatment Type\nSurgery\n",
    ],
)
def test_missing_columns_or_rows_mean_no_events(data: bytes) -> None:
    for annotation in ("Therapy", "Biospecimen", ""):
        assert events((annotation, data)) == {}


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("13026.0", 13026),
        (" 7 ", 7),
        ("-3", -3),
        ("1e3", 1000),
        ("", None),
        ("unknown", None),
        ("9" * 400, None),
    ],
)
def test_days_are_read_as_spreadsheets_write_them(cell: str, number: int | None) -> None:
    assert day(cell) == number
