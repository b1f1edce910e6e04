"""An atlas as last crawled whole: what the crawl leaves and the build begins with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

SYNAPSE_ID = re.compile(r"syn[0-9]{1,20}")
"""The id of an entity: a whole text that matches is safe in a path and in a query."""


class Project(NamedTuple):
    """An atlas and the Synapse project that holds it. Every field is a stranger's text."""

    id: str
    synapse_id: str
    name: str
    liaison: str


class Listed(NamedTuple):
    """A manifest that an atlas lists, as its row of the file view says: the md5 of its bytes, their file
    handle in Synapse, and the etag of the entity. Each may be blank.
    """

    id: str
    md5: str
    handle: str
    etag: str


class Fetched(NamedTuple):
    """A manifest as fetched: the version of its bytes, and their digest or why there are none.

    `md5`, `handle` and `etag` are what its row of the file view said.
    """

    version: str
    digest: str
    error: str = ""
    md5: str = ""
    handle: str = ""
    etag: str = ""

    def listed(self, entity: str) -> Listed:
        return Listed(entity, self.md5, self.handle, self.etag)


class Snapshot(NamedTuple):
    """`listing`: digest of the rows of the file view, as `htan.listing` wants them; `rows`: their number.

    `fingerprint` is the source's: equal means that the listing need not be asked for. `crawled` is when
    the last good crawl was, `changed` when one last found something new, `failed_since` since when the
    atlas cannot be crawled, if it cannot (UTC, ISO 8601); `failure` is why. `verified` is when the source
    last proved that the snapshot is what it holds; empty if it never did, or an earlier version crawled it.
    """

    project: Project
    fingerprint: str
    listing: str
    manifests: Mapping[str, Fetched]
    crawled: str = ""
    changed: str = ""
    rows: int = 0
    failed_since: str = ""
    failure: str = ""
    verified: str = ""

    @property
    def is_unverified(self) -> bool:
        """Whether the last good crawl could not prove that this is what the source held."""
        return bool(self.crawled) and not self.failed_since and self.verified != self.crawled
