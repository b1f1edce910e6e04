"""Findings that are new and findings that are fixed between two reports."""

from __future__ import annotations

import csv
import io

from hdash_site.htan.changes import counted, findings_moved
from hdash_site.htan.report import CSV_HEADER

HEADER = "atlas,code,severity,manifest,component,row,column,value,expected,message\n"


def report(*rows):
    lines = [f"HTA1,{code},error,{manifest},C,{row},Id,{value},,Say." for code, manifest, row, value in rows]
    return (HEADER + "\n".join(lines) + "\n").encode()


def test_a_finding_that_moved_down_is_no_other():
    before = report(("H_LINKS", "syn1", 5, "a"), ("H_LINKS", "syn1", 6, "a"))
    after = report(("H_LINKS", "syn1", 7, "a"), ("H_LINKS", "syn1", 8, "a"), ("H_LINKS", "syn1", 9, "a"))
    assert findings_moved(before, after) == ({"H_LINKS": 1}, {})


def test_new_and_fixed_are_counted_by_check():
    before = report(("H_LINKS", "syn1", 5, "a"), ("H_DEM", "", 0, ""))
    after = report(("H_LINKS", "syn1", 5, "b"), ("H_ID_SPEC", "syn2", 1, "x"))
    assert findings_moved(before, after) == ({"H_LINKS": 1, "H_ID_SPEC": 1}, {"H_LINKS": 1, "H_DEM": 1})
    assert findings_moved(b"", after) == ({"H_LINKS": 1, "H_ID_SPEC": 1}, {})
    assert findings_moved(before, before) == ({}, {})


def written(*rows, header=CSV_HEADER):
    """A `findings.csv`; a row says what differs from a usual finding."""
    usual = {
        "atlas": "HTA1",
        "code": "H_LINKS",
        "severity": "error",
        "manifest": "syn1",
        "component": "Therapy",
        "row": 2,
        "column": "Id",
        "value": "a",
        "expected": "An id.",
        "message": "Say.",
        "kind": "no-parent",
        "stands_for": 1,
    }
    stream = io.StringIO()
    writer = csv.DictWriter(stream, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(usual | row for row in rows)
    return stream.getvalue().encode()


def test_a_finding_is_its_check_manifest_column_kind_and_value_and_neither_row_nor_words():
    before = written({}, {"row": 9})
    reworded = {"message": "In other words (row 12 of syn1).", "expected": "x", "severity": "warning"}
    assert findings_moved(before, written(reworded | {"row": 3}, reworded | {"component": "T"})) == ({}, {})
    assert counted(before).findings == {("H_LINKS", "syn1", "Id", "no-parent", "a"): 2}
    for name in ("code", "manifest", "column", "kind", "value"):
        other = written({}, {name: "other"})
        assert [one.total() for one in findings_moved(before, other)] == [1, 1], name


def test_a_report_of_version_0_1_0_without_kinds_is_compared_without_them():
    old = written({}, {"column": "Name", "value": "John Smith"}, header=CSV_HEADER[:-2])
    hidden = {"column": "Name", "value": "(not shown)"}
    assert findings_moved(old, written({"message": "Other words."}, hidden)) == ({}, {})
    assert findings_moved(old, written({"value": "b"}, hidden)) == ({"H_LINKS": 1}, {"H_LINKS": 1})


def crowded(values, more):
    """A `findings.csv` with a row for each value, and one that stands for so many findings."""
    rows = [{"value": value} for value in values]
    return written(*rows, *([{"value": "", "stands_for": more}] if more else []))


def test_which_findings_of_very_many_are_kept_is_no_news():
    before = crowded("abc", 5)
    assert findings_moved(before, crowded("bcd", 5)) == ({}, {})
    assert findings_moved(before, crowded("bcd", 4)) == ({}, {"H_LINKS": 1})
    assert findings_moved(before, crowded("xab", 7)) == ({"H_LINKS": 2}, {})


def test_where_there_are_no_longer_very_many_findings_those_that_went_are_fixed():
    assert findings_moved(crowded("abc", 5), crowded("cde", 0)) == ({}, {"H_LINKS": 5})
    assert findings_moved(crowded("cde", 0), crowded("abc", 5)) == ({"H_LINKS": 5}, {})


def test_very_many_findings_of_one_kind_do_not_hide_news_of_another():
    before = written({"value": "a"}, {"value": "", "stands_for": 9}, {"kind": "missing-id", "value": "x"})
    after = written({"value": "b"}, {"value": "", "stands_for": 9}, {"kind": "missing-id", "value": "y"})
    assert findings_moved(before, after) == ({"H_LINKS": 1}, {"H_LINKS": 1})
