from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan.components import catalogue
from hdash_site.htan.lineage import assays_of, biospecimens_by_participant, lineage
from hdash_site.htan.manifests import Manifest, read_manifests
from hdash_site.htan.parsing import facets

from .helpers import LEVEL_1, LEVEL_2, PEOPLE, SAMPLES, SOUND, decoded, report_of, table


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


def test_a_participant_has_its_biospecimens_and_those_derived_from_them() -> None:
    manifests = manifests_of(PEOPLE, SAMPLES)
    found = biospecimens_by_participant(lineage(manifests), manifests)
    assert found == {"HTA1_1": {"HTA1_1_1", "HTA1_1_2"}, "HTA1_2": {"HTA1_2_1"}}
    assert decoded(report_of(*SOUND), "summary")["participants_with_biospecimens"] == 2


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
