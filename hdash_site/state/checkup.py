"""What is wrong with an open state, and what of it can be repaired without losing what cannot be made again.

Traces, looks and snapshots that cannot be read are dropped: a build makes them again. Anything else is left
to a person. A file of SQLite that is damaged only where such rows are is written anew without them.
"""

# pyright: basic
# Peewee comes without types.

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hdash_site.state import copies, models, rows
from hdash_site.state.models import plain
from hdash_site.state.orm import peewee
from hdash_site.state.untrusted import NONSENSE
from hdash_site.state.where import BESIDE, Where

_MOST = 5
"""Complaints of a database that are reported."""


def integrity(at: Where) -> str:
    """Return what the connected database says is wrong with its files; empty if nothing is.

    PostgreSQL has no such question: there, all rows are read.
    """
    database = models.database.obj
    if at.kind == "sqlite":
        found = [said for (said,) in database.execute_sql(f"PRAGMA integrity_check({_MOST})").fetchall()]
        return "" if found == ["ok"] else " ".join("; ".join(found).split())
    tables = sorted(table for table in database.get_tables() if table.startswith("hdash_"))
    if at.kind == "mysql":
        found = database.execute_sql(f"CHECK TABLE {', '.join(tables)}").fetchall()
        bad = [f"{table}: {said}" for table, _, kind, said in found if kind in ("error", "warning")]
        return "; ".join(bad[:_MOST])
    for table in tables:
        database.execute_sql(f"SELECT * FROM {table}").fetchall()  # noqa: S608
    return ""


def missing_columns() -> list[str]:
    """Return the columns that the tables of today have and the connected database lacks."""
    database = models.database.obj
    there = set(database.get_tables())
    return [
        f"{table}.{column}"
        for table, columns in models.carried().items()
        for column in columns
        if table not in there or column not in {found.name for found in database.get_columns(table)}
    ]


def _json(text: str) -> object:
    return json.loads(text or "{}")


def unreadable_rows() -> dict[str, list[str]]:
    """Return the keys of rows that cannot be understood, by table."""
    readers: dict[Any, dict[str, Callable[[str], object]]] = {
        models.Trace: {"task": plain, "reads": _reads, "parts": _parts, "reason": plain},
        models.Look: {"path": plain, "inode": int},
        models.Snapshot: {"project": _json, "fingerprint": plain, "manifests": _json, "failure": plain},
        models.Edition: {"edition": _json, "basis": _json},
        models.Publication: {"path": plain},
        models.Deletion: {"path": plain},
        models.Fact: {"name": plain, "fact": plain},
        models.Atlas: {"project": _json},
        models.Run: {"counts": _json},
    }
    found: dict[str, list[str]] = {}
    for table, columns in readers.items():
        key = table._meta.primary_key
        for name, *values in models.rows(table.select(key, *(getattr(table, column) for column in columns))):
            try:
                for read, value in zip(columns.values(), values, strict=True):
                    read(value)
            except NONSENSE:
                found.setdefault(table._meta.table_name, []).append(str(name))
    return found


def _reads(text: str) -> None:
    for read in rows.split_reads(text):
        _, _, _, _ = rows.read_of(read)


def _parts(text: str) -> None:
    if not all(isinstance(digest, str) for digest in rows.parts_of(text).values()):
        raise ValueError("a part has no digest")


REMADE: dict[str, Any] = {
    "hdash_trace": models.Trace,
    "hdash_look": models.Look,
    "hdash_snapshot": models.Snapshot,
}
"""Tables whose rows a crawl and a build make again."""


def drop(table: str, keys: list[str]) -> None:
    """Delete rows of a table in `REMADE`; to be called within a transaction."""
    rows.delete(REMADE[table], keys)


def write_anew(at: Where) -> str:
    """Write a damaged file of SQLite anew without the rows that a build makes again.

    Return where the damaged file is now; empty, with nothing changed, if other rows are damaged, too.
    """
    file = Path(at.name)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        copies.write_kept_rows(file, unfinished)
        if not _is_whole(unfinished):
            return ""
        return copies.replace_damaged(file, unfinished)
    except sqlite3.Error:
        return ""
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _is_whole(file: Path) -> bool:
    database = peewee.SqliteDatabase(str(file))
    earlier = models.database.obj
    try:
        models.database.initialize(database)
        database.connect()
        return not missing_columns() and not unreadable_rows()
    except peewee.PeeweeException:
        return False
    finally:
        database.close()
        models.database.initialize(earlier)


def damaged_copies(at: Where) -> list[str]:
    """Return the copies beside a file of SQLite that cannot be restored."""
    damaged: list[str] = []
    for place in copies.beside(at).values():
        try:
            with contextlib.closing(
                sqlite3.connect(f"{Path(place).absolute().as_uri()}?mode=ro", uri=True)
            ) as copy:
                if copy.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                    damaged.append(place)
        except sqlite3.Error:
            damaged.append(place)
    return damaged


def unfinished_files(at: Where, scratch: Path) -> Iterator[Path]:
    """Return the files that a run left that was cut off; nobody else may be at work."""
    if at.kind == "sqlite":
        file = Path(at.name)
        ends = "|".join(map(re.escape, BESIDE[1:]))
        ours = re.compile(rf"{re.escape(file.name)}({ends}|(\.(before|copy)-[a-z0-9_-]+)?\.\d+)")
        yield from (path for path in file.parent.iterdir() if ours.fullmatch(path.name))
    if scratch.is_dir():
        yield from (path for path in scratch.iterdir() if path.is_file() or path.is_symlink())
