"""One writer: a row that names the run that holds the state, and what ends with that run.

On SQLite that is its process: the row of one that is gone is taken over. On a server it is a connection; the
row says then who it is. Every change asks for the row once more within its transaction: a run that lost the
lock without noticing changes nothing. A server that is restarted is waited for, and the lock taken again.
"""

# pyright: basic
# Peewee and diskcache come without types: strict checking would report every call to them.

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hdash_site.errors import LockedError, StateError
from hdash_site.state import copies, migrations, models
from hdash_site.state.orm import peewee
from hdash_site.state.outage import SILENT, Outage
from hdash_site.state.where import Where

if TYPE_CHECKING:
    from hdash_site.state.servers import Session


class Held:
    """The lock, as long as it is ours.

    On a server, each change gives the row of the lock a new token within its transaction. So it shows after a
    restart of the server whether a change whose answer was lost is there, and whether another run had the
    lock in the meantime.
    """

    def __init__(
        self,
        token: str,
        session: Session | None = None,
        also: Callable[[], None] | None = None,
        copied: str = "",
        outage: Outage = SILENT,
    ) -> None:
        self.copied = copied
        """The name of the copy of an older state that was kept, if there was one to migrate."""
        self.token = token
        self._session = session
        self._also = also
        self._outage = outage
        self._changes = 0
        self._turn = threading.RLock()

    def check(self) -> None:
        """Raise `StateError` if the lock is no longer ours; to be called within each transaction."""
        if self._also:
            self._also()
        with self._turn:  # else the row may be of a change of which we have no answer yet
            if _row() != self.token:
                raise _lost()
            self._check_session()

    def write(self, change: Callable[[], Any]) -> None:
        """Make a change in one transaction, if the lock is still ours; on a server, exactly once."""
        if self._session is None:
            with models.database.atomic():
                self.check()
                change()
            return
        with self._turn:
            self._changes += 1
            token = self._next()

            def once() -> None:
                with models.database.atomic():
                    if self._advanced(token):
                        change()

            self.again(once)
            self.token = token

    def _advanced(self, token: str) -> bool:
        """Give the row its next token; return whether it had the last one.

        If it has the next one, the answer to an earlier try was lost. Whoever takes the lock from here on
        waits for our transaction with the row.
        """
        table = models.Lock
        if table.update(token=token).where(table.name == "run", table.token == self.token).execute() != 1:
            if _row() == token:
                return False
            raise _lost()
        self._check_session()
        return True

    def _check_session(self) -> None:
        if self._session is not None and not self._session.held():
            raise _SessionGone("the connection that held the lock is gone")

    def again(self, action: Callable[[], Any]) -> Any:
        """Do it, and on a server again on new connections, after a restart for example.

        Raises `StateError` if another run had the lock in the meantime.
        """
        for tries in itertools.count():
            try:
                return action()
            except _CUT as error:
                odd = tries >= _TRIES and not isinstance(error, _SessionGone) and _answers()
                if self._session is None or odd:
                    raise
                _reconnect(self._outage, self._hold, error)
        raise AssertionError

    def _hold(self) -> bool:
        """Take the lock of the server again if it is lost; return whether it is ours."""
        assert self._session is not None
        with self._turn:
            if self._session.held():
                return True
            taken = self._session.take()
            row = _row()
            if row not in (self.token, self._next()):
                raise _lost()
            if taken:
                table = models.Lock
                table.update(born=self._session.connection).where(table.name == "run").execute()
            return taken

    def _next(self) -> str:
        """Return the token of the change that is made now, or was tried last."""
        return f"{self.token.partition('.')[0]}.{self._changes}"


_CUT = (peewee.OperationalError, peewee.InterfaceError)

_TRIES = 5
"""A statement that fails more often, on connections that work, has another fault than that they were cut."""


class _SessionGone(peewee.OperationalError):
    """The connection for the rows is there, and that of the lock is not."""


def _row() -> str:
    """Return the token of the row; empty if there is none."""
    found = models.rows(models.Lock.select(models.Lock.token).where(models.Lock.name == "run"))
    return found[0][0] if found else ""


def _lost() -> StateError:
    problem = "the lock was lost, since the connection that held it is gone and another run took it"
    return StateError(problem, way_out="build again")


NOBODY = Held("")
"""Not the lock: all that it allows is to read."""


@contextlib.contextmanager
def held(
    where: Where, also: Callable[[], None] | None = None, outage: Outage = SILENT
) -> Generator[Held, None, None]:
    """Hold the lock of the connected database, its tables being those of today.

    `also`: the check of a lock that is held besides, and that counts for all machines: what another one left
    in a file is no living run's. Raises `LockedError` if a living run has it.
    """
    token = os.urandom(16).hex()
    if where.kind == "sqlite":
        copied = copies.keep(models.database.obj, where)
        migrations.migrate(models.database.obj)
        _take(token, alive=_alive_here if also else _alive)
        try:
            yield Held(token, also=also, copied=copied)
        finally:
            _give_back(token)
        return
    session, copied = _acquired(where, token, outage)
    try:
        mine = Held(token, session, copied=copied, outage=outage)
        try:
            yield mine
        finally:
            # A connection that is gone takes nothing back: the row stays, and says nothing without the lock.
            with contextlib.suppress(peewee.PeeweeException):
                _give_back(mine.token)
    finally:
        session.close()


def _acquired(where: Where, token: str, outage: Outage) -> tuple[Session, str]:
    """Take the lock of a server, and bring its tables forward to those of today.

    Return the session that holds the lock, and the name of the copy that was kept before, if there is one.
    """
    from hdash_site.state.servers import Session

    copied: str | None = None
    for tries in itertools.count():
        session = Session(where)
        try:
            _wait(session)
            if copied is None:  # else what is there now may be migrated by half
                copied = copies.keep(models.database.obj, where)
            migrations.migrate(models.database.obj)
            _take(token, alive=lambda _: False, connection=session.connection)
        except _CUT as error:
            session.close()
            if tries >= _TRIES and _answers():
                raise
            _reconnect(outage, lambda: True, error)
        except BaseException:
            session.close()
            raise
        else:
            return session, copied
    raise AssertionError


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


_RETRY_SECONDS = 0.5


def _reconnect(outage: Outage, ready: Callable[[], bool], error: Exception) -> None:
    """Connect again, until it succeeds and `ready` returns True. Raises `error` when the time is over."""
    end = outage.end()
    for tries in itertools.count():
        with contextlib.suppress(*_CUT):
            if _reconnected() and ready():
                return
        if time.monotonic() > end:
            raise error
        if tries == 1:
            outage.tell(f"waiting for the database, for up to {end - time.monotonic():.0f} s")
        time.sleep(_RETRY_SECONDS)


def _answers() -> bool:
    """Return whether the connection of this thread is alive."""
    with contextlib.suppress(*_CUT):
        models.database.execute_sql("SELECT 1").fetchall()
        return True
    return False


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
