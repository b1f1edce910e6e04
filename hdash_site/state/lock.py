"""One writer: a row that names the run that holds the state, and what ends with that run.

On SQLite that is its process: the row of one that is gone is taken over. On a server it is a connection; the
row says then who it is. Every change asks for the row once more within its transaction: a run that lost the
lock without noticing changes nothing.
"""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hdash_site.errors import LockedError, StateError
from hdash_site.state import copies, migrations, models
from hdash_site.state.orm import peewee
from hdash_site.state.where import Where


class Held:
    """The lock, as long as it is ours."""

    def __init__(
        self, token: str, session: Any = None, also: Callable[[], None] | None = None, copied: str = ""
    ) -> None:
        self.copied = copied
        """The name of the copy of an older state that was kept, if there was one to migrate."""
        self._token = token
        self._session = session
        self._also = also

    def check(self) -> None:
        """Raise `StateError` if the lock is no longer ours; to be called within each transaction."""
        if self._also:
            self._also()
        mine = models.Lock.select(models.Lock.token).where(models.Lock.name == "run")
        if self._session:
            # Whoever takes the lock from here on waits for our transaction with its row.
            mine = mine.for_update()
        if models.rows(mine) != [(self._token,)] or not self.session_lives():
            raise StateError(
                "the lock was lost, since the connection that held it is gone", way_out="build again"
            )

    def session_lives(self) -> bool:
        return self._session is None or self._session.held()

    def write(self, change: Callable[[], Any]) -> None:
        """Make a change in one transaction, if the lock is still ours; it can be made twice without harm."""

        def once() -> None:
            with models.database.atomic():
                self.check()
                change()

        self.again(once)

    def again(self, action: Callable[[], Any]) -> Any:
        """Do it, and once more on a new connection if a server closed ours."""
        try:
            return action()
        except (peewee.OperationalError, peewee.InterfaceError):
            if self._session is None or not _reconnected():
                raise
        return action()


NOBODY = Held("")
"""Not the lock: all that it allows is to read."""


@contextlib.contextmanager
def held(where: Where, also: Callable[[], None] | None = None) -> Generator[Held, None, None]:
    """Hold the lock of the connected database, its tables being those of today.

    `also`: the check of a lock that is held besides, and that counts for all machines: what another one left
    in a file is no living run's. Raises `LockedError` if a living run has it.
    """
    token = os.urandom(16).hex()
    if where.kind == "sqlite":
        copied = _migrated(where)
        _take(token, alive=_alive_here if also else _alive)
        try:
            yield Held(token, also=also, copied=copied)
        finally:
            _give_back(token)
        return
    from hdash_site.state.servers import Session

    session = Session(where)
    try:
        _wait(session)
        copied = _migrated(where)
        _take(token, alive=lambda _: False, connection=session.connection)
        try:
            yield Held(token, session, copied=copied)
        finally:
            # A connection that is gone takes nothing back: the row stays, and says nothing without the lock.
            with contextlib.suppress(peewee.PeeweeException):
                _give_back(token)
    finally:
        session.close()


def _migrated(where: Where) -> str:
    """Bring the connected database forward; return the name of the copy that was kept before, if any."""
    copied = copies.keep(models.database.obj, where)
    migrations.migrate(models.database.obj)
    return copied


def _wait(session: Any) -> None:
    """Take the lock; else wait a moment for the row of the run that has it, which may be on its way, or for
    the server to notice that this run was killed.
    """
    holder = None
    for _ in range(_LOOKS):
        if session.take():
            return
        try:
            holder = models.Lock.get_or_none(models.Lock.born == session.holder())
        except peewee.ProgrammingError:
            holder = None  # the other run has not made the tables yet
        if holder and not _is_gone(holder):
            break
        time.sleep(_LOOK_SECONDS)
    raise _locked(holder)


_LOOKS, _LOOK_SECONDS = 20, 0.1


def _take(token: str, alive: Callable[[models.Lock], bool], connection: str = "") -> None:
    mine = {
        "name": "run",
        "host": models.escaped(socket.gethostname()),
        "process": os.getpid(),
        "born": connection or _born(os.getpid()),
        "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "token": token,
    }
    sqlite = isinstance(models.database.obj, peewee.SqliteDatabase)
    with models.database.atomic("IMMEDIATE") if sqlite else models.database.atomic():
        for holder in models.Lock.select():
            if alive(holder):
                raise _locked(holder)
        models.Lock.delete().execute()
        models.Lock.insert(mine).execute()


def _give_back(token: str) -> None:
    models.Lock.delete().where(models.Lock.token == token).execute()


def _locked(holder: models.Lock | None) -> LockedError:
    who = "another run is at work"
    if holder:
        host = models.plain(str(holder.host))
        who = f"another run (process {holder.process} on {host}) is at work since {holder.since}"
    return LockedError(who, way_out="wait for it")


def _reconnected() -> bool:
    with contextlib.suppress(peewee.PeeweeException):
        models.database.close()
    with contextlib.suppress(peewee.PeeweeException):
        models.database.connect(reuse_if_open=True)
        return True
    return False


def _alive(holder: models.Lock) -> bool:
    """Tell whether the process of a lock still runs; one on another machine is taken to."""
    return not _is_here(holder) or _alive_here(holder)


def _is_here(holder: models.Lock) -> bool:
    return models.plain(str(holder.host)) == socket.gethostname()


def _is_gone(holder: models.Lock) -> bool:
    """Tell whether the process of a lock was one of this machine, and ended."""
    if _is_here(holder):
        try:
            os.kill(int(str(holder.process)), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
    return False


def _alive_here(holder: models.Lock) -> bool:
    if not _is_here(holder) or _is_gone(holder):
        return False
    return _born(int(str(holder.process))) in ("", holder.born)


def _born(process: int) -> str:
    """Give what tells a process from a later one of the same number: its start, where the system says it."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    # The second field is the program's name in brackets, and may hold blanks; start time is the 22nd.
    return stat.rpartition(")")[2].split()[19]
