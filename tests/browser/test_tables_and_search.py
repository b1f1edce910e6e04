"""Tables that sort and filter, the search, light and dark, and what a page says of its age."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from tests import worlds
from tests.browser.conftest import served


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Three atlases, of which HTA10 has the most files, and HTA2 an error."""
    folder = tmp_path_factory.mktemp("tables")
    atlases = worlds.small(folder / "atlases", "HTA1", "HTA2", "HTA10")
    for number in range(2):
        project = atlases.projects[2]["id"]
        atlases.entity(project, project, f"more_{number}.bam")
    project = atlases.projects[1]["id"]
    atlases.manifest(project, project, "Therapy", [{"HTAN Participant ID": "HTA2_9"}])
    atlases.save()
    site = worlds.site_folder(folder / "site")
    worlds.build(site, atlases.folder)
    return site / "public"


@pytest.fixture(scope="module")
def base(site):
    with served(site) as address:
        yield address


def names(page) -> list[str]:
    """The atlases that the home table shows, from top to bottom."""
    return [one.inner_text() for one in page.locator("tbody th").all() if one.is_visible()]


def test_every_column_of_the_home_table_sorts_up_down_and_back(visit, base):
    page = visit(base).go("")
    headers = page.locator("thead th")
    assert headers.count() == 13
    for number in range(headers.count()):
        button = headers.nth(number).locator("button")
        for state in ("ascending", "descending", None):
            button.click()
            assert headers.nth(number).get_attribute("aria-sort") == state
            assert page.locator("thead th[aria-sort]").count() == (state is not None)
        assert names(page) == ["HTA1", "HTA2", "HTA10"]
    page.get_by_role("button", name="BAM").click()
    page.get_by_role("button", name="BAM").click()
    assert names(page)[0] == "HTA10"


def test_the_table_is_filtered_by_all_words_and_says_how_many_rows_are_left(visit, base):
    page = visit(base).go("")
    page.get_by_role("searchbox").fill("hta1 ATLAS")
    assert names(page) == ["HTA1", "HTA10"]
    assert page.locator(".filter [role=status]").inner_text() == "2 of 3"
    page.get_by_role("searchbox").fill("nothing like it")
    assert names(page) == []
    page.get_by_role("searchbox").fill("")
    assert names(page) == ["HTA1", "HTA2", "HTA10"]


def test_the_address_shares_what_one_sees(visit, base):
    page = visit(base).go("")
    page.get_by_role("button", name="Errors").click()
    page.get_by_role("button", name="Errors").click()
    page.get_by_role("searchbox").fill("hta")
    seen, address = names(page), page.url
    assert seen[0] == "HTA2"
    assert address == f"{base}?sort.atlases=-errors&filter.atlases=hta"
    other = visit(base).go(address.removeprefix(base))
    assert names(other) == seen
    assert other.get_by_role("searchbox").input_value() == "hta"
    assert other.locator("th[aria-sort=descending]").inner_text().startswith("Errors")


def test_an_address_made_to_do_harm_does_none(visit, base):
    window = visit(base)
    window.go("?filter.atlases=%3Cimg%20src=x%20onerror=alert(1)%3E&sort.atlases=__proto__")
    window.go("?sort.atlases=%22%5D%3Cscript%3E&filter.atlases=%00")
    assert window.troubles == []


def test_a_table_sorts_and_filters_by_keyboard(visit, base):
    page = visit(base).go("")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("hta1")
    page.keyboard.press("Tab")  # the table, which can be scrolled
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Atlas")
    assert names(page) == ["HTA10", "HTA1"]


def test_without_a_script_it_is_a_plain_table(visit, base):
    page = visit(base, java_script_enabled=False).go("?sort.atlases=-errors&filter.atlases=x")
    assert names(page) == ["HTA1", "HTA2", "HTA10"]
    assert page.locator("button, input").count() == 0


def test_the_search_is_fetched_when_it_is_first_used_and_goes_by_keyboard(visit, base):
    window = visit(base)
    asked: list[str] = []
    window.context.on("request", lambda request: asked.append(request.url))
    page = window.go("hta1/")
    page.locator("#checked time").wait_for()
    assert not any("titles.json" in url for url in asked)
    page.keyboard.press("/")
    page.keyboard.type("biospecimen hta2")
    page.locator(".finder li").first.wait_for()
    assert sum("titles.json" in url for url in asked) == 1
    assert page.locator(".finder a").first.inner_text().startswith("Biospecimen of HTA2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/hta2/manifests/*/")
    assert window.troubles == []


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("HTA10", "hta10/"),
        ("fix in hta1", "hta1/fix/"),
        ("h_links", "checks/h_links/"),
        ("compare", "compare/"),
        ("how to read", "reading/"),
        ("xenium", "data-model/#component-"),
        ("synapse_storage_manifest_therapy", "hta2/manifests/"),
    ],
)
def test_the_search_finds_atlases_pages_checks_components_and_manifests(visit, base, words, address):
    page = visit(base).go("checks/h_links/")
    page.get_by_role("link", name="Search").click()
    page.keyboard.type(words)
    page.locator(".finder li").first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}{address}**")


def test_the_search_closes_with_escape_and_gives_the_keyboard_back(visit, base):
    page = visit(base).go("")
    page.get_by_role("link", name="Search").focus()
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("document.activeElement.className") == "search"


def test_without_a_script_search_leads_to_the_map_of_the_site(visit, base):
    page = visit(base, java_script_enabled=False).go("hta1/")
    page.get_by_role("link", name="Search").click()
    assert page.locator("h1").inner_text() == "Map of the site"
    for name in ("HTA1", "HTA10", "Compare", "About", "H_LINKS"):
        assert page.locator("main").get_by_role("link", name=name, exact=True).count() == 1, name


def ground(page) -> str:
    return page.evaluate("getComputedStyle(document.documentElement).backgroundColor")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_switch_changes_light_and_dark_and_is_remembered(visit, base, scheme):
    other = {"light": "dark", "dark": "light"}[scheme]
    window = visit(base, color_scheme=scheme)
    page = window.go("")
    before = ground(page)
    page.get_by_role("button", name=other.capitalize(), exact=True).click()
    after = ground(page)
    assert after != before
    assert after == ground(visit(base, color_scheme=other).go(""))
    assert ground(window.go("checks/")) == after


def test_paper_is_light_whatever_the_screen_is(visit, base):
    window = visit(base, color_scheme="dark")
    page = window.go("hta1/")
    page.emulate_media(media="print", color_scheme="dark")
    assert ground(page) == ground(visit(base, color_scheme="light").go("hta1/"))
    assert not page.locator(".theme").is_visible()
    assert not page.locator(".top nav").is_visible()


@pytest.mark.parametrize(
    ("hours", "said"),
    [(0.1, "6 minutes ago"), (35, "35 hours ago"), (37, "37 hours ago"), (80, "3 days ago")],
)
def test_a_page_says_how_long_ago_it_was_checked_and_warns_if_that_is_late(
    visit, site, tmp_path, hours, said
):
    shutil.copytree(site, tmp_path / "public")
    checked = datetime.now(UTC) - timedelta(hours=hours, seconds=5)
    (tmp_path / "public/status.json").write_text(json.dumps({"crawled": checked.isoformat()}))
    with served(tmp_path / "public") as base:
        page = visit(base, timezone_id="Asia/Tokyo").go("checks/")
        page.locator("#checked time").wait_for()
        text = page.locator("#checked").inner_text()
        assert said in text
        assert f"{checked:%H:%M} GMT" in text
        assert page.locator(".notice.late").count() == (hours > 36)
