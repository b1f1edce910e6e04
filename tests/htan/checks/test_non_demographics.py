from __future__ import annotations

from ..helpers import PEOPLE, findings, places, table

THERAPY = table("Therapy", "HTAN Participant ID", "HTA1_1", "HTA1_7", "HTA1_7", "HTA1_x", "")
TIER_3 = table("LungCancerTier3", "HTAN Participant ID", "HTA1_7")


def test_a_participant_who_is_not_in_demographics_is_named_once_a_manifest() -> None:
    found = findings(PEOPLE, THERAPY, TIER_3, code="H_NON_DEM")
    assert places(found) == [
        ("syn13", 2, "HTAN Participant ID", "HTA1_7"),
        ("syn12", 3, "HTAN Participant ID", "HTA1_7"),
    ]
    assert "(also in 1 more row, the last is row 4)" in found[1].message
    assert {one.kind for one in found} == {"not-in-demographics"}


def test_participants_of_all_demographics_manifests_are_known() -> None:
    more = table("Demographics", "HTAN Participant ID", "HTA1_7")
    assert findings(PEOPLE, more, THERAPY, TIER_3, code="H_NON_DEM") == []


def test_it_is_made_only_where_demographics_exist() -> None:
    assert findings(THERAPY, code="H_NON_DEM") == []
    assert findings(THERAPY, code="H_NON_DEM", demographics=False) == []


def test_it_is_not_made_where_demographics_could_not_be_read() -> None:
    assert findings(PEOPLE, ("Demographics", "no access"), THERAPY, code="H_NON_DEM") == []
    assert findings(PEOPLE, table("Demographics", "Gender", "male"), THERAPY, code="H_NON_DEM") == []
