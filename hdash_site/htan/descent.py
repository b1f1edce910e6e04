"""Who comes from whom, id by id: what an id comes from, and what is derived from it.

Walks are bounded, so that a chain of a hundred thousand files, or a file made of a thousand others, costs
no more than its own edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.lineage import edges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hdash_site.htan.lineage import Lineage
    from hdash_site.htan.manifests import Manifest

LONGEST_CHAIN: Final = 20
"""Steps upwards along first parents."""
MOST_ABOVE: Final = 30
"""Ids that one comes from which are told."""
_EDGES_AN_ID: Final = 20
"""Edges that a walk downwards may look at for each id that it may find."""


class Derived(NamedTuple):
    """What is derived from an id, nearest first, and whether there is more than that."""

    ids: list[str]
    more: bool
    edges: int
    """How many edges were looked at."""


@dataclass(frozen=True, slots=True)
class Descent:
    """Edges between well-formed ids that both exist, each once; none leads from an id to itself."""

    above: Mapping[str, list[str]]
    below: Mapping[str, list[str]]

    def ancestors(self, name: str) -> tuple[list[str], bool]:
        """What an id comes from, nearest first along first parents, then the others; and whether there is
        more than that.
        """
        above = self.above
        chain: list[str] = []
        parents = above.get(name)
        while parents and len(parents) == 1 and len(chain) < LONGEST_CHAIN:
            chain.append(parents[0])
            parents = above.get(parents[0])
        return (chain, False) if not parents else self._some_above(name)

    def _some_above(self, name: str) -> tuple[list[str], bool]:
        """The same where there are several parents, very many, or a circle."""
        found: dict[str, None] = {}
        parents = self.above.get(name)
        while parents and len(found) < LONGEST_CHAIN and parents[0] not in found and parents[0] != name:
            found[parents[0]] = None
            parents = self.above.get(parents[0])
        waiting, seen = [name, *found], {name, *found}
        for one in waiting:
            for parent in self.above.get(one, ()):
                if parent in seen:
                    continue
                if len(found) == MOST_ABOVE:
                    return list(found), True
                seen.add(parent)
                found[parent] = None
                waiting.append(parent)
        return list(found), False

    def descendants(self, name: str, most: int) -> Derived:
        """Return what is derived from an id, at most `most` ids."""
        found, seen = list[str](), {name}
        most_edges, edges = most * _EDGES_AN_ID, 0
        if name not in self.below:
            return Derived(found, False, edges)
        waiting = [name]
        for one in waiting:
            children = self.below.get(one, [])
            left = most_edges - edges
            for child in children if len(children) <= left else children[:left]:
                if child in seen:
                    continue
                if len(found) == most:
                    return Derived(found, True, edges + children.index(child))
                seen.add(child)
                found.append(child)
                if child in self.below:
                    waiting.append(child)
            if len(children) > left:
                return Derived(found, True, most_edges)
            edges += len(children)
        return Derived(found, False, edges)

    def walked(self, name: str, derived: Derived) -> Iterator[tuple[str, str]]:
        """Return the edges, as (parent, child), that a walk from this id looked at."""
        pairs = ((one, child) for one in (name, *derived.ids) for child in self.below.get(one, ()))
        return islice(pairs, derived.edges)


def descent(lineage: Lineage, manifests: Sequence[Manifest]) -> Descent:
    """Collect the edges of all manifests, in their order."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    malformed = lineage.malformed
    for manifest, parents in zip(manifests, lineage.parents, strict=True):
        for parent, child in edges(manifest, parents, lineage):
            if parent != child and parent not in malformed and child not in malformed:
                above.setdefault(child, []).append(parent)
                below.setdefault(parent, []).append(child)
    # Two records with the same id, and two columns of a record, may name the same parent.
    twice = {child for child, parents in above.items() if len(parents) > 1}
    for parent in {parent for child in twice for parent in above[child]}:
        below[parent] = list(dict.fromkeys(below[parent]))
    for child in twice:
        above[child] = list(dict.fromkeys(above[child]))
    return Descent(above, below)
