"""What is not on the site yet, or not any more: in the preview, marked; in a build nowhere."""

from __future__ import annotations

import re

import pytest

from hdash_site.app import Deploying, Options, deploy
from hdash_site.errors import StateError
from tests import worlds

TODAY = "2026-07-10"
HIDDEN = {
    "draft = true": "Draft",
    "publish_date = 2026-07-11": "Not on the site before 2026-07-11",
    "expiry_date = 2026-07-09": "Not on the site after 2026-07-09",
}


def marks(page):
    return re.findall(r'<strong class="draft">(.*?)</strong>', page)


@pytest.mark.parametrize("matter", HIDDEN)
def test_the_preview_shows_and_marks_it_and_a_build_has_none_of_it(site, matter):
    site.article("news/old.md", matter='date = 2026-01-01\ntags = ["sea"]')
    site.built(today=TODAY)
    before = worlds.tree(site.folder / "public")
    site.article("news/hidden.md", "Secret words.", f'{matter}\ntags = ["sea"]\naliases = ["gone/"]')
    site.built(today=TODAY, drafts=True)
    assert "Secret words." in site.page("news/hidden")
    for page in ("news/hidden", "news", "tags/sea", "news/old"):
        assert marks(site.page(page)) == [HIDDEN[matter]], page
    assert "hidden" not in (site.folder / "public/news/index.xml").read_text()
    site.built(today=TODAY)
    assert worlds.tree(site.folder / "public") == before


def test_what_is_on_the_site_is_not_marked(site):
    site.article("news/old.md", matter="draft = false\npublish_date = 2026-07-10\nexpiry_date = 2026-07-10")
    site.built(today=TODAY, drafts=True)
    assert marks(site.page("news/old") + site.page("news")) == []


def test_without_drafts_preview_and_build_are_the_same_and_run_nothing(site):
    site.built()
    assert site.built(drafts=True) == set()
    assert site.built() == set()


def test_a_draft_is_one_word_more_on_the_pages_that_name_it_and_no_others(site):
    site.article("news/old.md")
    site.built(drafts=True)
    site.article("news/new.md", matter="draft = true")
    site.built(drafts=True)
    site.article("news/new.md")
    assert {name for name in site.built(drafts=True) if name.startswith("page:")} == {
        "page:article/news/new.md",
        "page:article/news/old.md",
        "page:feed/news/_index.md",
        "page:section/news/_index.md",
    }


def test_a_site_with_drafts_is_not_deployed(site, monkeypatch):
    monkeypatch.setenv("S3_BUCKET_NAME", "bucket")
    site.article("news/new.md", matter="draft = true")
    site.built(drafts=True)
    with pytest.raises(StateError, match=r"content/news/new.md.*build it first"):
        deploy(Options(site.folder, site.atlases.folder), Deploying())
