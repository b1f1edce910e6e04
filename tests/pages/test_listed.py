"""A new article that cannot be made is listed nowhere; addresses stay with the page that has them."""

from __future__ import annotations

import json
import os
import random
import shutil

import pytest

from hdash_site.app import Desk
from hdash_site.options import Options
from tests import worlds

STEPS = int(os.environ.get("SAVES", "60")) // 3
"""Random edits of articles that fail, or are whole again."""

MATTER = 'date = 2026-02-01\ntags = ["blue", "rare"]\nmenu = "The new one"\naliases = ["old/new/"]'

FAULTS = {
    "a picture that is missing": ("![p](missing.png)", ""),
    "a shortcode that does not exist": ("{{< nothing >}}", ""),
    "a shortcode without its argument": ('{{< figure field="files" >}}', ""),
    "an atlas that does not exist": ('{{< figure atlas="HTA99" field="files" >}}', ""),
    "a link to a page that does not exist": ('{{< ref to="nowhere.md" >}}', ""),
    "a layout that does not exist": ("Words.", 'layout = "nowhere"'),
}


def everywhere(site):
    """Every file of the site that names the article, or its tag."""
    found = worlds.tree(site.folder / "public")
    return {
        path
        for path, data in found.items()
        if b"n/new/" in data or b"tags/rare" in data or b"The new one" in data
    }


def write(site, body, matter=""):
    site.article("n/new/index.md", body, f"{MATTER}\n{matter}")


@pytest.fixture
def section(site):
    site.article("n/_index.md")
    site.article("n/other.md", "Words.", 'date = 2026-01-01\ntags = ["blue"]')
    site.built()
    return site


@pytest.mark.parametrize("fault", FAULTS)
def test_a_new_article_with_an_error_is_listed_nowhere_until_it_is_made(section, fault):
    write(section, *FAULTS[fault])
    assert section.build().exit_code == 1
    assert everywhere(section) == set()
    assert not section.has("old/new")
    assert "blue" in section.page("tags")
    assert section.build().ran == []
    write(section, "Words.")
    section.built()
    lists = {"n/index.html", "n/index.xml", "n/other/index.html", "sitemap.xml", "search/titles.json"}
    assert everywhere(section) >= {*lists, "tags/index.html", "tags/blue/index.html", "index.html"}
    assert section.has("old/new/index.html")
    assert worlds.tree(section.folder / "public") == worlds.clean_tree(section.folder, section.atlases.folder)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_article_that_was_made_once_stays_in_the_lists_with_its_page(section, fault):
    write(section, "Words.")
    section.built()
    before = everywhere(section)
    write(section, *FAULTS[fault])
    assert section.build().exit_code == 1
    assert everywhere(section) == before
    assert "Words." in section.page("n/new")


@pytest.mark.parametrize("seed", range(2))
def test_whatever_fails_and_is_mended_lists_name_the_pages_that_there_are(site, seed):
    chosen, desk = random.Random(seed), Desk()
    desk.build(Options(site.folder, site.atlases.folder), ())
    bad: set[str] = set()
    for _ in range(STEPS):
        name, fault = chosen.choice("abc"), chosen.choice(["", "", "gone", *FAULTS])
        path = site.folder / f"content/n/{name}/index.md"
        if fault == "gone":
            shutil.rmtree(path.parent, ignore_errors=True)
        else:
            body, matter = FAULTS.get(fault, ("Words.", ""))
            site.article(f"n/{name}/index.md", body, f'tags = ["{name}"]\n{matter}')
        bad = bad - {name} | ({name} if fault in FAULTS else set())
        result = desk.build(Options(site.folder, offline=True), [path])
        assert bool(result.problems) == bool(bad)
        public = site.folder / "public"
        for other in "abc":
            there = (public / f"n/{other}/index.html").exists()
            for listing in ("sitemap.xml", "search/titles.json"):
                assert (f"n/{other}/" in (public / listing).read_text()) == there, (other, listing)
            assert (public / f"tags/{other}").exists() == there
        if not bad:
            assert worlds.tree(public) == worlds.clean_tree(site.folder, site.atlases.folder)


def test_a_new_section_whose_text_has_an_error_is_not_in_the_menu_nor_the_map(site):
    site.built()
    site.article("book/_index.md", "{{< nothing >}}", 'menu = "The book"')
    assert site.build().exit_code == 1
    assert "The book" not in site.page("")
    assert "book/" not in (site.folder / "public/sitemap.xml").read_text()


def test_a_broken_atlas_takes_no_list_down(section, monkeypatch):
    from hdash_site.htan import report

    def broken(*_):
        raise ZeroDivisionError

    section.article("n/figure.md", '{{< figure atlas="HTA1" field="files" >}}')
    section.article("n/last.md")
    monkeypatch.setattr(report, "facets", broken)
    section.atlases.manifest(
        section.atlases.projects[0]["id"], section.atlases.projects[0]["id"], "Demographics", b"a\n"
    )
    section.atlases.save()
    section.build()
    assert "n/last/" in (section.folder / "public/sitemap.xml").read_text()
    assert "last" in section.page("n")
    assert "figure" not in section.page("n")


def test_an_edit_of_a_body_asks_for_no_list(section):
    write(section, "Words.")
    section.built()
    write(section, "Other words.")
    assert section.built() == {"article:n/new/index.md", "page:article/n/new/index.md"}


def test_an_address_that_differs_by_case_alone_is_refused_wherever_it_comes_from(site):
    site.article("news/july.md", "Text of July.", 'aliases = ["News/July/"]')
    site.article("Größe.md", "Words.")
    site.article("a.md", "Words.", 'aliases = ["GRO\\u0308SSE/", "HTA1/"]')
    said = site.problems()
    assert "the address /News/July/ is one file with /news/july/ of content/news/july.md" in said
    assert "the address /GRÖSSE/ is one file with /größe/ of content/Größe.md" in said
    assert "the address /HTA1/ is one file with /hta1/ of atlas HTA1" in said
    names = [path.lower() for path in worlds.tree(site.folder / "public")]
    assert len(names) == len(set(names))
    assert "Text of July." in site.page("news/july")


def test_a_site_that_holds_two_names_of_one_file_loses_the_one_that_is_refused(site, monkeypatch):
    from hdash_site.pages import rules

    with monkeypatch.context() as patch:
        patch.setattr(rules, "folded", lambda path: path)
        patch.setattr("hdash_site.pages.site.folded", lambda path: path)
        site.article("news/july.md", "Text of July.", 'aliases = ["News/July/"]')
        site.built()
        assert site.has("News/July")
    site.build(forced=True)
    assert not site.has("News/July")


def test_an_address_outside_ascii_is_a_link_and_a_file(site):
    site.write(
        "site.toml", 'title = "T"\nbase_url = "https://example.org/"\n[[menu]]\nname = "M"\nurl = "größe/"\n'
    )
    site.article(
        "größe.md", '{{< ref to="größe.md" >}}', 'tags = ["数据"]\naliases = ["früher/"]\ndate = 2026-01-01'
    )
    site.article("日本/_index.md")
    site.article("日本/中文.md", matter="date = 2026-01-01")
    site.built()
    assert "tags/%E6%95%B0%E6%8D%AE/" in site.page("größe")
    assert 'href="../gr%C3%B6%C3%9Fe/"' in site.page("größe")
    assert "gr%C3%B6%C3%9Fe/" in site.page("früher")
    assert site.has("tags/数据/index.html")
    assert site.has("日本/中文/index.html")
    for path in ("sitemap.xml", "日本/index.xml"):
        text = (site.folder / "public" / path).read_text()
        assert "https://example.org/%E6%97%A5%E6%9C%AC/%E4%B8%AD%E6%96%87/" in text
    titles = json.loads((site.folder / "public/search/titles.json").read_text())["titles"]
    assert "gr%C3%B6%C3%9Fe/" in [url for _, url, _ in titles]
    assert not [problem for problem in site.review().problems if problem.severity == "error"]


def test_spellings_of_one_tag_share_a_page_and_check_names_them(site):
    site.article("a.md", matter='tags = ["Café", "cafe"]')
    site.article("b.md", matter='tags = ["Café"]')
    site.built()
    assert site.page("tags").count("tags/") == 0
    assert site.page("tags").count('<a href="cafe/">Café</a>') == 1
    assert site.page("a").count("tags/cafe/") == 1
    said = list(map(str, site.review().problems))
    assert 'content/a.md: warning: the tag "cafe" is the same tag as "Café"; write it as "Café"' in said
