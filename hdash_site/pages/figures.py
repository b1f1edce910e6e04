"""How figures and strangers' text are written: bytes, counts, shares; text that is safe and visible."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape

__all__ = [
    "clock",
    "count",
    "moment",
    "percent",
    "plural",
    "raw",
    "shown",
    "signed",
    "size",
    "synapse",
    "visible",
]

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SYNAPSE_ID = re.compile(r"syn[0-9]{1,20}")
# Controls, marks that turn the direction of what follows, and what XML forbids: replaced by a visible sign.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
_SPECIAL = re.compile(f"[&<>\"']|{_UNSEEN.pattern}")


def shown(value: Any) -> str:
    """Write any value as HTML text: escaped, with signs that cannot be seen made visible."""
    if isinstance(value, Markup):
        return value
    text = str(value)
    if _SPECIAL.search(text) is None:  # as nearly always; half a million values pass here in a large build
        return text
    return str(escape(visible(text)))


def visible(text: str) -> str:
    """Replace the characters that cannot be seen, or that turn the direction of a text, by a visible sign."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


def raw(html: str) -> Markup:
    """Mark HTML as ours: made by this program, with all that came from strangers escaped in it."""
    return Markup(html)  # noqa: S704 - the one door, for what markdown and charts have made


def count(number: int) -> str:
    return f"{number:,}"


def plural(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """Write bytes in units of a thousand, with three figures at most."""
    value = float(number)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            digits = 0 if unit == "B" or value >= 99.95 else 1
            return f"{value:,.{digits}f} {unit}"
        value /= 1000
    raise AssertionError


def signed(number: int, write: Callable[[int], str] = count) -> str:
    """Write by how much a figure rose or fell; `write` is how the figure is written."""
    return f"{'+' if number > 0 else '−' if number < 0 else '±'}{write(abs(number))}"


def clock(moment: str) -> str:
    """Write a time, which is ISO 8601, in GMT to the minute."""
    return _written(datetime.datetime.fromisoformat(moment).astimezone(datetime.UTC))


def percent(part: int, whole: int) -> str:
    """Write a share; what is not all is never written as 100%, and what is not nothing never as 0%."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if part not in (0, whole):
        share = min(max(share, 0.1), 99.9)
    return f"{share:.1f}%" if part not in (0, whole) else f"{share:.0f}%"


def moment(milliseconds: int) -> Markup:
    """Write a time since 1970 in GMT; the browser adds how long ago that was. Empty if there is none."""
    try:
        when = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    except (OverflowError, OSError, ValueError):
        return Markup()
    if not milliseconds:
        return Markup()
    return raw(f'<time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{_written(when)}</time>')


def _written(when: datetime.datetime) -> str:
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}, {when:%H:%M} GMT"


def synapse(entity: str) -> str:
    """Give the address of an entity in Synapse; empty if that is no Synapse id."""
    return f"https://www.synapse.org/Synapse:{entity}" if _SYNAPSE_ID.fullmatch(entity) else ""
