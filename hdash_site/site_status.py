"""`status.json`: when the site was built and its atlases were read, and what failed since when.

It is the one file that changes in a night in which only the moments or the failures change: the pages read it
with a script. docs/data.md says what every field means.
"""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hdash_site.pages.figures import visible
from hdash_site.secrets import hidden
from hdash_site.snapshot import Snapshot

VERSION = 1

WAITING = "deletions_waiting"
"""The field of `status.json`, and of the summary of a run, with the number of deletions that wait."""

BUILT, FAILURES = "built", "failures"
"""The facts in the state: when the site was built, and the failures that no snapshot knows of."""

CURRENT, UNVERIFIED, FAILED = "current", "unverified", "failed"

REASON_CHARACTERS = 200
"""Length of a reason; the whole text is in the summary of the run."""


class Failure(NamedTuple):
    """Why an atlas could not be updated, and since when (UTC, ISO 8601)."""

    since: str
    reason: str


def compose(built: str, snapshots: Iterable[Snapshot], failures: Mapping[str, Failure]) -> bytes:
    """Return the file of a site that was built at `built`.

    `failures`: atlases that could not be updated although their snapshot, if there is one, does not say so.
    An empty moment is not known.
    """
    by_id = {snapshot.project.id: snapshot for snapshot in snapshots}
    atlases = {atlas: _without_snapshot(failure) for atlas, failure in failures.items()}
    atlases |= {atlas: _entry(snapshot, failures.get(atlas)) for atlas, snapshot in by_id.items()}
    return _written(
        {
            "version": VERSION,
            "built": _moment(built),
            "crawled": _moment(max((one.crawled for one in by_id.values()), default="")),
            "verified": _moment(max((one.verified for one in by_id.values()), default="")),
            WAITING: 0,
            "atlases": {visible(atlas): entry for atlas, entry in atlases.items()},
        }
    )


def noting(status: bytes, waiting: int) -> bytes:
    """Return the same file with the number of deletions that wait."""
    return _written(json.loads(status) | {WAITING: waiting})


def failures_of(fact: str) -> dict[str, Failure]:
    """Read failures as `fact_of` writes them; none from a text that it did not write."""
    try:
        found = {atlas: Failure(*fields) for atlas, fields in json.loads(fact or "{}").items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
    texts = (text for failure in found.values() for text in failure)
    return found if all(type(text) is str for text in texts) else {}


def fact_of(failures: Mapping[str, Failure]) -> str:
    return json.dumps(failures, sort_keys=True)


def _entry(snapshot: Snapshot, failure: Failure | None) -> dict[str, Any]:
    if snapshot.failed_since:
        failure = Failure(snapshot.failed_since, snapshot.failure)
    state = FAILED if failure else UNVERIFIED if snapshot.is_unverified else CURRENT
    return {
        "state": state,
        "crawled": _moment(snapshot.crawled),
        "verified": _moment(snapshot.verified),
        "changed": _moment(snapshot.changed),
        "manifests_not_read": sum(bool(fetched.error) for fetched in snapshot.manifests.values()),
        **_failure(failure),
    }


def _without_snapshot(failure: Failure) -> dict[str, Any]:
    """Return the entry of an atlas that was never read: it has no pages."""
    unknown = {"crawled": None, "verified": None, "changed": None, "manifests_not_read": 0}
    return {"state": FAILED, **unknown, **_failure(failure)}


def _failure(failure: Failure | None) -> dict[str, str | None]:
    since, reason = (_moment(failure.since), _reason(failure.reason)) if failure else (None, None)
    return {"failed_since": since, "reason": reason}


def _reason(text: str) -> str:
    text = visible(" ".join(hidden(text, os.environ).split()))
    return text if len(text) <= REASON_CHARACTERS else f"{text[: REASON_CHARACTERS - 1]}…"


def _moment(moment: str) -> str | None:
    """Return an ISO 8601 time in UTC to the second, as most programs read it; None if it is none."""
    try:
        read = datetime.datetime.fromisoformat(moment)
    except ValueError:
        return None
    return f"{read.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _written(status: Mapping[str, Any]) -> bytes:
    """Write JSON in ASCII, inert also where a program takes it for HTML."""
    text = json.dumps(status, sort_keys=True, separators=(",", ":"))
    return (re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text) + "\n").encode()
