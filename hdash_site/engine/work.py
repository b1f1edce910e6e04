"""Where heavy pure functions run: in the thread that calls, or beside it in processes.

A call without limits runs in its thread while no other does, so that a build with little to do starts no
process. Once calls have waited for each other as long as it takes to start the processes, these do it all as
soon as they are there. A call with limits runs in a process, however little there is to do. Where none can be
started, every call runs in its thread, without limits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from hdash_site.engine.model import Bounds
from hdash_site.engine.processes import NoProcess, Processes

PATIENCE = 0.3
"""Seconds that calls wait for each other before processes are started."""

MANY = 16
"""After so many calls, each counts as one that waited for the one before."""


class Workers:
    """At most `jobs` processes; `modules` are what they will need, and import once for all.

    `may_fork`: processes may be forked from this one while it has no more threads than now.
    """

    def __init__(self, jobs: int, modules: Sequence[str] = (), *, may_fork: bool = False) -> None:
        self._jobs = jobs
        self._alone = threading.Lock()
        self._processes = Processes(jobs, modules, may_fork=may_fork)
        self._wanted = False
        self._waited = 0.0
        self._calls = 0

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return self.run_within(Bounds(), function, *args, **kwargs)

    def run_within(self, bounds: Bounds, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run a call, ended early by its bounds if it runs in a process. Raises `Overrun` or `OutOfTime`."""
        alone = bounds.limits is None and not (self._wanted and self._processes.are_there())
        if alone and self._acquired():
            began = time.monotonic()
            try:
                return function(*args, **kwargs)
            finally:
                # Threads that wait for the interpreter do not get as far as to wait here.
                self._calls += 1
                self._waited += time.monotonic() - began if self._calls > MANY else 0.0
                self._alone.release()
        self._wanted = self._wanted or bounds.limits is None
        try:
            return self._processes.call(bounds, function, args, kwargs)
        except NoProcess:
            return function(*args, **kwargs)

    def _acquired(self) -> bool:
        """Tell whether a call is to run in its thread, which no other does meanwhile."""
        if self._wanted:
            return self._alone.acquire(blocking=False)
        if self._jobs > 1 and self._waited >= PATIENCE:
            return False
        began = time.monotonic()
        acquired = self._alone.acquire(timeout=-1 if self._jobs == 1 else max(0.0, PATIENCE - self._waited))
        self._waited += time.monotonic() - began
        return acquired

    def close(self) -> None:
        self._processes.close()
