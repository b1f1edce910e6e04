"""Who makes what, and who waits for whom: every key once, by one thread, while the others wait.

A recipe that is suspended until another is done keeps its thread. Idle threads take hints: keys that
some recipe is certain to read later. One thread at a time has the floor; it leaves it while it waits for
another, and for heavy work that is done elsewhere.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress

from hdash_site.engine.model import Broken, Cycle, Digest, Key


class Job:
    """A task in the hands of a thread until it has parts or an error."""

    __slots__ = ("error", "owner", "parts")

    def __init__(self) -> None:
        self.owner = threading.get_ident()
        self.parts: Mapping[str, Digest] | None = None
        self.error: Broken | None = None

    @property
    def unfinished(self) -> bool:
        return self.parts is None and self.error is None


class Floor:
    """What one thread has at a time, so that they are not in each other's way: none of it is for safety."""

    def __init__(self) -> None:
        self._places = threading.Semaphore()
        self._owner = 0

    def __enter__(self) -> None:
        self._places.acquire()
        self._owner = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        # Who is interrupted while it takes the floor again has not got it.
        if self._owner == threading.get_ident():
            self._owner = 0
            self._places.release()

    def clear(self, threads: int) -> None:
        """Let so many threads have it at once, whoever was interrupted with it."""
        self._places.release(threads + 1)

    @contextmanager
    def left(self) -> Generator[None, None, None]:
        """Leave it to others for a while, if this thread has it."""
        if self._owner != threading.get_ident():
            yield
            return
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()


class Schedule:
    """The jobs of one build. `demand` is what a helper does with a hint; `jobs` are done already."""

    def __init__(self, demand: Callable[[Key], object], helpers: int, jobs: dict[Key, Job]) -> None:
        self._demand, self._helpers = demand, helpers
        self._turn = threading.Condition()
        self._jobs = jobs
        self._waits: dict[int, Key] = {}
        self._hints: deque[Key] = deque()
        self._threads: list[threading.Thread] = []
        self._over = False
        self.floor = Floor()

    def seen(self, key: Key) -> Job | None:
        return self._jobs.get(key)

    def made(self) -> dict[Key, Mapping[str, Digest]]:
        """Give the parts of every key that has some."""
        return {key: job.parts for key, job in self._jobs.items() if job.parts is not None}

    def job(self, key: Key, make: Callable[[Job], None], lost: Job | None = None) -> Mapping[str, Digest]:
        """Give the parts of `key`, made here or waited for; `lost` is the job to do over, if it still stands.

        `make` leaves parts or an error in the job.
        """
        with self._turn:
            job = self._jobs.get(key)
            mine = job is None or job is lost
            if mine:
                job = self._jobs[key] = Job()
        assert job is not None
        if mine:
            self._finish(key, make, job)
        elif job.unfinished:
            with self.floor.left(), self._turn:
                self._await(key, job)
        if job.error:
            raise job.error
        assert job.parts is not None
        return job.parts

    def hint(self, keys: Iterable[Key]) -> None:
        """Offer keys to idle threads, before all that was offered earlier."""
        with self._turn:
            self._hints.extendleft(reversed(list(keys)))
            self._turn.notify_all()

    def call_helpers(self) -> None:
        """Start the helper threads unless they are at work."""
        with self._turn:
            missing = self._helpers - len(self._threads)
            started = [threading.Thread(target=self._help, daemon=True) for _ in range(missing)]
            self._threads.extend(started)
        for thread in started:
            thread.start()

    def close(self) -> None:
        """Let the helpers finish what they hold, and go."""
        with self._turn:
            self._over = True
            self._turn.notify_all()
        self.floor.clear(len(self._threads))
        for thread in self._threads:
            if thread.is_alive():  # Ctrl-C may come before all of them are started
                thread.join()

    def _finish(self, key: Key, make: Callable[[Job], None], job: Job) -> None:
        try:
            make(job)
        finally:
            if job.unfinished:
                job.error = Broken(key, RuntimeError("the build was stopped"))
            if self._threads:  # else nobody can be waiting
                with self._turn:
                    self._turn.notify_all()

    def _await(self, key: Key, job: Job) -> None:
        """Wait for another thread; walk along who waits for whom first, since a circle never ends.

        A thread demands one thing from within another only if the one needs the other, so a circle of
        waits is a circle of reads.
        """
        me = threading.get_ident()
        while job.unfinished:
            circle = self._circle(key, me)
            if circle:
                raise Cycle(circle)
            self._waits[me] = key
            self._turn.wait()
            del self._waits[me]

    def _circle(self, key: Key, me: int) -> list[Key]:
        """Give the keys on the way from `key` back to this thread; empty if there is no such way."""
        chain = [key]
        while True:
            job = self._jobs[chain[-1]]
            if job.owner == me and job.unfinished:
                return chain
            # A thread whose job is done may not have woken up yet: it waits no more.
            if not job.unfinished or job.owner not in self._waits:
                return []
            chain.append(self._waits[job.owner])

    def _help(self) -> None:
        while True:
            with self._turn:
                while not self._hints and not self._over:
                    self._turn.wait()
                if self._over:
                    return
                key = self._hints.popleft()
                if Key(key.kind, key.name) in self._jobs:
                    continue  # to wait for another thread is no help
            with self.floor, suppress(Broken, Cycle):  # whoever reads the key is told
                self._demand(key)
