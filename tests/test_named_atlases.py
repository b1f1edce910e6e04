"""Builds that name atlases: only those are read again, and the pages of all other atlases stay exact."""

from __future__ import annotations

import itertools
import shutil

import pytest

from hdash_site.errors import ConfigError
from hdash_site.options import Options
from hdash_site.state.store import opened
from tests import worlds

ATLASES = ("HTA1", "HTA2", "HTA3")
NAMED = ((), ("HTA3",), ("HTA1", "HTA2"))


@pytest.fixture
def collection(tmp_path):
    return worlds.small(tmp_path / "atlases", *ATLASES)


@pytest.fixture
def site(tmp_path, collection):
    site = worlds.site_folder(tmp_path / "site")
    worlds.build(site, collection.folder)
    return site


def build(site, collection, *atlases, **more):
    return worlds.app.build(Options(site, collection.folder, atlases=atlases, **more))


def add_a_file(collection, atlas):
    project = next(row["id"] for row in collection.projects if row["atlas_id"] == atlas)
    collection.entity(project, project, "added.fastq.gz")
    collection.save()


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize("named", NAMED)
def test_no_page_of_another_atlas_is_removed_or_changed(site, collection, named, offline):
    before = worlds.tree(site / "public")
    result = build(site, collection, *named, offline=offline, forced=True)
    assert (result.problems, result.deployed.removed) == ([], [])
    assert worlds.tree(site / "public") == before


def test_an_offline_build_of_one_atlas_brings_a_new_layout_to_all(site, collection):
    base = site / "layouts/base.mako"
    base.write_text(base.read_text().replace("</body>", "<!-- new --></body>"))
    build(site, collection, "HTA3", offline=True)
    assert worlds.tree(site / "public") == worlds.clean_tree(site, collection.folder)
    pages = [(site / f"public/{atlas.lower()}/index.html").read_text() for atlas in ATLASES]
    assert all("<!-- new -->" in page for page in pages)


WAYS = [(("HTA3",), True), (("HTA3",), False), ((), True)]


@pytest.mark.parametrize("ways", list(itertools.permutations(WAYS)))
def test_after_builds_of_one_atlas_in_any_order_nothing_is_lost(site, collection, ways):
    shutil.copytree(site / "cache", site.parent / "cache")
    add_a_file(collection, "HTA3")
    plain = {"cache": site.parent / "cache", "output": site.parent / "public"}
    build(site, collection, **plain)
    for named, offline in ways:
        build(site, collection, *named, offline=offline)
    assert worlds.tree(site / "public") == worlds.tree(plain["output"])
    with opened(site / "cache") as store:
        assert [*store.snapshots()] == [*ATLASES]
        assert [digest for digest in store.named() if store.load(digest) is None] == []


def test_an_unknown_atlas_is_refused_offline_too(site, collection):
    before = worlds.tree(site / "public")
    with pytest.raises(ConfigError, match='there is no atlas "HTA9"'):
        build(site, collection, "HTA9", offline=True)
    assert worlds.tree(site / "public") == before


def test_one_atlas_is_pulled_alone(site, tmp_path):
    options = Options(site, atlases=("HTA2",))
    assert [atlas for atlas, _ in worlds.app.pull(options, tmp_path / "pulled")] == ["HTA2"]
