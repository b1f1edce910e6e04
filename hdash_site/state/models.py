"""The tables, and the migrations that lead to them.

One row a task, an atlas, a file: never a row a read. Text in JSON columns is ours, written by `store`.
"""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peewee

database: Any = peewee.DatabaseProxy()


def rows(query: Any) -> list[Any]:
    """Give what a query finds as the database's own tuples; no column here needs a conversion."""
    return database.execute(query).fetchall()


class _Table(peewee.Model):
    class Meta:
        database = database
        legacy_table_names = False


class Snapshot(_Table):
    """An atlas as last crawled whole."""

    atlas = peewee.CharField(primary_key=True)
    place = peewee.IntegerField()
    project = peewee.TextField()
    fingerprint = peewee.CharField()
    listing = peewee.CharField()
    manifests = peewee.TextField()
    notice = peewee.TextField()


class Trace(_Table):
    """How a value came about (`engine.model.Trace`)."""

    key = peewee.CharField(max_length=500, primary_key=True)
    recipe = peewee.CharField()
    reads = peewee.TextField()
    parts = peewee.TextField()
    reason = peewee.TextField()


class Publication(_Table):
    """A file that we put into a mirror, or were about to."""

    id = peewee.AutoField()
    mirror = peewee.CharField(max_length=200)
    path = peewee.CharField(max_length=500)
    digest = peewee.CharField()

    class Meta:
        indexes = ((("mirror", "path"), True),)


class Look(_Table):
    """A file on disk when it was last read (`files.Look`)."""

    path = peewee.CharField(max_length=500, primary_key=True)
    size = peewee.BigIntegerField()
    modified_ns = peewee.BigIntegerField()
    changed_ns = peewee.BigIntegerField()
    inode = peewee.CharField()
    seen_ns = peewee.BigIntegerField()
    digest = peewee.CharField()


class Run(_Table):
    """The ledger of runs that did something: times in UTC, ISO 8601; `counts` is the summary, as JSON."""

    id = peewee.AutoField()
    started = peewee.CharField()
    ended = peewee.CharField()
    outcome = peewee.CharField()
    counts = peewee.TextField()


class Lock(_Table):
    """Who is at work. `born` tells one process from a later one of the same number."""

    name = peewee.CharField(primary_key=True)
    host = peewee.CharField()
    process = peewee.IntegerField()
    born = peewee.CharField()
    since = peewee.CharField()


class Migration(_Table):
    """The migrations that this database went through."""

    name = peewee.CharField(primary_key=True)


def first_tables() -> None:
    database.create_tables([Snapshot, Trace, Publication, Look, Run, Lock])


MIGRATIONS: tuple[Callable[[], None], ...] = (first_tables,)


def migrate() -> None:
    """Apply what this database has not seen, in one transaction, so that of two runs one waits."""
    with database.atomic("IMMEDIATE"):
        database.create_tables([Migration])
        applied = {name for (name,) in rows(Migration.select(Migration.name))}
        for migration in MIGRATIONS:
            if migration.__name__ not in applied:
                migration()
                Migration.create(name=migration.__name__)
