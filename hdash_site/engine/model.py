"""The engine's vocabulary: keys, tasks, traces, and what tasks and stores must offer.

A *task* makes the value of a key, in named parts; a key without a task is an *input*. The engine asks
inputs for a digest first and for bytes only when a recipe wants them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeAlias, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Digest: TypeAlias = str
"""Sha-256 of bytes, 64 hexadecimal digits; `ABSENT` where there is no value."""

ABSENT: Digest = ""

OUTCOME = "made"
"""The part of a task that says whether it was made: a read of it is verified by `MADE` or `NOT_MADE`."""


def digest(data: bytes) -> Digest:
    return hashlib.sha256(data).hexdigest()


MADE: Digest = digest(b"made")
NOT_MADE: Digest = digest(b"not made")


class Key(NamedTuple):
    """The name of a value: `report:HTA3#checks` is the part "checks" of what "report" makes for HTA3."""

    kind: str
    name: str = ""
    part: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" + (f"#{self.part}" if self.part else "")


class Context(Protocol):
    """What a recipe may use. Whatever it reads is recorded."""

    def read(self, key: Key) -> bytes:
        """Give the value, or raise `Absent`."""
        ...

    def find(self, key: Key) -> bytes | None:
        """Give the value, or None; that there is none is recorded too."""
        ...

    def find_all(self, keys: Iterable[Key]) -> list[bytes | None]:
        """Find every key, in this order, and let idle threads make the later ones meanwhile."""
        ...

    def need(self, keys: Iterable[Key]) -> list[bytes]:
        """Read every key, like `find_all`; raises `Absent`."""
        ...

    def made(self, key: Key) -> bool:
        """Return whether a task can be brought up to date: one that fails does not fail who asks this."""
        ...

    def work(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a pure, heavy, importable function wherever there is room for it."""
        ...

    def is_timed(self) -> bool:
        """Tell whether the build has a deadline. It may change where a recipe works, never what it makes."""
        ...

    def work_within(self, limits: Limits, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a pure, heavy, importable function in a worker process, within limits. Raises `Overrun`."""
        ...


Recipe: TypeAlias = Callable[[Context], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class Task:
    """A recipe, and the digest of all code and package versions that shape what it makes.

    `deferrable`: after the deadline of a build the task is left for the next build.
    """

    recipe: Recipe
    digest: Digest
    deferrable: bool = False


class Limits(NamedTuple):
    """What a call may use: seconds of processor time, and bytes of memory on top of what its process has."""

    seconds: float
    memory: int


class Bounds(NamedTuple):
    """What ends a call early: its limits, and a deadline as a reading of `time.monotonic`."""

    limits: Limits | None = None
    until: float | None = None


class Given(NamedTuple):
    """An input as it is now: its digest, and how to get the bytes."""

    digest: Digest
    load: Callable[[], bytes]


Tasks: TypeAlias = Callable[[Key], Task | None]
"""None: the key is an input."""

Inputs: TypeAlias = Callable[[Key], Given | None]
"""None: there is no such input, which is recorded like a value."""


class Trace(NamedTuple):
    """How a value came about: recipe, reads in the order they were made, digests of its parts."""

    recipe: Digest
    reads: tuple[tuple[Key, Digest], ...]
    parts: Mapping[str, Digest]


class Store(Protocol):
    """Traces and values from one build to the next."""

    def trace(self, key: Key) -> Trace | None: ...

    def record(self, key: Key, trace: Trace) -> None: ...

    def load(self, digest: Digest, /) -> bytes | None:
        """Give the bytes, or None if they were lost."""
        ...

    def keep(self, data: bytes) -> Digest: ...


class Executor(Protocol):
    """Where `Context.work` runs. Calls come from several threads."""

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any: ...

    def run_within(self, bounds: Bounds, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run a call that is ended early by its bounds. Raises `Overrun` or `OutOfTime`."""
        ...


class Ran(NamedTuple):
    """A recipe ran, and why. `cut_off`: its value is the old one, so that its readers stand."""

    key: Key
    reason: str
    cut_off: bool


class Failed(NamedTuple):
    """A recipe raised. Its readers fail with it, silently."""

    key: Key
    error: Exception


Event: TypeAlias = Ran | Failed


class Absent(LookupError):
    """A recipe read a key that has no value."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"{key} does not exist")
        self.key = key


class Moved(Exception):
    """An input was another one when its bytes were wanted than when it was first looked at."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"{key} changed while it was at work; build again")
        self.key = key


class Broken(Exception):
    """A value cannot be had because the task `key` failed with `error`."""

    def __init__(self, key: Key, error: Exception) -> None:
        super().__init__(f"{key} failed: {error}")
        self.key = key
        self.error = error


class Cycle(Exception):
    """A task needs, through others, its own value."""

    def __init__(self, keys: Iterable[Key]) -> None:
        super().__init__("a circle of reads: " + " <- ".join(map(str, keys)))


OVERRUN = "overrun"
"""A part of a value that was made after an `Overrun`: a second run may make another value."""


class Overrun(Exception):
    """A call was ended because it exceeded its limit of "time" or "memory"."""

    def __init__(self, resource: str, limits: Limits) -> None:
        super().__init__(resource, limits)
        self.resource, self.limits = resource, limits

    def __str__(self) -> str:
        if self.resource == "time":
            return f"it needs more than {self.limits.seconds:g} seconds of processor time"
        return f"it needs more than {self.limits.memory >> 20} MiB of memory"


class OutOfTime(Exception):
    """The deadline of the build passed before a task was done. Nothing is recorded for the task."""


class NotDeterministic(Exception):
    """A recipe made another value from the same reads."""

    def __init__(self, key: Key, parts: Iterable[str]) -> None:
        named = ", ".join(str(key._replace(part=part)) for part in sorted(parts))
        super().__init__(f"the recipe made another value from the same reads: {named}")
