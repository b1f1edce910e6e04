"""A problem with what an editor wrote, as the overlay shows it: the words, the file, the lines around it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from hdash_site.preview.links import FOLDERS, SETTINGS
from hdash_site.secrets import hidden

AROUND = 3
"""Lines that are shown before and after the one at fault."""

LONGEST_LINE = 300
LARGEST_FILE = 2_000_000

_PLACE = re.compile(rf"(?:^|/|\s)((?:{'|'.join(FOLDERS)})/.+?|{re.escape(SETTINGS)})(?=, |: |; |$)")
_LINE = re.compile(r"\bline (\d+)\b")


class Fault(NamedTuple):
    """`said`: the whole problem; `file`: below the site, empty if it is about none; `line`: 0 if unknown.

    `lines` are those around it, with their numbers.
    """

    said: str
    file: str = ""
    line: int = 0
    lines: tuple[tuple[int, str], ...] = ()


def fault(root: Path, problem: str) -> Fault:
    """Read a line of `HdashError`, which begins with its place, and look that up."""
    said = hidden(problem, os.environ)
    place = _PLACE.search(problem)
    if place is None:
        return Fault(said)
    # The first number is the problem's own: what follows it may quote another file.
    number = _LINE.search(problem, place.end())
    line = int(number[1]) if number else 0
    return Fault(said, place[1], line, _around(root, place[1], line) if line else ())


def _around(root: Path, name: str, line: int) -> tuple[tuple[int, str], ...]:
    path = root / name
    try:
        if not path.resolve().is_relative_to(root.resolve()) or path.stat().st_size > LARGEST_FILE:
            return ()
        lines = path.read_bytes().decode("utf-8-sig", "replace").split("\n")
    except OSError:
        return ()
    first = max(line - AROUND, 1)
    shown = lines[first - 1 : line + AROUND]
    return tuple((first + at, hidden(text[:LONGEST_LINE], os.environ)) for at, text in enumerate(shown))
