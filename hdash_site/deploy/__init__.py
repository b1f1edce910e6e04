"""From the finished artifacts to a mirror of them: `plan` decides, one module a mirror does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Deployed(NamedTuple):
    """What was done, or would be: paths with the reasons, a number, and what is there that is not ours.

    `waiting`: files whose deletion waits, with the reason; `notes`: lines for whoever looks after the site.
    """

    written: list[tuple[str, str]]
    kept: int
    removed: list[tuple[str, str]]
    foreign: list[str]
    waiting: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
