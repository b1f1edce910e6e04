from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan.components import catalogue
from hdash_site.htan.lineage import assays_of, lineage
from hdash_site.htan.manifests import Manifest, read_manifests
from hdash_site.htan.parsing import facets

from .helpers import LEVEL_1, LEVEL_2, PEOPLE, SAMPLES, SOUND, report_of, table


def manifests_of(*tables: bytes) -> tuple[Manifest, ...]:
    rows = [
        {"id": f"syn{n}", "name": "m", "path": f"{n}", "component": "", "modified": 0}
        for n in range(len(tables))
    ]
    return read_manifests(rows, {f"syn{n}": facets(data) for n, data in enumerate(tables)}, {}, catalogue())


def sif(*tables: bytes) -> list[str]:
    return report_of(*tables)["network.sif"].decode().splitlines()


def assays(*tables: bytes) -> dict[str, set[str]]:
    manifests = manifests_of(*tables)
    return assays_of(lineage(manifests), manifests)


def test_the_download_has_a_line_for_every_id_in_a_parent_cell() -> None:
    assert sif(*SOUND) == [
        "D_HTA1_1\tconnect\tB_HTA1_1_1",
        "B_HTA1_1_1\tconnect\tB_HTA1_1_2",
        "D_HTA1_2\tconnect\tB_HTA1_2_1",
        "B_HTA1_1_1\tconnect\tSC1_HTA1_1_101",
        "B_HTA1_1_2\tconnect\tSC1_HTA1_1_102",
        "SC1_HTA1_1_101\tconnect\tSC2_HTA1_1_201",
        "SC1_HTA1_1_102\tconnect\tSC2_HTA1_1_201",
    ]


def test_edges_whose_ends_do_not_both_exist_are_left_out() -> None:
    assert sif(LEVEL_1, PEOPLE) == []
    assert (
        sif(
            table(
                "ScRNA-seqLevel1", "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId", "|HTA1_1_1|syn1"
            )
        )
        == []
    )


def test_a_primary_cell_with_a_comma_or_nothing_is_no_node() -> None:
    twins = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1,HTA1_1_2|HTA1_1", "|HTA1_1")
    graph = lineage(manifests_of(PEOPLE, twins))
    assert set(graph.nodes) == {"HTA1_1", "HTA1_2"}
    assert graph.biospecimens == frozenset()


def test_a_malformed_primary_id_is_a_node_of_the_download_and_its_children_find_it() -> None:
    odd = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_x|HTA1_1", "HTA1_1_7 |HTA1_1")
    files = table(
        "OtherAssay",
        "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId",
        "HTA1_1_101|HTA1_1_x|syn1",
        "HTA1_1_102|HTA1_1_7|syn1",
    )
    assert set(sif(odd, files)) == {
        "B_HTA1_1_x\tconnect\tOA_HTA1_1_101",
        "B_HTA1_1_7\tconnect\tOA_HTA1_1_102",
    }


def test_a_participant_is_a_node_of_demographics_whatever_else_names_it() -> None:
    therapy = table("ClinicalDataTier2", "HTAN Participant ID", "HTA1_1", "HTA1_3")
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_1", "HTA1_3_1|HTA1_3")
    assert sif(therapy, PEOPLE, samples) == [
        "D_HTA1_1\tconnect\tB_HTA1_1_1",
        "C2_HTA1_3\tconnect\tB_HTA1_3_1",
    ]


def test_an_assay_of_a_derived_biospecimen_belongs_to_the_derived_one() -> None:
    assert assays(*SOUND) == {
        "ScRNA-seqLevel1": {"HTA1_1_1", "HTA1_1_2"},
        "ScRNA-seqLevel2": {"HTA1_1_1", "HTA1_1_2"},
    }
    derived = table("ScRNA-seqLevel1", "HTAN Data File ID|HTAN Parent Biospecimen ID", "HTA1_1_102|HTA1_1_2")
    assert assays(PEOPLE, SAMPLES, derived) == {"ScRNA-seqLevel1": {"HTA1_1_2"}}


def test_a_not_applicable_parent_is_replaced_by_the_parent_biospecimen_of_its_row() -> None:
    columns = "HTAN Data File ID|HTAN Parent Data File ID|HTAN Parent Biospecimen ID|entityId"
    level_2 = table("BulkWESLevel2", columns, "HTA1_1_301|Not Applicable - raw|HTA1_1_1, HTA1_1_2|syn1")
    assert assays(SAMPLES, level_2) == {"BulkWESLevel2": {"HTA1_1_1", "HTA1_1_2"}}
    assert sif(SAMPLES, level_2)[-2:] == [
        "B_HTA1_1_1\tconnect\tWES2_HTA1_1_301",
        "B_HTA1_1_2\tconnect\tWES2_HTA1_1_301",
    ]


def test_the_first_of_a_duplicate_stands_and_both_have_their_edges() -> None:
    again = table(
        "OtherAssay",
        "HTAN Data File ID|HTAN Parent Biospecimen ID",
        "HTA1_1_101|HTA1_2_1",
        "HTA1_1_101|HTA1_1_1",
    )
    lines = sif(SAMPLES, again, LEVEL_1)
    assert "B_HTA1_2_1\tconnect\tOA_HTA1_1_101" in lines
    assert lines.count("B_HTA1_1_1\tconnect\tOA_HTA1_1_101") == 1
    assert assays(SAMPLES, again, LEVEL_1, LEVEL_2)["ScRNA-seqLevel2"] == {"HTA1_2_1", "HTA1_1_2"}


def test_a_duplicated_biospecimen_moves_no_assay_to_its_parent() -> None:
    again = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_2|HTA1_2_1", "HTA1_1_2 |HTA1_2_1"
    )
    assert assays(PEOPLE, SAMPLES, again, LEVEL_1, LEVEL_2) == assays(*SOUND)


def test_files_with_the_same_malformed_id_are_no_duplicates() -> None:
    files = table(
        "OtherAssay",
        "HTAN Data File ID|HTAN Parent Biospecimen ID",
        "see table|HTA1_1_1",
        "see table|HTA1_2_1",
    )
    assert assays(PEOPLE, SAMPLES, files) == {"OtherAssay": {"HTA1_1_1", "HTA1_2_1"}}


BIOSPECIMEN_ROWS = st.lists(
    st.tuples(st.sampled_from(["1", "2", "2 "]), st.sampled_from(["HTA1_1", "HTA1_1_1", "HTA1_1_3"])),
    max_size=4,
)
FILE_ROWS = st.lists(
    st.tuples(st.integers(10, 14), st.sampled_from(["1", "2", "3", "10", "11", "12", "1, 3", "10;2"])),
    max_size=6,
)


@given(BIOSPECIMEN_ROWS, FILE_ROWS, FILE_ROWS)
def test_a_duplicate_id_changes_nothing_in_a_matrix(
    samples: list[tuple[str, str]], first: list[tuple[int, str]], second: list[tuple[int, str]]
) -> None:
    """Rows whose id an earlier row has might as well not be there."""
    columns = ("HTAN Biospecimen ID|HTAN Parent ID", *["HTAN Data File ID|HTAN Parent Data File ID"] * 2)
    names = ("Biospecimen", "ImagingLevel3Segmentation", "ImagingLevel4")
    own = [("1", "HTA1_1"), ("2", "HTA1_1"), ("3", "HTA1_1"), *samples]
    written = [[(f"HTA1_1_{name}", parent) for name, parent in own]]
    for rows in (first, second):
        parents = [re.sub("([0-9]+)", r"HTA1_1_\1", cell) for _, cell in rows]
        written.append([(f"HTA1_1_{name}", parent) for (name, _), parent in zip(rows, parents, strict=True)])
    seen: set[str] = set()
    single: list[list[tuple[str, str]]] = []
    for rows in written:
        single.append([])
        for name, parent in rows:
            if name.strip() not in seen:
                seen.add(name.strip())
                single[-1].append((name, parent))

    def tables(of: list[list[tuple[str, str]]]) -> list[bytes]:
        return [
            table(name, header, *map("|".join, rows))
            for name, header, rows in zip(names, columns, of, strict=True)
        ]

    with_duplicates, without = assays(*tables(written)), assays(*tables(single))
    for name in names[1:]:
        assert with_duplicates.get(name, set()) == without.get(name, set())


BOTH = "HTAN Data File ID|HTAN Parent Data File ID|HTAN Parent Biospecimen ID"


@pytest.mark.parametrize("component", ["RPPALevel3", "10xVisiumSpatialTranscriptomics-AuxiliaryFiles"])
def test_edges_of_both_parent_columns_are_in_the_download_each_once(component: str) -> None:
    rows = (
        "HTA1_1_301|HTA1_1_101|HTA1_1_1",
        "HTA1_1_302|HTA1_1_101, HTA1_1_102|HTA1_1_101",
        "HTA1_1_303||HTA1_2_1",
    )
    lines = [line for line in sif(*SOUND, table(component, BOTH, *rows)) if "HTA1_1_30" in line]
    short = {"RPPALevel3": "RPPA3"}.get(component, "VS2_A")
    assert sorted(lines) == sorted(
        [
            f"SC1_HTA1_1_101\tconnect\t{short}_HTA1_1_301",
            f"B_HTA1_1_1\tconnect\t{short}_HTA1_1_301",
            f"SC1_HTA1_1_101\tconnect\t{short}_HTA1_1_302",
            f"SC1_HTA1_1_102\tconnect\t{short}_HTA1_1_302",
            f"B_HTA1_2_1\tconnect\t{short}_HTA1_1_303",
        ]
    )


def test_a_file_belongs_to_the_biospecimens_of_its_own_cell_or_else_to_those_of_its_parent_files() -> None:
    for row, expected in (
        ("HTA1_1_301|HTA1_1_101|HTA1_2_1", {"HTA1_2_1"}),
        ("HTA1_1_301|HTA1_1_101|HTA1_2_1, HTA1_1_2", {"HTA1_2_1", "HTA1_1_2"}),
        ("HTA1_1_301|HTA1_1_101, HTA1_1_102|HTA1_2_1", {"HTA1_2_1"}),
        ("HTA1_1_301|HTA1_1_101|", {"HTA1_1_1"}),
        ("HTA1_1_301|HTA1_1_101, HTA1_1_102|", {"HTA1_1_1", "HTA1_1_2"}),
        ("HTA1_1_301|HTA1_1_101|HTA1_1_x", {"HTA1_1_1"}),
        ("HTA1_1_301||HTA1_2_1", {"HTA1_2_1"}),
        ("HTA1_1_301||", set()),
    ):
        made = table("RPPALevel4", "HTAN Data File ID|HTAN Parent Data File ID", "HTA1_1_401|HTA1_1_301")
        found = assays(*SOUND, table("RPPALevel3", BOTH, row), made)
        assert (found["RPPALevel3"], found["RPPALevel4"]) == (expected, expected), row


def test_circles_end() -> None:
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_1_2", "HTA1_1_2|HTA1_1_1"
    )
    files = table(
        "ScRNA-seqLevel2",
        "HTAN Data File ID|HTAN Parent Data File ID",
        "HTA1_1_101|HTA1_1_102",
        "HTA1_1_102|HTA1_1_101;HTA1_1_1",
    )
    assert assays(samples, files) == {"ScRNA-seqLevel2": {"HTA1_1_1"}}
    assert len(sif(PEOPLE, samples, files)) == 5


def test_a_chain_of_a_hundred_thousand_files_is_walked() -> None:
    rows = [f"HTA1_1_{n}|HTA1_1_{n - 1}" for n in range(1000, 101_000)]
    chain = table("ScRNA-seqLevel3", "HTAN Data File ID|HTAN Parent Data File ID", *rows)
    start = table("ScRNA-seqLevel1", "HTAN Data File ID|HTAN Parent Biospecimen ID", "HTA1_1_999|HTA1_2_1")
    assert assays(SAMPLES, start, chain)["ScRNA-seqLevel3"] == {"HTA1_2_1"}


LINKS = st.dictionaries(
    st.integers(10, 20), st.lists(st.integers(1, 20), max_size=3), min_size=1, max_size=11
)


@given(LINKS)
def test_assays_agree_with_a_plain_walk(links: dict[int, list[int]]) -> None:
    """Biospecimens are 1 to 9, files 10 to 20; each file names up to three parents, circles included."""
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", *(f"HTA1_1_{n}|HTA1_1" for n in range(1, 10))
    )
    rows = [f"HTA1_1_{file}|{','.join(f'HTA1_1_{n}' for n in parents)}" for file, parents in links.items()]
    files = table("ImagingLevel4", "HTAN Data File ID|HTAN Parent Data File ID", *rows)
    expected: set[int] = set()
    for file in links:
        waiting, seen = [file], set[int]()
        while waiting:
            here = waiting.pop()
            if here < 10:
                expected.add(here)
            elif here not in seen:
                seen.add(here)
                waiting += links.get(here, [])
    assert assays(samples, files) == {"ImagingLevel4": {f"HTA1_1_{n}" for n in expected}}


TWO_COLUMNS = st.dictionaries(
    st.integers(10, 16),
    st.tuples(st.lists(st.integers(10, 17), max_size=2), st.lists(st.integers(1, 5), max_size=2)),
    min_size=1,
)


@given(TWO_COLUMNS)
def test_assays_with_two_parent_columns_agree_with_a_plain_walk(
    links: dict[int, tuple[list[int], list[int]]],
) -> None:
    """Biospecimens are 1 to 4 (5 does not exist), files 10 to 16."""
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", *(f"HTA1_1_{n}|HTA1_1" for n in range(1, 5))
    )

    def cell(names: list[int]) -> str:
        return ", ".join(f"HTA1_1_{n}" for n in names)

    rows = [f"HTA1_1_{file}|{cell(files)}|{cell(own)}" for file, (files, own) in links.items()]
    expected: set[int] = set()
    for file in links:
        waiting, seen = [file], set[int]()
        while waiting:
            here = waiting.pop()
            files, own = links.get(here, ([], []))
            if here in seen:
                continue
            seen.add(here)
            mine = {n for n in own if n < 5}
            expected |= mine
            waiting += [] if mine else files
    found = assays(samples, table("RPPALevel3", BOTH, *rows))
    assert found == {"RPPALevel3": {f"HTA1_1_{n}" for n in expected}}
