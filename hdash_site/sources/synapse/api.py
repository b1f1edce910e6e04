"""What we ask of Synapse's API: who we are, queries of the file view, signed addresses, single entities.

It goes through the official client, by those calls of it that are not deprecated; rows never pass a data
frame. One login a run.
"""

# pyright: basic
# The client comes without types: strict checking would report every call to it.

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hdash_site.config import Login
from hdash_site.errors import AtlasError, SourceError
from hdash_site.sources.synapse.session import LATER, SCOPES, Patience, Refused, Session, Unanswered

A_BATCH = 100
"""File handles that one call may ask for (`FileHandleManagerImpl`)."""

FIRST_POLL, LONGEST_POLL = 0.1, 5.0
"""Seconds between two questions whether a job is done."""

JOB_TRIES = 3

ONCE_MORE = (401, 403, 404)
"""Answers to a question whether a job is done that are believed only if they come twice."""

_MODEL = "org.sagebionetworks.repo.model"


class Handle(NamedTuple):
    """A file handle to sign: of which file of which object it is (`FileEntity`, `TableEntity`)."""

    id: str
    of: str
    kind: str = "FileEntity"


class Signed(NamedTuple):
    """An address that lives for 30 seconds, with what the handle says of the bytes; or why there is none."""

    url: str
    md5: str
    size: int
    failure: str


class Api:
    """Synapse, after a login. Its methods may be called from several threads; all raise `SourceError`."""

    def __init__(
        self, endpoint: str, login: Login, cache: Path, patience: Patience, job_seconds: float, at_once: int
    ) -> None:
        # The heaviest import of the program: only a crawl of Synapse pays for it.
        import synapseclient
        from synapseclient.core.exceptions import SynapseAuthenticationError

        self._patience, self._job_seconds = patience, job_seconds
        base = endpoint.rstrip("/")
        self._client = synapseclient.Synapse(
            repoEndpoint=f"{base}/repo/v1",
            authEndpoint=f"{base}/auth/v1",
            fileHandleEndpoint=f"{base}/file/v1",
            portalEndpoint=base,
            skip_checks=True,
            configPath=os.devnull,
            requests_session=Session(patience, at_once),
            cache_root_dir=str(cache),
            silent=True,
            cache_client=False,
        )
        try:
            self._client.login(
                **({"email": login.user} if login.user else {}), authToken=login.token, silent=True
            )
        except Unanswered as unanswered:
            raise unanswered.error from None
        except SynapseAuthenticationError as error:
            said = "the token and SYNAPSE_USER belong to different accounts"
            said = said if "match" in str(error) else "the token in SYNAPSE_AUTH_TOKEN has not the scope view"
            raise SourceError(said, "Synapse", SCOPES) from None

    def rows(self, view: str, sql: str) -> list[list[str | None]]:
        """Query a view for a few rows."""
        bundle = self._job(_query_path(view), _query(view, sql))
        return [row["values"] for row in bundle["queryResult"]["queryResults"]["rows"]]

    def refresh(self, view: str, sql: str) -> None:
        """Start a query without waiting for its answer: a view applies changes when it is queried."""
        self._post(f"{_query_path(view)}/start", _query(view, sql))

    def csv(self, view: str, sql: str) -> Handle:
        """Query a view for any number of rows; give the file handle of their CSV."""
        query = {
            "concreteType": f"{_MODEL}.table.DownloadFromTableRequest",
            "entityId": view,
            "sql": sql,
            "writeHeader": True,
            "includeRowIdAndRowVersion": False,
        }
        done = self._job(f"/entity/{view}/table/download/csv/async", query)
        return Handle(str(done["resultsFileHandleId"]), view, "TableEntity")

    def sign(self, handles: Sequence[Handle]) -> Iterator[Signed]:
        """Give an address for each of at most `A_BATCH` handles, in their order."""
        asked = [
            {"fileHandleId": one.id, "associateObjectId": one.of, "associateObjectType": one.kind}
            for one in handles
        ]
        wanted = {
            "includeFileHandles": True,
            "includePreSignedURLs": True,
            "includePreviewPreSignedURLs": False,
            "requestedFiles": asked,
        }
        answer = self._post("/fileHandle/batch", wanted, self._client.fileHandleEndpoint)
        found: Mapping[str, Any] = {one["fileHandleId"]: one for one in answer["requestedFiles"]}
        for one in handles:
            signed = found.get(one.id, {"failureCode": "NOT_FOUND"})
            handle = signed.get("fileHandle") or {}
            yield Signed(
                signed.get("preSignedURL") or "",
                handle.get("contentMd5") or "",
                int(handle.get("contentSize") or 0),
                signed.get("failureCode") or "",
            )

    def etag(self, entity: str) -> str | None:
        """Give the etag of an entity as it is, past every view; None if it is gone or hidden from us."""
        try:
            return str(self._get(f"/entity/{entity}")["etag"])
        except Refused as refused:
            if refused.status in (403, 404):
                return None
            raise

    def _job(self, path: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a job to its result, more than once if it fails. Raises `AtlasError`."""
        until = min(time.monotonic() + self._job_seconds, self._patience.until)
        for _ in range(JOB_TRIES - 1):
            try:
                return self._done(path, query, until)
            except _Failed:
                time.sleep(min(FIRST_POLL, self._patience.left()))
        return self._done(path, query, until)

    def _done(self, path: str, query: Mapping[str, Any], until: float) -> Mapping[str, Any]:
        """Start a job, and wait for its result."""
        token = self._post(f"{path}/start", query)["token"]
        pause = FIRST_POLL
        while True:
            try:
                answer = self._poll(f"{path}/get/{token}")
            except Refused as refused:
                if refused.status == 400:
                    raise _Failed(f"a query of the view fails: {refused.problem}", "Synapse", LATER) from None
                raise
            state = answer.get("jobState")
            if state is None:
                return answer
            if state == "FAILED":
                said = " ".join(str(answer.get("errorMessage", "")).split())[:200]
                raise _Failed(f"a query of the view fails ({said})", "Synapse", LATER)
            if time.monotonic() + pause > until:
                raise AtlasError("a query of the view does not end", "Synapse", LATER)
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_POLL)

    def _poll(self, path: str) -> Mapping[str, Any]:
        """Return the state of a job. A job that was just started may be refused or unknown once."""
        try:
            return self._get(path)
        except Refused as refused:
            if refused.status not in ONCE_MORE:
                raise
        time.sleep(min(FIRST_POLL, self._patience.left()))
        return self._get(path)

    def _get(self, path: str) -> Mapping[str, Any]:
        return self._answer(self._client.restGET, path)

    def _post(self, path: str, body: Mapping[str, Any], endpoint: str | None = None) -> Mapping[str, Any]:
        return self._answer(self._client.restPOST, path, json.dumps(body), endpoint=endpoint)

    def _answer(self, call: Callable[..., Any], *args: Any, **settings: Any) -> Mapping[str, Any]:
        try:
            return call(*args, retryPolicy={"retries": 0}, **settings)
        except Unanswered as unanswered:
            raise unanswered.error from None


def _query_path(view: str) -> str:
    return f"/entity/{view}/table/query/async"


def _query(view: str, sql: str) -> Mapping[str, Any]:
    return {
        "concreteType": f"{_MODEL}.table.QueryBundleRequest",
        "entityId": view,
        "query": {"sql": sql},
        "partMask": 1,
    }


class _Failed(AtlasError):
    """A job that failed, as it does when the view changes under it."""
