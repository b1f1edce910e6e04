"""The rows of a state from one database to another, and the state as one portable, checked file.

The file is gzip with a line of JSON for each part: a header, the rows of each table below the names of its
columns, blobs if they were asked for, and an end with the counts and the sha-256 of all lines before it. A
file is read into a temporary database first: nothing is changed before the whole file is known to be sound.
"""

# pyright: basic
# Peewee comes without types.

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from hdash_site import __version__
from hdash_site.errors import StateError
from hdash_site.state import migrations, models
from hdash_site.state.orm import peewee

FORMAT, VERSION = "hdash-site state", 1

STATEMENT_BYTES = 256 << 10
"""Text in one statement: escaping may double it, and servers take 1 MB at least."""
STATEMENT_VALUES = 900
"""Old SQLite takes 999 variables in a statement."""
LINE_BYTES = 1 << 30
"""No line of a file is longer."""
ROW_BYTES = 64 << 20
"""No line is longer that is not a blob: decoded, it may take many times as much memory."""

Row: TypeAlias = tuple[Any, ...]
Load: TypeAlias = Callable[[str], bytes | None]

_NONSENSE = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,62}")


def rows_of(database: Any, table: str, columns: list[str]) -> Iterator[Row]:
    """Return the rows of a table, by its first column: the same rows come in the same order."""
    names = _quoted(database, columns)
    query = f"SELECT {', '.join(names)} FROM {table} ORDER BY {names[0]}"  # noqa: S608
    yield from database.execute_sql(query).fetchall()


def counts(database: Any) -> dict[str, int]:
    """Return the number of rows of each table that a move carries, if there are any."""
    found: dict[str, int] = {}
    for table in models.carried():
        [(number,)] = database.execute_sql(f"SELECT COUNT(*) FROM {table}").fetchall()  # noqa: S608
        if number:
            found[table] = number
    return found


def copy(source: Any, target: Any) -> None:
    """Replace the rows of a database by those of another; both have the tables of today.

    To be called within a transaction of the target.
    """
    for table, columns in models.carried().items():
        target.execute_sql(f"DELETE FROM {table}")  # noqa: S608
        insert(target, table, columns, rows_of(source, table, columns))
    renumber(target)


def renumber(database: Any) -> None:
    """Let the next run get a new number: sequences of PostgreSQL do not see the numbers of inserted rows."""
    if isinstance(database, peewee.PostgresqlDatabase):
        sequence = "pg_get_serial_sequence('hdash_run', 'id')"
        database.execute_sql(f"SELECT setval({sequence}, max(id)) FROM hdash_run")  # noqa: S608


def insert(database: Any, table: str, columns: list[str], rows: Iterable[Row]) -> None:
    """Insert rows in statements of bounded size."""
    place = f"({', '.join([database.param] * len(columns))})"
    into = f"INSERT INTO {table} ({', '.join(_quoted(database, columns))}) VALUES "  # noqa: S608
    for batch in _batches(rows, max(1, STATEMENT_VALUES // len(columns))):
        values = [value for row in batch for value in row]
        database.execute_sql(into + ", ".join([place] * len(batch)), values)


def _batches(rows: Iterable[Row], most: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        length = sum(len(value) for value in row if isinstance(value, (str, bytes)))
        if batch and (len(batch) == most or size + length > STATEMENT_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch


def _quoted(database: Any, columns: list[str]) -> list[str]:
    before, after = database.quote
    return [f"{before}{column}{after}" for column in columns]


def write(file: BinaryIO, database: Any, blobs: Iterable[str], load: Load) -> tuple[dict[str, int], int]:
    """Write the state into a file; return the number of rows by table and of blobs.

    `blobs`: digests of the blobs to carry; those that are lost are left out.
    """
    digest = hashlib.sha256()
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as stream:

        def line(content: Any) -> None:
            data = json.dumps(content, separators=(",", ":")).encode() + b"\n"
            digest.update(data)
            stream.write(data)

        names = sorted(migrations.seen(database))
        header = {"format": FORMAT, "version": VERSION, "program": __version__, "migrations": names}
        line(header)
        rows: dict[str, int] = {}
        for table, columns in models.carried().items():
            line({"table": table, "columns": columns})
            rows[table] = 0
            for row in rows_of(database, table, columns):
                line(row)
                rows[table] += 1
        carried = 0
        for name in blobs:
            data = load(name)
            if data is not None:
                line({"blob": name, "data": base64.b64encode(data).decode()})
                carried += 1
        line({"end": {"rows": rows, "blobs": carried, "sha256": digest.hexdigest()}})
    return {table: number for table, number in rows.items() if number}, carried


@contextlib.contextmanager
def staged(path: Path, folder: Path) -> Generator[Any, None, None]:
    """Read a file into a database in a temporary folder, and bring that forward to the tables of today.

    Raises `StateError` if the file is damaged, incomplete or of a newer version.
    """
    database = peewee.SqliteDatabase(
        str(folder / "staged.db"), pragmas={"journal_mode": "off", "synchronous": "off"}
    )
    database.connect()
    try:
        with database.atomic():
            _stage(path, database)
        migrations.migrate(database)
        yield database
    finally:
        database.close()


def blobs(path: Path) -> Iterator[bytes]:
    """Return the blobs in a file that was staged."""
    for part in _lines(path):
        if isinstance(part, dict) and "blob" in part:
            yield _blob(part)


def _stage(path: Path, database: Any) -> None:
    lines = _lines(path)
    names = next(lines)["migrations"]
    unknown = sorted(set(names) - {each.__name__ for each in migrations.MIGRATIONS})
    if unknown:
        problem = f'the file was written by a newer version (it has "{unknown[0]}")'
        raise StateError(problem, str(path), "import it with that version")
    migrations.migrate(database, names)
    table = ""
    with _sound(path):
        for table, columns, rows in _tables(lines):
            there = {column.name for column in database.get_columns(table)}
            if table not in database.get_tables() or not set(columns) <= there:
                raise ValueError(f"it has an unknown table {table}")
            insert(database, table, columns, rows)


def _tables(lines: Iterator[Any]) -> Iterator[tuple[str, list[str], list[Row]]]:
    """Return rows, some at a time, with their table and its columns; check each blob."""
    table, columns, rows = "", [], []
    for part in lines:
        if isinstance(part, list):
            if len(part) != len(columns) or not all(type(value) in (str, int) for value in part):
                raise ValueError("a row does not fit its table")
            rows.append(tuple(part))
            if len(rows) < STATEMENT_VALUES:
                continue
        if rows:
            yield table, columns, rows
            rows = []
        if isinstance(part, dict) and "table" in part:
            table, columns = part["table"], part["columns"]
            if not all(_COLUMN.fullmatch(name) for name in (table, *columns)) or not columns:
                raise ValueError("a name is none")
        elif isinstance(part, dict) and "blob" in part:
            _blob(part)
    if rows:
        yield table, columns, rows


def _blob(part: dict[str, Any]) -> bytes:
    data = base64.b64decode(part["data"], validate=True)
    if hashlib.sha256(data).hexdigest() != part["blob"]:
        raise ValueError("a blob is not what its name says")
    return data


def _lines(path: Path) -> Iterator[Any]:
    """Return the parts of a file between its end and with its header; raises `StateError` if one is wrong."""
    digest = hashlib.sha256()
    rows, carried = 0, 0
    with _sound(path), gzip.open(path, "rb") as stream:
        for number, data in enumerate(iter(lambda: stream.readline(LINE_BYTES), b"")):
            if len(data) > ROW_BYTES and not data.startswith(b'{"blob":"'):
                raise ValueError("a row is too long")
            part = json.loads(data)
            if number == 0:
                _check_header(part, path)
            if isinstance(part, dict) and "end" in part:
                end = part["end"]
                counted = (sum(end["rows"].values()), end["blobs"], end["sha256"])
                if counted != (rows, carried, digest.hexdigest()) or stream.read(1):
                    raise ValueError("its checksum is wrong")
                return
            digest.update(data)
            rows += isinstance(part, list)
            carried += isinstance(part, dict) and "blob" in part
            yield part
        raise ValueError("its end is missing")


def _check_header(header: Any, path: Path) -> None:
    if header["format"] != FORMAT:
        raise ValueError("it has another format")
    if header["version"] > VERSION:
        raise StateError("the file was written by a newer version", str(path), "import it with that version")
    if not all(isinstance(name, str) for name in header["migrations"]):
        raise ValueError("its header is wrong")


@contextlib.contextmanager
def _sound(path: Path) -> Generator[None, None, None]:
    """Turn whatever a damaged file leads to into one line."""
    try:
        yield
    except FileNotFoundError:
        raise StateError("there is no such file", str(path), "give the path of an exported state") from None
    except (*_NONSENSE, OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno:
            way_out = "check the path and its permissions"
            raise StateError(f"the file cannot be read ({error.strerror})", str(path), way_out) from error
        problem = "this is no exported state, or the file is damaged or incomplete; nothing was changed"
        raise StateError(problem, str(path), "export the state again, or use another copy") from error
    except peewee.PeeweeException as error:
        problem = f"the rows of the file do not fit the tables ({error}); nothing was changed"
        raise StateError(problem, str(path), "export the state again, or use another copy") from error
