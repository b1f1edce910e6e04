"""HTAN identifiers: how they are written, and how a cell that holds some is read.

The patterns are data (`data/identifiers.toml`, from the HTAN identifier SOP), with examples that are tests.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hdash_site.htan.files import is_value
from hdash_site.htan.text import shown_plain

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_IDS: Final = 10_000
"""Ids of one cell that are read as ids; a cell with more words, or as long as that, is free text."""

LONGEST: Final = 200
"""Characters of an id; a longer id is malformed. By the SOP of phase 2 an id has at most 50."""

_SEPARATORS: Final = re.compile(r"[,;\s]+")
_ATLAS: Final = re.compile(r"HTA[0-9]+")


class Identifier(NamedTuple):
    """One kind of id: participant, biospecimen, data file."""

    name: str
    label: str
    example: str
    example_2: str
    """As an atlas of phase 2 writes it."""
    columns: tuple[str, ...]
    patterns: tuple[str, ...]
    valid: tuple[str, ...]
    invalid: tuple[str, ...]

    def matches(self, text: str) -> bool:
        return well_formed((self,))(text) is not None


class Cell(NamedTuple):
    """A cell that is not just one well-formed id: its text as shown, its good and its malformed ids."""

    shown: str
    good: tuple[str, ...]
    bad: tuple[str, ...]

    @property
    def is_missing(self) -> bool:
        return not self.good and not self.bad


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(
        files(__package__ or "").joinpath("data/identifiers.toml").read_text(encoding="utf-8")
    )


@cache
def identifiers() -> tuple[Identifier, ...]:
    tables: list[dict[str, Any]] = _data()["identifier"]
    return tuple(
        Identifier(
            name=table["name"],
            label=table["label"],
            example=table["example"],
            example_2=table["example_2"],
            columns=tuple(table["columns"]),
            patterns=tuple(table["patterns"]),
            valid=tuple(table["valid"]),
            invalid=tuple(table["invalid"]),
        )
        for table in tables
    )


@cache
def of_column(column: str) -> tuple[Identifier, ...]:
    """The kinds of id that a column may hold; any, if the data say nothing of it."""
    return tuple(one for one in identifiers() if column in one.columns) or identifiers()


@cache
def well_formed(kinds: tuple[Identifier, ...]) -> Callable[[str], re.Match[str] | None]:
    """A function that matches a whole text against the patterns of these kinds of id."""
    patterns = dict.fromkeys(pattern for kind in kinds for pattern in kind.patterns)
    return re.compile(f"(?!.{{{LONGEST + 1}}})(?:{'|'.join(patterns)})").fullmatch


@cache
def expected(column: str, atlas: str = "") -> str:
    """Return what a column of an atlas holds, in words: `a biospecimen id, like HTA3_8001_1`.

    An atlas of phase 2 (`HTA200`) gets the form of phase 2 (`HTA200_8001_B1`), every other atlas that of
    phase 1.
    """
    is_phase_2 = re.fullmatch(_data()["phase_2"], atlas) is not None
    return " or ".join(
        f"a {kind.label}, like {kind.example_2 if is_phase_2 else kind.example}" for kind in of_column(column)
    )


def split(cell: str) -> list[str]:
    """The ids of a cell, separated by commas, semicolons or blanks; none if it holds no value."""
    return [] if not is_value(cell) else [word for word in _SEPARATORS.split(cell) if word]


def is_crowded(cell: str) -> bool:
    """Whether a cell names more than `MOST_IDS` ids, or is as long as that: it is not split."""
    if len(cell) <= 2 * MOST_IDS:
        return False
    return len(cell) > 100 * MOST_IDS or len(split(cell)) > MOST_IDS


def read(cell: str, column: str) -> Cell:
    """Read a cell of an id column.

    A cell without anything that begins like an id (`see the table`) is one malformed value, not three; one
    that begins with "Not Applicable" holds none. What is shown of the cell is ASCII alone, so that a reader
    sees an invisible character or a letter of another script.
    """
    if is_not_applicable(cell):
        return Cell(shown_plain(cell), (), ())
    match = well_formed(of_column(column))
    words = [cell] if is_crowded(cell) else split(cell)
    good = tuple(dict.fromkeys(filter(match, words)))
    if good and len(good) == len(words):
        return Cell(shown_plain(cell), good, ())
    if not any(word.startswith("HTA") for word in words):
        words, good = [cell.strip()] if words else [], ()
    bad = tuple(dict.fromkeys(shown_plain(word) for word in words if not match(word)))
    return Cell(shown_plain(cell), good, bad)


def is_not_applicable(cell: str) -> bool:
    """Whether a parent cell says that there is none, whatever it adds ("Not Applicable - no raw data")."""
    return cell.lstrip()[:14].lower() == "not applicable"


def atlas_of(identifier: str) -> str:
    """The atlas that an id names, `HTA3` for `HTA3_8001_1`."""
    return identifier.partition("_")[0]


def is_atlas(text: str) -> bool:
    """Whether an atlas is called as its ids begin (`HTA3`), so that its ids can be told from others'."""
    return _ATLAS.fullmatch(text) is not None


def atlases(texts: str) -> tuple[str, ...]:
    """The atlases that well-formed ids name, each once, in natural order; `texts` joins them by commas.

    Nearly always it is one; then no id is looked at by itself.
    """
    first = texts.lstrip(",").partition(",")[0]
    prefix = atlas_of(first) + "_"
    others = texts.replace("," + prefix, "").removeprefix(prefix)
    if not first or "HTA" not in others:
        return (atlas_of(first),) if first else ()
    names = {atlas_of(text) for text in texts.split(",") if text}
    return tuple(sorted(names, key=lambda one: (len(one), one)))
