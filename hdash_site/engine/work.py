"""Where heavy pure functions run: in the calling thread, and beside it in processes.

A call that finds nothing else at work runs in the thread that makes it, so that a build with one thing
to do starts no process. Further calls go to processes, started when first needed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor


class Workers:
    """At most `jobs` calls at a time, one of them in this process."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._here = threading.Lock()
        self._starting = threading.Lock()
        self._processes: ProcessPoolExecutor | None = None

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if (self._jobs==1 and self._here.acquire()):
            try:
                return function(*args, **kwargs)
            finally:
                self._here.release()
        return self._beside().submit(function, *args, **kwargs).result()

    def close(self) -> None:
        if self._processes:
            self._processes.shutdown(cancel_futures=True)

    def _beside(self) -> ProcessPoolExecutor:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        with self._starting:
            if self._processes is None:
                # Forked from a fresh process: no threads of ours are cut in half.
                context = get_context("forkserver")
                self._processes = ProcessPoolExecutor(self._jobs, context, initializer=_follow_parent)
        return self._processes


def _follow_parent() -> None:
    """End this process when the one that started the build is gone, however it ended."""
    parent = os.getppid()

    def watch() -> None:
        pause = threading.Event()
        while os.getppid() == parent:
            pause.wait(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
