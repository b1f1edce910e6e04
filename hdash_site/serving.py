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

_TEXT = "; charset=utf-8"
_TYPES = {
    ".aac": "audio/aac",
    ".apng": "image/apng",
    ".atom": "application/atom+xml",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".bz2": "application/x-bzip2",
    ".cjs": "text/javascript" + _TEXT,
    ".css": "text/css" + _TEXT,
    ".csv": "text/csv" + _TEXT,
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".eot": "application/vnd.ms-fontobject",
    ".epub": "application/epub+zip",
    ".flac": "audio/flac",
    ".geojson": "application/geo+json",
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".htm": "text/html" + _TEXT,
    ".html": "text/html" + _TEXT,
    ".ico": "image/x-icon",
    ".ics": "text/calendar" + _TEXT,
    ".jfif": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript" + _TEXT,
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".jsonld": "application/ld+json",
    ".jxl": "image/jxl",
    ".log": "text/plain" + _TEXT,
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".map": "application/json",
    ".markdown": "text/markdown" + _TEXT,
    ".md": "text/markdown" + _TEXT,
    ".mjs": "text/javascript" + _TEXT,
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".otf": "font/otf",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".ppt": "application/vnd.ms-powerpoint",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rss": "application/rss+xml",
    ".rtf": "application/rtf",
    ".sif": "text/plain" + _TEXT,
    ".svg": "image/svg+xml",
    ".tar": "application/x-tar",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".toml": "application/toml",
    ".tsv": "text/tab-separated-values" + _TEXT,
    ".ttf": "font/ttf",
    ".txt": "text/plain" + _TEXT,
    ".vcf": "text/plain" + _TEXT,
    ".vtt": "text/vtt" + _TEXT,
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xhtml": "application/xhtml+xml",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "application/xml",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
    ".zst": "application/zstd",
}
"""The content type by the ending of a file's name, in small letters. It does not ask Python's `mimetypes`,
whose answers depend on the machine."""

_COMPRESSED = frozenset(
    (
        *(".cjs", ".css", ".htm", ".html", ".js", ".json", ".map", ".mjs", ".otf", ".svg", ".ttf", ".wasm"),
        *(".webmanifest", ".xhtml", ".xml"),
    )
)
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

    @functools.cache  # noqa: B019 - there are few ways to serve, and many files
    def mark(self) -> str:
        """Give what stands for all of it in the ledger, and on the object."""
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
    suffix = PurePosixPath(path).suffix.lower()
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
