"""What each reader comes for in the morning, by mouse and by keyboard alone, on the second night of the sample.

`SCALE=1` is the sample at HTAN's size.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from tests.browser.conftest import FORMULA, NIGHTS, Fetched

MOST_STOPS = 60
"""Stops of the tab key on the way to something: more is no task of a minute."""

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[+-]?[0-9.,]+(e[+-]?[0-9]+)?", re.IGNORECASE)


def by_mouse(target, typed: str = "") -> None:
    target.click()
    target.page.keyboard.type(typed)


def by_keyboard(target, typed: str = "") -> None:
    """Go there with the tab key; press Enter, or type what is to be typed."""
    page = target.page
    for _ in range(MOST_STOPS):
        if target.evaluate("(one) => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    else:
        pytest.fail(f"{target} is more than {MOST_STOPS} stops away")
    page.keyboard.type(typed) if typed else page.keyboard.press("Enter")


@pytest.fixture(params=[by_mouse, by_keyboard], ids=lambda hand: hand.__name__)
def use(request):
    """Do something with a link, a button or a box."""
    return request.param


def link(page, name, within="body"):
    return page.locator(within).get_by_role("link", name=name, exact=True).first


def rows(page, name) -> list[list[str]]:
    """What a table says that is there to be seen."""
    found = page.get_by_role("region", name=name, exact=True).locator("tbody tr").all()
    return [one.locator("th, td").all_inner_texts() for one in found if one.is_visible()]


def test_a_coordinator_sorts_filters_and_shares_the_atlases(visit, two_nights, use):
    window = visit(two_nights.base)
    page = window.go("")
    use(page.get_by_role("searchbox"), "hta1")
    column = page.locator("th", has_text="Size").get_by_role("button")
    use(column)
    use(column)
    seen = rows(page, "Table of the atlases")
    assert len(seen) > 1
    assert all("HTA1" in "".join(row) for row in seen)
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Size")
    other = window.context.new_page()
    other.goto(page.url)
    assert rows(other, "Table of the atlases") == seen
    assert other.get_by_role("searchbox").input_value() == "hta1"
    assert window.troubles == []


def test_a_coordinator_sees_what_is_new_what_is_fixed_and_what_is_open_since_when(visit, two_nights, use):
    window = visit(two_nights.base)
    page = window.go("")
    newest = page.get_by_role("link", name="What changed on").get_attribute("href")
    use(link(page, "Changes", "header"))
    page.wait_for_url("**/changes/")
    assert "The history begins" in page.locator(".articles li").last.inner_text()
    use(page.locator(".articles a").first)
    page.wait_for_url("**/changes/2026-07-02-03-00-00/")
    assert page.url == f"{two_nights.base}{newest}"
    moved = {row[0]: row[1:] for row in rows(page, "New and fixed findings")}
    mended, still = two_nights.mended["atlas"], two_nights.open["atlas"]
    assert set(moved) == {mended, still}
    assert moved[mended][:3] == ["H_ENTITY_ID", "0", "1"]
    code, new, fixed, left, since = moved[still]
    assert (code, new, fixed, since) == ("H_ENTITY_ID", "1", "0", NIGHTS[0][:10])
    assert int(left) > 1
    use(page.locator("summary", has_text="All that is open, since when"))
    known = [row for row in rows(page, "All that is open") if row[:2] == [still, code]]
    assert known == [[still, code, left, "0", since]]
    assert window.troubles == []


def test_a_submitter_gets_from_home_to_what_to_fix_and_how(visit, two_nights, use):
    window = visit(two_nights.base)
    page = window.go("")
    atlas = two_nights.open["atlas"]
    use(page.get_by_role("searchbox"), atlas.lower())
    use(link(page, atlas, "tbody"))
    page.wait_for_url(f"**/{atlas.lower()}/")
    use(link(page, "Validation", ".tabs"))
    use(link(page, "What to fix, by cause"))
    page.wait_for_url("**/fix/")
    times = [int(text.split()[0].replace(",", "")) for text in found(page).all_inner_texts()]
    assert times == sorted(times, reverse=True)
    top = page.locator(".cause").first
    facts = dict(zip(top.locator("dt").all_inner_texts(), top.locator("dd").all_inner_texts(), strict=True))
    assert facts["Expected"]
    place = top.locator("tbody tr").first
    where, entity, lines, value = place.locator("th, td").all_inner_texts()
    assert "synapse_storage_manifest" in where
    assert re.match(r"[\d,–]+", lines)
    assert value
    use(link(page, facts["How to fix it"], ".cause"))
    page.wait_for_url("**/checks/*/")
    assert "What to do" in page.locator("main").inner_text()
    page.go_back()
    use(page.locator(".cause tbody").first.get_by_role("link").first)
    page.wait_for_url("**/manifests/*/#*")
    assert page.locator(f"#{facts['How to fix it']}").is_visible()
    page.go_back()
    assert window.troubles == []
    window.context.route("https://www.synapse.org/**", lambda route: route.fulfill(body="Synapse"))
    use(link(page, entity, ".cause tbody"))
    page.wait_for_url(f"https://www.synapse.org/Synapse:{entity}")


def found(page):
    return page.locator(".facts div", has_text="Found").locator("dd")


@pytest.mark.parametrize("table", ["This list as CSV", "Each finding as CSV"])
def test_a_submitter_downloads_a_table_that_a_spreadsheet_can_open(visit, two_nights, use, table):
    page = visit(two_nights.base).go(f"{two_nights.open['atlas'].lower()}/fix/")
    with page.expect_download() as download:
        use(link(page, table))
    text = Path(download.value.path()).read_text(encoding="utf-8")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert [cell for cell in cells if FORMULA in cell]
    assert [cell for cell in cells if cell.startswith(FORMULAS) and not NUMBER.fullmatch(cell)] == []


@pytest.fixture(scope="module")
def person(two_nights):
    """The participant about whom there is most to see."""
    pages = two_nights.public.glob("hta*/participants/*/index.html")
    return max(pages, key=lambda path: (path.stat().st_size, path)).parent.name.upper()


def test_an_investigator_finds_an_id_by_its_beginning_and_what_it_comes_from(visit, two_nights, use, person):
    window = visit(two_nights.base)
    page = window.go("")
    use(link(page, "Find an id", "header"))
    page.wait_for_url("**/find/")
    fetched = Fetched(window)
    page.wait_for_load_state()
    use(page.locator("#id"), f"{person.lower()}_")
    match = page.locator(".matches li", has_text="Biospecimen").first.get_by_role("link")
    match.wait_for()
    assert fetched.sizes
    assert fetched.is_little(), fetched.sizes
    for step, one in enumerate(
        (match, page.locator("article.id ul li", has_text="Level 1").get_by_role("link").first)
    ):
        fetched.sizes.clear()
        own = one.inner_text()
        use(one)
        page.get_by_role("status").filter(has_text=f"Found {own}").wait_for()
        assert fetched.is_little(), fetched.sizes
        above = page.locator("article.id ol li").all_inner_texts()
        assert above[0] == f"{person} Demographics"
        assert sum(text.endswith(" Biospecimen") for text in above) >= step
        assert "Level 1: there" in page.locator(".levels li").all_inner_texts()
    use(link(page, person, "article.id ol"))
    page.wait_for_url(f"**/participants/{person.lower()}/")
    assert page.locator("h1 bdi").first.inner_text() == person
    assert person in page.locator(".lineage svg text").all_text_contents()
    assert person in {row[1] for row in rows(page, "Table of the biospecimens")}
    assert all("Level" in row[1] for row in rows(page, "Table of the levels"))
    assert window.troubles == []


def test_everyone_searches_the_site(visit, two_nights, use):
    window = visit(two_nights.base)
    page = window.go("")
    use(link(page, "Search", "header"))
    page.keyboard.type("biospecimen hta3")
    hit = page.locator(".finder li a").first
    hit.wait_for()
    use(hit)
    page.wait_for_url("**/hta3/manifests/*/")
    assert "Biospecimen" in page.locator("h1").inner_text()
    assert window.troubles == []


def test_everyone_reads_it_light_and_dark(visit, two_nights, use):
    page = visit(two_nights.base, color_scheme="light").go("hta3/")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    use(page.get_by_role("button", name="Dark", exact=True))
    dark = page.evaluate(ground)
    assert sum(map(int, re.findall(r"\d+", dark))) < 150 < sum(map(int, re.findall(r"\d+", light)))
    page.goto(two_nights.base)
    assert page.evaluate(ground) == dark
    use(page.get_by_role("button", name="Light", exact=True))
    assert page.evaluate(ground) == light


PAPER = {"width": 718, "height": 1047}
"""A4 with margins of a centimetre."""

CUT_OFF = """() => [...document.querySelectorAll("main *")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("kind", ["", "{}/", "{}/fix/", "compare/", "changes/2026-07-02-03-00-00/", "{}/participants/{}/"])  # fmt: skip
def test_everyone_prints_it_and_nothing_is_cut_off(visit, two_nights, person, kind):
    page = visit(two_nights.base, viewport=PAPER).go(
        kind.format(person.lower().partition("_")[0], person.lower())
    )
    page.emulate_media(media="print")
    assert not page.locator("header nav").is_visible()
    assert not page.get_by_role("searchbox").or_(page.locator(".theme")).first.is_visible()
    assert page.evaluate(CUT_OFF) == []
