"""What a state knows of its editions, without reading their figures."""

# pyright: basic
# Peewee comes without types.

from __future__ import annotations

import sqlite3
from pathlib import Path

from hdash_site.state import models
from hdash_site.state.orm import peewee
from hdash_site.state.untrusted import check_schema

FOREIGN = "foreign edition"
"""The name of the fact that says up to which edition the published history is that of another state."""


def moments() -> list[str]:
    """Return the moment of each edition of the open state."""
    return [moment for (moment,) in models.rows(models.Edition.select(models.Edition.moment))]


def editions_in(file: Path) -> int:
    """Return the number of editions in a file of SQLite, whether it is a state or not."""
    if not file.exists():
        return 0
    database = peewee.SqliteDatabase(str(file))
    try:
        database.connect()
        check_schema(database.connection())
        [(number,)] = database.execute_sql("SELECT COUNT(*) FROM hdash_edition").fetchall()
        return number
    except (peewee.PeeweeException, sqlite3.Error):
        return 0
    finally:
        database.close()
