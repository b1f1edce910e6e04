"""An S3 on loopback: moto's server in a process of its own, and a proxy before it that counts and harms.

with storage() as s3:
    s3.bucket("site")                       a bucket, empty
    s3.objects("site")                      what is in it but markers: bytes and headers by key
    s3.requests                             what went through the proxy: Request(kind, bucket, key, …)
    s3.fault = lambda request: Fault(503, "SlowDown") if request.kind == "PUT" else None
    s3.allowed = {"s3:ListBucket"}          every other action is refused, as IAM does
    s3.dropped = {"if-match"}               headers that the service does not know
    s3.etags = "unquoted"                   If-Match holds only with an ETag without quotes, as in Ceph; or
                                            "refused": it never holds
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.client
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
from botocore.config import Config

MARKER = ".hdash-site.json"
KEY, SECRET = "AKIACANARYCANARY", "canary-secret-of-the-tests"
ACTIONS = {
    "LIST": "s3:ListBucket",
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
    "BEGIN_PARTS": "s3:PutObject",
    "PUT_PART": "s3:PutObject",
    "END_PARTS": "s3:PutObject",
    "ABORT_PARTS": "s3:AbortMultipartUpload",
    "OTHER": "s3:Other",
}
"""What IAM calls the action that a kind of request is."""


class Request(NamedTuple):
    """`key` is empty for a bucket; `headers` have small names; `size` is of the body."""

    kind: str
    bucket: str
    key: str
    headers: dict[str, str]
    size: int


class Fault(NamedTuple):
    """How a request fails. `status` with `code`, as S3 says it; or `way`:

    reset: the connection is cut, the request was not heard; deaf: heard and done, and the answer is lost;
    silent: no answer until the client gives up; cut: half of the answer's body, and the end.
    """

    status: int = 0
    code: str = ""
    way: str = ""


class Stored(NamedTuple):
    """An object: `body` is as stored; `data` is what a browser sees."""

    body: bytes
    etag: str
    content_type: str
    cache_control: str
    encoding: str
    redirect: str
    metadata: dict[str, str]

    @property
    def data(self) -> bytes:
        return gzip.decompress(self.body) if self.encoding == "gzip" else self.body


class Storage:
    def __init__(self, behind: int) -> None:
        self._behind = behind
        self.requests: list[Request] = []
        self.fault: Callable[[Request], Fault | None] = lambda request: None
        self.allowed: set[str] | None = None
        self.dropped: set[str] = set()
        self.etags = ""
        self.silence = threading.Event()
        self._turn = threading.Lock()
        self._on_their_way = 0
        self._answered = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.request_queue_size = 128
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.direct = client(f"http://127.0.0.1:{behind}")
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def environ(self, bucket: str = "") -> dict[str, str]:
        """Give the variables that lead the program here."""
        found = {
            "S3_ENDPOINT_URL": self.url,
            "S3_ACCESS_KEY_ID": KEY,
            "S3_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return found | ({"S3_BUCKET_NAME": bucket} if bucket else {})

    def bucket(self, name: str) -> str:
        self.direct.create_bucket(Bucket=name)
        return name

    def put(self, bucket: str, key: str, data: bytes, **headers: Any) -> None:
        self.direct.put_object(Bucket=bucket, Key=key, Body=data, **headers)

    def delete(self, bucket: str, key: str) -> None:
        self.direct.delete_object(Bucket=bucket, Key=key)

    def keys(self, bucket: str) -> list[str]:
        """Give the keys of all objects but the markers, which say whose a prefix is."""
        return [key for key in self._all_keys(bucket) if not key.endswith(MARKER)]

    def markers(self, bucket: str) -> dict[str, dict[str, Any]]:
        """Give what the markers say, by prefix."""
        return {
            key.removesuffix(MARKER): json.loads(self.object(bucket, key).body)
            for key in self._all_keys(bucket)
            if key.endswith(MARKER)
        }

    def _all_keys(self, bucket: str) -> list[str]:
        pages = self.direct.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def objects(self, bucket: str) -> dict[str, Stored]:
        return {key: self.object(bucket, key) for key in self.keys(bucket)}

    def object(self, bucket: str, key: str) -> Stored:
        found = self.direct.get_object(Bucket=bucket, Key=key)
        return Stored(
            found["Body"].read(),
            found["ETag"].strip('"'),
            found.get("ContentType", ""),
            found.get("CacheControl", ""),
            found.get("ContentEncoding", ""),
            found.get("WebsiteRedirectLocation", ""),
            found["Metadata"],
        )

    def counted(self) -> dict[str, int]:
        """Give the number of requests by kind since the last time, and begin anew."""
        found = Counter(request.kind for request in self.requests)
        self.requests.clear()
        return dict(found)

    def wait_for_answers(self) -> None:
        """Wait until nothing is on its way, also of a client that is gone."""
        with self._answered:
            assert self._answered.wait_for(lambda: self._on_their_way == 0, 60)

    def close(self) -> None:
        self.silence.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        storage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                storage._count(1)
                try:
                    storage._pass_on(self)
                finally:
                    storage._count(-1)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def _count(self, more: int) -> None:
        with self._answered:
            self._on_their_way += more
            self._answered.notify_all()

    def _pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        body = _body(handler)
        if body is None:
            handler.close_connection = True  # like S3: half of an object is none
            return
        request = _request(handler, len(body))
        self.requests.append(request)
        fault = self.fault(request)
        if request.kind == "PUT" and self._misunderstands(request.headers.get("if-match", "")):
            fault = Fault(412, "PreconditionFailed")
        if self.allowed is not None and ACTIONS[request.kind] not in self.allowed:
            fault = Fault(403, "AccessDenied")
        if fault and fault.way == "silent":
            self.silence.wait(30)
        if fault and fault.way in ("silent", "reset"):
            _reset(handler)
            return
        if fault and fault.status:
            _refuse(handler, fault)
            return
        status, headers, answer = self._asked(handler, body)
        if fault and fault.way == "deaf":
            _reset(handler)
            return
        with contextlib.suppress(OSError):  # who asked has given up
            self._told(handler, fault, status, headers, answer)

    def _misunderstands(self, condition: str) -> bool:
        return bool(condition) and (
            self.etags == "refused" or (self.etags == "unquoted" and '"' in condition)
        )

    def _told(
        self,
        handler: BaseHTTPRequestHandler,
        fault: Fault | None,
        status: int,
        headers: list[tuple[str, str]],
        answer: bytes,
    ) -> None:
        handler.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                handler.send_header(name, value)
        length = {name.lower(): value for name, value in headers}.get("content-length", len(answer))
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        if fault and fault.way == "cut":
            handler.wfile.write(answer[: len(answer) // 2])
            handler.wfile.flush()
            _reset(handler)
            return
        handler.wfile.write(answer)

    def _asked(
        self, handler: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._behind, timeout=60)
        conditional = "If-Match" in handler.headers or "If-None-Match" in handler.headers
        # Moto looks at a condition and then writes: S3 does both at once.
        turn = self._turn if conditional and handler.command == "PUT" else contextlib.nullcontext()
        with turn, contextlib.closing(connection):
            drop = {"expect", "connection", "transfer-encoding", "content-length"} | self.dropped
            headers = {name: value for name, value in handler.headers.items() if name.lower() not in drop}
            connection.request(handler.command, handler.path, body, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()


@functools.cache
def client(url: str) -> Any:
    """Give a client past the proxy: one for all tests, since it takes long to make."""
    settings = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=settings,
    )


@contextlib.contextmanager
def server() -> Generator[int, None, None]:
    """Run moto's server in a process of its own; give its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield port
        finally:
            process.kill()


@contextlib.contextmanager
def storage(behind: int) -> Generator[Storage, None, None]:
    """Run a proxy before the server at a port."""
    found = Storage(behind)
    try:
        yield found
    finally:
        found.close()


def _body(handler: BaseHTTPRequestHandler) -> bytes | None:
    """Read a request's body whole; None if its sender died before its end.

    What boto3 sends in chunks stays signed in chunks for whom it goes to.
    """
    if handler.headers.get("Transfer-Encoding", "").lower() == "chunked":
        found = b""
        while size := int(handler.rfile.readline().split(b";")[0], 16):
            found += handler.rfile.read(size)
            handler.rfile.readline()
        handler.rfile.readline()
        return found
    size = int(handler.headers.get("Content-Length", 0))
    found = handler.rfile.read(size)
    return found if len(found) == size else None


def _request(handler: BaseHTTPRequestHandler, size: int) -> Request:
    parts = urlsplit(handler.path)
    query = parse_qs(parts.query, keep_blank_values=True)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    headers = {name.lower(): value for name, value in handler.headers.items()}
    return Request(_kind(handler.command, bool(key), query), bucket, key, headers, size)


def _kind(method: str, key: bool, query: dict[str, list[str]]) -> str:
    match method, key:
        case "GET", False:
            return "LIST" if "list-type" in query else "OTHER"
        case "GET" | "HEAD", True:
            return method
        case "PUT", True:
            return "PUT_PART" if "partNumber" in query else "PUT"
        case "POST", False:
            return "DELETE" if "delete" in query else "OTHER"
        case "POST", True:
            return "BEGIN_PARTS" if "uploads" in query else "END_PARTS"
        case "DELETE", True:
            return "ABORT_PARTS" if "uploadId" in query else "DELETE"
        case _:
            return "OTHER"


def _refuse(handler: BaseHTTPRequestHandler, fault: Fault) -> None:
    answer = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{fault.code}</Code>'
        "<Message>A message</Message><RequestId>1</RequestId></Error>"
    ).encode()
    handler.send_response_only(fault.status)
    handler.send_header("Content-Type", "application/xml")
    handler.send_header("Content-Length", str(len(answer)))
    if fault.code == "PermanentRedirect":
        handler.send_header("x-amz-bucket-region", "eu-west-1")
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(answer)


def _reset(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
