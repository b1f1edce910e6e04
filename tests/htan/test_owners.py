from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hdash_site.htan.lineage import edges, lineage
from hdash_site.htan.owners import MOST_OWNERS, Owners, find_owners

from .helpers import PEOPLE, SAMPLES, SOUND, decoded, report_of, table
from .test_lineage import manifests_of

COLUMNS = "HTAN Biospecimen ID|HTAN Parent ID"


def owners_of(*tables: bytes) -> Owners:
    manifests = manifests_of(*tables)
    return find_owners(lineage(manifests), manifests)


def people(count: int) -> bytes:
    return table("Demographics", "HTAN Participant ID", *(f"HTA1_{one}" for one in range(count)))


def test_a_biospecimen_belongs_to_the_participant_that_it_was_taken_or_derived_from() -> None:
    found = owners_of(PEOPLE, SAMPLES)
    assert found.participants == {"HTA1_1_1": ("HTA1_1",), "HTA1_1_2": ("HTA1_1",), "HTA1_2_1": ("HTA1_2",)}
    assert found.sampled == {"HTA1_1", "HTA1_2"}
    assert decoded(report_of(*SOUND), "summary")["participants_with_biospecimens"] == 2


def test_of_a_biospecimen_of_very_many_participants_it_is_known_that_they_share_it() -> None:
    pool = ", ".join(f"HTA1_{one}" for one in range(MOST_OWNERS + 1))
    samples = table("Biospecimen", COLUMNS, f"HTA1_0_1|{pool}", "HTA1_0_2|HTA1_0_1", "HTA1_0_3|HTA1_0")
    found = owners_of(people(MOST_OWNERS + 2), samples)
    assert found.participants == {"HTA1_0_3": ("HTA1_0",)}
    assert len(found.sampled) == len(found.shared) == MOST_OWNERS + 1


@given(st.lists(st.tuples(st.integers(0, 9), st.lists(st.integers(0, 39), max_size=30)), max_size=12))
def test_owners_are_those_that_a_walk_from_each_participant_finds(links: list[tuple[int, list[int]]]) -> None:
    """Numbers below 10 are biospecimens, all others participants."""
    rows = [f"HTA1_0_{child}|{', '.join(name(parent) for parent in parents)}" for child, parents in links]
    manifests = manifests_of(people(40), table("Biospecimen", COLUMNS, *rows))
    graph = lineage(manifests)
    below: dict[str, set[str]] = {}
    for manifest, parents in zip(manifests, graph.parents, strict=True):
        for parent, child in edges(manifest, parents, graph):
            below.setdefault(parent, set()).add(child)
    plain: dict[str, set[str]] = {}
    for participant in graph.participants:
        for sample in walk(participant, below) & graph.biospecimens:
            plain.setdefault(sample, set()).add(participant)
    found = find_owners(graph, manifests)
    few = {sample: some for sample, some in plain.items() if len(some) <= MOST_OWNERS}
    assert {sample: set(some) for sample, some in found.participants.items()} == few
    assert found.sampled == set().union(*plain.values())
    assert found.shared == set().union(*(some for sample, some in plain.items() if sample not in few))


def name(number: int) -> str:
    return f"HTA1_0_{number}" if number < 10 else f"HTA1_{number}"


def walk(start: str, below: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = below.get(waiting.pop(), set()) - reached
        reached |= fresh
        waiting += fresh
    return reached
