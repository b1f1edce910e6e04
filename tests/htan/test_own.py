from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan import own
from hdash_site.htan.components import catalogue
from hdash_site.htan.manifests import Manifest

from .helpers import LEVEL_1, PEOPLE, SAMPLES, decoded, report_of, table

DEMOGRAPHICS = "HTAN Participant ID|Gender"
BIOSPECIMEN = "HTAN Biospecimen ID|HTAN Parent ID"


def own_of(*tables: bytes) -> dict[str, tuple[list[dict[str, Any]], int, bool]]:
    """What is told of each participant, whatever its group."""
    found = report_of(*tables)
    groups = [decoded(found, name) for name in found if name.startswith("own/")]
    return {participant: told for group in groups for participant, told in group.items()}


def short(told: tuple[list[dict[str, Any]], int, bool]) -> list[tuple[str, str, list[list[int]]]]:
    return [(one["code"], one["manifest"], one["rows"][0]) for one in told[0]]


def test_a_participant_is_told_what_is_wrong_on_its_rows_and_those_of_its_biospecimens() -> None:
    people = table("Demographics", DEMOGRAPHICS, "HTA1_1|x", "odd one|x", "HTA1_2|x")
    samples = table(
        "Biospecimen",
        BIOSPECIMEN,
        "HTA1_1_1|HTA1_1",
        "HTA1_1_2|HTA1_1_1",
        "HTA1_1_2|HTA1_1_1",
        "HTA1_2_1|HTA1_2",
    )
    found = own_of(people, samples)
    assert {name: short(told) for name, told in found.items()} == {
        "HTA1_1": [("H_ID_SPEC", "syn12", [[4, 4]])],
    }


def test_a_sample_of_two_participants_is_told_to_both() -> None:
    samples = table("Biospecimen", BIOSPECIMEN, "HTA1_1_1|HTA1_1, HTA1_2", "HTA1_1_1|HTA1_1")
    assert {"HTA1_1", "HTA1_2"} <= own_of(PEOPLE, samples).keys()


def test_blank_rows_move_no_finding_to_somebody_else() -> None:
    people = table("Demographics", DEMOGRAPHICS, "HTA1_1|x", "HTA1_2|x")
    samples = table("Biospecimen", BIOSPECIMEN, "HTA1_1_1|HTA1_1", "HTA1_1_1|HTA1_1", "HTA1_2_1|HTA1_2")
    header, first, *others = samples.split(b"\r\n")
    samples = b"\r\n".join([header, b",,", first, b",,", b",,", *others])
    assert {name: short(told)[0][2] for name, told in own_of(people, samples).items()} == {"HTA1_1": [[6, 6]]}


def test_nothing_is_told_where_nothing_is_wrong() -> None:
    found = report_of(PEOPLE, SAMPLES, LEVEL_1)
    assert not [name for name in found if name.startswith("own/")]


def test_what_is_wrong_in_the_same_way_counts_once_and_what_is_too_much_is_counted(monkeypatch: Any) -> None:
    monkeypatch.setattr(own, "MOST_OWN", 1)
    samples = table("Biospecimen", BIOSPECIMEN, *["HTA1_1_1|HTA1_1"] * 5)
    again = table("Biospecimen", BIOSPECIMEN, "HTA1_1_1|HTA1_1", "HTA1_1_2|HTA1_1")
    [one], more, _ = own_of(PEOPLE, samples, again)["HTA1_1"]
    assert (one["rows"], more) == ([[[3, 6]], 0], 1)
    assert "(" not in one["message"]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), max_size=5))
def test_the_record_of_a_row_is_the_one_whose_row_it_is(steps: list[tuple[int, int]]) -> None:
    gaps: list[tuple[int, int]] = []
    for records, blank in steps:
        before = gaps[-1] if gaps else (0, 0)
        gaps.append((before[0] + records, before[1] + blank))
    manifest = Manifest("syn1", "", "", 0, next(iter(catalogue())), is_known=True, gaps=gaps)
    assert [manifest.record(manifest.row(record)) for record in range(30)] == list(range(30))


def test_a_participant_is_told_if_not_all_of_its_findings_are_known(monkeypatch: Any) -> None:
    people = table("Demographics", DEMOGRAPHICS, *(f"HTA1_{number}|x" for number in range(1, 25)))
    pool = ", ".join(f"HTA1_{number}" for number in range(2, 24))
    samples = table("Biospecimen", BIOSPECIMEN, f"HTA1_2_1|{pool}", "HTA1_1_1|HTA1_1", "HTA1_1_1|HTA1_1")
    found = own_of(people, samples)
    assert {name for name, told in found.items() if told[2]} == {f"HTA1_{number}" for number in range(2, 24)}
    assert len(found["HTA1_1"][0]) == 1
    monkeypatch.setattr("hdash_site.htan.findings.MOST_ALIKE", 1)
    samples = table("Biospecimen", BIOSPECIMEN, *["HTA1_1_1|HTA1_1"] * 4, "HTA1_5_1|HTA1_5")
    found = own_of(people, samples)
    assert {name for name, told in found.items() if told[2]} == {"HTA1_1", "HTA1_5"}
