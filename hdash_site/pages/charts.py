"""The geometry of the charts: plain numbers and SVG path data, which layouts draw.

A matrix is a path a column: vertical strokes, one for each run of rows that have a value, so that 5,000
rows weigh what their runs weigh. Lengths are in pixels of the drawing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

CELL = 24
ROW = 14
LABELS = 150
NAMED_ROWS = 60
"""Up to so many rows each has its name beside it."""

TALLEST = 420
LONGEST_LABEL = 30
"""Characters of a label at the top of a column."""

DAYS_WIDE = 600
LANE = 16


@dataclass(frozen=True, slots=True)
class Column:
    """`x`: middle; `short`: label as drawn; `path`: the runs, in rows; `count`: rows that have a value."""

    x: float
    label: str
    short: str
    name: str
    count: int
    path: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """`row_height`: pixels a row; `names`: the names of the rows drawn, none if there are too many.

    `count`: all rows, of which `empty` are not drawn because they have no value. `left_out`: components
    that the catalogue does not know, and that have no column.
    """

    key: str
    title: str
    rows: str
    count: int
    empty: int
    left_out: int
    width: int
    height: float
    left: int
    row_height: float
    names: list[str]
    columns: list[Column]


def matrix(facet: Mapping[str, Any]) -> Matrix:
    """Lay a completeness matrix out."""
    drawn = facet["count"] - facet["empty"]
    names: list[str] = facet.get("names", []) if drawn <= NAMED_ROWS else []
    left = 130 if names else 10
    row_height = ROW if names else min(ROW, TALLEST / max(drawn, 1))
    columns = [
        Column(
            left + CELL * number + CELL / 2,
            column["label"],
            short(column["label"]),
            column["name"],
            column["count"],
            strokes(column["runs"]),
        )
        for number, column in enumerate(facet["columns"])
    ]
    return Matrix(
        key=facet["key"],
        title=facet["title"],
        rows=facet["rows"],
        count=facet["count"],
        empty=facet["empty"],
        left_out=facet["left_out"],
        width=left + CELL * len(columns) + 120,
        height=round(row_height * drawn, 2),
        left=left,
        row_height=round(row_height, 4),
        names=names,
        columns=columns,
    )


def short(label: str) -> str:
    """Shorten a label in its middle: components differ at the end, by their level."""
    if len(label) <= LONGEST_LABEL:
        return label
    end = label[-16:]
    begin = label[: LONGEST_LABEL - len(end) - 1]
    return begin.rstrip() + "…" + end.lstrip()


def strokes(runs: Sequence[Sequence[int]]) -> str:
    """Write runs (first row, number of rows) as relative strokes downwards."""
    drawn: list[str] = []
    end = 0
    for start, length in runs:
        drawn.append(f"m0 {start - end}v{length}")
        end = start + length
    return "".join(drawn)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a participant, on days `start` to `end`, drawn in a lane."""

    kind: str
    label: str
    start: int
    end: int
    detail: str
    count: int
    ids: list[str]
    x: float
    width: float
    y: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """The events of one participant. `scale` is the last day of the drawing."""

    participant: str
    events: list[Event]
    width: int
    height: int
    scale: int
    more: int
    """Events that are not drawn."""


MOST_EVENTS = 200
"""Events of a participant that are drawn; `atlas.json` has all."""


def timelines(participants: Iterable[Mapping[str, Any]]) -> list[Timeline]:
    """Lay the timelines of some participants out, all to one scale."""
    some = list(participants)
    last = max((event["end"] for one in some for event in one["events"][:MOST_EVENTS]), default=0)
    return [_timeline(one, max(last, 1)) for one in some]


def _timeline(one: Mapping[str, Any], last: int) -> Timeline:
    # Events come in the order of their start, so that a lane that is free stays so until it is taken.
    taken: list[tuple[float, int]] = []
    free: list[int] = []
    lanes = 0
    events: list[Event] = []
    for event in one["events"][:MOST_EVENTS]:
        x = round(event["start"] * DAYS_WIDE / last, 1)
        width = round(max((event["end"] - event["start"]) * DAYS_WIDE / last, 3), 1)
        while taken and taken[0][0] <= x:
            heapq.heappush(free, heapq.heappop(taken)[1])
        lane = heapq.heappop(free) if free else lanes
        lanes = max(lanes, lane + 1)
        heapq.heappush(taken, (x + max(width, LANE) + 2, lane))
        events.append(Event(**event, x=x, width=width, y=LANE * lane))
    more = len(one["events"][MOST_EVENTS:])
    return Timeline(one["participant"], events, DAYS_WIDE, LANE * max(lanes, 1), last, more)


LINE_WIDE, LINE_HIGH = 220, 44


@dataclass(frozen=True, slots=True)
class Trend:
    """A line of a figure over time. The first and the last value, each with its day; `path` is in steps."""

    label: str
    values: list[tuple[str, str]]
    lowest: str
    highest: str
    path: str
    x: float
    y: float
    width: int = LINE_WIDE
    height: int = LINE_HIGH


def trend(label: str, points: Sequence[tuple[str, float, str]]) -> Trend | None:
    """Lay a line out from moments, values and how these are written; none if there is one point or less.

    A value holds until the next one: the line is level, and then it steps.
    """
    if len(points) < 2:
        return None
    times = [datetime.fromisoformat(moment).timestamp() for moment, _, _ in points]
    low, high = (one(points, key=lambda point: point[1]) for one in (min, max))
    wide = LINE_WIDE / (times[-1] - times[0])
    tall = LINE_HIGH / (high[1] - low[1]) if high[1] > low[1] else 0.0
    base = LINE_HIGH if tall else LINE_HIGH / 2
    at = [
        (_short((time - times[0]) * wide), _short(base - (value - low[1]) * tall))
        for time, (_, value, _) in zip(times, points, strict=True)
    ]
    steps = [f"M{at[0][0]} {at[0][1]}"]
    for (_, before), (x, y) in pairwise(at):
        steps.append(f"H{x}" if y == before else f"H{x}V{y}")
    ends = [(points[end][0][:10], points[end][2]) for end in (0, -1)]
    return Trend(label, ends, low[2], high[2], "".join(steps), float(at[-1][0]), float(at[-1][1]))


def _short(length: float) -> str:
    return f"{length:.1f}".removesuffix(".0")
