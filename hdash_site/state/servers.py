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


def database(where: Where) -> Any:
    """Give the database, not connected yet."""
    made = _mysql(where) if where.kind == "mysql" else _postgresql(where)
    made.autoconnect = False
    return made


class Session:
    """The lock of the server, held by a connection of its own; a beating thread keeps that one alive."""

    def __init__(self, where: Where) -> None:
        self._database = database(where)
        self._mysql = where.kind == "mysql"
        digest = hashlib.sha256(f"hdash-site {where.name}".encode()).hexdigest()
        self._name = f"hdash-site {digest[:40]}" if self._mysql else int(digest[:15], 16)
        # One connection, used by two threads in turn.
        self._connection: Any = None
        self._turn = threading.Lock()
        self._end = threading.Event()
        self._beating: threading.Thread | None = None

    def take(self) -> bool:
        """Tell whether the lock is ours now; if not, somebody else has it."""
        self._database.connect()
        self._connection = self._database.connection()
        if self._mysql:
            taken = self._ask("SELECT GET_LOCK(%s, 0)", self._name) == 1
        else:
            taken = self._ask("SELECT pg_try_advisory_lock(%s::bigint)", self._name) is True
        if taken:
            self._beating = threading.Thread(target=self._beat, name="lock", daemon=True)
            self._beating.start()
        return taken

    def held(self) -> bool:
        """Ask the server whether the lock is still ours."""
        try:
            if self._mysql:
                return self._ask("SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", self._name) == 1
            return self._ask("SELECT 1") == 1
        except self._errors():
            return False

    def close(self) -> None:
        self._end.set()
        if self._beating:
            self._beating.join()
        if self._connection:
            with contextlib.suppress(*self._errors()), self._turn:
                self._connection.close()

    def _beat(self) -> None:
        while not self._end.wait(BEAT_SECONDS) and self.held():
            pass

    def _ask(self, question: str, *values: Any) -> Any:
        with self._turn:
            cursor = self._connection.cursor()
            cursor.execute(question, values)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def _errors(self) -> tuple[type[Exception], ...]:
        if self._mysql:
            import pymysql

            return (pymysql.Error, OSError)
        import psycopg

        return (psycopg.Error, OSError)


def _mysql(where: Where) -> Any:
    import pymysql

    class MySQL(peewee.MySQLDatabase):
        def _connect(self) -> Any:
            try:
                return pymysql.connect(database=self.database, autocommit=True, **self.connect_params)
            except (pymysql.Error, OSError):
                raise
            except Exception as error:
                # Some ways to prove a password need an encrypted connection or one more package.
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


def _postgresql(where: Where) -> Any:
    import psycopg
    from psycopg.pq import TransactionStatus

    class Adapter(peewee.Psycopg3Adapter):
        txn_idle = TransactionStatus.IDLE
        txn_inerror = TransactionStatus.INERROR
        txn_unknown = TransactionStatus.UNKNOWN

        def check_driver(self) -> None:
            pass

        def connect(self, db: Any, **params: Any) -> Any:
            connection = psycopg.connect(dbname=db.database, prepare_threshold=None, **params)
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
    )
