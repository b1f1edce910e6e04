"""What a bucket has, and whose it is.

What is there is listed. Its digests and headers are those that the ledger remembers; what the ledger cannot
know is looked up in the objects, one request each.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from hdash_site.artifact import Artifact, Published
from hdash_site.bucket import PAGE, Bucket, Object, Page
from hdash_site.deploy import owner
from hdash_site.deploy.owner import MARKER, Marker
from hdash_site.deploy.plan import STATUS_FILE
from hdash_site.deploy.waiting import Limit
from hdash_site.errors import AwsError, OutputError
from hdash_site.serving import Serving

DIGEST, HEADERS = "hdash-digest", "hdash-headers"
"""The metadata that says what an object holds; `owner.marks` says whose it is."""

LISTINGS = 3
"""Parts of a listing that are asked for side by side, beside its first page."""


class Wanted(NamedTuple):
    """What the bucket should have: digest and headers by path, and how to come by the bytes of a path.

    `noting` gives the same site with a `status.json` that says how many deletions wait.
    """

    digests: Mapping[str, str]
    servings: Mapping[str, Serving]
    load: Callable[[str], bytes]
    noting: Callable[[int], Wanted]

    def artifacts(self) -> dict[str, Artifact]:
        return {path: Artifact(digest, self.servings[path].mark()) for path, digest in self.digests.items()}


class How(NamedTuple):
    """How to deploy. `site`: our identity; `moment`: now (UTC, ISO 8601).

    `trust`: believe the ledger without a listing, if `status.json` is the one that it knows. `adopt`:
    replace another site that deployed to our prefix. `out_of_time` says whether to stop.
    """

    site: str
    moment: str
    uploads: int = 16
    limit: Limit = Limit()
    trust: bool = False
    adopt: bool = False
    dry: bool = False
    out_of_time: Callable[[], bool] = lambda: False


class Claim(NamedTuple):
    """Whose the prefix is. `sites`: the identities whose objects are ours.

    `marker`: ours, if it must be written; `etag`: of our marker, if it need only be remembered. `note`: a
    line on a site that was taken over.
    """

    sites: frozenset[str]
    marker: Marker | None = None
    etag: str = ""
    note: str = ""


class Holdings(NamedTuple):
    """`have`: ETag by path of what is there, without our marker and without what is below `others`.

    `known`: what we know of our files, there or not; `taken`: files of other sites in places that we want;
    `others`: prefixes of other sites below ours.
    """

    have: Mapping[str, str]
    known: Mapping[str, Published]
    taken: Mapping[str, Object]
    others: Collection[str]
    claim: Claim


def survey(
    bucket: Bucket,
    find: Callable[[], Wanted],
    remembered: Mapping[str, Published],
    how: How,
    pool: ThreadPoolExecutor,
    first: Future[Page] | None,
) -> tuple[Wanted, Holdings]:
    """Find what is wanted and what is there, both at once.

    `remembered`: the ledger; `first`: the first page of a listing, unless the ledger is trusted.

    Raises `OutputError` if another site deployed to our prefix, and is not to be replaced.
    """
    ours = {path: known for path, known in remembered.items() if path != MARKER}
    own = remembered.get(MARKER)
    wanted, have = _seen(bucket, find, remembered, pool, first)
    etag = have.pop(MARKER, "")
    others = owner.prefixes(have)
    if others:
        have = {path: etag for path, etag in have.items() if not owner.prefix_of(path, others)}
    remembered_marker = own is not None and (own.digest, own.etag) == (how.site, etag)
    lookup = _Lookup(bucket, have, ours, wanted, anew=bool(etag) and not remembered_marker)
    unsure = lookup.unsure()
    # Former identities are needed where objects are looked at, and only the marker knows them.
    claim = (
        Claim(frozenset((how.site,))) if remembered_marker and not unsure else _claim(bucket, etag, own, how)
    )
    known, taken = lookup.done(zip(unsure, pool.map(bucket.look, unsure), strict=True), claim.sites)
    _refuse_another_site(bucket, taken, how)
    return wanted, Holdings(have, known, taken, others, claim)


def _seen(
    bucket: Bucket,
    find: Callable[[], Wanted],
    remembered: Mapping[str, Published],
    pool: ThreadPoolExecutor,
    first: Future[Page] | None,
) -> tuple[Wanted, dict[str, str]]:
    """Return what is wanted, and the ETag by path of what is there."""
    wanted = None
    if first is None and MARKER in remembered and _untouched(bucket, remembered):
        wanted = find()
        # Only a listing tells what is there where a new file goes.
        if wanted.digests.keys() <= remembered.keys():
            return wanted, {path: known.etag for path, known in remembered.items()}
    listing = _listing(bucket, remembered, first or pool.submit(bucket.page), pool)
    return wanted or find(), dict(itertools.chain.from_iterable(listing))


def _listing(
    bucket: Bucket, ours: Mapping[str, Published], first: Future[Page], pool: ThreadPoolExecutor
) -> Iterator[list[tuple[str, str]]]:
    """List the bucket, whose first page is on its way; give path and ETag of what is there, part by part."""
    # A thousand keys an answer: between keys that we know, answers can be asked for side by side.
    keys = sorted((path for path, known in ours.items() if known.etag), key=str.encode)
    borders = keys[PAGE - 1 : -1 : PAGE]
    (_, until), *spans = itertools.pairwise(["", *borders, ""])

    def list_first() -> list[tuple[str, str]]:
        return [*bucket.list(until=until, page=first.result())]

    def list_turn(turn: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        return [found for span in turn for found in bucket.list(*span)]

    # Few at once: they are understood by one processor.
    turns = [spans[turn::LISTINGS] for turn in range(min(LISTINGS, len(spans)))]
    parts = [pool.submit(list_first), *(pool.submit(list_turn, turn) for turn in turns)]
    return (part.result() for part in parts)


def _untouched(bucket: Bucket, ours: Mapping[str, Published]) -> bool:
    """Tell whether `status.json` is the one that we wrote last, and all was done then."""
    check = ours.get(STATUS_FILE)
    if not check or not all(known.etag for known in ours.values()):
        return False
    return not bucket.changed(STATUS_FILE, check.etag)


def _claim(bucket: Bucket, etag: str, own: Published | None, how: How) -> Claim:
    """Find out whose the prefix is. `etag`: of the marker that is there; `own`: the one that we remember.

    A marker that we did not write means that another site took the prefix. If we remember no marker at all,
    our state is new or was lost: then the prefix is taken over, with the files of the site that the marker
    names.
    """
    site, prefix = how.site, bucket.where.prefix
    fresh = Claim(frozenset((site,)), Marker(site, prefix, how.moment))
    if not etag:
        return fresh
    marker = _marker(bucket)
    if marker is None or marker.prefix != prefix:
        return fresh
    sites = frozenset((site, marker.site, *marker.former))
    if marker.site == site:
        return Claim(sites, etag=etag)
    if own and own.digest != marker.site and not how.adopt:
        raise _another_site(bucket, f"(its identity is {marker.site}, since {marker.since})")
    note = (
        f"{bucket.where}: this prefix belonged to site {marker.site} (since {marker.since}), which this state"
        " does not know; its files are taken over. If that site is still deployed, use another S3_PREFIX"
    )
    return Claim(sites, marker.heir(site, how.moment), note=note)


def _marker(bucket: Bucket) -> Marker | None:
    try:
        found = bucket.get(MARKER, most=owner.MARKER_BYTES)
    except AwsError as error:
        if error.code == "TooLarge":
            return None
        raise
    return owner.read(found.data) if found else None


def _refuse_another_site(bucket: Bucket, taken: Mapping[str, Object], how: How) -> None:
    """Raise `OutputError` if files of another site are in our places, and this is their prefix as well."""
    prefix = bucket.where.prefix
    for path, found in taken.items():
        site = found.metadata[owner.SITE]
        if not how.adopt and owner.is_ours(found.metadata, (site,), prefix):
            raise _another_site(bucket, f"(its identity is {site[:32]}, on {path})")


def _another_site(bucket: Bucket, which: str) -> OutputError:
    return OutputError(
        f"another site has deployed to this prefix {which}; nothing was changed",
        str(bucket.where),
        "set S3_PREFIX to another prefix, or replace that site with --adopt",
    )


class _Lookup:
    """What only the objects can tell: whose they are, and what they hold. `anew`: look at all of them."""

    def __init__(
        self,
        bucket: Bucket,
        have: Mapping[str, str],
        ours: Mapping[str, Published],
        wanted: Wanted,
        *,
        anew: bool,
    ) -> None:
        self._prefix, self._have, self._ours, self._wanted = bucket.where.prefix, have, ours, wanted
        check = ours.get(STATUS_FILE)
        self._older = (
            anew or (check.etag if check else None) != have.get(STATUS_FILE) or bool(have and not ours)
        )

    def unsure(self) -> list[str]:
        """Return the paths to look at: all, if the ledger is older than the bucket."""
        ours, wanted = self._ours, self._wanted.digests
        return [
            path
            for path, etag in self._have.items()
            if self._older or (ours[path].etag != etag if path in ours else path in wanted)
        ]

    def done(
        self, looked: Iterable[tuple[str, Object | None]], sites: Collection[str]
    ) -> tuple[dict[str, Published], dict[str, Object]]:
        """Return the ledger as the objects correct it, and files of other sites in places that we want."""
        known = dict(self._ours)
        taken: dict[str, Object] = {}
        for path, found in looked:
            entry = known.pop(path, None)
            if found is None:
                continue
            if owner.is_of_another(found.metadata, sites, self._prefix, path):
                if path in self._wanted.digests:
                    taken[path] = found
                continue
            corrected = self._corrected(
                path, found, entry, owner.is_ours(found.metadata, sites, self._prefix)
            )
            if corrected:
                known[path] = corrected
        return known, taken

    def _corrected(self, path: str, found: Object, entry: Published | None, ours: bool) -> Published | None:
        """Return what is known of an object that is not another site's; None if it is not ours."""
        if entry and entry.etag and not self._older:
            # Altered since we wrote it, so its metadata need not be true.
            return entry if ours or path in self._wanted.digests else None
        if DIGEST in found.metadata and (ours or self._is_proved(path, found, entry)):
            return Published(found.metadata[DIGEST], self._headers(path, found), found.etag)
        return None

    def _is_proved(self, path: str, found: Object, entry: Published | None) -> bool:
        """Tell whether an object of version 0.1.0, which names no site, is ours: its bytes are."""
        if owner.SITE in found.metadata:
            return False
        digest = found.metadata[DIGEST]
        if digest == self._wanted.digests.get(path):
            return True
        return entry is not None and (entry.etag == found.etag if entry.etag else entry.digest == digest)

    def _headers(self, path: str, found: Object) -> str:
        """Return the mark of an object's headers; empty if its headers are not those of its mark."""
        how = self._wanted.servings.get(path)
        expected = {"ContentType": how.content_type, "CacheControl": how.cache_control} if how else {}
        if how and how.redirect:
            expected["WebsiteRedirectLocation"] = how.redirect
        told = {name: value for name, value in found.headers.items() if name != "ContentEncoding"}
        return found.metadata.get(HEADERS, "") if told == expected else ""
