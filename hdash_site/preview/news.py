"""What open tabs are told: the state after the last build, and what changed on the way there."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hdash_site.preview.faults import Fault

LAST = 4
"""Pages that are looked at, at most: the last ones."""

MANY = 500
"""Of more changed files than this no list is sent: each tab looks for itself."""


class News(NamedTuple):
    """`number` counts; `changed` are the files since the one before; `navigate`: where tabs shall go."""

    number: int
    faults: tuple[Fault, ...] = ()
    changed: tuple[str, ...] = ()
    navigate: str = ""


class Board:
    """Where builds put their news, and every tab finds the last. No tab has a queue that could grow."""

    def __init__(self) -> None:
        self.boot = os.urandom(6).hex()
        """Tells this server from the one that had the port before: numbers begin anew."""
        self._moved = threading.Condition()
        self._news = News(0)
        self._changed_at: dict[str, int] = {}
        self._closed = False
        self._looked_at: deque[str] = deque(maxlen=LAST)

    def look(self, path: str) -> None:
        """Note that a tab shows this file."""
        with self._moved:
            if path not in self._looked_at:
                self._looked_at.append(path)

    def looked_at(self) -> list[str]:
        """Give the files that tabs show, or showed, the last first."""
        with self._moved:
            return [*reversed(self._looked_at)]

    def post(self, faults: Sequence[Fault], changed: Iterable[str], navigate: str = "") -> None:
        with self._moved:
            number = self._news.number + 1
            self._news = News(number, tuple(faults), tuple(changed), navigate)
            self._changed_at.update(dict.fromkeys(self._news.changed, number))
            self._moved.notify_all()

    def last(self) -> News:
        with self._moved:
            return self._news

    def after(self, number: int, timeout: float) -> News | None:
        """Wait for another news than that number; None if there is none within `timeout` seconds."""
        with self._moved:
            self._moved.wait_for(lambda: self._closed or self._news.number != number, timeout)
            return self._news if self._news.number != number else None

    def changed_since(self, number: int) -> list[str]:
        with self._moved:
            return [path for path, at in self._changed_at.items() if at > number]

    def close(self) -> None:
        """Let everybody go who waits."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()

    def closed(self) -> bool:
        with self._moved:
            return self._closed


def as_json(board: Board, news: News, before: int) -> dict[str, Any]:
    """Give news for a tab that knows those of the number `before`; it may have missed some since."""
    follows = news.number == before + 1
    listed = follows and len(news.changed) <= MANY
    return {
        "boot": board.boot,
        "number": news.number,
        "faults": [found._asdict() for found in news.faults],
        "changed": [f"/{path}" for path in news.changed] if listed else None,
        "navigate": news.navigate if follows else "",
    }
