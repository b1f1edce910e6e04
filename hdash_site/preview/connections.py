"""How many connections a server has at a time, so that no number of clients exhausts its threads."""

from __future__ import annotations

import contextlib
import socket
import threading

MOST = 128
"""Connections at a time: each has a thread."""

MOST_STREAMS = 64
"""Of them so many may be streams of news, which last as long as their tabs."""

GIVEN_WAY = 1.0
"""Seconds that a new connection waits until one that was idle is closed."""


class Connections:
    """The open connections. A connection whose request has not arrived whole is idle: it can be closed."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._idle: dict[socket.socket, None] = {}
        """In the order in which they became idle."""
        self._busy: set[socket.socket] = set()
        self._streams: set[socket.socket] = set()

    def admit(self, connection: socket.socket) -> bool:
        """Let a new connection in, if need be for one that is idle for longest; False if all are busy."""
        with self._moved:
            if self._is_full() and self._idle:
                # The thread of the connection finds it at its end, and leaves.
                with contextlib.suppress(OSError):
                    next(iter(self._idle)).shutdown(socket.SHUT_RDWR)
                self._moved.wait_for(lambda: not self._is_full(), GIVEN_WAY)
            if self._is_full():
                return False
            self._idle[connection] = None
            return True

    def begin(self, connection: socket.socket) -> None:
        """Note that a request was read whole."""
        with self._moved:
            if connection in self._idle:
                del self._idle[connection]
                self._busy.add(connection)

    def end(self, connection: socket.socket) -> None:
        """Note that a request was answered."""
        with self._moved:
            if connection in self._busy:
                self._busy.discard(connection)
                self._idle[connection] = None

    def stream(self, connection: socket.socket) -> bool:
        """Note that a connection is a stream from here on; False if there are too many."""
        with self._moved:
            if len(self._streams) >= MOST_STREAMS:
                return False
            self._streams.add(connection)
            return True

    def leave(self, connection: socket.socket) -> None:
        """Note that a connection is closed."""
        with self._moved:
            self._idle.pop(connection, None)
            self._busy.discard(connection)
            self._streams.discard(connection)
            self._moved.notify_all()

    def _is_full(self) -> bool:
        return len(self._idle) + len(self._busy) >= MOST
