"""The lineage graph: participants, biospecimens, data files, and what comes from what.

A node is a primary id that is present and single; where an id stands twice, the first stands. An edge goes
from parent to child for every id in the parent cell (section 5 of the dashboard's rules).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.columns import PARENT_BIOSPECIMEN_ID, PARENT_DATA_FILE_ID
from hdash_site.htan.ids import is_not_applicable
from hdash_site.htan.manifests import NO_IDS, IdColumn, Manifest
from hdash_site.htan.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hdash_site.htan.ids import Cell

DEMOGRAPHICS: Final = "Demographics"


class Parents(NamedTuple):
    """Where the records of a manifest come from."""

    ids: IdColumn
    """The parent column; where it is "Not Applicable", the cell of `HTAN Parent Biospecimen ID`."""
    replaced: frozenset[int]
    """The records of which the latter was taken."""
    excused: frozenset[int]
    """The records that legally have no parent."""


class Duplicate(NamedTuple):
    """A primary id that stands already: in which manifest and record, and where the first one is."""

    id: str
    manifest: int
    record: int
    first_manifest: int
    first_record: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """Manifests are given by their place in the atlas."""

    nodes: Mapping[str, int]
    """By id, the manifest that it stands in first."""
    participants: frozenset[str]
    biospecimens: frozenset[str]
    parents: Sequence[Parents]
    """By manifest."""
    duplicates: Sequence[Duplicate]


def lineage(manifests: Sequence[Manifest]) -> Lineage:
    """Read the graph off the manifests; of a participant's manifests Demographics comes first."""
    places = range(len(manifests))
    clinical = [place for place in places if manifests[place].component.kind == "clinical"]
    clinical.sort(key=lambda place: manifests[place].component.name != DEMOGRAPHICS)
    others = [place for place in places if manifests[place].component.kind != "clinical"]
    participants = _nodes(manifests, clinical)
    nodes = _nodes(manifests, others)
    duplicates = _duplicates(manifests, others)
    nodes.update(participants)
    return Lineage(
        nodes=nodes,
        participants=frozenset(participants),
        biospecimens=frozenset(
            name for name, place in nodes.items() if manifests[place].component.kind == "biospecimen"
        ),
        parents=[_parents(manifest) for manifest in manifests],
        duplicates=duplicates,
    )


def _nodes(manifests: Sequence[Manifest], places: Sequence[int]) -> dict[str, int]:
    """The primary ids of these manifests; the first stands."""
    nodes: dict[str, int] = {}
    for place in reversed(places):
        primary = manifests[place].primary
        nodes.update(dict.fromkeys(map(primary.one, primary.odd), place))
        nodes.update(dict.fromkeys(primary.texts, place))
    nodes.pop("", None)
    return nodes


def _duplicates(manifests: Sequence[Manifest], places: Sequence[int]) -> list[Duplicate]:
    """Well-formed primary ids that stand more than once, in the order of the manifests."""
    checked = [place for place in places if manifests[place].component.check_primary]
    columns = [manifests[place].primary.texts for place in checked]
    counts = Counter(chain.from_iterable(columns))
    del counts[""]
    repeated = {text for text, count in counts.items() if count > 1}
    if not repeated:
        return []
    first: dict[str, tuple[int, int]] = {}
    found: list[Duplicate] = []
    for place, texts in zip(checked, columns, strict=True):
        for record, text in [pair for pair in enumerate(texts) if pair[1] in repeated]:
            if text in first:
                found.append(Duplicate(text, place, record, *first[text]))
            else:
                first[text] = (place, record)
    return found


def _parents(manifest: Manifest) -> Parents:
    """Where the records of a manifest come from, by its component."""
    column = manifest.component.parent_id
    ids = manifest.column(column)
    if column != PARENT_DATA_FILE_ID:
        return Parents(ids, frozenset(), frozenset())
    open_records = [record for record, cell in ids.odd.items() if is_not_applicable(cell.shown)]
    if not open_records:
        return Parents(ids, frozenset(), frozenset())
    other = manifest.column(PARENT_BIOSPECIMEN_ID)
    texts, odd = list(ids.texts), dict(ids.odd)
    replaced: set[int] = set()
    for record in open_records:
        if _replace(texts, odd, record, other):
            replaced.add(record)
    excused = set(open_records) - replaced if manifest.component.parent_may_be_not_applicable else set[int]()
    return Parents(IdColumn(texts, odd, ids.atlases + other.atlases), frozenset(replaced), frozenset(excused))


def _replace(texts: list[str], odd: dict[int, Cell], record: int, other: IdColumn) -> bool:
    """Take the cell of the other column, if it holds something."""
    if other is NO_IDS:
        return False
    cell = other.odd.get(record)
    if not other.texts[record] and (cell is None or cell.is_missing):
        return False
    texts[record] = other.texts[record]
    del odd[record]
    if cell is not None:
        odd[record] = cell
    return True


def biospecimens_by_participant(lineage: Lineage, manifests: Sequence[Manifest]) -> dict[str, set[str]]:
    """Of each participant all biospecimens: its own, and those derived from them."""
    children: dict[str, list[str]] = {}
    for manifest, parents in zip(manifests, lineage.parents, strict=True):
        if manifest.component.kind == "biospecimen":
            for parent, child in edges(manifest, parents, lineage):
                children.setdefault(parent, []).append(child)
    found: dict[str, set[str]] = {}
    for participant in lineage.participants:
        reached: set[str] = set()
        waiting = list(children.get(participant, ()))
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached.add(one)
                waiting += children.get(one, ())
        found[participant] = reached
    return found


def edges(manifest: Manifest, parents: Parents, lineage: Lineage) -> Iterator[tuple[str, str]]:
    """The edges that end in records of a manifest, as (parent, child), where both ends exist."""
    if manifest.primary.texts and parents.ids.texts:
        rows = zip(parents.ids.texts, manifest.primary.texts, strict=True)
        yield from [(parent, child) for parent, child in rows if child and parent in lineage.nodes]
        yield from _odd_edges(
            manifest, parents, lineage, parents.ids.odd.keys() | manifest.primary.odd.keys()
        )


def _odd_edges(
    manifest: Manifest, parents: Parents, lineage: Lineage, records: Iterable[int]
) -> Iterator[tuple[str, str]]:
    """The edges of some records, one of whose cells is not just one well-formed id."""
    for record in sorted(records):
        parent, child = parents.ids.texts[record], manifest.primary.one(record)
        odd = parents.ids.odd.get(record)
        for name in (parent,) if parent else (*odd.good, *odd.bad) if odd else ():
            if child and name in lineage.nodes:
                yield name, child


def assays_of(lineage: Lineage, manifests: Sequence[Manifest]) -> dict[str, set[str]]:
    """By component, the biospecimens that have such an assay.

    An assay belongs to the biospecimens that it, or an assay that it comes from, names as parents; not to
    those that these were derived from. Goes up from all files of a manifest at once, by sets.
    """
    above, several = _files_above(lineage, manifests)
    all_files = above.keys() | several.keys()
    found: dict[str, set[str]] = {}
    for manifest, parents in zip(manifests, lineage.parents, strict=True):
        if manifest.component.kind != "assay":
            continue
        waiting = set(parents.ids.texts)
        for odd in parents.ids.odd.values():
            waiting.update(odd.good, odd.bad)
        seen: set[str] = set()
        have = found.setdefault(manifest.component.name, set())
        while waiting:
            have |= waiting & lineage.biospecimens
            files = (waiting & all_files) - seen
            seen |= files
            waiting = set(map(above.get, files, repeat("")))
            for name in several.keys() & files if several else ():
                waiting.update(several[name])
    return found


def _files_above(
    lineage: Lineage, manifests: Sequence[Manifest]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Of each file of an assay its parent, if that is one; and the parents of those that have several."""
    above: dict[str, str] = {}
    several: dict[str, tuple[str, ...]] = {}
    for manifest, parents in zip(manifests, lineage.parents, strict=True):
        if manifest.component.kind == "assay" and parents.ids.texts and manifest.primary.texts:
            primary = manifest.primary
            above.update(zip(primary.texts, parents.ids.texts, strict=True))
            above.update((primary.one(record), parents.ids.texts[record]) for record in primary.odd)
            for record, odd in parents.ids.odd.items():
                child = primary.one(record)
                several[child] = (*several.get(child, ()), *odd.good, *odd.bad)
    for duplicate in lineage.duplicates:
        for place, record in duplicate[1:3], duplicate[3:]:
            text = lineage.parents[place].ids.texts[record : record + 1]
            several[duplicate.id] = (*several.get(duplicate.id, ()), *text)
    above.pop("", None)
    return above, several


def sif(lineage: Lineage, manifests: Sequence[Manifest]) -> bytes:
    """The graph for Cytoscape: a line an edge, `<abbreviation>_<id>` on both ends."""
    short = [clean(manifest.component.abbreviation) for manifest in manifests]
    again: dict[int, list[int]] = {}
    for duplicate in lineage.duplicates:
        again.setdefault(duplicate.manifest, []).append(duplicate.record)
    lines: list[str] = []
    for place, (manifest, parents) in enumerate(zip(manifests, lineage.parents, strict=True)):
        if manifest.primary.texts and parents.ids.texts:
            lines += _lines(lineage, manifest, parents, short, short[place], again.get(place, []))
    unique = dict.fromkeys(lines) if again else lines
    return "\n".join([*unique, ""]).encode("utf-8", "replace")


def _lines(
    lineage: Lineage,
    manifest: Manifest,
    parents: Parents,
    short: Sequence[str],
    mine: str,
    again: Sequence[int],
) -> Iterator[str]:
    """The lines of a manifest's edges; `again` are the records whose id stands already, elsewhere perhaps."""
    nodes, above, children = lineage.nodes, parents.ids.texts, manifest.primary.texts
    heads = {name: f"{short[nodes[name]]}_{name}\tconnect\t{mine}_" for name in set(above) if name in nodes}
    if again:
        children = list(children)
        for record in again:
            children[record] = ""
    rows = zip(above, children, strict=True)
    yield from [heads[parent] + child for parent, child in rows if child and parent in heads]
    odd = parents.ids.odd.keys() | manifest.primary.odd.keys() | set(again)
    for parent, child in _odd_edges(manifest, parents, lineage, odd):
        yield f"{short[nodes[parent]]}_{parent}\tconnect\t{short[nodes[child]]}_{child}"
