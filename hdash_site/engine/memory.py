"""What one build leaves to the next in the same process: all that is known, and who read what.

The next build is told which inputs may have changed, and looks again only at what hangs on them: it takes
time with what changed, not with what there is. What a task made is *doubted* if something that it read may
be another now; a doubted task is verified like any other when it is asked for. Of tasks that nobody reads,
the leaves, there can be very many behind one that is read by all: they are doubted only when that one turns
out to be another, or cannot be told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable

from hdash_site.engine.model import ABSENT, Digest, Key, Trace
from hdash_site.engine.schedule import Job


class Memory:
    """`known`, `jobs` and `traces` are those of the build that is at work, which it fills."""

    def __init__(self) -> None:
        self.known: dict[Key, Digest] = {}
        self.jobs: dict[Key, Job] = {}
        self.traces: dict[Key, Trace] = {}
        self._readers: dict[Key, dict[Key, None]] = {}
        self._parts: dict[Key, dict[Key, None]] = {}
        self._same: dict[Key, Key] = {}
        self._before: dict[Key, Digest] = {}
        self._leaves: dict[Key, dict[Key, list[Key]]] = {}
        """Leaves that are not doubted yet, by task and by the part of it that they read."""

    def remember(self, key: Key, trace: Trace) -> None:
        """Note how the value of a task came about."""
        old = self.traces.get(key)
        if old is trace:
            return
        for read, _ in old.reads if old else ():
            self._readers[read].pop(key, None)
        same = self._same
        reads = tuple((same.setdefault(read, read), sys.intern(digest)) for read, digest in trace.reads)
        self.traces[key] = Trace(trace.recipe, reads, trace.parts)
        for read, _ in reads:
            self._readers.setdefault(read, {})[key] = None
            self._parts.setdefault(Key(read.kind, read.name), {})[read] = None

    def begin(self, changed: Iterable[Key], look: Callable[[Key], Digest]) -> None:
        """Begin a build: forget what failed, and doubt what read one of `changed` that is another now."""
        for key in [key for key, job in self.jobs.items() if job.parts is None]:
            self._forget(key)
        for leaf in [leaf for parts in self._leaves.values() for leaves in parts.values() for leaf in leaves]:
            self._forget(leaf)
        self._leaves.clear()
        self._before.clear()
        moved: list[Key] = []
        for key in changed:
            old = self.known.pop(key, None)
            if old is not None and look(key) != old:
                moved.append(key)
        self._doubt(moved)

    def settle(self, wanted: Collection[Key], bring: Callable[[Key], object]) -> None:
        """Doubt every leaf in `wanted` that may be another now; `bring` brings one up to date."""
        for task in list(self._leaves):
            waiting = [leaf for leaves in self._leaves[task].values() for leaf in leaves if leaf in wanted]
            # Whoever is wanted may be brought up to date at once, and mostly asks for the task on the way.
            for leaf in waiting[:_TRIES]:
                if task in self.jobs:
                    break
                self._forget(leaf)
                bring(leaf)
            job = self.jobs.get(task)
            if job is None:
                for leaf in waiting:
                    self._forget(leaf)
                continue
            for part, leaves in self._leaves.pop(task).items():
                if job.parts is None or job.parts.get(part.part, ABSENT) != self._before.get(part):
                    for leaf in leaves:
                        self._forget(leaf)

    def doubt_leaf(self, key: Key) -> None:
        """Doubt a task that is read for the first time, unless it is at work."""
        job = self.jobs.get(key)
        if self._leaves and key not in self._parts and job and not job.unfinished:
            self._forget(key)

    def _doubt(self, moved: Iterable[Key]) -> None:
        waiting = list(moved)
        for key in waiting:
            for reader in self._readers.get(key, ()):
                if reader in self._parts:
                    if reader in self.jobs:
                        waiting.extend(self._parts[reader])
                        self._forget(reader)
                elif key in self._before:
                    self._leaves.setdefault(Key(key.kind, key.name), {}).setdefault(key, []).append(reader)
                else:
                    self._forget(reader)

    def _forget(self, task: Key) -> None:
        """Forget a task's value; its trace stays, to be verified."""
        job = self.jobs.pop(task, None)
        parts = (job and job.parts) or {}
        for part in parts:
            self.known.pop(task._replace(part=part), None)
        for part in self._parts.get(task, ()):
            self._before[part] = parts.get(part.part, ABSENT)


_TRIES = 8
