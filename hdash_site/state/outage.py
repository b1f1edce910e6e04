"""A server that does not answer in the middle of a run, because it is restarted for example."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

SECONDS = 300
"""How long a server is waited for in a run without a deadline."""


class Outage(NamedTuple):
    """How an outage is waited for. `deadline`: of the run, a reading of `time.monotonic`; None without one.

    `tell`: called with one line when the waiting begins.
    """

    deadline: float | None
    tell: Callable[[str], None]

    def end(self) -> float:
        """Return when the waiting for an outage that begins now is over."""
        return time.monotonic() + SECONDS if self.deadline is None else self.deadline


def _ignore(_: str) -> None:
    pass


SILENT = Outage(None, _ignore)
