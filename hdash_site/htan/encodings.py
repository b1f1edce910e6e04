"""The encoding of a manifest: bytes as they were uploaded to bytes that a CSV reader takes."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan import problems
from hdash_site.htan.sheet import BOM

if TYPE_CHECKING:
    from hdash_site.htan.problems import Problem

_UTF16: Final = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SAMPLE: Final = 512
"""Bytes at the start of a file that show whether it is UTF-16."""
_BLOCK: Final = 2**20


class Decoded(NamedTuple):
    """A manifest without NUL bytes and byte order marks, the encoding to read it with, and what was wrong.

    To be read with errors="replace": some bytes mean nothing in Windows-1252.
    """

    data: bytes
    encoding: str
    problems: list[Problem]


def decode(data: bytes) -> Decoded:
    """Find out how a manifest is encoded: UTF-8, UTF-16 with or without a mark, else Windows-1252."""
    found: list[Problem] = []
    data, marks = _from_utf16(data, found)
    if b"\0" in data:
        found.append(problems.nul_bytes(data.count(0)))
        data = data.replace(b"\0", b"")
    start = 0
    while data.startswith(BOM, start):
        start += len(BOM)
        marks += 1
    if marks > 1:
        found.append(problems.repeated_marks(marks))
    data = data[start:]
    wrong = _first_not_utf8(data)
    if wrong is None:
        return Decoded(data, "utf-8", found)
    found.append(problems.not_utf8(data, wrong))
    return Decoded(data, "cp1252", found)


def _from_utf16(data: bytes, found: list[Problem]) -> tuple[bytes, int]:
    """Return the data in UTF-8 if they are UTF-16, and how many marks were left out."""
    for mark, encoding in _UTF16:
        is_marked = data.startswith(mark)
        if is_marked or _alternates(data, encoding):
            text = data[len(mark) * is_marked :].decode(encoding, "replace")
            found.append(problems.utf16(text.count("\ufffd")))
            return text.encode(), int(is_marked)
    return data, 0


def _alternates(data: bytes, encoding: str) -> bool:
    """Return whether every other byte is NUL, as it is in UTF-16 of a header in English."""
    first, second = data[:_SAMPLE:2], data[1:_SAMPLE:2]
    high, low = (second, first) if encoding == "utf-16-le" else (first, second)
    return len(low) > 1 and 2 * high.count(0) > len(high) and 10 * low.count(0) < len(low)


def _first_not_utf8(data: bytes) -> int | None:
    """Return the position of the first byte that is not UTF-8. Memory does not grow with the data."""
    if data.isascii():
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _BLOCK):
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + _BLOCK], start + _BLOCK >= len(data))
        except UnicodeDecodeError as error:
            return start - kept + error.start
    return None
