"""`content/data/`: tables and records for layouts, as TOML, JSON or CSV; a layout reads what it asks for."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from hdash_site.engine.model import Context, Key, Overrun
from hdash_site.errors import ContentError
from hdash_site.pages import limits, values
from hdash_site.pages.figures import size

_LARGEST = 4_000_000
"""Bytes of a data file."""

_MOST_CELLS = 1_000_000
"""Cells of a CSV file: a short row is filled up to the width of the header."""


class Data:
    """What layouts know as `data`: `data.team` is what `team.toml`, `team.json` or `team.csv` holds."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        found = self._context.find(Key("data", name))
        if found is None:
            problem = self._context.find(Key("data", name, "problem"))
            if problem is not None:
                raise ContentError(*json.loads(problem))
            raise AttributeError(f"there is no content/data/{name} as .toml, .json or .csv")
        return json.loads(found)


def parts(name: str, context: Context) -> Mapping[str, bytes]:
    """Give the value of a file as JSON; nothing if there is none. Raises `ContentError`.

    Of a file that exceeds its limits, give the part `problem`.
    """
    for suffix in _READERS:
        path = f"data/{name}{suffix}"
        data = context.find(Key("content", path))
        if data is not None:
            try:
                return {"": limits.work(context, len(data), _read, path, data, suffix)}
            except Overrun as overrun:
                return limits.problem(path, overrun)
    return {}


def _read(path: str, data: bytes, suffix: str) -> bytes:
    if len(data) > _LARGEST:
        problem = f"the file has {size(len(data))}; at most {size(_LARGEST)} are allowed"
        raise ContentError(problem, f"content/{path}", "divide it into several files")
    try:
        value = _READERS[suffix](data.decode("utf-8-sig"))
        values.check(value)
    except values.Unfit as error:
        place = f"content/{path}, line {error.line}" if error.line else f"content/{path}"
        raise ContentError(f"the file cannot be used: {error.problem}", place, "correct it") from None
    except (ValueError, RecursionError, csv.Error) as error:
        said = values.words(error)
        line = re.search(r"line (\d+)", said)
        place = f"content/{path}, line {line[1]}" if line else f"content/{path}"
        raise ContentError(f"the file cannot be understood ({said})", place, "correct it") from None
    return json.dumps(value, default=str).encode()


def _csv(text: str) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
    rows: list[dict[str, str]] = []
    for row in reader:
        if None in row:
            raise ValueError(f"line {reader.line_num} has more cells than the header")
        if len(reader.fieldnames or ()) * len(rows) > _MOST_CELLS:
            raise values.Unfit(f"it has more than {_MOST_CELLS:,} cells", reader.line_num)
        rows.append(row)
    return rows


_READERS: Mapping[str, Callable[[str], Any]] = {".toml": values.toml, ".json": json.loads, ".csv": _csv}
