"""The participants of an atlas, one by one: what was taken from each, what was made of that, by level.

Participants go in groups by a digest of their id, so that an edit makes the pages of few others anew; there
are as many groups as the next power of two that leaves each about `A_GROUP`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from hdash_site.htan.ids import identifiers, well_formed
from hdash_site.htan.text import natural, shown

if TYPE_CHECKING:
    from hdash_site.htan.descent import Derived, Descent
    from hdash_site.htan.lineage import Lineage
    from hdash_site.htan.manifests import Manifest

A_GROUP: Final = 16
"""Participants of a group, about."""
MOST_PAGES: Final = 10_000
"""Participants of an atlas that have a page. All of HTAN phase 1 has a quarter of it."""
MOST_DERIVED: Final = 20_000
"""Ids derived from a participant that are counted; the most of HTAN phase 1 has three quarters of it."""
_WALKED: Final = 200_000
"""Edges that all participants together may look at, besides ten times the edges that there are. Nearly every
edge of HTAN is below one participant."""
_MOST_PARENTS: Final = 20
"""Parents of a biospecimen among which one that comes from the participant is looked for."""
MOST_BIOSPECIMENS: Final = 200
"""Biospecimens of a participant that its page lists."""
LONGEST_ADDRESS: Final = 40


def addresses(participants: Iterable[str]) -> dict[str, str]:
    """Return the addresses of the first `MOST_PAGES` participants; all others have no page."""
    return {name: address(name) for name in islice(participants, MOST_PAGES)}


def address(participant: str) -> str:
    """The folder of a participant's page: the id in small letters; of a very long id a digest."""
    kinds = tuple(kind for kind in identifiers() if kind.name == "participant")
    if len(participant) <= LONGEST_ADDRESS and well_formed(kinds)(participant):
        return participant.lower()
    return "x-" + _digest(participant)[:16]


def grouping(count: int) -> Callable[[str], str]:
    """A function that gives the group of each of so many participants, as in `0f`."""
    groups = 1
    while groups * A_GROUP < count:
        groups *= 2
    width = len(f"{groups - 1:x}")
    return lambda name: f"{int(_digest(name)[:8], 16) % groups:0{width}x}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def derived_of_participants(lineage: Lineage, descent: Descent) -> dict[str, Derived]:
    """Return, in natural order of the participants, what is derived from each.

    Where many participants share very much, fewer ids of the later ones are counted.
    """
    left = _WALKED + 10 * sum(map(len, descent.below.values()))
    found: dict[str, Derived] = {}
    for name in sorted(lineage.participants, key=natural):
        found[name] = descent.descendants(name, min(MOST_DERIVED, left))
        left = max(0, left - found[name].edges)
    return found


def people(
    manifests: Sequence[Manifest],
    lineage: Lineage,
    descent: Descent,
    derived: Mapping[str, Derived],
    codes: Sequence[int],
) -> list[dict[str, Any]]:
    """Every participant in natural order; `codes` are the codes of the manifests' components."""
    clinical = _clinical(manifests)
    pages = addresses(derived)
    made: dict[str, list[tuple[int, int]]] = {}
    return [
        _person(name, descent, some, lineage.nodes, manifests, codes, clinical.get(name, ()), made)
        | {"address": pages.get(name, "")}
        for name, some in derived.items()
    ]


def codes_of(person: Mapping[str, Any]) -> set[int]:
    """The codes of components that are told of a participant."""
    return {code for code, _ in person["components"]} | {code for _, code, _ in person["manifests"]}


def _clinical(manifests: Sequence[Manifest]) -> dict[str, list[int]]:
    """By participant, the clinical manifests that name it."""
    found: dict[str, list[int]] = {}
    for place, manifest in enumerate(manifests):
        if manifest.component.kind == "clinical":
            primary = manifest.primary
            for name in {*primary.texts, *map(primary.one, primary.odd)} - {""}:
                found.setdefault(name, []).append(place)
    return found


def _person(
    name: str,
    descent: Descent,
    walk: Derived,
    places: Mapping[str, int],
    manifests: Sequence[Manifest],
    codes: Sequence[int],
    clinical: Iterable[int],
    made: dict[str, list[tuple[int, int]]],
) -> dict[str, Any]:
    """All that is told of a participant; `links` are numbers of links between components.

    `made` keeps, by biospecimen, how many files of each component were made of it directly.
    """
    derived = walk.ids
    mine = {name, *derived}
    held = Counter(map(places.__getitem__, derived))
    kinds = Counter[str]()
    components, links = Counter[int](), Counter[tuple[int, int]]()
    for place, count in held.items():
        kinds[manifests[place].component.kind] += count
        components[codes[place]] += count
    for parent, child in descent.walked(name, walk):
        if child in mine and child != name:
            links[codes[places[parent]] if parent != name else -1, codes[places[child]]] += 1
    samples = [one for one in derived if manifests[places[one]].component.kind == "biospecimen"]
    return {
        "id": shown(name),
        "biospecimens": kinds["biospecimen"],
        "files": kinds["assay"],
        "more": walk.more,
        "components": sorted(components.items()),
        "links": [[above, below, count] for (above, below), count in sorted(links.items())],
        "manifests": [
            [manifests[place].id, codes[place], held[place]] for place in sorted({*clinical, *held})
        ],
        "samples": [
            _sample(one, descent, mine, places, manifests, codes, made)
            for one in sorted(samples, key=natural)[:MOST_BIOSPECIMENS]
        ],
    }


def _sample(
    name: str,
    descent: Descent,
    mine: set[str],
    places: Mapping[str, int],
    manifests: Sequence[Manifest],
    codes: Sequence[int],
    made: dict[str, list[tuple[int, int]]],
) -> list[Any]:
    """Id, component, what it was taken from, and by component how many files were made of it directly."""
    if name not in made:
        below = [places[one] for one in descent.below.get(name, ())]
        files = Counter(codes[place] for place in below if manifests[place].component.kind == "assay")
        made[name] = sorted(files.items())
    parents = descent.above[name]
    above = next((one for one in parents[:_MOST_PARENTS] if one in mine), parents[0])
    return [shown(name), codes[places[name]], shown(above), made[name]]
