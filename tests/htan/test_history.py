"""Editions of the figures: when there is a new one, and what it says of the one before."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdash_site.htan import history
from hdash_site.htan.findings import Finding, limited
from hdash_site.htan.history import FIGURES, Report
from hdash_site.htan.report import CSV_HEADER
from hdash_site.htan.text import csv_bytes

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
        self.made, self.bases = [], {}

    def night(self, when, **reports):
        made, basis = history.edition(self.last, self.basis, reports, when)
        if made:
            self.last, self.basis = made, basis
            self.made.append(made)
            self.bases[when] = basis
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


def test_marks_that_hold_the_words_of_findings_are_not_compared_with_todays(nights):
    """A basis of version 0.1.0 has no form."""
    nights.night(FIRST, HTA1=report(findings=[("H_DEM", 5, "x")]))
    nights.basis["HTA1"].pop("form")
    nights.basis["HTA1"]["findings"] = {"H_DEM": "AAAAAAAAAAA="}
    assert nights.night(SECOND, HTA1=report(findings=[("H_DEM", 6, "x")])) is None
    made = nights.night(SECOND, HTA1=report(files=2, findings=[("H_DEM", 6, "x")]))
    assert made["changes"]["HTA1"] == {"risen": {"files": 1}}
    assert nights.night(THIRD, HTA1=report(files=2, findings=[("H_DEM", 6, "y")]))["changes"]["HTA1"] == {
        "new": {"H_DEM": 1},
        "fixed": {"H_DEM": 1},
    }


MANIFESTS = [manifest(f"syn{number}", component) for number, component in enumerate(("A", "A", "B", "C"), 1)]

REPORTS = st.builds(
    lambda manifests, digests, findings, files: report(
        files=files,
        manifests=manifests,
        digests={one["id"]: digest for one, digest in zip(manifests, digests, strict=False)},
        findings=[("H_LINKS", 1, value) for value in findings],
    ),
    st.lists(st.sampled_from(MANIFESTS), unique_by=lambda one: one["id"]),
    st.lists(st.sampled_from("ab"), min_size=4, max_size=4),
    st.lists(st.sampled_from("xyz"), max_size=3),
    st.integers(1, 2),
)
STORIES = st.lists(
    st.dictionaries(st.sampled_from(("HTA1", "HTA2")), REPORTS, min_size=1), min_size=2, max_size=6
)


def told(story):
    """The nights of a story that each make an edition, one a day."""
    nights = Nights()
    kept = []
    for number, reports in enumerate(story):
        when = f"2026-07-{number + 1:02}T03:00:00+00:00"
        if nights.night(when, **reports):
            kept.append((when, reports))
    return nights, kept


def replayed(nights):
    again = Nights()
    for when, reports in nights:
        again.night(when, **reports)
    return again


@settings(max_examples=60)
@given(STORIES, st.data())
def test_without_an_edition_the_others_are_as_if_it_had_never_been_made(story, data):
    nights, kept = told(story)
    dropped = data.draw(st.integers(0, len(kept) - 1))
    left, bases = history.without(nights.made, nights.bases, dropped)
    never = replayed(kept[:dropped] + kept[dropped + 1 :])
    next_when = kept[dropped + 1][0] if dropped + 1 < len(kept) else ""
    assert [one for one in left if one["when"] <= next_when] == [
        one for one in never.made if one["when"] <= next_when
    ]
    assert known_components(left) == known_components(never.made)
    findings = {when: {a: basis["findings"] for a, basis in one.items()} for when, one in bases.items()}
    assert findings == {
        when: {a: basis["findings"] for a, basis in one.items()} for when, one in never.bases.items()
    }


@settings(max_examples=60)
@given(STORIES, st.data())
def test_without_any_basis_all_that_editions_say_of_figures_is_exact_and_no_finding_is_invented(story, data):
    """What may differ: a manifest or a finding that goes and comes back, and manifests in place of others."""
    nights, kept = told(story)
    dropped = data.draw(st.integers(0, len(kept) - 1))
    left, _ = history.without(nights.made, {}, dropped)
    never = replayed(kept[:dropped] + kept[dropped + 1 :]).made
    true = {one["when"]: one for one in never}
    for one in left:
        exact = true.get(one["when"])
        if exact is None:  # only a manifest that may have come back with other bytes
            assert all(set(some) <= {"replaced"} for some in one["changes"].values())
            continue
        if one["before"] == exact["before"]:
            assert (one["risen"], one["gone"]) == (exact["risen"], exact["gone"])
            assert one["arrived"] == exact["arrived"]
        assert one["totals"] == exact["totals"]
        assert figures(one) == figures(exact)
        for atlas in one["changes"]:
            if atlas not in one.get(history.UNCOMPARED, ()):
                net = [difference(some["changes"].get(atlas, {})) for some in (one, exact)]
                assert net[0] == net[1]


def known_components(editions):
    """Editions without what appeared for the first time, which later ones cannot know anew."""
    return [
        one | {"changes": {atlas: some | {"components": ()} for atlas, some in one["changes"].items()}}
        for one in editions
    ]


def figures(edition):
    return {atlas: held["figures"] for atlas, held in edition["atlases"].items()}


def difference(changes):
    return sum(changes.get("new", {}).values()) - sum(changes.get("fixed", {}).values())


def test_what_was_added_and_then_removed_cancels_out_and_what_replaced_it_is_compared_with_the_first(nights):
    old, new, newer = (manifest(entity, "Therapy") for entity in ("syn1", "syn2", "syn3"))
    passing = manifest("syn9", "Exposure")
    bad = [("H_LINKS", 1, "a"), ("H_LINKS", 2, "b")]
    nights.night(FIRST, HTA1=report(manifests=[old], findings=[("H_DEM", 1, "x")]))
    nights.night(SECOND, HTA1=report(manifests=[new, passing], findings=bad))
    nights.night(THIRD, HTA1=report(manifests=[newer], files=2))
    (_, last), _ = history.without(nights.made, {}, 1)
    assert last["before"] == FIRST
    assert last["changes"]["HTA1"] == {
        "replaced": [["syn3", "Therapy", "syn1"]],
        "fixed": {"H_DEM": 1},
        "risen": {"files": 1, "errors": -1},
    }


def test_an_edition_that_only_took_back_the_dropped_one_goes_with_it(nights):
    nights.night(FIRST, HTA1=report())
    nights.night(SECOND, HTA1=report(findings=[("H_LINKS", 1, "a")], manifests=("syn1", "syn2")))
    nights.night(THIRD, HTA1=report())
    fourth = "2026-07-04T03:00:00+00:00"
    nights.night(fourth, HTA1=report(files=5))
    left, bases = history.without(nights.made, nights.bases, 1)
    assert [one["when"] for one in left] == [FIRST, fourth]
    assert left[1]["before"] == FIRST
    assert left[1]["changes"] == {"HTA1": {"risen": {"files": 4}}}
    assert list(bases) == [FIRST, fourth]


def test_findings_are_open_since_the_time_that_is_right_without_the_dropped_edition(nights):
    open_ = report(findings=[("H_LINKS", 1, "a")])
    nights.night(FIRST, HTA1=report())
    nights.night(SECOND, HTA1=open_)
    nights.night(THIRD, HTA1=open_._replace(summary={**open_.summary, "files": 9}))
    left, _ = history.without(nights.made, {}, 1)
    assert left[1]["atlases"]["HTA1"]["checks"] == {"H_LINKS": [1, 0, THIRD]}
    left, _ = history.without(nights.made, {}, 0)
    assert left[0]["before"] == ""
    assert left[0]["changes"] == {}
    assert left[1] == nights.made[2]


def test_an_atlas_whose_basis_is_lost_is_compared_by_its_figures_alone_and_the_edition_says_so(nights):
    nights.night(FIRST, HTA1=report(files=1), HTA2=report(files=1))
    nights.basis.pop("HTA1")
    second = nights.night(SECOND, HTA1=report(files=2, manifests=("syn7",)), HTA2=report(files=2))
    assert second["uncompared"] == ["HTA1"]
    assert second["changes"]["HTA1"] == {"risen": {"files": 1}}
    assert "HTA1" in nights.basis


def test_editions_of_another_source_are_found_where_no_atlas_kept_a_manifest(nights):
    ours, theirs = ([manifest(f"syn{base}{n}") for n in range(3)] for base in (1, 2))
    both = ("HTA1", "HTA2")
    times = [f"2026-07-0{day}T03:00:00+00:00" for day in range(1, 7)]
    for number, (when, source) in enumerate(
        zip(times, (ours, ours, theirs, theirs, ours, ours), strict=True)
    ):
        nights.night(when, **{atlas: report(files=number + 1, manifests=source) for atlas in both})
    assert history.foreign(nights.made) == [2, 3]
    assert history.foreign(nights.made[:4]) == [0, 1]
    assert history.foreign(nights.made[:2]) == []
    assert history.foreign([]) == []


@given(st.lists(st.integers(0, 9), max_size=9), st.lists(st.integers(0, 9), max_size=9))
def test_news_of_very_many_findings_are_their_numbers_and_of_few_which_they_are(before, after):
    nights = Nights()
    nights.night(FIRST, HTA1=limited_report(before))
    made = nights.night(SECOND, HTA1=limited_report(after))
    changes = made["changes"].get("HTA1", {}) if made else {}
    new, fixed = (changes.get(name, {}).get("H_LINKS", 0) for name in ("new", "fixed"))
    if max(len(before), len(after)) > 5:
        assert (new, fixed) == (max(0, len(after) - len(before)), max(0, len(before) - len(after)))
    else:
        assert (new, fixed) == (
            (Counter(after) - Counter(before)).total(),
            (Counter(before) - Counter(after)).total(),
        )


def limited_report(values):
    """A report that keeps four findings, or the fifth if there are five."""
    found = [
        Finding("H_LINKS", "error", "syn1", "C", row, "Id", str(value), "", "Say.", "unknown-parent")
        for row, value in enumerate(values, 2)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hdash_site.htan.findings.MOST_ALIKE", 4)
        kept = list(limited(found, {"syn1"}))
    assert len(kept) == min(len(values), 5)
    data = csv_bytes(CSV_HEADER, [("HTA1", *finding) for finding in kept])
    return report(findings=[("H_LINKS", row, value) for row, value in enumerate(values)])._replace(
        findings=data
    )
