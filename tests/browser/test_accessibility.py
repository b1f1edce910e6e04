"""Every kind of page, for readers who do not see it, have no mouse, or run no script."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from hdash_site.pages.site import remembered
from hdash_site.state.store import opened
from tests import worlds
from tests.browser.conftest import follow, served

NO_PAGES = {"download", "dataset", "sitemap", "asset", "feed", "atom", "resource", "shards"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site that has every kind of page, and findings and changes in it."""
    folder = tmp_path_factory.mktemp("accessible")
    atlases = worlds.small(folder / "atlases", "HTA1", "HTA2")
    site = worlds.site_folder(folder / "site")
    worlds.build(site, atlases.folder)
    project = atlases.projects[0]["id"]
    therapy = {"Treatment Type": "Surgery", "Days to Treatment Start": "3", "Days to Treatment End": "9"}
    atlases.manifest(project, project, "Therapy", [{"HTAN Participant ID": "HTA1_9", **therapy}])
    atlases.save()
    (site / "content/all.md").write_text(
        '+++\ntitle = "All that an article may hold"\naliases = ["old/"]\ntags = ["a tag"]\nmenu = true\n+++\n'
        "## A table\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\n$ code\n```\n\n1. [A link](../about/)\n\n> Said.\n\n"
        '{{< trend atlas="HTA1" field="records" >}}\n'
    )
    worlds.build(site, atlases.folder)
    return site


@pytest.fixture(scope="module")
def kinds(site):
    """A page of each kind, by kind; the one with the most bytes, as it has the most in it."""
    found: dict[str, tuple[int, str]] = {}
    with opened(site / "cache") as store:
        for path, file in remembered(store).items():
            kind = file.key.name.partition("/")[0]
            if path.endswith(".html"):
                size = len((site / "public" / path).read_bytes())
                found[kind] = max(found.get(kind, (0, "")), (size, path))
    return {kind: path for kind, (_, path) in found.items()}


@pytest.fixture(scope="module")
def base(site):
    with served(site / "public") as address:
        yield address


def test_there_is_a_page_of_every_kind(kinds):
    from hdash_site.pages.rules import KINDS

    assert set(kinds) == set(KINDS) - NO_PAGES


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_kind_of_page(visit, base, site, kinds, scheme):
    window = visit(base, color_scheme=scheme)
    found = {}
    for kind, path in kinds.items():
        if kind == "redirect":  # it leads on before anybody can look at it
            text = (site / "public" / path).read_text()
            window.page.set_content(re.sub("<meta http-equiv[^>]*>", "", text))
        else:
            page = window.go(path)
            page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        for violation in Axe().run(window.page).response["violations"]:
            nodes = [node["html"][:150] for node in violation["nodes"][:3]]
            found[kind, violation["id"]] = (violation["help"], nodes)
    assert found == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_search_and_in_a_filtered_table(visit, base, scheme):
    page = visit(base, color_scheme=scheme).go("?filter.atlases=hta1&sort.atlases=-size")
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    page.keyboard.press("/")
    page.keyboard.type("hta1")
    page.locator(".finder li").first.wait_for()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []


STOPS = """() => [...document.querySelectorAll("a[href], button, summary, [tabindex='0'], input, select")]
  .filter((one) => one.checkVisibility()).length"""
HERE = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  if (one === document.body) return null;
  const seen = one.dataset.reached === "yes";
  one.dataset.reached = "yes";
  return [seen, style.outlineStyle !== "none" || style.boxShadow !== "none", one.outerHTML.slice(0, 100)];
}"""


def test_the_tab_key_reaches_every_stop_once_and_shows_where_it_is(visit, base, kinds):
    window = visit(base)
    for kind in sorted(set(kinds) - {"redirect"}):
        page = window.go(kinds[kind])
        stops = page.evaluate(STOPS)
        for number in range(stops):
            page.keyboard.press("Tab")
            here = page.evaluate(HERE)
            assert here is not None, f"{kind}: no stop after {number} of {stops}"
            again, shown, what = here
            assert not again, f"{kind}: caught at {what}"
            assert shown, f"{kind}: nobody sees that {what} is at hand"


def test_by_keyboard_alone_one_gets_from_the_atlases_to_what_to_do(visit, base):
    page = visit(base).go("")
    for name, address in (("HTA1", "hta1/"), ("What this check wants, and what to do", "checks/")):
        for _ in range(200):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent.trim()") == name:
                break
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{address}**")


def test_without_a_script_every_kind_of_page_says_as_much_as_with_one(visit, base, kinds):
    words = "() => document.querySelector('main').textContent.replace(/\\s+/g, ' ').trim()"
    with_script, without = visit(base), visit(base, java_script_enabled=False)
    for kind in sorted(set(kinds) - {"redirect"}):
        said = with_script.go(kinds[kind]).evaluate(words)
        page = without.go(kinds[kind])
        assert re.sub(r"\s+", " ", page.locator("main").text_content() or "").strip() == said, kind
        assert page.locator("h1").is_visible(), kind
        assert page.locator("main [hidden]").count() == 0, kind


def test_without_a_script_one_gets_from_the_atlases_to_what_to_do(visit, base):
    page = visit(base, java_script_enabled=False).go("")
    follow(page.get_by_role("link", name="HTA1", exact=True))
    follow(page.get_by_role("link", name="What this check wants, and what to do").first)
    assert "What to do" in page.locator("main").inner_text()
    page = visit(base, java_script_enabled=False).go("old/")
    page.wait_for_url("**/all/")
