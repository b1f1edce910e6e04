"""A bucket in S3 as a mirror of the site.

What the bucket has is what it lists, joined with what the ledger knows that a listing does not tell: digests
and headers. Each object carries its digest, a mark of its headers and its owner (`owner`) as metadata, so
that a ledger which is lost, or older than the bucket, is read from the objects anew: they are looked at, not
sent again. A file is deleted only if it is proved to be ours: by its owner, or by the ETag in the ledger.

The ledger is older if `status.json`, which each deployment writes last, is not the one that it knows.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import NamedTuple, Protocol

from hdash_site.artifact import Artifact, Published, Waiting
from hdash_site.bucket import Bucket
from hdash_site.deploy import Deployed, owner
from hdash_site.deploy.holdings import DIGEST, HEADERS, Holdings, How, Wanted, survey
from hdash_site.deploy.owner import MARKER
from hdash_site.deploy.plan import STATUS_FILE, Action, Plan, plan
from hdash_site.deploy.waiting import Limit, decide
from hdash_site.errors import AwsError, HdashError, OutputError
from hdash_site.serving import ASK_FIRST, body_of

NOTED_SECONDS = 2.0
"""So often the ledger is told what was done since: what a run that is killed forgets is looked at again."""

_NAMED = 5
"""Files that failed and are named; the others are counted."""


class Ledger(Protocol):
    """What we know of the mirrors that we write to."""

    def published(self, mirror: str) -> dict[str, Published]: ...

    def claim(self, mirror: str, files: Mapping[str, Published]) -> None: ...

    def disown(self, mirror: str, paths: Iterable[str]) -> None: ...

    def waiting(self, mirror: str) -> dict[str, Waiting]: ...

    def wait(self, mirror: str, files: Mapping[str, Waiting]) -> None: ...

    def stop_waiting(self, mirror: str, paths: Iterable[str]) -> None: ...


Tell = Callable[[str, int, int], None]
"""Called with what is at hand, how much of it is done, and how much there is."""


class _Orders(NamedTuple):
    """What is to be done. `now` and `later`: deletions (`waiting.Decision`).

    `blocked`: what is wanted and cannot be written, with the reason.
    """

    wanted: Wanted
    artifacts: Mapping[str, Artifact]
    planned: Plan
    now: Collection[str]
    later: Mapping[str, Waiting]
    blocked: Mapping[str, str]


def deploy(
    bucket: Bucket,
    find: Callable[[], Wanted],
    ledger: Ledger,
    how: How,
    tell: Tell,
    announce: Callable[[Collection[str]], None] = lambda _: None,
) -> Deployed:
    """Bring the bucket to what is wanted; `announce` is told the paths that change before the first does.

    What is wanted is found while the bucket is listed.

    Raises `AwsError` or `OutputError`; what was done stays done.
    """
    mirror = str(bucket.where)
    with ThreadPoolExecutor(how.uploads, "upload") as pool:
        # Asked for before anything else is done: the answer takes longer than what is done meanwhile.
        first = None if how.trust else pool.submit(bucket.page)
        ours = ledger.published(mirror)
        listed = ledger.waiting(mirror)
        wanted, held = survey(bucket, find, ours, how, pool, first)
        orders = _orders(bucket, wanted, held, listed, how)
        if not how.dry:
            _take(bucket, ledger, held, how)
            _correct(ledger, mirror, ours, held)
            _list(ledger, mirror, listed, orders)
            announce([action.path for action in orders.planned.actions if action.path in held.have])
            deployment = _Deployment(bucket, orders.wanted, orders.artifacts, ledger, how, pool, tell)
            deployment.run(orders.planned)
            ledger.stop_waiting(mirror, listed.keys() & orders.now)
            gone = [path for path in held.known if path not in wanted.digests and path not in held.have]
            ledger.disown(mirror, gone)
            if orders.blocked:
                raise _not_written(mirror, orders.blocked)
    return _deployed(mirror, held, orders, how.limit)


def _orders(
    bucket: Bucket, wanted: Wanted, held: Holdings, listed: Mapping[str, Waiting], how: How
) -> _Orders:
    blocked = _blocked(bucket, wanted.digests, held, adopt=how.adopt)
    due = sorted(path for path in held.have if path in held.known and path not in wanted.digests)
    now, later = decide(due, listed, len(held.known), how.limit, how.moment)
    if later:
        wanted = wanted.noting(len(later))
    if blocked:
        free = {path: digest for path, digest in wanted.digests.items() if path not in blocked}
        wanted = wanted._replace(digests=free)
    artifacts = wanted.artifacts()
    planned = _planned(held, artifacts, later.keys() | blocked.keys())
    return _Orders(wanted, artifacts, planned, now, later, blocked)


def _planned(held: Holdings, want: Mapping[str, Artifact], spared: Collection[str]) -> Plan:
    def content(path: str) -> str:
        own = held.known.get(path)
        return own.digest if own and own.etag == held.have[path] else ""

    return plan(held.have, want, {path: one.artifact for path, one in held.known.items()}, content, spared)


def _blocked(bucket: Bucket, wanted: Iterable[str], held: Holdings, *, adopt: bool) -> dict[str, str]:
    """Return what is wanted where another site is, with the reason."""
    blocked: dict[str, str] = {}
    if held.others:
        for path in wanted:
            other = owner.prefix_of(path, held.others)
            if other:
                blocked[path] = f"{bucket.where}{other} belongs to another site ({MARKER})"
    if not adopt:
        for path, found in held.taken.items():
            blocked[path] = f"the site {found.metadata[owner.SITE][:32]} wrote the files there"
    return blocked


def _take(bucket: Bucket, ledger: Ledger, held: Holdings, how: How) -> None:
    """Write our marker, before anything else is written, and remember it."""
    marker, etag = held.claim.marker, held.claim.etag
    if marker:
        headers = {"ContentType": "application/json", "CacheControl": ASK_FIRST}
        etag = bucket.put(MARKER, marker.data(), headers, {})
    if etag:
        ledger.claim(str(bucket.where), {MARKER: Published(how.site, "", etag)})


def _correct(ledger: Ledger, mirror: str, ours: Mapping[str, Published], held: Holdings) -> None:
    """Bring the ledger to what the objects said."""
    ledger.disown(mirror, [path for path in ours if path not in held.known and path != MARKER])
    ledger.claim(mirror, {path: one for path, one in held.known.items() if ours.get(path) != one})


def _list(ledger: Ledger, mirror: str, listed: Mapping[str, Waiting], orders: _Orders) -> None:
    """Bring the list of waiting deletions forward; what is deleted now leaves it when that is done."""
    ledger.wait(mirror, {path: one for path, one in orders.later.items() if listed.get(path) != one})
    ledger.stop_waiting(
        mirror, [path for path in listed if path not in orders.later and path not in orders.now]
    )


def _deployed(mirror: str, held: Holdings, orders: _Orders, limit: Limit) -> Deployed:
    actions = orders.planned.actions
    waiting = [
        (path, f"waits to be deleted (night {one.nights} of {limit.nights})")
        for path, one in orders.later.items()
    ]
    notes = [held.claim.note, _waiting_note(mirror, orders.later, len(held.known), limit)]
    if orders.blocked:
        notes.append(str(_not_written(mirror, orders.blocked)))
    return Deployed(
        [(action.path, action.reason) for action in actions if action.verb == "put"],
        orders.planned.kept,
        [(action.path, action.reason) for action in actions if action.verb == "delete"],
        [*orders.planned.foreign, *sorted(held.others)],
        waiting,
        [note for note in notes if note],
    )


def _waiting_note(mirror: str, later: Mapping[str, Waiting], files: int, limit: Limit) -> str:
    """Say that deletions wait, and until when; empty if none do."""
    if not later:
        return ""
    nights = max(one.nights for one in later.values())
    return (
        f"{mirror}: {len(later):,} of {files:,} files are no longer part of the site and wait to be deleted,"
        f" because --max-delete allows {limit.of(files):,} at once. The nightly run deletes them after"
        f" {limit.nights} nights (deploy.delete_after_nights); this is night {nights}. To delete them now,"
        " run: hdash-site deploy --delete-pending"
    )


def _not_written(mirror: str, blocked: Mapping[str, str]) -> OutputError:
    named = ", ".join(itertools.islice(blocked, _NAMED))
    more = f" and {len(blocked) - _NAMED} more" if len(blocked) > _NAMED else ""
    return OutputError(
        f"files of the site that cannot be written: {named}{more}; {next(iter(blocked.values()))}",
        mirror,
        "rename these pages, or move the other site; everything else is deployed",
    )


class _Deployment:
    """The actions of a plan, done side by side within a turn, with the ledger always behind them."""

    def __init__(
        self,
        bucket: Bucket,
        wanted: Wanted,
        artifacts: Mapping[str, Artifact],
        ledger: Ledger,
        how: How,
        pool: ThreadPoolExecutor,
        tell: Tell,
    ) -> None:
        self._bucket, self._wanted, self._ledger = bucket, wanted, ledger
        self._how, self._pool, self._tell = how, pool, tell
        self._mirror = str(bucket.where)
        self._done: dict[str, Published] = {}
        self._failed: dict[str, HdashError] = {}
        self._hopeless = threading.Event()
        self._artifacts = artifacts
        self._noted = time.monotonic()

    def run(self, planned: Plan) -> None:
        puts = [action.path for action in planned.actions if action.verb == "put"]
        # Ours from here on, even if we are cut off before it is known. `status.json` stays what it was: it
        # says which deployment was the last whole one.
        claims = {path: Published(*self._artifacts[path]) for path in puts if path != STATUS_FILE}
        self._ledger.claim(self._mirror, claims)
        sent = 0
        try:
            for _, turn in itertools.groupby(planned.actions, lambda action: action.turn):
                actions = list(turn)
                paths = [action.path for action in actions]
                if actions[0].verb == "delete":
                    self._delete(paths)
                else:
                    sent = self._send(paths, sent, len(puts))
                if self._failed:
                    raise self._not_done(planned.actions)
        finally:
            self._note()

    def _send(self, paths: Sequence[str], sent: int, total: int) -> int:
        """Send files side by side, a few ahead: all at once would hold all their bytes."""
        waiting: set[Future[tuple[str, str]]] = set()
        rest = iter(paths)
        while True:
            for path in itertools.islice(rest, 2 * self._how.uploads - len(waiting)):
                if self._how.out_of_time():
                    self._failed[path] = OutputError("there was no time left", path)
                    self._hopeless.set()
                if self._hopeless.is_set():
                    break
                waiting.add(self._pool.submit(self._put, path))
            if not waiting:
                return sent
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                path, etag = future.result()
                sent += 1
                if etag:
                    self._done[path] = Published(*self._artifacts[path], etag)
                    self._tell(path, sent, total)
            if time.monotonic() - self._noted > NOTED_SECONDS:
                self._note()
            if self._hopeless.is_set():
                rest = iter(())

    def _put(self, path: str) -> tuple[str, str]:
        """Send a file; give its ETag, or nothing if it failed."""
        if self._hopeless.is_set():
            return path, ""
        how = self._wanted.servings[path]
        try:
            body, encoding = body_of(self._wanted.load(path), how)
            headers = {"ContentType": how.content_type, "CacheControl": how.cache_control}
            if encoding:
                headers["ContentEncoding"] = encoding
            if how.redirect:
                headers["WebsiteRedirectLocation"] = how.redirect
            artifact = self._artifacts[path]
            metadata = {DIGEST: artifact.digest, HEADERS: artifact.headers}
            metadata |= owner.marks(self._how.site, self._bucket.where.prefix)
            return path, self._bucket.put(path, body, headers, metadata)
        except HdashError as error:
            self._failed[path] = error
            if isinstance(error, AwsError):
                # Whatever was tried for so long, or is refused, will not go better with the next file.
                self._hopeless.set()
            return path, ""

    def _delete(self, paths: Sequence[str]) -> None:
        refused = self._bucket.delete(paths)
        self._ledger.disown(self._mirror, [path for path in paths if path not in refused])
        for path, code in refused.items():
            self._failed[path] = AwsError(
                f"it cannot be deleted ({code})", f"{self._mirror}{path}", code=code
            )

    def _note(self) -> None:
        if self._done:
            self._ledger.claim(self._mirror, self._done)
            self._done = {}
        self._noted = time.monotonic()

    def _not_done(self, actions: Collection[Action]) -> OutputError:
        named = ", ".join(itertools.islice(self._failed, _NAMED))
        more = f" and {len(self._failed) - _NAMED} more" if len(self._failed) > _NAMED else ""
        first = next(iter(self._failed.values()))
        return OutputError(
            f"{len(self._failed):,} of {len(actions):,} steps failed: {named}{more} ({first.problem})",
            self._mirror,
            first.way_out or "run it again: it goes on where it stopped",
        )
