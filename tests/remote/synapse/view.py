"""The file view: an index over the entities that lags behind them, and the SQL that it understands.

As `TableManagerSupportImpl` and `TableViewManagerImpl`: a query is answered from the index as it is, and
sends a signal on which a worker applies later what has happened since.
"""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Iterable

from tests.remote.synapse.entities import COLUMNS

FUNCTIONS = {
    "COUNT", "SUM", "MIN", "MAX", "AVG", "BIT_XOR", "BIT_OR", "BIT_AND", "CONCAT", "REPLACE", "UPPER",
    "LOWER", "TRIM", "ROUND", "CRC32", "IFNULL", "NULLIF", "COALESCE", "CAST", "IN",
}  # fmt: skip


class NotSql(Exception):
    """A statement that the service's grammar (`table-query-parser.jj`) does not have."""


class View:
    """The rows of all projects, in SQLite, under the id of the view."""

    def __init__(self, name: str, rows: Iterable[tuple[str | None, ...]]) -> None:
        self.name, self.version = name, 0
        self._hidden: set[str] = set()
        self._cached: dict[str, list[tuple[object, ...]]] = {}
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.create_function("CRC32", 1, _crc32, deterministic=True)
        self._db.create_function("CONCAT", -1, _concat, deterministic=True)
        self._db.create_aggregate("BIT_XOR", 1, _BitXor)
        self._db.execute(f"CREATE TABLE {name} (number INTEGER PRIMARY KEY, {', '.join(COLUMNS)})")
        self._db.execute(f"CREATE INDEX of_project ON {name} (projectId)")
        self._fill(rows)

    def apply(self, rows: Iterable[tuple[str | None, ...]]) -> None:
        """Let the index catch up."""
        self._db.execute(f"DELETE FROM {self.name}")
        self._fill(rows)

    def hide(self, projects: set[str]) -> None:
        """Filter rows by what the caller may read (`TableQueryManagerImpl.addRowLevelFilter`)."""
        self._hidden = projects
        self._cached.clear()

    def query(self, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """Answer from the index as it is; the same question about one version is worked out once."""
        _check(sql, self.name)
        hidden = ", ".join(f"'{one}'" for one in sorted(self._hidden)) or "''"
        source = f"(SELECT * FROM {self.name} WHERE projectId NOT IN ({hidden})) "
        text = re.sub(rf"\bFROM {self.name}\b", f"FROM {source}", sql, flags=re.IGNORECASE)
        try:
            cursor = self._db.execute(text)
            header = [column[0] for column in cursor.description]
            if sql not in self._cached:
                self._cached[sql] = cursor.fetchall()
        except sqlite3.Error as error:
            raise NotSql(str(error)) from None
        return header, self._cached[sql]

    def _fill(self, rows: Iterable[tuple[str | None, ...]]) -> None:
        marks = ", ".join("?" * len(COLUMNS))
        names = ", ".join(COLUMNS)
        self._db.executemany(f"INSERT INTO {self.name} ({names}) VALUES ({marks})", rows)
        self._db.commit()
        self.version += 1
        self._cached.clear()


def _check(sql: str, view: str) -> None:
    plain = re.sub(r"'[^']*'", "''", sql)
    called = {name.upper() for name in re.findall(r"([A-Za-z_]\w*)\s*\(", plain)}
    if called - FUNCTIONS:
        raise NotSql(f"Encountered {min(called - FUNCTIONS)}: unknown function")
    if plain.upper().count("SELECT") != 1 or re.search(r"\b(HAVING|JOIN|UNION)\b", plain, re.IGNORECASE):
        raise NotSql("HAVING, JOIN, UNION and sub-selects are not supported for views")
    if not re.search(rf"\bFROM {view}\b", plain):
        raise NotSql(f"{view} is the only view here")


def _crc32(text: object) -> int | None:
    return None if text is None else zlib.crc32(str(text).encode())


def _concat(*texts: object) -> str | None:
    return None if None in texts else "".join(map(str, texts))


class _BitXor:
    """MySQL's BIT_XOR; NULLs do not count."""

    def __init__(self) -> None:
        self.total = 0

    def step(self, number: int | None) -> None:
        self.total ^= number or 0

    def finalize(self) -> int:
        return self.total
