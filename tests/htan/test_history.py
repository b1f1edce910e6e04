"""Editions of the figures: when there is a new one, and what it says of the one before."""

from __future__ import annotations

import pytest

from hdash_site.htan import history
from hdash_site.htan.history import FIGURES, Report

FIRST, SECOND, THIRD = (f"2026-07-0{day}T03:00:00+00:00" for day in (1, 2, 3))
HEADER = "atlas,code,severity,manifest,component,row,column,value,expected,message\n"


def manifest(entity, component="Demographics", folder="clinical"):
    return {"id": entity, "label": component, "component": component, "path": f"{folder}/{entity}.csv"}


def report(files=1, manifests=("syn1",), findings=(), digests=None, **figures):
    """A report; a finding is code, row and value."""
    rows = [f"HTA1,{code},error,syn1,C,{row},Id,{value},,Say." for code, row, value in findings]
    codes = sorted({code for code, _, _ in findings})
    listed = [one if isinstance(one, dict) else manifest(one) for one in manifests]
    held = (
        dict.fromkeys(FIGURES, 0) | {"files": files, "errors": len(rows), "manifests": len(listed)} | figures
    )
    return Report(
        summary=held | {"name": "Atlas"},
        codes={code: [sum(row[0] == code for row in findings), 0] for code in codes},
        manifests=listed,
        findings=(HEADER + "".join(f"{row}\n" for row in rows)).encode(),
        digests=digests or {one["id"]: "a" for one in listed},
        mark="",
    )


class Nights:
    """Editions one after the other; `night` gives the new one, or None."""

    def __init__(self):
        self.last, self.basis = None, {}

    def night(self, when, **reports):
        made, basis = history.edition(self.last, self.basis, reports, when)
        if made:
            self.last, self.basis = made, basis
        return made


@pytest.fixture
def nights():
    return Nights()


def test_the_first_edition_has_figures_and_no_changes(nights):
    first = nights.night(FIRST, HTA1=report(files=3, findings=[("H_DEM", 1, "x")]), HTA2=report(files=4))
    assert (first["when"], first["before"]) == (FIRST, "")
    assert (first["totals"]["files"], first["totals"]["errors"]) == (7, 1)
    assert first["atlases"]["HTA1"]["figures"]["files"] == 3
    assert first["atlases"]["HTA1"]["checks"] == {"H_DEM": [1, 0, FIRST]}
    assert (first["risen"], first["changes"], first["arrived"], first["gone"]) == ({}, {}, [], [])


def test_the_same_figures_make_no_edition_even_if_a_row_is_added_above_a_finding(nights):
    nights.night(FIRST, HTA1=report(findings=[("H_DEM", 5, "x"), ("H_DEM", 9, "x")]))
    assert nights.night(SECOND, HTA1=report(findings=[("H_DEM", 6, "x"), ("H_DEM", 10, "x")])) is None


def test_without_a_report_of_any_atlas_the_history_does_not_begin(nights):
    assert nights.night(FIRST, HTA1=None) is None
    assert nights.night(FIRST) is None


def test_figures_rise_and_fall(nights):
    nights.night(FIRST, HTA1=report(files=3, bytes=10), HTA2=report(files=4))
    second = nights.night(SECOND, HTA1=report(files=1, bytes=15), HTA2=report(files=4))
    assert second["before"] == FIRST
    assert second["risen"] == {"files": -2, "bytes": 5}
    assert second["changes"] == {"HTA1": {"risen": {"files": -2, "bytes": 5}}}


def test_an_atlas_without_a_report_keeps_its_figures(nights):
    nights.night(FIRST, HTA1=report(files=3, findings=[("H_DEM", 1, "x")]), HTA2=report(files=4))
    assert nights.night(SECOND, HTA1=None, HTA2=report(files=4)) is None
    third = nights.night(THIRD, HTA1=None, HTA2=report(files=5))
    assert third["atlases"]["HTA1"]["figures"]["files"] == 3
    assert list(third["changes"]) == ["HTA2"]
    fourth = nights.night(THIRD, HTA1=report(files=3), HTA2=None)
    assert fourth["changes"] == {"HTA1": {"risen": {"errors": -1}, "fixed": {"H_DEM": 1}}}


def test_findings_are_new_and_fixed_by_check_and_atlas(nights):
    nights.night(FIRST, HTA1=report(findings=[("H_LINKS", 1, "a"), ("H_LINKS", 2, "b"), ("H_DEM", 0, "")]))
    moved = [("H_LINKS", 1, "a"), ("H_LINKS", 3, "c"), ("H_LINKS", 4, "d"), ("H_ID_SPEC", 1, "x")]
    second = nights.night(SECOND, HTA1=report(findings=moved))
    assert second["changes"]["HTA1"]["new"] == {"H_ID_SPEC": 1, "H_LINKS": 2}
    assert second["changes"]["HTA1"]["fixed"] == {"H_DEM": 1, "H_LINKS": 1}


def test_one_finding_more_and_another_fixed_is_a_change_though_the_counts_are_the_same(nights):
    nights.night(FIRST, HTA1=report(findings=[("H_LINKS", 1, "a")]))
    second = nights.night(SECOND, HTA1=report(findings=[("H_LINKS", 1, "b")]))
    assert second["changes"] == {"HTA1": {"new": {"H_LINKS": 1}, "fixed": {"H_LINKS": 1}}}
    assert second["risen"] == {}


def test_findings_are_open_since_the_edition_that_began_to_have_any(nights):
    nights.night(FIRST, HTA1=report(findings=[("H_LINKS", 1, "a")]))
    second = nights.night(SECOND, HTA1=report(findings=[("H_LINKS", 1, "b"), ("H_DEM", 0, "")]))
    assert second["atlases"]["HTA1"]["checks"] == {"H_DEM": [1, 0, SECOND], "H_LINKS": [1, 0, FIRST]}
    nights.night(SECOND, HTA1=report())
    third = nights.night(THIRD, HTA1=report(findings=[("H_LINKS", 1, "a")]))
    assert third["atlases"]["HTA1"]["checks"] == {"H_LINKS": [1, 0, THIRD]}


def test_manifests_are_added_removed_and_replaced(nights):
    old = [
        manifest("syn1"),
        manifest("syn2", "Therapy"),
        manifest("syn3", "Exposure"),
        manifest("syn5", "Imaging"),
    ]
    new = [
        manifest("syn1"),
        manifest("syn9", "Therapy"),
        manifest("syn4", "Diagnosis"),
        manifest("syn5", "Imaging"),
    ]
    same = {"syn1": "a", "syn5": "a"}
    nights.night(FIRST, HTA1=report(manifests=old, digests=same))
    second = nights.night(SECOND, HTA1=report(manifests=new, digests=same | {"syn5": "b"}))
    changed = second["changes"]["HTA1"]
    assert changed["replaced"] == [["syn5", "Imaging", "syn5"], ["syn9", "Therapy", "syn2"]]
    assert changed["added"] == [["syn4", "Diagnosis"]]
    assert changed["removed"] == [["syn3", "Exposure"]]


def test_a_manifest_in_another_folder_replaces_none(nights):
    nights.night(FIRST, HTA1=report(manifests=[manifest("syn1", folder="a")]))
    second = nights.night(SECOND, HTA1=report(manifests=[manifest("syn2", folder="b")]))
    assert second["changes"]["HTA1"] == {
        "added": [["syn2", "Demographics"]],
        "removed": [["syn1", "Demographics"]],
    }


def test_a_component_appears_for_the_first_time_once(nights):
    both = [manifest("syn1"), manifest("syn2", "Therapy")]
    nights.night(FIRST, HTA1=report())
    assert nights.night(SECOND, HTA1=report(manifests=both))["changes"]["HTA1"]["components"] == ["Therapy"]
    nights.night(THIRD, HTA1=report())
    again = nights.night(THIRD, HTA1=report(manifests=both))
    assert "components" not in again["changes"]["HTA1"]


def test_atlases_come_and_go(nights):
    nights.night(FIRST, HTA1=report(files=3), HTA2=report(files=4))
    second = nights.night(SECOND, HTA2=report(files=4), HTA3=report(files=5))
    assert (second["arrived"], second["gone"]) == (["HTA3"], ["HTA1"])
    assert second["changes"]["HTA3"] == {"risen": {"files": 5, "manifests": 1}}
    assert second["changes"]["HTA1"] == {"risen": {"files": -3, "manifests": -1}}
    assert set(nights.basis) == {"HTA2", "HTA3"}


def test_the_order_of_the_atlases_is_no_figure(nights):
    nights.night(FIRST, HTA1=report(), HTA2=report())
    assert nights.night(SECOND, HTA2=report(), HTA1=report()) is None


def test_an_edition_and_its_basis_survive_json_as_they_are(nights):
    import json

    first = nights.night(FIRST, HTA1=report(findings=[("H_LINKS", 1, "a")]))
    assert json.loads(json.dumps([first, nights.basis])) == [first, nights.basis]
