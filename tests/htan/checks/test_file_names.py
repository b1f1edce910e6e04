from __future__ import annotations

from ..helpers import SOUND, decoded, entity, findings, places, report_of

BAD = (
    entity("syn5", "my folder", "folder"),
    entity("syn6", "a b.tif", parent="syn5"),
    entity("syn7", "c d.tif"),
)


def test_bad_names_of_files_and_folders_are_warnings_at_their_own_entity() -> None:
    found = findings(*SOUND, code="H_FILE_NAMES", more=BAD)
    assert places(found) == [
        ("syn5", 0, "name", "my folder"),
        ("syn6", 0, "name", "my folder/a b.tif"),
        ("syn7", 0, "name", "c d.tif"),
    ]
    assert {one.severity for one in found} == {"warning"}


def test_files_go_together_in_one_group() -> None:
    (check,) = (
        row for row in decoded(report_of(*SOUND, more=BAD), "checks") if row["code"] == "H_FILE_NAMES"
    )
    assert [(group["count"], group["values"]) for group in check["groups"]] == [
        (2, ["my folder/a b.tif", "c d.tif"]),
        (1, ["my folder"]),
    ]


def test_a_single_file_can_be_exempted() -> None:
    found = findings(*SOUND, code="H_FILE_NAMES", more=BAD, exempt={"H_FILE_NAMES": ["syn6", "syn5"]})
    assert [one.manifest for one in found] == ["syn7"]
