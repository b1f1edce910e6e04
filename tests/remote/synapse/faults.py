"""What is to go wrong, and how often."""

from __future__ import annotations

import threading

STATUSES = ("400", "401", "403", "404", "409", "429", "500", "502", "503", "504")
KINDS = (*STATUSES, "429 after", "hold", "reset", "cut", "html", "html 502")
"""A status; 429 with Retry-After; no reply for a while; a reset connection; a body cut in the middle; a page
of HTML with status 200 or 502."""

QUERY_KINDS = ("failed", "never")
"""A job that fails, and one that never ends."""

OBJECT_KINDS = ("403", "404", "500", "503", "hold", "reset", "cut", "wrong", "expired")
"""Of the object store: statuses as S3 gives them; bytes that are others; an address that is too old."""

ROUTES = {
    "login": KINDS,
    "query start": KINDS,
    "query poll": (*KINDS, *QUERY_KINDS),
    "batch": KINDS,
    "entity": KINDS,
    "object": OBJECT_KINDS,
}


class Faults:
    """Faults in waiting, by route; the first planned is the first to happen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: dict[str, list[list]] = {}

    def plan(self, route: str, kind: str, times: int, after: int) -> None:
        assert kind in ROUTES[route], (route, kind)
        with self._lock:
            self._planned.setdefault(route, []).append([kind, times, after])

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def next(self, route: str) -> str:
        """Give what goes wrong with this request; empty if it goes well."""
        with self._lock:
            waiting = self._planned.get(route, [])
            if not waiting:
                return ""
            if waiting[0][2]:
                waiting[0][2] -= 1
                return ""
            kind = waiting[0][0]
            waiting[0][1] -= 1
            if waiting[0][1] <= 0:
                waiting.pop(0)
            return kind
