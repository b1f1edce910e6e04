"""The databases that the state can be in, for tests: a new one for each run of the tests."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from hdash_site.state import servers, where
from hdash_site.state.where import Where

KINDS = ("sqlite", "mysql", "postgresql")
SERVERS = {
    "mysql": Where("mysql", "mysql", "127.0.0.1", 3306, "root"),
    "postgresql": Where("postgresql", "postgres", "127.0.0.1", 5432, "postgres"),
}
NAME = f"hdash_test_{os.getpid()}"


def on_server(kind: str, *statements: str) -> list[tuple]:
    """Run statements beside the database of the tests; give what the last one finds."""
    database = servers.database(SERVERS[kind])
    database.connect()
    try:
        for statement in statements:
            cursor = database.execute_sql(statement)
        return list(cursor.fetchall()) if cursor.description else []
    finally:
        database.close()


def rows(place: Where, query: str) -> list[tuple]:
    """Give what a query finds in the database of the tests."""
    database = servers.database(place)
    database.connect()
    try:
        return list(database.execute_sql(query).fetchall())
    finally:
        database.close()


def change(place: Where, statement: str) -> None:
    """Run a statement in the database of the tests."""
    database = servers.database(place)
    database.connect()
    try:
        database.execute_sql(statement)
    finally:
        database.close()


def damage(file: Path, table: str) -> None:
    """Overwrite the first page of a table in a file of SQLite that nobody has open."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        [(page,)] = database.execute(query, (table,)).fetchall()
    data = bytearray(file.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    file.write_bytes(bytes(data))


def is_locked_by(process: int, place: Where) -> bool:
    """Return whether a process holds the state in the database of the tests."""
    try:
        return (process,) in rows(place, "SELECT process FROM hdash_lock")
    except servers.peewee.ProgrammingError:
        return False  # there are no tables yet


def create(kind: str) -> None:
    on_server(kind, f"DROP DATABASE IF EXISTS {NAME}", f"CREATE DATABASE {NAME}")


def drop(kind: str) -> None:
    disconnect(kind)
    on_server(kind, f"DROP DATABASE {NAME}")


def at(kind: str, folder: Path) -> Where:
    """Give where a state is, empty, whose cache is in `folder`."""
    if kind == "sqlite":
        return where.file(folder / "cache")
    server = SERVERS[kind]
    place = Where(kind, NAME, server.host, server.port, server.user)
    database = servers.database(place)
    database.connect()
    for table in database.get_tables():
        database.execute_sql(f"DROP TABLE {table}")
    database.close()
    return place


def disconnect(kind: str) -> int:
    """Cut every connection to the database of the tests, as a server that restarts does; count them."""
    if kind == "mysql":
        found = on_server(kind, f"SELECT id FROM information_schema.processlist WHERE db = '{NAME}'")
        for (number,) in found:
            with contextlib.suppress(servers.peewee.OperationalError):  # it left by itself
                on_server(kind, f"KILL CONNECTION {number}")
        return len(found)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
    return len(on_server(kind, f"{cut} = '{NAME}'"))


def environment(place: Where) -> dict[str, str]:
    """Give the environment of a program whose state is there."""
    others = {name: value for name, value in os.environ.items() if name not in where.VARIABLES}
    if place.kind == "sqlite":
        return others | {where.URL: f"sqlite:///{place.name}"}
    return others | {where.URL: f"{place.kind}://{place.user}@{place.host}:{place.port}/{place.name}"}
