"""An atlas as last crawled whole: what the crawl leaves and the build begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Project(NamedTuple):
    """An atlas and the Synapse project that holds it. Every field is a stranger's text."""

    id: str
    synapse_id: str
    name: str
    liaison: str


class Fetched(NamedTuple):
    """A manifest as fetched: the version of it, and the digest of its bytes or why there are none."""

    version: str
    digest: str
    error: str = ""


class Snapshot(NamedTuple):
    """`listing`: digest of the rows of the file view, as `htan.listing` wants them; `rows`: their number.

    `fingerprint` is the source's: equal means that the listing need not be asked for. Times are in UTC,
    ISO 8601. `crawled`: of the last crawl that went well; `changed`: of the last one that found something
    else than the one before. `failed_since`: of the first crawl that failed since then, `failure`: why;
    both are empty if the last crawl went well.
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

    @property
    def notice(self) -> str:
        """Say on its pages since when the atlas cannot be crawled; empty if the last crawl went well."""
        if not self.failed_since:
            return ""
        since = f"since {self.failed_since[:10]} ({self.failure})"
        return f"This atlas could not be read {since}. What is shown here is older."

    def crawled_at(self, now: str, old: Snapshot | None) -> Snapshot:
        """Give it with the times of a crawl that went well now; `old` is what was known before."""
        changed = old.changed if old and old[:4] == self[:4] else ""
        return self._replace(crawled=now, changed=changed or now)

    def failed_at(self, now: str, failure: str) -> Snapshot:
        """Give it after a crawl that failed now; if earlier ones failed too, the first one stands."""
        return self if self.failed_since else self._replace(failed_since=now, failure=failure)


def rows_of(listing: bytes) -> int:
    """Count the rows below the head of a CSV whose lines all end; a quoted cell may hold line breaks."""
    return max(sum(plain.count(b"\n") for plain in listing.split(b'"')[::2]) - 1, 0)
