"""What must be done so that a mirror has what the site has: pure, ordered, each step with its reason.

A mirror is brought forward in turns, and no turn begins before the one before it is done:

1. assets, which have a digest in their name and harm nobody;
2. files that are not there yet, from the leaves up, the home page last: no page on the mirror leads to them;
3. pages that are there and change: whatever they lead to is there now;
4. the map of the site;
5. `status.json`, which says that all of this is done;
6. deletions, from the home page down, assets last: no page leads to them any more.

Cut off anywhere, whoever begins at a page of yesterday or at the home page meets nothing that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from hdash_site.artifact import Artifact

STATUS_FILE = "status.json"
"""When the site was built and its atlases were read, and what failed: it changes where no page does."""

FORMER_CHECK_FILE = "check.json"
"""What version 0.1.0 wrote in the place of `STATUS_FILE`."""

SITEMAP = "sitemap.xml"


class Action(NamedTuple):
    """`verb` is "put" or "delete"; actions of one `turn` may be done in any order."""

    verb: str
    path: str
    reason: str
    turn: tuple[int, int] = (0, 0)


class Plan(NamedTuple):
    """`foreign`: files that we did not make and no page wants; they are left alone."""

    actions: list[Action]
    kept: int
    foreign: list[str]


def plan(
    have: Collection[str],
    want: Mapping[str, Artifact],
    ours: Mapping[str, Artifact],
    content: Callable[[str], str],
    spared: Collection[str] = (),
) -> Plan:
    """Compare what a mirror has with what it should have.

    `have`: paths in the mirror; `ours`: what we put there earlier; `content` gives the digest of a file as
    it is now; `spared`: paths that are left as they are, and not named.
    """
    actions: list[Action] = []
    for path, artifact in want.items():
        reason = _reason(path, have, artifact, ours, content)
        if reason:
            actions.append(Action("put", path, reason, _put_turn(path, path in have)))
    kept = len(want) - len(actions)
    extra = sorted(path for path in have if path not in want and path not in spared)
    gone = [path for path in extra if path in ours]
    actions += [Action("delete", path, "no page makes it", _delete_turn(path)) for path in gone]
    actions.sort(key=lambda action: (action.turn, action.path))
    return Plan(actions, kept, [path for path in extra if path not in ours])


def _reason(
    path: str,
    have: Collection[str],
    want: Artifact,
    ours: Mapping[str, Artifact],
    content: Callable[[str], str],
) -> str:
    own = ours.get(path)
    if path not in have:
        return "it was deleted" if own else "it is new"
    if own and own.digest != want.digest:
        return "it changed"
    if content(path) != want.digest:
        return "it was altered" if own else "another file is in its place"
    if own and own.headers != want.headers:
        return "its headers changed"
    return ""


def _put_turn(path: str, there: bool) -> tuple[int, int]:
    if path.startswith("assets/"):
        return 1, 0
    if path == STATUS_FILE:
        return 5, 0
    if path == SITEMAP:
        return 4, 0
    # Among pages that change no order is better than another, but for the home page, which all others serve.
    depth = path.count("/")
    if there:
        return 3, int(path == "index.html")
    return 2, 1 if path == "index.html" else -depth


def _delete_turn(path: str) -> tuple[int, int]:
    return (7, 0) if path.startswith("assets/") else (6, path.count("/"))
