"""The state of one site: traces, values, snapshots, publications, looks, the ledger of runs.

Everything is read in one query a table and written in one transaction, blobs before the rows that name
them: a run that is cut off leaves the state of the last one, and some blobs that nobody names.
"""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import peewee

from hdash_site.engine.model import Digest, Key, Trace
from hdash_site.errors import StateError
from hdash_site.files import Look, Looks, Stat
from hdash_site.snapshot import Fetched, Project, Snapshot
from hdash_site.state import lock, models
from hdash_site.state.blobs import Blobs

ROWS_A_STATEMENT = 90
"""Old SQLite takes 999 variables in a statement; our widest table has seven columns."""


class Store:
    """An open state. `trace`, `record`, `load` and `keep` are what the engine asks for."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self.load = blobs.load
        self.keep = blobs.keep
        self._traces = {
            key: (recipe, reads, parts, reason)
            for key, recipe, reads, parts, reason in models.rows(models.Trace.select())
        }
        self._fresh: dict[Key, Trace] = {}
        self._reasons: dict[Key, str] = {}
        self.looks = Looks(
            {
                path: Look(Stat(size, modified, changed, int(inode)), seen, digest)
                for path, size, modified, changed, inode, seen, digest in models.rows(models.Look.select())
            }
        )

    def trace(self, key: Key) -> Trace | None:
        fresh = self._fresh.get(key)
        if fresh:
            return fresh
        row = self._traces.get(f"{key.kind}:{key.name}")
        if row is None:
            return None
        recipe, reads, parts, _ = row
        return Trace(
            recipe,
            tuple((Key(kind, name, part), digest) for kind, name, part, digest in json.loads(reads)),
            json.loads(parts),
        )

    def record(self, key: Key, trace: Trace) -> None:
        self._fresh[key] = trace

    def explain(self, key: Key, reason: str) -> None:
        """Remember why a recipe ran, for `why`."""
        self._reasons[key] = reason

    def reason(self, key: Key) -> str:
        """Give why the recipe of a task ran when it ran last; empty if it never did."""
        row = self._traces.get(f"{key.kind}:{key.name}")
        return row[3] if row else ""

    def maker(self, part: str) -> Key | None:
        """Give the task that makes a part of this name: the page that a file is part of."""
        for key, (_, _, parts, _) in self._traces.items():
            kind, _, name = key.partition(":")
            if kind == "page" and part in json.loads(parts):
                return Key(kind, name)
        return None

    def snapshots(self) -> dict[str, Snapshot]:
        """Give the last good snapshot of each atlas, by atlas id, in the source's order."""
        rows = models.Snapshot.select().order_by(models.Snapshot.place)
        return {row.atlas: _snapshot(row) for row in rows}

    def save_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Replace all snapshots; the blobs that they name are on disk before."""
        self.blobs.flush()
        rows = [_snapshot_row(place, snapshot) for place, snapshot in enumerate(snapshots)]
        with models.database.atomic():
            models.Snapshot.delete().execute()
            _insert(models.Snapshot, rows)

    def published(self, mirror: str) -> dict[str, Digest]:
        """Give every path that we put into a mirror, or were about to, with its digest."""
        rows = models.Publication.select(models.Publication.path, models.Publication.digest)
        return dict(models.rows(rows.where(models.Publication.mirror == mirror)))

    def claim(self, mirror: str, files: Mapping[str, Digest]) -> None:
        """Record as ours what is about to be written, so that a cut run leaves no orphan behind."""
        rows = [{"mirror": mirror, "path": path, "digest": digest} for path, digest in files.items()]
        with models.database.atomic():
            _forget_paths(mirror, files)
            _insert(models.Publication, rows)

    def disown(self, mirror: str, paths: Iterable[str]) -> None:
        with models.database.atomic():
            _forget_paths(mirror, paths)

    def note_run(self, started: str, ended: str, outcome: str, counts: Mapping[str, Any]) -> None:
        """Add a run to the ledger."""
        models.Run.create(started=started, ended=ended, outcome=outcome, counts=json.dumps(counts))

    def commit(self) -> None:
        """Write what this run learned: blobs, then traces and looks in one transaction."""
        self.blobs.flush()
        traces = [_trace_row(key, trace, self._reasons.get(key, "")) for key, trace in self._fresh.items()]
        looks = [_look_row(path, look) for path, look in self.looks.fresh.items()]
        with models.database.atomic():
            _replace(models.Trace, traces)
            _replace(models.Look, looks)
        self._traces.update(
            {row["key"]: (row["recipe"], row["reads"], row["parts"], row["reason"]) for row in traces}
        )
        self._fresh.clear()

    def sweep(self, asked_for: Iterable[Key]) -> None:
        """Forget the traces of tasks that a whole build did not ask for, and blobs that nobody names."""
        keep = {f"{key.kind}:{key.name}" for key in asked_for}
        gone = [key for key in self._traces if key not in keep]
        with models.database.atomic():
            for some in _batches(gone):
                models.Trace.delete().where(models.Trace.key.in_(some)).execute()
        for key in gone:
            del self._traces[key]
        named = {digest for _, _, parts, _ in self._traces.values() for digest in json.loads(parts).values()}
        for snapshot in self.snapshots().values():
            named.add(snapshot.listing)
            named.update(fetched.digest for fetched in snapshot.manifests.values())
        self.blobs.sweep(named)


@contextlib.contextmanager
def opened(cache: Path) -> Generator[Store, None, None]:
    """Open the state under `cache` for one run: it is ours alone until it is closed.

    Raises `LockedError` if another run has it, `StateError` if it cannot be read or written.
    """
    path = cache / "state.db"
    try:
        _connect(path)
        with contextlib.closing(models.database), lock.held(), contextlib.closing(_blobs(cache)) as blobs:
            yield Store(blobs)
    except (peewee.DatabaseError, sqlite3.Error) as error:
        raise _unusable(path, error) from error


def _connect(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error
    pragmas = {"journal_mode": "wal", "synchronous": "normal"}
    models.database.initialize(peewee.SqliteDatabase(str(path), pragmas=pragmas, timeout=10))
    models.database.connect()
    models.migrate()


def _blobs(cache: Path) -> Blobs:
    try:
        return Blobs(cache / "blobs")
    except OSError as error:
        raise _unusable(cache / "blobs", error) from error


def _unusable(path: Path, error: Exception) -> StateError:
    way_out = (
        "see that the disk has room and the file is ours to write, or begin anew with 'hdash-site clean'"
    )
    return StateError(f"the state cannot be used ({error})", str(path), way_out)


def _batches(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        yield rows[start : start + ROWS_A_STATEMENT]


def _insert(table: type[peewee.Model], rows: list[dict[str, Any]]) -> None:
    for some in _batches(rows):
        table.insert_many(some).execute()


def _replace(table: type[peewee.Model], rows: list[dict[str, Any]]) -> None:
    for some in _batches(rows):
        table.replace_many(some).execute()


def _forget_paths(mirror: str, paths: Iterable[str]) -> None:
    table = models.Publication
    for some in _batches(list(paths)):
        table.delete().where((table.mirror == mirror) & table.path.in_(some)).execute()


def _trace_row(key: Key, trace: Trace, reason: str) -> dict[str, Any]:
    reads = [[*read, digest] for read, digest in trace.reads]
    return {
        "key": f"{key.kind}:{key.name}",
        "recipe": trace.recipe,
        "reads": json.dumps(reads, ensure_ascii=False, separators=(",", ":")),
        "parts": json.dumps(dict(trace.parts), ensure_ascii=False, separators=(",", ":")),
        "reason": reason,
    }


def _look_row(path: str, look: Look) -> dict[str, Any]:
    size, modified, changed, inode = look.stat
    return {
        "path": path,
        "size": size,
        "modified_ns": modified,
        "changed_ns": changed,
        "inode": str(inode),
        "seen_ns": look.seen_ns,
        "digest": look.digest,
    }


def _snapshot(row: models.Snapshot) -> Snapshot:
    manifests = {entity: Fetched(*fields) for entity, fields in json.loads(str(row.manifests)).items()}
    return Snapshot(
        Project(*json.loads(str(row.project))),
        str(row.fingerprint),
        str(row.listing),
        manifests,
        *(json.loads(str(row.notice)) if str(row.notice).startswith("[") else ()),
    )


def _snapshot_row(place: int, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "atlas": snapshot.project.id,
        "place": place,
        "project": json.dumps(snapshot.project),
        "fingerprint": snapshot.fingerprint,
        "listing": snapshot.listing,
        "manifests": json.dumps(snapshot.manifests),
        "notice": json.dumps(snapshot[4:]),
    }
