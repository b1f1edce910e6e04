"""Which deletions are carried out in a run, and which wait because they are more than the limit allows.

A run that finds more new files to delete than the limit allows adds all of them to a list. Files on the list
are deleted after some nights, or when that is asked for; a file that a page makes again leaves the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hdash_site.artifact import Waiting

FEW = 10
"""So many files may always be deleted with a limit that is a share, however small the site is."""


class Limit(NamedTuple):
    """`most`: largest number of deletions at once, or a share such as "20%"; `nights`: how long others wait.

    `night`: whether this is a nightly run, which counts; `pending`: whether to delete now what is listed.
    """

    most: str = "20%"
    nights: int = 3
    night: bool = False
    pending: bool = False

    def of(self, files: int) -> int:
        """Return the number of deletions that are allowed in a site of so many files."""
        return max(FEW, files * int(self.most[:-1]) // 100) if self.most.endswith("%") else int(self.most)


class Decision(NamedTuple):
    """`now`: paths to delete in this run; `later`: the list after it."""

    now: set[str]
    later: dict[str, Waiting]


def decide(
    due: Sequence[str], listed: Mapping[str, Waiting], files: int, limit: Limit, moment: str
) -> Decision:
    """Split what no page makes any more (`due`) into deletions of now and those of later.

    `listed`: the list so far; `files`: how many files of ours the mirror has; `moment`: now, in ISO 8601.
    """
    known = {path: listed[path] for path in due if path in listed}
    fresh = [path for path in due if path not in listed]
    now = {path for path, one in known.items() if limit.pending or one.nights >= limit.nights}
    counted = int(limit.night)
    later = {path: Waiting(one.since, one.nights + counted) for path, one in known.items() if path not in now}
    if limit.nights and len(fresh) > limit.of(files):
        later |= dict.fromkeys(fresh, Waiting(moment, counted))
    else:
        now.update(fresh)
    return Decision(now, later)
