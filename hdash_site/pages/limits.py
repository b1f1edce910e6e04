"""Heavy work over bytes from outside: a step over many bytes has a limit of time and memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from hdash_site.engine.model import OVERRUN, Context, Key, Limits, Overrun
from hdash_site.errors import ContentError

P = ParamSpec("P")
T = TypeVar("T")

LARGE = 64 * 2**10
"""Bytes from which on a step has limits. Every step is linear, so one over less takes a moment."""


OF_FACETS = 512
"""How many times as much our own steps may have made for one without limits: four times the largest atlas."""


def work(context: Context, size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do heavy work over `size` bytes from outside. Raises `Overrun`.

    The limits are read only where they hold: a changed limit runs only those steps again.
    """
    if size < LARGE:
        return context.work(function, *args, **kwargs)
    limits = Limits(*json.loads(context.read(Key("config", "site.toml", "limits"))))
    return context.work_within(limits, function, *args, **kwargs)


def work_on_facets(
    context: Context, size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do heavy work over `size` bytes that earlier steps made, within their bounds. Raises `Overrun`.

    To move them to a process and back takes longer than an edit of the largest atlas may. So they have limits
    in a build with a deadline, which nobody watches; without one, only from 32 MiB on.
    """
    if size < LARGE * OF_FACETS and not context.is_timed():
        return context.work(function, *args, **kwargs)
    return work(context, size, function, *args, **kwargs)


def problem(path: str, overrun: Overrun) -> dict[str, bytes]:
    """Return the value of a file in `content/` that was given up: its part `problem` is a `ContentError`."""
    setting = "seconds" if overrun.resource == "time" else "memory"
    way_out = f"make the file smaller or simpler, or raise limits.{setting} in site.toml"
    error = ContentError(f"it was given up: {overrun}", f"content/{path}", way_out)
    return {"problem": json.dumps(error.args).encode(), OVERRUN: overrun.resource.encode()}
