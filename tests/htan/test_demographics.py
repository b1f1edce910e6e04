from __future__ import annotations

import json

from hdash_site.htan.demographics import facets

from .helpers import csv_of, table


def test_a_participant_is_told_as_it_was_filled_in_and_the_first_row_counts() -> None:
    one = table("Demographics", "HTAN Participant ID|Gender|Gender|Race", "HTA1_1|female|x|", "HTA1_1|male||")
    other = csv_of(["HTAN Participant ID", "Ethnicity"], ["HTA1_2", "<b>"], ["HTA1_1", "y"], [""], ["HTA1_3"])
    assert json.loads(facets([one, other], 3)["0"]) == {
        "HTA1_1": [["Gender", "female"], ["Race", ""]],
        "HTA1_2": [["Ethnicity", "<b>"]],
        "HTA1_3": [["Ethnicity", ""]],
    }


def test_what_cannot_be_read_tells_nothing() -> None:
    assert facets([b"", b"\n", b"a,b\n1,2\n", b"<html>"], 1) == {}
    latin = "HTAN Participant ID,Gender\nHTA1_1,f\xe9male\n".encode("latin-1")
    assert json.loads(facets([latin], 1)["0"]) == {"HTA1_1": [["Gender", "fémale"]]}
