"""The domain on real HTAN data, against figures worked out here with plain loops over the same files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from hdash_site.htan.components import catalogue, class_name
from hdash_site.htan.entities import COLUMNS

from .helpers import decoded, listed, read, report_of

DATA = Path(__file__).parents[3] / "shared/data/htan"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real HTAN data are not at {DATA}")

MANIFESTS = {
    "demographics": "Demographics",
    "biospecimens": "Biospecimen",
    "single_cell_level1": "ScRNA-seqLevel1",
    "single_cell_level2": "ScRNA-seqLevel2",
    "single_cell_level3": "ScRNA-seqLevel3",
    "single_cell_level4": "ScRNA-seqLevel4",
    "longitudinal_biospecimen1": "Biospecimen",
    "longitudinal_therapy1": "Therapy",
}
ATLAS = list(MANIFESTS)[:6]
NOT_COUNTED = {"Component", "entityId", "Id", "Uuid", "Filename", "eTag", "Adjacent Biospecimen IDs"}
NOT_VALUES = {"", "na", "n/a", "nan", "null", "unknown", "not applicable", "not reported"}


def data(name: str) -> bytes:
    return (DATA / f"{name}.csv").read_bytes()


def rows_of(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data(name).decode("utf-8-sig"))))


def model() -> dict[str, list[str]]:
    """The components of the data model, with their attributes."""
    found: dict[str, list[str]] = {}
    for row in csv.DictReader(
        io.StringIO((DATA / "HTAN.model.csv").read_text(encoding="utf-8-sig"), newline="")
    ):
        attributes = [name.strip() for name in row["DependsOn"].split(",")]
        if "Component" in attributes:
            found[row["Attribute"]] = attributes
    return found


def inventory() -> list[tuple[str, str, int]]:
    atlases = json.loads((DATA / "manifest_inventory.json").read_text())
    return [(atlas, one["component"], one["numItems"]) for atlas, many in atlases.items() for one in many]


def test_every_component_of_the_model_is_known_by_label_and_by_name() -> None:
    labels = list(model())
    assert len(labels) == 89
    for label in labels:
        found = catalogue().find(class_name(label))
        assert found is not None, label
        assert found.label == label
        assert catalogue().find(label) is found


def test_components_stand_in_the_order_of_the_model() -> None:
    labels = list(model())
    assert [component.label for component in catalogue() if component.label in labels] == labels


def test_id_columns_are_attributes_of_the_model() -> None:
    for label, attributes in model().items():
        component = catalogue().find(label)
        assert component is not None
        # In BulkRNA-seq and BulkWES level 2 the biospecimen is asked for under a condition.
        conditional = {"HTAN Parent Biospecimen ID"} if component.parent_may_be_not_applicable else set()
        assert set(component.id_columns) - conditional <= set(attributes), label
        parents = {
            name for name in attributes if name in ("HTAN Parent Biospecimen ID", "HTAN Parent Data File ID")
        }
        if component.primary_id and component.kind == "assay":
            assert parents | conditional == {component.parent_id, component.second_parent_id} - {""}, label
        if "HTAN Data File ID" in attributes:
            assert component.primary_id == "HTAN Data File ID"
            assert component.parent_id in ("HTAN Parent Data File ID", "HTAN Parent Biospecimen ID")


def test_every_released_manifest_has_a_known_component() -> None:
    assert len(inventory()) == 671
    assert sum(rows for _, _, rows in inventory()) == 262_925
    unknown = {name for _, name, _ in inventory() if catalogue().find(name) is None}
    assert unknown == set()
    renamed = {
        name: found.name
        for _, name, _ in inventory()
        if (found := catalogue().find(name)) and found.name != name
    }
    assert renamed == {
        "BulkDNALevel1": "BulkWESLevel1",
        "BulkDNALevel2": "BulkWESLevel2",
        "BulkDNALevel3": "BulkWESLevel3",
        "ImagingLevel3": "ImagingLevel3Segmentation",
        "10XXeniumISS": "10XGenomicsXeniumISSExperiment",
    }


@pytest.mark.parametrize("name", MANIFESTS)
def test_records_and_filled_cells_agree_with_a_plain_count(name: str) -> None:
    rows = rows_of(name)
    counted = [
        column
        for column in rows[0]
        if column not in NOT_COUNTED and not re.fullmatch(r"HTAN .* ID|X\d+|Unnamed: \d+|", column)
    ]
    filled = {
        column: sum(row[column].strip().lower() not in NOT_VALUES for row in rows) for column in rows[0]
    }
    found = read(data(name))
    columns = found["columns"]
    assert columns["records"] == len(rows)
    assert found["ids"]["component"] == MANIFESTS[name]
    assert columns["cells"] == len(rows) * len(counted)
    assert columns["filled"] == sum(filled[column] for column in counted)
    assert {column["name"]: column["filled"] for column in columns["columns"]} == filled
    assert read(data(name))["problems"] == []


def test_the_figures_of_the_atlas_written_down() -> None:
    summary = decoded(report_of(*map(data, ATLAS), atlas="HTA3"), "summary")
    assert {key: summary[key] for key in ("records", "participants", "biospecimens", "manifests")} == {
        "records": 213,
        "participants": 6,
        "biospecimens": 15,
        "manifests": 6,
    }


def links() -> list[tuple[str, str, str]]:
    """Every (manifest, parent, child) that the real manifests name."""
    columns = {
        "biospecimens": ("HTAN Biospecimen ID", "HTAN Parent ID"),
        "single_cell_level1": ("HTAN Data File ID", "HTAN Parent Biospecimen ID"),
    }
    found: list[tuple[str, str, str]] = []
    for name in ATLAS[1:]:
        primary, parent = columns.get(name, ("HTAN Data File ID", "HTAN Parent Data File ID"))
        for row in rows_of(name):
            found += [
                (name, one, row[primary]) for one in row[parent].replace(",", " ").replace(";", " ").split()
            ]
    return found


def nodes() -> set[str]:
    primary = {"demographics": "HTAN Participant ID", "biospecimens": "HTAN Biospecimen ID"}
    return {row[primary.get(name, "HTAN Data File ID")] for name in ATLAS for row in rows_of(name)}


def test_the_network_has_the_edges_whose_ends_exist() -> None:
    short = dict(zip(ATLAS, ["D", "B", "SC1", "SC2", "SC3", "SC4"], strict=True))
    primary = {"demographics": "HTAN Participant ID", "biospecimens": "HTAN Biospecimen ID"}
    label = {
        row[primary.get(name, "HTAN Data File ID")]: short[name]
        for name in reversed(ATLAS)
        for row in rows_of(name)
    }
    expected = {
        f"{label[parent]}_{parent}\tconnect\t{label[child]}_{child}"
        for _, parent, child in links()
        if parent in label
    }
    lines = report_of(*map(data, ATLAS), atlas="HTA3")["network.sif"].decode().splitlines()
    assert len(lines) == len(set(lines)) == len(expected)
    assert set(lines) == expected


def test_links_to_ids_that_do_not_exist_are_found() -> None:
    well_formed = re.compile(r"HTA[1-9][0-9]?_(EXT)?[0-9]+(_[0-9]+)?")
    missing = Counter(
        (f"syn{11 + ATLAS.index(name)}", parent)
        for name, parent, _ in links()
        if parent not in nodes() and "EXT" not in parent and well_formed.fullmatch(parent)
    )
    for row in rows_of("biospecimens"):
        for one in row["Adjacent Biospecimen IDs"].replace(",", " ").split():
            if one not in nodes():
                missing["syn12", one] += 1
    report = report_of(*map(data, ATLAS), atlas="HTA3")
    rows = list(csv.DictReader(io.StringIO(report["findings.csv"].decode())))
    assert Counter((row["manifest"], row["value"]) for row in rows if row["code"] == "H_LINKS") == missing


def test_malformed_ids_are_found_in_their_rows() -> None:
    malformed = [
        (str(number), row["HTAN Data File ID"])
        for number, row in enumerate(rows_of("single_cell_level4"), 2)
        if not re.fullmatch(r"HTA3_[0-9]+_[0-9]+", row["HTAN Data File ID"])
    ]
    assert len(malformed) == 2
    report = report_of(*map(data, ATLAS), atlas="HTA3")
    rows = list(csv.DictReader(io.StringIO(report["findings.csv"].decode())))
    assert [(row["row"], row["value"]) for row in rows if row["code"] == "H_ID_SPEC"] == malformed
    assert {row["code"] for row in rows} == {"H_ID_SPEC", "H_LINKS"}


def test_each_biospecimen_has_the_levels_that_descend_from_it() -> None:
    children: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, parent, child in links():
        children[parent].append((name, child))
    expected: dict[str, set[str]] = {}
    for row in rows_of("biospecimens"):
        have: set[str] = set()
        waiting = [one for one in children[row["HTAN Biospecimen ID"]] if one[0] != "biospecimens"]
        while waiting:
            name, child = waiting.pop()
            have.add(MANIFESTS[name])
            waiting += children[child]
        expected[row["HTAN Biospecimen ID"]] = have
    table = report_of(*map(data, ATLAS), atlas="HTA3")["completeness/single-cell.csv"].decode()
    found = {
        row["HTAN Biospecimen ID"]: {name for name, cell in row.items() if cell == "1"}
        for row in csv.DictReader(io.StringIO(table))
    }
    assert found == {name: have for name, have in expected.items() if have}


def test_the_timelines_of_the_longitudinal_manifests() -> None:
    names = ("longitudinal_biospecimen1", "longitudinal_therapy1")
    rows = decoded(report_of(*map(data, names), atlas="HTA3"), "timeline")
    events: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for row in rows_of("longitudinal_therapy1"):
        if row["Treatment Type"]:
            days = (int(row["Days to Treatment Start"]), int(row["Days to Treatment End"]))
            events[row["HTAN Participant ID"]].append((row["Treatment Type"], *days))
    for row in rows_of("longitudinal_biospecimen1"):
        at = int(row["Collection Days from Index"])
        events[row["HTAN Parent ID"]].append((row["Acquisition Method Type"], at, at))
    expected = {
        participant: sorted(
            {
                (label, start - min(e[1] for e in many), end - min(e[1] for e in many))
                for label, start, end in many
            }
        )
        for participant, many in events.items()
    }
    assert {
        row["participant"]: sorted((one["label"], one["start"], one["end"]) for one in row["events"])
        for row in rows
    } == expected
    assert [row["participant"] for row in rows] == ["HTA3_10033", "HTA3_10040", "HTA3_10088", "HTA3_80208"]
    (samples,) = rows[3]["events"]
    assert (samples["count"], samples["detail"]) == (4, "Lower lobe lung, Right")
    assert samples["ids"] == sorted(
        row["HTAN Biospecimen ID"] for row in rows_of("longitudinal_biospecimen1")
    )


def test_the_listing_of_each_project_agrees_with_a_plain_count() -> None:
    types = {".fastq.gz": "FASTQ", ".bam": "BAM", ".txt": "Matrix", ".tif": "Image"}
    by_project: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows_of("master_htan"):
        by_project[row["projectId"]].append(row)
    assert len(by_project) == 5
    for project, rows in by_project.items():
        archives = {r["id"] for r in rows if r["name"] == "archive" and r["parentId"] == project}
        expected: Counter[str] = Counter()
        size = 0
        for row in rows:
            if row["type"] != "file" or row["parentId"] in archives:
                continue
            if row["name"] in ("synapse_storage_manifest.csv", ".DS_Store"):
                continue
            size += int(row["dataFileSizeBytes"] or 0)
            if not row["name"].startswith("synapse_storage_manifest_"):
                expected[next(kind for ending, kind in types.items() if row["name"].endswith(ending))] += 1
        entities = [[row.get(column, "") for column in COLUMNS] for row in rows]
        for row in entities:
            row[3] = "syn1" if row[3] == project else row[3]
        summary = listed(*entities)["summary"]
        assert summary["bytes"] == size
        assert {name: one["files"] for name, one in summary["types"].items() if one["files"]} == dict(
            expected
        )
