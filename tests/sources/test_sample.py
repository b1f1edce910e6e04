"""The sample atlases: the same for the same seed, in HTAN's shape, exactly as wrong as `truth.json` says."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import plain_checks
import pytest

from hdash_site.errors import OutputError
from hdash_site.sources.sample import facts, listing, shape, values, write

MODEL = Path(__file__).parents[3] / "shared/data/htan/HTAN.model.csv"
CODES = (
    "H_BIOSPEC H_CATEGORIES H_DEM H_ENTITY_ID H_FILE_NAMES H_ID_SPEC H_LINKS H_LISTING H_MANIFEST H_NON_DEM"
)
RUN = """
import resource, sys
from pathlib import Path
from hdash_site.sources.sample import write
write(Path(sys.argv[1]), scale=float(sys.argv[2]), atlases=int(sys.argv[3]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("larger")
    write(folder, scale=0.15, seed=3)
    return folder


def tree(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def run(folder: Path, scale: float, atlases: int, **environment: str) -> int:
    """Write a sample in another process; give its largest memory in MiB."""
    command = [sys.executable, "-c", RUN, str(folder), str(scale), str(atlases)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


def entities(folder: Path) -> list[dict[str, str]]:
    with (folder / "files.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# The same for the same seed


def test_two_runs_write_the_same_bytes(sample, tmp_path):
    write(tmp_path / "again")
    assert tree(tmp_path / "again") == tree(sample)


def test_another_seed_writes_other_bytes(sample, tmp_path):
    write(tmp_path, seed=8)
    ours, others = tree(sample), tree(tmp_path)
    assert ours["files.csv"] != others["files.csv"]
    assert ours["truth.json"] != others["truth.json"]
    assert ours["projects.csv"] == others["projects.csv"]


def test_the_hash_seed_of_python_changes_nothing(tmp_path):
    run(tmp_path / "one", 0.02, 3, PYTHONHASHSEED="1")
    run(tmp_path / "two", 0.02, 3, PYTHONHASHSEED="2")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_two_atlases_are_the_first_two_of_all(sample, tmp_path):
    write(tmp_path, atlases=2)
    some, every = tree(tmp_path), tree(sample)
    manifests = [name for name in some if name.startswith("manifests/")]
    assert {name: some[name] for name in manifests} == {name: every[name] for name in manifests}
    rows = (tmp_path / "files.csv").read_bytes()
    assert (sample / "files.csv").read_bytes().startswith(rows)
    assert list(plain_checks.truth(tmp_path)[1]) == ["HTA1", "HTA3"]
    assert (tmp_path / "projects.csv").read_text("utf-8-sig").count("\n") == 3


def test_an_earlier_sample_is_replaced(sample, tmp_path):
    write(tmp_path, seed=1, scale=0.05, atlases=2)
    write(tmp_path)
    assert tree(tmp_path) == tree(sample)


def test_manifests_of_somebody_else_are_not_touched(tmp_path):
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/syn1.csv").write_text("mine")
    with pytest.raises(OutputError, match="manifests that are no sample"):
        write(tmp_path)
    assert tree(tmp_path).keys() == {"manifests/syn1.csv"}


# HTAN's shape


def test_full_scale_has_the_manifests_of_the_inventory():
    atlases = shape.atlases(1.0)
    assert [atlas.id for atlas in atlases] == [f"HTA{n}" for n in (1, *range(3, 16))]
    for atlas, inventory in zip(atlases, facts.inventories(), strict=True):
        sizes = defaultdict(list)
        for sheet in atlas.sheets:
            sizes[sheet.component.name].append(sheet.rows)
        expected = {name: list(each) for name, each in inventory.manifests.items()}
        for name in shape.NOT_YET_SUBMITTED.get(atlas.id, ()):
            del expected[name]
        assert sizes == expected
    assert sum(sheet.rows for atlas in atlases for sheet in atlas.sheets) == 262_925 - 453 - 402 - 2
    assert max(sum(sheet.rows for sheet in atlas.sheets) for atlas in atlases) == 120_274


def test_beyond_full_scale_there_are_more_manifests_of_the_same_length():
    for once, thrice in zip(shape.atlases(1.0), shape.atlases(3.0), strict=True):
        ones, threes = (Counter((s.component.name, s.rows) for s in a.sheets) for a in (once, thrice))
        assert threes == Counter({key: 3 * count for key, count in ones.items()})


def test_the_default_is_a_fiftieth_with_all_atlases_and_components(sample):
    _, figures = plain_checks.truth(sample)
    assert len(figures) == 14
    assert 4_500 <= sum(figure["records"] for figure in figures.values()) <= 6_500
    annotations = {
        plain_checks.SHORT_NAMES.get(row["Component"], row["Component"]) for row in entities(sample)
    }
    assert facts.components().keys() <= annotations
    assert max(figures, key=lambda atlas: figures[atlas]["records"]) == "HTA9"


def test_files_csv_has_the_columns_of_the_master_view_and_a_row_for_each_entity(sample):
    header = (sample / "files.csv").read_text("utf-8").partition("\n")[0]
    assert header == ",".join(listing.COLUMNS)
    assert header.startswith(",id,name,type,currentVersion,parentId,benefactorId,projectId,")
    rows = entities(sample)
    order = list(dict.fromkeys(row["projectId"] for row in rows))
    grouped = [row["projectId"] for row in rows]
    assert grouped == sorted(grouped, key=order.index)
    assert all(re.fullmatch(r"syn1[0-9]{9}", row["id"]) for row in rows)


def test_each_manifest_is_listed_with_its_true_size_and_md5(sample):
    listed = {row["id"]: row for row in entities(sample)}
    paths = list((sample / "manifests").iterdir())
    assert len(paths) > 300
    for path in paths:
        row, data = listed[path.stem], path.read_bytes()
        assert row["dataFileMD5Hex"] == hashlib.md5(data).hexdigest()
        assert row["dataFileSizeBytes"] == str(len(data))


def test_each_assay_record_names_its_data_file(sample):
    listed = {row["id"]: row for row in entities(sample)}
    findings, _ = plain_checks.truth(sample)
    planted = {(manifest, entity) for _, code, _, manifest, *_, entity in findings if code == "H_ENTITY_ID"}
    checked = 0
    for path in (sample / "manifests").iterdir():
        text = path.read_bytes().decode("latin-1").removeprefix("ï»¿")
        for record in csv.DictReader(text.splitlines(keepends=True)):
            entity, filename = record.get("entityId") or "", record.get("Filename")
            if filename and entity.startswith("syn1") and (path.stem, entity) not in planted:
                assert listed[entity]["name"] == filename.rpartition("/")[2]
                assert listed[entity]["parentId"] == listed[path.stem]["parentId"]
                checked += 1
    assert checked > 3_900


def test_names_of_atlases_and_people_are_made_up(sample):
    text = (sample / "projects.csv").read_text("utf-8-sig")
    projects = list(csv.DictReader(text.splitlines()))
    assert all(project["name"].startswith("Sample Atlas of Imaginary ") for project in projects)
    assert all(project["liaison"].endswith(" Sample") for project in projects)


def test_what_is_odd_but_legal_occurs(sample):
    manifests = [path.read_bytes() for path in (sample / "manifests").iterdir()]
    for sign in (
        rb"\A\xef\xbb\xbf",  # BOM
        rb"\r\n\Z",
        rb"\n,{5,}\r?\n",  # blank rows
        rb",X18,X19,",
        rb",Unnamed: 3,",
        rb",[0-9]+\.0,",
        rb'"[^",\n]+\.\r?\n[^"]*"',  # a line break within a cell
        rb"HTA1_[0-9]+_[0-9]+; ?HTA1_",
        rb"HTA1_[0-9]+_[0-9]+ HTA1_",
        rb'"HTA[0-9]+_[0-9]+_[0-9]+, ?HTA',
        rb",HTA[0-9]+_EXT[0-9]+,",
        rb",Not Applicable - reads",
        rb",Treatment Type 1,",
    ):
        assert any(re.search(sign, data) for data in manifests), sign
    assert len(set(manifests)) < len(manifests)  # the same bytes twice


def test_the_facts_are_those_of_the_data_model():
    if not MODEL.exists():
        pytest.skip(f"the HTAN data model is not at {MODEL}")
    with MODEL.open(encoding="utf-8", newline="") as file:
        model = {row["Attribute"].strip(): row for row in csv.DictReader(file)}
    for column, known in facts.valid_values().items():
        valid = {
            value.strip()
            for value in next(csv.reader([model[column]["Valid Values"]], skipinitialspace=True))
        }
        assert set(known) <= valid, column
        assert all(map(values.is_value, known)), column
    for component in facts.components().values():
        for column in component.required:
            assert model[column]["Required"] == "TRUE", (component.name, column)


def test_memory_does_not_grow_with_the_scale(tmp_path):
    small, large = (run(tmp_path / str(scale), scale, 8) for scale in (0.05, 0.5))
    assert large < small + 12


# Exactly as wrong as truth.json says


def test_the_plain_rules_find_every_planted_mistake_and_nothing_else(sample):
    assert plain_checks.check(sample)[0] == plain_checks.truth(sample)[0]


def test_the_same_with_another_seed_at_a_larger_scale(larger):
    assert plain_checks.check(larger)[0] == plain_checks.truth(larger)[0]


@pytest.mark.parametrize("seed", range(3))
def test_the_same_with_any_seed_and_few_records(seed, tmp_path):
    write(tmp_path, seed=seed, scale=0.001)
    assert plain_checks.check(tmp_path) == plain_checks.truth(tmp_path)


def test_the_figures_are_those_of_a_plain_count(sample, larger):
    for folder in (sample, larger):
        assert plain_checks.check(folder)[1] == plain_checks.truth(folder)[1]


def test_each_check_has_several_mistakes_to_find(sample, larger):
    for folder in (sample, larger):
        found, _ = plain_checks.truth(folder)
        atlases = defaultdict(set)
        for atlas, code, *_ in found:
            atlases[code].add(atlas)
        assert sorted(atlases) == CODES.split()
        assert all(len(where) >= 2 for where in atlases.values())
        assert {severity for _, _, severity, *_ in found} == {"error", "warning"}


def test_two_atlases_have_no_mistakes(sample):
    found, figures = plain_checks.truth(sample)
    assert figures.keys() - {atlas for atlas, *_ in found} == {"HTA4", "HTA14"}


def test_no_mistake_is_planted_twice_at_one_place(larger):
    found, _ = plain_checks.truth(larger)
    assert set(found.values()) == {1}
