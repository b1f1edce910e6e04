"""What pages weigh: a large matrix stays light, and its runs are merged."""

from __future__ import annotations

import gzip
import random

from benchmarks import weight as whole
from hdash_site import app
from hdash_site.pages import charts
from tests import worlds

ROWS, COLUMNS = 5_000, 40


def facet(columns):
    return {
        "key": "bulk",
        "title": "Bulk",
        "rows": "biospecimens",
        "count": ROWS,
        "empty": 0,
        "left_out": 0,
        "columns": columns,
    }


def runs_of(present):
    """The runs of rows that have a value, as the domain gives them."""
    runs, start = [], None
    for row, here in enumerate([*present, False]):
        if here and start is None:
            start = row
        elif not here and start is not None:
            runs.append([start, row - start])
            start = None
    return runs


def column(number, present):
    runs = runs_of(present)
    count = sum(length for _, length in runs)
    return {"name": f"C{number}", "label": f"Column {number}", "count": count, "runs": runs}


def weight(columns):
    paths = "".join(column.path for column in charts.matrix(facet(columns)).columns)
    return len(gzip.compress(paths.encode()))


def test_runs_are_drawn_as_one_stroke_each_relative_to_the_last():
    assert charts.strokes([[0, 3], [5, 1]]) == "m0 0v3m0 2v1"
    assert charts.strokes([]) == ""


def test_a_matrix_of_5000_rows_and_40_columns_is_light():
    luck = random.Random(1)
    # An assay is done for a stretch of biospecimens, with a few exceptions.
    columns = [
        column(number, [row % 500 < 30 * (number % 9) and luck.random() > 0.02 for row in range(ROWS)])
        for number in range(COLUMNS)
    ]
    assert weight(columns) < 25_000


def test_even_a_matrix_of_chance_stays_below_the_weight_of_a_page():
    luck = random.Random(1)
    columns = [column(number, [luck.random() < 0.5 for _ in range(ROWS)]) for number in range(COLUMNS)]
    assert weight(columns) < 100_000


def test_a_drawing_of_many_rows_is_no_higher_than_a_screen():
    assert charts.matrix(facet([column(0, [True] * ROWS)])).height == charts.TALLEST


def test_the_pages_of_the_sample_and_what_they_load_are_light(tmp_path):
    """At HTAN's size it is `python -m benchmarks.weight` that measures."""
    site = worlds.site_folder(tmp_path / "site")
    app.build(app.Options(site))
    weights = whole.weigh(site / "public")
    assert set(weights) == set(whole.LIMITS_KB)
    assert {what: kb for what, kb in weights.items() if not 2 < kb < whole.LIMITS_KB[what] / 2} == {}
