"""The index of all ids: a directory of an atlas, and shards that each hold the ids with one beginning.

Shards are cut by the bits of the ids: as long as what begins alike weighs more than `SHARD_BYTES`, it is cut
in two by one bit more. So which ids go together follows from themselves alone: an edit makes anew the shards
of the ids that it touches, and one that outgrows its size is cut in two without the others.

A key is an id with a line break behind it, so that one that others begin with has a place of its own. A
directory is JSON of the first key that each shard can hold and of the number of its ids: how many characters
that key shares with the one before, the rest of it, the number, and so on. A shard is JSON of

    components   by code: [label, kind, family, level, the levels of that family, those below that its files
                 come from]
    manifests    [atlas, entity]
    ids          [id, manifest, component, above, below, more, address]

`above` lists what the id comes from as code and id in turn, nearest first; `below` what is derived from it,
as [code, number, some ids]. Ids are written as `=` and the id, or as `~` and what follows the last `_` of the
record's own, or as nothing if they are what stands before that `_`. `more`: 1 if `above` is not all, 2 if
`below` is not, 3 if neither is. `address` is that of a participant's page. Of keys, and of the atlas' own ids
before `manifest`, `HTA3_` is left out.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hdash_site.htan.people import addresses
from hdash_site.htan.text import dumps, shown

if TYPE_CHECKING:
    from hdash_site.htan.components import Catalogue, Component
    from hdash_site.htan.descent import Derived, Descent
    from hdash_site.htan.lineage import Lineage
    from hdash_site.htan.manifests import Manifest

SHARD_BYTES: Final = 31_000
"""Of the records in a shard, about; its tables come to it."""
MOST_BELOW: Final = 500
"""Ids derived from a biospecimen or a file that are counted; those of a participant are more."""
MOST_NAMED: Final = 5
"""Of those of one component, how many are named."""
LONGEST_NAME: Final = 100
"""Characters of the name of a shard's file; ids that begin alike for longer stay together."""

END: Final = "\n"

_CODES: Final = 1 << 20

_LEVEL: Final = re.compile(r"\s*Level\s*[0-9].*$")


class Record(NamedTuple):
    """An id as its shard tells it: `codes` are the components that `text`, JSON without brackets, names."""

    id: str
    manifest: tuple[str, str]
    codes: tuple[int, ...]
    text: str


def family(label: str) -> str:
    """What the levels of an assay have in common: `scRNA-seq` of `scRNA-seq Level 1`."""
    return _LEVEL.sub("", label)


def table(components: Iterable[Component], catalogue: Catalogue) -> list[list[Any]]:
    """What a shard tells of each of these components."""
    levels: dict[str, dict[int, bool]] = {}
    for one in catalogue:
        if one.kind == "assay" and one.level:
            known = levels.setdefault(family(one.label), {})
            known[one.level] = known.get(one.level, False) or one.is_root
    return [
        [
            shown(one.label),
            one.kind,
            shown(family(one.label)),
            one.level,
            sorted(levels.get(family(one.label), ())),
            _levels_below(one, levels.get(family(one.label), {})),
        ]
        for one in components
    ]


def _levels_below(component: Component, levels: Mapping[int, bool]) -> list[int]:
    """Return the levels that files of a component come from, down to the first that is a root of the chain.

    `levels` are those of its family, with whether each is a root: imaging begins at level 2.
    """
    below: list[int] = []
    for level in sorted((level for level in levels if level < component.level), reverse=True):
        if levels.get(below[-1] if below else component.level, component.is_root):
            break
        below.append(level)
    return sorted(below)


def records(
    atlas: str,
    manifests: Sequence[Manifest],
    lineage: Lineage,
    descent: Descent,
    derived: Mapping[str, Derived],
    codes: Sequence[int],
) -> list[Record]:
    """Every well-formed id of an atlas, in no order; `codes` are the codes of the manifests' components.

    `derived` is what is derived from each participant.
    """
    entities = [(atlas, manifest.id) for manifest in manifests]
    pages = addresses(derived)
    names = _Names(lineage.nodes, codes)
    found: list[Record] = []
    for name, place in lineage.nodes.items():
        if name in lineage.malformed:
            continue
        stem = names.stems[name]
        above, more = descent.ancestors(name)
        used = {codes[place], *map(names.codes.__getitem__, above)}
        up = ",".join([f"{names.codes[one]},{names.beside(one, stem)}" for one in above])
        down = ""
        if name in descent.below:
            walk = derived[name] if name in derived else descent.descendants(name, MOST_BELOW)
            down = _below(walk.ids, stem, names, used)
            more += 2 * walk.more
        text = f"{codes[place]},[{up}],[{down}]"
        if name in pages:
            text += f',{more:d},"{pages[name]}"'
        elif more:
            text += f",{more:d}"
        found.append(Record(name, entities[place], tuple(used), text))
    return found


class _Names:
    """How ids are written: the part of each up to its last `_`, and what comes behind it, as JSON."""

    def __init__(self, nodes: Mapping[str, int], codes: Sequence[int]) -> None:
        self.codes = {name: codes[place] for name, place in nodes.items()}
        self.stems = {name: name[: name.rfind("_") + 1] for name in nodes}

    def beside(self, name: str, stem: str) -> str:
        """Write an id beside one of this stem."""
        if stem and name == stem[:-1]:
            return '""'
        mine = self.stems[name]
        short = f"~{name[len(stem) :]}" if mine == stem and mine else f"={name}"
        return f'"{short}"' if name.isidentifier() else _text(shown(short))


def _text(text: str) -> str:
    """Write a text as JSON; mostly it is a piece of an id, with nothing to escape."""
    return f'"{text}"' if f"_{text}".isidentifier() else json.dumps(text, ensure_ascii=False)


def _below(derived: Sequence[str], stem: str, names: _Names, used: set[int]) -> str:
    """Write what is derived from an id, by component; adds their codes to `used`."""
    groups: dict[int, list[str]] = {}
    for one in derived:
        groups.setdefault(names.codes[one], []).append(one)
    used.update(groups)
    return ",".join(
        f"[{code},{len(some)},{','.join([names.beside(one, stem) for one in some[:MOST_NAMED]])}]"
        for code, some in sorted(groups.items())
    )


def shards(
    found: Iterable[Record], prefix: str, components: Mapping[int, Sequence[Any]]
) -> tuple[bytes, dict[str, str]]:
    """Cut records into shards: the directory, and the shards by the name of their file.

    `prefix` is what all ids begin with, and is left out; `components` has a row of `table` by code.
    """
    cut = len(prefix)
    ordered = sorted((shown(record.id)[cut:] + END, record) for record in found)
    keys = [key for key, _ in ordered]
    weights = list(accumulate((len(key) + len(record.text) + 12 for key, record in ordered), initial=0))
    counts: dict[str, int] = {}
    files: dict[str, str] = {}
    waiting = [_Range("", 0, _CODES, 0, len(keys))]
    while waiting:
        one = waiting.pop()
        if one.low == one.high:
            continue
        if weights[one.high] - weights[one.low] <= SHARD_BYTES or not _can_be_cut(one, keys):
            counts[one.first] = one.high - one.low
            files[file_name(one.first)] = _shard(ordered[one.low : one.high], components)
        else:
            waiting += _cut(one, keys)
    return _directory(counts), files


def _directory(counts: Mapping[str, int]) -> bytes:
    """Write first keys, each as how many characters it shares with the one before, and the rest of it."""
    written: list[str | int] = []
    before = ""
    for first, count in sorted(counts.items()):
        same = next((at for at, (a, b) in enumerate(zip(before, first, strict=False)) if a != b), len(before))
        written += [same, first[same:], count]
        before = first
    return dumps(written)


class _Range(NamedTuple):
    """Keys `low` to `high`: those that begin with `beginning`, and go on with one of `width` characters,
    from the code `base` on.
    """

    beginning: str
    base: int
    width: int
    low: int
    high: int

    @property
    def first(self) -> str:
        """The first key that there can be."""
        return self.beginning + chr(self.base) if self.base else self.beginning


def _cut(one: _Range, keys: Sequence[str]) -> Iterable[_Range]:
    """Cut a range into halves by the next bit of its keys."""
    if one.width == 1:
        return [one._replace(beginning=one.first, base=0, width=_CODES)]
    # Digits are cut in the middle of the ten, not of the sixteen characters that begin with them.
    half = 5 if (one.base, one.width) == (ord("0"), 16) else one.width // 2
    middle = bisect_left(keys, one.beginning + chr(one.base + half), one.low, one.high)
    return [
        one._replace(width=half, high=middle),
        one._replace(base=one.base + half, width=one.width - half, low=middle),
    ]


def _can_be_cut(one: _Range, keys: Sequence[str]) -> bool:
    return keys[one.low] != keys[one.high - 1] and len(file_name(one.first)) < LONGEST_NAME


def file_name(beginning: str) -> str:
    """The name of the file of a shard: small letters, digits and `_` as they are, all else by its number."""
    return (
        "".join(
            one if one in "abcdefghijklmnopqrstuvwxyz0123456789_" else f"-{ord(one):x}-" for one in beginning
        )
        or "-"
    )


def _shard(some: Sequence[tuple[str, Record]], components: Mapping[int, Sequence[Any]]) -> str:
    codes = sorted({code for _, record in some for code in record.codes})
    manifests = {one: place for place, one in enumerate(sorted({record.manifest for _, record in some}))}
    head = json.dumps(
        {str(code): components[code] for code in codes}, ensure_ascii=False, separators=(",", ":")
    )
    named = json.dumps(list(manifests), ensure_ascii=False, separators=(",", ":"))
    rows = [f"[{_text(key[:-1])},{manifests[record.manifest]},{record.text}]" for key, record in some]
    return f'{{"components":{head},"manifests":{named},"ids":[\n' + ",\n".join(rows) + "\n]}\n"
