"""What `status.json` says is shown on the pages of the atlas that it concerns, and is text wherever it is."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests import worlds
from tests.browser.conftest import served
from tests.browser.test_quick import WATCH

HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of three atlases, one of which can no longer be read, for a hostile reason."""
    folder = tmp_path_factory.mktemp("status")
    atlases, site = (
        worlds.small(folder / "atlases", "HTA1", "HTA2", "HTA3"),
        worlds.site_folder(folder / "site"),
    )
    worlds.build(site, atlases.folder)
    atlases.projects[0]["id"] = HOSTILE
    atlases.save()
    assert worlds.build(site, atlases.folder).failed == ["HTA1"]
    return site / "public"


@pytest.fixture(scope="module")
def base(site):
    with served(site) as address:
        yield address


def pages(site, folder=""):
    found = (path.relative_to(site).as_posix() for path in (site / folder).rglob("*.html"))
    return sorted(path for path in found if path != "404.html")  # it names its assets from another place


def kind(path):
    return re.sub(r"/(syn\w+|hta1_\w+)/", "/*/", path)


def notices(page):
    page.locator("#checked time").wait_for(state="attached")
    return [text for text in page.locator(".notices .notice").all_inner_texts() if "last checked" not in text]


def test_every_kind_of_page_of_an_atlas_says_that_it_could_not_be_updated(visit, site, base):
    window = visit(base)
    kinds = {kind(path): path for path in pages(site, "hta1")}
    assert len(kinds) >= 7
    for path in kinds.values():
        [text] = notices(window.go(path))
        assert text.startswith(f'HTA1 could not be updated since 1 Jul 2026 ("{HOSTILE}" is no Synapse id'), (
            path
        )
        assert text.endswith("The data shown here is older."), path
        assert window.page.locator(".notices").get_attribute("role") == "status"
    assert window.page.locator(".notices img, .notices script").count() == 0
    assert window.troubles == []


def test_the_home_page_marks_the_atlas_in_its_table_and_says_why(visit, base):
    window = visit(base)
    page = window.go("")
    [text] = notices(page)
    assert text.startswith("HTA1 could not be updated")
    rows = page.locator("table.sortable tbody tr")
    assert rows.nth(0).get_by_role("img", name="could not be updated").is_visible()
    assert page.locator("tbody .mark[role]").count() == 1
    assert rows.nth(0).locator("th").inner_text() == "HTA1"
    assert window.troubles == []


def test_no_page_of_another_atlas_and_no_article_says_so(visit, site, base):
    window = visit(base)
    others = [
        path for path in pages(site) if not path.startswith(("hta1/", "hta3/")) and path != "index.html"
    ]
    for path in others:
        assert notices(window.go(path)) == [], path
    assert len(others) > 20
    assert window.troubles == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            {"state": "unverified", "verified": "2026-07-01T10:00:00Z", "crawled": "2026-07-02T10:00:00Z"},
            "HTA2 could not be verified: its latest changes may be missing here. It was last verified on 1 Jul 2026.",
        ),
        (
            {"state": "unverified", "verified": None, "crawled": "2026-07-02T10:00:00Z"},
            "HTA2 could not be verified: its latest changes may be missing here. It was never verified.",
        ),
        (
            {"state": "failed", "crawled": None, "failed_since": "2026-07-02T10:00:00Z", "reason": "no such project"},
            "HTA2 could not be updated since 2 Jul 2026 (no such project). There is no data of this atlas yet.",
        ),
    ],
)  # fmt: skip
def test_a_page_says_what_the_file_says_today_without_being_made_again(visit, site, tmp_path, entry, said):
    shutil.copytree(site, tmp_path / "public")
    status = worlds.status(site)
    status["atlases"] = {"HTA2": entry, "__proto__": entry}
    (tmp_path / "public/status.json").write_text(json.dumps(status))
    with served(tmp_path / "public") as base:
        window = visit(base)
        assert notices(window.go("hta2/fix/")) == [said]
        assert notices(window.go("hta1/")) == []
        assert window.troubles == []


LINE = "last check, and atlases that could not be updated: status.json"


@pytest.mark.parametrize("path", ["", "hta1/", "hta1/fix/", "about/"])
def test_without_a_script_every_page_leads_to_the_file(visit, base, path):
    page = visit(base, java_script_enabled=False).go(path)
    assert LINE in page.locator("footer").inner_text()
    page.get_by_role("link", name="status.json").click()
    assert page.url == f"{base}status.json"


@pytest.mark.parametrize("harm", ["gone", "no JSON"])
def test_where_the_file_cannot_be_read_the_page_leads_to_it_and_says_nothing_else(
    visit, site, tmp_path, harm
):
    shutil.copytree(site, tmp_path / "public")
    (tmp_path / "public/status.json").unlink()
    if harm == "no JSON":
        (tmp_path / "public/status.json").write_text("<p>Log in first")
    with served(tmp_path / "public") as base:
        window = visit(base)
        page = window.go("hta1/")
        page.wait_for_load_state("networkidle")
        assert LINE in page.locator("footer").inner_text()
        assert page.locator(".notices .notice").count() == 0
        assert [trouble for trouble in window.troubles if "404" not in trouble] == []


def test_a_page_that_is_opened_from_the_disk_leads_to_the_file(visit, site):
    window = visit(f"file://{site}/")
    page = window.go("hta1/index.html")
    assert LINE in page.locator("footer").inner_text()
    assert [trouble for trouble in window.troubles if "script error" in trouble] == []


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, {"width": 390, "height": 844}])
@pytest.mark.parametrize("path", ["", "hta1/", "about/"])
def test_nothing_moves_when_a_page_says_that_an_atlas_failed(visit, base, path, size):
    window = visit(base, viewport=size)
    window.page.add_init_script(WATCH)
    page = window.go(path)
    notices(page)
    page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50)))")
    assert page.evaluate("moved") == []
