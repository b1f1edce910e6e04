"""The pages as readers use them: with and without a script, on a phone, by keyboard, in the dark."""

from __future__ import annotations

import html.parser
import urllib.parse
from pathlib import Path

import pytest

from tests import worlds
from tests.browser.conftest import served

PAGES = (
    "",
    "hta1/",
    "hta1/timeline/",
    "checks/",
    "checks/h_links/",
    "about/",
    "notes/",
    "notes/live-figures/",
    "404.html",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of three small atlases, one of which has an error."""
    folder = tmp_path_factory.mktemp("pages")
    atlases = worlds.small(folder / "atlases", "HTA1", "HTA2", "HTA10")
    project = atlases.projects[0]["id"]
    atlases.manifest(project, project, "Therapy", [
        {"HTAN Participant ID": "HTA1_9", "Treatment Type": "Surgery", "Days to Treatment Start": "3", "Days to Treatment End": "9"}
    ])  # fmt: skip
    atlases.save()
    site = worlds.site_folder(folder / "site")
    worlds.build(site, atlases.folder)
    return site / "public"


@pytest.fixture(scope="module")
def base(site):
    with served(site) as address:
        yield address


def test_without_a_script_every_section_of_an_atlas_can_be_read_and_linked(visit, base):
    page = visit(base, java_script_enabled=False).go("hta1/")
    for name in ("metadata", "validation", "completeness", "longitudinal", "paths", "network"):
        assert page.locator(f"#{name} h2").is_visible(), name
    page = visit(base, java_script_enabled=False).go("hta1/#H_NON_DEM")
    assert page.locator("#H_NON_DEM").is_visible()
    assert "HTA1_9" in page.locator("#H_NON_DEM").inner_text()


def test_the_home_table_is_sorted_by_a_click_and_keeps_its_totals(visit, base):
    page = visit(base).go("")
    column = page.get_by_role("button", name="Errors")
    column.click()
    column.click()
    assert page.locator("tbody tr").first.locator("th").inner_text() == "HTA1"
    page.get_by_role("button", name="Atlas", exact=True).click()
    assert page.locator("tbody th").all_inner_texts() == ["HTA1", "HTA2", "HTA10"]
    assert page.locator("tfoot th").inner_text() == "Total"


def test_the_whole_home_table_is_seen_without_a_bar_of_its_own(visit, base):
    page = visit(base, viewport={"width": 1280, "height": 150}).go("")
    hidden = "box => [box.scrollWidth - box.clientWidth, box.scrollHeight - box.clientHeight]"
    assert page.locator(".wide:has(tfoot)").evaluate(hidden) == [0, 0]


def test_the_page_says_when_the_site_was_checked_last(visit, base):
    page = visit(base).go("hta1/")
    page.locator("#checked time").wait_for()
    assert "last checked" in page.locator("#checked").inner_text()


def test_nothing_is_wider_than_a_phone(visit, base):
    window = visit(base, viewport={"width": 360, "height": 700})
    for path in PAGES[:-1]:
        page = window.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_on_a_phone_the_table_of_the_atlases_fits_and_the_menu_is_one_line(visit, base):
    page = visit(base, viewport={"width": 390, "height": 844}).go("")
    fits = "(one) => one.scrollWidth <= one.clientWidth"
    assert page.get_by_role("region", name="Table of the atlases").evaluate(fits)
    row = page.locator("tbody tr").first
    assert [one.inner_text() for one in row.locator("th, td").all() if one.is_visible()] == [
        "HTA1", "Atlas HTA1", "5.0 kB", "100%", "1", "0",
    ]  # fmt: skip
    page.get_by_role("button", name="Name").click()
    assert page.locator("th[aria-sort]").inner_text().startswith("Name")
    tops = {one.bounding_box()["y"] for one in page.locator("header nav li").all()}
    assert len(tops) == 1
    last = page.locator("header nav a").last
    last.focus()
    box = last.bounding_box()
    assert box["x"] + box["width"] <= 390
    box = (
        visit(base, viewport={"width": 390, "height": 844})
        .go("notes/")
        .locator("header [aria-current]")
        .bounding_box()
    )
    assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(visit, base, scheme):
    page = visit(base, color_scheme=scheme).go("hta1/")
    ratios = page.evaluate(CONTRASTS)
    assert ratios
    assert {what: ratio for what, ratio in ratios.items() if ratio < 4.5} == {}


def test_the_first_stop_of_the_keyboard_is_the_way_to_the_content(visit, base):
    page = visit(base).go("hta1/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"


@pytest.mark.parametrize("path", PAGES)
def test_each_page_has_one_heading_a_title_a_description_and_a_strict_policy(visit, base, path):
    page = visit(base, java_script_enabled=False).go(path)
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title()
    assert page.locator("meta[name=description]").get_attribute("content")
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


class Links(html.parser.HTMLParser):
    """The ids of a page and what it points to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src"):
                self.targets.append(value)


def test_every_link_within_the_site_leads_somewhere_and_no_id_stands_twice(site):
    pages = {path: Links(path.read_text()) for path in site.rglob("*.html")}
    for path, links in pages.items():
        assert len(links.ids) == len(set(links.ids)), path
        for target in links.targets:
            parts = urllib.parse.urlsplit(target)
            if parts.scheme:
                continue
            found = resolved(site, path, parts.path)
            assert found.is_file(), f"{path}: {target}"
            if parts.fragment and found in pages:
                assert parts.fragment in pages[found].ids, f"{path}: {target}"


def resolved(site: Path, page: Path, target: str) -> Path:
    """The file of the site that a link on a page leads to."""
    if not target:
        return page
    start = site if target.startswith("/") else page.parent
    found = (start / target.lstrip("/")).resolve()
    return found / "index.html" if target.endswith("/") or found.is_dir() else found


CONTRASTS = """() => {
  const channel = (value) => (value /= 255, value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const numbers = (color) => color.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const color = numbers(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const one of document.querySelectorAll("p, h1, h2, a, dt, dd, td, th, .severity, .small, .where, .expected, code")) {
    if (!one.textContent.trim() || !one.checkVisibility()) continue;
    const [a, b] = [light(numbers(getComputedStyle(one).color)), light(ground(one))];
    const what = `${one.tagName}.${one.className}`;
    found[what] = Math.min(found[what] ?? 21, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return found;
}"""
