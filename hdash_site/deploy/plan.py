"""What must be done so that a mirror has what the site has: pure, ordered, each step with its reason.

Order: files with a digest in their name, pages from the leaves up, the index, deletions last. Cut off
anywhere, no page points to something that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple


class Action(NamedTuple):
    """`verb` is "put" or "delete"."""

    verb: str
    path: str
    reason: str


class Plan(NamedTuple):
    """`foreign`: files that we did not make and no page wants; they are left alone."""

    actions: list[Action]
    kept: int
    foreign: list[str]


def plan(
    have: Collection[str],
    want: Mapping[str, str],
    ours: Mapping[str, str],
    content: Callable[[str], str],
    spared: Collection[str] = (),
) -> Plan:
    """Compare what a mirror has with what it should have.

    `have`: paths in the mirror; `want`: digest by path; `ours`: digest by path of what we put there
    earlier; `content` gives the digest of a file as it is now; `spared`: paths that others look after.
    """
    actions: list[Action] = []
    for path in sorted(want, key=_turn):
        reason = _reason(path, have, want, ours, content)
        if reason:
            actions.append(Action("put", path, reason))
    kept = len(want) - len(actions)
    extra = sorted(path for path in have if path not in want and path not in spared)
    actions += [Action("delete", path, "no page makes it") for path in extra if path in ours]
    return Plan(actions, kept, [path for path in extra if path not in ours])


def _reason(
    path: str,
    have: Collection[str],
    want: Mapping[str, str],
    ours: Mapping[str, str],
    content: Callable[[str], str],
) -> str:
    if path not in have:
        return "it was deleted" if path in ours else "it is new"
    if ours.get(path) not in (None, want[path]):
        return "it changed"
    if content(path) != want[path]:
        return "it was altered" if path in ours else "another file is in its place"
    return ""


def _turn(path: str) -> tuple[int, int, str]:
    """Sort assets first, then pages from the deepest up, then lists and the index."""
    if path.startswith("assets/"):
        return 0, 0, path
    return 1, -path.count("/"), path
