"""Shortcodes: calls such as `{{< figure atlas="HTA3" field="files" >}}` in the markdown of an article.

They are taken out before markdown, which sees a mark in their place, and found again in the HTML that it
made. Nothing of a call but its name and the texts of its arguments goes on: `pages.prose` runs them. In a
code block or between backticks a call is text, as it is after a backslash.

A mark is written in code points that are no characters, which markdown leaves alone and headings drop from
their ids. It holds a digest of the body, so that no text can hold the marks of its own.
"""

from __future__ import annotations

import bisect
import functools
import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from hdash_site.engine.model import digest
from hdash_site.errors import ContentError

_NAME = r"[a-z][a-z0-9_-]{0,59}+(?![a-z0-9_-])"
_ARGUMENT = r'([a-z][a-z0-9_]*+)\s*+=\s*+"((?:[^"\\\n]|\\[^\n])*+)"'
_CALL = re.compile(rf"\{{\{{<\s*+({_NAME})((?:\s++{_ARGUMENT})*+)\s*+>\}}\}}")
_TOKEN = re.compile(r"\\[^\n]|`++|\{\{<")
_FENCE = re.compile(r"[ \t>]*+(`{3,}+|~{3,}+)([^\n]*+)")
# A tag ends before the next one, and a comment at the latest with the text: what has no end is read once.
_TAG = r"<!--.*?(?:-->|\Z)|<(?P<end>/?)(?P<tag>[A-Za-z][^\s/>]*+)(?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+>"

_PHRASES = re.compile(
    "a|abbr|b|cite|code|del|dfn|em|h[1-6]|i|ins|kbd|mark|p|pre|q|s|samp|small|span|strong|su[bp]|summary|u|var"
)
"""Elements that hold a line of text, and no block."""
_VOID = re.compile("area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr")
_CLOSED = re.compile("iframe|math|noscript|object|option|script|style|svg|textarea|title")
"""Elements in which nothing of ours belongs."""

Piece: TypeAlias = "str | int | list[int]"
"""HTML; the number of a call in it; or the calls of a paragraph that holds nothing else."""


class Call(NamedTuple):
    """`line` is that of the file. `where` it stands: in a "block", in "text", or in a "link"."""

    name: str
    arguments: dict[str, str]
    line: int
    where: str = "block"


class _Found(NamedTuple):
    """Something that begins as a call does; `problem` and way out if it is none."""

    name: str
    arguments: dict[str, str]
    line: int
    text: str
    problem: tuple[str, str] | None


def parts(place: str, data: bytes, body: str, to_html: Callable[[str], str]) -> dict[str, bytes]:
    """Give the `body` (HTML) of an article, or its `calls` if it has any; `body` is the end of `data`.

    `calls` is JSON of `calls` and of `pieces`, the HTML around them. Raises `ContentError`.
    """
    if "{{<" not in body:
        return {"body": to_html(body).encode()}
    first = data.count(b"\n") - body.count("\n") + 1
    marks = _Marks(body)
    found: list[_Found] = []
    text: list[str] = []
    for piece in _taken(body, first):
        if isinstance(piece, str):
            text.append(piece)
        else:
            text.append(marks.mark(len(found)))
            found.append(piece)
    pieces, where = marks.placed(to_html("".join(text)), [one.text for one in found])
    calls: list[Call | None] = []
    for number, one in enumerate(found):
        here = f"{place}, line {one.line}"
        if where.get(number) == "code":
            calls.append(None)
        elif one.problem:
            raise ContentError(one.problem[0], here, one.problem[1])
        elif number not in where:
            raise ContentError("a shortcode cannot stand here", here, "write it in the text of the page")
        else:
            calls.append(Call(one.name, one.arguments, one.line, where[number]))
    texts = [html.escape(one.text) for one in found]
    # What is code in one place is text in another too, such as a table of contents.
    pieces = [texts[one] if isinstance(one, int) and calls[one] is None else one for one in pieces]
    if any(calls):
        return {"calls": json.dumps({"calls": calls, "pieces": pieces}).encode()}
    # What is in code or after a backslash is text by now: without a call there is nothing else.
    return {"body": "".join(piece for piece in pieces if isinstance(piece, str)).encode()}


def unmarked(text: str) -> str:
    """Give a text without what stands for calls in it."""
    return re.sub(r"[\ufdd0-\ufdef]", "", text)


def quoted(text: str) -> str:
    """Write what an editor wrote, for a message: in quotes, on one line, not too long."""
    line = " ".join(text.split())
    return repr(f"{line[:40]}…" if len(line) > 40 else line)


def _taken(body: str, first: int) -> Iterator[str | _Found]:
    """Cut a body into its text and the calls in it; its first line has the number `first`."""
    at, line = 0, first
    for start in _starts(body):
        if start < at:
            continue
        found = _CALL.match(body, start)
        end = found.end() if found else _end(body, start)
        line += body.count("\n", at, start)
        yield body[at:start]
        yield _read(body[start:end], line, found)
        line += body.count("\n", start, end)
        at = end
    yield body[at:]


def _end(body: str, start: int) -> int:
    """Give the end of a call that is not well written: on its line, before the next one."""
    stop = re.compile(r"\{\{<|\n|>\}\}|\Z").search(body, start + 3)
    assert stop is not None
    return stop.end() if stop[0] == ">}}" else stop.start()


def _read(text: str, line: int, found: re.Match[str] | None) -> _Found:
    if found is None:
        return _Found("", {}, line, text, _problem(text))
    arguments: dict[str, str] = {}
    for key, value in re.findall(_ARGUMENT, found[2]):
        if key in arguments:
            return _Found("", {}, line, text, (f"{key} is given twice", "leave one of them out"))
        arguments[key] = re.sub(r"\\(.)", r"\1", value)
    return _Found(found[1], arguments, line, text, None)


def _problem(text: str) -> tuple[str, str]:
    way_out = 'write {{< name key="value" >}}'
    if not text.endswith(">}}"):
        return "the shortcode has no end", f"{way_out}, or {{{{< between backticks if it is no shortcode"
    name, _, rest = text[3:-3].strip().partition(" ")
    if re.fullmatch(_NAME, name) is None:
        said = f"{quoted(name)} is no name of a shortcode" if name else "the shortcode has no name"
        return said, way_out
    wrong = re.sub(rf"(?:\s*+{_ARGUMENT}(?!\S))*+", "", rest, count=1).strip()
    return f'{quoted(wrong)} is no argument key="value" of {name}', way_out


def _starts(body: str) -> Iterator[int]:
    """Give where calls begin, in no code and after no backslash."""
    for begin, end in _prose(body):
        spans = _Spans(body, begin, end)
        at = begin
        while token := _TOKEN.search(body, at, end):
            at = token.end()
            if token[0] == "{{<":
                yield token.start()
                # What a call says is no markdown: a backtick in it opens nothing.
                call = _CALL.match(body, token.start(), end)
                at = call.end() if call else at
            elif token[0][0] == "`":
                at = spans.end(token.start(), token.end())


def _prose(body: str) -> Iterator[tuple[int, int]]:
    """Give where the text between fenced blocks of code is."""
    begin = at = 0
    fence = ""
    for line in body.splitlines(keepends=True):
        found = _FENCE.match(line)
        if found and fence:
            if found[1].startswith(fence) and not found[2].strip():
                fence, begin = "", at + len(line)
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
            yield begin, at
        at += len(line)
    if not fence:
        yield begin, len(body)


class _Spans:
    """The runs of backticks of a text: what one opens ends at the next of its length in that paragraph."""

    def __init__(self, body: str, begin: int, end: int) -> None:
        self._runs: dict[int, list[int]] = {}
        for run in re.compile("`+").finditer(body, begin, end):
            self._runs.setdefault(len(run[0]), []).append(run.start())
        self._breaks = [found.start() for found in re.compile(r"\n[ \t]*+\n").finditer(body, begin, end)]

    def end(self, start: int, after: int) -> int:
        """Give the end of the code that a run opens; the end of the run if it opens none."""
        same = self._runs.get(after - start, [])
        place = bisect.bisect_left(same, after)
        stop = bisect.bisect_left(self._breaks, after)
        if place == len(same) or (stop < len(self._breaks) and self._breaks[stop] < same[place]):
            return after
        return same[place] + after - start


class _Marks:
    """What stands for the calls of a body while markdown is at work."""

    def __init__(self, body: str) -> None:
        self._own = "".join(chr(0xFDD0 + int(sign, 16)) for sign in digest(body.encode())[:16])
        self._mark = re.compile(rf"{self._own}([\ufde0-\ufdef]{{6}})")
        one = rf"{self._own}[\ufde0-\ufdef]{{6}}"
        self._token = re.compile(rf"(?P<alone><p>\s*+(?:{one}\s*+)++</p>)|(?P<call>{one})|{_TAG}", re.DOTALL)

    def mark(self, number: int) -> str:
        return self._own + "".join(chr(0xFDE0 + int(sign, 16)) for sign in f"{number:06x}")

    def placed(self, text: str, sources: list[str]) -> tuple[list[Piece], dict[int, str]]:
        """Find the calls in HTML: what is around them, and where each is; in an attribute it is nowhere.

        One in code is put back as it was written.
        """
        pieces: list[Piece] = []
        where: dict[int, str] = {}
        hidden: set[int] = set()
        elements = _Elements()
        at = 0
        for token in self._token.finditer(text):
            numbers = self._numbers(token[0])
            if not token["alone"] and not token["call"]:
                hidden.update(numbers)
                elements.follow(token)
                continue
            pieces.append(text[at : token.start()])
            at = token.end()
            here = elements.where()
            if here == "code":
                written = self._mark.sub(lambda mark: html.escape(sources[_number(mark[1])]), token[0])
                pieces.append(written)
            else:
                pieces.append(numbers if token["alone"] else numbers[0])
            if here:
                # Shown twice, as a heading in a table of contents is: the narrower place counts.
                order = ("block", "text", "link", "code")
                where |= {number: max(here, where.get(number, here), key=order.index) for number in numbers}
            else:
                hidden.update(numbers)
        pieces.append(text[at:])
        return pieces, {number: here for number, here in where.items() if number not in hidden}

    def _numbers(self, text: str) -> list[int]:
        return [_number(mark) for mark in self._mark.findall(text)]


def _number(mark: str) -> int:
    return int("".join(f"{ord(sign) - 0xFDE0:x}" for sign in mark), 16)


class _Elements:
    """The elements that are open after the tags that were followed so far."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._open: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()

    def follow(self, token: re.Match[str]) -> None:
        """Go past a tag."""
        name = (token["tag"] or "").lower()
        if not name or _VOID.fullmatch(name):
            return
        if not token["end"]:
            self._names.append(name)
            self._open[name] += 1
            self._kinds[_kind(name)] += 1
            return
        is_found = not self._open[name]
        while not is_found:
            last = self._names.pop()
            self._open[last] -= 1
            self._kinds[_kind(last)] -= 1
            is_found = last == name

    def where(self) -> str:
        """Tell in what the text after these tags is: the narrowest kind of element that is open."""
        return next((kind for kind in ("", "code", "link", "text") if self._kinds[kind]), "block")


@functools.lru_cache(1024)
def _kind(name: str) -> str:
    """Give what a call in an element of this name is in; empty if nothing of ours belongs there."""
    if _CLOSED.fullmatch(name):
        return ""
    if name in ("code", "pre"):
        return "code"
    if name == "a":
        return "link"
    return "text" if _PHRASES.fullmatch(name) else "block"
