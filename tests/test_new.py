"""`hdash-site new`: an article begins as its archetype says, and nothing that is there is lost."""

from __future__ import annotations

import datetime
import subprocess
import sys

import pytest

from hdash_site import archetype
from tests import worlds
from tests.conftest import MOMENT

TODAY = datetime.datetime.fromtimestamp(MOMENT).astimezone().date().isoformat()


@pytest.fixture
def site(tmp_path):
    return worlds.site_folder(tmp_path / "site")


def new(site, *words, at=None):
    command = [sys.executable, "-m", "hdash_site", "new", *map(str, words)]
    return subprocess.run(command, cwd=at or site, capture_output=True, text=True, check=False)


def written(site, path):
    return (site / path).read_text()


def test_a_new_article_is_a_draft_of_today_with_a_title_from_its_name(site):
    done = new(site, "content/news/what_is-new.md")
    assert done.returncode == 0
    assert done.stdout.startswith("written: content/news/what_is-new.md")
    text = written(site, "content/news/what_is-new.md")
    assert text == f'+++\ntitle = "What is new"\ndate = {TODAY}\ndraft = true\n+++\n\n'


def test_it_is_an_article_once_it_is_no_draft_any_more(site, tmp_path):
    new(site, "content/news/2026/it's (new) & good.md")
    path = site / "content/news/2026/it's (new) & good.md"
    atlases = worlds.small(tmp_path / "atlases", "HTA1").folder
    assert worlds.build(site, atlases).problems == []
    assert not list((site / "public/news").rglob("it-s*"))
    path.write_text(path.read_text().replace("draft = true\n", ""))
    assert worlds.build(site, atlases).problems == []
    assert "It&#39;s (new) &amp; good" in written(site, "public/news/2026/it-s-new-good/index.html")


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("july.md", "July"),
        ("news/_index.md", "News"),
        ("news/lab-day/index.md", "Lab day"),
        ("index.md", "Index"),
        ("a/ÄRZTE.md", "ÄRZTE"),
        ("a/2026-07-01.md", "2026 07 01"),
    ],
)
def test_the_title_comes_from_the_name(site, path, title):
    archetype.write(site, site / "content" / path, datetime.date(2026, 7, 1))
    assert f'title = "{title}"\n' in written(site, f"content/{path}")


def test_a_section_has_its_own_archetype_and_others_the_default_of_the_site(site):
    (site / "archetypes").mkdir()
    (site / "archetypes/news.md").write_text('+++\ntitle = "News: {{title}}"\ndate = {{ date }}\n+++\nHi.\n')
    (site / "archetypes/default.md").write_text('+++\ntitle = "{{ title }}"\n+++\n{{ other }}\n')
    assert new(site, "content/news/deep/july.md").returncode == 0
    assert new(site, "content/july.md").returncode == 0
    assert written(site, "content/news/deep/july.md") == (
        f'+++\ntitle = "News: July"\ndate = {TODAY}\n+++\nHi.\n'
    )
    assert written(site, "content/july.md") == '+++\ntitle = "July"\n+++\n{{ other }}\n'


def test_it_can_be_named_from_where_one_stands_and_from_the_site(site):
    assert new(site, "july.md", "--root", "..", at=site / "content").returncode == 0
    assert new(site, "content/august.md", "--root", site, at="/").returncode == 0
    assert (site / "content/july.md").exists()
    assert (site / "content/august.md").exists()


def test_what_is_there_is_not_overwritten(site):
    before = written(site, "content/about.md")
    done = new(site, "content/about.md")
    assert (done.returncode, done.stderr) == (
        1,
        "hdash-site: content/about.md: there is something already; name another file\n",
    )
    assert written(site, "content/about.md") == before


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("news/july.md", "write content/news/july.md"),
        ("../july.md", "write content/july.md"),
        ("content/../../july.md", "articles are in content/"),
        ("/july.md", "articles are in content/"),
        ("content", "articles are in content/"),
        ("content/notes", "ends in .md"),
        ("content/july.txt", "ends in .md"),
        ("content/.md", "ends in .md"),
        ("content/.hidden/july.md", "no name for an article"),
        ('content/a"b.md', "no name for an article"),
        ("content/a\\b.md", "no name for an article"),
        ("content/a\nb.md", "no name for an article"),
        ("content/\udcff.md", "no name for an article"),
        ("content/about.md/july.md", "there is something already"),
        (f"content/{'x' * 300}.md", "it cannot be written"),
        ("content/link/july.md", "articles are in content/"),
    ],
)
def test_a_path_that_cannot_be_is_told_in_one_line_and_nothing_is_written(site, path, said):
    (site / "content/link").symlink_to("..")
    before = sorted(site.parent.rglob("*"))
    done = new(site, path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert said in done.stderr
    assert sorted(site.parent.rglob("*")) == before


def test_an_archetype_that_cannot_be_read_is_told(site):
    (site / "archetypes").mkdir()
    (site / "archetypes/default.md").write_bytes(b"\xff")
    done = new(site, "content/july.md")
    assert done.stderr.startswith("hdash-site: archetypes/default.md: the archetype cannot be read")
    assert not (site / "content/july.md").exists()


def test_there_must_be_a_site(tmp_path):
    done = new(tmp_path, "content/july.md")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "there is no site here" in done.stderr
    assert not (tmp_path / "content").exists()
