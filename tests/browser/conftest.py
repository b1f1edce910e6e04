"""A real browser, and sites served to it from this machine."""

from __future__ import annotations

import csv
import functools
import http.server
import io
import json
import os
import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hdash_site.sources import sample
from tests import worlds
from tests.serve.conftest import PATIENCE

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

SCALE = float(os.environ.get("SCALE", "0.02"))
"""Of the sample that readers have before them; `SCALE=1` is HTAN's size, and takes some minutes."""


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
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE)
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
        self.context.set_default_timeout(1000 * PATIENCE)
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


def follow(link) -> None:
    """Click on a link that leads to another page, until all of that page is there."""
    with link.page.expect_navigation():
        link.click()


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


class Fetched:
    """The sizes of the files of the index of ids that a window asks for; nothing compresses them here."""

    def __init__(self, window: Visitor) -> None:
        self.sizes: list[int] = []
        window.page.on("response", self._answered)

    def _answered(self, answer) -> None:
        if "/find/" in answer.url and answer.url.endswith(".json"):
            # To wait for the body here would let the test go on without it.
            self.sizes.append(int(answer.headers["content-length"]))

    def is_little(self) -> bool:
        return len(self.sizes) <= 3 and sum(self.sizes) <= 60_000


class Sample(NamedTuple):
    """The sample as a site of its second night; the faults are rows of `truth.json`.

    `mended` was corrected after the first night. In the manifest of `open`, in another atlas, an error came
    to those that were there: `FORMULA`.
    """

    base: str
    public: Path
    mended: dict[str, Any]
    open: dict[str, Any]


FORMULA = '=HYPERLINK("http://example.org/","syn1")'
NIGHTS = "2026-07-01T03:00:00+00:00", "2026-07-02T03:00:00+00:00"


@pytest.fixture(scope="session")
def two_nights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readers")
    atlases, site = folder / "atlases", worlds.site_folder(folder / "site")
    sample.write(atlases, scale=SCALE)
    worlds.build(site, atlases, today=NIGHTS[0])
    mended, still = edit(atlases)
    worlds.build(site, atlases, today=NIGHTS[1])
    with served(site / "public") as base:
        yield Sample(base, site / "public", mended, still)


def edit(atlases: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Do what is done between the two nights; give the faults `mended` and `open`."""
    faults = json.loads((atlases / "truth.json").read_text())["findings"]
    known = [fault for fault in faults if fault["code"] == "H_ENTITY_ID" and fault["value"]]
    mended = known[0]
    still = next(fault for fault in known if fault["atlas"] != mended["atlas"])
    _set(atlases, mended, mended["row"], _undescribed(atlases, mended["atlas"]))
    rows = {fault["row"] for fault in faults if fault["manifest"] == still["manifest"]}
    _set(atlases, still, next(row for row in range(2, 99) if row not in rows), FORMULA)
    return mended, still


def _undescribed(atlases: Path, atlas: str) -> str:
    """Give the Synapse ID of a file of the atlas that no manifest names."""
    projects = csv.DictReader((atlases / "projects.csv").read_text("utf-8-sig").splitlines())
    project = next(row["id"] for row in projects if row["atlas_id"] == atlas)
    with (atlases / "files.csv").open(encoding="utf-8", newline="") as file:
        files = [row for row in csv.DictReader(file) if row["projectId"] == project]
    return next(row["id"] for row in files if row["name"] == "README.md")


def _set(atlases: Path, fault: dict[str, Any], row: int, value: str) -> None:
    """Write into a row, as a spreadsheet numbers it, of the column of a fault."""
    path = atlases / "manifests" / f"{fault['manifest']}.csv"
    text = io.StringIO(path.read_bytes().decode("latin-1"), newline="")
    rows = list(csv.reader(text))
    rows[row - 1][rows[0].index(fault["column"])] = value
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_bytes(text.getvalue().encode("latin-1"))
