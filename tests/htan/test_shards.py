from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan.components import catalogue
from hdash_site.htan.shards import SHARD_BYTES, Record, family, file_name, shards
from hdash_site.htan.shards import table as component_table
from hdash_site.htan.text import shown

from .helpers import PEOPLE, SAMPLES, SOUND, decoded, table
from .test_descents import descents_of

TABLE = {1: ["Imaging Level 2", "assay", "Imaging", 2, [1, 2, 3, 4]]}


def record(name: str, text: str = "1,[],[]") -> Record:
    return Record(name, ("HTA1", "syn1"), (1,), text)


def cut(*names: str) -> tuple[dict[str, int], dict[str, Any]]:
    """The directory of an index of these ids, unpacked, and its shards."""
    directory, files = shards([record(name) for name in names], "HTA1_", TABLE)
    return unpacked(json.loads(directory)), {name: json.loads(text) for name, text in files.items()}


def unpacked(directory: list[Any]) -> dict[str, int]:
    firsts: dict[str, int] = {}
    before = ""
    for same, rest, count in zip(*[iter(directory)] * 3, strict=True):
        before = before[:same] + rest
        firsts[before] = count
    return firsts


def looked_up(name: str, directory: dict[str, int], files: dict[str, Any]) -> list[Any]:
    """The records of an id, from the only shard that can hold it."""
    key = name.removeprefix("HTA1_") + "\n"
    first = max((one for one in directory if one <= key), default=None)
    rows = [] if first is None else files[file_name(first)]["ids"]
    return [row for row in rows if row[0] == key[:-1]]


def test_a_record_says_what_an_id_is_and_what_it_comes_from_and_what_is_derived_from_it() -> None:
    found = descents_of(*SOUND)
    [shard] = [json.loads(text) for text in decoded(found, "shards").values()]
    codes = {row[0]: int(code) for code, row in shard["components"].items()}
    people, samples = codes["Demographics"], codes["Biospecimen"]
    one, two = codes["scRNA-seq Level 1"], codes["scRNA-seq Level 2"]
    assert shard["components"][str(two)] == ["scRNA-seq Level 2", "assay", "scRNA-seq", 2, [1, 2, 3, 4], [1]]
    assert shard["manifests"] == [["HTA1", f"syn{n}"] for n in range(11, 15)]
    rows = {row[0]: row[1:] for row in shard["ids"]}
    assert rows["1"] == [
        0,
        people,
        [],
        [
            [samples, 2, "=HTA1_1_1", "=HTA1_1_2"],
            [one, 2, "=HTA1_1_101", "=HTA1_1_102"],
            [two, 1, "=HTA1_1_201"],
        ],
        0,
        "hta1_1",
    ]
    assert rows["1_102"] == [2, one, [samples, "~2", samples, "~1", people, ""], [[two, 1, "~201"]]]
    assert rows["2_1"] == [1, samples, [people, ""], []]


def test_ids_that_do_not_begin_like_their_atlas_are_kept_apart() -> None:
    strange = table("Demographics", "HTAN Participant ID|Gender", "HTA2_7|x", "HTA1_8|x")
    found = descents_of(PEOPLE, strange)
    assert [row[0] for text in decoded(found, "shards").values() for row in json.loads(text)["ids"]] == [
        "1",
        "2",
        "8",
    ]
    assert [row[0] for row in decoded(found, "strays")["ids"]] == ["HTA2_7"]


def test_a_malformed_id_is_in_no_index_no_group_and_no_list_of_participants() -> None:
    strange = (
        "HTA1_",
        "hta1_3|x",
        "<script>|x",
        "see the table|x",
        "HTA1_4, HTA1_5|x",
        *(f"HTA1_{n}x|x" for n in range(50)),
    )
    odd = table("Demographics", "HTAN Participant ID|Gender", *strange)
    odd_samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_x|HTA1_1", "HTA1_1_8|HTA1_"
    )
    found, clean = descents_of(PEOPLE, odd, SAMPLES, odd_samples), descents_of(PEOPLE, SAMPLES)
    shard = [row[0] for text in decoded(found, "shards").values() for row in json.loads(text)["ids"]]
    assert shard == ["1", "1_1", "1_2", "1_8", "2", "2_1"]
    assert decoded(found, "strays") == {"ids": [], "components": {}}
    assert (decoded(found, "people"), decoded(found, "groups")) == (
        decoded(clean, "people"),
        decoded(clean, "groups"),
    )


def test_every_id_is_in_the_one_shard_that_the_directory_leads_to() -> None:
    luck = random.Random(1)
    names = [f"HTA1_{luck.randrange(300)}_{luck.randrange(10**9)}" for _ in range(20_000)]
    directory, files = cut(*names)
    assert sum(directory.values()) == len(names)
    assert {file_name(first) for first in directory} == set(files)
    for name in luck.sample(names, 500):
        assert looked_up(name, directory, files)
    assert looked_up("HTA1_1_1", directory, files) == []


def test_shards_are_about_as_large_as_they_may_be() -> None:
    sizes = [
        len(text)
        for text in shards([record(f"HTA1_{n % 90}_{n}") for n in range(50_000)], "HTA1_", TABLE)[1].values()
    ]
    assert max(sizes) < SHARD_BYTES + 2_000
    assert sum(sizes) / len(sizes) > SHARD_BYTES / 4


def test_an_id_that_others_begin_with_has_a_place_of_its_own() -> None:
    names = ["HTA1_1", *(f"HTA1_1_{n}" for n in range(5_000)), "HTA1_10", "HTA1_2"]
    directory, files = cut(*names)
    assert len(files) > 2
    for name in names:
        assert len(looked_up(name, directory, files)) == 1


def test_an_id_more_or_less_makes_its_own_shard_anew_and_no_other() -> None:
    luck = random.Random(2)
    names = sorted({f"HTA1_{luck.randrange(200)}_{luck.randrange(10**9)}" for _ in range(20_000)})
    _, before = shards(map(record, names), "HTA1_", TABLE)
    alone = 0
    for gone in luck.sample(names, 40):
        _, after = shards([record(name) for name in names if name != gone], "HTA1_", TABLE)
        moved = {name for name, _ in before.items() ^ after.items()}
        assert any(f'"{gone.removeprefix("HTA1_")}"' in before[name] for name in moved & before.keys())
        alone += len(moved) == 1
        # Else two halves fit into one shard again.
        assert len(moved) in (1, 3)
    assert alone >= 35


def test_ids_of_any_characters_have_shards_with_plain_names() -> None:
    strange = [
        "../../x",
        "é",
        "\U0001f600",
        "\U0010ffff",
        "HTA1_" + "9" * 5_000,
        "",
        "a" * 150,
        'x"\\',
        "A",
        "a",
        "-",
    ]
    names = [f"HTA1_{one}{n}" for one in strange for n in range(200)]
    directory, files = shards([record(name, "1,[],[]" + " " * 300) for name in names], "HTA1_", TABLE)
    firsts = unpacked(json.loads(directory))
    assert {file_name(first) for first in firsts} == set(files)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-") for name in files)
    assert max(map(len, files)) < 140
    held = [row[0] for text in files.values() for row in json.loads(text)["ids"]]
    assert len(held) == len(names)
    assert max(map(len, held)) <= 200


@given(st.lists(st.text(max_size=6), max_size=60, unique=True))
def test_any_ids_at_all_can_be_looked_up(names: list[str]) -> None:
    big = [record(name, "1,[],[]" + " " * 2_000) for name in names]
    directory, files = shards(big, "", TABLE)
    firsts, held = unpacked(json.loads(directory)), {name: json.loads(text) for name, text in files.items()}
    for name in names:
        assert looked_up(shown(name).removeprefix("HTA1_"), firsts, held), name


def test_names_of_files_are_told_apart() -> None:
    names = ["", "-", "a", "A", "-2d-", "1002\n", "1002", "é", "\U0010ffff"]
    assert len({file_name(name) for name in names}) == len(names)


def test_the_levels_of_an_assay_are_a_family() -> None:
    labels = ["scRNA-seq Level 1", "Imaging Level 3 Segmentation", "Other Assay", "SRRS Imaging Level 2"]
    assert [family(label) for label in labels] == ["scRNA-seq", "Imaging", "Other Assay", "SRRS Imaging"]


def test_a_chain_of_thirty_thousand_files_costs_no_more_than_its_length() -> None:
    rows = [f"HTA1_1_{n}|HTA1_1_{n - 1}" for n in range(1000, 31_000)]
    chain = table("ScRNA-seqLevel3", "HTAN Data File ID|HTAN Parent Data File ID", *rows)
    start = table("ScRNA-seqLevel1", "HTAN Data File ID|HTAN Parent Biospecimen ID", "HTA1_1_999|HTA1_2_1")
    found = descents_of(PEOPLE, SAMPLES, start, chain)
    assert max(map(len, decoded(found, "shards").values())) < 2 * SHARD_BYTES
    assert [one["files"] for one in decoded(found, "people")] == [0, 20_000 - 1]


def test_levels_below_go_down_to_where_the_chain_begins() -> None:
    needed = {row[0]: row[5] for row in component_table(catalogue(), catalogue()) if row[3]}
    assert {
        label: needed[label]
        for label in (
            "Imaging Level 1", "Imaging Level 2", "Imaging Level 3 Image", "Imaging Level 4",
            "SRRS Imaging Level 2", "scRNA-seq Level 1", "scRNA-seq Level 4", "Slide-seq Level 3",
            "RPPA Level 2", "RPPA Level 4",
            "10x Visium Spatial Transcriptomics - RNA-seq Level 2",
            "10x Visium Spatial Transcriptomics - RNA-seq Level 4",
            "NanoString GeoMx DSP Spatial Transcriptomics Level 3", "Mass Spectrometry Level 4",
        )
    } == {
        "Imaging Level 1": [], "Imaging Level 2": [], "Imaging Level 3 Image": [2], "Imaging Level 4": [2, 3],
        "SRRS Imaging Level 2": [], "scRNA-seq Level 1": [], "scRNA-seq Level 4": [1, 2, 3],
        "Slide-seq Level 3": [1, 2], "RPPA Level 2": [], "RPPA Level 4": [2, 3],
        "10x Visium Spatial Transcriptomics - RNA-seq Level 2": [],
        "10x Visium Spatial Transcriptomics - RNA-seq Level 4": [2, 3],
        "NanoString GeoMx DSP Spatial Transcriptomics Level 3": [], "Mass Spectrometry Level 4": [1, 2, 3],
    }  # fmt: skip


def test_of_very_many_participants_the_first_have_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hdash_site.htan.people.MOST_PAGES", 1)
    monkeypatch.setattr("hdash_site.htan.descents.MOST_PAGES", 1)
    found = descents_of(*SOUND)
    assert [one["address"] for one in json.loads(found["people"])] == ["hta1_1", ""]
    groups = [json.loads(found[f"group/{name}"]) for name in json.loads(found["groups"])]
    assert [one["id"] for group in groups for one in group["people"]] == ["HTA1_1"]
    text = "".join(json.loads(found["shards"]).values())
    assert '"hta1_1"' in text
    assert '"hta1_2"' not in text
