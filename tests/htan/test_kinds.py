"""The kinds of findings: the history knows findings by them, so that they must not change unnoticed."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from hdash_site.htan import report

from .helpers import SAMPLES, csv_of, report_of, table

GOLDEN = Path(__file__).with_name("kinds.txt")
"""A line a kind: the code of the check, and the kind."""


def kinds(*tables: bytes | str | tuple[str, bytes]) -> set[tuple[str, str]]:
    rows = csv.DictReader(io.StringIO(report_of(*tables)["findings.csv"].decode()))
    return {(row["code"], row["kind"]) for row in rows}


def golden() -> list[tuple[str, ...]]:
    return [tuple(line.split()) for line in GOLDEN.read_text().splitlines()]


def test_the_golden_list_is_sorted_and_its_kinds_are_slugs() -> None:
    assert golden() == sorted(set(golden()))
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", kind) for _, kind in golden())


def test_these_kinds_have_not_changed() -> None:
    wide = "|".join(f"Column of our own {letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
    dated = ["Gender", *(f"Gender {number}" for number in range(1, 25))]
    found = {
        *kinds(),
        *kinds(table("Therapy", f"HTAN Participant ID|{wide}", "HTA1_1"), SAMPLES),
        *kinds(
            csv_of(["Component", "HTAN Participant ID", *dated], ["Therapy", "HTA1_1", *["1950-03-14"] * 25])
        ),
        *kinds(("Demographics", csv_of(["Demographics", "HTA1_1"])), table("Astrology", "Sign", "x")),
    }
    mine = {"H_BIOSPEC", "H_CATEGORIES", "H_DEM", "H_PRIVACY"}
    assert {one for one in found if one[0] in mine} == {one for one in golden() if one[0] in mine}


def test_no_kind_was_renamed_in_the_checks() -> None:
    package = Path(report.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    # The names of files and folders are checked by one function.
    slugs = {kind for _, kind in golden()} - {"file-name", "folder-name"}
    assert [kind for kind in sorted(slugs) if f'"{kind}"' not in text] == []
