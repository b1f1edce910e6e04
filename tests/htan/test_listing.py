from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan import listing
from hdash_site.htan.entities import COLUMNS
from hdash_site.htan.findings import Finding
from hdash_site.htan.folders import LONGEST_PATH

from .helpers import PROJECT, csv_of, entity, listed, listing_findings, listing_of, newest

MANIFEST = "synapse_storage_manifest_x.csv"


def test_files_are_counted_by_type_and_sizes_over_everything_that_is_not_left_out() -> None:
    facets = listed(
        entity("syn2", "data", "folder"),
        entity("syn3", "a.bam", parent="syn2", dataFileSizeBytes="10"),
        entity("syn4", "b.TIF", parent="syn2", dataFileSizeBytes="20.0"),
        entity("syn5", "c.gz", parent="syn2"),
        entity("syn6", MANIFEST, parent="syn2", dataFileSizeBytes="5", Component="Demographics"),
        entity("syn7", "synapse_storage_manifest.csv", parent="syn2", dataFileSizeBytes="1000"),
        entity("syn8", ".DS_Store", parent="syn2", dataFileSizeBytes="1000"),
        entity("syn9", ".vimrc", dataFileSizeBytes="1000"),
        entity("syn10", ".Rhistory", dataFileSizeBytes="1000"),
        entity("syn11", "d.csv", dataFileSizeBytes="nonsense"),
    )
    types = facets["summary"]["types"]
    assert list(types) == ["BAM", "FASTQ", "Image", "Matrix", "Other"]
    assert {name: (one["files"], one["bytes"]) for name, one in types.items()} == {
        "BAM": (1, 10), "FASTQ": (0, 0), "Image": (1, 20), "Matrix": (1, 0), "Other": (1, 0),
    }  # fmt: skip
    assert (facets["summary"]["files"], facets["summary"]["bytes"], facets["summary"]["manifests"]) == (
        4,
        35,
        1,
    )


def test_a_path_is_the_names_of_the_folders_from_the_project_down() -> None:
    (manifest,) = listed(
        entity(
            "syn4", MANIFEST, parent="syn3", Component="Therapy", modifiedOn="1.61E+12", dataFileSizeBytes="7"
        ),
        entity("syn3", "b", "folder", "syn2"),
        entity("syn2", "a", "folder"),
    )["manifests"]
    assert manifest == {
        "id": "syn4",
        "name": MANIFEST,
        "path": f"a/b/{MANIFEST}",
        "folder": "syn3",
        "component": "Therapy",
        "modified": 1_610_000_000_000,
        "size": 7,
    }


def test_manifests_stand_in_natural_order_of_their_paths() -> None:
    folders = [entity(f"syn{n}", f"part_{n}", "folder") for n in (10, 9, 100)]
    manifests = [entity(f"syn{n}1", MANIFEST, parent=f"syn{n}") for n in (10, 9, 100)]
    assert [one["id"] for one in listed(*folders, *manifests)["manifests"]] == ["syn91", "syn101", "syn1001"]


def test_of_several_manifests_of_one_component_in_a_folder_the_newest_counts() -> None:
    rows = [
        entity("syn3", MANIFEST, modifiedOn="1500", dataFileHandleId="7", dataFileMD5Hex="old"),
        entity(
            "syn4",
            "synapse_storage_manifest_y.csv",
            modifiedOn="1600",
            dataFileHandleId="8",
            dataFileMD5Hex="new",
        ),
        entity("syn5", "f", "folder"),
        entity("syn6", MANIFEST, parent="syn5", modifiedOn="1", dataFileMD5Hex=""),
    ]
    facets = listed(*rows)
    assert [one["id"] for one in facets["manifests"]] == ["syn6", "syn4"]
    assert facets["findings"] == []
    assert newest(listing_of(*rows)) == [("syn4", "new"), ("syn6", "")]


def test_times_are_read_as_numbers_and_as_dates() -> None:
    rows = [
        entity("syn3", MANIFEST, modifiedOn="2021-01-01T00:00:00.000Z"),
        entity("syn4", MANIFEST, modifiedOn="1.70E+12"),
        entity("syn5", MANIFEST, modifiedOn="never"),
    ]
    assert [one["id"] for one in listed(*rows)["manifests"]] == ["syn4"]
    assert [one["modified"] for one in listed(rows[0])["manifests"]] == [1_609_459_200_000]


def test_of_equally_new_manifests_the_newer_content_counts() -> None:
    rows = [entity(f"syn{n}", MANIFEST, modifiedOn="5", dataFileHandleId=str(n)) for n in (9, 10, 8)]
    assert [one["id"] for one in listed(*rows)["manifests"]] == ["syn10"]


def test_a_superseded_manifest_with_newer_content_is_a_warning() -> None:
    (found,) = listing_findings(
        entity("syn3", MANIFEST, modifiedOn="2", dataFileHandleId="70", Component="Therapy"),
        entity("syn4", MANIFEST, modifiedOn="1", dataFileHandleId="100", Component="Therapy"),
    )
    assert found[:4] == ("H_MANIFEST", "warning", "syn4", "Therapy")
    assert found.kind == "superseded-newer-content"
    assert "syn3" in found.expected
    assert "delete" not in found.message


def used(*rows: list[str]) -> list[str]:
    """The manifests that count, which are those that a crawl fetches."""
    current = [one["id"] for one in listed(*rows)["manifests"]]
    assert sorted(current) == sorted(name for name, _ in newest(listing_of(*rows)))
    return current


def superseded(*rows: list[str]) -> list[tuple[str, str, str]]:
    return [(one["id"], one["by"], one["reason"]) for one in listed(*rows)["folders"]["superseded"]]


def manifest(synapse_id: str, component: str, modified: int, name: str = MANIFEST, **more: str) -> list[str]:
    return entity(synapse_id, name, Component=component, modifiedOn=str(modified), **more)


def test_in_a_folder_with_several_components_the_newest_manifest_of_each_counts() -> None:
    rows = [
        manifest("syn3", "Therapy", 1),
        manifest("syn4", "Diagnosis", 2),
        manifest("syn5", "Therapy", 3),
        manifest("syn6", "Exposure", 1),
    ]
    assert used(*rows) == ["syn4", "syn5", "syn6"]
    assert superseded(*rows) == [("syn3", "syn5", "older")]


def test_the_spelling_of_an_annotation_makes_no_other_component() -> None:
    rows = [
        manifest("syn3", "scRNA-seq Level 1", 2),
        manifest("syn4", " ScRNA-seqLevel1 ", 1),
        manifest("syn5", "BulkDNALevel1", 1),
        manifest("syn6", "BulkWESLevel1", 2),
    ]
    assert used(*rows) == ["syn3", "syn6"]


def test_a_manifest_without_an_annotation_is_of_the_component_that_its_name_ends_with() -> None:
    rows = [
        manifest("syn3", "", 1, "synapse_storage_manifest_therapy.csv"),
        manifest("syn4", "NA", 2, "synapse_storage_manifest_scrna-seqlevel1.csv"),
        manifest("syn5", "Therapy", 3, "synapse_storage_manifest_new.csv"),
        manifest("syn6", "", 4, "synapse_storage_manifest_a.csv"),
        manifest("syn7", "", 5, "synapse_storage_manifest_b.csv"),
    ]
    assert sorted(used(*rows)) == ["syn4", "syn5", "syn7"]
    assert superseded(*rows) == [("syn6", "syn7", "older"), ("syn3", "syn5", "older")]


WHOLE, CENSORED = "synapse_storage_manifest_x.csv", "synapse_storage_manifest_x_censored.csv"


@pytest.mark.parametrize("when", [1, 2, 3])
@pytest.mark.parametrize("component", ["Demographics", "", "Therapy"])
def test_of_a_whole_and_a_censored_manifest_the_whole_one_counts_whichever_is_newer(
    when: int, component: str
) -> None:
    rows = [manifest("syn3", "Demographics", 2, WHOLE), manifest("syn4", component, when, CENSORED)]
    assert used(*rows) == ["syn3"]
    assert superseded(*rows) == [("syn4", "syn3", "censored")]
    (found,) = listing_findings(*rows)
    assert (found.severity, found.manifest, found.value, found.kind) == (
        "warning",
        "syn4",
        CENSORED,
        "censored-manifest",
    )
    assert "syn3" in found.message


def test_a_censored_manifest_counts_where_there_is_no_whole_one() -> None:
    rows = [
        manifest("syn3", "Demographics", 1, CENSORED),
        entity("syn5", "f", "folder"),
        manifest("syn4", "Demographics", 2, WHOLE, parent="syn5"),
    ]
    assert sorted(used(*rows)) == ["syn3", "syn4"]
    assert listing_findings(*rows) == []


def test_a_whole_manifest_is_superseded_by_a_newer_one_of_another_name() -> None:
    rows = [
        manifest("syn3", "Demographics", 3, CENSORED),
        manifest("syn4", "Demographics", 1, WHOLE.upper().replace("SYNAPSE_STORAGE_MANIFEST", WHOLE[:24])),
        manifest("syn5", "Demographics", 2, "synapse_storage_manifest_y.csv"),
    ]
    assert used(*rows) == ["syn5"]
    assert superseded(*rows) == [("syn4", "syn5", "older"), ("syn3", "syn4", "censored")]


LEGACY = "synapse_storage_manifest.csv"


def test_a_legacy_manifest_is_left_out_where_its_folder_holds_another_manifest() -> None:
    rows = [
        manifest("syn3", "Therapy", 9, LEGACY, dataFileSizeBytes="1000"),
        manifest("syn4", "Diagnosis", 1, dataFileSizeBytes="10"),
    ]
    assert used(*rows) == ["syn4"]
    assert superseded(*rows) == [("syn3", "syn4", "legacy")]
    assert listing_findings(*rows) == []
    assert listed(*rows)["summary"]["bytes"] == 10


def test_a_legacy_manifest_is_read_and_named_where_its_folder_holds_no_other() -> None:
    rows = [
        manifest("syn3", "Therapy", 1, LEGACY, dataFileSizeBytes="1000"),
        entity("syn4", "a.bam", dataFileSizeBytes="1"),
        manifest("syn5", "Therapy", 1, LEGACY + ".txt"),
    ]
    assert used(*rows) == ["syn3"]
    (found,) = listing_findings(*rows)
    assert (found.severity, found.manifest, found.value, found.kind) == (
        "warning",
        "syn3",
        LEGACY,
        "legacy-manifest",
    )
    assert listed(*rows)["summary"]["bytes"] == 1001
    assert listed(*rows)["summary"]["files"] == 2


def test_a_legacy_manifest_is_the_whole_one_of_a_censored_one_without_a_name_of_its_own() -> None:
    rows = [
        manifest("syn3", "Therapy", 1, LEGACY),
        manifest("syn4", "Therapy", 2, "synapse_storage_manifest_censored.csv"),
    ]
    assert used(*rows) == ["syn3"]
    assert superseded(*rows) == [("syn4", "syn3", "censored")]


NAMES = st.sampled_from(
    [
        LEGACY,
        WHOLE,
        CENSORED,
        MANIFEST,
        "synapse_storage_manifest_y.csv",
        "synapse_storage_manifest_censored.csv",
    ]
)
SUBMITTED = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(["syn2", "syn3"]),
        st.sampled_from(["", "Therapy", "therapy", "Diagnosis"]),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=8,
)


@given(SUBMITTED)
def test_every_manifest_is_used_or_named_with_what_supersedes_it(rows: list[tuple]) -> None:
    entities = [entity("syn2", "a", "folder"), entity("syn3", "b", "folder")]
    entities += [
        manifest(f"syn{n}", component, modified, name, parent=parent, dataFileHandleId=str(handle))
        for n, (name, parent, component, modified, handle) in enumerate(rows, 10)
    ]
    current, left = used(*entities), superseded(*entities)
    assert sorted([*current, *(old for old, _, _ in left)]) == [f"syn{n}" for n in range(10, 10 + len(rows))]
    parents = {row[0]: row[3] for row in entities}
    assert {parents[name] for name in current} == {parents[f"syn{n}"] for n in range(10, 10 + len(rows))}
    by = {old: new for old, new, _ in left}
    for old, new in by.items():
        assert parents[old] == parents[new]
        while new in by:  # a chain of manifests ends at one that is used
            new = by[new]
        assert new in current


def test_files_that_are_left_out_for_their_names_are_counted() -> None:
    facets = listed(
        entity("syn2", "data", "folder"),
        entity("syn3", ".DS_Store", parent="syn2"),
        entity("syn4", ".DS_Store"),
        entity("syn5", ".Rhistory"),
    )
    assert facets["folders"]["left_out"] == [
        {"name": ".DS_Store", "files": 2},
        {"name": ".Rhistory", "files": 1},
    ]
    assert facets["summary"]["files"] == 0


def test_the_entities_are_the_files_the_files_in_archives_and_the_folders() -> None:
    facets = listed(
        entity("syn2", "data", "folder"),
        entity("syn3", "archive", "folder"),
        entity("syn4", "old", "folder", "syn3"),
        entity("syn5", "a.bam", parent="syn2"),
        entity("syn6", ".DS_Store"),
        entity("syn7", MANIFEST, parent="syn2"),
        entity("syn8", "b.bam", parent="syn4"),
        entity("syn9x", "c.bam"),
    )
    assert facets["entities"] == {"files": "5,6,7,", "archived": "8", "folders": "2,3,4"}


@pytest.mark.parametrize("name", ["archive", "Archive", "ARCHIVES", "archives"])
def test_a_root_folder_called_archive_is_left_out_and_named(name: str) -> None:
    facets = listed(
        entity("syn2", name, "folder"),
        entity("syn3", "sub folder", "folder", "syn2"),
        entity("syn4", "a b.bam", parent="syn3", dataFileSizeBytes="10"),
        entity("syn5", MANIFEST, parent="syn2"),
    )
    assert facets["summary"]["files"] == facets["summary"]["bytes"] == facets["summary"]["manifests"] == 0
    assert facets["folders"]["roots"] == facets["folders"]["superseded"] == []
    assert facets["folders"]["archives"] == [{"name": name, "id": "syn2", "files": 2}]
    assert facets["findings"] == []


def test_only_root_folders_are_archives_and_only_by_their_whole_name() -> None:
    facets = listed(
        entity("syn2", "data", "folder"),
        entity("syn3", "archive", "folder", "syn2"),
        entity("syn4", "a.bam", parent="syn3"),
        entity("syn5", "archived_notes", "folder"),
        entity("syn6", "b.bam", parent="syn5"),
    )
    assert facets["summary"]["files"] == 2
    assert facets["folders"]["archives"] == []


def test_the_site_names_further_archives_by_name_or_id() -> None:
    rows = [
        entity("syn2", "old", "folder"),
        entity("syn3", "older", "folder"),
        entity("syn4", "a.bam", parent="syn2"),
        entity("syn5", "b.bam", parent="syn3"),
    ]
    assert listed(*rows)["summary"]["files"] == 2
    assert listed(*rows, archives=("old", "syn3"))["summary"]["files"] == 0


def test_each_root_folder_has_its_data_files_with_and_without_a_component() -> None:
    facets = listed(
        entity("syn2", "data", "folder"),
        entity("syn3", "sub", "folder", "syn2"),
        entity("syn4", "a.bam", parent="syn3", Component="ImagingLevel2", dataFileSizeBytes="3"),
        entity("syn5", "b.bam", parent="syn2", dataFileSizeBytes="4"),
        entity("syn6", "c.bam", parent="syn2", Component="NA"),
        entity("syn7", MANIFEST, parent="syn2", Component="ImagingLevel2", dataFileSizeBytes="100"),
        entity("syn8", "data", "folder"),
        entity("syn9", "top.bam"),
    )
    assert facets["folders"]["roots"] == [
        {"name": "", "id": PROJECT, "annotated": 0, "plain": 1, "bytes": 0},
        {"name": "data", "id": "syn2", "annotated": 1, "plain": 2, "bytes": 7},
        {"name": "data", "id": "syn8", "annotated": 0, "plain": 0, "bytes": 0},
    ]


def codes(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.code, one.manifest, one.value) for one in found]


def test_a_folder_cycle_is_one_finding_and_its_files_are_kept() -> None:
    facets = listed(
        entity("syn2", "a", "folder", "syn3"),
        entity("syn3", "b", "folder", "syn2"),
        entity("syn4", "self", "folder", "syn4"),
        entity("syn5", "x.bam", parent="syn2"),
    )
    found = [Finding(*row) for row in facets["findings"]]
    assert codes(found) == [("H_LISTING", "syn2", "a"), ("H_LISTING", "syn4", "self")]
    assert facets["summary"]["files"] == 1


def test_a_parent_that_does_not_exist_is_one_finding_however_many_children_it_has() -> None:
    found = listing_findings(
        entity("syn2", "a.bam", parent="syn99"),
        entity("syn3", "b.bam", parent="syn99"),
        entity("syn4", "f", "folder", "syn98"),
        entity("syn5", "c.bam", parent="syn4"),
    )
    assert codes(found) == [("H_LISTING", "syn2", "syn99"), ("H_LISTING", "syn4", "syn98")]
    assert "(2 entities)" in found[0].message


def test_of_a_repeated_entity_the_first_row_stands() -> None:
    facets = listed(
        entity("syn2", "a.bam", dataFileSizeBytes="1"), entity("syn2", "b.tif", dataFileSizeBytes="2")
    )
    assert facets["summary"]["bytes"] == 1
    assert codes([Finding(*row) for row in facets["findings"]]) == [("H_LISTING", "syn2", "b.tif")]


def test_a_manifest_behind_a_skipped_row_keeps_its_version() -> None:
    rows = [
        entity("syn2", "x", "table"),
        entity("", "y"),
        entity("syn3", MANIFEST, modifiedOn="5", dataFileMD5Hex="five"),
        entity("syn3", MANIFEST, modifiedOn="6", dataFileMD5Hex="six"),
    ]
    assert newest(listing_of(*rows)) == [("syn3", "five")]
    found = listing_findings(*rows)
    assert codes(found) == [("H_LISTING", "syn2", "table"), ("H_LISTING", "syn3", MANIFEST)]
    assert "(2 rows)" in found[0].message


def test_an_atlas_without_rows_is_one_finding() -> None:
    assert [one.code for one in listing_findings()] == ["H_LISTING"]
    for data in (b"", b"\n", b"\xff\xfe\n"):
        assert b"H_LISTING" in listing.facets(data, PROJECT, [])["findings"]


def test_columns_in_another_order_and_uneven_rows_are_read() -> None:
    data = csv_of(
        ["type", "extra", "id", "name", "parentId"],
        ["file", "x", "syn2", "a.bam", PROJECT],
        ["file", "x", "syn3"],
    )
    facets = listing.facets(data, PROJECT, [])
    assert b'"files":2,' in facets["summary"]


@pytest.mark.parametrize(
    "name", ["a b.tif", "a(1).tif", "ä.tif", "a,b.tif", "", "a.tif\n", "🧬.tif", "a/b.tif"]
)
def test_a_name_that_crdc_does_not_allow_is_a_warning(name: str) -> None:
    (found,) = listing_findings(entity("syn2", "data", "folder"), entity("syn3", name, parent="syn2"))
    assert found[:3] == ("H_FILE_NAMES", "warning", "syn3")
    assert found.value == "data/" + name.replace("\n", "\\n")


def test_good_names_pass_however_long_they_are() -> None:
    assert listing_findings(entity("syn2", "A-z_0.9" * 100 + ".tif"), entity("syn3", "plain.gz")) == []


def test_a_badly_named_folder_is_named_once_and_manifests_are_not_checked() -> None:
    found = listing_findings(
        entity("syn2", "my data", "folder"),
        entity("syn3", "a.bam", parent="syn2"),
        entity("syn4", "b.bam", parent="syn2"),
        entity("syn5", "synapse_storage_manifest_a b.csv", parent="syn2"),
    )
    assert codes(found) == [("H_FILE_NAMES", "syn2", "my data")]


def test_ten_thousand_nested_folders_are_walked() -> None:
    rows = [entity("syn1000000", "x.bam", parent="syn10001")]
    rows += [entity(f"syn{n}", "f" * 256, "folder", f"syn{n - 1}") for n in range(2, 10_002)]
    facets = listed(*rows)
    assert facets["findings"] == []
    assert facets["folders"]["roots"][0]["plain"] == 1


def test_the_columns_are_those_of_the_file_view() -> None:
    assert next(csv.reader([listing_of().decode()])) == list(COLUMNS)


def test_of_very_many_manifests_the_first_by_path_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_MANIFESTS", 2)
    rows = [entity(f"syn{10 + one}", f"folder_{one}", "folder") for one in range(4)]
    rows += [
        entity(f"syn{20 + one}", "synapse_storage_manifest_x.csv", parent=f"syn{13 - one}")
        for one in range(4)
    ]
    found = listed(*rows)
    assert [one["id"] for one in found["manifests"]] == ["syn23", "syn22"]
    assert found["summary"]["manifests"] == 2
    [finding] = [Finding(*row) for row in found["findings"]]
    assert (finding.code, finding.kind, finding.value) == ("H_MANIFEST", "too-many-manifests", "4 manifests")


def test_a_path_that_is_too_long_is_cut_at_its_beginning() -> None:
    rows = [
        entity(f"syn{100 + one}", "f" * 99, "folder", f"syn{99 + one}" if one else PROJECT)
        for one in range(40)
    ]
    found = listed(*rows, entity("syn9", "synapse_storage_manifest_x.csv", parent="syn139"))
    [manifest] = found["manifests"]
    assert manifest["path"].startswith("…")
    assert manifest["path"].endswith(f"/{'f' * 99}/synapse_storage_manifest_x.csv")
    assert len(manifest["path"]) == LONGEST_PATH + len("synapse_storage_manifest_x.csv")
