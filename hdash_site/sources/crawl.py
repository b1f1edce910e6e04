"""Ask a source what changed, fetch that, and keep the last good snapshot of an atlas that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from hdash_site.engine.model import digest
from hdash_site.errors import AtlasError
from hdash_site.snapshot import Fetched, Project, Snapshot, rows_of

_SYNAPSE_ID = re.compile(r"syn[0-9]{1,20}")


class Source(Protocol):
    """What a source of atlases answers.

    Each raises `AtlasError` if one atlas or manifest cannot be read, `SourceError` if none can.
    """

    def projects(self) -> Sequence[Project]: ...

    def fingerprint(self, project: Project) -> str: ...

    def listing(self, project: Project) -> bytes: ...

    def versions(self, manifests: Sequence[tuple[str, str]]) -> Mapping[str, str]: ...

    def manifest(self, entity: str) -> bytes: ...


class Blobs(Protocol):
    """Where fetched bytes are kept."""

    def __contains__(self, digest: str) -> bool: ...

    def keep(self, data: bytes) -> str: ...

    def load(self, digest: str) -> bytes | None: ...


class Crawled(NamedTuple):
    """The atlases of today, and why some could not be crawled, by atlas id."""

    snapshots: dict[str, Snapshot]
    failed: dict[str, AtlasError]


def crawl(
    source: Source,
    last: Mapping[str, Snapshot],
    blobs: Blobs,
    only: Collection[str] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Crawled:
    """Crawl every atlas of the source, or those in `only`; the others stay as they were last."""
    crawled = Crawled({}, {})
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for project in source.projects():
        if project.id in crawled.snapshots:
            crawled.failed[f"{project.id} ({project.synapse_id})"] = AtlasError(
                "it is listed twice", way_out="the first one stands; give the other an id of its own"
            )
            continue
        old = last.get(project.id)
        if only and project.id not in only:
            if old:
                crawled.snapshots[project.id] = old
            continue
        tell(project.id)
        try:
            crawled.snapshots[project.id] = _crawled(source, project, old, blobs).crawled_at(now, old)
        except AtlasError as error:
            crawled.failed[project.id] = error
            if old:
                crawled.snapshots[project.id] = old.failed_at(now, str(error))
    return crawled


def recovered(source: Source, snapshots: Mapping[str, Snapshot], lost: str) -> bytes | None:
    """Fetch once more the listing or manifest whose bytes had the digest `lost`; None if they changed."""
    for snapshot in snapshots.values():
        data = None
        if snapshot.listing == lost:
            data = source.listing(snapshot.project)
        for entity, fetched in snapshot.manifests.items():
            if fetched.digest == lost:
                data = source.manifest(entity)
        if data is not None and digest(data) == lost:
            return data
    return None


def _crawled(source: Source, project: Project, old: Snapshot | None, blobs: Blobs) -> Snapshot:
    if not _SYNAPSE_ID.fullmatch(project.synapse_id):
        raise AtlasError(f'"{project.synapse_id}" is no Synapse id', way_out="write syn and a number")
    fingerprint = source.fingerprint(project)
    if old and old.fingerprint == fingerprint and old.listing in blobs:
        listing, manifests = old.listing, [(entity, "") for entity in old.manifests]
        rows = old.rows or rows_of(blobs.load(old.listing) or b"")
    else:
        from hdash_site.htan.listing import newest_manifests

        data = source.listing(project)
        listing, manifests = blobs.keep(data), newest_manifests(data)
        rows = rows_of(data)
    known: Mapping[str, Fetched] = old.manifests if old else {}
    versions = source.versions(manifests)
    fetched = {
        entity: _fetched(source, entity, versions.get(entity, ""), known.get(entity), blobs)
        for entity, _ in manifests
    }
    return Snapshot(project, fingerprint, listing, fetched, rows=rows)


def _fetched(source: Source, entity: str, version: str, known: Fetched | None, blobs: Blobs) -> Fetched:
    if version and known and known.version == version and known.digest in blobs:
        return known
    try:
        return Fetched(version, blobs.keep(source.manifest(entity)))
    except AtlasError as error:
        return Fetched(version, "", str(error))
