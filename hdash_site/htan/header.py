"""The header of a manifest: which column each name means, also where it is written in another way.

Spreadsheets and web pages add no-break spaces and characters without a width. R writes dots for blanks.
pandas and R rename repeated columns, and name columns that have no name. Only a column that rules know by its
name (ids, bookkeeping, days) is recognised in other spellings; an attribute keeps its name.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan import problems
from hdash_site.htan.files import vocabulary
from hdash_site.htan.privacy import is_attribute
from hdash_site.htan.text import INVISIBLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hdash_site.htan.problems import Problem

MOST_COLUMNS: Final = 2_000
"""Columns of a manifest that are read. The largest component of the HTAN data model has 83 attributes; cells
of spreadsheets that were filled by mistake reach to column 16384.
"""
_MOST_NAMED: Final = 20
"""Columns of a manifest that are named for one kind of mistake."""
_LONGEST: Final = 1_000
"""Characters of a name that may be compared with others."""
_INVISIBLE: Final = re.compile(f"[{INVISIBLE}]")
_ID_COLUMN: Final = re.compile(r"htan (?:(.*) )?id", re.IGNORECASE)
_DOTS: Final = re.compile(r"[._]+")
_ENDS: Final = " \t\r\n\v\f"
_OTHER_SIDE: Final = {"x": "y", "y": "x", "X": "Y", "Y": "X"}
"""What a merge of two tables adds to the names of columns that both of them have."""


class Header(NamedTuple):
    """The columns of a manifest."""

    names: list[str]
    """By position: what the column is read as, or as it is written if it is not read."""
    places: dict[str, int]
    """By name, the position of the column that is read."""
    unnamed: tuple[int, ...]
    """Positions of columns without a name."""
    width: int
    """Cells of the row, also those after the last column that is read, if one of these is not blank."""
    problems: list[Problem]


class _Written(NamedTuple):
    """The names of a header, as written."""

    first: Mapping[str, int]
    """By name, its first position."""
    numbered: Mapping[str, int]
    """How many names are this one with three dots and a number."""


def read_header(cells: Sequence[str], known: tuple[str, ...]) -> Header:
    """Read the first row of a manifest. `known` are columns that rules know, beside bookkeeping.

    Of several columns with one meaning, the one with the proper name is read, else the first of them. Columns
    after the first `MOST_COLUMNS` are not read.
    """
    width = len(cells)
    too_many: list[Problem] = []
    if width > MOST_COLUMNS:
        if any(map(str.strip, cells[MOST_COLUMNS:])):
            too_many = [problems.too_many_columns(width, MOST_COLUMNS)]
        else:
            width = MOST_COLUMNS
        cells = cells[:MOST_COLUMNS]
    names = [cell.strip(_ENDS) for cell in cells]
    unnamed = [place for place, name in enumerate(names) if _is_unnamed(name)]
    counts = Counter(names)
    for place in unnamed:
        counts.pop(names[place], None)
    first = {name: place for place, name in reversed(list(enumerate(names))) if name in counts}
    written = _Written(first, Counter(name.rpartition("...")[0] for name in counts if "..." in name))
    places: dict[str, int] = {}
    read: dict[str, int] = {}
    renamed: list[Problem] = []
    repeated = [problems.repeated(name, count) for name, count in counts.items() if count > 1]
    for name in counts:
        place = first[name]
        meaning, proper = _meaning(name, written, known)
        column = first.get(meaning, read.setdefault(meaning, place))
        if column != place:
            repeated.append(problems.repeats(name, names[column], column))
            continue
        names[place] = proper
        places[proper] = place
        if proper != name:
            problem = problems.renamed if _known(proper, known) else problems.unclear_name
            renamed.append(problem(name, proper))
    return Header(names, places, tuple(unnamed), width, [*too_many, *named(renamed), *named(repeated)])


def _is_unnamed(name: str) -> bool:
    if len(name) > _LONGEST:
        return False
    visible = _visible(name)
    suffixed = vocabulary().repeated.fullmatch(visible)
    is_unnamed = vocabulary().is_unnamed
    return not visible or bool(is_unnamed(visible)) or bool(suffixed and is_unnamed(suffixed[1]))


def _meaning(name: str, written: _Written, known: tuple[str, ...]) -> tuple[str, str]:
    """Return what a column means, the same for columns that repeat each other, and its proper name."""
    if len(name) > _LONGEST:
        return name, name
    visible = _visible(name)
    if column := _known(visible, known):
        return column, column
    repeated, copied = (
        pattern.fullmatch(visible) for pattern in (vocabulary().repeated, vocabulary().copied)
    )
    for match in filter(None, (repeated, copied)):
        if column := _known(match[1], known):
            return column, column
    if repeated and _is_repeated(repeated[1], repeated[2], written):
        return repeated[1], visible
    return visible, visible


def _is_repeated(base: str, suffix: str, written: _Written) -> bool:
    """Return whether a tool added the suffix because another column has the same name."""
    if base in written.first:
        return True
    if suffix.startswith("..."):
        return written.numbered[base] > 1
    other_side = suffix[:-1] + _OTHER_SIDE.get(suffix[-1], "")
    # Coordinates have such names too: `centroid_x` and `centroid_y` are two columns.
    return base + other_side in written.first and is_attribute(base)


def _known(name: str, known: tuple[str, ...]) -> str:
    """Return the column with this name, or one that differs in case, blanks or dots alone; blank if none."""
    if name in vocabulary().not_counted or name in known:
        return name
    alike = _alike(name)
    if column := _known_columns(known).get(alike):
        return column
    if vocabulary().is_not_counted(name):
        return name
    match = _ID_COLUMN.fullmatch(alike)
    return f"HTAN {match[1]} ID" if match and match[1] else ""


@lru_cache(maxsize=64)
def _known_columns(known: tuple[str, ...]) -> dict[str, str]:
    return {_alike(name): name for name in (*known, *vocabulary().not_counted)}


def _alike(name: str) -> str:
    """Return what is the same for names that differ in case, or in dots or underscores for blanks."""
    return (name if " " in name else _DOTS.sub(" ", name)).casefold().strip()


def _visible(name: str) -> str:
    """Return the name without characters that have no width, and with single, ordinary blanks."""
    return " ".join(_INVISIBLE.sub("", name).split())


def named(found: Sequence[Problem]) -> list[Problem]:
    """The first problems of one kind; the last of them says how many more there are."""
    more = len(found) - _MOST_NAMED
    if more <= 0:
        return list(found)
    last = found[_MOST_NAMED - 1]
    message = f"{last.message[:-1]} (and {more} more columns)."
    return [*found[: _MOST_NAMED - 1], last._replace(message=message)]
