"""On the sample every planted fault is found at its place, nothing else is, and the figures are right."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from hdash_site.sources import sample
from tests import worlds

KINDS = Path(__file__).parent / "htan/kinds.txt"


@pytest.fixture(scope="module", params=[0.02, 1.0], ids=lambda scale: f"scale {scale}")
def built(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    sample.write(folder / "atlases", scale=request.param)
    site = worlds.site_folder(folder / "site")
    result = worlds.build(site, folder / "atlases")
    assert result.problems == []
    return folder, result, json.loads((folder / "atlases/truth.json").read_text())


def test_each_planted_fault_is_found_at_its_place_and_nothing_else_is(built):
    folder, _, truth = built
    names = ("atlas", "code", "severity", "manifest", "component", "row", "column", "value")
    planted = Counter(tuple(str(fault[name]) for name in names) for fault in truth["findings"])
    found: Counter[tuple[str, ...]] = Counter()
    for path in (folder / "site/public").glob("*/findings.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                cells = (row[name].removeprefix("'") for name in names)
                found[
                    tuple(
                        "0" if name == "row" and not cell else cell
                        for name, cell in zip(names, cells, strict=True)
                    )
                ] += 1
    assert found - planted == Counter(), "reported and not planted"
    assert planted - found == Counter(), "planted and not reported"


def test_every_finding_has_a_kind_of_the_golden_list(built):
    folder, _, _ = built
    golden = {tuple(line.split()) for line in KINDS.read_text().splitlines()}
    for path in (folder / "site/public").glob("*/findings.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            assert {(row["code"], row["kind"]) for row in csv.DictReader(file)} <= golden


def test_the_counts_of_the_summary_are_those_of_the_planted_faults(built):
    _, result, truth = built
    planted: dict[str, Counter[str]] = {}
    for fault in truth["findings"]:
        planted.setdefault(fault["code"], Counter())[f"{fault['severity']}s"] += 1
    assert result.counts()["findings"] == {
        code: {"errors": counts["errors"], "warnings": counts["warnings"]} for code, counts in planted.items()
    }


def test_the_figures_of_each_atlas_are_those_that_the_sample_was_written_with(built):
    folder, _, truth = built
    found = summaries(folder / "site/cache")
    assert set(found) == set(truth["figures"])
    for atlas, figures in truth["figures"].items():
        assert {name: found[atlas][name] for name in figures if name != "types"} == {
            name: figure for name, figure in figures.items() if name != "types"
        }, atlas


def test_the_page_of_the_largest_atlas_is_light_on_first_load(built):
    folder, _, _ = built
    public = folder / "site/public"
    page = max(public.glob("hta*/index.html"), key=lambda path: path.stat().st_size)
    html = page.read_text()
    shown = re.findall(r'(?:href|src)="\.\./(assets/[^"]+)"', html)
    assert {name.rpartition(".")[2] for name in shown} == {"css", "js", "svg"}
    parts = [html.encode(), *((public / name).read_bytes() for name in sorted(set(shown)))]
    assert sum(len(gzip.compress(part)) for part in parts) <= 150_000


def summaries(cache):
    """The figures of each atlas, as its report has them."""
    from hdash_site.engine.model import Key
    from hdash_site.state.store import opened

    with opened(cache) as store:
        return {
            atlas: json.loads(store.load(store.trace(Key("report", atlas)).parts["summary"]))
            for atlas in store.snapshots()
        }
