"""Processes that do calls for the threads of a build, one each at a time.

A thread writes its call into the pipe of a process that is idle and waits for the answer there. The pools of
the standard library have threads of their own in between, which cost a third of what the process that builds
has to do where calls are short and many.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import threading
from collections.abc import Callable, Generator, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess


class NoProcess(Exception):
    """There is no room for a process, or the system has what they need not."""


class ProcessDied(Exception):
    """The process that was at work on a call is gone."""


class Process(NamedTuple):
    """A process, and our end of the pipe to it."""

    process: BaseProcess
    pipe: Connection[Any, Any]


class Processes:
    """At most `most` processes, started when they are wanted; `modules` are imported once for all of them."""

    def __init__(self, most: int, modules: Sequence[str]) -> None:
        self._modules = list(modules)
        self._started: list[Process] = []
        self._idle: SimpleQueue[Process | None] = SimpleQueue()
        """None: a process that is yet to be started."""
        for _ in range(most):
            self._idle.put(None)

    def are_there(self) -> bool:
        """Tell whether one was started."""
        return bool(self._started)

    def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Wait for a process that is idle; give or raise what the function does there.

        Raises `NoProcess`; `ProcessDied` if it died of it: another one takes its place.
        """
        request = pickle.dumps((function, args, kwargs), pickle.HIGHEST_PROTOCOL)
        process = self._idle.get() or self._start()
        try:
            process.pipe.send_bytes(request)
            answer = process.pipe.recv_bytes()
        except (EOFError, OSError) as gone:
            self._idle.put(None)
            raise ProcessDied from gone
        self._idle.put(process)
        value, error = pickle.loads(answer)  # noqa: S301 - from a process of ours
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """End all processes, whatever they are at: calls change nothing."""
        for process, pipe in self._started:
            process.terminate()
            pipe.close()
        for process, _ in self._started:
            process.join()

    def _start(self) -> Process:
        from multiprocessing import get_context

        try:
            # Forked from a fresh process: no thread of ours is cut in half.
            context = get_context("forkserver")
            context.set_forkserver_preload(self._modules)
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, gc.get_threshold()), daemon=True)
            with _without_interrupts():
                process.start()
        except (OSError, EOFError, ImportError) as error:
            self._idle.put(None)  # there may be room later
            raise NoProcess from error
        theirs.close()  # so that the pipe ends with the process
        self._started.append(Process(process, ours))
        return self._started[-1]


@contextlib.contextmanager
def _without_interrupts() -> Generator[None, None, None]:
    """Block Ctrl-C in what is started meanwhile, until it can say itself that it leaves that to the build."""
    import signal
    from multiprocessing import resource_tracker

    # When it starts, it unblocks Ctrl-C in this thread: so it is started before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection[Any, Any], threshold: tuple[int, int, int]) -> None:
    """Do calls until the pipe ends, looking for circles of objects as seldom as the build does.

    Ctrl-C is left to the build.
    """
    import signal
    from multiprocessing import parent_process

    gc.set_threshold(*threshold)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    build = parent_process()
    assert build is not None

    def watch() -> None:
        # Not the parent that the system knows: the server that forks stays as long as we do.
        build.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _answer(request: bytes) -> bytes:
    """Give what came of a call: its value, or the error that it raised."""
    try:
        function, args, kwargs = pickle.loads(request)  # noqa: S301 - from the build
        return pickle.dumps((function(*args, **kwargs), None), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        try:
            return pickle.dumps((None, error), pickle.HIGHEST_PROTOCOL)
        except Exception:  # what an error holds cannot always be sent
            return pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}")))
