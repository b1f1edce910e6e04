"""Findings that are new and findings that are fixed between two reports."""

from __future__ import annotations

from hdash_site.htan.changes import findings_moved

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
