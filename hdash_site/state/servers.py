"""MySQL and PostgreSQL: connections to them, and a lock that ends with the connection that holds it.

Imported only if the state is in one of them.
"""

# pyright: basic
# Peewee and the drivers come without types for what is asked of them here.

from __future__ import annotations

import contextlib
import hashlib
import threading
from typing import Any

from hdash_site.state.orm import peewee
from hdash_site.state.where import Where

CONNECT_SECONDS = 10
BEAT_SECONDS = 20
SILENT_SECONDS = 180
"""A connection on which nothing was heard for so long is closed by the server, and the lock is free."""


def database(where: Where, thread_safe: bool = True) -> Any:
    """Give the database, not connected yet; if not thread-safe, it has one connection for all threads."""
    make = _mysql if where.kind == "mysql" else _postgresql
    return make(where, thread_safe=thread_safe, autoconnect=False)


class Session:
    """The lock of the server, held by a connection of its own; a beating thread keeps that one alive."""

    def __init__(self, where: Where) -> None:
        # One connection, used by two threads in turn.
        self._database = database(where, thread_safe=False)
        self._turn = threading.Lock()
        self._end = threading.Event()
        self._beating: threading.Thread | None = None
        digest = hashlib.sha256(f"hdash-site {where.name}".encode()).hexdigest()
        if where.kind == "mysql":
            name = f"hdash-site {digest[:40]}"
            self._taking = f"SELECT GET_LOCK('{name}', 0)"
            self._holding = f"SELECT IS_USED_LOCK('{name}')"
            self._me = "SELECT CONNECTION_ID()"
        else:
            high, low = int(digest[:7], 16), int(digest[7:14], 16)
            self._taking = f"SELECT pg_try_advisory_lock({high}, {low})"
            self._holding = f"""
                SELECT max(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database
                WHERE locktype = 'advisory' AND granted AND datname = current_database()
                AND (classid::bigint, objid::bigint) = ({high}, {low})
            """  # noqa: S608
            self._me = "SELECT pg_backend_pid()"
        self.connection = ""

    def take(self) -> bool:
        """Tell whether the lock is ours now, on a new connection; if not, somebody else has it."""
        with self._turn:
            with contextlib.suppress(peewee.PeeweeException):
                self._database.close()
            self._database.connect()
        self.connection = self._ask(self._me)
        if self._ask(self._taking) not in ("1", "True"):
            return False
        if self._beating is None or not self._beating.is_alive():
            self._beating = threading.Thread(target=self._beat, name="lock", daemon=True)
            self._beating.start()
        return True

    def holder(self) -> str:
        """Give the connection that has the lock; empty if none has."""
        return self._ask(self._holding)

    def held(self) -> bool:
        """Ask the server whether the lock is still ours."""
        try:
            return self.holder() == self.connection
        except peewee.PeeweeException:
            return False

    def close(self) -> None:
        self._end.set()
        if self._beating:
            self._beating.join()
        with contextlib.suppress(peewee.PeeweeException):
            self._database.close()

    def _beat(self) -> None:
        while not self._end.wait(BEAT_SECONDS) and self.held():
            pass

    def _ask(self, question: str) -> str:
        with self._turn:
            [(answer,)] = self._database.execute_sql(question).fetchall()
        return "" if answer is None else str(answer)


def _mysql(where: Where, **more: Any) -> Any:
    import pymysql

    class MySQL(peewee.MySQLDatabase):
        def _connect(self) -> Any:
            try:
                return pymysql.connect(database=self.database, autocommit=True, **self.connect_params)
            except (RuntimeError, UnicodeError) as error:
                # A password that needs TLS or one more package; a host that cannot be one.
                raise pymysql.OperationalError(0, str(error)) from None

    return MySQL(
        where.name,
        host=where.host,
        port=where.port,
        user=where.user,
        password=where.password.encode(),
        charset="utf8mb4",
        connect_timeout=CONNECT_SECONDS,
        init_command=f"SET SESSION wait_timeout = {SILENT_SECONDS}",
        **({"ssl": _certificates(where.tls)} if where.tls else {}),
        **more,
    )


def _certificates(tls: str) -> Any:
    import ssl

    context = ssl.create_default_context()
    if tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


# Older servers lack some of these settings, and a socket file has no use for others.
_SILENCE = """
    SELECT set_config(name, value, false)
    FROM pg_settings JOIN (VALUES
        ('tcp_keepalives_idle', '30'),
        ('tcp_keepalives_interval', '10'),
        ('tcp_keepalives_count', '5'),
        ('tcp_user_timeout', %(silent)s),
        ('idle_session_timeout', %(silent)s),
        ('idle_in_transaction_session_timeout', %(silent)s)
    ) AS ours (setting_name, value) ON name = setting_name
"""


def _postgresql(where: Where, **more: Any) -> Any:
    import psycopg
    from psycopg.pq import TransactionStatus

    class Adapter(peewee.Psycopg3Adapter):
        txn_idle = TransactionStatus.IDLE
        txn_inerror = TransactionStatus.INERROR
        txn_unknown = TransactionStatus.UNKNOWN

        def check_driver(self) -> None:
            pass

        def connect(self, db: Any, **params: Any) -> Any:
            try:
                connection = psycopg.connect(dbname=db.database, prepare_threshold=None, **params)
            except UnicodeError as error:  # from a host that cannot be one
                raise psycopg.OperationalError(str(error)) from None
            connection.autocommit = True
            connection.execute(_SILENCE, {"silent": f"{SILENT_SECONDS * 1000}"})
            return connection

    class PostgreSQL(peewee.PostgresqlDatabase):
        psycopg2_adapter = psycopg3_adapter = Adapter

    tls: dict[str, Any] = {"sslmode": "require"} if where.tls == "require" else {}
    if where.tls == "verify":
        tls = {"sslmode": "verify-full", "sslrootcert": "system"}
    return PostgreSQL(
        where.name,
        host=where.host,
        port=where.port,
        user=where.user,
        password=where.password or None,
        client_encoding="UTF8",
        connect_timeout=CONNECT_SECONDS,
        keepalives_idle=30,
        keepalives_interval=10,
        keepalives_count=5,
        **tls,
        **more,
    )
