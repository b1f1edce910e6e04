"""Diskcache, made to read nothing but bytes below text keys, from files in its own folder.

Whoever can write to the folder could otherwise run code (a pickled key or value), delete or write files in
other folders (a file name, a symbolic link), or replace attributes of diskcache (a setting).
"""

# pyright: basic
# Diskcache comes without types.

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import pickle
import re
import sqlite3
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import DEFAULT_SETTINGS, METADATA, MODE_BINARY, MODE_RAW

from hdash_site.state.untrusted import Untrusted, check_file

MOST_BYTES = 1 << 30
"""No blob is larger, whatever its row says."""

SETTINGS: Mapping[str, Any] = {"eviction_policy": "none", "cull_limit": 0, "sqlite_mmap_size": 0}
"""How we use a cache, where that differs from the defaults of diskcache."""

_SCHEMA = "91921ee26f684c33c8e6c083499ba4dc7092cccda47fffe7c5662d8f812dd399"
"""The sha-256 of the tables, indexes and triggers that diskcache 5.6.3 makes with these settings."""

_MOST_OBJECTS = 100
DIGITS = 64
"""Length of a key, which is a sha-256 in hexadecimal digits."""

_KEY = re.compile(rf"[0-9a-f]{{{DIGITS}}}")
_FILE = re.compile(r"([0-9a-f]{2})[/\\]([0-9a-f]{2})[/\\][0-9a-f]{28}\.val")


def check_cache(folder: Path, seconds: float) -> None:
    """Raise `Untrusted` if diskcache did not write the database in a folder, or wrote it for another use.

    `seconds`: how long a database is waited for that another program holds.
    """
    file = folder / diskcache.core.DBNAME
    check_file(file)
    if not file.exists():
        return
    with contextlib.closing(sqlite3.connect(file, timeout=seconds)) as database:
        query = "SELECT type, name, tbl_name, sql FROM sqlite_master"
        schema = database.execute(query).fetchmany(_MOST_OBJECTS)
        # A cache that was cut off when it was made has a part of its tables.
        if _digest(schema) != _SCHEMA and not {*schema} <= {*_fresh_schema()}:
            raise Untrusted("its tables are not those of diskcache")
        if any(row[:2] == ("table", "Settings") for row in schema):
            _check_settings(database.execute("SELECT key, value FROM Settings").fetchmany(_MOST_OBJECTS))


def _check_settings(rows: list[tuple[Any, Any]]) -> None:
    """Diskcache sets an attribute, and runs a pragma, of any name that it finds among its settings."""
    for key, value in rows:
        sound = type(value) is int if key in METADATA else value in _allowed(key)
        if not sound:
            raise Untrusted("its settings are not those of diskcache")
    if len(dict(rows)) < len(rows):
        raise Untrusted("its settings are there twice")


def _allowed(key: Any) -> set[Any]:
    if key == "disk_pickle_protocol":
        return {*range(pickle.HIGHEST_PROTOCOL + 9)}
    return (
        {DEFAULT_SETTINGS[key], SETTINGS.get(key, DEFAULT_SETTINGS[key])}
        if key in DEFAULT_SETTINGS
        else set()
    )


def _digest(schema: list[tuple[Any, ...]]) -> str:
    return hashlib.sha256(repr(sorted(schema, key=repr)).encode("utf-8", "replace")).hexdigest()


@functools.cache
def _fresh_schema() -> tuple[tuple[Any, ...], ...]:
    """Return what the installed diskcache makes, which need not be the version that we know."""
    with tempfile.TemporaryDirectory(prefix="hdash-") as folder:
        diskcache.Cache(folder, **SETTINGS).close()
        with contextlib.closing(sqlite3.connect(Path(folder, diskcache.core.DBNAME))) as database:
            return tuple(database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


class BytesOnly(diskcache.Disk):
    """The files of a cache whose keys are texts and whose values are bytes, all of them below its folder.

    Each method raises `Untrusted` where a row says otherwise.
    """

    def get(self, key: Any, raw: Any) -> str:
        if raw != 1 or not isinstance(key, str) or not _KEY.fullmatch(key):
            raise Untrusted("a key is not a digest")
        return key

    def store(self, value: Any, read: bool, key: Any = diskcache.UNKNOWN) -> Any:
        if not read and not isinstance(value, bytes):
            raise TypeError("blobs are bytes")
        return super().store(value, read, key)

    def fetch(self, mode: Any, filename: Any, value: Any, read: bool) -> bytes:  # noqa: ARG002
        if mode == MODE_RAW and isinstance(value, bytes):
            return value
        if mode != MODE_BINARY:
            raise Untrusted("a value is not plain bytes")
        file = self._below(filename)
        found = file.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
            raise Untrusted(f"{filename} is not the file of a blob")
        return file.read_bytes()

    def remove(self, file_path: Any) -> None:
        file = self._below(file_path)
        with contextlib.suppress(OSError):
            file.unlink()
            for folder in file.parents[:2]:
                folder.rmdir()

    def filename(self, key: Any = diskcache.UNKNOWN, value: Any = diskcache.UNKNOWN) -> tuple[str, str]:
        name, path = super().filename(key, value)
        self._below(name)
        return name, path

    def _write(self, full_path: str, iterator: Any, mode: str, encoding: str | None = None) -> Any:
        # Diskcache would go through the bytes line by line.
        whole = (iterator.getbuffer(),) if isinstance(iterator, io.BytesIO) else iterator
        return super()._write(full_path, whole, mode, encoding)

    def _below(self, filename: Any) -> Path:
        """Return the path of a file in the folder, which no symbolic link leads out of it."""
        named = _FILE.fullmatch(filename) if isinstance(filename, str) else None
        if named is None:
            raise Untrusted("the name of a file is not that of a blob")
        folder = Path(self._directory)
        for part in named.groups():
            folder /= part
            if folder.is_symlink():
                raise Untrusted(f"{folder} is a symbolic link")
        return Path(self._directory, filename)
