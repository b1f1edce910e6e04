from __future__ import annotations

import json

from hdash_site.htan.demographics import facets

from .helpers import csv_of, table


def test_published_columns_are_shown_and_of_several_rows_the_first_counts() -> None:
    one = table("Demographics", "HTAN Participant ID|Gender|Gender|Race", "HTA1_1|Female|x|", "HTA1_1|male||")
    other = csv_of(["HTAN Participant ID", "Race"], ["HTA1_2", "white"], ["HTA1_1", "y"], [""], ["HTA1_3"])
    assert json.loads(facets([one, other], 3)["0"]) == {
        "HTA1_1": [["Gender", "Female"], ["Race", ""]],
        "HTA1_2": [["Race", "white"]],
        "HTA1_3": [["Race", ""]],
    }


def test_a_column_that_is_not_published_and_a_value_that_the_model_does_not_allow_are_not_shown() -> None:
    columns = "MRN|HTAN Participant ID|Gender|Year Of Birth|Vital Status|Race"
    people = table("Demographics", columns, "483920|HTA1_1|John Smith|1950|Dead 1999-03-14|white; asian")
    assert json.loads(facets([people], 1)["0"]) == {
        "HTA1_1": [["Gender", "(not shown)"], ["Vital Status", "(not shown)"], ["Race", "white; asian"]]
    }


def test_the_site_can_publish_other_columns() -> None:
    people = table("Demographics", "HTAN Participant ID|Gender|Premature At Birth", "HTA1_1|male|Yes")
    components = json.dumps([{"name": "Demographics", "publish": ["Premature At Birth", "Gender", "Cohort"]}])
    found = facets([people, table("Demographics", "HTAN Participant ID|Cohort", "HTA1_2|A 1")], 2, components)
    assert json.loads(found["0"]) == {
        "HTA1_1": [["Gender", "male"], ["Premature At Birth", "Yes"]],
        "HTA1_2": [["Cohort", "A 1"]],
    }


def test_what_cannot_be_read_tells_nothing() -> None:
    assert facets([b"", b"\n", b"a,b\n1,2\n", b"<html>"], 1) == {}
    latin = "HTAN Participant ID,Gender,Cause of Death\nHTA1_1,male,caf\xe9\n".encode("latin-1")
    assert json.loads(facets([latin], 1)["0"]) == {"HTA1_1": [["Gender", "male"]]}
