"""Text on its way out: strangers' text made harmless, canonical JSON, natural order, CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST: Final = 200
"""Characters of a stranger's cell that are shown."""

_ESCAPED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HARMFUL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_FORMULA: Final = re.compile(r"\s*[=+\-@\t\r\uff0b\uff0d\uff1d\uff20]")
_DIGITS: Final = re.compile(r"([0-9]+)")


def clean(text: str) -> str:
    """The text without controls: line breaks and tabs are escaped visibly, NUL, bidi controls and lone
    surrogates become U+FFFD.
    """
    if text.isprintable():
        return text
    return _HARMFUL.sub(lambda found: _ESCAPED.get(found[0], "\ufffd"), text)


def shown(text: str, longest: int = LONGEST) -> str:
    """The text, clean and at most `longest` characters; what is cut off at the end is an ellipsis."""
    text = clean(text[: longest + 1])
    return text if len(text) <= longest else text[: longest - 1] + "…"


def shown_end(text: str, longest: int = LONGEST) -> str:
    """The same for a path: what is cut off is its beginning."""
    text = clean(text[-longest - 1 :])
    return text if len(text) <= longest else "…" + text[1 - longest :]


def dumps(value: object) -> bytes:
    """Canonical JSON in UTF-8; a lone surrogate becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def natural(text: str) -> tuple[tuple[str | tuple[int, str], ...], str]:
    """Sort key that puts HTA1_2 before HTA1_10; no two different texts have the same key.

    A number is compared by length, then digits: no conversion, however long it is.
    """
    parts = _DIGITS.split(text)
    key: list[str | tuple[int, str]] = list(parts)
    for place in range(1, len(parts), 2):
        digits = parts[place].lstrip("0")
        key[place] = (len(digits), digits)
    return tuple(key), text


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """A CSV that a spreadsheet opens without running anything in it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([inert(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return stream.getvalue().encode("utf-8", "replace")


def inert(cell: str) -> str:
    """The cell with an apostrophe before it if a spreadsheet would take it for a formula."""
    return "'" + cell if _FORMULA.match(cell) else cell
