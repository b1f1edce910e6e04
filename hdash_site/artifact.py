"""A file that the site consists of, and what we know of a copy of it that we published."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import quote, unquote


class Artifact(NamedTuple):
    """`digest`: sha-256 of the bytes; `headers`: what stands for how they are served, empty in a folder."""

    digest: str
    headers: str = ""


class Published(NamedTuple):
    """`etag`: what the mirror calls these bytes; empty in a folder, and as long as we cannot be sure."""

    digest: str
    headers: str = ""
    etag: str = ""

    @property
    def artifact(self) -> Artifact:
        return Artifact(self.digest, self.headers)


class Waiting(NamedTuple):
    """A file whose deletion waits.

    `since`: when it was first due (UTC, ISO 8601); `nights`: nightly runs that have found it due.
    """

    since: str
    nights: int


def is_address(text: str) -> bool:
    """Tell whether a text can be the address of a page below the site, and is safe as a path."""
    # Letters of all scripts; in some, marks are part of a letter.
    plain = "".join(letter for letter in unquote(text) if not unicodedata.category(letter).startswith("M"))
    return bool(re.fullmatch(r"/?(?:[\w-]+/)*[\w-]+(?:\.html|/)?", plain))


def address(text: str) -> str:
    """Return an address below the site as pages have it, percent-encoded: `old/`, or `old.html`."""
    path = quote(unicodedata.normalize("NFC", unquote(text)).strip("/"))
    return path if path.endswith(".html") else f"{path}/"
