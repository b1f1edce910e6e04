"""Bytes from the object store: signed in batches, fetched at once and side by side, checked by md5.

A signed address lives for 30 seconds, so a batch is signed when its turn comes, and what was late or cut
is signed again with the next one.
"""

from __future__ import annotations

import hashlib
import io
import time
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
LATEST = "it is asked for again at the next crawl."


class Files:
    """The object store behind an API; `at_once` downloads run side by side."""

    def __init__(self, api: Api, patience: Patience, at_once: int) -> None:
        self._api, self._patience = api, patience
        self._at_once = at_once
        # A session of its own: the store refuses a request that has a token besides its signature.
        self._session = requests.Session()
        self._session.mount("http://", HTTPAdapter(pool_maxsize=at_once))
        self._session.mount("https://", HTTPAdapter(pool_maxsize=at_once))

    def manifests(self, wanted: Sequence[Listed], largest: int) -> Iterator[tuple[str, bytes | AtlasError]]:
        """Give the bytes of each manifest, by entity id, in any order; those above `largest` are not read."""
        waiting = list(wanted)
        for attempt in range(TRIES):
            late: list[tuple[Listed, AtlasError]] = []
            for start in range(0, len(waiting), A_BATCH):
                for one, found in self._batch(waiting[start : start + A_BATCH], largest):
                    if isinstance(found, _Late):
                        late.append((one, found))
                    else:
                        yield one.id, found
            waiting = [one for one, _ in late]
            if not late or not self._once_more(attempt):
                yield from ((one.id, error) for one, error in late)
                return

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

    def _batch(self, some: Sequence[Listed], largest: int) -> Iterator[tuple[Listed, bytes | AtlasError]]:
        try:
            signed = list(self._api.sign([Handle(one.handle, one.id) for one in some]))
        except SourceError as error:
            yield from ((one, of_one_atlas(error)) for one in some)
            return
        with ThreadPoolExecutor(self._at_once, "download") as pool:
            tasks = {
                pool.submit(self._manifest, one, to, largest): one
                for one, to in zip(some, signed, strict=True)
            }
            for task in as_completed(tasks):
                yield tasks.pop(task), task.result()

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


def _unsigned(failure: str) -> AtlasError:
    if failure == "NOT_FOUND":
        return ManifestError("The manifest is in the file view and not in Synapse any more", way_out=LATEST)
    if failure == "UNAUTHORIZED":
        said = "The manifest may not be downloaded with our account"
        return ManifestError(said, way_out="give it the right to download.")
    return AtlasError(f"a file cannot be had ({failure or 'no address'})", "Synapse", LATER)
