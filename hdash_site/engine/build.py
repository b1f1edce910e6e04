"""Bring keys up to date: demand, verify, run.

Verifying traces with early cutoff under a suspending scheduler, as in Mokhov, Mitchell and Peyton
Jones, *Build Systems à la Carte* (2018), where it is called Shake. A task stands if it has a trace of
the same recipe and every read in it, demanded in the order it was made, still has the digest of then;
the first that differs ends the comparison, so that nothing is made that today's recipe may not ask for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from hdash_site.engine import model
from hdash_site.engine.memory import Memory
from hdash_site.engine.model import ABSENT, OVERRUN, Bounds, Broken, Digest, Key, Task, Trace
from hdash_site.engine.schedule import Job, Schedule

LOST = "its value was lost"


class Build:
    """One build: every key is brought up to date at most once, every input looked at once.

    `helpers` threads join in once there is heavy work for more than one: with the first call after `alone`
    seconds of heavy work. `forced` runs every recipe that is asked for. Keys can be wanted in several rounds:
    what is known stays known.

    `memory` is what the build before in this process left, and takes what this one learns; `changed` are
    the inputs that may be others since then. Without helpers only: a leaf is doubted by one thread.

    `until`: a deadline as a reading of `time.monotonic`. A deferrable task that is not done by then fails
    with `OutOfTime`, and its last value stays.

    `lost` are digests whose bytes the store no longer has: a task that is asked for and made one of them
    runs again.
    """

    def __init__(
        self,
        tasks: model.Tasks,
        inputs: model.Inputs,
        store: model.Store,
        pool: model.Executor,
        tell: Callable[[model.Event], None] = lambda _: None,
        *,
        helpers: int = 0,
        alone: float = 0.0,
        forced: bool = False,
        memory: Memory | None = None,
        changed: Iterable[Key] = (),
        until: float | None = None,
        lost: Set[Digest] = frozenset(),
    ) -> None:
        self._tasks, self._inputs, self._store, self._pool, self._tell = tasks, inputs, store, pool, tell
        self._forced, self._lost = forced, lost
        self._alone, self._until = alone, until
        self._worked = 0.0
        self._memory = memory
        self._known: dict[Key, Digest] = memory.known if memory else {}
        self._given: dict[Key, model.Given | None] = {}
        self.schedule = Schedule(self.demand, helpers, memory.jobs if memory else {})
        if memory:
            memory.begin(changed, self.demand)

    def bring(self, wanted: Iterable[Key]) -> dict[Key, Mapping[str, Digest] | Broken]:
        """Bring every wanted task up to date; give its parts, or why it has none today."""
        keys = list(wanted)
        if self._memory:
            self._memory.settle(set(keys), self._brought)
        return self._bring(keys)

    def _bring(self, keys: Sequence[Key]) -> dict[Key, Mapping[str, Digest] | Broken]:
        self.schedule.hint(key for key in keys if not self.schedule.seen(key))
        with self.schedule.floor:
            return {key: self._brought(key) for key in keys}

    def bring_again(
        self, before: Mapping[Key, Mapping[str, Digest] | Broken]
    ) -> dict[Key, Mapping[str, Digest] | Broken]:
        """Bring what the build before in this process brought; give those tasks that may be others now."""
        assert self._memory
        self._memory.settle(before.keys(), self._brought)
        return self._bring([key for key in self._memory.reopened if key in before])

    def made(self) -> dict[Key, Mapping[str, Digest]]:
        """Give the parts of every task that was asked for so far, but for those that failed."""
        return self.schedule.made()

    def demand(self, key: Key) -> Digest:
        """Bring a key up to date and give its digest. Raises `Broken`."""
        known = self._known.get(key)
        if known is not None:
            return known
        if key.part == model.OUTCOME:
            return self._outcome(key)
        whole = Key(key.kind, key.name) if key.part else key
        job = self.schedule.seen(whole)
        if job and job.parts is not None:
            return job.parts.get(key.part, ABSENT)
        task = self._tasks(whole)
        if task is None:
            # The first look counts for the whole build, whoever else looks meanwhile.
            given = self._given.setdefault(key, self._inputs(key))
            found = given.digest if given else ABSENT
        else:
            found = self._fetch(whole, task).get(key.part, ABSENT)
            if self._memory:
                return found  # a task is doubted with all its parts
        return self._known.setdefault(key, found)

    def _outcome(self, key: Key) -> Digest:
        try:
            self.demand(Key(key.kind, key.name))
        except Broken:
            return model.NOT_MADE
        return model.MADE

    def read(self, key: Key) -> Digest:
        """Demand a key for a recipe."""
        if self._memory:
            self._memory.doubt_leaf(Key(key.kind, key.name))
        return self.demand(key)

    def value(self, key: Key) -> bytes | None:
        """Give the bytes of a key, made again if the store lost them."""
        digest = self.demand(key)
        if digest == ABSENT:
            return None
        whole = Key(key.kind, key.name)
        task = self._tasks(whole)
        if task is None:
            return self._look(key, digest)
        data = self._store.load(digest)
        if data is None:
            self._fetch(whole, task, lost=self.schedule.seen(whole))
            data = self._store.load(digest)
        return data

    def work(self, bounds: Bounds, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do heavy work for a recipe."""
        # Where there is little of it, threads that verify side by side are in each other's way.
        if self._worked > self._alone:
            self.schedule.call_helpers()
        began = time.monotonic()
        try:
            with self.schedule.floor.left():
                if bounds == Bounds():
                    return self._pool.run(function, *args, **kwargs)
                return self._pool.run_within(bounds, function, *args, **kwargs)
        finally:
            self._worked += time.monotonic() - began

    def _look(self, key: Key, digest: Digest) -> bytes | None:
        """Give the bytes of an input, as they were when its digest was taken."""
        if key not in self._given:
            self._given[key] = self._inputs(key)
        given = self._given[key]
        if (given.digest if given else ABSENT) != digest:
            raise model.Moved(key)
        return given.load() if given else None

    def _brought(self, key: Key) -> Mapping[str, Digest] | Broken:
        job = self.schedule.seen(key)
        if job and job.parts is not None:
            return job.parts
        try:
            self.demand(key)
        except Broken as broken:
            return broken
        job = self.schedule.seen(key)
        return (job and job.parts) or {}

    def _fetch(self, key: Key, task: Task, lost: Job | None = None) -> Mapping[str, Digest]:
        def make(job: Job) -> None:
            try:
                old = self._trace(key)
                reason = LOST if lost else self._reason(key, task, old)
                job.parts = old.parts if old and not reason else self._run(key, task, old, reason)
                if self._memory and old and not reason:
                    self._memory.remember(key, old)
            except Broken as broken:
                job.error = broken
            except Exception as error:
                job.error = Broken(key, error)
                self._tell(model.Failed(key, error))
            if self._memory and job.error:
                self._memory.failed[key] = None

        return self.schedule.job(key, make, lost)

    def _trace(self, key: Key) -> Trace | None:
        return (self._memory and self._memory.traces.get(key)) or self._store.trace(key)

    def _reason(self, key: Key, task: Task, old: Trace | None) -> str:
        """Say why the task must run; empty if it stands."""
        if old is None:
            return "never built"
        if self._forced:
            return "asked to"
        if old.recipe != task.digest:
            return "recipe changed"
        known = self._known
        for read, digest in self._memory.suspects(key, old) if self._memory else old.reads:
            if (known.get(read) or self.demand(read)) != digest:
                return f"{read} changed"
        if self._lost and not self._lost.isdisjoint(old.parts.values()):
            return LOST
        return ""

    def _run(self, key: Key, task: Task, old: Trace | None, reason: str) -> Mapping[str, Digest]:
        until = self._until if task.deferrable else None
        if until is not None and time.monotonic() >= until:
            raise model.OutOfTime
        context = _Recording(self, until)
        values = task.recipe(context)
        if context.failed:
            raise context.failed
        parts = {part: self._store.keep(data) for part, data in values.items()}
        trace = Trace(task.digest, tuple(context.reads.items()), parts)
        same = old and (old.recipe, old.reads) == (trace.recipe, trace.reads)
        # Of a value that was lost nobody can say whether the trace or the recipe is wrong.
        known = old and self._lost.isdisjoint(old.parts.values())
        if old and same and known and old.parts != parts and OVERRUN not in {*old.parts, *parts}:
            raise model.NotDeterministic(key, {part for part, _ in old.parts.items() ^ parts.items()})
        self._store.record(key, trace)
        if self._memory:
            self._memory.remember(key, trace)
        self._tell(model.Ran(key, reason, cut_off=old is not None and old.parts == parts))
        return parts


class _Recording:
    """The context of one run of one recipe."""

    def __init__(self, build: Build, until: float | None) -> None:
        self._build, self._until = build, until
        self.reads: dict[Key, Digest] = {}
        self.failed: Exception | None = None

    def read(self, key: Key) -> bytes:
        data = self.find(key)
        if data is None:
            raise model.Absent(key)
        return data

    def find(self, key: Key) -> bytes | None:
        try:
            self.reads[key] = self._build.read(key)
            return self._build.value(key)
        except Exception as error:
            # A recipe that swallows this would be recorded with a read that has no digest.
            self.failed = self.failed or error
            raise

    def find_all(self, keys: Iterable[Key]) -> list[bytes | None]:
        wanted = list(keys)
        self._build.schedule.hint(wanted)
        found = [self._attempt(key) for key in wanted]
        if self.failed:
            raise self.failed
        return found

    def need(self, keys: Iterable[Key]) -> list[bytes]:
        wanted = list(keys)
        found = self.find_all(wanted)
        return [self.read(key) if data is None else data for key, data in zip(wanted, found, strict=True)]

    def made(self, key: Key) -> bool:
        read = key._replace(part=model.OUTCOME)
        self.reads[read] = self._build.read(read)
        return self.reads[read] == model.MADE

    def _attempt(self, key: Key) -> bytes | None:
        try:
            return self.find(key)
        except Exception:
            return None  # `find` keeps it; the other keys were hinted at, so they are asked for all the same

    def work(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._build.work(Bounds(None, self._until), function, *args, **kwargs)

    def is_timed(self) -> bool:
        return self._until is not None

    def work_within(
        self, limits: model.Limits, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        return self._build.work(Bounds(limits, self._until), function, *args, **kwargs)
