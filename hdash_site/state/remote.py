"""The state in S3, between runs that share no disk: pulled at the start of one, pushed at its end.

    pointer             which snapshots are kept, newest first: the one object that changes
    snapshots/<sha256>  a state: its store, and its packs with what is in them
    stores/<sha256>     the file of SQLite; none if a database has the rows
    packs/<sha256>      blobs (see `packs`)
    copies/<name>       a store as it was before a migration (see `copies`); no run deletes it

Everything but the pointer is named by its own sha-256, written before it is named, and never changed. The
pointer is written on condition that it is still the one that was read at the start. So a run that is cut off
leaves some objects that nobody names, and one that was overtaken changes nothing. What comes back is checked
by its name; a store that was lost gives way to the one before it, and a pack that was lost costs what is in
it: the build makes or fetches that again.
"""

# pyright: basic
# Peewee comes without types.

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import re
import shutil
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from hdash_site.bucket import Bucket
from hdash_site.errors import AwsError, StateError
from hdash_site.state import migrations, packs
from hdash_site.state.blobs import Blobs
from hdash_site.state.orm import peewee
from hdash_site.state.packs import Index
from hdash_site.state.untrusted import check_schema
from hdash_site.state.where import BESIDE

POINTER, SNAPSHOTS, STORES, PACKS = "pointer", "snapshots/", "stores/", "packs/"
COPIES = "copies/"
KEPT = 3
"""Snapshots that are kept."""
VERSION = 1
AT_ONCE = 4
"""Objects on their way at once; each may fill `packs.PACK_BYTES` of memory."""
MOST_BYTES = 1 << 30
"""No object is larger, nor what is in it."""

_NAME = re.compile(r"[0-9a-f]{64}")


class Snapshot(NamedTuple):
    """A state. `store` is empty if a database has the rows; `packs` are by name."""

    store: str
    packs: dict[str, Index]


class Kept(NamedTuple):
    """A snapshot by its name, with the names of what it needs."""

    snapshot: str
    store: str
    packs: list[str]

    def keys(self) -> set[str]:
        store = {STORES + self.store} if self.store else set()
        return {SNAPSHOTS + self.snapshot, *store, *(PACKS + name for name in self.packs)}


class Shared:
    """The state in S3 as it was found, and as it is brought forward. `problems`: lines on what was lost."""

    def __init__(self, bucket: Bucket) -> None:
        self.problems: list[str] = []
        self._bucket = bucket
        self._file: Path | None = None
        self._etag = ""
        self._kept: list[Kept] = []
        self._now = Snapshot("", {})

    def pull(self, file: Path | None) -> None:
        """Find the newest snapshot that is whole, and put its store at `file`, unless a database has it."""
        self._file = file
        pointed = self._pointer()
        for place, kept in enumerate(pointed):
            try:
                self._now = self._snapshot(kept.snapshot)
                if file and self._now.store:
                    self._place(kept.snapshot, self._now.store, file)
            except _Lost as lost:
                before = "what was known before it is used" if pointed[place + 1 :] else _AGAIN
                self._tell(lost, before)
            else:
                self._kept = pointed[place:]
                return
        self._now = Snapshot("", {})

    def fetch(self, named: Iterable[str], blobs: Blobs) -> None:
        """Get those blobs that we do not have, and what is in the same packs, as far as they are there."""
        missing = {digest for digest in named if digest not in blobs}
        wanted = [name for name, index in self._now.packs.items() if not missing.isdisjoint(index)]
        if not wanted:
            return

        def unpack(name: str) -> _Lost | None:
            try:
                data = self._object(PACKS + name)
                for digest, blob in packs.blobs(data, self._now.packs[name]):
                    if digest not in blobs:
                        blobs.keep(blob)
            except _Lost as lost:
                return lost
            except ValueError:
                return _Lost(PACKS + name, "damaged")
            return None

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for name, lost in zip(wanted, list(pool.map(unpack, wanted)), strict=True):
                if lost:
                    self._tell(lost, _AGAIN)
                    del self._now.packs[name]
        blobs.flush()

    def behind(self) -> bool:
        """Return whether there may be something to send though the run learned nothing."""
        return True

    def push(self, named: Iterable[str], blobs: Blobs, check: Callable[[], None]) -> None:
        """Bring to S3 what is new; nothing is sent if nothing is. `check` raises if the lock was lost."""
        check()
        blobs.flush()
        kept, new = packs.plan(self._now.packs, named, blobs)
        store = _sent(self._file) if self._file else None
        name = _name(store) if store else ""
        if not new and (name, kept) == self._now:
            return
        snapshot = Snapshot(name, {**kept, **self._put_packs(new, blobs)})
        if store and name != self._now.store:
            self._put(STORES + name, store)
        index = gzip.compress(json.dumps({"version": VERSION, **snapshot._asdict()}).encode(), mtime=0)
        own = Kept(_name(index), snapshot.store, [*snapshot.packs])
        self._put(SNAPSHOTS + own.snapshot, index)
        check()
        kept_now = [own, *(one for one in self._kept if one.snapshot != own.snapshot)][:KEPT]
        self._point(kept_now)
        self._kept, self._now = kept_now, snapshot
        if self._file:
            self._mark(own.snapshot, self._file)
        self._tidy(check)

    def keep_copy(self, name: str, file: Path) -> str:
        """Keep a copy of an older store as an object that no run deletes; return where it is."""
        self._put(COPIES + name, gzip.compress(file.read_bytes(), mtime=0))
        return f"{self._bucket.where}{COPIES}{name}"

    def copies(self) -> dict[str, str]:
        """Return the copies of older stores, by name, and where each is."""
        found: dict[str, str] = {}
        for key, _ in self._bucket.list(after=COPIES):
            if not key.startswith(COPIES):
                break
            found[key.removeprefix(COPIES)] = f"{self._bucket.where}{key}"
        return found

    def copy(self, name: str) -> bytes:
        """Return the copy of an older store; raises `StateError` if it is lost."""
        key = COPIES + name
        found = self._bucket.get(key, most=MOST_BYTES)
        try:
            return packs.opened(found.data if found else b"", MOST_BYTES)
        except ValueError:
            raise StateError("the copy is damaged or missing", f"{self._bucket.where}{key}") from None

    def erase(self, check: Callable[[], None]) -> None:
        """Delete the state, and leave the lock."""
        check()
        keys = [key for key, _ in self._bucket.list() if _ours(key)]
        refused = self._bucket.delete([POINTER])  # first: nobody shall be led to what is half deleted
        refused |= self._bucket.delete(keys)
        if refused:
            problem = f"not all of the state can be deleted ({', '.join(sorted(set(refused.values())))})"
            raise AwsError(problem, str(self._bucket.where), "see what the credentials may do")

    def _pointer(self) -> list[Kept]:
        try:
            found = self._bucket.get(POINTER, most=packs.INDEX_BYTES)
        except AwsError as error:
            if error.code != "TooLarge":
                raise
            self._tell(_Lost(POINTER, "damaged"), _AGAIN)
            return []
        if found is None:
            return []
        self._etag = found.etag
        try:
            return [
                Kept(_sha(one["snapshot"]), one["store"] and _sha(one["store"]), [*map(_sha, one["packs"])])
                for one in self._checked(json.loads(found.data), POINTER)["kept"]
            ]
        except _NONSENSE:
            self._tell(_Lost(POINTER, "damaged"), _AGAIN)
            return []

    def _snapshot(self, name: str) -> Snapshot:
        key = SNAPSHOTS + name
        try:
            given = self._checked(json.loads(packs.opened(self._object(key), packs.INDEX_BYTES)), key)
            index_of = {_sha(pack): packs.index_of(index) for pack, index in given["packs"].items()}
            return Snapshot(given["store"] and _sha(given["store"]), index_of)
        except _NONSENSE:
            raise _Lost(key, "damaged") from None

    def _checked(self, given: Any, key: str) -> dict[str, Any]:
        if isinstance(given["version"], int) and given["version"] > VERSION:
            raise self._newer(key)
        return given

    def _newer(self, key: str) -> StateError:
        way_out = "install that version, or name another place"
        return StateError("the state was written by a newer version", f"{self._bucket.where}{key}", way_out)

    def _object(self, key: str) -> bytes:
        """Give an object that is what its name says."""
        try:
            found = self._bucket.get(key, most=MOST_BYTES)
        except AwsError as error:
            if error.code == "TooLarge":
                raise _Lost(key, "damaged") from None
            raise
        if found is None:
            raise _Lost(key, "missing")
        if _name(found.data) != key.rpartition("/")[2]:
            raise _Lost(key, "damaged")
        return found.data

    def _place(self, snapshot: str, store: str, file: Path) -> None:
        """Put a store at a file; one that began as that snapshot stays: it is that, or has more to tell."""
        beside = {end: file.with_name(file.name + end) for end in ("-wal", "-shm", *BESIDE)}
        marked = beside["-snapshot"]
        with contextlib.suppress(OSError, ValueError, _Newer):
            if marked.read_text() == self._mark_of(snapshot) and file.exists():
                _fit(file)
                return
        file.parent.mkdir(parents=True, exist_ok=True)
        new = beside["-new"]
        key = STORES + store
        try:
            new.write_bytes(packs.opened(self._object(key), MOST_BYTES))
            _fit(new)
        except _Newer:
            raise self._newer(key) from None
        except ValueError:
            raise _Lost(key, "damaged") from None
        # What is left of the old one would be taken for a part of the new one.
        for old in (marked, file, beside["-wal"], beside["-shm"]):
            old.unlink(missing_ok=True)
        new.rename(file)
        self._mark(snapshot, file)

    def _mark(self, snapshot: str, file: Path) -> None:
        file.with_name(file.name + "-snapshot").write_text(self._mark_of(snapshot))

    def _mark_of(self, snapshot: str) -> str:
        return f"{self._bucket.where} {snapshot}\n"

    def _put_packs(self, digests: Iterable[str], blobs: Blobs) -> dict[str, Index]:
        written: dict[str, Index] = {}
        sending: deque[Future[None]] = deque()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for data, index in packs.made(digests, blobs.load):
                name = _name(data)
                written[name] = index
                sending.append(pool.submit(self._put, PACKS + name, data))
                if len(sending) == AT_ONCE:
                    sending.popleft().result()
            for one in sending:
                one.result()
        return written

    def _put(self, key: str, data: bytes) -> None:
        self._bucket.put(key, data, {}, {})

    def _point(self, kept: list[Kept]) -> None:
        """Commit: the pointer is written if it is still the one that we read."""
        body = json.dumps({"version": VERSION, "kept": [one._asdict() for one in kept]}).encode()
        etag = self._bucket.put_if(POINTER, body, self._etag)
        if etag is None:
            found = self._bucket.get(POINTER, most=MOST_BYTES)
            if found is None or found.data != body:  # else it is ours, and the answer was lost
                problem = "another run changed the state meanwhile; what this one learned is not kept"
                raise StateError(problem, f"{self._bucket.where}{POINTER}", "build again")
            etag = found.etag
        self._etag = etag

    def _tidy(self, check: Callable[[], None]) -> None:
        """Delete what no kept snapshot names; what stays is deleted another time."""
        spared = set[str]().union(*(kept.keys() for kept in self._kept))
        try:
            gone = [key for key, _ in self._bucket.list() if _ours(key) and key not in spared]
            with contextlib.suppress(StateError):
                # A run that took the lock from us may be sending objects that it has not named yet.
                check()
                self._tell_refused(self._bucket.delete(gone))
        except AwsError as error:
            self.problems.append(f"the state is kept, but old parts of it stay as well: {error}")

    def _tell_refused(self, refused: Mapping[str, str]) -> None:
        if refused:
            codes = ", ".join(sorted(set(refused.values())))
            where = self._bucket.where
            self.problems.append(f"{where}: the state is kept, but old parts of it stay as well ({codes})")

    def _tell(self, lost: _Lost, consequence: str) -> None:
        self.problems.append(f"{self._bucket.where}{lost.key}: the state in S3 is {lost.how}; {consequence}")


class _Lost(Exception):
    """An object is missing, or damaged."""

    def __init__(self, key: str, how: str) -> None:
        super().__init__(key, how)
        self.key, self.how = key, how


class _Newer(Exception):
    """A store has tables that we do not know."""


_AGAIN = "what was in it is made again"
_NONSENSE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def _name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sha(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    return name


def _ours(key: str) -> bool:
    folder, slash, name = key.partition("/")
    return folder + slash in (SNAPSHOTS, STORES, PACKS) and bool(_NAME.fullmatch(name))


def _fit(file: Path) -> None:
    """Raise `ValueError` if a file is no store of ours, `_Newer` if a newer version made it."""
    database = peewee.SqliteDatabase(str(file))
    try:
        database.connect()
        check_schema(database.connection())
        pending = migrations.pending(database)
        odd = database.execute_sql("SELECT 1 FROM sqlite_master WHERE type NOT IN ('table', 'index')")
        if len(pending) == len(migrations.MIGRATIONS) or odd.fetchone():
            raise ValueError("no store of ours")
    except (peewee.PeeweeException, sqlite3.Error) as error:
        raise ValueError(f"no store: {error}") from error
    except StateError as error:
        raise _Newer from error
    finally:
        database.close()


def _sent(file: Path) -> bytes:
    """Give the store as it is sent, compressed: without the lock, and without what only this disk knows."""
    copy = file.with_name(file.name + "-copy")
    whole = io.BytesIO()
    try:
        copy.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(file)) as database:
            database.execute("VACUUM INTO ?", (str(copy),))
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as database:
            database.execute("DELETE FROM hdash_lock")
            database.execute("DELETE FROM hdash_look")
            database.execute("VACUUM")
            # It counts the copies of copies; without it, the same rows are the same bytes.
            database.execute("PRAGMA schema_version = 1")
        with copy.open("rb") as source, gzip.GzipFile(fileobj=whole, mode="wb", mtime=0) as stream:
            shutil.copyfileobj(source, stream)
        copy.unlink()
    except OSError as error:
        problem = f"the state cannot be copied ({error.strerror})"
        raise StateError(problem, str(copy), "see that the disk has room and the folder is ours") from error
    return whole.getvalue()
