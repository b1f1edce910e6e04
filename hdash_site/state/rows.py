"""From what the program knows to rows of the tables, and back."""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from hdash_site.engine.model import Digest, Key, Trace
from hdash_site.files import Look, Stat
from hdash_site.snapshot import Fetched, Project, Snapshot
from hdash_site.state import models
from hdash_site.state.models import escaped, hash_of, plain
from hdash_site.state.orm import peewee
from hdash_site.state.untrusted import of_rows

ROWS_A_STATEMENT = 80
"""Old SQLite takes 999 variables in a statement; our widest table has twelve columns."""


def _batches(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        yield rows[start : start + ROWS_A_STATEMENT]


def replace(table: type[peewee.Model], rows: list[dict[str, Any]]) -> None:
    """Insert rows; one whose hash is there already takes the place of that."""
    fields: Any = table._meta.sorted_fields  # type: ignore[attr-defined]
    # Peewee takes longer to write a statement than SQLite to carry it out: like ones are written once.
    statements: dict[int, str] = {}
    for some in _batches([[row[field.name] for field in fields] for row in rows]):
        if len(some) not in statements:
            statements[len(some)] = _replacing(table, fields, some)
        models.database.execute_sql(statements[len(some)], [value for row in some for value in row])


def _replacing(table: type[peewee.Model], fields: list[peewee.Field], rows: list[list[Any]]) -> str:
    """Give the statement that replaces such rows, with a place for each of their values."""
    insert = table.insert_many(rows, fields=fields)
    if isinstance(models.database.obj, peewee.PostgresqlDatabase):
        key = [field for field in fields if field.primary_key]
        others = [field for field in fields if not field.primary_key]
        return insert.on_conflict(conflict_target=key, preserve=others).sql()[0]
    return insert.on_conflict_replace().sql()[0]


def delete(table: Any, hashes: list[str]) -> None:
    for some in _batches(hashes):
        table.delete().where(table.hash.in_(some)).execute()


def empty(*tables: Any) -> None:
    for table in tables:
        table.delete().execute()


Told: TypeAlias = tuple[str, ...]
"""Recipe, reads, parts and reason of a task as they are stored."""


@of_rows("hdash_trace")
def traces() -> dict[str, Told]:
    """Give what is stored of each task."""
    table = models.Trace
    found = models.rows(table.select(table.task, table.recipe, table.reads, table.parts, table.reason))
    # A task of which the row makes no sense runs again.
    return {plain(row[0]): row[1:] for row in found if {*map(type, row)} == {str}}


@of_rows("hdash_look")
def looks() -> dict[str, Look]:
    table = models.Look
    stat = table.size, table.modified_ns, table.changed_ns, table.inode
    found = models.rows(table.select(table.path, *stat, table.seen_ns, table.digest))
    return {
        plain(path): Look(Stat(size, modified, changed, int(inode)), seen, digest)
        for path, size, modified, changed, inode, seen, digest in found
    }


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_OUTSIDE = re.compile(r"(?:^|/)\.{0,2}(?:/|$)|\0")


def path_of(escaped_path: Any) -> str | None:
    """Return the path of a file as it was stored; None if it does not lie below the folder of its mirror."""
    try:
        path = plain(escaped_path)
    except (ValueError, TypeError):
        return None
    return None if _OUTSIDE.search(path) else path


_short = json.JSONEncoder(separators=(",", ":")).encode
_text = json.encoder.encode_basestring_ascii

_BETWEEN = ",\n"
"""Between two reads of a row, and nowhere else: strings of JSON have no line break in them."""


def trace_row(key: Key, trace: Trace, reason: str) -> dict[str, Any]:
    task = f"{key.kind}:{key.name}"
    # As `_short` would write them, in a quarter of its time.
    reads = (f"[{_text(k)},{_text(n)},{_text(p)},{_text(digest)}]" for (k, n, p), digest in trace.reads)
    return {
        "hash": hash_of(task),
        "task": escaped(task),
        "recipe": trace.recipe,
        "reads": f"[{_BETWEEN.join(reads)}]",
        "parts": _short(dict(trace.parts)),
        "reason": escaped(reason),
    }


def split_reads(reads: str) -> list[str]:
    """Give each of the reads of a row, as `read_of` takes it."""
    if "\n" in reads:
        return reads[1:-1].split(_BETWEEN)
    # One read, or as they were written once.
    return [_short(read) for read in json.loads(reads)]


def read_of(told: str) -> list[str]:
    """Give kind, name, part and digest of a read."""
    # Without a backslash no string has a quote in it: three times faster than to decode.
    return json.loads(told) if "\\" in told else told[2:-2].split('","')


def parts_of(told: str) -> dict[str, Digest]:
    """Give the parts of a row; raises `ValueError` if there are none in it."""
    # What was written by us has no blanks around it: to look for them takes as long as to decode.
    parts = _decoded(told)[0]
    if type(parts) is not dict or not {*map(type, parts.values())} <= {str}:
        raise ValueError("no parts")
    return parts


_decoded = json.JSONDecoder().raw_decode

digests_in: Callable[[str], list[str]] = re.compile(r'":"([0-9a-f]{64})"').findall
"""Give the digests of the parts of a row. No name of a part looks like one: JSON puts a backslash before its
quotes."""


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
    """Return a snapshot without the times that move in a night in which nothing changed."""
    return snapshot._replace(crawled="", verified="")


def date(snapshots: Iterable[Snapshot]) -> None:
    """Write when each atlas was last crawled and verified, and nothing else: most have the same times."""
    atlases: dict[tuple[str, str], list[str]] = {}
    for snapshot in snapshots:
        times = snapshot.crawled, snapshot.verified
        atlases.setdefault(times, []).append(hash_of(snapshot.project.id))
    table = models.Snapshot
    for (crawled, verified), hashes in atlases.items():
        for some in _batches(hashes):
            table.update(crawled=crawled, verified=verified).where(table.hash.in_(some)).execute()


def replace_snapshots(snapshots: Iterable[Snapshot]) -> None:
    empty(models.Snapshot)
    replace(models.Snapshot, [_snapshot_row(place, snapshot) for place, snapshot in enumerate(snapshots)])


def replace_atlases(projects: Iterable[Project]) -> None:
    empty(models.Atlas)
    rows = [
        {"hash": hash_of(project.id, str(place)), "place": place, "project": json.dumps(project)}
        for place, project in enumerate(projects)
    ]
    replace(models.Atlas, rows)


@of_rows("hdash_atlas")
def atlases() -> list[Project]:
    found = models.rows(models.Atlas.select(models.Atlas.project).order_by(models.Atlas.place))
    return [Project(*json.loads(project)) for (project,) in found]


BASES_KEPT = 3
"""Newest editions of a source that keep their basis, so that one of them can be dropped exactly."""


def sources() -> list[str]:
    """Return the sources that have editions, in alphabetical order."""
    table = models.Edition
    return sorted(source for (source,) in models.rows(table.select(table.source).distinct()))


@of_rows("hdash_edition")
def editions(source: str) -> list[tuple[str, str]]:
    """Return moment and JSON of each edition of a source, oldest first."""
    table = models.Edition
    query = table.select(table.moment, table.edition).where(table.source == source)
    found = models.rows(query.order_by(table.moment))
    for moment, edition in found:
        # To decode all of them would take longer than a build in which nothing changed.
        if not (_MOMENT.match(moment) and edition.startswith("{") and f'"{moment}"' in edition):
            raise ValueError("no edition")
    return found


@of_rows("hdash_edition")
def bases(source: str) -> dict[str, str]:
    """Return the basis of each edition of a source that has one, by moment, oldest first."""
    table = models.Edition
    query = table.select(table.moment, table.basis).where((table.source == source) & (table.basis != ""))
    return {moment: _basis(basis) for moment, basis in models.rows(query.order_by(table.moment))}


@of_rows("hdash_edition")
def basis(source: str) -> str:
    """Return what the next edition of a source is compared with; empty if it is not known."""
    table = models.Edition
    query = table.select(table.basis).where(table.source == source)
    found = models.rows(query.order_by(table.moment.desc()).limit(1))
    return _basis(found[0][0]) if found else ""


def _basis(text: str) -> str:
    if text and not text.startswith("{"):
        raise ValueError("no basis")
    return text


def add_edition(source: str, moment: str, edition: str, basis: str) -> None:
    """Add an edition; of the older editions of its source, only the newest keep their basis."""
    table = models.Edition
    replace(table, [_edition_row(source, moment, edition, basis)])
    query = table.select(table.moment).where((table.source == source) & (table.basis != ""))
    for (old,) in models.rows(query.order_by(table.moment.desc()))[BASES_KEPT:]:
        set_basis(source, old, "")


def set_basis(source: str, moment: str, basis: str) -> None:
    table = models.Edition
    table.update(basis=basis).where((table.source == source) & (table.moment == moment)).execute()


def replace_editions(source: str, editions: Iterable[tuple[str, str, str]]) -> None:
    """Replace all editions of a source by these: moment, JSON and basis of each."""
    models.Edition.delete().where(models.Edition.source == source).execute()
    replace(models.Edition, [_edition_row(source, *edition) for edition in editions])


def _edition_row(source: str, moment: str, edition: str, basis: str) -> dict[str, Any]:
    # Two sources may each have an edition of the same second.
    key = hash_of(source, moment) if source else hash_of(moment)
    return {"hash": key, "moment": moment, "edition": edition, "basis": basis, "source": source}


def counts() -> list[int]:
    """Return the numbers of editions, atlases, runs and published files."""
    return [
        table.select().count() for table in (models.Edition, models.Snapshot, models.Run, models.Publication)
    ]


@of_rows("hdash_fact")
def facts() -> dict[str, str]:
    found = models.rows(models.Fact.select(models.Fact.name, models.Fact.fact))
    return {plain(name): plain(fact) for name, fact in found}


def set_fact(name: str, fact: str) -> None:
    replace(models.Fact, [{"hash": hash_of(name), "name": escaped(name), "fact": escaped(fact)}])


@of_rows("hdash_snapshot")
def snapshots() -> dict[str, Snapshot]:
    found = models.rows(models.Snapshot.select().order_by(models.Snapshot.place))
    return {snapshot.project.id: snapshot for snapshot in (snapshot_of(*row[2:]) for row in found)}


def snapshot_of(
    project: str,
    fingerprint: str,
    listing: str,
    manifests: str,
    crawled: str,
    changed: str,
    entities: int,
    failed_since: str,
    failure: str,
    verified: str,
) -> Snapshot:
    fetched = {entity: Fetched(*fields) for entity, fields in json.loads(manifests).items()}
    known = (Project(*json.loads(project)), plain(fingerprint), listing, fetched)
    return Snapshot(*known, crawled, changed, entities, failed_since, plain(failure), verified)


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
        "verified": snapshot.verified,
    }
