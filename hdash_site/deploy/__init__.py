"""From the finished artifacts to a mirror of them: `plan` decides, one module a mirror does it."""

from __future__ import annotations

from typing import NamedTuple


class Deployed(NamedTuple):
    """What was done, or would be: paths with the reasons, a number, and what is there that is not ours."""

    written: list[tuple[str, str]]
    kept: int
    removed: list[tuple[str, str]]
    foreign: list[str]
