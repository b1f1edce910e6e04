"""A small world for the engine: a store in memory, and the events of a build as plain lists."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from hdash_site.engine import memory
from hdash_site.engine.build import Build
from hdash_site.engine.model import Broken, Event, Failed, Given, Key, Ran, Task, Trace, digest


@dataclass
class Memory:
    """A store that can lose values."""

    traces: dict[Key, Trace] = field(default_factory=dict)
    values: dict[str, bytes] = field(default_factory=dict)
    loads: int = 0

    def trace(self, key):
        return self.traces.get(key)

    def record(self, key, trace):
        self.traces[key] = trace

    def load(self, digest):
        self.loads += 1
        return self.values.get(digest)

    def keep(self, data):
        name = digest(data)
        self.values[name] = data
        return name


class Here:
    """Work done in the calling thread."""

    def run(self, function, /, *args, **kwargs):
        return function(*args, **kwargs)

    def run_within(self, bounds, function, /, *args, **kwargs):
        return function(*args, **kwargs)


@dataclass
class World:
    """Inputs and recipes that tests edit between builds.

    With `lasting` each build goes on from the one before: of what is wanted again it brings what may differ.
    """

    inputs: dict[str, bytes]
    recipes: dict[str, object]
    versions: dict[str, str] = field(default_factory=dict)
    store: Memory = field(default_factory=Memory)
    helpers: int = 0
    lasting: memory.Memory | None = None
    deferrable: set[str] = field(default_factory=set)
    brought: dict[Key, object] = field(default_factory=dict)

    def build(
        self, *wanted: str, forced: bool = False, changed: Iterable[str] = (), until: float | None = None
    ) -> Outcome:
        events: list[Event] = []
        how = {"forced": forced, "changed": map(Key, changed), "until": until}
        with self.building(events.append, **how) as build:
            if self.helpers:
                build.schedule.call_helpers()
            if self.lasting and set(map(Key, wanted)) == self.brought.keys():
                parts = self.brought | build.bring_again(self.brought)
            else:
                parts = build.bring([Key(name) for name in wanted])
            self.brought = parts
            failed = {str(key.kind): result for key, result in parts.items() if isinstance(result, Broken)}
            values = {name: build.value(Key(name)) for name in wanted if name not in failed}
        return Outcome(values, failed, events)

    @contextmanager
    def building(self, tell=lambda _: None, **how):
        """Give a build of today's world."""
        build = Build(
            self.task,
            self.given,
            self.store,
            Here(),
            tell,
            memory=self.lasting,
            **{"helpers": self.helpers} | how,
        )
        with closing(build.schedule):
            yield build

    def task(self, key: Key) -> Task | None:
        recipe = self.recipes.get(key.kind)
        if recipe is None:
            return None

        def run(context):
            if self.helpers:
                context.work(int)  # another thread may go on meanwhile
            return as_parts(recipe(context))

        return Task(run, self.versions.get(key.kind, "1"), key.kind in self.deferrable)

    def given(self, key: Key) -> Given | None:
        data = self.inputs.get(str(key).removesuffix(":").replace(":#", "#"))
        return None if data is None else Given(digest(data), lambda: data)


@dataclass
class Outcome:
    values: dict[str, bytes | None]
    failed: dict[str, Broken]
    events: list[Event]

    @property
    def ran(self) -> list[str]:
        return [event.key.kind for event in self.events if isinstance(event, Ran)]

    @property
    def reasons(self) -> dict[str, str]:
        return {event.key.kind: event.reason for event in self.events if isinstance(event, Ran)}

    @property
    def cut_off(self) -> list[str]:
        return [event.key.kind for event in self.events if isinstance(event, Ran) and event.cut_off]

    @property
    def told(self) -> list[str]:
        return [event.key.kind for event in self.events if isinstance(event, Failed)]


def as_parts(value):
    return value if isinstance(value, dict) else {"": value}
