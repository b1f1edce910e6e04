"""Saves as the editor sees them: in a tab that is open, which nobody reloads."""

from __future__ import annotations

import os
import random
import time

import pytest
from playwright.sync_api import Error, expect

from tests import edits, worlds
from tests.serve.conftest import PATIENCE, Desk

SEEDS = int(os.environ.get("SEEDS", "1"))
"""In how many orders the edits of a day are made."""

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="9" viewBox="0 0 {0} 9"/>'


class Tab:
    """A tab that is open on the preview; it fails if something takes too long."""

    def __init__(self, window, path: str) -> None:
        self.window = window
        self.page = window.go(path)
        self.page.evaluate("window.opened = true")

    def shows(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def becomes(self, true: str) -> None:
        """Wait until a piece of JavaScript is true; the page may be reloaded meanwhile."""
        until = time.monotonic() + PATIENCE
        while not self.is_true(true):
            assert time.monotonic() < until, f"it never was: {true}"
            self.page.wait_for_timeout(20)

    def is_true(self, true: str) -> bool:
        """Look once; a page that goes, or of which half is there, says nothing yet."""
        try:
            return bool(self.page.evaluate(f"document.readyState !== 'loading' && ({true})"))
        except Error:
            return False

    def scrolled(self, down: int) -> int:
        """Scroll, at once; gives how far that went."""
        place = self.page.evaluate(
            "down => { scrollTo({ top: down, behavior: 'instant' }); return scrollY }", down
        )
        assert place > 0
        return place

    def was_reloaded(self) -> bool:
        return not self.page.evaluate("window.opened === true")

    def overlay(self):
        return self.page.locator("#hdash-overlay section")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("preview"))
    desk.save("content/old.md", '+++\ntitle = "Old"\n+++\nTo be renamed.\n')
    with desk.shown():
        yield desk


@pytest.fixture
def tab(desk, visit):
    """Opens tabs: `tab("about/")` gives a `Tab`; nothing forbidden may happen in them."""
    tabs = []

    def opened(path: str, **settings) -> Tab:
        desk.quiet()  # a build on its way, from the test before, would lead the tab away
        tabs.append(Tab(visit(desk.address, **settings), path))
        return tabs[-1]

    yield opened
    for one in tabs:
        assert [trouble for trouble in one.window.troubles if "404" not in trouble] == []


def test_a_body_is_shown_where_the_reader_was(desk, tab):
    desk.save("content/about.md", '+++\ntitle = "About"\n+++\n' + "A paragraph.\n\n" * 200)
    desk.wait(lambda: desk.get("/about/").count("A paragraph.") == 200)
    about = tab("about/")
    assert about.scrolled(1500) == 1500
    desk.edit("content/about.md", "A paragraph.", "Another paragraph.")
    about.shows("Another paragraph.")
    about.becomes("scrollY === 1500")
    assert about.was_reloaded()
    desk.is_exact()


def test_a_title_is_shown_in_the_menu_of_other_pages(desk, tab):
    home, check = tab(""), tab("checks/h_links/")
    desk.save("content/news.md", '+++\ntitle = "Newest"\nmenu = true\n+++\nText.\n')
    home.shows("Newest")
    check.shows("Newest")
    (desk.site / "content/news.md").unlink()
    home.becomes("!document.body.innerText.includes('Newest')")


def test_a_page_that_did_not_change_is_not_reloaded(desk, tab):
    counts, about = tab("notes/counts/"), tab("about/")
    desk.edit("content/about.md", "paragraph.", "paragraph or other.")
    about.shows("paragraph or other.")
    assert not counts.was_reloaded()


def test_a_layout_and_a_partial_and_the_settings_are_shown(desk, tab):
    about = tab("about/")
    desk.edit("layouts/base.mako", "Human Tumor Atlas Network", "Human Tumour Atlas Network")
    about.shows("Human Tumour Atlas Network")
    desk.edit("site.toml", "Test site", "Quite another site")
    about.becomes("document.title.includes('Quite another site')")
    desk.is_exact()


def test_a_style_is_swapped_without_a_reload(desk, tab):
    about = tab("about/", viewport={"width": 800, "height": 200})
    place = about.scrolled(200)
    desk.save(
        "layouts/assets/site.css",
        (desk.site / "layouts/assets/site.css").read_text() + "h1 { color: rgb(1, 2, 3); }\n",
    )
    about.becomes("getComputedStyle(document.querySelector('h1')).color === 'rgb(1, 2, 3)'")
    about.becomes("document.querySelectorAll('link[rel=stylesheet]').length === 1")
    assert not about.was_reloaded()
    assert about.page.evaluate("scrollY") == place
    # What is saved next finds the tab as well.
    desk.edit("layouts/assets/site.css", "rgb(1, 2, 3)", "rgb(3, 2, 1)")
    about.becomes("getComputedStyle(document.querySelector('h1')).color === 'rgb(3, 2, 1)'")
    desk.is_exact()


def test_a_picture_and_a_script_are_shown(desk, tab):
    about = tab("about/")
    desk.save("layouts/assets/icon.svg", PICTURE.format(20))
    about.becomes("document.querySelector('header img').naturalWidth === 20")
    desk.save("layouts/assets/icon.svg", PICTURE.format(40))
    about.becomes("document.querySelector('header img').naturalWidth === 40")
    desk.save(
        "layouts/assets/site.js",
        (desk.site / "layouts/assets/site.js").read_text() + "document.body.dataset.mark = 'new';\n",
    )
    about.becomes("document.body.dataset.mark === 'new'")


def test_a_page_appears_where_there_was_none_and_goes_again(desk, tab):
    page = tab("july/")
    page.shows("There is no such page")
    desk.save("content/july.md", '+++\ntitle = "July"\n+++\nText of July.\n')
    page.shows("Text of July.")
    (desk.site / "content/july.md").unlink()
    page.shows("There is no such page")
    desk.is_exact()


def test_a_page_is_renamed(desk, tab):
    old, new = tab("old/"), tab("new/")
    old.shows("To be renamed.")
    (desk.site / "content/old.md").rename(desk.site / "content/new.md")
    new.shows("To be renamed.")
    old.shows("There is no such page")


ERRORS = {
    "content/about.md": ('title = "About"', 'titel = "About"', '"titel" says nothing here'),
    "layouts/article.mako": ("</article>", "</article>\n<b>${'<script>' + 1}</b>", "${'<script>' + 1}"),
    "layouts/base.mako": ("</footer>", "% for x in:\n</footer>", "layouts/base.mako, line"),
    "site.toml": ("title =", "title = =", "site.toml, line 1"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_lies_over_the_last_good_page_until_it_is_mended(desk, tab, name):
    old, new, said = ERRORS[name]
    about = tab("about/")
    good = (desk.site / name).read_text()
    desk.edit(name, old, new)
    about.overlay().wait_for()
    assert said in about.overlay().inner_text()
    assert name in about.overlay().inner_text()
    expect(about.page.locator("footer")).to_have_count(1)
    desk.quiet()
    about.page.reload()
    about.overlay().wait_for()
    about.page.keyboard.press("Escape")
    about.overlay().wait_for(state="detached")
    about.page.reload()
    about.overlay().wait_for()
    desk.save(name, good)
    about.overlay().wait_for(state="detached")
    assert about.page.locator("h1").inner_text() == "About"


def test_many_tabs_of_one_browser_all_follow(desk, visit):
    window = visit(desk.address)
    pages = [window.go("about/")]
    for _ in range(11):
        pages.append(window.context.new_page())
        pages[-1].goto(desk.address + "about/")
    for number in range(20):
        desk.save("content/about.md", f'+++\ntitle = "About"\n+++\nSave number {number}.\n')
    for page in pages:
        page.get_by_text("Save number 19.").wait_for()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_is_saved_shows_in_the_open_tab_and_is_what_a_clean_build_makes(tmp_path, visit, seed):
    desk = Desk(tmp_path, edits.site(tmp_path / "site"))
    names = sorted(edits.EDITS)
    random.Random(seed).shuffle(names)
    with desk.shown():
        window = visit(desk.address)
        for name in names:
            edit = edits.EDITS[name]
            tab = Tab(window, edit.page)
            assert not tab.is_true(edit.seen), name
            edit.save(desk.site)
            tab.becomes(edit.seen)
            desk.is_exact()
            assert [built.problems for built in desk.built if built.problems] == [], name
        assert [trouble for trouble in window.troubles if "404" not in trouble] == []
    worlds.build(desk.site, desk.atlases)
    assert desk.tree() == desk.clean_tree(drafts=False)
