"""Ask a source what changed, fetch that, and keep the last good snapshot of an atlas that cannot be read.

An atlas is replaced as a whole or not at all: its listing and every manifest of it are there, or are
missing for a reason that is its own (`ManifestError`), before its new snapshot counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import BinaryIO, NamedTuple, Protocol

from hdash_site.engine.model import digest
from hdash_site.errors import AtlasError, ManifestError, SourceError
from hdash_site.snapshot import SYNAPSE_ID, Fetched, Listed, Project, Snapshot

FEW = 10
"""Fewer lost entities than that are accepted, unless nothing is left of the atlas."""

LARGEST_LOSS = 10
"""An atlas may lose one entity in that many from one crawl to the next."""

LOSS_WAY_OUT = (
    "see that the account may read the whole project, or run with --accept-loss if they were deleted"
)


class Source(Protocol):
    """What a source of atlases answers; each raises `SourceError` if it can answer for none of them."""

    def projects(self) -> Sequence[Project]: ...

    def fingerprints(self, projects: Sequence[Project], last: Mapping[str, Snapshot]) -> Mapping[str, str]:
        """Give, by atlas id, what is the same as in its `last` snapshot as long as its listing is."""
        ...

    def unverified(self, read: Mapping[str, Sequence[Listed]]) -> Mapping[str, str]:
        """Return, by atlas id, why the source cannot prove that its answers are what it holds now.

        `read`: the manifests of the atlases whose listings were read in this crawl. Raises nothing.
        """
        ...

    def listings(self, projects: Sequence[Project]) -> Iterator[tuple[Project, BinaryIO | AtlasError]]:
        """Give the rows of each atlas as UTF-8 CSV with `htan.entities.COLUMNS`, each file once."""
        ...

    def versions(self, manifests: Iterable[Listed]) -> Mapping[str, str]:
        """Give, by entity id, what is equal for equal bytes, whoever they belong to; none: not known."""
        ...

    def manifests(self, wanted: Sequence[Listed]) -> Iterator[tuple[str, bytes | AtlasError]]:
        """Give the bytes of each manifest by entity id, in any order."""
        ...


class Blobs(Protocol):
    """Where fetched bytes are kept."""

    def __contains__(self, digest: str) -> bool: ...

    def load(self, digest: str) -> bytes | None: ...

    def keep(self, data: bytes) -> str: ...

    def keep_file(self, file: BinaryIO) -> str: ...


class Crawled(NamedTuple):
    """The atlases of today, and by atlas id why some could not be crawled, or not be verified."""

    snapshots: dict[str, Snapshot]
    failed: dict[str, SourceError]
    unverified: dict[str, str]

    def problems(self) -> list[str]:
        """Return a line for each cause, however many atlases it affects."""
        failures = {atlas: str(error) for atlas, error in self.failed.items()}
        return [*_by_cause("read", failures), *_by_cause("verified", self.unverified)]


class Asked(NamedTuple):
    """What a crawl is to do: `only` these atlases if any are named; `now` is the time to write down.

    `accept_loss`: accept a listing that lost more than a tenth of its entities. A permission that was
    withdrawn looks the same, so without `accept_loss` the atlas counts as failed.
    """

    now: str
    only: Collection[str] = ()
    accept_loss: bool = True


Tell = Callable[[str, int, int], None]
"""Called with what is at hand, how much of it is done, and how much there is."""


class _Listing(NamedTuple):
    """What an atlas lists today, or still does."""

    project: Project
    fingerprint: str
    digest: str
    rows: int
    manifests: list[Listed]
    was_read: bool


class _Loss(NamedTuple):
    """How many of an atlas's entities before are not listed now; `ids` is empty where they are not known."""

    before: int
    lost: int
    ids: Set[str]

    def is_suspicious(self, rows_now: int) -> bool:
        return self.lost * LARGEST_LOSS > self.before and (self.lost >= FEW or not rows_now)


def crawl(source: Source, last: Mapping[str, Snapshot], blobs: Blobs, asked: Asked, tell: Tell) -> Crawled:
    """Crawl every atlas of the source, or those that are asked for; the others stay as they were last.

    Raises `SourceError` if no atlas can be read and there is none from before.
    """
    projects, failed = atlases_of(source)
    asked_for = [project for project in projects if not asked.only or project.id in asked.only]
    chosen = [project for project in asked_for if project.id not in failed]
    # What was crawled from another project is no earlier state of this one, unless its id is a typing error.
    known = {
        project.id: last[project.id]
        for project in asked_for
        if project.id in last
        and (project.id in failed or last[project.id].project.synapse_id == project.synapse_id)
    }
    crawled: dict[str, Snapshot] = {}
    unverified: dict[str, str] = {}
    try:
        listings = _listings(source, chosen, known, blobs, asked, failed, tell)
        doubts = source.unverified({atlas: one.manifests for atlas, one in listings.items() if one.was_read})
        fetched = _manifests(source, listings, last, blobs, failed, tell)
        for atlas, listing in listings.items():
            if atlas not in failed:
                old, is_verified = known.get(atlas), atlas not in doubts
                crawled[atlas] = _snapshot(listing, fetched, old, asked.now, is_verified=is_verified)
        unverified = {atlas: doubts[atlas] for atlas in crawled if atlas in doubts}
    except SourceError as error:
        if not known:
            raise
        failed.update({project.id: error for project in chosen if project.id not in failed})
    return Crawled(_snapshots(projects, crawled, last, known, failed, asked), failed, unverified)


def recovered(source: Source, snapshots: Mapping[str, Snapshot], lost: str) -> bytes | None:
    """Fetch once more the listing or manifest whose bytes had the digest `lost`; None if they changed."""
    for snapshot in snapshots.values():
        found: list[bytes] = []
        if snapshot.listing == lost:
            for _, file in source.listings([snapshot.project]):
                if not isinstance(file, AtlasError):
                    with file:
                        found.append(file.read())
        for entity, fetched in snapshot.manifests.items():
            if fetched.digest == lost:
                answer = source.manifests([fetched.listed(entity)])
                found += [data for _, data in answer if isinstance(data, bytes)]
        if found and digest(found[0]) == lost:
            return found[0]
    return None


def atlases_of(source: Source) -> tuple[list[Project], dict[str, SourceError]]:
    """Give the atlases, each id once, and what is wrong with some of them."""
    first: dict[str, Project] = {}
    failed: dict[str, SourceError] = {}
    for project in source.projects():
        if project.id in first:
            way_out = "the first one stands; give the other an id of its own"
            failed[f"{project.id} ({project.synapse_id})"] = AtlasError("it is listed twice", way_out=way_out)
            continue
        first[project.id] = project
        if not SYNAPSE_ID.fullmatch(project.synapse_id):
            said = f'"{project.synapse_id}" is no Synapse id'
            failed[project.id] = AtlasError(said, way_out="write syn and a number")
    return list(first.values()), failed


def too_large(largest: int) -> ManifestError:
    """Say that a manifest has more bytes than are read."""
    return ManifestError(f"The manifest is larger than {largest >> 20} MiB", way_out="split it.")


def _by_cause(done: str, causes: Mapping[str, str]) -> Iterator[str]:
    """Give a line for each cause, with the atlases that were not read or not verified for it."""
    atlases: dict[str, list[str]] = {}
    for atlas, cause in causes.items():
        atlases.setdefault(cause, []).append(atlas)
    for cause, named in atlases.items():
        subject = f"atlas {named[0]} was" if len(named) == 1 else f"atlases {', '.join(named)} were"
        yield f"{subject} not {done}: {cause}"


def _listings(
    source: Source,
    projects: Sequence[Project],
    known: Mapping[str, Snapshot],
    blobs: Blobs,
    asked: Asked,
    failed: dict[str, SourceError],
    tell: Tell,
) -> dict[str, _Listing]:
    """Return what each atlas lists; only listings whose fingerprint changed are read."""
    fingerprints = source.fingerprints(projects, known)
    listings: dict[str, _Listing] = {}
    changed: list[Project] = []
    for project in projects:
        old, now = known.get(project.id), fingerprints[project.id]
        if old and old.fingerprint == now and old.listing in blobs:
            manifests = [fetched.listed(entity) for entity, fetched in old.manifests.items()]
            listings[project.id] = _Listing(project, now, old.listing, old.rows, manifests, was_read=False)
        else:
            changed.append(project)
    for number, (project, found) in enumerate(source.listings(changed) if changed else (), 1):
        tell(project.id, number, len(changed))
        if isinstance(found, AtlasError):
            failed[project.id] = found
        else:
            listings[project.id] = _kept(project, fingerprints[project.id], found, blobs)
    if not asked.accept_loss:
        for atlas, error in _losses(listings, known, blobs).items():
            failed[atlas] = error
            del listings[atlas]
    return listings


def _kept(project: Project, fingerprint: str, found: BinaryIO, blobs: Blobs) -> _Listing:
    """Keep a listing, and return what is in it."""
    from hdash_site.htan.entities import survey

    with found:
        kept = blobs.keep_file(found)
        rows, manifests = survey(found)
    return _Listing(project, fingerprint, kept, rows, [Listed(*one) for one in manifests], was_read=True)


def _losses(
    listings: Mapping[str, _Listing], known: Mapping[str, Snapshot], blobs: Blobs
) -> dict[str, AtlasError]:
    """Return an error for each atlas that lost more than a tenth of its entities.

    Entities are counted by id: a rename or a move is no loss, and additions do not make up for one.
    """
    read = {atlas: listing for atlas, listing in listings.items() if listing.was_read}
    losses = {atlas: _loss(known[atlas], now, blobs) for atlas, now in read.items() if atlas in known}
    errors: dict[str, AtlasError] = {}
    listed_now: set[str] = set()
    for atlas, loss in losses.items():
        if not loss.is_suspicious(read[atlas].rows):
            continue
        # What moved to another atlas is still there to be seen: no permission was lost.
        if not listed_now:
            listed_now.update(*(_ids(blobs, now.digest) or () for now in read.values()))
        lost = len(loss.ids - listed_now) if loss.ids else loss.lost
        if loss._replace(lost=lost).is_suspicious(read[atlas].rows):
            said = f"{lost:,} of its {loss.before:,} entities are missing from its listing"
            errors[atlas] = AtlasError(said, way_out=LOSS_WAY_OUT)
    return errors


def _loss(old: Snapshot, now: _Listing, blobs: Blobs) -> _Loss:
    """Compare two listings by entity id, or by their numbers of rows where the bytes of one are lost."""
    before, after = _ids(blobs, old.listing), _ids(blobs, now.digest)
    if before is None or after is None:
        return _Loss(old.rows, max(0, old.rows - now.rows), frozenset())
    lost = before - after
    return _Loss(len(before), len(lost), lost)


def _ids(blobs: Blobs, listing: str) -> Set[str] | None:
    """Return the ids of a listing; None if its bytes are lost."""
    from hdash_site.htan.entities import ids

    data = blobs.load(listing)
    return None if data is None else ids(data)


def _manifests(
    source: Source,
    listings: Mapping[str, _Listing],
    last: Mapping[str, Snapshot],
    blobs: Blobs,
    failed: dict[str, SourceError],
    tell: Tell,
) -> dict[str, Fetched]:
    """Give every manifest that an atlas lists, by entity id; bytes that are held are not fetched again.

    What could not be fetched is asked for again at every crawl, since it has no bytes.
    """
    listed = {one.id: one for listing in listings.values() for one in listing.manifests}
    versions = source.versions(listed.values())
    # Without a version of its own, a manifest is told from others by its entity.
    names = {entity: versions.get(entity) or f"of {entity}" for entity in listed}
    held = {
        fetched.version: fetched.digest
        for old in last.values()
        for fetched in old.manifests.values()
        if fetched.version and fetched.digest in blobs
    }
    wanted = {names[entity]: one for entity, one in listed.items() if names[entity] not in held}
    errors: dict[str, AtlasError] = {}
    answers = source.manifests(list(wanted.values())) if wanted else ()
    for number, (entity, found) in enumerate(answers, 1):
        tell(entity, number, len(wanted))
        if isinstance(found, bytes):
            held[names[entity]] = blobs.keep(found)
        else:
            errors[names[entity]] = found
    for atlas, listing in listings.items():
        for one in listing.manifests:
            error = errors.get(names[one.id])
            if error and not isinstance(error, ManifestError):
                failed[atlas] = error
    return {
        entity: Fetched(
            versions.get(entity, ""), held.get(name, ""), str(errors.get(name, "")), *listed[entity][1:]
        )
        for entity, name in names.items()
    }


def _snapshot(
    listing: _Listing, fetched: Mapping[str, Fetched], old: Snapshot | None, now: str, *, is_verified: bool
) -> Snapshot:
    manifests = {one.id: fetched[one.id] for one in listing.manifests}
    same = old and (old.project, old.listing, old.manifests) == (listing.project, listing.digest, manifests)
    changed = old.changed if old and same else now
    verified = now if is_verified else old.verified if old else ""
    crawled = now if is_verified else _after(verified, now)
    known = listing.project, listing.fingerprint, listing.digest, manifests
    return Snapshot(*known, crawled, changed, listing.rows, verified=verified)


def _after(verified: str, now: str) -> str:
    """Return the time of a crawl that was not verified: two equal times would say that it was.

    It is later than `verified` also where the clock stands still, as with `SOURCE_DATE_EPOCH`.
    """
    if now != verified:
        return now
    later = datetime.fromisoformat(verified) + timedelta(milliseconds=1)
    return later.isoformat(timespec="milliseconds")


def _snapshots(
    projects: Sequence[Project],
    crawled: Mapping[str, Snapshot],
    last: Mapping[str, Snapshot],
    known: Mapping[str, Snapshot],
    failed: Mapping[str, SourceError],
    asked: Asked,
) -> dict[str, Snapshot]:
    """Give the snapshots in the source's order: new ones, and the last good ones of those that failed."""
    snapshots: dict[str, Snapshot] = {}
    for atlas in (project.id for project in projects):
        if atlas in crawled:
            snapshots[atlas] = crawled[atlas]
        elif atlas in failed and atlas in known:
            since = known[atlas].failed_since or asked.now
            snapshots[atlas] = known[atlas]._replace(failed_since=since, failure=str(failed[atlas]))
        elif asked.only and atlas not in asked.only and atlas in last:
            snapshots[atlas] = last[atlas]
    return snapshots
