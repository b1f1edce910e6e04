"""Bytes by their sha-256, in a diskcache folder: what can be made or fetched again.

Whatever is kept waits in memory until `flush`, so that thousands of small values cost one transaction.
"""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Set
from pathlib import Path
from typing import Any, BinaryIO, cast

import diskcache

from hdash_site.errors import StateError
from hdash_site.state import failures
from hdash_site.state.disk import DIGITS, SETTINGS, BytesOnly, check_cache
from hdash_site.state.untrusted import Untrusted, has_unknown_format

SMALL_BYTES = 1 << 20
"""Files below that are kept like other bytes."""

MEMORY_BYTES = 16 << 20
"""Kept bytes that may wait for a flush."""

FEW = 100
"""So many digests are asked for one by one; whoever asks for more is better off with a list of all."""


TIMEOUT = 60
"""Seconds for which a cache is waited for that another program holds."""

_FAILURES = (sqlite3.Error, OSError, diskcache.Timeout)

_NONSENSE = (TypeError, ValueError, LookupError, AttributeError)
"""What diskcache raises where a file holds what diskcache cannot have written."""

_DAMAGE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG}
"""Codes of statements that do no harm to a sound file."""


class Blobs:
    """A cache without eviction: `sweep` is told what to spare.

    A damaged folder is emptied and begun again, which is said in `problems`: what was in it can be made or
    fetched again. With `mends` false it is left alone, for a reader beside the run that may use it. Raises
    `StateError` if the folder cannot be used.
    """

    def __init__(self, folder: Path, *, mends: bool = True) -> None:
        self.problems: list[str] = []
        self._folder, self._mends = folder, mends
        self._waiting: dict[str, bytes] = {}
        self._size = 0
        self._lock = threading.RLock()
        self._known: set[str] | None = None
        self._lost: set[str] = set()
        """What was asked for in vain: a damaged index may hide what is in its table."""
        self._asked = 0
        self.missed = False
        """Whether bytes were asked for and not found, or were not what they should be."""
        self._cache = self._opened()

    def _opened(self) -> diskcache.Cache:
        try:
            return _cache(self._folder)
        except (*_FAILURES, *_NONSENSE) as error:
            self._empty(error)
        try:
            return _cache(self._folder)
        except _FAILURES as error:
            raise failures.of_blobs(error, str(self._folder), TIMEOUT) from error

    def _do(self, action: Callable[[diskcache.Cache], Any]) -> Any:
        """Do it with the cache; if that is damaged, once more with an empty one."""
        cache = self._cache
        try:
            return action(cache)
        except (*_FAILURES, *_NONSENSE) as error:
            with self._lock:
                if cache is self._cache:  # else another thread has found the damage before
                    self._empty(error)
                    self._cache, self._known = self._opened(), None
        try:
            return action(self._cache)
        except _FAILURES as error:
            raise failures.of_blobs(error, str(self._folder), TIMEOUT) from error

    def _empty(self, error: Exception) -> None:
        """Delete the files of a damaged cache. Raises `StateError` if it is sound, or not ours to mend."""
        if not self._folder.is_dir():
            raise failures.of_blobs(error, str(self._folder), TIMEOUT) from error
        if _is_damage(error) and failures.kind_of(error) != failures.DAMAGED:
            error = Untrusted(*error.args)
        if failures.kind_of(error) == failures.READ_ONLY and has_unknown_format(self._folder / "cache.db"):
            error = Untrusted("it has an unknown format")
        if failures.kind_of(error) != failures.DAMAGED or not self._mends:
            raise failures.of_blobs(error, str(self._folder), TIMEOUT) from error
        for path in self._folder.iterdir():
            if path.name.startswith("cache.db") or re.fullmatch(r"[0-9a-f]{2}", path.name):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        lost = "an empty cache replaces it, and its content is built or fetched again"
        problem = f"{self._folder}: the blob cache was damaged ({failures.words_of(error)}); {lost}"
        self.problems.append(problem)

    @property
    def _stored(self) -> set[str]:
        """What is stored: one question for all, which takes time with their number."""
        if self._known is None:
            self._known = self._do(_keys) - self._lost
        return self._known or set()

    def _is_stored(self, digest: str) -> bool:
        self._asked += 1
        if self._known is None and self._asked <= FEW:
            return self._do(lambda cache: digest in cache)
        return digest in self._stored

    def __contains__(self, digest: str) -> bool:
        return digest in self._waiting or self._is_stored(digest)

    def keep(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        with self._lock:
            if digest not in self:
                self._waiting[digest] = data
                self._size += len(data)
        if self._size > MEMORY_BYTES:
            self.flush()
        return digest

    def keep_file(self, file: BinaryIO) -> str:
        """Keep the content of a file, in memory that does not grow with it; leaves it at its start."""
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if size < SMALL_BYTES:
            digest = self.keep(file.read())
            file.seek(0)
            return digest
        total = hashlib.sha256()
        for block in iter(lambda: file.read(SMALL_BYTES), b""):
            total.update(block)
        digest = total.hexdigest()
        if digest not in self:

            def store(cache: diskcache.Cache) -> None:
                file.seek(0)
                cache.set(digest, file, read=True)

            self._do(store)
            if self._known is not None:
                self._known.add(digest)
        file.seek(0)
        return digest

    def load(self, digest: str) -> bytes | None:
        """Give the bytes; None if they were lost or are not what they should be."""
        waiting = self._waiting.get(digest)
        if waiting is not None:
            return waiting
        data: Any = self._do(lambda cache: cache.get(digest))
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            self.missed = True
            with contextlib.nullcontext() if self._mends else contextlib.suppress(StateError):
                self._do(lambda cache: cache.delete(digest))
            self._lost.add(digest)
            if self._known is not None:
                self._known.discard(digest)
            return None
        return data

    def flush(self) -> None:
        def store(cache: diskcache.Cache) -> None:
            with cache.transact():
                for digest, data in self._waiting.items():
                    cache.set(digest, data)

        with self._lock:
            if self._waiting:
                self._do(store)
                if self._known is not None:
                    self._known.update(self._waiting)
                self._lost.difference_update(self._waiting)
                self._waiting.clear()
                self._size = 0

    def sweep(self, spared: Set[str], dropped: Iterable[str] = ()) -> None:
        """Delete every blob that is not spared; those in `dropped` were named by something once.

        Mostly there are no others, which shows in the number of all: then these are not gone through.
        """
        self.flush()
        self._delete(set(dropped) - spared)
        stored: Any = self._do(lambda cache: cache.__len__())
        if stored > len(spared):
            self._delete(self._stored - spared)

    def _delete(self, doomed: set[str]) -> None:
        def delete(cache: diskcache.Cache) -> None:
            with cache.transact():
                for digest in doomed:
                    cache.delete(digest)

        if doomed:
            self._do(delete)
        if self._known is not None:
            self._known -= doomed

    def count(self) -> int:
        """Return the number of stored blobs."""
        self.flush()
        [(number,)] = self._do(lambda cache: cache._sql("SELECT COUNT(*) FROM Cache").fetchall())
        return number

    def drop_bad(self) -> int:
        """Forget every blob that is not what its digest says; return how many there were.

        A cache whose database is damaged is emptied, which is said in `problems`.
        """

        def check(cache: diskcache.Cache) -> None:
            [*said] = cache._sql("PRAGMA quick_check(1)").fetchall()
            if said != [("ok",)]:
                error = sqlite3.DatabaseError(" ".join(str(said[0][0]).split()))
                error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise error

        self._do(check)
        torn = self.drop_torn()
        return torn + sum(self.load(digest) is None for digest in sorted(self._stored))

    def drop_torn(self) -> int:
        """Forget the blobs whose file is gone or has another size; return how many there were."""

        def drop(cache: diskcache.Cache) -> int:
            query = "SELECT rowid, filename, size FROM Cache WHERE filename IS NOT NULL"
            torn = [(row,) for row, name, size in cache._sql(query).fetchall() if not self._has(name, size)]
            # Not `cache.delete`, which would remove whatever file the row names.
            with cache.transact() if torn else contextlib.nullcontext():
                for row in torn:
                    cache._sql("DELETE FROM Cache WHERE rowid = ?", row)
            return len(torn)

        torn = self._do(drop)
        if torn:
            self._known = None
        return torn

    def _has(self, name: str, size: int) -> bool:
        try:
            return os.stat(f"{self._folder}/{name}").st_size == size  # noqa: PTH116 - asked in every build
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        self.flush()
        self._cache.close()


def _keys(cache: diskcache.Cache) -> set[str]:
    # Diskcache would also give the keys of values that it takes for expired, in hundreds of statements.
    disk = cast("BytesOnly", cache.disk)
    keys = cache._sql("SELECT key, raw FROM Cache WHERE expire_time IS NULL").fetchall()
    if {(type(key), raw) for key, raw in keys} <= {(str, 1)}:
        digests = {key for key, _ in keys}
        # All at once, since a cache has a hundred thousand.
        if {*map(len, digests)} <= {DIGITS} and re.fullmatch("[0-9a-f]*", "".join(digests)):
            return digests
    return {disk.get(key, raw) for key, raw in keys}


def _is_damage(error: BaseException | None) -> bool:
    """Return whether an error shows that the files of a cache are not as diskcache writes them."""
    if isinstance(error, diskcache.Timeout):
        error = error.__context__
    code = getattr(error, "sqlite_errorcode", None)
    # The module raises errors without a code where it cannot read what a statement found.
    undecoded = code is None and isinstance(error, (sqlite3.OperationalError, sqlite3.DataError))
    odd = isinstance(error, (*_NONSENSE, NotADirectoryError, IsADirectoryError))
    return undecoded or odd or (code is not None and code & 0xFF in _DAMAGE)


def _cache(folder: Path) -> diskcache.Cache:
    check_cache(folder, TIMEOUT)
    return diskcache.Cache(str(folder), timeout=TIMEOUT, disk=BytesOnly, **SETTINGS)
