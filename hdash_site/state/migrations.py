"""The steps from an empty database to the tables of today.

A migration is frozen: it says what it does in SQL of its own and knows nothing of the tables of today. Each
runs in one transaction with its record. MySQL ends a transaction at each `CREATE` and `DROP`: there, one that
was cut off runs again, and finds what is done.
"""

# pyright: basic

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from hdash_site.errors import StateError
from hdash_site.state.orm import peewee


def portable_tables(database: Any) -> None:
    """Make tables that hold any text on any database; take over what schema 1 knew.

    Schema 1 was there on SQLite alone, and kept its record in a table that goes with the others.
    """
    kind = _kind(database)
    there = set(database.get_tables())
    for table, columns in _PORTABLE.items():
        if table not in there:
            parts = [_column(kind, *column.split()) for column in columns.split(",")]
            if kind == "mysql" and table == "hdash_publication":
                parts.append("INDEX hdash_publication_mirror (mirror)")
            database.execute_sql(f"CREATE TABLE {table} ({', '.join(parts)}){_END.get(kind, '')}")
            if kind != "mysql" and table == "hdash_publication":
                database.execute_sql(f"CREATE INDEX hdash_publication_mirror ON {table} (mirror)")
    if kind == "sqlite":
        _take_over(database, there)


def registered_atlases(database: Any) -> None:
    """Make the table of the atlases that were registered."""
    kind = _kind(database)
    if "hdash_atlas" not in database.get_tables():
        columns = ", ".join(
            _column(kind, *column.split()) for column in ("hash key", "place number", "project text")
        )
        database.execute_sql(f"CREATE TABLE hdash_atlas ({columns}){_END.get(kind, '')}")


def publications_of_buckets(database: Any) -> None:
    """Add what a bucket tells of a file, and what it does not: its ETag and its headers."""
    kind = _kind(database)
    there = {column.name for column in database.get_columns("hdash_publication")}
    for name in ("headers", "etag"):
        if name not in there:
            column = _column(kind, name, "short")
            database.execute_sql(f"ALTER TABLE hdash_publication ADD COLUMN {column} DEFAULT ''")


def editions_of_figures(database: Any) -> None:
    """Make the table of the editions."""
    kind = _kind(database)
    if "hdash_edition" not in database.get_tables():
        columns = ("hash key", "moment short", "edition text", "basis text")
        parts = ", ".join(_column(kind, *column.split()) for column in columns)
        database.execute_sql(f"CREATE TABLE hdash_edition ({parts}){_END.get(kind, '')}")


def identities(database: Any) -> None:
    """Add the facts of a site, deletions that wait, when an atlas was verified, and an edition's source."""
    kind = _kind(database)
    there = set(database.get_tables())
    for table, columns in _IDENTITIES.items():
        if table not in there:
            parts = ", ".join(_column(kind, *column.split()) for column in columns.split(","))
            database.execute_sql(f"CREATE TABLE {table} ({parts}){_END.get(kind, '')}")
    for table, name in (("hdash_snapshot", "verified"), ("hdash_edition", "source")):
        if name not in {column.name for column in database.get_columns(table)}:
            database.execute_sql(f"ALTER TABLE {table} ADD COLUMN {_column(kind, name, 'short')} DEFAULT ''")


def packs_of_blobs(database: Any) -> None:
    """Add the table of packs, in which a server keeps the blobs of runs that begin with an empty disk."""
    kind = _kind(database)
    if "hdash_pack" not in database.get_tables():
        columns = ("hash key", "pack short", "kind short", "part number", "data bytes")
        parts = ", ".join(_column(kind, *column.split()) for column in columns)
        database.execute_sql(f"CREATE TABLE hdash_pack ({parts}){_END.get(kind, '')}")


MIGRATIONS: tuple[Callable[[Any], None], ...] = (
    portable_tables,
    registered_atlases,
    publications_of_buckets,
    editions_of_figures,
    identities,
    packs_of_blobs,
)
_NAMES = {migration.__name__ for migration in MIGRATIONS}


def pending(database: Any) -> list[Callable[[Any], None]]:
    """Give the migrations that this database has not seen. Raises `StateError` if it is newer than we are."""
    done = seen(database)
    unknown = sorted(done - _NAMES)
    if unknown:
        raise StateError(
            f'the state was written by a newer version (it has "{unknown[0]}")',
            way_out="install that version, or name another database",
        )
    return [migration for migration in MIGRATIONS if migration.__name__ not in done]


def migrate(database: Any, names: Collection[str] = _NAMES) -> None:
    """Bring the tables forward to those of today, or through the named migrations only."""
    if not pending(database):
        return
    sqlite = _kind(database) == "sqlite"
    database.execute_sql("CREATE TABLE IF NOT EXISTS hdash_migration (name VARCHAR(64) NOT NULL PRIMARY KEY)")
    for migration in [each for each in MIGRATIONS if each.__name__ in names]:
        with database.atomic("IMMEDIATE") if sqlite else database.atomic():
            # Two that open a fresh file at once come here both: the second finds the work done.
            if migration in pending(database):
                migration(database)
                database.execute_sql(f"INSERT INTO hdash_migration VALUES ('{migration.__name__}')")  # noqa: S608


def seen(database: Any) -> set[str]:
    """Return the names of the migrations that this database went through; empty for a new database."""

    def names() -> set[str]:
        return {name for (name,) in database.execute_sql("SELECT name FROM hdash_migration").fetchall()}

    try:
        return names()
    except (peewee.OperationalError, peewee.ProgrammingError):
        if "hdash_migration" not in database.get_tables():
            return set()
        return names()  # another run has made it since


def _kind(database: Any) -> str:
    if isinstance(database, peewee.SqliteDatabase):
        return "sqlite"
    return "mysql" if isinstance(database, peewee.MySQLDatabase) else "postgresql"


_TYPES = {
    "sqlite": {"number": "INTEGER", "serial": "INTEGER PRIMARY KEY", "bytes": "BLOB"},
    "mysql": {"text": "LONGTEXT", "serial": "INTEGER PRIMARY KEY AUTO_INCREMENT", "bytes": "LONGBLOB"},
    "postgresql": {"serial": "SERIAL PRIMARY KEY", "bytes": "BYTEA"},
}
_ANYWHERE = {"key": "VARCHAR(64) PRIMARY KEY", "short": "VARCHAR(64)", "text": "TEXT", "number": "BIGINT"}
_END = {"mysql": " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"}

_PORTABLE = {
    "hdash_snapshot": """hash key, place number, project text, fingerprint text, listing text, manifests text,
        crawled text, changed text, entities number, failed_since text, failure text""",
    "hdash_trace": "hash key, task text, recipe text, reads text, parts text, reason text",
    "hdash_publication": "hash key, mirror short, path text, digest text",
    "hdash_look": """hash key, path text, size number, modified_ns number, changed_ns number, inode text,
        seen_ns number, digest text""",
    "hdash_run": "id serial, started text, ended text, outcome text, counts text",
    "hdash_lock": "name key, host text, process number, born text, since text, token text",
}

_IDENTITIES = {
    "hdash_fact": "hash key, name short, fact text",
    "hdash_deletion": "hash key, mirror short, path text, since text, nights number",
}

_NOTICE = re.compile(
    r"This atlas could not be read since (\d{4}-\d\d-\d\d) \((.*)\)\. What is shown here is older\.",
    re.DOTALL,
)


def _column(kind: str, name: str, type_: str) -> str:
    quote = "`" if kind == "mysql" else '"'
    return f"{quote}{name}{quote} {(_ANYWHERE | _TYPES[kind])[type_]} NOT NULL"


def _take_over(database: Any, there: set[str]) -> None:
    def insert(table: str, rows: Iterator[tuple[Any, ...]]) -> None:
        for row in rows:
            marks = ", ".join("?" * len(row))
            database.execute_sql(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608

    for table, carried in _CARRIED.items():
        if table in there:
            old = database.execute_sql(f'SELECT * FROM "{table}"').fetchall()  # noqa: S608
            insert(f"hdash_{table}", (carried(*row) for row in old))
    for table in (*_CARRIED, "lock", "migration"):
        database.execute_sql(f'DROP TABLE IF EXISTS "{table}"')


def _snapshot(
    atlas: str, place: int, project: str, fingerprint: str, listing: str, manifests: str, notice: str
) -> tuple[Any, ...]:
    said = _NOTICE.fullmatch(notice)
    since, failure = (f"{said[1]}T00:00:00+00:00", said[2]) if said else ("", "")
    row = (_hash(atlas), place, project, _escaped(fingerprint), listing, manifests)
    return (*row, "", "", 0, since, _escaped(failure))


def _trace(task: str, recipe: str, reads: str, parts: str, reason: str) -> tuple[str, ...]:
    return (_hash(task), _escaped(task), recipe, _ascii(reads), _ascii(parts), _escaped(reason))


def _publication(_: int, mirror: str, path: str, digest: str) -> tuple[str, ...]:
    return (_hash(_hash(mirror) + _hash(path)), _hash(mirror), _escaped(path), digest)


def _look(path: str, *rest: Any) -> tuple[Any, ...]:
    return (_hash(path), _escaped(path), *rest)


def _run(*row: Any) -> tuple[Any, ...]:
    return row


_CARRIED: dict[str, Callable[..., tuple[Any, ...]]] = {
    "snapshot": _snapshot,
    "trace": _trace,
    "publication": _publication,
    "look": _look,
    "run": _run,
}


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def _ascii(document: str) -> str:
    return json.dumps(json.loads(document), separators=(",", ":"))
