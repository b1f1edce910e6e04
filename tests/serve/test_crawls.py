"""Which atlases the preview shows: those of the last crawl, unless it is told to ask."""

from __future__ import annotations

import pytest

from hdash_site.options import Options
from hdash_site.preview.serve import Serving, previewing
from tests import worlds

ASK, TAKE = True, False


@pytest.fixture
def site(tmp_path):
    """A site that was built from one atlas, and has a second one since."""
    site = worlds.site_folder(tmp_path / "site")
    (site / "site.toml").write_text('[source]\nkind = "folder"\npath = "../atlases"\n')
    worlds.small(tmp_path / "atlases", "HTA1")
    worlds.app.build(Options(site))
    worlds.small(tmp_path / "atlases", "HTA1", "HTA2")
    return site


def has_second(site):
    return (site / "public/hta2/index.html").exists()


@pytest.mark.parametrize("crawl", [ASK, TAKE])
def test_the_source_is_asked_when_the_preview_begins_and_not_at_every_save(site, tmp_path, crawl):
    built = []
    with previewing(Options(site), Serving(port=0, crawl=crawl), built.append) as preview:
        assert has_second(site) == crawl
        worlds.small(tmp_path / "atlases", "HTA3")
        (site / "content/about.md").write_text('+++\ntitle = "About"\n+++\nWords.\n')
        preview.step(20)
        assert len(built) == 2
        assert has_second(site) == crawl
        assert not (site / "public/hta3").exists()


def test_a_folder_that_is_named_is_asked_when_the_preview_begins(site, tmp_path):
    with previewing(Options(site, tmp_path / "atlases"), Serving(port=0), lambda _: None):
        assert has_second(site)


def test_synapse_is_asked_only_if_that_is_wanted(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", "tok-1234567")
    built = []
    with previewing(Options(worlds.site_folder(tmp_path / "site")), Serving(port=0), built.append):
        assert built[0].problems == ["nothing was crawled yet; give --crawl, which asks Synapse first"]
