"""Failures of a state, told apart by what a person has to do about them.

None of them is mended by deleting the state: the history in it cannot be made again.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from hdash_site.errors import DamagedError, LockedError, StateError

LOCKED, DAMAGED, FULL, READ_ONLY, FORBIDDEN, NETWORK_DISK, OTHER = (
    "locked",
    "damaged",
    "full",
    "read-only",
    "forbidden",
    "network disk",
    "other",
)
CROWDED, MISSING = "crowded", "missing"
"""Failures of servers alone: no free connection, and no database of that name."""

_BY_SQLITE_CODE = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_FORMAT: DAMAGED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: FORBIDDEN,
    sqlite3.SQLITE_PERM: FORBIDDEN,
    sqlite3.SQLITE_AUTH: FORBIDDEN,
    sqlite3.SQLITE_PROTOCOL: NETWORK_DISK,
}
_BY_EXTENDED_SQLITE_CODE = {
    sqlite3.SQLITE_IOERR_SHMOPEN: NETWORK_DISK,
    sqlite3.SQLITE_IOERR_SHMSIZE: NETWORK_DISK,
    sqlite3.SQLITE_IOERR_SHMLOCK: NETWORK_DISK,
    sqlite3.SQLITE_IOERR_SHMMAP: NETWORK_DISK,
    sqlite3.SQLITE_IOERR_LOCK: NETWORK_DISK,
    sqlite3.SQLITE_IOERR_RDLOCK: NETWORK_DISK,
    sqlite3.SQLITE_IOERR_UNLOCK: NETWORK_DISK,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK: NETWORK_DISK,
    sqlite3.SQLITE_IOERR_SHORT_READ: DAMAGED,
}
_BY_ERRNO = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
}
_BY_MYSQL_CODE = {
    **dict.fromkeys((1205, 1213, 3572), LOCKED),
    **dict.fromkeys((126, 127, 134, 144, 145, 1033, 1034, 1035, 1054, 1146), DAMAGED),
    **dict.fromkeys((1194, 1195, 1712, 1877, 1932), DAMAGED),
    **dict.fromkeys((28, 1021, 1114), FULL),
    **dict.fromkeys((1036, 1290, 1792, 1836), READ_ONLY),
    **dict.fromkeys((1044, 1045, 1142, 1143, 1227, 1370, 1698), FORBIDDEN),
    **dict.fromkeys((1040, 1203, 1226), CROWDED),
    1049: MISSING,
}
_BY_SQLSTATE = {
    "40001": LOCKED,
    "40P01": LOCKED,
    "55P03": LOCKED,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
    "58P01": DAMAGED,
    "42P01": DAMAGED,
    "42703": DAMAGED,
    "53100": FULL,
    "25006": READ_ONLY,
    "42501": FORBIDDEN,
    "28000": FORBIDDEN,
    "28P01": FORBIDDEN,
    "53300": CROWDED,
    "3D000": MISSING,
}
"""The codes of PostgreSQL."""

_AGAIN = "run the command again"
_WAYS_OUT = {
    LOCKED: f"close that program, for example a backup or a database browser, and {_AGAIN}",
    FULL: f"free space on the disk and {_AGAIN}",
    READ_ONLY: "make it writable, or name another folder with --cache",
    FORBIDDEN: "give yourself permission to read and write the file and its folder",
    NETWORK_DISK: "use a folder on a local disk with --cache, or keep the state in MySQL or PostgreSQL"
    " (HDASH_DB_URL) or in S3 (HDASH_STATE_URL)",
    OTHER: f"check the disk and {_AGAIN}",
}
_BLOBS = "blob cache"
_ELSEWHERE = "move it to another place, or name another folder with --cache"
_WITHOUT_A_COPY = (
    "restore the file from a backup, because it holds the history, which cannot be made again;"
    " without a backup, move the file to another folder and keep it: the next build begins a new history"
)
_ON_A_SERVER = {
    LOCKED: ("another program holds a lock in the state database", f"wait until it is done and {_AGAIN}"),
    DAMAGED: (
        "a table of the state database is damaged or missing",
        "repair it with the tools of the server, or restore the database from a backup",
    ),
    FULL: (
        "the state database cannot be written: the disk of the server is full",
        f"free space and {_AGAIN}",
    ),
    READ_ONLY: (
        "the state database cannot be written: it is read-only",
        "let HDASH_DB_… name the primary server, not a replica, or make the server writable",
    ),
    FORBIDDEN: (
        "the server of the state database refuses the user",
        "check user and password in HDASH_DB_…, and grant the user all rights on the database",
    ),
    CROWDED: (
        "the server of the state database accepts no more connections",
        f"close other programs that use it, or raise its limit, and {_AGAIN}",
    ),
    MISSING: ("the server has no such database", "create it, or correct its name in HDASH_DB_…"),
    OTHER: (
        "the state database cannot be used",
        "check that the server runs and accepts us, and that HDASH_DB_… are right, and try again",
    ),
}


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def kind_of(error: BaseException) -> str:
    """Return what kind of failure an error of SQLite, or of what wraps SQLite, is."""
    for cause in _causes(error):
        kind = OTHER
        if isinstance(cause, DamagedError):
            kind = DAMAGED
        elif isinstance(cause, sqlite3.Error):
            kind = _kind_of_sqlite(cause)
        elif isinstance(cause, OSError):
            kind = _BY_ERRNO.get(cause.errno or 0, OTHER)
        if kind != OTHER:
            return kind
    return OTHER


def _kind_of_sqlite(error: sqlite3.Error) -> str:
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF  # the primary code of an extended one
    said = str(error)
    if code == sqlite3.SQLITE_ERROR and said.startswith(("no such ", "malformed ")):
        return DAMAGED  # a table or a column is missing
    if not code and said.startswith("Could not decode"):
        return DAMAGED  # a text that is none
    return _BY_EXTENDED_SQLITE_CODE.get(extended) or _BY_SQLITE_CODE.get(code, OTHER)


def kind_on_a_server(error: BaseException) -> str:
    """Return what kind of failure an error of a driver of MySQL or PostgreSQL is."""
    for cause in _causes(error):
        kind = _BY_SQLSTATE.get(getattr(cause, "sqlstate", None) or "", OTHER)
        if kind == OTHER and cause.args and isinstance(cause.args[0], int):
            kind = _BY_MYSQL_CODE.get(cause.args[0], OTHER)
        if kind == OTHER:
            kind = _kind_of_words(str(cause))
        if kind != OTHER:
            return kind
    return OTHER


def _kind_of_words(said: str) -> str:
    """Tell apart what has no code: PostgreSQL's refusal of a connection, MySQL's error of a file."""
    if "too many clients" in said or "too many connections" in said or "connection slots" in said:
        return CROWDED
    if "authentication failed" in said or "no pg_hba.conf entry" in said:
        return FORBIDDEN
    if 'FATAL:  database "' in said and "does not exist" in said:
        return MISSING
    return FULL if "No space left on device" in said or "Errcode: 28" in said else OTHER


def words_of(error: BaseException) -> str:
    """Return the error's own words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error.args[-1]) if error.args else type(error).__name__


def of_state(error: BaseException, file: str, seconds: int, copy: str = "") -> StateError:
    """Return the line about a state in a file.

    `seconds`: how long a locked file was waited for. `copy`: how to get back the newest copy, if there is
    one.
    """
    kind = kind_of(error)
    if Path(file).is_dir():
        return StateError("the state database belongs here, but this is a folder", file, _ELSEWHERE)
    if kind == DAMAGED:
        problem = f"the state database is damaged ({words_of(error)})"
        return DamagedError(problem, file, copy or f"no copy of it was kept: {_WITHOUT_A_COPY}")
    return _error(kind, "state database", words_of(error), file, seconds)


def of_blobs(error: BaseException, folder: str, seconds: int) -> StateError:
    """Return the line about the folder of the blobs."""
    kind = kind_of(error)
    if kind == DAMAGED:
        problem = f"the blob cache is damaged ({words_of(error)})"
        return StateError(problem, folder, "build: the next build makes it again")
    return _error(kind, _BLOBS, words_of(error), folder, seconds)


def on_a_server(error: BaseException, server: str, words: str) -> StateError:
    """Return the line about a state on a server; `words` are those of the error, without the password."""
    kind = kind_on_a_server(error)
    problem, way_out = _ON_A_SERVER[kind]
    return (LockedError if kind == LOCKED else StateError)(f"{problem} ({words})", server, way_out)


def _error(kind: str, what: str, words: str, place: str, seconds: int) -> StateError:
    if kind in (FORBIDDEN, OTHER):
        needed = (Path(place), *Path(place).parents)
        for folder in needed if what == _BLOBS else needed[1:]:
            if os.path.lexists(folder) and not folder.is_dir():
                problem = f"the {what} needs a folder here, but this is none"
                return StateError(problem, str(folder), _ELSEWHERE)
    problem = {
        LOCKED: f"another program holds the {what} (waited {seconds} s)",
        FULL: f"the {what} cannot be written: the disk is full",
        READ_ONLY: f"the {what} cannot be written: it is read-only",
        FORBIDDEN: f"the {what} cannot be opened ({words})",
        NETWORK_DISK: f"the {what} is on a disk without the locks or shared memory that SQLite needs, such as"
        f" a network disk ({words})",
        OTHER: f"the {what} cannot be used ({words})",
    }[kind]
    return (LockedError if kind == LOCKED else StateError)(problem, place, _WAYS_OUT[kind])
