"""From what the program knows to rows of the tables, and back."""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from hdash_site.engine.model import Key, Trace
from hdash_site.files import Look, Stat
from hdash_site.snapshot import Fetched, Project, Snapshot
from hdash_site.state import models
from hdash_site.state.models import escaped, hash_of, plain
from hdash_site.state.orm import peewee

ROWS_A_STATEMENT = 80
"""Old SQLite takes 999 variables in a statement; our widest table has eleven columns."""


def _batches(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        yield rows[start : start + ROWS_A_STATEMENT]


def _insert(table: type[peewee.Model], rows: list[dict[str, Any]]) -> None:
    for some in _batches(rows):
        table.insert_many(some).execute()


def replace(table: type[peewee.Model], rows: list[dict[str, Any]]) -> None:
    """Insert rows; one whose hash is there already takes the place of that."""
    fields: Any = table._meta  # type: ignore[attr-defined]
    others = [field for field in fields.sorted_fields if not field.primary_key]
    for some in _batches(rows):
        insert = table.insert_many(some)
        if isinstance(models.database.obj, peewee.PostgresqlDatabase):
            insert = insert.on_conflict(conflict_target=[fields.primary_key], preserve=others)
        else:
            insert = insert.on_conflict_replace()
        insert.execute()


def delete(table: Any, hashes: list[str]) -> None:
    for some in _batches(hashes):
        table.delete().where(table.hash.in_(some)).execute()


def empty(*tables: Any) -> None:
    for table in tables:
        table.delete().execute()


def traces() -> dict[str, list[str]]:
    """Give recipe, reads, parts and reason, the last three as stored, of each task."""
    table = models.Trace
    found = models.rows(table.select(table.task, table.recipe, table.reads, table.parts, table.reason))
    return {plain(task): rest for task, *rest in found}


def looks() -> dict[str, Look]:
    return {
        plain(path): Look(Stat(size, modified, changed, int(inode)), seen, digest)
        for _, path, size, modified, changed, inode, seen, digest in models.rows(models.Look.select())
    }


def trace_row(key: Key, trace: Trace, reason: str) -> dict[str, Any]:
    task = f"{key.kind}:{key.name}"
    reads = [[*read, digest] for read, digest in trace.reads]
    return {
        "hash": hash_of(task),
        "task": escaped(task),
        "recipe": trace.recipe,
        "reads": json.dumps(reads, separators=(",", ":")),
        "parts": json.dumps(dict(trace.parts), separators=(",", ":")),
        "reason": escaped(reason),
    }


def look_row(path: str, look: Look) -> dict[str, Any]:
    size, modified, changed, inode = look.stat
    return {
        "hash": hash_of(path),
        "path": escaped(path),
        "size": size,
        "modified_ns": modified,
        "changed_ns": changed,
        "inode": str(inode),
        "seen_ns": look.seen_ns,
        "digest": look.digest,
    }


def undated(snapshot: Snapshot) -> Snapshot:
    return snapshot._replace(crawled="")


def date(snapshots: Iterable[Snapshot]) -> None:
    """Write the times of the last crawl, and nothing else: most of them are the same."""
    atlases: dict[str, list[str]] = {}
    for snapshot in snapshots:
        atlases.setdefault(snapshot.crawled, []).append(hash_of(snapshot.project.id))
    table = models.Snapshot
    for crawled, hashes in atlases.items():
        for some in _batches(hashes):
            table.update(crawled=crawled).where(table.hash.in_(some)).execute()


def replace_snapshots(snapshots: Iterable[Snapshot]) -> None:
    empty(models.Snapshot)
    rows = [_snapshot_row(place, snapshot) for place, snapshot in enumerate(snapshots)]
    for some in _batches(rows):
        models.Snapshot.insert_many(some).execute()


def replace_atlases(projects: Iterable[Project]) -> None:
    empty(models.Atlas)
    rows = [
        {"hash": hash_of(project.id, str(place)), "place": place, "project": json.dumps(project)}
        for place, project in enumerate(projects)
    ]
    _insert(models.Atlas, rows)


def atlases() -> list[Project]:
    found = models.rows(models.Atlas.select(models.Atlas.project).order_by(models.Atlas.place))
    return [Project(*json.loads(project)) for (project,) in found]


def editions() -> list[tuple[str, str]]:
    table = models.Edition
    return models.rows(table.select(table.moment, table.edition).order_by(table.moment))


def basis() -> str:
    """Give what the newest edition left to compare with; empty if there is none."""
    table = models.Edition
    found = models.rows(table.select(table.basis).order_by(table.moment.desc()).limit(1))
    return found[0][0] if found else ""


def add_edition(moment: str, edition: str, basis: str) -> None:
    table = models.Edition
    table.update(basis="").where(table.basis != "").execute()
    replace(table, [{"hash": hash_of(moment), "moment": moment, "edition": edition, "basis": basis}])


def snapshots() -> dict[str, Snapshot]:
    found = models.rows(models.Snapshot.select().order_by(models.Snapshot.place))
    return {snapshot.project.id: snapshot for snapshot in (_snapshot(*row[2:]) for row in found)}


def _snapshot(
    project: str,
    fingerprint: str,
    listing: str,
    manifests: str,
    crawled: str,
    changed: str,
    entities: int,
    failed_since: str,
    failure: str,
) -> Snapshot:
    fetched = {entity: Fetched(*fields) for entity, fields in json.loads(manifests).items()}
    known = (Project(*json.loads(project)), plain(fingerprint), listing, fetched)
    return Snapshot(*known, crawled, changed, entities, failed_since, plain(failure))


def _snapshot_row(place: int, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "hash": hash_of(snapshot.project.id),
        "place": place,
        "project": json.dumps(snapshot.project),
        "fingerprint": escaped(snapshot.fingerprint),
        "listing": snapshot.listing,
        "manifests": json.dumps(snapshot.manifests),
        "crawled": snapshot.crawled,
        "changed": snapshot.changed,
        "entities": snapshot.rows,
        "failed_since": snapshot.failed_since,
        "failure": escaped(snapshot.failure),
    }
