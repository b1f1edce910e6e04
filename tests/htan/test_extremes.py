"""Manifests made by chance, of pieces that were too much for some program: the results stay in proportion."""

from __future__ import annotations

import json
import random
import time

import pytest

from hdash_site.htan.findings import MOST_ALIKE
from tests.chance import TEXTS

from .dimensions import Input, atlas_of, facets
from .helpers import csv_of
from .test_hostile import sound

NAMES = [
    *["Component", "entityId", "HTAN Data File ID", "HTAN Parent Data File ID", "HTAN Biospecimen ID"],
    *["HTAN Parent ID", "HTAN Participant ID", "HTAN Parent Biospecimen ID", "Adjacent Biospecimen IDs"],
    *[
        "Gender",
        "Own {}",
        "Own.{}",
        "Gender_{}",
        "",
        "Unnamed: {}",
        "HTAN {} ID",
        "Days to Treatment Start",
        "{}",
    ],
]
CELLS = [
    *["", " ", "x", "{}", "HTA1_{}", "HTA1_1_{}", "HTA1_2_{}", "HTA2_1_{}", "HTA1-{}", "HTA1_1_0", "HTA1_0"],
    *["syn{}", "syn7", "1950-03-14", "not applicable", "é\u200b", '"', "a\nb"],
]
COMPONENTS = [
    "Demographics",
    "Diagnosis",
    "Therapy",
    "Biospecimen",
    "ScRNA-seqLevel1",
    "ScRNA-seqLevel2",
    "Odd",
    "",
]
SEPARATORS = ["", ",", ", ", ";", " ", "_", "\n"]
MANY = [1, 1, 1, 3, 30, 500]

MOST_BYTES_A_BYTE = 100
MOST_BYTES_A_MANIFEST = 20 * MOST_ALIKE * 600
"""Of the findings of some twenty kinds in two downloads."""
MOST_SECONDS = 2.0
MOST_SECONDS_A_MEGABYTE = 30.0


def manifest(luck: random.Random) -> tuple[str, bytes]:
    """Give the annotation and the bytes of a manifest that is large in some directions."""
    header = [luck.choice(NAMES) for _ in range(luck.randrange(1, 8))]
    header = [name.format(one) for name in header for one in range(luck.choice(MANY))]
    cells = [[cell(luck) for _ in range(luck.randrange(1, 9))] for _ in range(luck.randrange(1, 4))]
    rows = [
        [one.replace("{}", str(number)) for one in row]
        for row in cells
        for number in range(10 * luck.choice(MANY))
    ]
    data = csv_of(header, *rows)
    ends = luck.choice([b"", b"\n" * luck.choice(MANY) * 50, b',"\n' * luck.choice(MANY), b'"'])
    return luck.choice(COMPONENTS), data + ends


def cell(luck: random.Random) -> str:
    """Give a cell, sometimes with very many words."""
    if luck.random() < 0.9:
        return luck.choice(CELLS)
    word = luck.choice(CELLS)
    return luck.choice(SEPARATORS).join(
        word.replace("{}", str(one)) for one in range(luck.choice([2, 20, 200]))
    )


def atlas(luck: random.Random) -> Input:
    return atlas_of(*(manifest(luck) for _ in range(luck.randrange(1, 5))))


@pytest.mark.alone
@pytest.mark.parametrize("seed", range(max(1, TEXTS // 10)))
def test_facets_and_work_are_in_proportion_to_the_input(seed: int) -> None:
    given = atlas(random.Random(seed))
    start = time.process_time()
    found = facets(given)
    taken = time.process_time() - start
    size = sum(len(facet) for some in found.values() for facet in some.values())
    assert size < MOST_BYTES_A_BYTE * given.size + MOST_BYTES_A_MANIFEST * len(given.manifests)
    assert taken < MOST_SECONDS + MOST_SECONDS_A_MEGABYTE * given.size / 10**6
    for some in found.values():
        sound({name: facet for name, facet in some.items() if name not in ("directory", "shards")})
    assert found == facets(given), "the same every time"
    summary = json.loads(found["report"]["summary"])
    codes = json.loads(found["report"]["codes"])
    assert summary["errors"] == sum(errors for errors, _ in codes.values())
