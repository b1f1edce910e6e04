"""The lineage graph: participants, biospecimens, data files, and what each of them comes from.

A node is a primary id that is the only one of its cell; of a duplicate the first record counts. An edge goes
from parent to child for every id in the parent cells (section 5 of the dashboard's rules). Malformed ids are
nodes, so that the ways through them are not lost, but they count as nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.columns import PARENT_BIOSPECIMEN_ID, PARENT_DATA_FILE_ID
from hdash_site.htan.ids import is_not_applicable
from hdash_site.htan.manifests import IdColumn, Manifest
from hdash_site.htan.text import clean

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence

DEMOGRAPHICS: Final = "Demographics"


class Parents(NamedTuple):
    """What the records of a manifest come from."""

    columns: tuple[tuple[str, IdColumn], ...]
    """The columns that name parents: data files first, biospecimens last."""
    excused: frozenset[int]
    """Records whose cell in the component's `parent_id` holds no id, and need not."""


class Duplicate(NamedTuple):
    """A primary id that an earlier record has: its manifest and record, and those of the first one."""

    id: str
    manifest: int
    record: int
    first_manifest: int
    first_record: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """Manifests are given by their position in the atlas."""

    nodes: Mapping[str, int]
    """By id, the manifest of its first record."""
    malformed: frozenset[str]
    """The nodes whose id is malformed: they are no participants, biospecimens or files."""
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
    nodes.update(participants)
    biospecimens = frozenset(
        name for name, place in nodes.items() if manifests[place].component.kind == "biospecimen"
    )
    malformed = _malformed(manifests, (*clinical, *others), nodes)
    nodes.update(malformed)
    return Lineage(
        nodes=nodes,
        malformed=frozenset(malformed),
        participants=frozenset(participants),
        biospecimens=biospecimens,
        parents=[_parents(manifest) for manifest in manifests],
        duplicates=_duplicates(manifests, others),
    )


def own_id(manifest: Manifest, record: int) -> str:
    """Return the well-formed id of a record; blank if it is malformed, missing, or not the only one.

    A cell with a blank around its id is reported, but the record is known by the id.
    """
    primary, component = manifest.primary, manifest.component
    # The ids of accessory files are Synapse ids.
    is_free = component.kind == "assay" and not component.check_primary
    return primary.one(record) if is_free or primary.good(record) else ""


def _nodes(manifests: Sequence[Manifest], places: Sequence[int]) -> dict[str, int]:
    """Return the well-formed ids of these manifests, each with the first manifest that has it."""
    nodes: dict[str, int] = {}
    for place in reversed(places):
        primary = manifests[place].primary
        nodes.update(dict.fromkeys([own_id(manifests[place], record) for record in primary.odd], place))
        nodes.update(dict.fromkeys(primary.texts, place))
    nodes.pop("", None)
    return nodes


def _malformed(
    manifests: Sequence[Manifest], places: Sequence[int], nodes: Mapping[str, int]
) -> dict[str, int]:
    """Return the malformed ids of these manifests, each with the first manifest that has it."""
    found: dict[str, int] = {}
    for place in places:
        primary = manifests[place].primary
        for name in map(primary.one, primary.odd):
            if name and name not in nodes:
                found.setdefault(name, place)
    return found


def _duplicates(manifests: Sequence[Manifest], places: Sequence[int]) -> list[Duplicate]:
    """Return the well-formed primary ids that an earlier record has, in the order of the manifests."""
    checked = [place for place in places if manifests[place].component.check_primary]
    columns = [_own_ids(manifests[place], ()) for place in checked]
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


def _own_ids(manifest: Manifest, malformed: Container[str]) -> list[str]:
    """Return the id of each record of a manifest: a well-formed one, or one of these malformed ones."""
    primary = manifest.primary
    if not primary.odd:
        return primary.texts
    texts = list(primary.texts)
    for record in primary.odd:
        texts[record] = _node(manifest, record, malformed)
    return texts


def _node(manifest: Manifest, record: int, malformed: Container[str]) -> str:
    """Return the id of a record, well-formed or not; blank if it is missing, or not the only one.

    A malformed id that is the well-formed id of another record is blank, too.
    """
    name = manifest.primary.one(record)
    return name if name in malformed else own_id(manifest, record)


def _parents(manifest: Manifest) -> Parents:
    """Find the parent columns of a manifest, and which of its records need no id in the first of them."""
    component = manifest.component
    first, second_name = manifest.column(component.parent_id), component.second_parent_id
    if "" not in first.texts:
        return Parents(_columns(manifest, component.parent_id, second_name), frozenset())
    missing = [
        record
        for record, text in enumerate(first.texts)
        if not text and (record not in first.odd or first.odd[record].is_missing)
    ]
    open_records = set[int]()
    if component.parent_id == PARENT_DATA_FILE_ID:
        odd = [record for record in missing if record in first.odd]
        open_records.update(record for record in odd if is_not_applicable(first.odd[record].shown))
    columns = _columns(manifest, component.parent_id, second_name)
    second = manifest.column(second_name)
    if not second_name and open_records and PARENT_BIOSPECIMEN_ID in manifest.ids:
        second = _only(manifest.column(PARENT_BIOSPECIMEN_ID), open_records)
        columns = (*columns, (PARENT_BIOSPECIMEN_ID, second))
    excused = {
        record
        for record in missing
        if (record in open_records and component.parent_may_be_not_applicable)
        or ((record in open_records or component.parent_may_be_missing) and _is_given(second, record))
    }
    return Parents(columns, frozenset(excused))


def _columns(manifest: Manifest, *names: str) -> tuple[tuple[str, IdColumn], ...]:
    """Return these columns, if the manifest has them: data files first, biospecimens last."""
    order = {PARENT_DATA_FILE_ID: 0, PARENT_BIOSPECIMEN_ID: 2}
    ranked = sorted(names, key=lambda name: order.get(name, 1))
    return tuple((name, manifest.ids[name]) for name in ranked if name in manifest.ids)


def _only(column: IdColumn, records: Iterable[int]) -> IdColumn:
    """Return the column with the cells of these records alone."""
    texts = [""] * len(column.texts)
    odd = {record: column.odd[record] for record in records if record in column.odd}
    for record in records:
        texts[record] = column.texts[record]
    return IdColumn(texts, odd, column.atlases)


def _is_given(column: IdColumn, record: int) -> bool:
    """Tell whether a cell names something, well-formed or not."""
    return bool(column.texts) and bool(named(column, record))


def named(column: IdColumn, record: int) -> tuple[str, ...]:
    """Return the ids in a cell: the well-formed ones, then the malformed ones."""
    text = column.texts[record]
    if text or record not in column.odd:
        return (text,) if text else ()
    cell = column.odd[record]
    return cell.good + cell.bad


def edges(manifest: Manifest, parents: Parents, lineage: Lineage) -> Iterator[tuple[str, str]]:
    """The edges that end in records of a manifest, as (parent, child), where both ends exist.

    An edge comes twice where both parent columns name the parent.
    """
    children = manifest.primary
    for _, column in parents.columns:
        if children.texts and column.texts:
            rows = zip(column.texts, children.texts, strict=True)
            yield from [(parent, child) for parent, child in rows if child and parent in lineage.nodes]
            yield from _odd_edges(manifest, column, lineage, column.odd.keys() | children.odd.keys())


def _odd_edges(
    manifest: Manifest, column: IdColumn, lineage: Lineage, records: Iterable[int]
) -> Iterator[tuple[str, str]]:
    """The edges of some records, one of whose cells is not just one well-formed id."""
    for record in sorted(records):
        child = _node(manifest, record, lineage.malformed)
        for parent in named(column, record) if child else ():
            if parent in lineage.nodes:
                yield parent, child


class _Sources(NamedTuple):
    """What each record of a manifest of an assay belongs to: biospecimens, or files that lead to them."""

    children: Sequence[str]
    """By record its node; blank where it has none, or an earlier record has it."""
    texts: Sequence[str]
    """By record the only id that it comes from; else blank."""
    several: Mapping[int, tuple[str, ...]]
    """The ids that a record comes from, where it is not just one."""


def _sources(lineage: Lineage, manifest: Manifest, parents: Parents, again: Collection[int]) -> _Sources:
    """Take what records belong to from their own biospecimen cell, else from the cell of their parent files.

    A record whose id an earlier record has (`again`) belongs to nothing.
    """
    columns = [column for _, column in parents.columns if column.texts]
    if not columns:
        return _Sources((), (), {})
    texts = columns[0].texts
    children: Sequence[str] = _own_ids(manifest, lineage.malformed) or [""] * len(texts)
    several = {record: named(columns[0], record) for record in columns[0].odd}
    if len(columns) > 1:
        texts = list(texts)
        _prefer(columns[1], lineage.biospecimens, texts, several)
    if again:
        children, texts = list(children), list(texts)
        for record in again:
            children[record] = texts[record] = ""
            several.pop(record, None)
    return _Sources(children, texts, several)


def _prefer(
    column: IdColumn,
    biospecimens: frozenset[str],
    texts: list[str],
    several: dict[int, tuple[str, ...]],
) -> None:
    """Replace what records come from by the biospecimens of their own cells, where these name some."""
    for record, text in enumerate(column.texts):
        if text in biospecimens or (text and not texts[record] and record not in several):
            texts[record] = text
            several.pop(record, None)
    for record in column.odd:
        own = tuple(name for name in named(column, record) if name in biospecimens)
        if own:
            texts[record] = ""
            several[record] = own


def assays_of(lineage: Lineage, manifests: Sequence[Manifest]) -> dict[str, set[str]]:
    """By component, the biospecimens that have such an assay.

    An assay belongs to the biospecimens that it, or an assay that it comes from, names as parents; not to
    those that these were derived from. Goes up from all files of a component at once, by sets.
    """
    sources = _all_sources(lineage, manifests)
    above: dict[str, str] = {}
    several: dict[str, tuple[str, ...]] = {}
    for one in sources.values():
        above.update(zip(one.children, one.texts, strict=True))
        several.update((one.children[record], names) for record, names in one.several.items())
    above.pop("", None)
    several.pop("", None)
    by_component: dict[str, list[_Sources]] = {}
    for place, one in sources.items():
        by_component.setdefault(manifests[place].component.name, []).append(one)
    return {
        name: _biospecimens_above(some, above, several, lineage.biospecimens)
        for name, some in by_component.items()
    }


def _biospecimens_above(
    sources: Sequence[_Sources],
    above: Mapping[str, str],
    several: Mapping[str, tuple[str, ...]],
    biospecimens: frozenset[str],
) -> set[str]:
    """Go up from all records of a component, each file once."""
    waiting = set[str]().union(*(one.texts for one in sources))
    waiting.update(*(names for one in sources for names in one.several.values()))
    seen: set[str] = set()
    found: set[str] = set()
    while waiting:
        found |= waiting & biospecimens
        files = {name for name in waiting if (name in above or name in several) and name not in seen}
        seen |= files
        waiting = set(map(above.get, files, repeat("")))
        for name in several.keys() & files if several else ():
            waiting.update(several[name])
    return found


def _all_sources(lineage: Lineage, manifests: Sequence[Manifest]) -> dict[int, _Sources]:
    """What the records of each manifest of an assay belong to, by the manifest's position."""
    again = _repeated(lineage)
    return {
        place: _sources(lineage, manifest, parents, again.get(place, ()))
        for place, (manifest, parents) in enumerate(zip(manifests, lineage.parents, strict=True))
        if manifest.component.kind == "assay"
    }


def _repeated(lineage: Lineage) -> dict[int, list[int]]:
    """Return, by manifest, the records whose id an earlier record has."""
    again: dict[int, list[int]] = {}
    for duplicate in lineage.duplicates:
        again.setdefault(duplicate.manifest, []).append(duplicate.record)
    return again


def sif(lineage: Lineage, manifests: Sequence[Manifest], hidden: Container[str] = ()) -> bytes:
    """The graph for Cytoscape: a line an edge, `<abbreviation>_<id>` on both ends.

    Edges of the ids that are `hidden` are left out.
    """
    short = [clean(manifest.component.abbreviation) for manifest in manifests]
    again = _repeated(lineage)
    lines: list[str] = []
    may_repeat = bool(again or lineage.malformed)
    for place, (manifest, parents) in enumerate(zip(manifests, lineage.parents, strict=True)):
        may_repeat = may_repeat or len(parents.columns) > 1
        for _, column in parents.columns:
            if manifest.primary.texts and column.texts:
                lines += _lines(lineage, manifest, column, short, short[place], again.get(place, []), hidden)
    unique = dict.fromkeys(lines) if may_repeat else lines
    return "\n".join([*unique, ""]).encode("utf-8", "replace")


def _lines(
    lineage: Lineage,
    manifest: Manifest,
    column: IdColumn,
    short: Sequence[str],
    mine: str,
    again: Sequence[int],
    hidden: Container[str],
) -> Iterator[str]:
    """The lines of a column's edges; `again` are the records whose id an earlier record has."""
    nodes, above, children = lineage.nodes, column.texts, manifest.primary.texts
    heads = {name: f"{short[nodes[name]]}_{name}\tconnect\t{mine}_" for name in set(above) if name in nodes}
    if again:
        children = list(children)
        for record in again:
            children[record] = ""
    if hidden:
        heads = {name: head for name, head in heads.items() if name not in hidden}
        children = ["" if child in hidden else child for child in children]
    rows = zip(above, children, strict=True)
    yield from [heads[parent] + child for parent, child in rows if child and parent in heads]
    odd = column.odd.keys() | manifest.primary.odd.keys() | set(again)
    for parent, child in _odd_edges(manifest, column, lineage, odd):
        if parent in hidden or child in hidden:
            continue
        yield f"{short[nodes[parent]]}_{parent}\tconnect\t{short[nodes[child]]}_{child}"
