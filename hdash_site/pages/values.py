"""What TOML, YAML and JSON of editors may hold, so that no file takes time or memory without bound."""

from __future__ import annotations

import re
import tomllib
from typing import Any, cast

DEEPEST = 50
"""Levels of lists and tables within each other; parsers take time with their square."""

_DIGITS = 100
_LARGEST_NUMBER = 10**_DIGITS

# Quotes and blanks may surround each part of a dotted key; text in a string can look like one too.
_DOTTED = re.compile(rf"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){{{DEEPEST}}}")


class Unfit(ValueError):
    """A value that is refused; `line` is 0 if it cannot be told."""

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem)
        self.problem, self.line = problem, line


def toml(text: str) -> dict[str, Any]:
    """Read TOML. Raises `Unfit`, and what `tomllib.loads` raises."""
    dotted = _DOTTED.search(text)
    if dotted:
        line = text.count("\n", 0, dotted.start()) + 1
        raise Unfit(f"a key has more than {DEEPEST} parts", line)
    return tomllib.loads(text)


def check(value: Any) -> None:
    """Raise `Unfit` if a value is nested too deep or holds a number that cannot be written."""
    level = [value]
    for _ in range(DEEPEST + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += cast(dict[Any, Any], item).values()
            elif isinstance(item, list):
                below += cast(list[Any], item)
            elif isinstance(item, int) and abs(item) >= _LARGEST_NUMBER:
                raise Unfit(f"a number has more than {_DIGITS} digits")
        level = below
        if not level:
            return
    raise Unfit(f"it is nested deeper than {DEEPEST} levels")


def words(error: Exception) -> str:
    """Say why a parser failed; its own words for numbers and nesting are about Python."""
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return "a number has too many digits" if "integer string conversion" in str(error) else str(error)
