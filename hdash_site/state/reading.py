"""A state in files that may only be read: nothing is created, migrated or repaired.

SQLite reads a database with a write-ahead log only where it can make the files beside it, or where they are
there. Without them the database is read as one that nobody changes, and with a log in it as a copy.
"""

# pyright: basic
# Peewee comes without types.

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hdash_site.state import failures
from hdash_site.state.orm import peewee

_FILE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\.val")
_INLINE, _IN_A_FILE = 1, 2
"""Modes of diskcache: raw bytes in the table, or in a file."""
_BLOB = "SELECT mode, filename, value FROM Cache WHERE key = ? AND raw = 1"


def is_refused(error: BaseException) -> bool:
    """Return whether an error says that files may not be written."""
    return failures.kind_of(error) in (failures.READ_ONLY, failures.FORBIDDEN)


def database(file: Path, stack: contextlib.ExitStack) -> Any:
    """Return a database over a file of SQLite for reading, not connected yet.

    A copy that it needs is in a temporary folder that is deleted with `stack`.
    """
    return peewee.SqliteDatabase(_address(file, stack), uri=True)


def _address(file: Path, stack: contextlib.ExitStack) -> str:
    address = f"{file.absolute().as_uri()}?mode=ro"
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(address, uri=True)) as tried:
        tried.execute("SELECT 1 FROM sqlite_master").fetchone()
        return address
    log = file.with_name(f"{file.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return f"{address}&immutable=1"
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hdash-")))
    for source in (file, log):
        shutil.copyfile(source, folder / source.name)
    return f"{(folder / file.name).as_uri()}"


def copy(file: Path, target: Path) -> None:
    """Copy a file of SQLite to one that may be written."""
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(contextlib.closing(sqlite3.connect(_address(file, stack), uri=True)))
        source.backup(stack.enter_context(contextlib.closing(sqlite3.connect(target))))


def loader(folder: Path, stack: contextlib.ExitStack, problems: list[str]) -> Callable[[str], bytes | None]:
    """Return what loads a blob from a folder by its digest: None if it is lost or damaged.

    A cache that cannot be read is added to `problems`, and counts as empty.
    """
    file = folder / "cache.db"
    if not file.exists():
        return lambda _: None
    try:
        table = sqlite3.connect(_address(file, stack), uri=True, check_same_thread=False)
        stack.callback(table.close)
        table.execute(f"{_BLOB} LIMIT 1", ("",)).fetchone()
    except (sqlite3.Error, OSError) as error:
        problems.append(str(failures.of_blobs(error, str(folder), 0)))
        return lambda _: None

    def load(digest: str) -> bytes | None:
        try:
            mode, name, value = table.execute(_BLOB, (digest,)).fetchone() or (0, None, None)
            if mode == _IN_A_FILE and isinstance(name, str) and _FILE.fullmatch(name):
                value = (folder / name).read_bytes()
        except (sqlite3.Error, OSError):
            return None
        is_whole = isinstance(value, bytes) and hashlib.sha256(value).hexdigest() == digest
        return value if is_whole and mode in (_INLINE, _IN_A_FILE) else None

    return load
