"""Ask a source what changed, fetch that, and keep the last good snapshot of an atlas that cannot be read.

An atlas is replaced as a whole or not at all: its listing and every manifest of it are there, or are
missing for a reason that is its own (`ManifestError`), before its new snapshot counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple, Protocol

from hdash_site.engine.model import digest
from hdash_site.errors import AtlasError, ManifestError, SourceError
from hdash_site.snapshot import SYNAPSE_ID, Fetched, Listed, Project, Snapshot

FEW = 10
"""So many entities may go from a small atlas at once, unless nothing is left of it."""


class Source(Protocol):
    """What a source of atlases answers; each raises `SourceError` if it can answer for none of them."""

    def projects(self) -> Sequence[Project]: ...

    def fingerprints(self, projects: Sequence[Project], last: Mapping[str, Snapshot]) -> Mapping[str, str]:
        """Give, by atlas id, what is the same as in its `last` snapshot as long as its listing is."""
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

    def keep(self, data: bytes) -> str: ...

    def keep_file(self, file: BinaryIO) -> str: ...


class Crawled(NamedTuple):
    """The atlases of today, and why some could not be crawled, by atlas id."""

    snapshots: dict[str, Snapshot]
    failed: dict[str, SourceError]

    def problems(self) -> list[str]:
        """Give a line for each thing that went wrong, however many atlases it struck."""
        struck: dict[str, list[str]] = {}
        for atlas, error in self.failed.items():
            struck.setdefault(str(error), []).append(atlas)
        return [
            f"atlas {some[0]} was not read: {said}"
            if len(some) == 1
            else f"atlases {', '.join(some)} were not read: {said}"
            for said, some in struck.items()
        ]


class Asked(NamedTuple):
    """What a crawl is to do: `only` these atlases if any are named; `now` is the time to write down.

    `accept_loss`: believe a listing that lost most of its rows. A permission that was withdrawn looks
    like that, so else it is taken for a failure.
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
    try:
        listings = _listings(source, chosen, known, blobs, asked, failed, tell)
        fetched = _manifests(source, listings, last, blobs, failed, tell)
        for atlas, listing in listings.items():
            if atlas not in failed:
                crawled[atlas] = _snapshot(listing, fetched, known.get(atlas), asked.now)
    except SourceError as error:
        if not known:
            raise
        failed.update({project.id: error for project in chosen if project.id not in failed})
    return Crawled(_snapshots(projects, crawled, last, known, failed, asked), failed)


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


def _listings(
    source: Source,
    projects: Sequence[Project],
    known: Mapping[str, Snapshot],
    blobs: Blobs,
    asked: Asked,
    failed: dict[str, SourceError],
    tell: Tell,
) -> dict[str, _Listing]:
    """Give what each atlas lists, asking only those whose fingerprint is another now."""
    fingerprints = source.fingerprints(projects, known)
    listings: dict[str, _Listing] = {}
    changed: list[Project] = []
    for project in projects:
        old, now = known.get(project.id), fingerprints[project.id]
        if old and old.fingerprint == now and old.listing in blobs:
            manifests = [fetched.listed(entity) for entity, fetched in old.manifests.items()]
            listings[project.id] = _Listing(project, now, old.listing, old.rows, manifests)
        else:
            changed.append(project)
    for number, (project, found) in enumerate(source.listings(changed) if changed else (), 1):
        tell(project.id, number, len(changed))
        before = 0 if asked.accept_loss or project.id not in known else known[project.id].rows
        try:
            listings[project.id] = _kept(project, fingerprints[project.id], found, blobs, before)
        except AtlasError as error:
            failed[project.id] = error
    return listings


def _kept(
    project: Project, fingerprint: str, found: BinaryIO | AtlasError, blobs: Blobs, before: int
) -> _Listing:
    """Keep a listing, and say what is in it. Raises `AtlasError`, also if most of `before` rows are gone."""
    if isinstance(found, AtlasError):
        raise found
    from hdash_site.htan.entities import survey

    with found:
        kept = blobs.keep_file(found)
        now, manifests = survey(found)
    if now * 2 < before and (before - now >= FEW or not now):
        raise AtlasError(
            f"it lists {now:,} entities and had {before:,}: most of it is gone, or hidden from us",
            way_out="see that the account may read the project, or build with --accept-loss",
        )
    return _Listing(project, fingerprint, kept, now, [Listed(*one) for one in manifests])


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


def _snapshot(listing: _Listing, fetched: Mapping[str, Fetched], old: Snapshot | None, now: str) -> Snapshot:
    manifests = {one.id: fetched[one.id] for one in listing.manifests}
    same = old and (old.project, old.listing, old.manifests) == (listing.project, listing.digest, manifests)
    changed = old.changed if old and same else now
    return Snapshot(
        listing.project, listing.fingerprint, listing.digest, manifests, now, changed, listing.rows
    )


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
