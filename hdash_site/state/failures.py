"""Failures of a file of SQLite, told apart by what a person has to do about them.

None of them is mended by deleting the state: the history in it cannot be made again.
"""

from __future__ import annotations

import errno
import sqlite3

from hdash_site.errors import LockedError, StateError

LOCKED, DAMAGED, FULL, READ_ONLY, FORBIDDEN, OTHER = (
    "locked",
    "damaged",
    "full",
    "read-only",
    "forbidden",
    "other",
)

_BY_SQLITE_CODE = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: FORBIDDEN,
    sqlite3.SQLITE_PERM: FORBIDDEN,
    sqlite3.SQLITE_AUTH: FORBIDDEN,
}
_BY_ERRNO = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
}
_AGAIN = "run the command again"
_WAYS_OUT = {
    LOCKED: f"close that program, for example a backup or a database browser, and {_AGAIN}",
    FULL: f"free space on the disk and {_AGAIN}",
    READ_ONLY: "make it writable, or name another folder with --cache",
    FORBIDDEN: "give yourself permission to read and write the file and its folder",
    OTHER: f"check the disk and {_AGAIN}",
}
_RESTORE = (
    "restore the file from a backup, because it holds the history, which cannot be made again;"
    " without a backup, move the file to another folder and keep it: the next build begins a new history"
)


def kind_of(error: BaseException) -> str:
    """Return what kind of failure an error of SQLite, or of what wraps SQLite, is."""
    cause: BaseException | None = error
    kind = OTHER
    while cause is not None and kind == OTHER:
        if isinstance(cause, sqlite3.Error):
            kind = _kind_of_sqlite(cause)
        elif isinstance(cause, OSError):
            kind = _BY_ERRNO.get(cause.errno or 0, OTHER)
        cause = cause.__cause__ or cause.__context__
    return kind


def _kind_of_sqlite(error: sqlite3.Error) -> str:
    # The lower byte is the primary code of an extended one.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_ERROR and str(error).startswith("no such "):
        return DAMAGED  # a table or a column is missing
    return _BY_SQLITE_CODE.get(code, OTHER)


def words_of(error: BaseException) -> str:
    """Return the error's own words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error.args[-1]) if error.args else type(error).__name__


def of_state(error: BaseException, file: str, seconds: int) -> StateError:
    """Return the line about a state in a file. `seconds`: how long a locked file was waited for."""
    kind = kind_of(error)
    if kind == DAMAGED:
        return StateError(f"the state database is damaged ({words_of(error)})", file, _RESTORE)
    return _error(kind, "state database", words_of(error), file, seconds)


def of_blobs(error: BaseException, folder: str, seconds: int) -> StateError:
    """Return the line about the folder of the blobs."""
    kind = kind_of(error)
    if kind == DAMAGED:
        problem = f"the blob cache is damaged ({words_of(error)})"
        return StateError(problem, folder, "build: the next build makes it again")
    return _error(kind, "blob cache", words_of(error), folder, seconds)


def _error(kind: str, what: str, words: str, place: str, seconds: int) -> StateError:
    problem = {
        LOCKED: f"another program holds the {what} (waited {seconds} s)",
        FULL: f"the {what} cannot be written: the disk is full",
        READ_ONLY: f"the {what} cannot be written: it is read-only",
        FORBIDDEN: f"the {what} cannot be opened ({words})",
        OTHER: f"the {what} cannot be used ({words})",
    }[kind]
    return (LockedError if kind == LOCKED else StateError)(problem, place, _WAYS_OUT[kind])
