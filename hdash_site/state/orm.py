"""Peewee without the drivers that it imports wherever it finds them: a run on SQLite needs none of them."""

# pyright: basic

from __future__ import annotations

import sys

_DRIVERS = [
    name for name in ("psycopg2cffi", "psycopg2", "psycopg", "pymysql", "MySQLdb") if name not in sys.modules
]

sys.modules.update(dict.fromkeys(_DRIVERS))  # type: ignore[arg-type]
try:
    import peewee
finally:
    for _name in _DRIVERS:
        del sys.modules[_name]

__all__ = ["peewee"]
