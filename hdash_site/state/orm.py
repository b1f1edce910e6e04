"""Peewee without the drivers that it imports wherever it finds them: a run on SQLite needs none of them."""

# pyright: basic

from __future__ import annotations

from hdash_site.imports import hidden

with hidden("psycopg2cffi", "psycopg2", "psycopg", "pymysql", "MySQLdb"):
    import peewee

__all__ = ["peewee"]
