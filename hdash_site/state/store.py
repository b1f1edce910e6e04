"""The state of one site: traces, values, snapshots, publications, looks, the history, the ledger of runs.

A table is read in one query, when it is first asked for, and all is written in one transaction, blobs
before the rows that name them: a run that is cut off leaves the state of the last one, and some blobs that
nobody names.
"""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

from hdash_site.artifact import Published, Waiting
from hdash_site.engine.model import Digest, Key, Trace
from hdash_site.errors import DamagedError, LockedError, StateError
from hdash_site.files import Looks, stat_of
from hdash_site.snapshot import Project, Snapshot, blobs_of
from hdash_site.state import copies, failures, lock, migrations, models, reading, rows, where
from hdash_site.state.blobs import Blobs
from hdash_site.state.models import escaped, hash_of, plain
from hdash_site.state.moments import moments
from hdash_site.state.orm import peewee
from hdash_site.state.outage import SILENT, Outage
from hdash_site.state.untrusted import NONSENSE, Untrusted, check_file, check_schema, has_unknown_format
from hdash_site.state.where import Remote, Where

if TYPE_CHECKING:
    from hdash_site.bucket import Bucket
    from hdash_site.state.packtable import PackTable
    from hdash_site.state.remote import Shared


T = TypeVar("T", Published, Waiting)

SOURCE = "source"
"""The name of the fact that identifies the source of the snapshots."""


BLOBS = "blobs"
"""The name of the fact that says how many blobs a file of SQLite had beside it when none was missing."""

TIMEOUT = 10
"""Seconds for which a file of SQLite is waited for that another program holds."""


class Counts(NamedTuple):
    """`editions` are those of all sources; `published` counts files in all folders and buckets."""

    editions: int
    atlases: int
    runs: int
    published: int


class Store:
    """An open state. `trace`, `record`, `load` and `keep` are what the engine asks for.

    `shared`: its copy in S3. `looks`: whether it remembers files from one run to the next. `untouched`: no
    run wrote to it since the stamp was taken that it was opened with.
    """

    def __init__(
        self,
        blobs: Blobs,
        held: lock.Held,
        shared: Shared | PackTable | None = None,
        *,
        looks: bool = True,
        untouched: bool = False,
    ) -> None:
        self.untouched = untouched
        self.problems: list[str] = shared.problems if shared else []
        self.problems += blobs.problems
        blobs.problems = self.problems
        self.blobs = blobs
        self.load = blobs.load
        self.keep = blobs.keep
        self._held = held
        self._fresh: dict[Key, Trace] = {}
        self._reasons: dict[Key, str] = {}
        self._reads = _Reads()
        self._dropped: set[str] = set()
        """Blobs that a trace or a snapshot named before this run."""
        self._snapshots: dict[str, Snapshot] | None = None
        self.looks = Looks(lambda: self._read(rows.looks) if looks else {})
        self._keeps_looks = looks
        self._shared = shared
        self._forgotten = False
        self._learned = False
        self._lost: set[Digest] | None = None
        """The named blobs that are missing, once somebody asked."""
        self._edition: tuple[str, str, str, str] | None = None
        self.has_made_history = False

    @functools.cached_property
    def _traces(self) -> dict[str, rows.Told]:
        return self._read(rows.traces)

    def _read(self, action: Callable[[], Any]) -> Any:
        """Read rows. Raises `DamagedError` if one of them cannot be understood."""
        try:
            return self._held.again(action)
        except NONSENSE as error:
            raise DamagedError("a row of the state database cannot be read") from error

    def trace(self, key: Key) -> Trace | None:
        """Return how a task ran last; None if it never did, or if that cannot be read."""
        fresh = self._fresh.get(key)
        if fresh:
            return fresh
        row = self._traces.get(f"{key.kind}:{key.name}")
        if row is None:
            return None
        recipe, reads, parts, _ = row
        try:
            told = rows.split_reads(reads)
            return Trace(recipe, tuple(map(self._reads.__getitem__, told)), rows.parts_of(parts))
        except NONSENSE:
            self._drop_unreadable(f"{key.kind}:{key.name}")
            return None

    def _drop_unreadable(self, task: str) -> None:
        """Forget a trace that cannot be read, so that its task runs again."""
        if self._traces.pop(task, None):
            self.problems.append(f"what was remembered of {task} cannot be read; it is made again")

    def parts(self, key: Key) -> Mapping[str, Digest] | None:
        """Give the parts of a task as it ran last, without what it read."""
        fresh = self._fresh.get(key)
        row = self._traces.get(f"{key.kind}:{key.name}")
        try:
            return fresh.parts if fresh else rows.parts_of(row[2]) if row else None
        except NONSENSE:
            self._drop_unreadable(f"{key.kind}:{key.name}")
            return None

    def record(self, key: Key, trace: Trace) -> None:
        self._fresh[key] = trace

    def explain(self, key: Key, reason: str) -> None:
        """Remember why a recipe ran, for `why`."""
        self._reasons[key] = reason

    def reason(self, key: Key) -> str:
        """Give why the recipe of a task ran when it ran last; empty if it never did."""
        row = self._traces.get(f"{key.kind}:{key.name}")
        return plain(row[3]) if row else ""

    def maker(self, part: str) -> Key | None:
        """Give the task that makes a part of this name: the page that a file is part of."""
        return next((key for key in self._pages() if part in (self.parts(key) or ())), None)

    def files(self) -> Iterator[tuple[str, Digest]]:
        """Return path and digest of each file that a page is made of, also of pages that nobody wants now."""
        for key in self._pages():
            yield from (self.parts(key) or {}).items()

    def _pages(self) -> list[Key]:
        return [Key("page", task.removeprefix("page:")) for task in self._traces if task.startswith("page:")]

    def snapshots(self) -> dict[str, Snapshot]:
        """Give the last good snapshot of each atlas, by atlas id, in the source's order."""
        known = self._snapshots
        if known is None:
            known = self._snapshots = self._read(rows.snapshots)
        return {**known}

    def save_snapshots(self, snapshots: Iterable[Snapshot], source: str = "") -> None:
        """Replace all snapshots, which came from `source`; the blobs that they name are on disk before."""
        moved = bool(source) and source != self.fact(SOURCE)
        new = {snapshot.project.id: snapshot for snapshot in snapshots}
        old = self.snapshots()
        self.blobs.flush()
        same = [*map(rows.undated, new.values())] == [*map(rows.undated, old.values())]

        def write() -> None:
            if not same:
                rows.replace_snapshots(new.values())
            elif new != old:
                rows.date(new.values())
            if moved:
                rows.set_fact(SOURCE, source)

        if moved or new != old or not same:
            self._write(write)
        self._snapshots = new
        self._dropped.update(blobs_of(old.values()))
        self._learned |= {*blobs_of(new.values())} != {*blobs_of(old.values())}

    def register(self, projects: Iterable[Project]) -> None:
        """Replace the atlases that were registered."""
        listed = list(projects)
        self._write(lambda: rows.replace_atlases(listed))

    def registered(self) -> list[Project]:
        """Give the atlases that were registered, in the order of then."""
        return self._read(rows.atlases)

    def fact(self, name: str) -> str:
        """Return a fact about the site; empty if it is not recorded."""
        return self._read(rows.facts).get(name, "")

    def sources(self) -> list[str]:
        """Return the sources that have editions; "" stands for editions that version 0.1.0 wrote."""
        return self._read(rows.sources)

    def editions(self, source: str) -> list[tuple[str, str]]:
        """Return moment and JSON of each edition of a source, oldest first."""
        return self._read(lambda: rows.editions(source))

    def basis(self, source: str) -> str:
        """Return what the next edition of a source is compared with; empty if it is not known."""
        return self._read(lambda: rows.basis(source))

    def bases(self, source: str) -> dict[str, str]:
        """Return the basis of each edition of a source that still has one, by moment."""
        return self._read(lambda: rows.bases(source))

    def add_edition(self, source: str, moment: str, edition: str, basis: str) -> None:
        """Add the newest edition of a source when this run is committed. All texts are ASCII."""
        self._edition = (source, moment, edition, basis)

    def moments(self) -> list[str]:
        """Return the moment of each edition of every source."""
        return self._read(moments)

    def set_basis(self, source: str, moment: str, basis: str) -> None:
        """Replace the basis of an edition."""
        self._write(lambda: rows.set_basis(source, moment, basis))

    def replace_histories(self, histories: Mapping[str, Iterable[tuple[str, str, str]]]) -> None:
        """Replace the editions of each source in `histories`: moment, JSON and basis of each edition."""

        def write() -> None:
            for source, editions in histories.items():
                rows.replace_editions(source, editions)

        self._write(write)

    def set_fact(self, name: str, fact: str) -> None:
        """Record a fact about the site."""
        self._write(lambda: rows.set_fact(name, fact))

    def leave(self) -> None:
        """Bring nothing to S3 at the end of the run."""
        self._shared = None

    def published(self, mirror: str) -> dict[str, Published]:
        """Give every path that we put into a mirror, or were about to, with what we know of it."""
        table = models.Publication
        query = table.select(table.path, table.digest, table.headers, table.etag)
        query = query.where(table.mirror == hash_of(mirror))
        found = self._read(lambda: models.rows(query))
        return self._below(mirror, {path: Published(*known) for path, *known in found})

    def claim(self, mirror: str, files: Mapping[str, Published]) -> None:
        """Record as ours what is about to be written, so that a cut run leaves no orphan behind."""
        self._put(models.Publication, mirror, files)

    def disown(self, mirror: str, paths: Iterable[str]) -> None:
        self._remove(models.Publication, mirror, paths)

    def waiting(self, mirror: str) -> dict[str, Waiting]:
        """Return the files of a mirror whose deletion waits."""
        table = models.Deletion
        query = table.select(table.path, table.since, table.nights).where(table.mirror == hash_of(mirror))
        found = self._read(lambda: models.rows(query))
        return self._below(mirror, {path: Waiting(*known) for path, *known in found})

    def _below(self, mirror: str, files: Mapping[str, T]) -> dict[str, T]:
        """Return what is known of files of a mirror, by path; report rows that name no file below it."""
        below: dict[str, T] = {}
        for escaped_path, known in files.items():
            path = rows.path_of(escaped_path)
            if path is not None and {*map(type, known)} <= {str, int}:
                below[path] = known
        if len(below) < len(files):
            ignored = len(files) - len(below)
            self.problems.append(f"{mirror}: ignored {ignored} rows of the state that name no file below it")
        return below

    def wait(self, mirror: str, files: Mapping[str, Waiting]) -> None:
        """List files whose deletion waits, or bring them forward."""
        self._put(models.Deletion, mirror, files)

    def stop_waiting(self, mirror: str, paths: Iterable[str]) -> None:
        """Take files from the list of those whose deletion waits."""
        self._remove(models.Deletion, mirror, paths)

    def _put(self, table: Any, mirror: str, files: Mapping[str, Published | Waiting]) -> None:
        """Record what is known of files of a mirror, a row each."""
        own = hash_of(mirror)
        put = [
            {"hash": hash_of(mirror, path), "mirror": own, "path": escaped(path), **known._asdict()}
            for path, known in files.items()
        ]
        if put:
            self._write(lambda: rows.replace(table, put))

    def _remove(self, table: Any, mirror: str, paths: Iterable[str]) -> None:
        """Delete the rows of files of a mirror."""
        hashes = [hash_of(mirror, path) for path in paths]
        if hashes:
            self._write(lambda: rows.delete(table, hashes))

    def note_run(self, started: str, ended: str, outcome: str, counts: Mapping[str, Any]) -> None:
        """Add a run to the ledger."""
        row = {"started": started, "ended": ended, "outcome": outcome, "counts": json.dumps(counts)}
        self._write(lambda: models.Run.insert(row).execute())

    def commit(self) -> None:
        """Write what this run learned: blobs, then traces and looks in one transaction."""
        self.blobs.flush()
        traces = [
            rows.trace_row(key, trace, self._reasons.get(key, "")) for key, trace in self._fresh.items()
        ]
        fresh = self.looks.fresh if self._keeps_looks else {}
        looks = [rows.look_row(path, look) for path, look in fresh.items()]
        edition, self._edition = self._edition, None

        def write() -> None:
            rows.replace(models.Trace, traces)
            rows.replace(models.Look, looks)
            if edition:
                rows.add_edition(*edition)

        if traces or looks or edition:
            self._write(write)
        self.has_made_history |= bool(edition)
        self._learned |= bool(traces)
        if "_traces" in vars(self):
            for key, row in zip(self._fresh, traces, strict=True):
                name = f"{key.kind}:{key.name}"
                old = self._traces.get(name)
                if old:
                    self._dropped.update(rows.digests_in(old[2]))
                self._traces[name] = (row["recipe"], row["reads"], row["parts"], row["reason"])
        self._fresh.clear()

    def sweep(self, made: Mapping[Key, Mapping[str, Digest]]) -> None:
        """Forget the tasks that are not among all that a whole build made, and blobs that nobody names."""
        keep = {f"{key.kind}:{key.name}" for key in made}
        gone = [key for key in self._traces if key not in keep]
        if gone:
            self._write(lambda: rows.delete(models.Trace, [hash_of(key) for key in gone]))
        self._learned |= bool(gone)
        for key in gone:
            self._dropped.update(rows.digests_in(self._traces.pop(key)[2]))
        named = set(blobs_of(self.snapshots().values()))
        named.update(*(parts.values() for parts in made.values()))
        self.blobs.sweep(named, self._dropped)
        self._dropped.clear()

    def named(self) -> dict[str, None]:
        """Give the digest of each blob that a trace or a snapshot names, like ones side by side."""
        parts = "\n".join(self._traces[key][2] for key in sorted(self._traces))
        return dict.fromkeys([*blobs_of(self.snapshots().values()), *rows.digests_in(parts)])

    def lost(self) -> Set[Digest]:
        """Return the digests that a trace or a snapshot names and whose bytes are lost.

        All digests are compared only if the number of blobs differs from the recorded one.
        """
        torn = self.blobs.drop_torn()
        recorded = "" if self._shared or torn else self.fact(BLOBS)
        self._lost = set() if recorded == str(self.blobs.count()) else self._missing()
        return self._lost

    def note_blobs(self) -> None:
        """Record how many blobs there are if none is missing, so that the next run sees whether some are."""
        if self._lost is None or self._shared:
            return
        if self._lost or self.blobs.missed:
            self._lost = self._missing()
        number = "" if self._lost else str(self.blobs.count())
        if number != self.fact(BLOBS):
            self.set_fact(BLOBS, number)

    def mark_lost(self) -> int:
        """Let the next run look for lost blobs; return how many are lost."""
        lost = self._missing()
        if lost and self.fact(BLOBS):
            self.set_fact(BLOBS, "")
        return len(lost)

    def _missing(self) -> set[Digest]:
        return {digest for digest in self.named() if digest not in self.blobs}

    def fetch(self) -> None:
        """Get every blob that the state names and that S3 or the server keeps."""
        if self._shared:
            self._shared.fetch(self.named(), self.blobs)

    def share(self) -> None:
        """Bring what is committed to S3 or its blobs to the server; done at the end of a run anyway."""

        def check() -> None:
            self._held.again(self._held.check)

        if self._shared and self._forgotten:
            self._shared.erase(check)
        elif self._shared and (self._learned or self._shared.behind()):
            self._shared.push(self.named(), self.blobs, check)

    def replace_rows(self, change: Callable[[], None]) -> None:
        """Replace all rows in one transaction; what is remembered of the old ones is read again."""
        self._write(change)
        self._learned, self._snapshots = True, None
        vars(self).pop("_traces", None)

    def copies(self, at: Where) -> dict[str, str]:
        """Return the copies of older states, by name, and where each is."""
        if self._shared and at.kind == "sqlite":
            return cast("Shared", self._shared).copies()
        return {name: copies.place_of(at, name) for name in copies.names(models.database.obj, at)}

    def restore(self, at: Where, name: str) -> None:
        """Replace the state by a copy of an older one. Nothing else can be done with the store then."""
        named, shared, database = self.named(), cast("Shared | None", self._shared), models.database.obj
        if at.kind != "sqlite":
            self._write(lambda: copies.restore_tables(database, name))
        elif shared:
            with tempfile.TemporaryDirectory(prefix="hdash-") as folder:
                file = Path(folder, name)
                file.write_bytes(shared.copy(name))
                copies.restore_file(database, file)
            shared.push(named, self.blobs, self._held.check)
        else:
            copies.restore_file(database, Path(copies.place_of(at, name)))
        self.leave()

    def reset(self) -> None:
        """Forget what was crawled and built; keep ledger and history, and which files are ours."""
        self._write(lambda: rows.empty(models.Snapshot, models.Trace, models.Look))
        self.blobs.sweep(set())
        self._snapshots, self._traces = {}, {}
        self._learned = True

    def counts(self) -> Counts:
        """Return how much there is of what cannot be made again."""
        return self._read(lambda: Counts(*rows.counts()))

    def forget(self) -> None:
        """Forget everything."""
        self._write(lambda: rows.empty(*models.CONTENT))
        self._forgotten = True

    def _write(self, change: Callable[[], None]) -> None:
        self._held.write(change)


@contextlib.contextmanager
def opened(
    cache: Path,
    at: Where | None = None,
    remote: Remote | None = None,
    since: Stamp | None = None,
    *,
    fetch: bool = True,
    outage: Outage = SILENT,
) -> Generator[Store, None, None]:
    """Open the state for one run: it is ours alone until it is closed. Blobs are under `cache`.

    With `remote` it is brought from S3 before, and back there after; without it, a server keeps the blobs as
    well. `fetch`: get the blobs that this disk does not have. `outage`: how a server is waited for that is
    restarted in the middle of the run. Raises `LockedError` if another run has the
    state, `StateError` or `AwsError` if it cannot be read or written.
    """
    at = at or where.file(cache)
    if remote:
        try:
            with _opened_from(remote, cache, at, outage, fetch=fetch) as store:
                yield store
        except DamagedError as error:
            raise _to_pull_again(remote, at, error) from error
        return
    with contextlib.ExitStack() as stack:
        stack.enter_context(_connected(cache, at))
        # Between the look at the file and the lock, SQLite says whether another connection wrote.
        writes = _writes() if since else 0
        same = since is not None and stamp(at) == since
        held = stack.enter_context(lock.held(at, outage=outage))
        blobs = stack.enter_context(contextlib.closing(Blobs(cache / "blobs")))
        shared = _pack_table(at, held)
        store = Store(blobs, held, shared, untouched=same and _writes() == writes)
        if held.copied:
            store.problems.append(copies.line(at, copies.place_of(at, held.copied), held.copied))
        if shared and fetch:
            store.fetch()
        with _sharing(store):
            yield store
        if store.has_made_history and at.kind == "sqlite":
            failed = copies.keep_day(at, copies.today())
            store.problems += [failed] if failed else []


def is_store(file: Path) -> bool:
    """Return whether a file is a state, or one that cannot be read now."""
    if not file.exists():
        return False
    database = peewee.SqliteDatabase(str(file))
    try:
        database.connect()
        check_schema(database.connection())
        return bool(migrations.seen(database))
    except (peewee.OperationalError, Untrusted, sqlite3.OperationalError):
        return True
    except (peewee.PeeweeException, sqlite3.Error):
        return False
    finally:
        database.close()


class _Reads(dict[str, tuple[Key, Digest]]):
    """Reads by how traces tell them: most are told by thousands of pages, and understood once."""

    def __missing__(self, told: str) -> tuple[Key, Digest]:
        kind, name, part, digest = rows.read_of(told)
        read = self[told] = (Key(kind, name, part), digest)
        return read


Stamp: TypeAlias = tuple[int, ...]


def stamp(at: Where) -> Stamp | None:
    """Give what the file of a state is now that nobody has it open; None where that cannot be told."""
    if at.kind != "sqlite":
        return None
    try:
        return stat_of(os.stat(at.name))  # noqa: PTH116
    except OSError:
        return None


def _writes() -> int:
    """Give a number that changes whenever another connection than ours writes."""
    return models.database.obj.execute_sql("PRAGMA data_version").fetchone()[0]


@contextlib.contextmanager
def glanced(cache: Path, at: Where, remote: Remote | None = None) -> Generator[Store | None, None, None]:
    """Open the state to look at it, whoever is at work; None if there is none. Nothing can be written.

    Raises `StateError` if it cannot be read, or was lost.
    """
    with contextlib.ExitStack() as stack:
        shared = None
        if remote:
            shared = _shared(_bucket(remote))
            if at.kind == "sqlite":
                # Beside the file of the run that may be at work.
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hdash-"))
                at = where.file(Path(folder))
            _pull(shared, at)
        if at.kind == "sqlite" and not Path(at.name).exists():
            if shared and shared.problems:
                raise StateError(shared.problems[0])
            yield None
            return
        try:
            migrated = _brought_forward(cache, at)
            stack.enter_context(_connected(cache, at))
        except StateError as error:
            if at.kind != "sqlite" or not reading.is_refused(error):
                raise
            migrated = []
            _connect_to_read(cache, at, stack)
        kept = shared or _pack_table(at, lock.NOBODY)
        blobs, load = _blobs_to_read(stack, cache)
        store = Store(blobs, lock.NOBODY, kept)
        if not (shared and at.kind == "sqlite"):  # else what was migrated is a temporary file
            store.problems[:0] = migrated
        if kept:
            store.load = functools.partial(_load, kept, store.blobs)
        if load:
            store.load = functools.partial(_load_first, load, store.load)
        yield store


def _brought_forward(cache: Path, at: Where) -> list[str]:
    """Migrate the state if it is of an older version; return what is to be said about that."""
    with _connected(cache, at):
        old = bool(migrations.pending(models.database.obj))
    if not old:
        return []
    with opened(cache, at, fetch=False) as brought:
        return brought.problems


def _connect_to_read(cache: Path, at: Where, stack: contextlib.ExitStack) -> None:
    """Connect to a file of SQLite that may only be read; of an older version, a copy of it is migrated."""
    file = Path(at.name)
    try:
        stack.enter_context(_connected(cache, at, reading.database(file, stack)))
        if migrations.pending(models.database.obj):
            temporary = where.file(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hdash-"))))
            reading.copy(file, Path(temporary.name))
            _brought_forward(Path(temporary.name).parent, temporary)
            stack.enter_context(_connected(Path(temporary.name).parent, temporary))
    except (OSError, sqlite3.Error) as error:
        raise _unusable(at, error) from error


def _load_first(
    first: Callable[[str], bytes | None], then: Callable[[str], bytes | None], digest: str
) -> bytes | None:
    data = first(digest)
    return then(digest) if data is None else data


@contextlib.contextmanager
def _sharing(store: Store) -> Generator[None, None, None]:
    try:
        yield
    except BaseException:
        # What was learned until then is kept, also by a run that is told to stop; what went wrong first
        # is what is told.
        with contextlib.suppress(Exception):
            store.share()
        raise
    store.share()


@contextlib.contextmanager
def _opened_from(
    remote: Remote, cache: Path, at: Where, outage: Outage, *, fetch: bool
) -> Generator[Store, None, None]:
    from hdash_site.state import lease

    bucket = _bucket(remote)
    shared = _shared(bucket)
    file = at.kind == "sqlite"
    with contextlib.ExitStack() as stack:
        also = None
        if file:
            also = stack.enter_context(lease.held(bucket, remote.lease)).check
            _pull(shared, at)  # before the file is opened, which it replaces
        stack.enter_context(_connected(cache, at))
        held = stack.enter_context(lock.held(at, also, outage))
        if not file:
            _pull(shared, at)  # when no other run can change it any more
        blobs = stack.enter_context(contextlib.closing(Blobs(cache / "blobs")))
        # A look tells of a disk: a database that outlives the disk shall not tell of the last one.
        store = Store(blobs, held, shared, looks=file)
        if held.copied:
            kept = copies.place_of(at, held.copied)
            if file:
                kept = shared.keep_copy(held.copied, Path(kept))
            store.problems.append(copies.line(where.said(at, remote), kept, held.copied))
        if fetch:
            store.fetch()
        with _sharing(store):
            yield store


def _to_pull_again(remote: Remote, at: Where, error: DamagedError) -> DamagedError:
    """Set aside the damaged file of a state in S3, so that the next run gets the state from there."""
    if at.kind != "sqlite":
        return error
    aside = copies.set_aside(Path(at.name))
    way_out = f"run the command again: it gets the state from {remote.place}; the damaged file is now {aside}"
    return DamagedError(error.problem, error.place, way_out)


def _pack_table(at: Where, held: lock.Held) -> PackTable | None:
    if at.kind == "sqlite":
        return None
    from hdash_site.state.packtable import PackTable

    return PackTable(at, held)


def _bucket(remote: Remote) -> Bucket:
    from hdash_site.bucket import Bucket

    return Bucket(remote.place, remote.access)


def _shared(bucket: Bucket) -> Shared:
    from hdash_site.state.remote import Shared

    return Shared(bucket)


def _pull(shared: Shared, at: Where) -> None:
    try:
        shared.pull(Path(at.name) if at.kind == "sqlite" else None)
    except OSError as error:
        raise _unusable(at, error) from error


def _load(shared: Shared | PackTable, blobs: Blobs, digest: str) -> bytes | None:
    shared.fetch((digest,), blobs)
    return blobs.load(digest)


@contextlib.contextmanager
def _connected(cache: Path, at: Where, database: Any = None) -> Generator[None, None, None]:
    """Connect to the state, or to `database`, which is another way to it."""
    earlier = models.database.obj
    try:
        models.database.initialize(database or _database(cache, at))
        if at.kind == "sqlite":
            check_file(Path(at.name).resolve())
        models.database.connect()
        if at.kind == "sqlite":
            check_schema(models.database.connection())
        try:
            yield
        finally:
            with contextlib.suppress(peewee.PeeweeException):
                models.database.close()
    except (peewee.PeeweeException, sqlite3.Error) as error:
        raise _unusable(at, error) from error
    except StateError as error:
        if error.place or isinstance(error, LockedError):
            raise
        if isinstance(error, DamagedError):
            raise _unusable(at, error) from error
        raise StateError(error.problem, str(at), error.way_out) from error
    finally:
        models.database.initialize(earlier)


def _database(cache: Path, at: Where) -> Any:
    if at.kind != "sqlite":
        from hdash_site.state import servers

        return servers.database(at)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        Path(at.name).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(at, error) from error
    pragmas = {"journal_mode": "wal", "synchronous": "normal", "trusted_schema": 0}
    return peewee.SqliteDatabase(at.name, pragmas=pragmas, timeout=TIMEOUT)


def _blobs_to_read(
    stack: contextlib.ExitStack, cache: Path
) -> tuple[Blobs, Callable[[str], bytes | None] | None]:
    """Open the blobs beside a run that may be at work; if they are damaged, there are none.

    In a folder that may only be read, there are no blobs but those that the second value loads.
    """
    problems: list[str] = []
    load = None
    try:
        blobs = Blobs(cache / "blobs", mends=False)
    except LockedError:
        raise
    except StateError as error:
        if reading.is_refused(error):
            load = reading.loader(cache / "blobs", stack, problems)
        else:
            problems.append(str(error))
        blobs = Blobs(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hdash-"))))
    blobs.problems += problems
    return stack.enter_context(contextlib.closing(blobs)), load


def _unusable(at: Where, error: Exception) -> StateError:
    if at.kind == "sqlite":
        if failures.kind_of(error) == failures.READ_ONLY and has_unknown_format(Path(at.name)):
            error = Untrusted("it has an unknown format")
        return failures.of_state(error, at.name, TIMEOUT, copies.offer(at))
    said = failures.words_of(error)
    if at.password:
        said = said.replace(at.password, "…")
    return failures.on_a_server(error, str(at), said)
