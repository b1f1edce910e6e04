"""A lock in S3, for runs that share no machine: one object, and a lease that its owner renews.

The object is written on a condition, so that of two who write one is refused. It is never deleted: not every
service deletes on a condition. Time is the service's own: an owner that was silent for its whole lease has
lost the lock, whatever our clock says. An answer that was lost makes our own write look like a refusal; so
the token in the object is read before anything is given up.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hdash_site.bucket import USE_CONDITIONS, Bucket, Content
from hdash_site.errors import AwsError, LockedError, StateError

LOCK = "lock"
LONGEST = 86_400
"""Seconds that a lease of anybody counts at most."""

_TURNS = 5
"""Others that may be quicker than we are, before they are believed to be at work."""


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    """What the object says. `beat` counts the renewals: with it, each writing has an ETag of its own."""

    token: str = ""
    host: str = ""
    process: int = 0
    since: str = ""
    seconds: float = 0.0
    beat: int = 0
    released: bool = False


class Lease:
    """The lock, as long as it is ours."""

    def __init__(self, bucket: Bucket, seconds: float) -> None:
        self.name = f"{bucket.where}{LOCK}"
        self._bucket, self._seconds = bucket, seconds
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        self._mine = Holder(os.urandom(16).hex(), socket.gethostname(), os.getpid(), since, seconds)
        self._etag = ""
        self._until = 0.0
        self._lost = ""
        self._end = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)

    def check(self) -> None:
        """Raise `StateError` if the lock is no longer ours."""
        if time.monotonic() > self._until:
            self._lost = self._lost or "it was not renewed in time"
        if self._lost:
            raise StateError(f"the lock was lost: {self._lost}", self.name, "build again")

    def take(self) -> None:
        """Take the lock and keep it from ending; raises `LockedError` if a run has it that is alive."""
        fresh = False
        began = time.monotonic()
        for _ in range(_TURNS):
            found = self._bucket.get(LOCK)
            holder = self._holder(found) if found else None
            if found and holder and holder.token == self._mine.token:
                etag: str | None = found.etag
            elif found and holder and not holder.released and found.date <= _end_of(holder, found):
                raise self._locked(holder, found)
            else:
                fresh = found is None
                began = time.monotonic()
                etag = self._bucket.put_if(LOCK, _body(self._mine), found.etag if found else "")
            if etag:
                self._etag, self._until = etag, began + self._seconds
                if fresh or not self._bucket.is_aws:
                    self._try_conditions(fresh=fresh)
                self._renewing.start()
                return
        raise LockedError("other runs are at work", self.name, "wait for them")

    def release(self) -> None:
        """Let others have it at once; if the service cannot be told, they have it when the lease ends."""
        self._end.set()
        self._renewing.join()
        with contextlib.suppress(StateError, AwsError):
            self.check()
            self._bucket.put_if(LOCK, _body(dataclasses.replace(self._mine, released=True)), self._etag)

    def _renew(self) -> None:
        bucket = self._bucket.within(self._seconds / 6)
        # Each third of the lease; after a failure sooner, for as long as there is time.
        while not self._end.wait(
            max(self._until - time.monotonic() - self._seconds * 2 / 3, self._seconds / 12)
        ):
            try:
                self._renew_once(bucket)
                self.check()
            except AwsError:
                continue
            except StateError:
                return

    def _renew_once(self, bucket: Bucket) -> None:
        for _ in range(2):
            began = time.monotonic()
            self._mine = dataclasses.replace(self._mine, beat=self._mine.beat + 1)
            etag = bucket.put_if(LOCK, _body(self._mine), self._etag)
            if etag is None:
                found = bucket.get(LOCK)
                holder = self._holder(found) if found else Holder()
                if found is None or holder.token != self._mine.token:
                    self._lost = "another run took it" if found else "it was deleted"
                    return
                self._etag = found.etag  # ours: the answer to this writing was lost, or to one before it
                if holder.beat != self._mine.beat:
                    continue
            self._etag, self._until = etag or self._etag, began + self._seconds
            return

    def _try_conditions(self, *, fresh: bool) -> None:
        """Find out whether the service honours conditions, on the lock that we just took.

        AWS is asked once, at the first lock of a state. Of other services, taking an old lock showed that a
        write whose condition holds is done. Raises `StateError` or `AwsError`, and leaves the lock free.
        """
        try:
            if fresh and not self._bucket.is_aws:
                self._renew_once(self._bucket)
                self.check()
            if not self._bucket.refuses_false_conditions(LOCK, _body(self._mine)):
                problem = (
                    "the service ignores the condition of a write, so two runs could use the state at once"
                )
                raise StateError(problem, self.name, USE_CONDITIONS)
        except (StateError, AwsError):
            with contextlib.suppress(AwsError):
                self._bucket.put(LOCK, _body(dataclasses.replace(self._mine, released=True)), {}, {})
            raise

    def _holder(self, found: Content) -> Holder:
        """Read what the object says; of what makes no sense, only its age counts."""
        try:
            given = cast(dict[str, Any], json.loads(found.data))
            token, host, since = (_words(given[name]) for name in ("token", "host", "since"))
            seconds = min(float(given["seconds"]), LONGEST)
            if not seconds >= 0:
                raise ValueError(seconds)
            numbers = int(given["process"]), int(given["beat"])
            return Holder(token, host, numbers[0], since, seconds, numbers[1], given["released"] is True)
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
            return Holder(host="a host", since="some time", seconds=self._seconds)

    def _locked(self, holder: Holder, found: Content) -> LockedError:
        who = f"another run (process {holder.process} on {holder.host}) is at work since {holder.since}"
        end = f"{_end_of(holder, found):%Y-%m-%d %H:%M:%S} UTC"
        return LockedError(who, self.name, f"wait for it; if it was killed, its lock ends at {end}")


@contextlib.contextmanager
def held(bucket: Bucket, seconds: float) -> Generator[Lease, None, None]:
    """Hold the lock of the state in a bucket; the lease is good for so many seconds after each renewal.

    Raises `LockedError` if a living run has it, `StateError` or `AwsError` if the service cannot lock.
    """
    lease = Lease(bucket, seconds)
    lease.take()
    try:
        yield lease
    finally:
        lease.release()


def _end_of(holder: Holder, found: Content) -> datetime:
    # Both times of the service are cut to whole seconds.
    return found.modified + timedelta(seconds=holder.seconds + 1)


def _body(holder: Holder) -> bytes:
    return json.dumps(dataclasses.asdict(holder)).encode()


def _words(text: Any) -> str:
    return "".join(char for char in str(text) if char.isprintable())[:100]
