"""What of a clinical manifest may be published (section 9a of the dashboard's rules).

The site is public, so everything goes by allow-lists. The name of a column is shown if the catalogue or the
HTAN data model knows it; else its position is ("column 14"): the name may itself be data, where the header
row is missing. A value is shown if its component publishes the column (`publish` in the catalogue) and the
value is one that the data model allows, or an HTAN id in a column of ids. Everything else is `HIDDEN`.

A manifest whose component is unknown is treated like a clinical one.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.columns import COMPONENT, ENTITY_ID
from hdash_site.htan.files import is_value, vocabulary
from hdash_site.htan.findings import HIDDEN, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hdash_site.htan.components import Catalogue, Component
    from hdash_site.htan.manifests import Manifest

OLDEST: Final = 32_849
"""Days of 89 years: an age above it is never shown (HIPAA's safe harbor)."""
LONGEST_VALUE: Final = 100
"""Characters of a published value of a column for which the data model lists no allowed values."""
LONGEST_ID: Final = 50
"""Characters of an HTAN id, by the SOP; what is longer is not shown as one."""

LONGEST_SEARCHED: Final = 10_000
"""Characters of a cell in which dates are looked for; what is longer is never shown as a whole."""

_TWO_DIGITS: Final = re.compile("[0-9]{2}")
_MONTH: Final = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR, _M, _D = "(?:18|19|20)[0-9]{2}", "(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12][0-9]|3[01])"
_DATE: Final = re.compile(
    "(?<![0-9])(?:"
    + "|".join(
        (
            rf"{_YEAR}([-/._])\s?{_M}(?:\1\s?{_D})?(?![0-9])",  # 1950-03-14, 1950/3/14, 1950-03
            rf"(?<![A-Za-z_]){_YEAR} ?(?:0[1-9]|1[0-2]) ?(?:0[1-9]|[12][0-9]|3[01])(?![0-9])",  # 19500314
            rf"(?<![A-Za-z]){_D}([-/.])\s?{_D}\2\s?(?:{_YEAR}|[0-9]{{2}})(?![0-9])",  # 3/14/1950, 14.03.50
            rf"{_M}/{_YEAR}(?![0-9])",  # 03/1950
            rf"{_D}(?:st|nd|rd|th)?[-\s./,]{{0,3}}{_MONTH}[-\s./,']{{0,3}}(?:{_YEAR}|[0-9]{{2}})(?![0-9])",
        )
    )
    + rf")|(?<![a-z]){_MONTH}[-\s./,]{{0,3}}(?:{_D}(?:st|nd|rd|th)?[-\s./,]{{1,3}})?{_YEAR}(?![0-9])",
    re.IGNORECASE,
)
"""A calendar date, or the month of a year, in the forms that people and spreadsheets write. Every repetition
is bounded, so that a search takes time linear in the length of the text.
"""
_AGE: Final = re.compile(r"\b(?:age|days?|years?|dates?|dob)\b", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"<U\+[0-9A-F]{4,6}>")
_POSITION: Final = re.compile("column [0-9]+")
_NUMBER: Final = re.compile(r"(?<=.) [1-9][0-9]?$")
_SEPARATORS: Final = re.compile(r"[,;\s]+")
_NEARLY_ID: Final = re.compile(
    r"hta(?:[0-9_.\-]|ext|[bd](?=[0-9])|\\[nrt]|<U\+[0-9A-F]{4,6}>){0,60}", re.IGNORECASE
)
"""A malformed id that may be shown, with characters as `htan.text` makes them visible."""
_CLASS_NAME: Final = re.compile(r"(?=[^A-Za-z]{0,99}[A-Za-z])[^\s,;]{1,100}")
_NEARLY_ENTITY: Final = re.compile(r"\s*syn[0-9.]{0,20}\s*", re.IGNORECASE)
_OF_FILE: Final = re.compile("[0-9]+ (?:(?:NUL )?bytes|marks|columns)|byte 0x[0-9A-F]{2}|UTF-16")
"""What this program says of a file as a whole."""


class Column(NamedTuple):
    """A column of a manifest, under a name that may be published."""

    name: str
    filled: int
    counted: bool
    is_known: bool
    """Whether the catalogue or the data model knows its name; a blank name is known if no cell is filled."""


class _Attributes(NamedTuple):
    names: frozenset[str]
    allowed: Mapping[str, frozenset[str]]


def has_date(text: str) -> bool:
    """Return whether a text holds a calendar date.

    >>> [has_date(text) for text in ("born 3/14/1950", "14-Mar-50", "March 1950", "T2N1M0", "1-Mar")]
    [True, True, True, False, False]
    """
    # Every form has two digits side by side; to look for these first is fast.
    start = _TWO_DIGITS.search(text, 0, LONGEST_SEARCHED)
    return start is not None and _DATE.search(text, 0, LONGEST_SEARCHED) is not None


def is_age(column: str) -> bool:
    """Return whether the cells of a column are ages, days, years or dates: none is ever published."""
    return _AGE.search(column) is not None


@lru_cache(maxsize=4096)
def normal(name: str) -> str:
    """Return the name of a column in one spelling: case and blanks do not matter."""
    return " ".join(name.split()).casefold()


@cache
def _attributes() -> _Attributes:
    text = files(__package__ or "").joinpath("data/attributes.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    allowed = {
        normal(name): frozenset(value.casefold() for value in values)
        for name, values in table["allowed"].items()
    }
    return _Attributes(frozenset(map(normal, table["names"])), allowed)


def is_attribute(name: str) -> bool:
    """Return whether the HTAN data model has an attribute of this name."""
    return normal(name) in _attributes().names


def known_columns(catalogue: Catalogue) -> frozenset[str]:
    """Return the normal names of all columns that may be named: those of the data model and the catalogue."""
    published = (name for component in catalogue for name in component.publish)
    names = (*catalogue.id_columns(), *vocabulary().not_counted, *published)
    return _attributes().names.union(map(normal, names))


def is_known_column(name: str, known: frozenset[str]) -> bool:
    """Return whether a column may be named; old manifests number some, as in `Treatment Type 1`."""
    return normal(name) in known or normal(_NUMBER.sub("", name)) in known


def is_private(component: Component, *, is_known: bool) -> bool:
    """Return whether a manifest of this component may hold data of participants."""
    return component.kind == "clinical" or not is_known


def public_columns(
    columns: Iterable[Mapping[str, object]], known: frozenset[str], *, private: bool
) -> list[Column]:
    """Return the columns of a manifest (facet `columns`) under names that may be published.

    In a private manifest a column that nobody knows is named by its position, counted from 1.
    """
    public: list[Column] = []
    for position, column in enumerate(columns, 1):
        name, filled = str(column["name"]), int(str(column["filled"]))
        is_known = is_known_column(name, known) if name else not filled
        shown = name if is_known or not private else f"column {position}"
        public.append(Column(shown, filled, bool(column["counted"]), is_known))
    return public


def may_publish(component: Component, column: str, value: str) -> bool:
    """Return whether a component publishes this value of this column.

    Where the data model lists the allowed values of a column, nothing else is published: in a row with a
    comma too many the name of a participant may be in any column.
    """
    if normal(column) not in map(normal, component.publish) or is_age(column):
        return False
    if not is_value(value):
        return True
    allowed = _attributes().allowed.get(normal(_NUMBER.sub("", column)))
    if allowed is not None:
        return all(part.strip().casefold() in allowed for part in re.split("[,;]", value))
    return len(value) <= LONGEST_VALUE and not has_date(value)


def is_nearly_id(value: str) -> bool:
    """Return whether a malformed id may be shown: it must begin like an HTAN id, and be made of the
    characters of one.

    >>> [is_nearly_id(value) for value in ("HTA1_", "hta1-1_EXT", "HTA1_1, HTA1_2", "HTA1 Smith")]
    [True, True, True, False]
    """
    words = [word for word in _SEPARATORS.split(value) if word]
    return not has_date(value) and all(
        len(word) <= LONGEST_ID and _NEARLY_ID.fullmatch(word) is not None for word in words
    )


def is_component_name(name: str) -> bool:
    """Return whether a cell of the column `Component` may name a component that the catalogue does not know:
    a class name is one word.
    """
    return _CLASS_NAME.fullmatch(name) is not None and not has_date(name)


def masked(finding: Finding, manifest: Manifest, known: frozenset[str]) -> Finding:
    """Return a finding of a private manifest without what must not be published."""
    column = finding.column
    if column and not is_known_column(column, known):
        is_position = _POSITION.fullmatch(column)
        column = manifest.hidden_columns.get(column, column if is_position else HIDDEN)
    value = finding.value
    if value and value == finding.column:
        value = column
    elif not (_may_show(finding, manifest.component) or is_known_column(_ESCAPED.sub(" ", value), known)):
        value = HIDDEN
    return finding._replace(column=column, value=value)


def _may_show(finding: Finding, component: Component) -> bool:
    column, value = finding.column, finding.value
    if not is_value(value):
        return True
    if not column:
        return _OF_FILE.fullmatch(value) is not None
    if column == COMPONENT:
        return value == finding.component
    if column == ENTITY_ID:
        return _NEARLY_ENTITY.fullmatch(value) is not None
    if vocabulary().is_not_counted(column) or column in component.id_columns:
        return is_nearly_id(value)
    return may_publish(component, column, value)


def positions(columns: Sequence[Mapping[str, object]], public: Sequence[Column]) -> dict[str, str]:
    """Return the public name of each column that has another one, by the name in the manifest."""
    found: dict[str, str] = {}
    for column, shown in zip(columns, public, strict=True):
        if shown.name != column["name"]:
            found.setdefault(str(column["name"]), shown.name)
    return found
