from __future__ import annotations

import csv
import io

from hdash_site.htan import fixes

from .helpers import PEOPLE, SAMPLES, SOUND, decoded, entity, report_of, table


def imaging(*rows: str) -> bytes:
    return table("ImagingLevel2", "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId", *rows)


def lost(*numbers: int) -> list[str]:
    """Rows of an imaging manifest whose parents do not exist."""
    return [f"HTA1_1_9{n:04}|HTA1_1_77{n}|syn6{n:03}" for n in numbers]


GOOD = "HTA1_1_8{0:04}|HTA1_1_1|syn7{0:03}"


def causes(*tables: bytes, **more: object) -> list[dict]:
    return decoded(report_of(*tables, **more), "fixes")


def test_a_faultless_atlas_has_nothing_to_fix() -> None:
    assert causes(*SOUND) == []


def test_one_cause_names_each_manifest_its_rows_what_is_there_and_what_was_expected() -> None:
    one = imaging(*lost(1, 2, 3), GOOD.format(1), *lost(4), GOOD.format(2))
    two = imaging(*lost(5))
    [cause] = causes(*SOUND, one, two)
    assert cause == {
        "code": "H_LINKS",
        "severity": "error",
        "column": "HTAN Parent Biospecimen ID",
        "message": "The parent does not exist in the atlas. Correct the ID, or upload the manifest that"
        " describes the parent.",
        "expected": "a biospecimen id, like HTA3_8001_1",
        "count": 5,
        "places": 2,
        "where": [
            {
                "entity": "syn15",
                "is_manifest": True,
                "component": "ImagingLevel2",
                "path": "folder_5/synapse_storage_manifest_x.csv",
                "count": 4,
                "rows": [[[2, 4], [6, 6]], 0],
                "values": ["HTA1_1_771", "HTA1_1_772", "HTA1_1_773"],
            },
            {
                "entity": "syn16",
                "is_manifest": True,
                "component": "ImagingLevel2",
                "path": "folder_6/synapse_storage_manifest_x.csv",
                "count": 1,
                "rows": [[[2, 2]], 0],
                "values": ["HTA1_1_775"],
            },
        ],
    }


def test_the_cause_with_the_most_findings_comes_first_and_errors_before_warnings() -> None:
    named = entity("syn5", "b d.bam")
    found = causes(
        *SOUND, imaging(*lost(1, 2)), table("Therapy", "HTAN Participant ID", "HTA1_7"), more=(named,)
    )
    assert [(one["code"], one["count"]) for one in found] == [
        ("H_LINKS", 2),
        ("H_NON_DEM", 1),
        ("H_FILE_NAMES", 1),
    ]


def test_files_of_the_listing_are_places_of_their_own_and_no_manifests() -> None:
    [cause] = causes(*SOUND, more=(entity("syn5", "a b.bam"), entity("syn6", "c d.bam")))
    assert (cause["code"], cause["count"], cause["places"]) == ("H_FILE_NAMES", 2, 2)
    assert [(place["entity"], place["is_manifest"], place["rows"]) for place in cause["where"]] == [
        ("syn5", False, [[], 0]),
        ("syn6", False, [[], 0]),
    ]


def test_what_is_lacking_as_a_whole_has_a_place_without_an_entity() -> None:
    found = causes(PEOPLE)
    assert [(one["code"], [place["entity"] for place in one["where"]]) for one in found] == [
        ("H_BIOSPEC", [""])
    ]


def test_a_thousand_places_are_counted_and_the_first_of_them_shown() -> None:
    files = tuple(entity(f"syn{5000 + n}", f"a b{n}.bam") for n in range(1000))
    report = report_of(*SOUND, more=files)
    [cause] = decoded(report, "fixes")
    assert (cause["count"], cause["places"], len(cause["where"])) == (1000, 1000, fixes.MOST_PLACES)
    assert len(download(report)) == 1000


def test_scattered_rows_are_counted_and_the_first_ranges_named() -> None:
    rows = [row for n in range(100) for row in (GOOD.format(n), *lost(n))]
    [cause] = causes(*SOUND, imaging(*rows))
    ranges, more = cause["where"][0]["rows"]
    assert ranges[:2] == [[3, 3], [5, 5]]
    assert (len(ranges), more) == (fixes.MOST_RANGES, 100 - fixes.MOST_RANGES)


def test_two_findings_of_one_row_name_it_once() -> None:
    row = "HTA1_1_7|HTA1_1|HTA1_1_88;HTA1_1_99"
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID|Adjacent Biospecimen IDs", row)
    [cause] = causes(PEOPLE, SAMPLES, samples)
    assert (cause["count"], cause["where"][0]["rows"]) == (2, [[[2, 2]], 0])


def download(report: dict[str, bytes], name: str = "fixes.csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report[name].decode())))


def test_the_download_has_a_line_a_cause_and_place_with_ranges_that_are_no_dates() -> None:
    report = report_of(*SOUND, imaging(*lost(1, 2, 3), GOOD.format(1), *lost(4)), imaging(*lost(5)))
    one, two = download(report)
    assert (one["atlas"], one["entity"], one["findings"], one["rows"]) == ("HTA1", "syn15", "4", "2 to 4, 6")
    assert (two["entity"], two["rows"], two["value"]) == ("syn16", "2", "HTA1_1_775")


def test_the_downloads_hold_no_formula() -> None:
    rows = (f"HTA1_1_7{n}|{parent}" for n, parent in enumerate(("=HYPERLINK('x')", "+1", "-1", "@x")))
    report = report_of(table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", *rows), PEOPLE)
    for name in ("fixes.csv", "findings/syn11.csv"):
        values = [cell for row in download(report, name) for cell in row.values()]
        assert not [cell for cell in values if cell[:1] in tuple("=+-@\t\r")], name
        assert any("'=HYPERLINK" in cell for cell in values), name


def test_a_manifest_with_findings_has_a_download_of_its_own() -> None:
    report = report_of(*SOUND, imaging(*lost(1, 2)), imaging(*lost(3)))
    assert [row["row"] for row in download(report, "findings/syn15.csv")] == ["2", "3"]
    assert "findings/syn11.csv" not in report
    assert decoded(report, "findings/syn15")["groups"][0]["rows"] == [[[2, 3]], 0]
