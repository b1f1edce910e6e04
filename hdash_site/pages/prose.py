"""The text of an article with its shortcodes filled in, each by a layout of its own.

`layouts/shortcodes/<name>.mako` begins with a `<%doc>` that holds TOML: `meaning`, a sentence; `block = true`
if it makes a table or a chart, and no words in a sentence; and `[arguments]`, each with its `meaning` and,
if it can be left out, its `default`. The layout sees each argument as text under its name, `root`, and what
`ANSWERS` names. All that it asks for is read through the engine here, so that the page is made anew if the
filled text is another, and only then.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import itertools
import json
import keyword
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote

from hdash_site.engine.model import Context, Key
from hdash_site.errors import ContentError, LayoutError
from hdash_site.htan.checks import checks
from hdash_site.pages import charts
from hdash_site.pages.figures import count, percent, size
from hdash_site.pages.layouts import NAMES, render
from hdash_site.pages.page import root_of
from hdash_site.pages.route import Route, manifest_name
from hdash_site.pages.shortcodes import Call, Piece, quoted

ANSWERS = ("figure", "total", "table", "completeness", "timelines", "trend", "findings", "link")
"""The methods of `Answers` that a layout sees."""

Summary: TypeAlias = Mapping[str, Any]


FIELDS = {
    "files": "Data files",
    "bytes": "Size",
    "manifests": "Manifests",
    "records": "Records",
    "participants": "Participants",
    "participants_with_biospecimens": "With biospecimens",
    "biospecimens": "Biospecimens",
    "cells": "Metadata cells",
    "filled": "Filled cells",
    "complete": "Complete",
    "errors": "Errors",
    "warnings": "Warnings",
}
"""The figures of an atlas, each with its name above a column. `complete` is a share, in percent."""

_SUMMED = [name for name in FIELDS if name != "complete"]
_CONDITION = re.compile(r"\s*([a-z_]+)\s*(>=|<=|!=|>|<|=)\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*")
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
}


class Argument(NamedTuple):
    """`default`: what holds if it is left out; None: it must be given."""

    meaning: str
    default: str | None


class Shortcode(NamedTuple):
    """What the layout of a shortcode says of itself. `block`: it cannot stand in a sentence."""

    meaning: str
    block: bool
    arguments: dict[str, Argument]


class Table(NamedTuple):
    """`columns`: a label, and whether it is of figures; a row: atlas, address, text and sorting value."""

    columns: list[tuple[str, bool]]
    rows: list[tuple[str, str, list[tuple[str, Any]]]]


class Link(NamedTuple):
    url: str
    title: str


def filled(name: str, context: Context) -> dict[str, bytes]:
    """Give the body of the article that the page `name` shows. Raises `ContentError` with its line."""
    fields, _ = json.loads(context.read(Key("routes", "", name)))
    route = Route(*fields)
    found: dict[str, Any] = json.loads(context.read(Key("article", route.argument, "calls")))
    made: dict[int, tuple[str, bool]] = {}
    for number, fields in enumerate(found["calls"]):
        if fields:
            made[number] = _run(context, route, number, Call(*fields))
    return {"": "".join(_placed(piece, made) for piece in found["pieces"]).encode()}


def _placed(piece: Piece, made: Mapping[int, tuple[str, bool]]) -> str:
    """Write a piece: words that have a paragraph to themselves are one, a block is none."""
    if isinstance(piece, str):
        return piece
    if isinstance(piece, int):
        return made[piece][0]
    runs = itertools.groupby((made[number] for number in piece), key=lambda one: one[1])
    texts = [(block, " ".join(text for text, _ in run)) for block, run in runs]
    return "\n".join(text if block else f"<p>{text}</p>" for block, text in texts)


def _run(context: Context, route: Route, number: int, call: Call) -> tuple[str, bool]:
    """Give the HTML of a call, and whether it is a block."""
    place = f"content/{route.argument}, line {call.line}"
    layout = f"shortcodes/{call.name}.mako"
    source = context.find(Key("layout", layout))
    if source is None:
        known = [
            path.removesuffix(".mako")
            for path in json.loads(context.read(Key("folder", "layouts/shortcodes")))
        ]
        raise _unknown(call.name, "shortcode", known, place)
    code = declared(layout, source)
    arguments = _checked(call, code, place)
    if code.block and call.where != "block":
        way_out = "give it a line of its own, with empty lines around it"
        raise ContentError(f"{call.name} is no part of a sentence", place, way_out)
    root = root_of(route.url)
    answers = Answers(context, root, number, place)
    offered = {name: getattr(answers, name) for name in ANSWERS}
    html = render(context, layout, root=root, **offered, **arguments).decode().strip()
    if call.where == "link" and re.search(r"<a\b", html):
        raise ContentError(f"{call.name} makes a link, and stands in one", place, "take one of them away")
    return html, code.block


def _checked(call: Call, code: Shortcode, place: str) -> dict[str, str]:
    for key in call.arguments:
        if key not in code.arguments:
            raise _unknown(key, f"argument of {call.name}", code.arguments, place)
    for key, argument in code.arguments.items():
        if argument.default is None and key not in call.arguments:
            raise ContentError(f"{call.name} needs {key}, {argument.meaning}", place, f'add {key}="…"')
    return {key: call.arguments.get(key, argument.default or "") for key, argument in code.arguments.items()}


@functools.lru_cache(256)
def declared(layout: str, source: bytes) -> Shortcode:
    """Read what the layout of a shortcode says of itself. Raises `LayoutError`."""
    place = f"layouts/{layout}"
    found = re.match(r"\s*<%doc>(.*?)</%doc>", source.decode("utf-8", "replace"), re.DOTALL)
    if found is None:
        raise LayoutError("it does not say what it takes", place, "begin with <%doc> that holds TOML")
    try:
        given = tomllib.loads(found[1])
    except tomllib.TOMLDecodeError as error:
        raise LayoutError(f"the <%doc> is not TOML: {error}", place, "correct that line") from None
    meaning, block, arguments = (
        given.pop("meaning", None),
        given.pop("block", False),
        given.pop("arguments", {}),
    )
    sound = (isinstance(meaning, str), isinstance(block, bool), isinstance(arguments, dict))
    if given or not all(sound):
        way_out = "write meaning, block = true or false, and [arguments]"
        raise LayoutError("the <%doc> is no description of a shortcode", place, way_out)
    return Shortcode(meaning, block, {key: _argument(key, one, place) for key, one in arguments.items()})


def _argument(key: str, given: Any, place: str) -> Argument:
    taken = {*NAMES, *ANSWERS, "root"}
    if not re.fullmatch("[a-z][a-z0-9_]*", key) or keyword.iskeyword(key) or key in taken:
        raise LayoutError(f"an argument cannot be called {quoted(key)}", place, "give it another name")
    match given:
        case {"meaning": str(meaning), **more} if not more:
            return Argument(meaning, None)
        case {"meaning": str(meaning), "default": str(default), **more} if not more:
            return Argument(meaning, default)
        case _:
            way_out = f'write {key} = {{ meaning = "…", default = "…" }}'
            raise LayoutError(f"the argument {key} is not described", place, way_out)


class Answers:
    """What a layout may ask, for one call; a question that makes no sense is an error of the article."""

    def __init__(self, context: Context, root: str, number: int, place: str) -> None:
        self._context, self._root, self._number, self._place = context, root, number, place

    def figure(self, atlas: str, field: str) -> str:
        """Write a figure of an atlas as its page does."""
        return _written(self._summary(atlas), self._field(field))

    def total(self, field: str) -> str:
        """Write a figure of all atlases together."""
        total: Counter[str] = Counter()
        wanted = self._field(field)
        for summary in self._summaries(self._atlases()):
            total.update({name: summary[name] for name in _SUMMED})
        return _written(total, wanted)

    def table(self, fields: str, where: str, sort: str, limit: str) -> Table:
        """Give the atlases for which all of `where` holds, in the order of `sort`, at most `limit`."""
        columns = [name.strip() for name in fields.split(",")]
        known = ["name", *FIELDS]
        for name in columns:
            if name not in known:
                raise _unknown(name, "field", known, self._place)
        conditions = [self._condition(text) for text in where.split(",") if where.strip()]
        rows = [
            summary
            for summary in self._summaries(self._atlases())
            if all(holds(_number(summary, field), value) for field, holds, value in conditions)
        ]
        if sort.strip():
            by = self._field(sort.strip().removeprefix("-"))
            rows.sort(key=lambda row: _number(row, by), reverse=sort.strip().startswith("-"))
        most = self._whole(limit, "limit") if limit.strip() else len(rows)
        return Table(
            [(FIELDS[name], True) if name in FIELDS else ("Name", False) for name in columns],
            [(row["id"], self._url("atlas", row["id"]), _cells(row, columns)) for row in rows[:most]],
        )

    def completeness(self, atlas: str, matrix: str) -> list[tuple[charts.Matrix, str]]:
        """Give the charts of an atlas, or the one called `matrix`, each with the address of its table."""
        self._known(atlas)
        facets = json.loads(self._context.read(Key("report", atlas, "completeness")))
        if matrix:
            known = [facet["key"] for facet in facets]
            if matrix not in known:
                raise _unknown(matrix, f"completeness chart of {atlas}", known, self._place)
            facets = [facet for facet in facets if facet["key"] == matrix]
        url = self._url("atlas", atlas)
        # Two charts on one page must not have one id, nor one name.
        return [
            (
                dataclasses.replace(
                    charts.matrix(facet),
                    key=f"{self._number + 1}-{facet['key']}",
                    title=f"{atlas}: {facet['title']}",
                ),
                f"{url}completeness-{facet['key']}.csv",
            )
            for facet in facets
        ]

    def timelines(self, atlas: str, limit: str) -> tuple[list[charts.Timeline], int, str]:
        """Give the first timelines of an atlas, the number of all, and the address of all."""
        self._known(atlas)
        participants = json.loads(self._context.read(Key("report", atlas, "timeline")))
        some = participants[: self._whole(limit, "limit")]
        return charts.timelines(some), len(participants), self._url("timeline", atlas)

    def trend(self, atlas: str, field: str) -> tuple[str, charts.Trend | None, str]:
        """Give the name of a figure, its line over time, and the day of the first edition that has it.

        It is of one atlas, or of all together if `atlas` is empty; there is no line of one edition.
        """
        wanted = self._field(field)
        if atlas:
            self._known(atlas)
        part = f"recent/{atlas}" if atlas else "recent"
        points = json.loads(self._context.read(Key("history", "", part)))
        return FIELDS[wanted], trend(wanted, points), points[0][0][:10] if points else ""

    def findings(self, check: str, atlas: str) -> tuple[int, int]:
        """Count errors and warnings: of one check or, if `check` is empty, all; of one atlas or of all."""
        codes = [one.CODE for one in checks()]
        if check and check not in codes:
            raise _unknown(check, "check", codes, self._place)
        if atlas:
            self._known(atlas)
        atlases = [atlas] if atlas else self._atlases()
        errors = warnings = 0
        for data in self._context.need(Key("report", one, "codes") for one in atlases):
            for code, counts in json.loads(data).items():
                if check in ("", code):
                    errors, warnings = errors + counts[0], warnings + counts[1]
        return errors, warnings

    def link(self, to: str) -> Link:
        """Find a page: an article or a section by its path, an atlas, a manifest or a check by its id.

        What follows a # is a heading on it.
        """
        page, has_anchor, anchor = to.partition("#")
        path = page.strip("/")
        names = [f"article/{path}", f"section/{path}", f"section/{path}/_index.md"]
        names += [f"atlas/{path}", f"check/{path}"]
        for name in names if path else ():
            route = self._route(name)
            if route and has_anchor:
                title = self._heading(route, anchor)
                return Link(f"{self._root}{route.url}#{quote(anchor)}", title)
            if route:
                return Link(self._root + route.url, route.title)
        for atlas in self._atlases():
            route = self._route(f"manifest/{manifest_name(atlas, path)}")
            about = self._context.find(Key("report", atlas, f"manifest/{path}")) if route else None
            if route and about:
                manifest = json.loads(about)
                title = f"{manifest['label'] or manifest['component']} of {atlas}"
                return Link(self._root + route.url, title)
        raise _unknown(page, "page", self._pages(), self._place)

    def _heading(self, route: Route, anchor: str) -> str:
        """Give the words of a heading of an article by its id; of a page that is none, its title."""
        is_article = route.kind in ("article", "section")
        contents = self._context.find(Key("article", route.argument, "contents")) if is_article else None
        if contents is None:
            return route.title
        headings = dict(_headings(json.loads(contents)))
        if anchor not in headings:
            raise _unknown(anchor, f"heading on {route.argument}", headings, self._place)
        return headings[anchor]

    def _pages(self) -> list[str]:
        routes = [Route(*fields) for fields in json.loads(self._context.read(Key("routes")))]
        return [route.argument for route in routes if route.kind in ("article", "section", "atlas", "check")]

    def _atlases(self) -> list[str]:
        return json.loads(self._context.read(Key("atlases")))

    def _known(self, atlas: str) -> None:
        atlases = self._atlases()
        if atlas not in atlases:
            raise _unknown(atlas, "atlas", atlases, self._place)

    def _summary(self, atlas: str) -> Summary:
        self._known(atlas)
        return json.loads(self._context.read(Key("report", atlas, "summary")))

    def _summaries(self, atlases: Iterable[str]) -> list[Summary]:
        return list(map(json.loads, self._context.need(Key("report", atlas, "summary") for atlas in atlases)))

    def _route(self, name: str) -> Route | None:
        data = self._context.find(Key("routes", "", name))
        return Route(*json.loads(data)[0]) if data else None

    def _url(self, kind: str, argument: str) -> str:
        route = self._route(f"{kind}/{argument}")
        return self._root + route.url if route else self._root

    def _field(self, name: str) -> str:
        if name not in FIELDS:
            raise _unknown(name, "field", FIELDS, self._place)
        return name

    def _condition(self, text: str) -> tuple[str, Callable[[float, float], bool], float]:
        found = _CONDITION.fullmatch(text)
        if found is None:
            way_out = 'write where="errors>0, complete<50": fields, one of > < >= <= = !=, and a number'
            raise ContentError(f"{quoted(text)} is no condition", self._place, way_out)
        return self._field(found[1]), _HOLDS[found[2]], float(found[3])

    def _whole(self, text: str, name: str) -> int:
        if not re.fullmatch(r"\s*0*[1-9][0-9]{0,8}\s*", text, re.ASCII):
            raise ContentError(f"{name} is {quoted(text)}", self._place, "write a whole number above 0")
        return int(text)


def _headings(contents: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Give id and words of each heading of a tree."""
    for heading in contents:
        yield heading["id"], heading["text"]
        yield from _headings(heading["children"])


def trend(field: str, points: Iterable[tuple[str, Summary]]) -> charts.Trend | None:
    """Lay out the line of a field; points are moments and figures (`pages.history`)."""
    return charts.trend(
        FIELDS[field],
        [(when, _number(figures, field), _written(figures, field)) for when, figures in points],
    )


def _written(summary: Summary, name: str) -> str:
    match name:
        case "complete":
            return percent(summary["filled"], summary["cells"])
        case "bytes":
            return size(summary["bytes"])
        case _:
            return count(summary[name])


def _number(summary: Summary, name: str) -> float:
    """Give what a field is sorted by and compared with."""
    return 100 * summary["filled"] / (summary["cells"] or 1) if name == "complete" else summary[name]


def _cells(summary: Summary, columns: Iterable[str]) -> list[tuple[str, Any]]:
    """Write the cells of a row; what they are sorted by is no finer than what is seen of a share."""
    return [
        (_written(summary, name), round(_number(summary, name), 1)) if name in FIELDS else (summary[name], "")
        for name in columns
    ]


def _unknown(given: str, what: str, known: Iterable[str], place: str) -> ContentError:
    """Say that there is no such thing, and name the nearest one, or those there are."""
    names = list(known)
    near = difflib.get_close_matches(given[:80], names, 1)
    few = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    way_out = f"do you mean {near[0]}?" if near else f"there is: {few}" if names else "there is none at all"
    return ContentError(f"there is no {what} {quoted(given)}", place, way_out)
