"""What an editor saves wrong: told over the last good page with file and line, and gone with the fix."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from playwright.sync_api import expect

from tests.serve.conftest import PATIENCE, Desk

ARTICLE = '+++\ntitle = "About"\ntags = ["one"]\n+++\nFirst words.\n\nLast words.\n'
ABOUT, TEAM, LAYOUT, SETTINGS = (
    "content/about.md",
    "content/data/team.toml",
    "layouts/article.mako",
    "site.toml",
)


class Mistake(NamedTuple):
    """`old` becomes `new` in a file; then `file` is named, and a line, unless there is none."""

    name: str
    old: str
    new: str
    said: str
    line: int = 0
    file: str = ""


MISTAKES = {
    "TOML": Mistake(ABOUT, 'tags = ["one"]', "tags = one", "the front matter is not TOML", 3),
    "YAML": Mistake(
        ABOUT, ARTICLE, "---\ntitle: About\ntags: [one\n---\n", "the front matter is not YAML", 4
    ),
    "unknown key": Mistake(ABOUT, "tags", "tagz", 'do you mean "tags"?', 3),
    "wrong type": Mistake(ABOUT, '["one"]', '"one"', "tags must be a list of texts", 3),
    "no title": Mistake(ABOUT, 'title = "About"\n', "", "the article has no title", 2),
    "no front matter": Mistake(ABOUT, '+++\ntitle = "About"\n', "", "there is no front matter", 1),
    "no end of front matter": Mistake(ABOUT, "+++\nFirst", "First", "the front matter has no end", 1),
    "not UTF-8": Mistake(ABOUT, "Last", "L\udce4st", "this is not UTF-8", 7),
    "missing picture": Mistake(ABOUT, "Last words.", "![A](a.png)", "there is no picture 'a.png'", 7),
    "shortcode without an end": Mistake(ABOUT, "Last", "{{< total", "the shortcode has no end", 7),
    "unknown shortcode": Mistake(ABOUT, "Last", "{{< totals >}}", "do you mean total?", 7),
    "unknown argument": Mistake(ABOUT, "Last", '{{< total of="files" >}}', "no argument of total 'of'", 7),
    "argument left out": Mistake(ABOUT, "Last", "{{< total >}}", "total needs field", 7),
    "unknown field": Mistake(ABOUT, "Last", '{{< total field="files_" >}}', "do you mean files?", 7),
    "unknown atlas": Mistake(
        ABOUT, "Last", '{{< figure atlas="HTA9" field="files" >}}', "there is no atlas 'HTA9'", 7
    ),
    "broken ref": Mistake(
        ABOUT, "Last", '{{< ref to="notes/count.md" >}}', "do you mean notes/counts.md?", 7
    ),
    "unknown layout": Mistake(
        ABOUT, "tags =", 'layout = "none"\ntags =', "there is no such layout", file="layouts/none.mako"
    ),
    "two pages with one address": Mistake(
        "content/how-to-fix.md",
        "title =",
        'slug = "about"\ntitle =',
        "the address /about/ belongs to content/about.md",
    ),
    "alias on a taken address": Mistake(
        ABOUT, "tags =", 'aliases = ["notes/"]\ntags =', "belongs to content/notes/_index.md"
    ),
    "Mako": Mistake(LAYOUT, "${body}", "% if body:\n${body}", "this is not Mako", 15),
    "layout not UTF-8": Mistake(LAYOUT, "${body}", "\udce4${body}", "this is not UTF-8"),
    "undefined name": Mistake(LAYOUT, "${body}", "${corpse}", "'corpse' is not defined", 15),
    "layout that fails": Mistake(LAYOUT, "${body}", "${1 / 0}", "ZeroDivisionError", 15),
    "inherits what is missing": Mistake(
        LAYOUT, '"base.mako"', '"bass.mako"', "there is no such layout", file="layouts/bass.mako"
    ),
    "settings that are not TOML": Mistake(SETTINGS, "title =", "title = =", "this is not TOML", 1),
    "setting with a wrong type": Mistake(SETTINGS, '"Test site"', "3", "this must be a text"),
    "unknown setting": Mistake(SETTINGS, "title", "titel", 'do you mean "title"?'),
    "data": Mistake(TEAM, '"Ada"', "Ada", "the file cannot be understood", 2),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("overlay"))
    desk.save(ABOUT, ARTICLE)
    desk.save(TEAM, '# Who is it?\nlead = "Ada"\n')
    desk.save("layouts/team.mako", '<%inherit file="base.mako"/>\n<p>Led by ${data.team["lead"]}</p>\n')
    desk.save("content/team.md", '+++\ntitle = "Team"\nlayout = "team"\n+++\n')
    with desk.shown():
        yield desk


@pytest.fixture(scope="module")
def page(desk, chromium):
    """A tab that is open all the time."""
    page = chromium.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{desk.address}about/")
    yield page
    page.close()


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place_over_the_last_good_page(desk, page, name):
    mistake = MISTAKES[name]
    good = (desk.site / mistake.name).read_text()
    assert good.count(mistake.old) == 1
    overlay = page.locator("#hdash-overlay section")
    place = (mistake.file or mistake.name) + (f", line {mistake.line}" if mistake.line else "")
    desk.save(mistake.name, good.replace(mistake.old, mistake.new).encode("utf-8", "surrogateescape"))
    try:
        # A mistake may move other pages, so the tab may load again: only what waits can look at it.
        expect(overlay.locator("h2")).to_have_text([place])
        expect(overlay.locator("p")).to_contain_text(mistake.said)
        if mistake.line:
            expect(overlay.locator("mark")).to_have_text(re.compile(rf"^\s*{mistake.line}(\s|$)"))
        expect(page.locator("main").get_by_text("First words.")).to_have_count(1)
        assert desk.request("/about/")[0] == 200
    finally:
        desk.save(mistake.name, good)
    expect(overlay).to_have_count(0)
    expect(page.locator("h1")).to_have_text("About")
    assert desk.request("/_hdash/look?page=/about/")[0] == 200
