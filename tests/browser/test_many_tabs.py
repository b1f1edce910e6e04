"""Many tabs and many saves: every tab ends at the last state, and the server does not grow.

`SAVES=1000 TABS=50` is two minutes of somebody who saves 17 times a second.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.serve.conftest import PATIENCE, Desk

SAVES, TABS = int(os.environ.get("SAVES", "60")), int(os.environ.get("TABS", "12"))
PAUSE = 0.06
"""Seconds from one save to the next."""

REAL = 3
"""Tabs that are those of a browser; the others are streams."""

GROWTH = 16_000
"""KB that the server may grow by when all is done once more: what was imported first and fragments of memory."""


class Stream(threading.Thread):
    """A stream of news, as a tab has one; `last` is the newest."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        place = address.removeprefix("http://").strip("/")
        host, _, port = place.partition(":")
        self.connection = socket.create_connection((host, int(port)))
        self.connection.sendall(f"GET /_hdash/events HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        self.last: dict = {}
        self.start()

    def run(self) -> None:
        with self.connection.makefile("rb") as file:
            for line in file:
                if line.startswith(b"data: "):
                    self.last = json.loads(line[6:])

    def close(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.join()
        self.connection.close()


class Server:
    """The preview as a process of its own, whose memory is its own."""

    def __init__(self, desk: Desk) -> None:
        words = ("serve", "--quiet", "--root", desk.site, "--source", desk.atlases)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hdash_site", *words],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        lines = iter(self.process.stdout.readline, "")
        desk.address = next(line for line in lines if line.startswith("preview")).split()[1]

    def status(self, name: str) -> int:
        """Give what the system says of the process: `VmRSS` in KB, `Threads`."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))

    def files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


@pytest.fixture
def server(tmp_path):
    desk = Desk(tmp_path)
    server = Server(desk)
    yield server, desk
    if server.process.poll() is None:
        server.process.kill()
        server.process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_many_tabs_and_many_saves(server, visit):
    server, desk = server
    window = visit(desk.address)
    pages = [window.go("about/")] + [window.context.new_page() for _ in range(REAL - 1)]
    for page in pages[1:]:
        page.goto(f"{desk.address}about/")
    threads, files = server.status("Threads"), server.files()
    streams = [Stream(desk.address) for _ in range(TABS - REAL)]
    desk.wait(lambda: all(stream.last for stream in streams))
    sizes = []
    for saves in ("first", "second"):
        for number in range(SAVES):
            began = time.monotonic()
            desk.save("content/about.md", f'+++\ntitle = "About"\n+++\nThe {saves}, {number}.\n')
            time.sleep(max(0.0, began + PAUSE - time.monotonic()))
        last = f"The {saves}, {SAVES - 1}."
        for page in pages:
            page.get_by_text(last).wait_for()
        number = json.loads(desk.get("/_hdash/look?page=/about/"))["number"]
        desk.wait(lambda number=number: all(stream.last["number"] == number for stream in streams))
        assert [stream.last["faults"] for stream in streams] == [[]] * len(streams)
        sizes.append(server.status("VmRSS"))
    assert sizes[1] < sizes[0] + GROWTH
    for stream in streams:
        stream.close()
    # The server finds out when it has something to say: the first time it may yet be taken.
    for words in ("The end.", "Really."):
        desk.save("content/about.md", f'+++\ntitle = "About"\n+++\n{words}\n')
        desk.wait(lambda words=words: words in desk.get("/about/"))
    desk.wait(lambda: server.status("Threads") <= threads + 1)
    desk.wait(lambda: server.files() <= files + 1)
    desk.is_exact()
    assert server.end() == 0
