"""Files that a build reads: those below their folder, wherever links and names would lead."""

from __future__ import annotations

import os
import time

import pytest

from hdash_site import config
from hdash_site.engine.model import Key, Moved
from hdash_site.files import Looks
from hdash_site.pages.folders import no_links
from hdash_site.pages.history import History
from hdash_site.pages.inputs import inputs


@pytest.fixture
def content(tmp_path):
    (tmp_path / "site.toml").write_text("")
    (tmp_path / "content/notes").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key.md").write_text("secret")
    (tmp_path / "content/notes/a.md").write_text("a")
    return tmp_path / "content"


class NoBuild:
    """A state that knows of no build."""

    def parts(self, key):
        return None

    def load(self, digest):
        return None


def read(content, name):
    answer = inputs(
        config.read(content.parent, {}),
        {},
        lambda _: b"",
        "",
        History([]),
        Looks(dict),
        NoBuild(),
        no_links(),
    )
    given = answer(Key("content", name))
    return given.load() if given else None


def test_a_file_is_read(content):
    assert read(content, "notes/a.md") == b"a"


@pytest.mark.parametrize(
    "name", ["notes/b.md", "notes", "notes/a.md/b", "", "../secret/key.md", "notes/../../secret/key.md", ".."]
)
def test_what_is_no_file_of_the_folder_is_not_there(content, name):
    assert read(content, name) is None


def test_a_link_is_followed_within_the_folder_and_not_out_of_it(content):
    (content / "within.md").symlink_to("notes/a.md")
    (content / "out.md").symlink_to("../secret/key.md")
    (content / "gone.md").symlink_to("nowhere")
    (content / "folder").symlink_to("../secret")
    assert read(content, "within.md") == b"a"
    assert [read(content, name) for name in ("out.md", "gone.md", "folder/key.md")] == [None, None, None]


def test_a_site_that_is_reached_through_a_link_is_read(content):
    (content.parent.parent / "link").symlink_to(content.parent)
    assert read(content.parent.parent / "link/content", "notes/a.md") == b"a"


def test_a_file_that_changes_between_the_look_at_it_and_the_reading_is_not_taken_for_what_it_was(content):
    os.utime(content / "notes/a.md", (1, 1))
    looks = Looks(dict)
    answer = inputs(
        config.read(content.parent, {}), {}, lambda _: b"", "", History([]), looks, NoBuild(), no_links()
    )
    key = Key("content", "notes/a.md")
    time.sleep(0.03)
    first = answer(key)
    again = answer(key)
    (content / "notes/a.md").write_text("b")
    assert first
    assert first.load() == b"a"
    assert again
    with pytest.raises(Moved):
        again.load()
