"""The lineage of an atlas in figures: of each kind of id how many there are, and how many lead on.

A step breaks where a record names a parent that no manifest of the atlas has, or names none. Records that
come from outside of the atlas (`EXT`), or need not have a parent, are counted apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.lineage import named, own_id

if TYPE_CHECKING:
    from hdash_site.htan.descent import Descent
    from hdash_site.htan.lineage import Lineage, Parents
    from hdash_site.htan.manifests import Manifest

_EXTERNAL: Final = "EXT"


class Step(NamedTuple):
    """Ids of one component. `linked`, `outside`, `broken` and `unnamed` add up to `ids`, but for
    participants, which come from nobody. `derived`: how many have something derived from them.
    """

    code: int
    ids: int
    linked: int
    outside: int
    broken: int
    unnamed: int
    derived: int


def steps(
    manifests: Sequence[Manifest], lineage: Lineage, descent: Descent, codes: Sequence[int]
) -> list[Step]:
    """A step for each component; all that names participants is one, the first."""
    counts: dict[int, list[int]] = {}
    seen: set[str] = set()
    for place, (manifest, parents) in enumerate(zip(manifests, lineage.parents, strict=True)):
        if manifest.component.kind == "clinical":
            continue
        names = _own(manifest, place, lineage.nodes, seen)
        if not names:
            continue
        total = counts.setdefault(codes[place], [0] * 6)
        total[0] += len(names)
        total[5] += sum(map(descent.below.__contains__, names))
        linked = sum(map(descent.above.__contains__, names))
        total[1] += linked
        if linked < len(names):
            for name, record in names.items():
                if name not in descent.above:
                    total[_kind(record, parents, lineage)] += 1
    people = lineage.participants
    first = Step(-1, len(people), 0, 0, 0, 0, sum(map(descent.below.__contains__, people)))
    return [first, *(Step(code, *total) for code, total in sorted(counts.items()))]


def _own(manifest: Manifest, place: int, nodes: Mapping[str, int], seen: set[str]) -> dict[str, int]:
    """The ids that stand in this manifest first, with their first record."""
    texts, primary = list(manifest.primary.texts), manifest.primary
    for record in primary.odd:
        texts[record] = own_id(manifest, record)
    names = {
        name: len(texts) - 1 - back
        for back, name in enumerate(reversed(texts))
        if nodes.get(name) == place and name not in seen
    }
    seen.update(names)
    return names


def _kind(record: int, parents: Parents, lineage: Lineage) -> int:
    """Why a record has no parent in the atlas, as a place among the counts of `Step`."""
    names = {name for _, column in parents.columns if column.texts for name in named(column, record)}
    if not names and record in parents.excused:
        return 2
    if all(name in lineage.nodes and name not in lineage.malformed for name in names):
        return 4  # nothing, or the record itself
    return 2 if all(_EXTERNAL in name for name in names) else 3
