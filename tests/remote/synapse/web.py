"""The two ports of the service: its API, and the object store that signed addresses lead to."""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import socket
import struct
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING

from tests.remote.synapse.answers import Answers, Reply, refused

if TYPE_CHECKING:
    from tests.remote.synapse.service import Service

AT_ONCE, A_MINUTE = 3, 600
HTML = b"<html><body><h1>Something is wrong with this page</h1></body></html>"


class Throttle:
    """As `UserConcurrentConnectionThrottler` (3) and `UserRequestFrequencyThrottler` (600 a minute)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self._times: deque[float] = deque()

    @contextlib.contextmanager
    def entered(self) -> Generator[str, None, None]:
        """Give why a request is refused; empty if it may pass."""
        with self._lock:
            moment = time.monotonic()
            while self._times and self._times[0] < moment - 60:
                self._times.popleft()
            self._times.append(moment)
            self._now += 1
            said = f"only {AT_ONCE} requests at once" if self._now > AT_ONCE else ""
            said = f"only {A_MINUTE} requests a minute" if len(self._times) > A_MINUTE else said
        try:
            yield said
        finally:
            with self._lock:
                self._now -= 1


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service
    answers: Answers
    over: threading.Event
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None: ...

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.service.log.bytes += len(body)

    def spoil(self, trouble: str, body: bytes) -> bool:
        """Do what goes wrong on the way, whatever the answer would be; tell whether that was it."""
        match trouble:
            case "hold":
                self.over.wait(self.service.held)
                self.close_connection = True
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                self.rfile = self.wfile = io.BytesIO()
            case "cut":
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            case "html" | "html 502":
                self.send(502 if trouble.endswith("502") else 200, HTML, "text/html")
            case _:
                return False
        return True


class Api(_Handler):
    """The API: one throttle, one log."""

    throttle: Throttle

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/control/"):
            from tests.remote.synapse.control import control

            self.send(200, control(self.service, self.path.rpartition("/")[2], json.loads(data or b"{}")))
            return
        self._serve(json.loads(data or b"{}"))

    def _serve(self, body: dict) -> None:
        path = urllib.parse.urlsplit(self.path).path
        route = self.answers.route(self.command, path)
        self.service.log.api += 1
        self.service.log.routes.append(route)
        trouble = self.service.faults.next(route)
        with self.throttle.entered() as said:
            time.sleep(self.service.latency)
            if said and self.service.throttle:
                self.answers.refused += 1
                reply = refused(429, said)
            elif trouble[:3].isdigit():
                reply = refused(int(trouble[:3]), f"planned: {trouble}")
            elif self.headers.get("Authorization") != f"Bearer {self.service.token}":
                reply = refused(401, "Invalid access token")
            else:
                reply = self._answered(route, path, body, trouble)
        encoded = json.dumps(reply.body).encode()
        if not self.spoil(trouble, encoded):
            more = {"Retry_After": "1"} if trouble == "429 after" else {}
            self.send(reply.status, encoded, **more)

    def _answered(self, route: str, path: str, body: dict, trouble: str) -> Reply:
        try:
            return self.answers.answer(route, path, body, trouble)
        except KeyError as error:
            return refused(400, f"the request lacks {error}")


class Store(_Handler):
    """The object store, as S3: an address is good for a while, and for nobody with another credential."""

    def do_GET(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        number = parts.path.strip("/")
        asked = dict(urllib.parse.parse_qsl(parts.query))
        trouble = self.service.faults.next("object")
        self.service.log.objects += 1
        data = self.answers.stored(number)
        if self.headers.get("Authorization"):
            self._refuse(400, "InvalidArgument: only one auth mechanism allowed")
        elif asked.get("signature") != self.answers.signature(number, asked.get("expires", "")):
            self._refuse(403, "SignatureDoesNotMatch")
        elif trouble == "expired" or float(asked["expires"]) < time.time():
            self.service.log.expired += 1
            self._refuse(403, "AccessDenied: Request has expired")
        elif data is None:
            self._refuse(404, "NoSuchKey")
        elif trouble.isdigit():
            self._refuse(int(trouble), "InternalError" if trouble == "500" else "SlowDown")
        elif not self.spoil(trouble, data):
            time.sleep(self.service.slow)
            wrong = trouble == "wrong" and data
            self.send(200, bytes([data[0] ^ 1]) + data[1:] if wrong else data, "text/csv")

    def _refuse(self, status: int, code: str) -> None:
        self.send(status, f"<Error><Code>{code}</Code></Error>".encode(), "application/xml")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no error of ours."""


@contextlib.contextmanager
def serving(service: Service) -> Generator[tuple[str, str], None, None]:
    """Open both ports; gives their addresses."""
    answers, over, throttle = Answers(service), threading.Event(), Throttle()
    service.answers = answers
    servers: list[_Server] = []
    for base in (Api, Store):
        members = {"service": service, "answers": answers, "over": over, "throttle": throttle}
        servers.append(_Server(("127.0.0.1", 0), type(base.__name__, (base,), members)))
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        for server in servers
    ]
    for thread in threads:
        thread.start()
    try:
        api, store = (f"http://127.0.0.1:{server.server_port}" for server in servers)
        yield api, store
    finally:
        over.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
