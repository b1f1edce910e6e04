"""A CSV as it was typed: bytes to rows of cells, fast, whatever the bytes are."""

from __future__ import annotations

import csv
import io
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

BOM: Final = b"\xef\xbb\xbf"
CHUNK: Final = 128
"""Rows of a chunk: few enough for a processor's cache, which makes columns of short texts cheap."""

csv.field_size_limit(2**31 - 1)


def rows(data: bytes, encoding: str, errors: str = "strict") -> Iterator[list[str]]:
    """The rows as `csv.reader` reads them.

    Raises UnicodeDecodeError at bytes that are not of the encoding, unless `errors` says else.

    A line without a quote, which is nearly every one, is merely split: twice as fast.
    """
    stream = io.BytesIO(data)
    if data.startswith(BOM):
        stream.seek(len(BOM))
    lines = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
    for line in lines:
        if '"' in line:
            yield next(csv.reader(chain((line,), lines)))
        else:
            yield line.rstrip("\r\n").split(",")


def chunks(source: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    """The same rows, many at a time."""
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def is_blank(row: list[str]) -> bool:
    return not any(map(str.strip, row))
