"""Blobs that are lost while the site is whole: a build makes them again, and all commands work afterwards."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing

import pytest

from hdash_site import app
from hdash_site.errors import HdashError
from hdash_site.pages.site import remembered
from hdash_site.review import review
from tests import worlds


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    site, atlases = worlds.site_folder(folder / "site"), worlds.small(folder / "atlases")
    # Large enough for a file of its own in the cache.
    (site / "content/long.md").write_text('+++\ntitle = "Long"\n+++\n' + "Many words. " * 9000)
    worlds.build(site, atlases.folder)
    return folder


@pytest.fixture
def place(built, tmp_path):
    """A built site, its atlases, and the tree that it must have."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    site, atlases = tmp_path / "site", tmp_path / "atlases"
    worlds.build(site, atlases)  # it has another place now
    return site, atlases, worlds.tree(site / "public")


def the_folder(blobs):
    shutil.rmtree(blobs)


def the_database(blobs):
    for path in blobs.glob("cache.db*"):
        path.unlink()


def the_files(blobs):
    files = [*blobs.rglob("*.val")]
    assert files
    for path in files:
        path.unlink()


def the_ends_of_the_files(blobs):
    for path in blobs.rglob("*.val"):
        path.write_bytes(path.read_bytes()[:-1])


def rows(share):
    def lose(blobs):
        with closing(sqlite3.connect(blobs / "cache.db", isolation_level=None)) as database:
            keys = sorted(key for (key,) in database.execute("SELECT key FROM Cache"))
            for key in random.Random(share).sample(keys, max(1, int(share * len(keys)))):
                database.execute("DELETE FROM Cache WHERE key = ?", (key,))

    return lose


def whole(site):
    """What all commands that need the bytes of the site find."""
    with app.open_state(app.Options(site)) as store:
        assert {digest for digest in store.named() if store.load(digest) is None} == set()
        assert remembered(store)
    app.pull(app.Options(site), site / "pulled")
    return lost_pages(site)


def lost_pages(site):
    return [problem for problem in review(app.Options(site)).problems if "lost" in problem.problem]


LOSSES = {
    "the folder": the_folder,
    "the database": the_database,
    "the files": the_files,
    "the ends of the files": the_ends_of_the_files,
    "one row": rows(0),
    "some rows": rows(0.2),
    "most rows": rows(0.9),
}


@pytest.mark.parametrize("public", ["whole", "altered", "gone"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_build_makes_lost_blobs_again_and_the_next_one_does_nothing(place, loss, public):
    site, atlases, tree = place
    LOSSES[loss](site / "cache/blobs")
    if public == "gone":
        shutil.rmtree(site / "public")
    elif public == "altered":
        for path in (site / "public").rglob("*.html"):
            path.write_text("altered")
    result = worlds.build(site, atlases)
    assert result.exit_code == 0
    [said] = result.problems
    assert said.startswith(f"{site}/cache/blobs: the bytes of ")
    assert said.endswith(" values were lost; this run makes or downloads them again")
    assert worlds.tree(site / "public") == tree
    assert whole(site) == []
    again = worlds.build(site, atlases)
    assert (again.ran, again.deployed.written, again.problems) == ([], [], [])


def test_pages_in_the_folder_of_the_site_are_not_made_again(place):
    site, atlases, _ = place
    the_folder(site / "cache/blobs")
    ran = {event.key.kind for event in worlds.build(site, atlases).ran}
    assert "report" in ran
    assert "page" not in ran


def test_a_page_that_fails_today_keeps_the_bytes_that_the_folder_of_the_site_has(place):
    site, atlases, tree = place
    (site / "content/about.md").write_text("no front matter")
    assert worlds.build(site, atlases).exit_code == 1
    the_folder(site / "cache/blobs")
    assert worlds.build(site, atlases).exit_code == 1
    assert worlds.tree(site / "public").keys() == tree.keys()
    assert whole(site) == []


def test_a_loss_that_a_part_of_a_build_leaves_is_mended_by_the_next_whole_one(place):
    site, atlases, tree = place
    the_folder(site / "cache/blobs")
    shutil.rmtree(site / "public")
    with pytest.raises(
        HdashError, match=r"its bytes are lost and cannot be made now: .* build once without --offline"
    ):
        worlds.build(site, atlases, offline=True)
    worlds.build(site, atlases)
    assert worlds.tree(site / "public") == tree
    assert whole(site) == []


def test_crawled_bytes_that_are_lost_are_named_as_long_as_nothing_downloads_them(place):
    site, atlases, _ = place
    with app.open_state(app.Options(site)) as store:
        listing = store.snapshots()["HTA1"].listing
        store.blobs._delete({listing})
    for _ in range(2):
        [_, said] = worlds.build(site, atlases, offline=True).problems
        assert said.startswith(
            "1 crawled files are lost and could not be read again now; a build without --o"
        )
    worlds.build(site, atlases)
    assert whole(site) == []
    assert worlds.build(site, atlases, offline=True).problems == []


def test_bytes_that_a_command_found_altered_are_made_again_by_the_next_build(place):
    site, atlases, _ = place
    with closing(sqlite3.connect(site / "cache/blobs/cache.db", isolation_level=None)) as database:
        changed = "UPDATE Cache SET value = CAST('altered' AS BLOB) WHERE value IS NOT NULL"
        database.execute(changed)
    worlds.build(site, atlases)
    assert lost_pages(site)
    worlds.build(site, atlases)
    assert lost_pages(site) == []


def test_a_build_that_lost_nothing_does_not_compare_all_digests(place, monkeypatch):
    site, atlases, _ = place
    monkeypatch.setattr("hdash_site.state.store.Store._missing", lambda _: pytest.fail("compared"))
    assert worlds.build(site, atlases).ran == []
