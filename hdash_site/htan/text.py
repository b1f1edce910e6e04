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
INVISIBLE: Final = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff"
"""Characters without a width, as a set of a regular expression. Copied text often holds some."""
BLANKS: Final = "".join(
    chr(code) for code in range(0x10000) if chr(code).isspace() or re.match(f"[{INVISIBLE}]", chr(code))
)
"""Characters at the ends of a cell that are not part of its value."""

_UNSEEN: Final = re.compile(
    f"[{INVISIBLE}"
    "\x00-\x1f\x7f-\x9f"  # controls
    "\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\U000e0000-\U000e007f"  # line ends, directions, tags
    "\ud800-\udfff\ufffe\uffff]"  # not characters
)
_NOT_PLAIN: Final = re.compile(r"[^\x20-\x7e]|\A +| +\Z")
_ODD_BLANK: Final = re.compile(r"(?<= ) |[^\S \t\r\n]")
_FORMULA: Final = re.compile(r"\s*[=+\-@\t\r\uff0b\uff0d\uff1d\uff20]")
_DIGITS: Final = re.compile(r"([0-9]+)")


def clean(text: str) -> str:
    """Return the text with what cannot be seen made visible: for example as `<U+200B>`.

    This covers controls, characters without a width, marks that turn the direction of writing, and lone
    surrogates. Letters and blanks of any script stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(_coded, text)


def _coded(match: re.Match[str]) -> str:
    return _code(match[0])


def _code(character: str) -> str:
    return _ESCAPED.get(character) or f"<U+{ord(character):04X}>"


def shown(text: str, longest: int = LONGEST) -> str:
    """The text, clean and at most `longest` characters; what is cut off at the end is an ellipsis."""
    return _cut(clean(text[: longest + 1]), longest)


def shown_plain(text: str, longest: int = LONGEST) -> str:
    """The same for an id, which is ASCII alone: any other character is shown by its code, `<U+041D>TA1_1`.

    A Cyrillic letter or a no-break space looks like what belongs there. So does a blank at an end.
    """
    if len(text) <= longest and text.isascii() and text.isprintable() and text == text.strip():
        return text
    coded = _NOT_PLAIN.sub(lambda match: "".join(map(_code, match[0])), text[: longest + 1])
    return _cut(coded, longest)


def shown_name(text: str, longest: int = LONGEST) -> str:
    """The same for the name of a column: blanks that are no single space are shown by their codes too."""
    coded = _ODD_BLANK.sub(_coded, text[: longest + 1])
    return _cut(clean(coded), longest)


def _cut(text: str, longest: int) -> str:
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
