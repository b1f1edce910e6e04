"""The server of the preview: the files of the site to browsers on this machine, and to nobody else.

A page of another site that is open in the same browser can send requests here, and can have its own name
lead here: so the names that requests are sent to and come from are checked, and not their address alone.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import socket
import stat
import sys
import urllib.parse
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from hdash_site import serving
from hdash_site.errors import ConfigError, unexpected
from hdash_site.preview import page
from hdash_site.preview.connections import MOST_STREAMS, Connections
from hdash_site.preview.news import Board, as_json

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PORT = 1313
TRIES = 20
"""How many ports are tried, one after the other, where none is asked for."""

HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it lives, and finds out whether its reader does."""

IDLE = 60.0
"""Seconds that a connection may say nothing."""

ANSWER = 30.0
"""Seconds in which a client must take an answer."""

LONGEST = 8192
"""Characters of an address that are looked at."""

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)

_HTML = "text/html; charset=utf-8"
_MISSING = (
    b"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Not there</title><h1>There is no such page</h1>"
)
_LINES = 20
"""Lines that are printed of requests, at most."""

_SCRIPTS = ("live.js", "stream.js")


class Found(NamedTuple):
    """What is served for an address. `to`: the address that the reader is led to instead."""

    status: int
    content_type: str
    data: bytes
    to: str = ""

    def is_page(self) -> bool:
        return self.content_type == _HTML


class Refused(Exception):
    """A request that gets no answer but why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Server(ThreadingHTTPServer):
    """Serves the folder `output`; `hosts` are the names it answers to, beside those of this machine."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        bind: str,
        port: int,
        output: Path,
        hosts: Collection[str],
        board: Board,
        tell: Callable[[str], None],
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        super().__init__((bind, port), _Handler)
        self.output = output
        self.board = board
        self.connections = Connections()
        self._hosts = {host.lower() for host in hosts}
        self._tell = tell
        self._told = set[str]()

    def answers_to(self, host: str) -> bool:
        """Tell whether `host`, as a request names it, is one of ours: `localhost:1313`."""
        found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?", host.lower())
        if found is None:
            return False
        name = found[1].strip("[]")
        return name in self._hosts or (name in LOOPBACK and int(found[2] or 80) == self.server_port)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.connections.admit(request):
            super().process_request(request, client_address)
            return
        self.tell_once("the preview has as many connections as it can serve: new ones are refused for now")
        with contextlib.suppress(OSError):
            request.setblocking(False)
            request.send(_FULL)
        self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        self.connections.leave(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Say nothing of browsers that hang up; of a defect, one line."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.tell_once(unexpected(error))

    def tell_once(self, line: str) -> None:
        """Print a line, unless the same line was printed before."""
        if line not in self._told and len(self._told) < _LINES:
            self._told.add(line)
            self._tell(line)

    def find(self, target: str) -> Found:
        """Give what the site has at a path of an address; raises `Refused`."""
        parts = _parts(target)
        path = self.output.joinpath(*parts)
        if not target.endswith("/") and os.path.isdir(path):  # noqa: PTH112 - a name may be too long for a file
            if not self._inside(path):
                return self._missing()
            return Found(HTTPStatus.FOUND, _HTML, b"", f"{target}/")
        name = path / "index.html" if target.endswith("/") else path
        data = self._read(name)
        if data is None:
            return self._missing()
        return Found(HTTPStatus.OK, serving.serving(name.name, ()).content_type, data)

    def _missing(self) -> Found:
        return Found(HTTPStatus.NOT_FOUND, _HTML, self._read(self.output / "404.html") or _MISSING)

    def _inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.output.resolve())

    def _read(self, path: Path) -> bytes | None:
        try:
            full = path.resolve(strict=True)
            if not full.is_relative_to(self.output.resolve()):
                return None
            with open(full, "rb", opener=_at_once) as file:
                return file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
        except (OSError, RuntimeError):  # the latter: symbolic links in a circle
            return None


def _at_once(path: str, flags: int) -> int:
    """Open a file; a pipe would wait for its writer."""
    return os.open(path, flags | os.O_NONBLOCK)


def _parts(target: str) -> list[str]:
    """Give the names in the path of an address; raises `Refused` for what cannot be one of ours."""
    if len(target) > LONGEST:
        raise Refused(HTTPStatus.NOT_FOUND, "no page has such a long address")
    if re.search(r"%(2f|5c|00)|[\\\0]", target, re.IGNORECASE):
        raise Refused(HTTPStatus.BAD_REQUEST, "this is no address of a page")
    try:
        parts = urllib.parse.unquote(target, errors="strict").removeprefix("/").removesuffix("/").split("/")
    except UnicodeDecodeError:
        raise Refused(HTTPStatus.BAD_REQUEST, "this is no address of a page") from None
    if parts == [""]:
        return []
    if not target.startswith("/") or any(part == "" or part.startswith(".") for part in parts):
        raise Refused(HTTPStatus.BAD_REQUEST, "this is no address of a page")
    return parts


def listen(
    bind: str,
    port: int | None,
    output: Path,
    hosts: Collection[str],
    board: Board,
    tell: Callable[[str], None],
) -> Server:
    """Give a server on a port, or on the first one that is free from 1313 on. Raises `ConfigError`.

    `tell` is told a line of what goes wrong with requests.
    """
    if bind not in LOOPBACK and not hosts:
        way_out = "name the hosts that browsers will ask for, with --allow-hosts"
        raise ConfigError("others could reach the preview", f"--bind {bind}", way_out)
    for number in [port] if port is not None else range(PORT, PORT + TRIES):
        try:
            return Server(bind, number, output, hosts, board, tell)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port is not None:
                way_out = "name another one"
                problem = f"cannot be listened at ({(error.strerror or str(error)).lower()})"
                raise ConfigError(problem, f"{bind}, port {number}", way_out) from None
    raise ConfigError(f"{TRIES} ports from {PORT} on are taken", "--port", "name one that is free")


class _Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    server_version = "hdash-site"
    sys_version = ""
    timeout = IDLE

    def setup(self) -> None:
        super().setup()
        self._ours = self.server.connections

    def parse_request(self) -> bool:
        is_whole = super().parse_request()
        self._ours.begin(self.connection)
        self.connection.settimeout(ANSWER)
        return is_whole

    def handle_one_request(self) -> None:
        super().handle_one_request()
        self._ours.end(self.connection)
        if not self.close_connection:
            self.connection.settimeout(IDLE)

    def do_GET(self) -> None:
        try:
            self._check()
            target, _, query = self.path.partition("?")
            if target.startswith(page.OURS):
                self._own(target.removeprefix(page.OURS), dict(urllib.parse.parse_qsl(query)))
            else:
                self._page(target)
        except Refused as refused:
            self._refuse(refused)
        except OSError:
            raise  # the browser hung up
        except Exception as error:
            self.server.tell_once(unexpected(error))
            self._refuse(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "the preview cannot answer this request"))

    do_HEAD = do_GET  # noqa: N815

    def _refuse(self, refused: Refused) -> None:
        self.close_connection = True
        self._answer(refused.status, "text/plain; charset=utf-8", f"{refused.why}\n".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Tell nobody."""

    def _check(self) -> None:
        """Raise `Refused` for what no tab of ours would send."""
        headers = self.headers
        if headers.get_all("Content-Length") or headers.get_all("Transfer-Encoding"):
            self.close_connection = True  # a body is not read: what follows is no request
        hosts = headers.get_all("Host") or []
        if len(hosts) != 1 or not self.server.answers_to(hosts[0]):
            raise Refused(HTTPStatus.FORBIDDEN, "the preview does not answer to this host")
        for origin in headers.get_all("Origin") or []:
            scheme, _, host = origin.partition("://")
            if scheme not in ("http", "https") or not self.server.answers_to(host):
                raise Refused(HTTPStatus.FORBIDDEN, "the preview does not answer to other sites")
        # Pictures and scripts are asked for without an origin; a link that leads here is welcome.
        site, mode = headers.get("Sec-Fetch-Site", ""), headers.get("Sec-Fetch-Mode", "")
        if site in ("cross-site", "same-site") and mode != "navigate":
            raise Refused(HTTPStatus.FORBIDDEN, "the preview does not answer to other sites")

    def _page(self, target: str) -> None:
        # Before the file is read: a page that a build replaces meanwhile shall pass for older than it is.
        number = self.server.board.last().number
        found = self.server.find(target)
        data = found.data
        if found.is_page() and not found.to:
            data = page.live(data, page.marks(found.status, data), self.server.board.boot, number)
        self._answer(found.status, found.content_type, data, {"Location": found.to} if found.to else {})

    def _own(self, name: str, asked: Mapping[str, str]) -> None:
        if name == "events" and self.command == "GET":
            self._stream()
        elif name == "look":
            self._answer(HTTPStatus.OK, "application/json", json.dumps(self._look(asked)).encode())
        elif name in _SCRIPTS:
            data = Path(__file__).with_name(name).read_bytes()
            self._answer(HTTPStatus.OK, "text/javascript; charset=utf-8", data)
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "the preview has no such thing")

    def _look(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Say how a tab differs from what the site is now."""
        board = self.server.board
        news = board.last()
        same_boot = asked.get("boot") == board.boot and asked.get("number", "").isdecimal()
        before = int(asked["number"]) if same_boot else news.number
        found = self.server.find(asked.get("page", ""))
        if found.status == HTTPStatus.OK:
            path = "/".join(_parts(asked["page"]))
            board.look(f"{path}/index.html".removeprefix("/") if asked["page"].endswith("/") else path)
        whole, frame = page.marks(found.status, found.data)
        how = (
            "same" if whole == asked.get("whole") else "styles" if frame == asked.get("frame") else "changed"
        )
        return as_json(board, news, before) | {
            "page": how,
            "whole": whole,
            "styles": page.styles(found.data) if how == "styles" else [],
            "files": [f"/{path}" for path in board.changed_since(before) if not path.endswith(".html")],
        }

    def _stream(self) -> None:
        """Send the news as they come, until the tab or the preview is closed."""
        self.close_connection = True
        if not self._ours.stream(self.connection):
            line = f"{MOST_STREAMS} tabs are open: the preview keeps no more of them up to date"
            self.server.tell_once(line)
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, line)
        self.connection.settimeout(IDLE)
        self.send_response(HTTPStatus.OK)
        self._headers({"Content-Type": "text/event-stream"})
        board = self.server.board
        known = -1
        with contextlib.suppress(OSError):
            self.wfile.write(b"retry: 300\n\n")
            while not board.closed():
                news = board.after(known, HEARTBEAT)
                if news is None:
                    self.wfile.write(b":\n\n")
                else:
                    self.wfile.write(f"data: {json.dumps(as_json(board, news, known))}\n\n".encode())
                    known = news.number

    def _answer(
        self, status: int, content_type: str, data: bytes, more: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        length = {"Content-Type": content_type, "Content-Length": str(len(data))}
        self._headers(length | dict(more or {}))
        if self.command != "HEAD":
            self.wfile.write(data)

    def _headers(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Frame-Options", "SAMEORIGIN")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
