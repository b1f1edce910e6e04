"""How a file of the site is served: its type, how long it may be kept, whether its bytes are compressed.

`[[deploy.route]]` tables in `site.toml` say it for the paths that match their `pattern`; of each field, the
first table that gives it counts, and the built-in ones come last.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

FIELDS = {"pattern": str, "content_type": str, "cache_control": str, "compress": bool}
"""What a table of a route may say."""

FOR_EVER = "public, max-age=31536000, immutable"
ASK_FIRST = "public, max-age=0, must-revalidate"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".sif": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".tsv": "text/tab-separated-values; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}

_COMPRESSED = frozenset((".css", ".html", ".js", ".json", ".svg", ".xml"))
"""What browsers ask for. A table that is downloaded stays as it is: not every program that reads tables from
an address decompresses what it was told is compressed."""

SMALL_BYTES = 1000
"""Below that a body fits into one packet, compressed or not."""


class Serving(NamedTuple):
    """`redirect`: where a reader is led instead, if anywhere."""

    content_type: str
    cache_control: str
    compress: bool
    redirect: str = ""

    @property
    def mark(self) -> str:
        """What stands for all of it in the ledger, and on the object."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()[:16]


def check(table: Mapping[str, Any]) -> None:
    """Raise `ValueError` if a table of a route says something that it cannot."""
    unknown = sorted(set(table) - set(FIELDS))
    if unknown:
        raise ValueError(f'"{unknown[0]}" says nothing here')
    if "pattern" not in table:
        raise ValueError("a route needs a pattern")
    for name, value in table.items():
        if not isinstance(value, FIELDS[name]) or (isinstance(value, str) and not _sound(value)):
            raise ValueError(f"{name} cannot be {value!r}")
    try:
        re.compile(table["pattern"])
    except re.error as error:
        raise ValueError(f"the pattern is no regular expression: {error}") from None


def serving(path: str, routes: Iterable[Mapping[str, Any]], redirect: str = "") -> Serving:
    """Say how the file at `path` is served."""
    suffix = PurePosixPath(path).suffix
    found: dict[str, Any] = {}
    for route in routes:
        if _compiled(route["pattern"]).fullmatch(path):
            found = {**route, **found}
    return Serving(
        found.get("content_type", _TYPES.get(suffix, "application/octet-stream")),
        found.get("cache_control", FOR_EVER if path.startswith("assets/") else ASK_FIRST),
        found.get("compress", suffix in _COMPRESSED),
        redirect,
    )


def body_of(data: bytes, how: Serving) -> tuple[bytes, str]:
    """Give the bytes to store and their content encoding; the same bytes for the same data, always."""
    if how.compress and len(data) >= SMALL_BYTES:
        packed = gzip.compress(data, 6, mtime=0)
        if len(packed) * 10 < len(data) * 9:
            return packed, "gzip"
    return data, ""


def _sound(value: str) -> bool:
    return bool(value) and value.isascii() and value.isprintable()


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
