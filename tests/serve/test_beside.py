"""What runs beside a preview: another preview, a build, `clean`, and a person who deletes the cache."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from hdash_site.options import Options
from hdash_site.preview.serve import Serving, previewing
from tests import worlds
from tests.serve.conftest import PATIENCE, Desk, let_ctrl_c_end_it

DELETED = "the state was deleted by another program: crawling and building everything again"


class Preview:
    """A preview as a process of its own, with a tab that hears its news."""

    def __init__(self, desk: Desk, number: int, *words: str) -> None:
        self.errors = desk.site.parent / f"errors-{number}"
        self.news = []
        command = [sys.executable, "-m", "hdash_site", "serve", "--root", desk.site, *words]
        with self.errors.open("w") as file:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=file, text=True, preexec_fn=let_ctrl_c_end_it
            )
        line = next(line for line in iter(self.process.stdout.readline, "") if line.startswith("preview"))
        self.address = line.split()[1]
        self._drain = threading.Thread(target=self.process.stdout.read)
        self._listen = threading.Thread(target=self._hear)
        self._drain.start()
        self._listen.start()

    def _hear(self) -> None:
        host, _, port = self.address.removeprefix("http://").strip("/").partition(":")
        # A preview that ends hangs up, also before it was asked.
        with (
            contextlib.suppress(OSError),
            socket.create_connection((host, int(port))) as connection,
            connection.makefile("rb") as file,
        ):
            connection.sendall(f"GET /_hdash/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            for line in file:
                if line.startswith(b"data: "):
                    self.news.append(json.loads(line[6:]))

    def heard_of(self, path: str) -> bool:
        return any(path in (news["changed"] or ()) for news in self.news[1:])

    def said(self) -> str:
        return self.errors.read_text()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        self._listen.join()
        self._drain.join()
        self.process.stdout.close()


@pytest.fixture
def preview(desk):
    """Begin previews of one site."""
    begun = []

    def begin(*words):
        begun.append(Preview(desk, len(begun), *words))
        desk.wait(lambda: begun[-1].news)
        return begun[-1]

    yield begin
    for one in begun:
        one.stop()


def test_the_tabs_of_two_previews_both_follow_each_save_and_neither_complains(desk, preview):
    both = [preview("--source", desk.atlases), preview()]
    for number in range(4):
        for one in both:
            one.news[1:] = []
        desk.save("content/july.md", f'+++\ntitle = "July"\n+++\nWords {number}.\n')
        for one in both:
            desk.wait(lambda one=one: one.heard_of("/july/index.html"))
            desk.address = one.address
            desk.wait(lambda number=number: f"Words {number}." in desk.get("/july/"))
    desk.is_exact()
    assert [one.said() for one in both] == ["", ""]


def test_a_tab_is_led_to_the_article_in_both_previews(desk, preview):
    both = [preview("--source", desk.atlases, "--navigate"), preview("--navigate")]
    time.sleep(1)
    desk.edit("content/about.md", "dashboard", "DASHBOARD")
    for one in both:
        desk.wait(lambda one=one: any(news["navigate"] == "/about/" for news in one.news))


def test_what_a_build_beside_it_wrote_reaches_the_tabs_with_the_next_save(desk, preview):
    one = preview("--source", desk.atlases)
    collection = worlds.small(desk.atlases, "HTA1", "HTA2")
    worlds.build(desk.site, collection.folder)
    desk.edit("content/about.md", "dashboard", "DASHBOARD")
    desk.wait(lambda: one.heard_of("/hta2/index.html"))
    assert one.heard_of("/about/index.html")


def hdash(desk, *words):
    command = [sys.executable, "-m", "hdash_site", *words, "--root", desk.site]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_clean_beside_a_preview_is_one_line_and_deletes_nothing(desk, preview):
    one = preview("--source", desk.atlases)
    before = desk.tree()
    done = hdash(desk, "clean", "--yes")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"hdash-site: {desk.site}/cache: a preview is running (process {one.process.pid}, {one.address});"
        " stop the preview (Ctrl-C), and try again\n"
    )
    assert desk.tree() == before
    desk.edit("content/about.md", "dashboard", "DASHBOARD")
    desk.wait(lambda: one.heard_of("/about/index.html"))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_when_the_preview_ended_however_it_ended_clean_cleans(desk, end):
    one = Preview(desk, 0, "--source", desk.atlases)
    one.process.send_signal(end)
    one.process.wait(PATIENCE)
    one.stop()
    done = hdash(desk, "clean", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert desk.tree() == {}
    assert list((desk.site / "cache").iterdir()) == []


def about_after_the_cache_was_deleted(desk, *, new_history):
    """Delete the cache beside a preview, and save; gives the page, and what both builds complained of."""
    built = []
    options = Options(desk.site, desk.atlases, new_history=new_history)
    with previewing(options, Serving(port=0), built.append) as preview:
        shutil.rmtree(desk.site / "cache")
        desk.edit("content/about.md", "dashboard", "DASHBOARD")
        preview.step(PATIENCE)
        page = (desk.site / "public/about/index.html").read_text()
    return page, [one.problems for one in built]


def test_after_the_cache_was_deleted_the_next_save_makes_all_of_it_again(desk, capsys):
    page, problems = about_after_the_cache_was_deleted(desk, new_history=True)
    assert "DASHBOARD" in page
    assert problems == [[], []]
    assert capsys.readouterr().err == f"hdash-site: {DELETED}\n"


def test_a_history_that_was_deleted_with_the_cache_is_not_replaced_unasked(desk, capsys):
    page, [_, problems] = about_after_the_cache_was_deleted(desk, new_history=False)
    assert "DASHBOARD" not in page
    assert ["add --new-history" in problem for problem in problems] == [True]
    assert capsys.readouterr().err == f"hdash-site: {DELETED}\n"
