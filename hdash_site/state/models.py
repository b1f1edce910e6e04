"""The tables as the program uses them; `migrations` leads to them.

One row a task, an atlas, a file: never a row a read. Databases differ in what a text may hold and when two
are the same. So every text is escaped to ASCII, and rows are found by `hash_of` of their name alone.
"""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

import hashlib
import json
from typing import Any

from hdash_site.state.orm import peewee

database: Any = peewee.DatabaseProxy()


def hash_of(*names: str) -> str:
    """Give what stands for a name in a primary key; names do not run into each other."""
    if len(names) == 1:
        return hashlib.sha256(names[0].encode("utf-8", "surrogatepass")).hexdigest()
    return hash_of("".join(map(hash_of, names)))


def escaped(text: str) -> str:
    """Give a text as ASCII without control characters, as within a string of JSON."""
    return json.dumps(text)[1:-1]


def plain(text: str) -> str:
    return json.loads(f'"{text}"') if "\\" in text else text


def rows(query: Any) -> list[Any]:
    """Give what a query finds as the database's own tuples; no column here needs a conversion."""
    return list(database.execute(query).fetchall())


class _Table(peewee.Model):
    class Meta:
        database = database
        legacy_table_names = False
        table_function = lambda model: f"hdash_{model.__name__.lower()}"  # noqa: E731


class Snapshot(_Table):
    """An atlas as last crawled whole."""

    hash = peewee.CharField(primary_key=True)
    place = peewee.IntegerField()
    project = peewee.TextField()
    fingerprint = peewee.TextField()
    listing = peewee.TextField()
    manifests = peewee.TextField()
    crawled = peewee.TextField()
    changed = peewee.TextField()
    entities = peewee.BigIntegerField()
    failed_since = peewee.TextField()
    failure = peewee.TextField()
    verified = peewee.CharField()


class Atlas(_Table):
    """An atlas that was registered to be crawled."""

    hash = peewee.CharField(primary_key=True)
    place = peewee.BigIntegerField()
    project = peewee.TextField()


class Trace(_Table):
    """How a value came about (`engine.model.Trace`)."""

    hash = peewee.CharField(primary_key=True)
    task = peewee.TextField()
    recipe = peewee.TextField()
    reads = peewee.TextField()
    parts = peewee.TextField()
    reason = peewee.TextField()


class Publication(_Table):
    """A file that we put into a mirror, or were about to (`artifact.Published`). `hash`: mirror and path."""

    hash = peewee.CharField(primary_key=True)
    mirror = peewee.CharField()
    path = peewee.TextField()
    digest = peewee.TextField()
    headers = peewee.CharField()
    etag = peewee.CharField()


class Look(_Table):
    """A file on disk when it was last read (`files.Look`)."""

    hash = peewee.CharField(primary_key=True)
    path = peewee.TextField()
    size = peewee.BigIntegerField()
    modified_ns = peewee.BigIntegerField()
    changed_ns = peewee.BigIntegerField()
    inode = peewee.TextField()
    seen_ns = peewee.BigIntegerField()
    digest = peewee.TextField()


class Run(_Table):
    """The ledger of runs that did something: times in UTC, ISO 8601; `counts` is the summary, as JSON."""

    id = peewee.AutoField()
    started = peewee.TextField()
    ended = peewee.TextField()
    outcome = peewee.TextField()
    counts = peewee.TextField()


class Edition(_Table):
    """An edition of the figures, as JSON (`htan.history`), and its `when`; only the newest of a source has a
    basis. `source` identifies the source of the atlases; it is empty where version 0.1.0 wrote the edition.
    """

    hash = peewee.CharField(primary_key=True)
    moment = peewee.CharField()
    edition = peewee.TextField()
    basis = peewee.TextField()
    source = peewee.CharField()


class Fact(_Table):
    """A fact about the site that is made once and kept, such as the site's identity. `hash`: of `name`."""

    hash = peewee.CharField(primary_key=True)
    name = peewee.CharField()
    fact = peewee.TextField()


class Deletion(_Table):
    """A file that is to be deleted from a mirror later. `hash`: of mirror and path.

    `since` is when it was first due (UTC, ISO 8601), `nights` how many nightly runs have seen it since.
    """

    hash = peewee.CharField(primary_key=True)
    mirror = peewee.CharField()
    path = peewee.TextField()
    since = peewee.TextField()
    nights = peewee.BigIntegerField()


CONTENT = (Snapshot, Atlas, Trace, Publication, Look, Run, Edition, Fact, Deletion)
"""The tables with what the state holds. The tables below describe the database itself."""


class Pack(_Table):
    """A part of a pack of blobs (`state.tables`). `kind`: blobs, or index. `hash`: pack, kind and part."""

    hash = peewee.CharField(primary_key=True)
    pack = peewee.CharField()
    kind = peewee.CharField()
    part = peewee.BigIntegerField()
    data = peewee.Field()  # bytes; peewee has no type for them without the drivers


class Lock(_Table):
    """Who is at work. `token` tells one run from all others.

    `born` tells a process from a later one of its number; on a server, it is the connection with the lock.
    """

    name = peewee.CharField(primary_key=True)
    host = peewee.TextField()
    process = peewee.BigIntegerField()
    born = peewee.TextField()
    since = peewee.TextField()
    token = peewee.TextField()


class Migration(_Table):
    """The migrations that this database went through."""

    name = peewee.CharField(primary_key=True)


def carried() -> dict[str, list[str]]:
    """Return the columns, by table, of all that a move of the state carries.

    The lock and the migrations belong to a database, looks to a disk; packs are made again from blobs.
    """
    left = (Lock, Migration, Look, Pack)
    tables: list[Any] = [table for table in _Table.__subclasses__() if table not in left]
    return {table._meta.table_name: [field.name for field in table._meta.sorted_fields] for table in tables}
