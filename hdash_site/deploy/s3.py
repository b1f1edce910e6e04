"""A bucket in S3 as a mirror of the site.

What the bucket has is what it lists, joined with what the ledger knows that a listing does not tell: digests
and headers. Each object carries its digest and a mark of its headers as metadata, so that a ledger which is
lost, or older than the bucket, is read from the objects anew: they are looked at, not sent again.

The ledger is older if the check file, which each deployment writes last, is not the one that it knows.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import NamedTuple, Protocol

from hdash_site.artifact import Artifact, Published
from hdash_site.bucket import PAGE, Bucket, Page
from hdash_site.deploy import Deployed
from hdash_site.deploy.plan import CHECK_FILE, Action, Plan, plan, refuse_many_deletions
from hdash_site.errors import AwsError, HdashError, OutputError
from hdash_site.serving import Serving, body_of

DIGEST, HEADERS = "hdash-digest", "hdash-headers"
"""The metadata by which we know an object as ours."""

LISTINGS = 3
"""Parts of a listing that are asked for side by side, beside its first page."""

NOTED_SECONDS = 2.0
"""So often the ledger is told what was done since: what a run that is killed forgets is looked at again."""

_NAMED = 5
"""Files that failed and are named; the others are counted."""


class Ledger(Protocol):
    """What we know of the mirrors that we write to."""

    def published(self, mirror: str) -> dict[str, Published]: ...

    def claim(self, mirror: str, files: Mapping[str, Published]) -> None: ...

    def disown(self, mirror: str, paths: Iterable[str]) -> None: ...


class Wanted(NamedTuple):
    """What the bucket should have: digest and headers by path, and how to come by the bytes of a path."""

    digests: Mapping[str, str]
    servings: Mapping[str, Serving]
    load: Callable[[str], bytes]

    def artifacts(self) -> dict[str, Artifact]:
        return {path: Artifact(digest, self.servings[path].mark()) for path, digest in self.digests.items()}


class How(NamedTuple):
    """How to deploy. `most`: deletions that are allowed (`plan.refuse_many_deletions`).

    `trust`: believe the ledger without a listing, if the check file is the one that it knows. `out_of_time`
    says whether to stop.
    """

    uploads: int = 16
    most: str = "20%"
    trust: bool = False
    dry: bool = False
    out_of_time: Callable[[], bool] = lambda: False


Tell = Callable[[str, int, int], None]
"""Called with what is at hand, how much of it is done, and how much there is."""


def deploy(
    bucket: Bucket,
    find: Callable[[], Wanted],
    ledger: Ledger,
    how: How,
    tell: Tell,
    announce: Callable[[Collection[str]], None] | None = None,
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
        trusted = how.trust and _untouched(bucket, ours)
        listing = () if trusted else _listing(bucket, ours, first or pool.submit(bucket.page), pool)
        wanted = find()
        have = {path: known.etag for path, known in ours.items()} if trusted else {}
        for part in listing:
            have.update(part)
        known = _looked_up(bucket, have, ours, wanted.servings, pool)
        if known != ours and not how.dry:
            ledger.claim(mirror, {path: one for path, one in known.items() if ours.get(path) != one})
        artifacts = wanted.artifacts()
        planned = _planned(have, artifacts, known)
        refuse_many_deletions(planned, known, how.most, mirror)
        if not how.dry:
            if announce:
                announce([action.path for action in planned.actions if action.path in have])
            _Deployment(bucket, wanted, artifacts, ledger, how, pool, tell).run(planned)
            ledger.disown(mirror, [path for path in known if path not in wanted.digests and path not in have])
    return Deployed(
        [(action.path, action.reason) for action in planned.actions if action.verb == "put"],
        planned.kept,
        [(action.path, action.reason) for action in planned.actions if action.verb == "delete"],
        planned.foreign,
    )


def _planned(have: Mapping[str, str], want: Mapping[str, Artifact], known: Mapping[str, Published]) -> Plan:
    def content(path: str) -> str:
        own = known.get(path)
        return own.digest if own and own.etag == have[path] else ""

    return plan(have, want, {path: one.artifact for path, one in known.items()}, content)


def _listing(
    bucket: Bucket, ours: Mapping[str, Published], first: Future[Page], pool: ThreadPoolExecutor
) -> Iterator[list[tuple[str, str]]]:
    """List the bucket, whose first page is on its way; give path and ETag of what is there, part by part."""
    # A thousand keys an answer: between keys that we know, answers can be asked for side by side.
    keys = sorted((path for path, known in ours.items() if known.etag), key=str.encode)
    borders = keys[PAGE - 1 : -1 : PAGE]
    (_, until), *spans = itertools.pairwise(["", *borders, ""])

    def list_first() -> list[tuple[str, str]]:
        return [*bucket.list(until=until, page=first.result())]

    def list_turn(turn: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        return [found for span in turn for found in bucket.list(*span)]

    # Few at once: they are understood by one processor.
    turns = [spans[turn::LISTINGS] for turn in range(min(LISTINGS, len(spans)))]
    parts = [pool.submit(list_first), *(pool.submit(list_turn, turn) for turn in turns)]
    return (part.result() for part in parts)


def _untouched(bucket: Bucket, ours: Mapping[str, Published]) -> bool:
    """Tell whether the check file is the one that we wrote last, and all was done then."""
    check = ours.get(CHECK_FILE)
    if not check or not all(known.etag for known in ours.values()):
        return False
    return not bucket.changed(CHECK_FILE, check.etag)


def _looked_up(
    bucket: Bucket,
    have: Mapping[str, str],
    ours: Mapping[str, Published],
    servings: Mapping[str, Serving],
    pool: ThreadPoolExecutor,
) -> dict[str, Published]:
    """Give the ledger with what it cannot know looked up in the bucket."""
    check = ours.get(CHECK_FILE)
    older = (check.etag if check else None) != have.get(CHECK_FILE) or (have and not ours)
    unsure = [path for path in have if older or (path in ours and not ours[path].etag)]
    known = dict(ours)
    for path, found in zip(unsure, pool.map(bucket.look, unsure), strict=True):
        known.pop(path, None)
        if found and DIGEST in found.metadata:
            how = servings.get(path)
            expected = {"ContentType": how.content_type, "CacheControl": how.cache_control} if how else {}
            if how and how.redirect:
                expected["WebsiteRedirectLocation"] = how.redirect
            told = {name: value for name, value in found.headers.items() if name != "ContentEncoding"}
            mark = found.metadata.get(HEADERS, "") if told == expected else ""
            known[path] = Published(found.metadata[DIGEST], mark, found.etag)
    return known


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
        # Ours from here on, even if we are cut off before it is known. The check file stays what it was: it
        # says which deployment was the last whole one.
        claims = {path: Published(*self._artifacts[path]) for path in puts if path != CHECK_FILE}
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
