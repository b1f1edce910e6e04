"""The geometry of the diagrams of lineage, which layouts draw. Lengths are in pixels of the drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hdash_site.pages.charts import short

WIDTH, HEIGHT, GAP = 190, 30, 60
ROW = 40
MOST_SAMPLES = 12
"""Biospecimens that are drawn each by itself."""

BAR = 400
THINNEST = 2.0
"""A share that is not nothing is never narrower than that."""


@dataclass(frozen=True, slots=True)
class Node:
    """A box; `title` is its whole text, `kind` its class."""

    kind: str
    text: str
    title: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Diagram:
    """`links` are paths with what they say; `left_out`: biospecimens that have no box."""

    nodes: list[Node]
    links: list[tuple[str, str]]
    width: int
    height: int
    left_out: int


def person(one: Mapping[str, Any], tables: Mapping[int, Sequence[Any]]) -> Diagram:
    """Lay out what comes from a participant: biospecimens one by one, files by component."""
    samples = one["samples"][:MOST_SAMPLES]
    left_out = one["biospecimens"] - len(samples)
    columns: dict[str, tuple[int, str, str, str]] = {"": (0, "clinical", one["id"], one["id"])}
    drawn = {name: f"s{name}" for name, _, _, _ in samples}
    depth: dict[str, int] = {}
    for name, code, _, _ in samples:
        depth[name] = 1 + _depth(name, {own: above for own, _, above, _ in samples})
        columns[drawn[name]] = (depth[name], "biospecimen", name, f"{name}, {tables[code][0]}")
    deepest = max(depth.values(), default=1)
    if left_out:
        columns["more"] = (1, "biospecimen", f"{left_out:,} more", f"{left_out:,} more biospecimens")
    for code, count in one["components"]:
        label, kind, _, level = tables[code][:4]
        if kind == "assay":
            text = f"{label}: {count:,}"
            columns[f"c{code}"] = (deepest + max(level, 1), "assay", text, text)
    return _laid_out(columns, _links(one, samples, drawn, tables), left_out)


def _depth(name: str, above: Mapping[str, str]) -> int:
    """How many biospecimens that are drawn a biospecimen comes from; circles end."""
    seen = {name}
    while (name := above[name]) in above and name not in seen:
        seen.add(name)
    return len(seen) - 1


def _links(
    one: Mapping[str, Any],
    samples: Sequence[Sequence[Any]],
    drawn: Mapping[str, str],
    tables: Mapping[int, Sequence[Any]],
) -> Counter[tuple[str, str]]:
    """Count what leads from box to box."""
    links: Counter[tuple[str, str]] = Counter()
    made: Counter[int] = Counter()
    for name, _, above, files in samples:
        links[drawn.get(above, "more" if above != one["id"] else ""), drawn[name]] += 1
        for code, count in files:
            links[drawn[name], f"c{code}"] += count
            made[code] += count
    for above, below, count in one["links"]:
        if above == -1 or tables[below][1] != "assay":
            continue
        if tables[above][1] == "assay":
            links[f"c{above}", f"c{below}"] += count
        elif tables[above][1] == "biospecimen":
            rest = min(count, max(count - made[below], 0))
            made[below] -= count - rest
            links["more", f"c{below}"] += rest
    if one["biospecimens"] > len(samples):
        links["", "more"] += one["biospecimens"] - len(samples)
    return links


def _laid_out(
    columns: Mapping[str, tuple[int, str, str, str]], links: Mapping[tuple[str, str], int], left_out: int
) -> Diagram:
    used = sorted({column for column, *_ in columns.values()})
    below: Counter[int] = Counter()
    nodes: dict[str, Node] = {}
    rows = Counter(column for column, *_ in columns.values())
    tallest = max(rows.values())
    for name, (column, kind, text, title) in columns.items():
        top = (tallest - rows[column]) * ROW // 2
        x = used.index(column) * (WIDTH + GAP)
        nodes[name] = Node(kind, short(text), title, x, top + ROW * below[column])
        below[column] += 1
    paths = [
        (_curve(nodes[above], nodes[to]), f"{nodes[above].text} → {nodes[to].text}: {count:,}")
        for (above, to), count in links.items()
        if count and above in nodes and to in nodes and above != to
    ]
    width = len(used) * (WIDTH + GAP) - GAP
    return Diagram(list(nodes.values()), paths, width, tallest * ROW - ROW + HEIGHT, left_out)


def _curve(above: Node, below: Node) -> str:
    """Draw from the right side of a box to the left side of the other."""
    x, y = above.x + WIDTH, above.y + HEIGHT // 2
    to_x, to_y = below.x, below.y + HEIGHT // 2
    bend = max(GAP // 2, abs(to_x - x) // 2)
    return f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"


@dataclass(frozen=True, slots=True)
class Step:
    """Ids of one component; `bars` are kind, x and width of the shares; see `htan.steps.Step`."""

    label: str
    kind: str
    count: int
    linked: int
    outside: int
    broken: int
    unnamed: int
    derived: int
    bars: list[tuple[str, float, float]]


def steps(rows: Sequence[Sequence[Any]]) -> list[Step]:
    """Lay out the steps of an atlas: a bar each, as long as all its ids together."""
    return [_step(*row) for row in rows]


def _step(table: Sequence[Any] | None, count: int, *counts: int) -> Step:
    linked, outside, broken, unnamed, derived = counts
    label, kind = (table[0], table[1]) if table else ("Participants", "clinical")
    shares = [("linked", linked if table else count), ("outside", outside), ("broken", broken + unnamed)]
    bars: list[tuple[str, float, float]] = []
    x = 0.0
    for name, share in shares:
        width = max(round(share * BAR / count, 1), THINNEST) if share else 0.0
        if width:
            bars.append((name, round(min(x, BAR - width), 1), width))
        x += width
    return Step(label, kind, count, linked, outside, broken, unnamed, derived, bars)
