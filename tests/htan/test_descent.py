from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan.descent import MOST_ABOVE, Descent, descent
from hdash_site.htan.lineage import lineage

from .helpers import LEVEL_1, LEVEL_2, PEOPLE, SAMPLES, table
from .test_lineage import LINKS, manifests_of


def of(*tables: bytes) -> Descent:
    manifests = manifests_of(*tables)
    return descent(lineage(manifests), manifests)


def test_an_id_comes_from_its_parents_and_theirs_nearest_first() -> None:
    lines = of(PEOPLE, SAMPLES, LEVEL_1, LEVEL_2)
    assert lines.ancestors("HTA1_1_102") == (["HTA1_1_2", "HTA1_1_1", "HTA1_1"], False)
    found, more = lines.ancestors("HTA1_1_201")
    assert found == ["HTA1_1_101", "HTA1_1_1", "HTA1_1", "HTA1_1_102", "HTA1_1_2"]
    assert not more
    assert lines.ancestors("HTA1_1") == ([], False)
    assert lines.ancestors("unheard of") == ([], False)


def test_what_is_derived_from_an_id_is_told_up_to_a_number() -> None:
    lines = of(PEOPLE, SAMPLES, LEVEL_1, LEVEL_2)
    everything = ["HTA1_1_1", "HTA1_1_2", "HTA1_1_101", "HTA1_1_102", "HTA1_1_201"]
    assert lines.descendants("HTA1_1", 5)[:2] == (everything, False)
    assert lines.descendants("HTA1_1", 4)[:2] == (everything[:4], True)
    assert lines.descendants("HTA1_1_201", 5)[:2] == ([], False)


def test_an_edge_that_two_records_name_is_one() -> None:
    twice = table(
        "OtherAssay", "HTAN Data File ID|HTAN Parent Biospecimen ID", "HTA1_1_5|HTA1_1_1", "HTA1_1_5|HTA1_1_1"
    )
    lines = of(SAMPLES, twice)
    assert lines.above["HTA1_1_5"] == ["HTA1_1_1"]
    assert lines.below["HTA1_1_1"].count("HTA1_1_5") == 1


def test_nothing_comes_from_itself_and_circles_end() -> None:
    circle = table(
        "Biospecimen",
        "HTAN Biospecimen ID|HTAN Parent ID",
        "HTA1_1_1|HTA1_1_2",
        "HTA1_1_2|HTA1_1_1",
        "HTA1_1_3|HTA1_1_3",
    )
    lines = of(circle)
    assert lines.ancestors("HTA1_1_1") == (["HTA1_1_2"], False)
    assert lines.descendants("HTA1_1_1", 9)[:2] == (["HTA1_1_2"], False)
    assert lines.ancestors("HTA1_1_3") == ([], False)


def test_a_file_of_a_thousand_parents_leads_to_its_participant_and_says_that_there_are_more() -> None:
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", *(f"HTA1_1_{n}|HTA1_1" for n in range(1000))
    )
    parents = ",".join(f"HTA1_1_{n}" for n in range(1000))
    merged = table("ImagingLevel4", "HTAN Data File ID|HTAN Parent Data File ID", f"HTA1_1_5000|{parents}")
    found, more = of(PEOPLE, samples, merged).ancestors("HTA1_1_5000")
    assert (found[:2], len(found), more) == (["HTA1_1_0", "HTA1_1"], MOST_ABOVE, True)


@given(LINKS, st.integers(1, 30))
def test_walks_agree_with_plain_ones(links: dict[int, list[int]], most: int) -> None:
    """Biospecimens are 1 to 9, files 10 to 20; each file names up to three parents, circles included."""
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", *(f"HTA1_1_{n}|HTA1_1" for n in range(1, 10))
    )
    rows = [f"HTA1_1_{file}|{','.join(f'HTA1_1_{n}' for n in parents)}" for file, parents in links.items()]
    lines = of(samples, table("ImagingLevel4", "HTAN Data File ID|HTAN Parent Data File ID", *rows))
    there = {*range(1, 10), *links}
    above = {file: {n for n in parents if n in there and n != file} for file, parents in links.items()}
    below = {n: {file for file in links if n in above[file]} for n in there}
    for number in there:
        for walk, edges in ((lines.ancestors, above), (lambda name: lines.descendants(name, 99)[:2], below)):
            reached, waiting = set[int](), [number]
            while waiting:
                new = edges.get(waiting.pop(), set()) - reached
                reached |= new
                waiting += new
            found, more = walk(f"HTA1_1_{number}")
            assert sorted(found) == sorted(f"HTA1_1_{n}" for n in reached - {number})
            assert not more
        some, more, _ = lines.descendants(f"HTA1_1_{number}", most)
        assert len(some) == min(most, len(lines.descendants(f"HTA1_1_{number}", 99)[0]))
        assert more == (len(lines.descendants(f"HTA1_1_{number}", 99)[0]) > most)
