"""Where the system cannot tell what was saved: files are looked at again and again."""

from __future__ import annotations

import errno

import pytest
from watchdog.observers import Observer

from hdash_site.preview import watch
from tests.serve.conftest import Desk


class Full(Observer):
    """A system that watches as many files as it can already."""

    def schedule(self, *_words, **_named):
        raise OSError(errno.ENOSPC, "inotify watch limit reached")


@pytest.fixture
def looking(desk, monkeypatch) -> Desk:
    monkeypatch.setattr(watch, "Observer", Full)
    return desk


def test_every_kind_of_save_is_seen_without_events(looking, capsys):
    with looking.shown():
        said = capsys.readouterr().err
        assert said.count("files are looked at every second, since they cannot be watched") == 1
        looking.edit("content/about.md", "dashboard", "DASHBOARD")
        looking.wait(lambda: "DASHBOARD" in looking.get("/about/"))
        looking.save("content/new/july.md", '+++\ntitle = "July"\n+++\n')
        looking.wait(lambda: looking.request("/new/july/")[0] == 200)
        looking.edit("site.toml", "Test site", "Other site")
        looking.wait(lambda: "Other site" in looking.get("/about/"))
        (looking.site / "content").rename(looking.site / "away")
        looking.wait(lambda: looking.request("/about/")[0] == 404)
        (looking.site / "away").rename(looking.site / "content")
        looking.wait(lambda: looking.request("/about/")[0] == 200)
        looking.edit("content/about.md", "DASHBOARD", "dashboard")
        looking.wait(lambda: "DASHBOARD" not in looking.get("/about/"))
        looking.is_exact()
        before = looking.quiet()
        looking.save("public/about/index.html", "altered by somebody")
        looking.save("notes.txt", "no part of the site")
        looking.wait(lambda: looking.quiet() == before)
