from __future__ import annotations

from hdash_site.htan.checks import checks, codes

from ..helpers import SOUND, decoded, report_of

CODES = [
    "H_BIOSPEC",
    "H_CATEGORIES",
    "H_DEM",
    "H_ENTITY_ID",
    "H_FILE_NAMES",
    "H_ID_SPEC",
    "H_LINKS",
    "H_LISTING",
    "H_MANIFEST",
    "H_NON_DEM",
    "H_PRIVACY",
]


def test_no_check_vanishes_unnoticed() -> None:
    assert [check.CODE for check in checks()] == CODES


def test_the_codes_that_settings_are_held_against_are_those_of_the_checks() -> None:
    assert codes() == [check.CODE for check in checks()]


def test_every_check_has_a_title_and_a_help_page_with_its_four_parts() -> None:
    for check in checks():
        assert check.TITLE
        assert check.SEVERITY in ("error", "warning")
        for part in ("**Passes**", "**Example**", "**What to do**", "**Compared with the dashboard before**"):
            assert part in (check.__doc__ or ""), f"{check.CODE} does not say {part}"


def test_a_sound_atlas_passes_every_check() -> None:
    rows = decoded(report_of(*SOUND), "checks")
    assert [row["code"] for row in rows] == CODES
    assert all((row["errors"], row["warnings"], row["groups"]) == (0, 0, []) for row in rows)
