"""Copies of a state: as it was before a migration, for the way back to an older version, and of each day.

A copy of a day has what cannot be made again, first of all the history: it is kept beside a file of SQLite
when a run has added an edition; the last one of a day stays, and so do the copies of the newest days.

Before migrations, there is one copy for each migration that ran first on a state of an older version. SQLite
has it in a file beside the state (and a state in S3 in an object of its own), a server in tables beside the
others. The copy of the migrations is made last: without it a copy is incomplete.
"""

# pyright: basic
# Peewee comes without types.

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hdash_site.errors import StateError
from hdash_site.state import failures, migrations
from hdash_site.state.orm import peewee
from hdash_site.state.untrusted import Untrusted, check_schema
from hdash_site.state.where import Where

BEFORE = "before-"
"""How the name of a copy begins; the name of a migration follows."""

DAY = "copy-"
"""How the name of a copy of a day begins; the day follows."""
DAYS_KEPT = 2
_DAY = re.compile(rf"{DAY}\d{{4}}-\d\d-\d\d")
_REMADE = ("hdash_trace", "hdash_look", "hdash_lock", "hdash_pack")
"""Tables of which a copy of a day has no rows: a build makes them again."""

_MARK = "_before_"
_RECORD = "hdash_migration"
_LEFT = ("hdash_lock", "hdash_look", "hdash_pack")


def keep(database: Any, at: Where) -> str:
    """Keep a copy if a state of an older version is about to be migrated; return its name, or nothing."""
    pending = migrations.pending(database)
    if not pending:
        return ""
    name = BEFORE + pending[0].__name__
    if at.kind == "sqlite":
        there = {"hdash_trace", "trace"} & set(database.get_tables())
        return name if there and _keep_file(database, at, name) else ""
    if not migrations.seen(database):
        return ""
    _keep_tables(database, name)
    return name


def line(at: object, place: str, name: str) -> str:
    """Say that a copy was kept, and what for."""
    return (
        f"{at}: the state was migrated to this version, and the state before is kept as {place};"
        f" to go back to the older version: hdash-site state restore {name}"
    )


def place_of(at: Where, name: str) -> str:
    """Return where the copy of a state is, in words."""
    return f"{at.name}.{name}" if at.kind == "sqlite" else f"tables hdash_…{_suffix(name)} in {at}"


def names(database: Any, at: Where) -> list[str]:
    """Return the names of the copies of the connected state."""
    if at.kind == "sqlite":
        file = Path(at.name)
        found = [name.removeprefix(f"{file.name}.") for name in _beside(file)]
    else:
        start = _RECORD + _MARK
        found = [BEFORE + table[len(start) :] for table in database.get_tables() if table.startswith(start)]
    known = {BEFORE + migration.__name__ for migration in migrations.MIGRATIONS}
    return sorted(name for name in found if name in known or _DAY.fullmatch(name))


def _beside(file: Path) -> list[str]:
    """Return the names of the files beside a file."""
    return [path.name for path in file.parent.iterdir()] if file.parent.is_dir() else []


def newest(at: Where) -> tuple[str, float]:
    """Return the name of the newest copy of a file of SQLite, and its time; no name if there is none."""
    kept: dict[str, float] = {}
    if at.kind == "sqlite":
        with contextlib.suppress(OSError):
            kept = {name: Path(place_of(at, name)).stat().st_mtime for name in names(None, at)}
    return max(kept.items(), key=lambda one: one[1], default=("", 0.0))


def offer(at: Where) -> str:
    """Say how to get back the newest copy of a file of SQLite; empty if there is none."""
    name, kept = newest(at)
    if not name:
        return ""
    when = datetime.fromtimestamp(kept, UTC)
    return (
        f"restore the newest copy, of {when:%d %b %Y, %H:%M} GMT: hdash-site state restore {name};"
        " the damaged file is kept under another name"
    )


def today() -> str:
    """Return the day of which a copy is kept now."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def keep_day(at: Where, day: str) -> str:
    """Keep the copy of a day beside the file of SQLite, and remove all but the newest.

    Return what went wrong; empty if nothing did.
    """
    target = Path(place_of(at, DAY + day))
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        write_kept_rows(Path(at.name), unfinished)
        unfinished.replace(target)
        for name in sorted(name for name in names(None, at) if _DAY.fullmatch(name))[:-DAYS_KEPT]:
            Path(place_of(at, name)).unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        return f"{target}: the daily copy of the state cannot be kept ({failures.words_of(error)})"
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return ""


def write_kept_rows(file: Path, target: Path) -> None:
    """Write the tables of a file of SQLite into a new file, without the rows that a build makes again."""
    target.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as live:
        live.execute("ATTACH ? AS kept", (str(target),))
        live.execute("PRAGMA kept.journal_mode = off")
        live.execute("PRAGMA kept.synchronous = off")
        live.execute("BEGIN")
        for name, sql in live.execute(_TABLES).fetchall():
            live.execute(sql.replace("CREATE TABLE ", "CREATE TABLE kept.", 1))
            if name not in _REMADE:
                live.execute(f"INSERT INTO kept.{name} SELECT * FROM main.{name}")  # noqa: S608
        for (sql,) in live.execute(_INDEXES).fetchall():
            live.execute(sql.replace("CREATE INDEX ", "CREATE INDEX kept.", 1))
        live.execute("COMMIT")


_TABLES = "SELECT name, sql FROM main.sqlite_master WHERE type = 'table' AND name LIKE 'hdash@_%' ESCAPE '@'"
_INDEXES = (
    "SELECT sql FROM main.sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE INDEX hdash@_%' ESCAPE '@'"
)


def put_in_place(at: Where, name: str) -> str:
    """Replace a damaged file of SQLite by a copy; return where the damaged file is now."""
    file = Path(at.name)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        shutil.copyfile(place_of(at, name), unfinished)
        return replace_damaged(file, unfinished)
    except OSError as error:
        way_out = "check that the disk has room and that you may write to the folder"
        raise StateError(f"the copy cannot be restored ({error.strerror})", str(file), way_out) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def replace_damaged(file: Path, new: Path) -> str:
    """Replace a damaged file of SQLite by a new one; return where the damaged file is now."""
    aside = set_aside(file)
    new.rename(file)
    return aside


def set_aside(file: Path) -> str:
    """Rename a damaged file of SQLite and what is beside it; return where it is now."""
    aside = file.with_name(f"{file.name}.damaged-{datetime.now(UTC):%Y-%m-%dT%H%M%S}")
    for end in ("-snapshot", "-wal", "-shm", ""):  # what is left would be taken for a part of the new file
        with contextlib.suppress(FileNotFoundError):
            file.with_name(file.name + end).rename(aside.with_name(aside.name + end))
    return str(aside)


def beside(at: Where) -> dict[str, str]:
    """Return the copies beside a file of SQLite, by name, and where each is."""
    return {name: place_of(at, name) for name in names(None, at)}


def restore_file(database: Any, file: Path) -> None:
    """Replace the content of the connected file of SQLite by that of a copy; the lock stays held."""
    live = database.connection()
    with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
        if not copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'hdash_lock'").fetchone():
            problem = "this copy is older than version 0.1.0, and cannot be restored by this version"
            raise StateError(problem, str(file), "put the file in the place of the state by hand")
        try:
            check_schema(copy)
        except Untrusted as error:
            raise StateError(f"this copy cannot be restored ({error})", str(file), "use a backup") from error
        held = live.execute("SELECT * FROM hdash_lock").fetchall()
        copy.backup(live)
    with database.atomic():
        database.execute_sql("DELETE FROM hdash_lock")
        for row in held:
            database.execute_sql(f"INSERT INTO hdash_lock VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608


def restore_tables(database: Any, name: str) -> None:
    """Replace the rows of the tables of a server by those of a copy; to be called within a transaction.

    Columns and tables that the older version does not know stay: it does not read them.
    """
    there = set(database.get_tables())
    for table in sorted(there):
        kept = table + _suffix(name)
        if kept in there:
            before, after = database.quote
            columns = ", ".join(f"{before}{one.name}{after}" for one in database.get_columns(kept))
            database.execute_sql(f"DELETE FROM {table}")  # noqa: S608
            database.execute_sql(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {kept}")  # noqa: S608


def _suffix(name: str) -> str:
    return _MARK + name.removeprefix(BEFORE)


def _keep_file(database: Any, at: Where, name: str) -> bool:
    target = Path(place_of(at, name))
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        with contextlib.closing(sqlite3.connect(unfinished)) as copy:
            database.connection().backup(copy)
        if not _is_before(unfinished, name):
            return False  # another run has migrated the state meanwhile, and kept the copy
        unfinished.replace(target)
    except (OSError, sqlite3.Error) as error:
        problem = f"the state must be migrated, and a copy of it cannot be kept ({error})"
        raise StateError(problem, str(target), "see that the disk has room; nothing was changed") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return True


def _is_before(file: Path, name: str) -> bool:
    database = peewee.SqliteDatabase(str(file))
    database.connect()
    try:
        return [BEFORE + migration.__name__ for migration in migrations.pending(database)][:1] == [name]
    finally:
        database.close()


def _keep_tables(database: Any, name: str) -> None:
    suffix = _suffix(name)
    there = set(database.get_tables())
    tables = [
        table
        for table in sorted(there)
        if table.startswith("hdash_") and _MARK not in table and table not in (*_LEFT, _RECORD)
    ]
    # The record goes first and comes last: a copy that has none is incomplete.
    for table in (_RECORD, *tables):
        database.execute_sql(f"DROP TABLE IF EXISTS {table}{suffix}")
    for table in (*tables, _RECORD):
        unfinished = f"{table}{suffix}" + ("_new" if table == _RECORD else "")
        database.execute_sql(f"DROP TABLE IF EXISTS {unfinished}")
        database.execute_sql(f"CREATE TABLE {unfinished} AS SELECT * FROM {table}")  # noqa: S608
    database.execute_sql(f"ALTER TABLE {_RECORD}{suffix}_new RENAME TO {_RECORD}{suffix}")
