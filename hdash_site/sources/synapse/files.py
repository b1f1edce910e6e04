"""Bytes from the object store: signed in batches, fetched side by side, checked by md5.

A signed address expires, in Synapse after 30 seconds, and what counts is when its download begins. So only
as many files are signed at once as downloads can begin within half of that time, which the batch before
showed. An address that expired is signed anew, and that is no failure.
"""

from __future__ import annotations

import hashlib
import io
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import BinaryIO

import requests
from requests.adapters import HTTPAdapter

from hdash_site.errors import AtlasError, ManifestError, SourceError
from hdash_site.snapshot import Listed
from hdash_site.sources.crawl import too_large
from hdash_site.sources.synapse.api import A_BATCH, Api, Handle, Signed
from hdash_site.sources.synapse.session import LATER, Busy, Patience, of_one_atlas, translated

BLOCK = 1 << 18
TRIES = 5
FIRST_BATCH = 25
"""Files that are signed before it is known how fast the store is."""

LIFETIME = 30.0
"""Seconds that a signed address lives, if it does not say so itself (`FileHandleManagerImpl`)."""

IN_TIME = 0.8
"""Share of its lifetime in which a download may begin: the request has to arrive, too."""

LATEST = "it is asked for again at the next crawl."


class Files:
    """The object store behind an API; `at_once` downloads run side by side."""

    def __init__(self, api: Api, patience: Patience, at_once: int) -> None:
        self._api, self._patience = api, patience
        self._at_once = at_once
        self._size, self._ceiling = FIRST_BATCH, A_BATCH
        # A session of its own: the store refuses a request that has a token besides its signature.
        self._session = requests.Session()
        self._session.mount("http://", HTTPAdapter(pool_maxsize=at_once))
        self._session.mount("https://", HTTPAdapter(pool_maxsize=at_once))

    def manifests(self, wanted: Sequence[Listed], largest: int) -> Iterator[tuple[str, bytes | AtlasError]]:
        """Give the bytes of each manifest, by entity id, in any order; those above `largest` are not read."""
        waiting = list(wanted)
        for attempt in range(TRIES):
            late: list[tuple[Listed, AtlasError]] = []
            for one, found in self._in_batches(waiting, largest):
                if isinstance(found, _Late):
                    late.append((one, found))
                else:
                    yield one.id, found
            waiting = [one for one, _ in late]
            if not late or not self._once_more(attempt):
                yield from ((one.id, error) for one, error in late)
                return

    def _in_batches(
        self, wanted: Sequence[Listed], largest: int
    ) -> Iterator[tuple[Listed, bytes | AtlasError]]:
        """Try each manifest once; an address that expired before its turn came does not count."""
        waiting = list(wanted)
        while waiting:
            batch = _Batch(waiting[: self._size])
            yield from self._fetched(batch, largest)
            waiting = [*batch.expired, *waiting[self._size :]]
            self._size = self._next_size(batch)

    def _next_size(self, batch: _Batch) -> int:
        """Return how many files to sign next: as many as downloads begin in half of an address's lifetime."""
        signed, expired = len(batch.signed), len(batch.expired)
        if expired:
            self._ceiling = signed - expired
        growth = min(4.0 if batch.says_lifetime else 2.0, batch.lifetime / 2 / max(batch.last_start, 0.001))
        return max(min(int(signed * growth), self._ceiling, A_BATCH), self._at_once)

    def table(self, handle: Handle, into: BinaryIO) -> None:
        """Write the CSV of a query into a file. Raises `AtlasError`."""
        for attempt in range(TRIES):
            into.seek(0)
            into.truncate()
            try:
                [signed] = self._api.sign([handle])
                if not signed.url:
                    raise AtlasError(f"its rows cannot be had ({signed.failure})", "Synapse", LATER)
                self._fetch(signed, into, None)
                into.seek(0)
                return
            except _Late:
                if not self._once_more(attempt):
                    raise

    def _once_more(self, attempt: int) -> bool:
        """Wait longer after each attempt, counted from 0; tell whether there is to be another."""
        if attempt + 1 == TRIES or not self._patience.left():
            return False
        time.sleep(min(0.25 * 2**attempt, self._patience.left()))
        return True

    def _fetched(self, batch: _Batch, largest: int) -> Iterator[tuple[Listed, bytes | AtlasError]]:
        """Sign and fetch a batch; what expired stays in it, unless nothing else came of the batch."""
        try:
            addresses = list(self._api.sign([Handle(one.handle, one.id) for one in batch.signed]))
        except SourceError as error:
            yield from ((one, of_one_atlas(error)) for one in batch.signed)
            return
        batch.live(next((lifetime(to.url) for to in addresses if to.url), None))
        expired: dict[Listed, AtlasError] = {}
        with ThreadPoolExecutor(self._at_once, "download") as pool:
            tasks = {
                pool.submit(self._in_time, batch, number, to, largest): batch.signed[number]
                for number, to in enumerate(addresses)
            }
            for task in as_completed(tasks):
                one, found = tasks.pop(task), task.result()
                if isinstance(found, _Expired):
                    expired[one] = found
                else:
                    yield one, found
        if len(expired) == len(batch.signed):
            yield from expired.items()  # counts as a failure: signing anew need not help
        else:
            batch.expired = list(expired)

    def _in_time(self, batch: _Batch, number: int, to: Signed, largest: int) -> bytes | AtlasError:
        batch.last_start = max(batch.last_start, since := time.monotonic() - batch.began)
        # The first downloads begin at once, whatever the clock of this computer says of their addresses.
        if number >= self._at_once and since > batch.lifetime * IN_TIME:
            return _Expired("a signed address expired before its download began", "Synapse", LATER)
        return self._manifest(batch.signed[number], to, largest)

    def _manifest(self, one: Listed, signed: Signed, largest: int) -> bytes | AtlasError:
        if not signed.url:
            return _unsigned(signed.failure)
        if signed.size > largest:
            return too_large(largest)
        into = io.BytesIO()
        try:
            md5 = self._fetch(signed, into, largest)
        except AtlasError as error:
            return error
        if one.md5 and md5 != one.md5:
            said = "The manifest has other bytes than its row of the file view says"
            return ManifestError(said, way_out=LATEST)
        return into.getvalue()

    def _fetch(self, signed: Signed, into: BinaryIO, largest: int | None) -> str:
        """Fetch what an address leads to; give its md5. Raises `_Late`, `ManifestError`."""
        total = hashlib.md5(usedforsecurity=False)
        size = 0

        def fetch() -> None:
            nonlocal size
            with self._session.get(signed.url, stream=True, timeout=self._patience.timeout()) as answer:
                if answer.status_code in (400, 403) and _says_expired(answer):
                    raise _Expired("a signed address expired", "Synapse", LATER)
                if answer.status_code != 200:
                    raise Busy(f"the object store answers {answer.status_code}")
                for block in answer.iter_content(BLOCK):
                    total.update(block)
                    into.write(block)
                    size += len(block)
                    if largest is not None and size > largest:
                        raise too_large(largest)
                    if time.monotonic() > self._patience.until:
                        raise Busy("a download does not end")

        try:
            translated(fetch)
        except Busy as busy:
            raise _Late(str(busy), "Synapse", LATER) from None
        if signed.md5 and total.hexdigest() != signed.md5:
            raise _Late("a download was damaged on its way", "Synapse", LATER)
        return total.hexdigest()


class _Late(AtlasError):
    """A download that failed and may go well with a new address."""


class _Expired(_Late):
    """A download that did not begin in time."""


class _Batch:
    """Manifests that are signed together: for how many seconds their addresses live, and after how many the
    last download began.
    """

    def __init__(self, signed: Sequence[Listed]) -> None:
        self.signed = signed
        self.expired: list[Listed] = []
        self.began = self.last_start = 0.0
        self.lifetime, self.says_lifetime = LIFETIME, False

    def live(self, seconds: float | None) -> None:
        """Note that the addresses were signed now."""
        self.began = time.monotonic()
        if seconds is not None:
            self.lifetime, self.says_lifetime = min(seconds, LIFETIME), True


def lifetime(url: str) -> float | None:
    """Return the seconds that a signed address lives, if it says so.

    S3 writes a duration (`X-Amz-Expires`); its older signatures and CloudFront write the time of the end.
    """
    said = {name.lower(): text for name, text in urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)}
    try:
        if "x-amz-expires" in said:
            seconds = float(said["x-amz-expires"])
        else:
            seconds = float(said["expires"]) - time.time()
    except (KeyError, ValueError):
        return None
    # An end in the past is a clock that is wrong, of which nothing follows.
    return seconds if seconds > 0 else None


def _says_expired(answer: requests.Response) -> bool:
    return b"expired" in next(answer.iter_content(4096), b"").lower()


def _unsigned(failure: str) -> AtlasError:
    if failure == "NOT_FOUND":
        return ManifestError("The manifest is in the file view and not in Synapse any more", way_out=LATEST)
    if failure == "UNAUTHORIZED":
        said = "The manifest may not be downloaded with our account"
        return ManifestError(said, way_out="give it the right to download.")
    return AtlasError(f"a file cannot be had ({failure or 'no address'})", "Synapse", LATER)
