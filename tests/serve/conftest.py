"""A preview at work over a small site, and a person who saves files."""

from __future__ import annotations

import contextlib
import functools
import http.client
import multiprocessing
import signal
import threading
import time
import urllib.parse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from hdash_site.options import Options
from hdash_site.preview.serve import Serving, previewing
from tests import worlds

PATIENCE = 60.0
"""Seconds until what must happen has to have happened, on a machine that is busy."""


@functools.cache
def _elsewhere() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def let_ctrl_c_end_it() -> None:
    """Run in a new process: whoever runs the tests may have Ctrl-C ignored, which is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Desk:
    """A site that is shown. `built` are what came of each build so far."""

    def __init__(self, folder: Path, site: Path | None = None) -> None:
        self.site = site or worlds.site_folder(folder / "site")
        self.atlases = worlds.small(folder / "atlases", "HTA1").folder
        self.built = []
        self.address = ""

    @contextlib.contextmanager
    def shown(self, port: int | None = 0, **how):
        """Show it from another thread."""
        over = threading.Event()
        options = Options(self.site, self.atlases)
        with previewing(options, Serving(port=port, **how), self.built.append) as preview:
            self.address = preview.address

            def work():
                while not over.is_set():
                    preview.step(0.05)

            thread = threading.Thread(target=work)
            thread.start()
            try:
                yield self
            finally:
                over.set()
                thread.join()

    def save(self, name: str, text: str | bytes) -> None:
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.site / name).read_text()
        assert old in text
        self.save(name, text.replace(old, new))

    def request(self, target: str, method: str = "GET", **headers: str):
        """Ask as no browser would; gives status, headers and body."""
        place = urllib.parse.urlsplit(self.address)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in ({"Host": place.netloc} | headers).items():
                if value:
                    connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def get(self, target: str) -> str:
        return self.request(target)[2].decode()

    def wait(self, true) -> None:
        """Wait until something is true."""
        until = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < until, "it did not happen"
            time.sleep(0.02)

    def quiet(self) -> int:
        """Wait until nothing is built any more; gives how many builds there were."""
        count = -1
        while count != len(self.built):
            count = len(self.built)
            time.sleep(1.0)
        return count

    def tree(self) -> dict[str, bytes]:
        """What is on disk; nothing if something of it went meanwhile."""
        try:
            return worlds.tree(self.site / "public")
        except FileNotFoundError:
            return {}

    def clean_tree(self, *, drafts: bool = True) -> dict[str, bytes]:
        """What a clean build of the same site gives, which shows drafts as the preview does."""
        # In another process: one process has one state at a time, and ours is building.
        return _elsewhere().submit(worlds.clean_tree, self.site, self.atlases, drafts=drafts).result()

    def is_exact(self) -> None:
        """Wait until the files on disk are those of a clean build; show how they differ if they never are."""
        clean = self.clean_tree()
        until = time.monotonic() + PATIENCE
        while self.tree() != clean and time.monotonic() < until:
            time.sleep(0.05)
        assert self.tree() == clean


@pytest.fixture
def desk(tmp_path):
    """A site that is not shown yet."""
    return Desk(tmp_path)


@pytest.fixture
def shown(desk):
    """A site that is shown."""
    with desk.shown():
        yield desk


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """A site that is shown, and that nobody edits."""
    desk = Desk(tmp_path_factory.mktemp("still"))
    with desk.shown():
        yield desk
