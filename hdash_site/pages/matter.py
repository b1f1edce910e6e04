"""Front matter: what an article says about itself, in TOML between `+++` lines or YAML between `---` lines.

`FRONT_MATTER` says what it may hold. Whatever is wrong with it is one `ContentError` with file and line.
"""

from __future__ import annotations

import bisect
import datetime
import difflib
import importlib
import re
import tomllib
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, NamedTuple, NoReturn, cast

from hdash_site.artifact import is_address
from hdash_site.errors import ContentError
from hdash_site.pages import values


class Field(NamedTuple):
    """A key of the front matter: its type, the words for it, what holds without it, what it is for."""

    kind: type | UnionType
    words: str
    default: Any
    meaning: str


FRONT_MATTER = {
    "title": Field(str, "text", None, "The title; every article needs one."),
    "description": Field(str, "text", "", "A sentence for lists, feeds and search engines."),
    "summary": Field(str, "text", "", "An older name of `description`."),
    "date": Field(datetime.date, "date", "", "When it was written; lists are sorted by it, newest first."),
    "publish_date": Field(datetime.date, "date", "", "The first day, in UTC, on which it is on the site."),
    "expiry_date": Field(datetime.date, "date", "", "The last day, in UTC, on which it is on the site."),
    "draft": Field(bool, "true or false", False, "A draft is in the preview, and not on the site."),
    "weight": Field(int, "whole number", 0, "Order in lists and menus; smaller comes first."),
    "menu": Field(
        bool | str,
        "text, or true or false",
        False,
        "Whether the menu of the site names it; a text: by that name.",
    ),
    "tags": Field(list, "list of texts", [], "What it is about; each tag has a page with its articles."),
    "slug": Field(str, "text", "", "The last part of its address, instead of the name of the file."),
    "aliases": Field(list, "list of texts", [], "Old addresses of the article, which lead to it."),
    "layout": Field(
        str, "text", "", "A layout of its own: `wide` is `wide.mako`; others have `article.mako`."
    ),
    "params": Field(dict, "table", {}, "Values of your own, for the layout: `matter['params']`."),
}

_FENCES = {
    fence: re.compile(rf"{mark}[ \t]*\r?\n(.*?)^{mark}[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
    for fence, mark in (("+++", r"\+\+\+"), ("---", "---"))
}
_LARGEST = 100_000
"""Characters of front matter; reading YAML takes about 10 microseconds for each."""

_LAYOUT = re.compile(r"[A-Za-z0-9_-]+")


class _Wrong(Exception):
    """What is wrong, and what to do; `line` counts from the fence, which has number 0."""

    def __init__(self, problem: str, way_out: str, line: int) -> None:
        super().__init__(problem)
        self.problem, self.way_out, self.line = problem, way_out, line


def split(path: str, data: bytes) -> tuple[dict[str, Any], str, int]:
    """Give the checked front matter, the body, and the line on which that begins. Raises `ContentError`."""
    place = f"content/{path}"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ContentError("this is not UTF-8", f"{place}, line {line}", "save the file as UTF-8") from None
    fence = text[:3]
    if fence not in _FENCES:
        way_out = 'begin with a line +++, then title = "…", then a line +++'
        raise ContentError("there is no front matter", f"{place}, line 1", way_out)
    found = _FENCES[fence].match(text)
    if found is None:
        way_out = f"close it with a line {fence}"
        raise ContentError("the front matter has no end", f"{place}, line 1", way_out)
    if len(found[1]) > _LARGEST:
        problem = f"the front matter has more than {_LARGEST:,} characters"
        raise ContentError(problem, f"{place}, line 1", "shorten it, or write the values into content/data/")
    try:
        given = _from_toml(found[1]) if fence == "+++" else _from_yaml(found[1])
        matter = _checked(given, found[1])
    except _Wrong as wrong:
        # The fence is the first line of the file.
        raise ContentError(wrong.problem, f"{place}, line {wrong.line + 1}", wrong.way_out) from None
    return matter, text[found.end() :], text.count("\n", 0, found.end()) + 1


def _from_toml(text: str) -> dict[str, Any]:
    try:
        return values.toml(text)
    except values.Unfit as error:
        _refuse("TOML", error.problem, error.line)
    except tomllib.TOMLDecodeError as error:
        said = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", str(error), re.DOTALL)
        line = int(said[2]) if said and said[2] else text.count("\n")
        _refuse("TOML", said[1] if said else str(error), line)
    except (ValueError, RecursionError) as error:
        _refuse("TOML", values.words(error), _line_that_fails(tomllib.loads, text, error))


def _from_yaml(text: str) -> dict[str, Any]:
    yaml: Any = importlib.import_module("yaml")  # has no types
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > values.DEEPEST:
                _refuse("YAML", "it is nested too deep", event.start_mark.line + 1)
            # A few aliases of aliases are more values than any machine holds; tags make what is no data.
            if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
                _refuse("YAML", "aliases and tags are not taken", event.start_mark.line + 1)
        given: Any = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse("YAML", error.problem or error.context or "", mark.line + 1 if mark else 1)
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        _refuse("YAML", "there is a character that it cannot hold", text.count("\n", 0, position) + 1)
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError) as error:
        _refuse("YAML", values.words(error), _line_that_fails(yaml.safe_load, text, error))
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise _Wrong("the front matter is no list of keys and values", 'write title: "…"', 1)
    return cast(dict[str, Any], given)


def _refuse(language: str, said: str, line: int) -> NoReturn:
    raise _Wrong(f"the front matter is not {language}: {said}", "correct that line", line)


def _line_that_fails(load: Callable[[str], Any], text: str, error: Exception) -> int:
    """Give the line from which on reading fails in this way, for an error that names none."""
    lines = text.splitlines(keepends=True)

    def fails(count: int) -> bool:
        try:
            load("".join(lines[:count]))
        except Exception as other:
            return type(other) is type(error)
        return False

    return bisect.bisect_left(range(len(lines)), True, key=fails)


def _checked(given: Mapping[Any, Any], text: str) -> dict[str, Any]:
    """Give every field, with its default where it is not given; dates as text."""
    for key, value in given.items():
        _check_size(key, 1)
        line = _line_of(key, text)
        _check_size(value, line)
        _check_field(key, value, line)
    if not given.get("title", "").strip():
        raise _Wrong("the article has no title", 'add title = "…"', _line_of("title", text))
    try:
        matter = {key: _plain(given.get(key, field.default)) for key, field in FRONT_MATTER.items()}
    except _Wrong as wrong:
        raise _Wrong(wrong.problem, wrong.way_out, _line_of("params", text)) from None
    for key in ("date", "publish_date", "expiry_date"):
        matter[key] = matter[key][:10]
    if isinstance(matter["menu"], str):
        matter["menu"] = matter["menu"].strip()
    matter["tags"] = list(dict.fromkeys(tag.strip() for tag in matter["tags"]))
    matter["summary"] = matter["description"] = matter["description"] or matter["summary"]
    return matter


def _check_size(value: Any, line: int) -> None:
    try:
        values.check(value)
    except values.Unfit as error:
        raise _Wrong(f"the front matter cannot be used: {error.problem}", "correct that line", line) from None


def _check_field(key: Any, value: Any, line: int) -> None:
    if key not in FRONT_MATTER:
        near = difflib.get_close_matches(str(key), FRONT_MATTER, 1)
        way_out = f'do you mean "{near[0]}"?' if near else f"write one of: {', '.join(FRONT_MATTER)}"
        raise _Wrong(f'"{_short(key)}" says nothing here', way_out, line)
    field = FRONT_MATTER[key]
    if not _fits(value, field.kind):
        raise _Wrong(f"{key} must be a {field.words}", f"it is {_short(repr(value))} now", line)
    items: list[str] = value if field.kind is list else []
    if key == "weight" and abs(value) >= 10**9:
        raise _Wrong("weight is too large", "write a number below a thousand million", line)
    if key == "layout" and not _LAYOUT.fullmatch(value):
        way_out = "write the name of a file in layouts/ without its .mako"
        raise _Wrong(f"{_short(repr(value))} is no name of a layout", way_out, line)
    for item in items:
        if key == "aliases" and not is_address(item):
            way_out = "write names of letters, digits, - and _ with slashes between them"
            raise _Wrong(f"{_short(repr(item))} is no address", way_out, line)
        if key == "tags" and not item.strip():
            raise _Wrong("a tag is empty", "write a word, or delete it", line)


def _fits(value: Any, kind: type | UnionType) -> bool:
    if kind is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in cast(list[Any], value))
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _line_of(key: Any, text: str) -> int:
    """Give the line on which a key is set, the first one if it cannot be told."""
    name = re.escape(str(key))
    found = re.search(rf"""^[ \t]*(?:\[[ \t]*)?["']?{name}["']?[ \t]*[=:.\]]""", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _plain(value: Any) -> Any:
    """Give what JSON can hold of a value: dates as text, no half characters."""
    match value:
        case bool() | int() | float() | None:
            return value
        case str():
            return value.encode("utf-8", "replace").decode()
        case datetime.date() | datetime.time():
            return value.isoformat()
        case list():
            return [_plain(item) for item in cast(list[Any], value)]
        case dict() if all(isinstance(key, str) for key in cast(dict[Any, Any], value)):
            return {_plain(key): _plain(item) for key, item in cast(dict[str, Any], value).items()}
        case _:
            raise _Wrong("params has a key that is no text, or a value that is no data", "correct it", 1)
