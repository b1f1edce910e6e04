"""A budget of work for one article, in proportion to its length, so that no article takes time without bound.

Python-Markdown and html5ever take time that grows with the square of some inputs, for example of brackets
that are never closed. `pages.metered` counts their steps. The count depends on the text alone and never on a
clock, so that an article is refused on every machine or on none.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

STEPS = 250
"""Steps for each character of an article. A step takes about 40 ns; ordinary articles need less than 20."""

FLOOR = 2_000_000
"""Steps that an article of any length may take."""


class Reason(NamedTuple):
    """What an article has too much of, and what its author can do."""

    problem: str
    way_out: str


BRACKETS = Reason(
    'too many "[" or "(" are never closed', r"close them, or write \[ for a bracket without a link"
)
BACKTICKS = Reason("too many backticks are never closed", r"close them, or write \` for a plain backtick")
INLINE = Reason("a paragraph or cell has too much markup", "divide it with blank lines")
BLOCK = Reason("a part without blank lines is too long", "divide it with blank lines")
NESTED = Reason("lists, quotes or notes are nested too deep", "nest them less")
CELLS = Reason("the table has too many empty or divided cells", "give each row as many cells as the header")
FOOTNOTES = Reason("too many references to footnotes", "refer to fewer footnotes, or divide the article")
FENCES = Reason("too many blocks of code are never closed", "close each with a line of the same signs")
TAGS = Reason("too many HTML tags are never closed", "close them, or write &lt; for <")
CONTENTS = Reason("too many tables of contents", "write [TOC] once")


class TooMuch(Exception):
    """An article takes more work than its budget; `text` is where, as far as it is known."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(reason, text)
        self.reason, self.text = reason, text


class Effort:
    """The steps that are left for an article of `size` characters."""

    def __init__(self, size: int) -> None:
        self._left = FLOOR + STEPS * size

    def has(self, steps: int) -> bool:
        """Tell whether so many steps are left."""
        return steps <= self._left

    def spend(self, steps: int, reason: Reason, text: str = "", start: int = 0) -> None:
        """Take steps for what begins at `start` of a text. Raises `TooMuch` if none are left."""
        self._left -= steps
        if self._left < 0:
            raise TooMuch(reason, text[start : start + 200])


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)")
_UNNESTED = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "dt",
        "dd",
        "tr",
        "td",
        "th",
        "thead",
        "tbody",
        "tfoot",
        "option",
    ]
)
"""Elements that hold nothing, or that end without a tag of their own."""
_FORMATS = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
"""Elements that HTML opens again in each paragraph until they are closed."""


def measure_nesting(html: str, effort: Effort) -> None:
    """Count what the sanitiser does for each tag: it looks through all open elements. Raises `TooMuch`."""
    tags = html.count("<")
    if effort.has(21 * tags * tags):  # as nearly always
        return
    opened: Counter[str] = Counter()
    depth = formats = 0
    for found in _TAG.finditer(html):
        end, name = found[1], found[2].lower()
        effort.spend(1 + depth // 4 + 20 * formats, TAGS, html, found.start())
        if name in _UNNESTED:
            continue
        if not end:
            opened[name] += 1
            depth += 1
            formats += name in _FORMATS
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
            formats -= name in _FORMATS
