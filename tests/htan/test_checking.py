"""The checks run one by one: what one of them raises is its own."""

from __future__ import annotations

import pytest

from hdash_site.htan import checking
from hdash_site.htan.checks import links
from tests.htan.helpers import SOUND, decoded, report_of


def raising(error: BaseException):
    def check(atlas):
        raise error

    return check


def endless(atlas):
    return endless(atlas)


def test_a_check_that_raises_is_named_with_its_place(monkeypatch):
    monkeypatch.setattr(links, "check", lambda atlas: {}["HTA1_1"])
    report = report_of(*SOUND)
    [crash] = decoded(report, "crashed")
    assert (crash["code"], crash["title"], crash["error"]) == (links.CODE, links.TITLE, "KeyError")
    assert crash["file"] == "htan/checking.py"  # the innermost frame of the package: the check is not there
    assert b"HTA1_1" not in report["crashed"]
    assert decoded(report, "summary")["crashed"] == 1


def test_a_recursion_without_end_is_cut_off_in_the_trace(monkeypatch):
    monkeypatch.setattr(links, "check", endless)
    [crash] = decoded(report_of(*SOUND), "crashed")
    assert crash["error"] == "RecursionError"
    [trace] = decoded(report_of(*SOUND), "tracebacks")
    assert trace.count("File ") <= checking.MOST_FRAMES


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt()])
def test_what_is_no_fault_of_a_check_is_raised(monkeypatch, error):
    monkeypatch.setattr(links, "check", raising(error))
    with pytest.raises(type(error)):
        report_of(*SOUND)
