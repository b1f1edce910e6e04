"""Which site owns which object of a bucket: a mark on each object, and a marker object for each prefix.

An object is ours if it carries the identity of our site and our prefix. A marker says which site owns a
prefix; what is below the marker of a longer prefix belongs to another site, whatever it carries. After the
state of a site was lost, the marker names the identities that the site had before.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import quote

MARKER = ".hdash-site.json"
"""The name of a marker. No page and no file of an article begins with a dot."""

SITE, PREFIX = "hdash-site", "hdash-prefix"
"""Metadata of an object: the identity of the site that wrote it, and the prefix of that site."""

MARKER_BYTES = 1 << 20
"""A larger object is no marker."""

_FORMER = 1000
"""Former identities that a marker keeps: a site whose state is lost every night gets one a night."""
_IDENTITY = re.compile(r"[0-9a-f]{32}")
_TIME = re.compile(r"[0-9T:+-]{10,40}")
_LONGEST_MARK = 512
"""Metadata of an object has room for 2 KB in all."""


class Marker(NamedTuple):
    """`since`: when the site took the prefix (UTC, ISO 8601); `former`: identities of its lost states."""

    site: str
    prefix: str
    since: str
    former: tuple[str, ...] = ()

    def data(self) -> bytes:
        return json.dumps(self._asdict()).encode()

    def heir(self, site: str, since: str) -> Marker:
        """Return the marker of a site that takes this prefix over."""
        former = [one for one in dict.fromkeys((self.site, *self.former)) if one != site]
        return Marker(site, self.prefix, since, tuple(former[:_FORMER]))


def read(data: bytes) -> Marker | None:
    """Read a marker; None if these bytes are none. Anybody may have written it: what it names is checked."""
    try:
        given = cast(dict[str, Any], json.loads(data))
        site, since = str(given["site"]), str(given["since"])
        former = tuple(one for one in map(str, given.get("former", ())) if _IDENTITY.fullmatch(one))
        if _IDENTITY.fullmatch(site) and _TIME.fullmatch(since):
            return Marker(site, str(given["prefix"]), since, former[:_FORMER])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        pass
    return None


def marks(site: str, prefix: str) -> dict[str, str]:
    """Return the metadata that makes an object ours."""
    return {SITE: site, PREFIX: _mark(prefix)}


def is_ours(metadata: Mapping[str, str], sites: Collection[str], prefix: str) -> bool:
    return metadata.get(SITE) in sites and metadata.get(PREFIX) == _mark(prefix)


def is_of_another(metadata: Mapping[str, str], sites: Collection[str], prefix: str, path: str) -> bool:
    """Tell whether another site wrote an object to where it is now; a copy elsewhere belongs to nobody.

    `path`: of the object, below `prefix`.
    """
    if SITE not in metadata or is_ours(metadata, sites, prefix):
        return False
    return metadata.get(PREFIX) in {_mark(above) for above in _above(prefix + path)}


def prefixes(paths: Iterable[str]) -> set[str]:
    """Return the prefixes below ours that other sites own, by the markers among these paths."""
    return {path.removesuffix(MARKER) for path in paths if path.endswith(f"/{MARKER}")}


def prefix_of(path: str, others: Collection[str]) -> str:
    """Return the prefix among `others` that a path lies below, the shortest one; empty if there is none."""
    return next((above for above in _above(path) if above in others), "") if others else ""


def _above(path: str) -> Iterator[str]:
    """Yield each prefix that a path lies below: empty, `a/`, `a/b/`, …"""
    yield ""
    at = path.find("/")
    while at >= 0:
        yield path[: at + 1]
        at = path.find("/", at + 1)


def _mark(prefix: str) -> str:
    """Return a prefix as metadata can hold it: in ASCII, not empty, not too long."""
    text = f"/{quote(prefix)}"
    return text if len(text) <= _LONGEST_MARK else hashlib.sha256(prefix.encode()).hexdigest()
