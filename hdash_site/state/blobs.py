"""Bytes by their sha-256, in a diskcache folder: what can be made or fetched again.

Whatever is kept waits in memory until `flush`, so that thousands of small values cost one transaction.
"""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any, BinaryIO

import diskcache

SMALL_BYTES = 1 << 20
"""Files below that are kept like other bytes."""

MEMORY_BYTES = 16 << 20
"""Kept bytes that may wait for a flush."""

FEW = 100
"""So many digests are asked for one by one; whoever asks for more is better off with a list of all."""


class BytesOnly(diskcache.Disk):
    """A disk that stores and reads plain bytes.

    Diskcache unpickles what it finds in pickle mode: a folder that someone else can write to would run
    their code.
    """

    def store(self, value: Any, read: bool, key: Any = diskcache.UNKNOWN) -> Any:
        if not read and not isinstance(value, bytes):
            raise TypeError("blobs are bytes")
        return super().store(value, read, key)

    def _write(self, full_path: str, iterator: Any, mode: str, encoding: str | None = None) -> Any:
        # Diskcache would go through the bytes line by line.
        whole = (iterator.getbuffer(),) if isinstance(iterator, io.BytesIO) else iterator
        return super()._write(full_path, whole, mode, encoding)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
        if mode not in (diskcache.core.MODE_RAW, diskcache.core.MODE_BINARY):
            return None
        return super().fetch(mode, filename, value, read)


class Blobs:
    """A cache without eviction: `sweep` is told what to spare."""

    def __init__(self, folder: Path) -> None:
        self._cache = diskcache.Cache(str(folder), disk=BytesOnly, eviction_policy="none", sqlite_mmap_size=0)
        self._waiting: dict[str, bytes] = {}
        self._size = 0
        self._lock = threading.Lock()
        self._known: set[str] | None = None
        self._asked = 0

    @property
    def _stored(self) -> set[str]:
        """What is stored: one question for all, which takes time with their number."""
        if self._known is None:
            self._known = {key for key in self._cache if isinstance(key, str)}
        return self._known

    def _is_stored(self, digest: str) -> bool:
        self._asked += 1
        return digest in (self._cache if self._known is None and self._asked <= FEW else self._stored)

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
            file.seek(0)
            self._cache.set(digest, file, read=True)
            if self._known is not None:
                self._known.add(digest)
        file.seek(0)
        return digest

    def load(self, digest: str) -> bytes | None:
        """Give the bytes; None if they were lost or are not what they should be."""
        waiting = self._waiting.get(digest)
        if waiting is not None:
            return waiting
        data: Any = self._cache.get(digest)
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            self._cache.delete(digest)
            if self._known is not None:
                self._known.discard(digest)
            return None
        return data

    def flush(self) -> None:
        with self._lock:
            if self._waiting:
                with self._cache.transact():
                    for digest, data in self._waiting.items():
                        self._cache.set(digest, data)
                if self._known is not None:
                    self._known.update(self._waiting)
                self._waiting.clear()
                self._size = 0

    def sweep(self, spared: Set[str], dropped: Iterable[str] = ()) -> None:
        """Delete every blob that is not spared; those in `dropped` were named by something once.

        Mostly there are no others, which shows in the number of all: then these are not gone through.
        """
        self.flush()
        self._delete(set(dropped) - spared)
        stored: Any = self._cache.__len__()
        if stored > len(spared):
            self._delete(self._stored - spared)

    def _delete(self, doomed: set[str]) -> None:
        if doomed:
            with self._cache.transact():
                for digest in doomed:
                    self._cache.delete(digest)
        if self._known is not None:
            self._known -= doomed

    def close(self) -> None:
        self.flush()
        self._cache.close()
