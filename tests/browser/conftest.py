"""A real browser, and sites served to it from this machine."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and tells nobody."""

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def served(folder: Path) -> Generator[str, None, None]:
    """Serve a folder on a port of its own; gives its address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def chromium():
    if not Path(CHROMIUM).exists():
        said = f"there is no Chromium at {CHROMIUM}: install it to run the browser tests"
        pytest.fail(said) if os.environ.get("CI") else pytest.skip(said)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Visitor:
    """A browser window that notes whatever must not happen."""

    def __init__(self, browser, base: str, **settings) -> None:
        self.base = base
        self.troubles: list[str] = []
        self.context = browser.new_context(**settings)
        self.context.add_init_script(
            "addEventListener('securitypolicyviolation',"
            " event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"
        )
        self.context.on("request", self._requested)
        self.context.on("response", self._answered)
        self.page = self.context.new_page()
        self.page.on("dialog", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self._note(f"script error: {error}"))

    def go(self, path: str):
        """Open a page of the site; its scripts have run."""
        if "#" in path:
            self.page.goto("about:blank")  # a change of fragment alone loads nothing
        self.page.goto(self.base + path)
        return self.page

    def _note(self, what: str) -> None:
        self.troubles.append(f"{self.page.url}: {what}")

    def _requested(self, request) -> None:
        if not request.url.startswith(self.base):
            self._note(f"request to {request.url}")

    def _answered(self, response) -> None:
        if response.status >= 400:
            self._note(f"{response.status} for {response.url}")

    def _asked(self, dialog) -> None:
        self._note(f"dialog {dialog.message}")
        dialog.dismiss()

    def _said(self, message) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console {message.type}: {message.text}")


@pytest.fixture
def visit(chromium):
    """Opens windows: `visit(base)` gives a `Visitor`."""
    visitors = []

    def opened(base: str, **settings) -> Visitor:
        visitors.append(Visitor(chromium, base, **settings))
        return visitors[-1]

    yield opened
    for visitor in visitors:
        visitor.context.close()
