"""Where heavy pure functions run: in the thread that calls, or beside it in processes.

A call runs in its thread as long as it is the only one, so that a build with one thing to do starts no
process. The first that comes while another is at work starts the processes, which then do it all. Where
none can be started, every call runs in its thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor


class Workers:
    """At most `jobs` processes; `modules` are what they will need, and import once for all."""

    def __init__(self, jobs: int, modules: Sequence[str] = ()) -> None:
        self._jobs, self._modules = jobs, modules
        self._alone = threading.Lock()
        self._starting = threading.Lock()
        self._processes: ProcessPoolExecutor | None = None

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if self._processes is None and self._alone.acquire(blocking=self._jobs == 1):
            try:
                return function(*args, **kwargs)
            finally:
                self._alone.release()
        try:
            running = self._started().submit(function, *args, **kwargs)
        except (OSError, EOFError, ImportError):  # no room for a process, or no semaphores on this system
            return function(*args, **kwargs)
        return running.result()

    def close(self) -> None:
        if self._processes:
            self._processes.shutdown(cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        with self._starting:
            if self._processes is None:
                # Forked from a fresh process: no thread of ours is cut in half.
                context = get_context("forkserver")
                context.set_forkserver_preload(list(self._modules))
                self._processes = ProcessPoolExecutor(self._jobs, context, initializer=_begin)
        return self._processes


def _begin() -> None:
    """Leave Ctrl-C to the build, and end this process when the build is gone, however it ended."""
    import signal
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    build = parent_process()
    assert build is not None

    def watch() -> None:
        # Not the parent that the system knows: the server that forks stays as long as we do.
        build.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
