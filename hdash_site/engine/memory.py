"""What one build leaves to the next in the same process: all that is known, and who read what.

The next build is told which inputs may have changed, and looks again only at what hangs on them: it takes
time with what changed, not with what there is. What a task made is *doubted* if something that it read may
be another now; a doubted task is verified like any other when it is asked for. Of tasks that nobody reads,
the leaves, there can be very many behind one that is read by all: they are doubted only when that one turns
out to be another, or cannot be told.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from hdash_site.engine.model import Digest, Key, Trace
from hdash_site.engine.schedule import Job


class Memory:
    """`known` (inputs alone), `jobs` and `traces` are those of the build that is at work, which it fills."""

    def __init__(self) -> None:
        self.known: dict[Key, Digest] = {}
        self.jobs: dict[Key, Job] = {}
        self.traces: dict[Key, Trace] = {}
        self._readers: dict[Key, dict[Key, None]] = {}
        self._parts: dict[Key, dict[Key, None]] = {}
        """Every part of a task that was read, by task."""
        self._inner: dict[Key, dict[Key, set[Key]]] = {}
        """What is read of a task or an input by tasks that are no leaves, by who reads it."""
        self._same: dict[Key, Key] = {}
        self._open: dict[Key, Mapping[str, Digest]] = {}
        """Doubted tasks whose leaves are not doubted yet, with the parts that they had."""
        self._suspects: dict[Key, set[Key]] = {}
        """What made us doubt a task, of all that it read."""
        self.failed: dict[Key, None] = {}
        """Tasks that have no parts in this build."""
        self.reopened: dict[Key, None] = {}
        """Tasks whose values of the build before were put in question in this one."""

    def remember(self, key: Key, trace: Trace) -> None:
        """Note how the value of a task came about."""
        old = self.traces.get(key)
        if old is trace:
            return
        for read, _ in old.reads if old else ():
            self._readers[read].pop(key, None)
            self._inner.get(_whole(read), {}).pop(key, None)
        same = self._same
        reads = tuple((same.setdefault(read, read), sys.intern(digest)) for read, digest in trace.reads)
        self.traces[key] = Trace(trace.recipe, reads, trace.parts)
        for read, _ in reads:
            self._readers.setdefault(read, {})[key] = None
            whole = _whole(read)
            if whole not in self._parts:
                self._parts[whole] = {}
                self._is_read(whole)
            self._parts[whole][read] = None
        if key in self._parts:
            self._is_read(key)

    def _is_read(self, key: Key) -> None:
        """Note that a task is no leaf: whatever it reads leads on."""
        trace = self.traces.get(key)
        for read, _ in trace.reads if trace else ():
            self._inner.setdefault(_whole(read), {}).setdefault(key, set()).add(read)

    def begin(self, changed: Iterable[Key], look: Callable[[Key], Digest]) -> None:
        """Begin a build: forget what failed, and doubt what read one of `changed` that is another now."""
        self.reopened, self.failed = self.failed, {}
        for key in self.reopened:
            self.jobs.pop(key, None)
        for task in self._open:
            self._forget(self._leaves(self._parts[task]))
        self._open.clear()
        self._suspects.clear()
        for key in list(self.reopened):
            # Who asked whether it was made did not fail with it. It may have no trace that would lead there.
            self._forget(self._leaves(self._parts.get(key, ())))
            self._doubt(key, ())
        for key in changed:
            old = self.known.pop(key, None)
            if old is not None and look(key) != old:
                self._forget(self._leaves((key,)))
                self._doubt(_whole(key), (key,))

    def _doubt(self, changed: Key, only: Collection[Key]) -> None:
        """Doubt the tasks that read one of `only`, parts of what changed, and those behind them."""
        waiting: list[tuple[Key, Collection[Key]]] = [(changed, only)]
        for whole, some in waiting:
            for reader, reads in self._inner.get(whole, {}).items():
                read = reads.intersection(some) if some else reads
                if read and reader in self.jobs:
                    self.reopened[reader] = None
                    self._open[reader] = self.jobs.pop(reader).parts or {}
                    self._suspects[reader] = set()
                    waiting.append((reader, ()))
                if read and reader in self._suspects:
                    self._suspects[reader] |= read

    def settle(self, wanted: Collection[Key], bring: Callable[[Key], object]) -> None:
        """Doubt every leaf in `wanted` that may be another now; `bring` brings one up to date."""
        if not self._open:
            return
        leaves = [key for key in wanted if key not in self._parts]
        if len(leaves) <= _TRIES:
            self._forget(leaves)
            return
        for task in list(self._open):
            # Whoever is wanted may be brought up to date at once, and mostly asks for the task on the way.
            some = itertools.islice(filter(wanted.__contains__, self._leaves(self._parts[task])), _TRIES)
            for leaf in list(some):
                if task in self.jobs:
                    break
                self._forget((leaf,))
                bring(leaf)
            job = self.jobs.get(task)
            if job is None:
                self._forget(filter(wanted.__contains__, self._leaves(self._parts[task])))
                continue
            parts, before = job.parts, self._open.pop(task)
            if parts != before:
                read = self._parts[task]
                moved = [part for part in read if not parts or parts.get(part.part) != before.get(part.part)]
                self._forget(self._leaves(moved))

    def suspects(self, key: Key, trace: Trace) -> Iterable[tuple[Key, Digest]]:
        """Give those reads of a task, in their order, that may be others than in its trace."""
        suspects = self._suspects.get(key)
        return trace.reads if suspects is None else [read for read in trace.reads if read[0] in suspects]

    def doubt_leaf(self, key: Key) -> None:
        """Doubt a task that is read for the first time."""
        if self._open and key not in self._parts:
            self._forget((key,))

    def _leaves(self, keys: Iterable[Key]) -> Iterator[Key]:
        """Give the tasks that read one of the keys, and that nobody reads."""
        for key in keys:
            for reader in self._readers.get(key, ()):
                if reader not in self._parts:
                    yield reader

    def _forget(self, tasks: Iterable[Key]) -> None:
        """Forget the values of tasks; their traces stay, to be verified. What failed failed in this build."""
        for task in list(tasks):
            job = self.jobs.get(task)
            if job and job.parts is not None:
                self.reopened[task] = None
                del self.jobs[task]


def _whole(key: Key) -> Key:
    return Key(key.kind, key.name)


_TRIES = 8
