"""Which participants each biospecimen comes from, also through other biospecimens.

The time is linear in the number of edges: of a biospecimen that comes from very many participants it is only
known that it does.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.lineage import edges

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hdash_site.htan.lineage import Lineage
    from hdash_site.htan.manifests import Manifest

MOST_OWNERS: Final = 20
"""Participants of one biospecimen that are told apart. A biospecimen of HTAN phase 1 comes from one."""


class Owners(NamedTuple):
    participants: Mapping[str, Sequence[str]]
    """By biospecimen, the participants that it comes from, if there are at most `MOST_OWNERS`."""
    sampled: frozenset[str]
    """Participants with at least one well-formed biospecimen."""
    shared: frozenset[str]
    """Participants with a biospecimen that comes from more than `MOST_OWNERS` participants."""


def find_owners(lineage: Lineage, manifests: Sequence[Manifest]) -> Owners:
    """Follow the edges between participants and biospecimens, downwards and upwards."""
    below: dict[str, list[str]] = {}
    above: dict[str, list[str]] = {}
    for manifest, parents in zip(manifests, lineage.parents, strict=True):
        if manifest.component.kind == "biospecimen":
            for parent, child in edges(manifest, parents, lineage):
                below.setdefault(parent, []).append(child)
                above.setdefault(child, []).append(parent)
    participants = _participants(sorted(lineage.participants), below)
    crowded = [name for name, some in participants.items() if len(some) > MOST_OWNERS]
    told = {
        name: tuple(some)
        for name, some in participants.items()
        if name in lineage.biospecimens and len(some) <= MOST_OWNERS
    }
    sampled = _upwards((name for name in above if name in lineage.biospecimens), above)
    shared = _upwards((name for name in crowded if name in lineage.biospecimens), above)
    return Owners(told, lineage.participants & sampled, lineage.participants & shared)


def _participants(people: Iterable[str], below: Mapping[str, Sequence[str]]) -> dict[str, dict[str, None]]:
    """Return the participants above each id: all of them, or `MOST_OWNERS` + 1 if there are more.

    What comes from an id with more has more as well, so no id that has fewer misses one.
    """
    found: dict[str, dict[str, None]] = {}
    waiting = deque((child, name) for name in people for child in below.get(name, ()))
    while waiting:
        here, name = waiting.popleft()
        mine = found.setdefault(here, {})
        if name not in mine and len(mine) <= MOST_OWNERS:
            mine[name] = None
            waiting.extend([(child, name) for child in below.get(here, ())])
    return found


def _upwards(start: Iterable[str], above: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the ids above these."""
    waiting = list(start)
    seen = set(waiting)
    found: set[str] = set()
    while waiting:
        for parent in above.get(waiting.pop(), ()):
            found.add(parent)
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return found
