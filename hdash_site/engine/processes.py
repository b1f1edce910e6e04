"""Worker processes that do calls for the threads of a build, one call each at a time.

A thread writes its call into the pipe of a process that is idle and waits for the answer there. The pools of
the standard library have threads of their own in between, which cost a third of what the process that builds
has to do where calls are short and many.

A call may have limits (`model.Limits`). The system ends a process whose call uses more processor time, and
refuses it more memory; the process is replaced. See `docs/decisions/0001-limits-of-untrusted-work.md`.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import math
import os
import pickle
import resource
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from hdash_site.engine.model import Bounds, Limits, OutOfTime, Overrun

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_WAITS = 10
_WAITS_LEAST = 60.0
"""A call that takes so many times its limit by the clock, and so many seconds more, never ends by itself."""

_NO_MEMORY = frozenset((-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS))
"""How a process with a limit of memory ends if a library in it cannot do without what it was refused."""


class NoProcess(Exception):
    """There is no room for a process, or the system lacks what worker processes need."""


class ProcessDied(Exception):
    """The process that was at work on a call is gone."""


class Process(NamedTuple):
    """A process, and our end of the pipe to it."""

    process: BaseProcess
    pipe: Connection[Any, Any]

    def end(self) -> int | None:
        """End the process, whatever it is at; return its exit code."""
        self.process.kill()
        self.process.join()
        self.pipe.close()
        return self.process.exitcode


class Processes:
    """At most `most` processes, started when they are wanted; `modules` are imported once for all of them.

    `may_fork`: a process may be forked from this one as long as no thread was started since, which takes
    milliseconds. All other processes come from a server, whose start takes a quarter of a second.
    """

    def __init__(self, most: int, modules: Sequence[str], *, may_fork: bool = False) -> None:
        self._modules = list(modules)
        # Threads from before belong to the command and hold no lock that a call takes.
        self._most_threads = threading.active_count() if may_fork and sys.platform == "linux" else 0
        self._started: list[Process] = []
        self._starting = threading.Lock()
        self._closed = False
        self._exceeded: dict[bytes, Overrun] = {}
        """By digest of the request, what a call exceeded: a preview would make that call at each save."""
        self._idle: SimpleQueue[Process | None] = SimpleQueue()
        """None: a process that is yet to be started."""
        for _ in range(most):
            self._idle.put(None)

    def are_there(self) -> bool:
        """Tell whether a process was started."""
        return bool(self._started)

    def call(
        self, bounds: Bounds, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """Wait for a process that is idle; give or raise what the function does there.

        Raises `NoProcess`; `Overrun` and `OutOfTime` if the call was ended by its bounds; `ProcessDied` if
        the process died of the call. Another process takes its place.
        """
        request = pickle.dumps((function, args, kwargs, bounds.limits), pickle.HIGHEST_PROTOCOL)
        if self._exceeded:
            known = self._exceeded.get(hashlib.sha256(request).digest())
            if known:
                raise Overrun(known.resource, known.limits)
        try:
            return self._call(bounds, request)
        except Overrun as overrun:
            self._exceeded[hashlib.sha256(request).digest()] = overrun
            raise

    def _call(self, bounds: Bounds, request: bytes) -> Any:
        process = self._idle.get() or self._start()
        try:
            process.pipe.send_bytes(request)
            answer = _answer_of(process, bounds)
        except OutOfTime:
            self._retire(process)
            raise
        except (EOFError, OSError) as gone:
            code = self._retire(process)
            if bounds.limits and code in {-signal.SIGPROF, *_NO_MEMORY}:
                raise Overrun("time" if code == -signal.SIGPROF else "memory", bounds.limits) from None
            raise ProcessDied from gone
        value, error = pickle.loads(answer)  # noqa: S301 - from a process of ours
        if isinstance(error, Overrun):
            self._retire(process)  # its memory may be in pieces
        else:
            self._idle.put(process)
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """End all processes, whatever they are at: calls change nothing."""
        with self._starting:
            self._closed = True
            started = list(self._started)
        for process, _ in started:
            process.kill()
        for process, _ in started:
            process.join()

    def _retire(self, process: Process) -> int | None:
        """End a process whose place another one takes; return its exit code."""
        code = process.end()
        with self._starting:
            if process in self._started:
                self._started.remove(process)
        self._idle.put(None)
        return code

    def _start(self) -> Process:
        from multiprocessing import get_context

        try:
            if self._closed:
                raise ProcessDied
            forked = threading.active_count() <= self._most_threads
            if forked:
                context = get_context("fork")
            else:
                # Forked from a fresh process: no thread of ours is cut in half.
                context = get_context("forkserver")
                context.set_forkserver_preload(self._modules)
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, gc.get_threshold(), forked), daemon=True)
            with _without_interrupts(forked=forked):
                process.start()
        except ProcessDied:
            self._idle.put(None)  # whoever waits for a process is told too
            raise
        except (OSError, EOFError, ImportError) as error:
            self._idle.put(None)  # there may be room later
            raise NoProcess from error
        theirs.close()  # so that the pipe ends with the process
        started = Process(process, ours)
        with self._starting:
            self._started.append(started)
            closed = self._closed
        if closed:
            self._retire(started)
            raise ProcessDied
        return started


def _answer_of(process: Process, bounds: Bounds) -> bytes:
    """Wait for the answer of a process, as long as the bounds of its call allow.

    Raises `OutOfTime`; `EOFError` or `OSError` if the process is gone, or seems to do nothing.
    """
    until = bounds.until if bounds.until is not None else math.inf
    now = time.monotonic()
    stuck = now + _WAITS * bounds.limits.seconds + _WAITS_LEAST if bounds.limits else math.inf
    end = min(until, stuck)
    if end < math.inf and not process.pipe.poll(max(0.0, end - now)):
        raise OutOfTime if until <= stuck else TimeoutError
    return process.pipe.recv_bytes()


@contextlib.contextmanager
def _without_interrupts(*, forked: bool) -> Generator[None, None, None]:
    """Block Ctrl-C in what is started meanwhile, until it can say itself that it leaves that to the build.

    A forked process would also handle SIGTERM as the build does, at first.
    """
    if not forked:
        from multiprocessing import resource_tracker

        # When it starts, it unblocks Ctrl-C in this thread: so it is started before.
        resource_tracker.ensure_running()
    blocked = {signal.SIGINT, signal.SIGTERM} if forked else {signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection[Any, Any], threshold: tuple[int, int, int], forked: bool) -> None:
    """Do calls until the pipe ends, looking for circles of objects as seldom as the build does.

    Ctrl-C is left to the build.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    gc.set_threshold(*threshold)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if forked:
        # What the build has is none of ours: neither its garbage nor its connections.
        gc.freeze()
        os.closerange(3, pipe.fileno())
        os.closerange(pipe.fileno() + 1, os.sysconf("SC_OPEN_MAX"))

    def watch() -> None:
        # The pipe ends with the build, also in the middle of a call.
        build = select.poll()
        build.register(pipe.fileno(), 0)
        build.poll()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))
    os._exit(0)


def _answer(request: bytes) -> bytes:
    """Give what came of a call: its value, or the error that it raised."""
    limits: Limits | None = None
    try:
        function, args, kwargs, limits = pickle.loads(request)  # noqa: S301 - from the build
        with _limited(limits):
            return pickle.dumps((function(*args, **kwargs), None), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        if limits and isinstance(error, MemoryError):
            error = Overrun("memory", limits)
        try:
            return pickle.dumps((None, error), pickle.HIGHEST_PROTOCOL)
        except Exception:  # what an error holds cannot always be sent
            return pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}")))


@contextlib.contextmanager
def _limited(limits: Limits | None) -> Generator[None, None, None]:
    """Let the system end this process after so much processor time, and refuse it more memory."""
    if limits is None:
        yield
        return
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    memory = _address_space() + limits.memory
    if memory > limits.memory and (most == resource.RLIM_INFINITY or memory < most):
        resource.setrlimit(resource.RLIMIT_AS, (memory, most))
    # Processor time, not the time of the clock: a busy machine makes no call fail.
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (before, most))


def _address_space() -> int:
    """Return the bytes of address space of this process; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
