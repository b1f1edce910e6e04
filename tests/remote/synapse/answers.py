"""The replies of the API, and the rows and bytes behind them."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import itertools
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.remote.synapse.view import NotSql

if TYPE_CHECKING:
    from tests.remote.synapse.service import Service

LARGEST_ROWSET = 2_097_152
A_BATCH = 100
_MODEL = "org.sagebionetworks.repo.model"


class Reply(NamedTuple):
    """An answer: a status and JSON."""

    status: int
    body: dict[str, Any]


def refused(status: int, reason: str) -> Reply:
    """An error as `BaseExceptionHandler`: JSON with a reason."""
    return Reply(status, {"concreteType": f"{_MODEL}.ErrorResponse", "reason": reason})


@dataclass
class Job:
    """An asynchronous job: what it answers, and how often it still says that it is at work."""

    answer: Callable[[], Reply]
    polls: int


class Answers:
    """What each route of the API answers. `polls`: questions before a job is done."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs: dict[str, Job] = {}
        self.tables: dict[str, bytes] = {}
        self._numbers = itertools.count(500_000_000)
        self._lock = threading.Lock()
        self.polls = 1
        self.refused = 0
        self.key = b"signs addresses"

    def route(self, method: str, path: str) -> str:
        """Give the name of a route, by which faults and counts go."""
        if path.endswith("/userProfile"):
            return "login"
        if path.endswith("/async/start") and method == "POST":
            return "query start"
        if "/async/get/" in path:
            return "query poll"
        if path == "/file/v1/fileHandle/batch" and method == "POST":
            return "batch"
        return "entity" if re.fullmatch(r"/repo/v1/entity/[^/]+", path) else "unknown"

    def answer(self, route: str, path: str, body: dict[str, Any], trouble: str) -> Reply:
        match route:
            case "login":
                return self._profile()
            case "query start":
                return self._start(path, body)
            case "query poll":
                return self._poll(path.rpartition("/")[2], trouble)
            case "batch":
                return self._batch(body)
            case "entity":
                return self._entity(path.rpartition("/")[2])
            case _:
                return refused(404, f"there is no {path}")

    def _profile(self) -> Reply:
        """As `UserProfileController.getMyOwnUserProfile`."""
        return Reply(200, {"ownerId": "1", "userName": "ada", "emails": ["ada@example.org"]})

    def _start(self, path: str, body: dict[str, Any]) -> Reply:
        """As `TableController`: a query is a job, answered from the index as it is when it starts.

        While the index is built anew, the job waits for it.
        """
        reply = self._queried(path, body)
        if reply.status != 200:
            return reply
        is_rebuilding = self._service.is_rebuilding()
        with self._lock:
            token = str(next(self._numbers))
            answer = partial(self._queried, path, body) if is_rebuilding else lambda: reply
            self._jobs[token] = Job(answer, self.polls)
        return Reply(201, {"token": token})

    def _queried(self, path: str, body: dict[str, Any]) -> Reply:
        """The result of a query, or why there is none."""
        with self._service.lock:
            self._service.catch_up()
            if body["entityId"] != self._service.view.name or f"/{body['entityId']}/" not in path:
                return refused(404, f"{body['entityId']} does not exist")
            sql = body["sql"] if "sql" in body else body["query"]["sql"]
            try:
                header, rows = self._service.view.query(sql)
            except NotSql as error:
                return refused(400, str(error))
        result = self._table(header, rows) if "/csv/" in path else self._bundle(header, rows)
        return Reply(200, result) if result else refused(400, "the result is larger than a page")

    def _bundle(self, header: list[str], rows: list[tuple[object, ...]]) -> dict[str, Any] | None:
        """As `QueryResultBundle`, the first page of which holds at most `maxBytesPerRequest`."""
        values = [[None if cell is None else str(cell) for cell in row] for row in rows]
        result = {
            "concreteType": f"{_MODEL}.table.QueryResultBundle",
            "queryResult": {
                "concreteType": f"{_MODEL}.table.QueryResult",
                "queryResults": {
                    "headers": [{"name": name} for name in header],
                    "etag": "DEFAULT",
                    "rows": [{"values": row} for row in values],
                },
                "nextPageToken": None,
            },
        }
        return result if len(json.dumps(values)) <= LARGEST_ROWSET else None

    def _table(self, header: list[str], rows: list[tuple[object, ...]]) -> dict[str, Any]:
        """As `TableCSVDownloadWorker`: a CSV of any size behind a file handle."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        with self._lock:
            handle = str(next(self._numbers))
            self.tables[handle] = text.getvalue().encode()
        return {
            "concreteType": f"{_MODEL}.table.DownloadFromTableResult",
            "tableId": self._service.view.name,
            "resultsFileHandleId": handle,
        }

    def _poll(self, token: str, trouble: str) -> Reply:
        """As `AsynchronousJobServices`: 202 with the state while it works, then the result or a failure."""
        job = self._jobs.get(token)
        if job is None:
            return refused(404, f"there is no job {token}")
        if trouble == "failed":
            return refused(400, "The view is being rebuilt; the query was cancelled")
        state = {"concreteType": f"{_MODEL}.asynch.AsynchronousJobStatus", "jobState": "PROCESSING"}
        if trouble == "never":
            job.polls = 10**9
        if job.polls > 0 or self._service.is_rebuilding():
            job.polls -= 1
            return Reply(202, state)
        return job.answer()

    def _batch(self, body: dict[str, Any]) -> Reply:
        """As `FileHandleManagerImpl.getFileHandleAndUrlBatch`: at most a hundred, each found or not."""
        asked = body["requestedFiles"]
        if len(asked) > A_BATCH:
            return refused(400, f"at most {A_BATCH} file handles")
        return Reply(200, {"requestedFiles": [self._signed(one) for one in asked]})

    def _signed(self, asked: dict[str, str]) -> dict[str, Any]:
        number = asked["fileHandleId"]
        with self._service.lock:
            handle = self._service.entities.handles.get(number)
        if asked["associateObjectType"] == "TableEntity":
            data = self.tables.get(number)
            known = data and (hashlib.md5(data).hexdigest(), len(data))
        else:
            known = handle and handle.entity == asked["associateObjectId"] and (handle.md5, handle.size)
        if not known:
            code = "UNAUTHORIZED" if handle else "NOT_FOUND"
            return {"fileHandleId": number, "failureCode": code}
        expires = f"{time.time() + self._service.lives:.3f}"
        query = f"expires={expires}&signature={self.signature(number, expires)}"
        url = f"{self._service.store_url}/{number}?{query}"
        details = {"id": number, "contentMd5": known[0], "contentSize": int(known[1] or 0)}
        return {"fileHandleId": number, "fileHandle": details, "preSignedURL": url}

    def signature(self, number: str, expires: str) -> str:
        return hmac.new(self.key, f"{number} {expires}".encode(), "sha256").hexdigest()

    def stored(self, number: str) -> bytes | None:
        if number in self.tables:
            return self.tables[number]
        with self._service.lock:
            handle = self._service.entities.handles.get(number)
        return handle.read() if handle else None

    def _entity(self, entity: str) -> Reply:
        """As `EntityController.getEntity`: the truth, past every view."""
        with self._service.lock:
            one = self._service.entities.rows.get(entity)
            if one is None:
                return refused(404, f"Entity {entity} does not exist")
            kind = "FileEntity" if one.type == "file" else "Folder"
            return Reply(
                200,
                {
                    "concreteType": f"{_MODEL}.{kind}",
                    "id": one.id,
                    "name": one.name,
                    "etag": one.etag,
                    "parentId": one.parent,
                    "versionNumber": int(one.version or 1),
                    "dataFileHandleId": one.handle or None,
                },
            )
