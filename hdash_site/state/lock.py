"""One writer: a row that names the run that holds the state, taken over when that process is gone."""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import peewee

from hdash_site.errors import LockedError
from hdash_site.state import models


@contextlib.contextmanager
def held() -> Generator[None, None, None]:
    """Hold the lock; raise `LockedError` if a living process has it."""
    _take()
    try:
        yield
    finally:
        models.Lock.delete().where(models.Lock.name == "run").execute()


def _take() -> None:
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    mine = {
        "name": "run",
        "host": socket.gethostname(),
        "process": os.getpid(),
        "born": _born(os.getpid()),
        "since": since,
    }
    with models.database.atomic("IMMEDIATE"):
        for holder in models.Lock.select():
            if _alive(holder):
                who = f"process {holder.process} on {holder.host}"
                raise LockedError(
                    f"another run ({who}) is at work since {holder.since}", way_out="wait for it"
                )
        models.Lock.delete().execute()
        with contextlib.suppress(peewee.IntegrityError):
            models.Lock.insert(mine).execute()


def _alive(holder: models.Lock) -> bool:
    """Tell whether the process of a lock still runs; one on another machine is taken to."""
    if holder.host != socket.gethostname():
        return True
    process = int(str(holder.process))
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _born(process) == holder.born


def _born(process: int) -> str:
    """Give what tells a process from a later one of the same number: its start, where the system says it."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    # The second field is the program's name in brackets, and may hold blanks; start time is the 22nd.
    return stat.rpartition(")")[2].split()[19]
