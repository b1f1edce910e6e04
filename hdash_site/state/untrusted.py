"""Files of SQLite that somebody else may have written: what is checked before they are used.

Whoever can write to them could otherwise delete or write files in other folders (a symbolic link, a journal),
change rows behind our back, or keep a statement busy without end (a trigger, a view).
"""

from __future__ import annotations

import contextlib
import functools
import io
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

NONSENSE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What reading a row that was damaged may raise."""

_DATABASE = b"SQLite format 3\0"
_JOURNAL = bytes.fromhex("d9d505f920a163d7")


class Untrusted(sqlite3.DatabaseError):
    """A file holds something that we do not write; it counts as damaged."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def check_file(file: Path) -> None:
    """Raise `Untrusted` if opening a file of SQLite could change other files than it and those beside it."""
    for beside in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm", "-journal"))):
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(beside.lstat().st_mode):
                raise Untrusted(f"{beside.name} is not a regular file")
    with contextlib.suppress(OSError), file.with_name(file.name + "-journal").open("rb") as journal:
        # A transaction over several databases, which we never make, names a file that SQLite deletes.
        journal.seek(-len(_JOURNAL), io.SEEK_END)
        if journal.read() == _JOURNAL:
            raise Untrusted("its journal names another file")


def has_unknown_format(file: Path) -> bool:
    """Return whether the head of a file names a format that SQLite only reads.

    Only for a file that failed: to close it here takes away the locks that this process holds on it.
    """
    with contextlib.suppress(OSError), file.open("rb") as database:
        start = database.read(20)
        return start[:16] == _DATABASE and not {*start[18:20]} <= {1, 2}
    return False


def check_schema(database: sqlite3.Connection) -> None:
    """Raise `Untrusted` if a state holds a trigger, or anything but a table in the place of one of ours."""
    query = """
        SELECT type, name FROM sqlite_master
        WHERE type = 'trigger' OR name LIKE 'hdash%' AND (type = 'view' OR sql LIKE 'CREATE VIRTUAL%')
        LIMIT 1
    """
    for kind, name in database.execute(query):
        words = "".join(char for char in str(name) if char.isprintable())[:60]
        raise Untrusted(f'it holds the {kind} "{words}", which hdash-site does not make')


P = ParamSpec("P")
T = TypeVar("T")


def of_rows(table: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Raise `Untrusted` where a function that reads rows of a table finds what we do not write."""

    def decorate(read: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(read)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return read(*args, **kwargs)
            except NONSENSE as error:
                raise Untrusted(f"a row of {table} is not as hdash-site writes it") from error

        return checked

    return decorate
