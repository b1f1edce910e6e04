"""A valid row that is inserted at the top of each manifest moves all findings, and changes none of them."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from hdash_site.htan import ids
from hdash_site.htan.changes import findings_moved
from hdash_site.htan.components import catalogue
from hdash_site.sources import sample
from tests import worlds


@pytest.fixture
def atlases(tmp_path):
    sample.write(tmp_path / "atlases", scale=0.02)
    return tmp_path / "atlases"


def with_a_row(data, component, number, entity):
    """The manifest with a copy of a valid record, under an id of its own, as row 2; None if it has none."""
    text = data.decode("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    header = [name.lstrip("\ufeff") for name in rows[0]] if rows else []
    if component is None or component.primary_id not in header or len(set(header)) < len(header):
        return None
    if "" in header:  # the cells of such a column number the records: a row more breaks the sequence
        return None
    own, columns = header.index(component.primary_id), component.id_columns
    for row in rows[1:]:
        cells = (
            [row[header.index(name)] for name in columns if name in header] if len(row) == len(header) else []
        )
        if cells and all(is_valid(name, cell) for name, cell in zip(columns, cells, strict=False)):
            record = list(row)
            if component.kind != "clinical":
                record[own] = f"{row[own].rpartition('_')[0]}_{777_000_000 + number}"
            if component.kind == "assay" and "entityId" in header:
                record[header.index("entityId")] = entity
            stream = io.StringIO(newline="")
            csv.writer(stream, lineterminator="\n").writerow(record)
            head, newline, rest = text.partition("\n")
            return (head + newline + stream.getvalue() + rest).encode()
    return None


def is_valid(column, cell):
    """Whether a cell of the sample holds one id without a mistake."""
    if column == "Adjacent Biospecimen IDs":
        return not cell
    good = ids.read(cell, column).good
    return len(good) == 1 and good[0] == cell and not re.search("HTA77|EXT|_880|_770|99999", cell)


def test_one_valid_row_at_the_top_of_each_manifest_of_the_sample_is_no_news(atlases, tmp_path):
    site = worlds.site_folder(tmp_path / "site")
    worlds.build(site, atlases)
    before = {path.parent.name: path.read_bytes() for path in (site / "public").glob("*/findings.csv")}
    known, inserted = catalogue(), 0
    with (atlases / "files.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        listed, header = {row["id"]: row for row in reader}, list(reader.fieldnames or ())
    more = []
    for number, path in enumerate(sorted((atlases / "manifests").iterdir())):
        row, entity = listed[path.stem], f"syn{990_000_000 + number}"
        try:
            data = with_a_row(path.read_bytes(), known.find(row["Component"]), number, entity)
        except UnicodeDecodeError:
            continue
        if data is not None:
            path.write_bytes(data)
            inserted += 1
            more.append({**row, "id": entity, "name": f"inserted_{number}.bam", "modifiedOn": "1"})
    with (atlases / "files.csv").open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, header, lineterminator="\n").writerows(more)
    result = worlds.build(site, atlases)
    assert inserted > 0.7 * len(list((atlases / "manifests").iterdir()))
    assert (result.new_findings, result.fixed_findings) == ({}, {})
    after = {path.parent.name: path.read_bytes() for path in (site / "public").glob("*/findings.csv")}
    assert after != before
    for atlas, data in before.items():
        assert findings_moved(data, after[atlas]) == ({}, {}), atlas
    editions = [json.loads(text) for _, text in editions_of(site)]
    assert not any("new" in some or "fixed" in some for one in editions for some in one["changes"].values())


def editions_of(site):
    from hdash_site.state.store import SOURCE, opened

    with opened(site / "cache") as store:
        return store.editions(store.fact(SOURCE))
