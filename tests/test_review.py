"""`hdash-site check`: each mistake of an editor is told where it is mended, once, and nothing else is."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from hdash_site import app
from hdash_site.review import Problem, marks, review
from tests import worlds


@pytest.fixture(scope="module")
def atlases(tmp_path_factory):
    return worlds.small(tmp_path_factory.mktemp("atlases"), "HTA1").folder


@pytest.fixture
def site(tmp_path):
    return worlds.site_folder(tmp_path / "site")


@pytest.fixture
def look(site, atlases):
    """Builds the site, and looks over it."""

    def run():
        worlds.build(site, atlases)
        return [str(problem) for problem in review(app.Options(site)).problems]

    return run


def article(site, name, body, matter=""):
    path = site / "content" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'+++\ntitle = "An article"\nmenu = true\n{matter}+++\n{body}\n')


def check(site, *words):
    command = [sys.executable, "-m", "hdash_site", "check", *words]
    return subprocess.run(command, cwd=site, capture_output=True, text=True, check=False)


def test_our_own_site_has_no_problem(look):
    assert look() == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[x](../nowhere/)", 'the link "../nowhere/" leads nowhere; correct it, or write that page'),
        ("[x](../hta1/nothing.csv)", 'the link "../hta1/nothing.csv" leads nowhere'),
        ("[x](../../../up/)", 'the link "../../../up/" leads nowhere'),
        ("[x](/nowhere/)", 'the link "/nowhere/" leads nowhere'),
        ("[x](https://example.org/nowhere/)", 'the link "https://example.org/nowhere/" leads nowhere'),
        ("[x](#nothing)", 'the link to "#nothing" on content/mine.md leads nowhere'),
        ("[x](../about/#nothing)", 'the link to "#nothing" on content/about.md leads nowhere'),
        ("[x](../hta1/#nothing)", 'the link to "#nothing" on hta1/index.html leads nowhere'),
        ("![a picture](../picture.png)", 'the file "../picture.png" is missing; add it, or correct its name'),
    ],
)
def test_what_leads_nowhere_is_an_error_of_its_article(site, look, body, said):
    article(site, "mine.md", body)
    [line] = look()
    assert line.startswith(f"content/mine.md, line 5: {said}")


@pytest.mark.parametrize(
    "link",
    [
        "../",
        "../about/",
        "../about",
        "../about/index.html",
        "/about/",
        "https://example.org/about/",
        "https://example.org/about/#where-the-figures-come-from",
        "../about/#where%2Dthe-figures-come-from",
        "#top",
        "#",
        "#my-part",
        "../hta1/#validation",
        "../hta1/findings.csv",
        "../status.json",
        "?page=2",
        "https://example.com/nowhere/",
        "//example.com/",
        "mailto:me@example.com",
        "http://[",
    ],
)
def test_what_leads_somewhere_or_out_of_the_site_is_no_problem(site, look, link):
    article(site, "mine.md", f"## My part\n\n[x]({link})")
    assert look() == []


def test_a_link_that_many_pages_have_is_told_once_with_their_number(site, look):
    path = site / "site.toml"
    path.write_text(path.read_text() + '[[menu]]\nname = "Help"\nurl = "help/"\n')
    [line] = look()
    pages = review(app.Options(site)).pages
    assert 'help/" leads nowhere (on ' in line
    assert f"(on {pages} pages)" in line


def test_an_image_without_an_alt_text_is_a_problem(site, look):
    layout = site / "layouts/missing.mako"
    layout.write_text(layout.read_text() + '<img src="${assets["icon.svg"]}">\n')
    (line,) = look()
    assert line.startswith("404.html: the image ")
    assert line.endswith(" has no alt text; say what it shows")


def test_an_article_whose_image_says_nothing_is_warned_of(site, look):
    article(site, "mine.md", "![](https://example.com/x.png)")
    [line] = look()
    assert line == (
        'content/mine.md, line 5: warning: the alt text of the image "https://example.com/x.png" is empty;'
        " say what it shows, or leave it so if that says nothing"
    )


def test_two_pages_with_one_address_are_an_error_of_the_second(site, look):
    article(site, "a b.md", "Mine.")
    article(site, "a-b.md", "Mine.")
    [line] = look()
    assert line == (
        "content/a-b.md: the address /a-b/ belongs to content/a b.md; give it an address of its own"
    )


def test_front_matter_that_is_not_understood_is_an_error(site, look):
    article(site, "mine.md", "Mine.", 'tittle = "Mine"\n')
    lines = look()
    assert any(line.startswith("content/mine.md") and '"tittle" says nothing here' in line for line in lines)


def test_a_draft_is_a_problem_once_its_date_is_past(site, look):
    """Today is the day for which the site is made, as `SOURCE_DATE_EPOCH` tells it: 2026-07-01."""
    article(site, "old.md", "Old.", "draft = true\ndate = 2026-01-02\n")
    article(site, "new.md", "New.", "draft = true\ndate = 2026-07-01\n")
    article(site, "undated.md", "Some day.", "draft = true\n")
    [line] = look()
    assert line == (
        "content/old.md: warning: it is a draft, and its date, 2026-01-02, is past;"
        " delete draft = true, or give it a later date"
    )


def test_a_page_that_no_other_leads_to_is_an_orphan(site, look):
    article(site, "mine.md", "Mine, and [myself](../mine/).")
    (site / "content/mine.md").write_text('+++\ntitle = "Mine"\naliases = ["old/"]\n+++\n[x](../mine/)\n')
    [line] = look()
    assert line.startswith("content/mine.md: warning: no other page leads here;")
    article(site, "other.md", "See [mine](../mine/).")
    assert look() == []


def test_an_article_that_changed_since_is_told_and_nothing_is_built(site, look):
    assert look() == []
    article(site, "new.md", "New.")
    (site / "content/about.md").write_text('+++\ntitle = "About"\n+++\n')
    before = worlds.tree(site)
    said = [str(problem) for problem in review(app.Options(site)).problems]
    assert said == [
        f"content/{name}.md: warning: it changed since the site was built; build it first"
        for name in ("about", "new")
    ]
    assert {path for path in worlds.tree(site) if "cache" not in path} == {
        path for path in before if "cache" not in path
    }


def test_the_exit_code_is_1_on_errors_and_0_on_warnings(site, look):
    look()
    done = check(site)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("checked   ")
    assert done.stdout.endswith(": 0 errors, 0 warnings\n")
    article(site, "mine.md", "![](https://example.com/x.png)")
    look()
    assert check(site).returncode == 0
    article(site, "mine.md", "[x](../nowhere/)")
    look()
    done = check(site)
    assert done.returncode == 1
    assert done.stdout.startswith('content/mine.md, line 5: the link "../nowhere/" leads nowhere;')
    assert done.stdout.endswith(": 1 errors, 0 warnings\n")
    done = check(site, "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["errors"], said["warnings"]) == (1, 1, 0)
    assert said["problems"][0]["path"] == "content/mine.md"
    assert said["pages"] > 10


def test_a_site_that_was_never_built_is_told_in_one_line(site):
    done = check(site)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "hdash-site: there is no finished site to check; build it first\n"


def test_the_top_of_a_site_below_a_path_is_that_path(site, look):
    (site / "site.toml").write_text('base_url = "https://example.org/hdash"\n')
    article(site, "mine.md", "[a](/hdash/about/) [b](/elsewhere/) [c](/hdash/nowhere/)")
    [line] = look()
    assert line.startswith('content/mine.md, line 5: the link "/hdash/nowhere/" leads nowhere')


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ('<a href="x">', {"x"}),
        ("<A HREF='x' >", {"x"}),
        ("<a\n  class=y\n  href=x>", {"x"}),
        ('<a title="a > b" href="x">', {"x"}),
        ('<a href="a&amp;b">', {"a&b"}),
        ('<!-- <a href="x"> -->', set()),
        ('<!-- <a href="x">', set()),
        ('<p>&lt;a href="x"&gt;</p>', set()),
        ('<a data-href="x">', set()),
        ('<a title="href=y" href="x" href="z">', {"x"}),
        ('<a href="x', set()),
        ("a < b > c", set()),
    ],
)
def test_tags_are_read_as_browsers_do(text, links):
    assert marks(text).links == links


@pytest.mark.parametrize("text", ['<a "' * 30_000, "<a " * 100_000, "<!--" * 100_000, "<a x=" * 60_000])
def test_no_page_takes_long(text):
    began = time.perf_counter()
    marks(text)
    assert time.perf_counter() - began < 5


def test_a_problem_is_one_line():
    assert str(Problem("error", "x.html", "broken", "mend it", 1200)) == (
        "x.html: broken (on 1,200 pages); mend it"
    )


def test_the_line_is_that_on_which_the_whole_link_is_written(site, look):
    article(
        site,
        "mine.md",
        "[a](../about/).\n\n<a\nhref='../about/x'>c</a> [d](../about/#x)",
    )
    assert [line.partition(": ")[0] for line in look()] == ["content/mine.md, line 8"] * 2


def test_a_link_that_a_shortcode_makes_has_no_line(site, look):
    (site / "layouts/shortcodes/gone.mako").write_text(
        '<%doc>\nmeaning = "A link."\n</%doc>\n<a href="../gone/">x</a>\n'
    )
    article(site, "mine.md", "{{< gone >}}")
    assert [line.partition(": ")[0] for line in look()] == ["content/mine.md"]
