"""Telling CloudFront which of its copies are old. What it could not be told is told the next time."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from hdash_site import aws
from hdash_site.artifact import Published

DISTRIBUTION = "CLOUDFRONT_DISTRIBUTION_ID"

MANY = 1000
"""So many paths are free in a month; beyond that a folder is named as a whole."""


class Ledger(Protocol):
    """Where we remember what CloudFront was not told yet."""

    def published(self, mirror: str) -> dict[str, Published]: ...

    def claim(self, mirror: str, files: Mapping[str, Published]) -> None: ...

    def disown(self, mirror: str, paths: Iterable[str]) -> None: ...


def remember(ledger: Ledger, distribution: str, paths: Collection[str]) -> None:
    ledger.claim(_name(distribution), {path: Published("") for path in paths})


def invalidate(client: Any, access: aws.Access, ledger: Ledger, distribution: str, prefix: str) -> int:
    """Tell the distribution of every path that changed since it was told last; give their number.

    `prefix`: where the site is in the bucket. Raises `AwsError`.
    """
    paths = sorted(ledger.published(_name(distribution)))
    if not paths:
        return 0
    items = [encoded(f"/{prefix}{path}") for path in patterns(paths)]
    # By its reference CloudFront tells a request that is tried again from one for the same paths another day.
    batch = {"Paths": {"Quantity": len(items), "Items": items}, "CallerReference": secrets.token_hex(16)}
    place = f"CloudFront {distribution}"
    aws.tried(access, place, client.create_invalidation, DistributionId=distribution, InvalidationBatch=batch)
    ledger.disown(_name(distribution), paths)
    return len(items)


def patterns(paths: Iterable[str]) -> list[str]:
    """Give what to invalidate: a page at both of its addresses; too many, by their first folder."""
    found: set[str] = set()
    for path in paths:
        found.add(path)
        if path == "index.html" or path.endswith("/index.html"):
            found.add(path.removesuffix("index.html"))
    if len(found) > MANY:
        found = {f"{head}/*" if slash else path for path in found for head, slash, _ in [path.partition("/")]}
    return sorted(found) if len(found) <= MANY else ["*"]


def encoded(path: str) -> str:
    """Return a path as CloudFront compares it: percent-encoded, but for characters that are safe in a URL.

    CloudFront's rule is that of RFC 1738, and it finds no copy under a path that is encoded further.
    """
    return quote(path, safe="/*+&=:@,'()!$;").replace("~", "%7E")


def _name(distribution: str) -> str:
    return f"cloudfront:{distribution}"
