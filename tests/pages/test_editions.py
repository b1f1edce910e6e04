"""The pages of the history: lists of editions, a page each, a feed, lines on the home page."""

from __future__ import annotations

import gzip
import json
import re
import xml.etree.ElementTree as ET

import pytest

from hdash_site.htan.history import FIGURES
from hdash_site.pages import charts
from hdash_site.pages.history import History, name_of
from tests import worlds
from tests.pages.sites import Site

ATOM = "{http://www.w3.org/2005/Atom}"
HOME_LIMIT = 80_000
"""Bytes of the home page, compressed."""


def night(number):
    """The time of a night, one a day."""
    return f"{2026 + number // 336}-{1 + number // 28 % 12:02}-{1 + number % 28:02}T03:00:00+00:00"


def edition(number, atlases=14):
    """An edition as large as they get with so many atlases that all change."""
    ids = [f"HTA{atlas}" for atlas in range(1, atlases + 1)]
    figures = dict.fromkeys(FIGURES, 1000000 + 977 * number)
    checks = {f"H_CHECK_{code}": [number, 3, night(0)] for code in range(10)}
    return {
        "when": night(number),
        "before": night(number - 1) if number else "",
        "totals": {name: atlases * figures[name] for name in FIGURES},
        "risen": {"files": atlases * 977} if number else {},
        "atlases": {atlas: {"figures": figures, "checks": checks} for atlas in ids},
        "arrived": [],
        "gone": [],
        "changes": {atlas: {"risen": {"files": 977}, "new": {"H_CHECK_1": 1}} for atlas in ids}
        if number
        else {},
    }


def given(site: Site, count: int) -> None:
    """Give a site so many editions, as of other atlases of its source, which are gone."""
    editions = [(night(number), json.dumps(edition(number))) for number in range(count)]
    source = worlds.source_of(site.folder, site.atlases.folder)
    worlds.give_history(site.folder / "cache", worlds.History(editions, "{}", source))


def names(site):
    return sorted(path.name for path in (site.folder / "public/changes").iterdir() if path.name[:3] == "202")


def test_a_first_build_begins_the_history_and_draws_no_line(site):
    site.build(today="2026-07-01T03:04:05+00:00")
    assert names(site) == ["2026-07-01-03-04-05"]
    home = site.page("")
    assert 'href="changes/2026-07-01-03-04-05/"' in home
    assert "The figures are kept since 1 Jul 2026, 03:04 GMT." in home
    assert 'class="line"' not in home
    assert "The history begins, with 1 atlas, 1 file, 4 records." in site.page("changes/2026-07-01-03-04-05")


def test_a_build_with_the_same_figures_adds_nothing(site):
    site.build(today="2026-07-01")
    result = site.build(today="2026-07-02")
    assert result.ran == []
    assert names(site) == ["2026-07-01-00-00-00"]


def test_a_build_with_other_figures_adds_a_page_and_makes_no_older_one_again(site):
    site.build(today="2026-07-01")
    old = site.page("changes/2026-07-01-00-00-00")
    therapy = add_a_manifest(site)
    ran = site.built(today="2026-07-02")
    assert "page:edition/2026-07-02-00-00-00" in ran
    assert "page:edition/2026-07-01-00-00-00" not in ran
    assert site.page("changes/2026-07-01-00-00-00") == old
    assert names(site) == ["2026-07-01-00-00-00", "2026-07-02-00-00-00"]
    text = words(site.page("changes/2026-07-02-00-00-00"))
    assert "HTA1: 1 record more, 1.0 kB more, 1 manifest added, 1 new finding." in text
    assert f"HTA1 added Therapy {therapy}" in text
    assert re.search("HTA1 H_NON_DEM 1 0 1 2026-07-02", text)
    assert "Components that appear for the first time HTA1 : Therapy" in text


def test_an_edition_tells_what_was_fixed_and_what_is_open_since_when(site):
    therapy = add_a_manifest(site)
    site.build(today="2026-07-01")
    site.atlases.atlas("HTA2")
    site.atlases.save()
    site.build(today="2026-07-02")
    text = words(site.page("changes/2026-07-02-00-00-00"))
    assert "HTA2 new" in text
    assert "HTA1 H_NON_DEM 1 0 2026-07-01" in text
    assert "HTA2 H_DEM 1 0 2026-07-02" in text
    assert "1 atlas has the figures of before." in text
    site.atlases.manifests.pop(therapy)
    site.atlases.files[:] = [row for row in site.atlases.files if row["id"] != therapy]
    site.atlases.save()
    site.build(today="2026-07-03")
    text = words(site.page("changes/2026-07-03-00-00-00"))
    assert "1 manifest removed, 1 finding fixed" in text
    assert "HTA1 H_NON_DEM 0 1 0 –" in text
    assert f"HTA1 removed Therapy {therapy}" in text


def test_two_builds_within_a_second_have_an_edition_each(site):
    site.build(today="2026-07-01")
    add_a_manifest(site)
    site.build(today="2026-07-01")
    assert names(site) == ["2026-07-01-00-00-00", "2026-07-01-00-00-01"]


def test_a_build_without_a_crawl_makes_no_history(site):
    """As those of a preview: settings may make other figures, and pages show the history that there is."""
    site.build(today="2026-07-01")
    site.write("site.toml", 'title = "T"\n[[component]]\nname = "Demographics"\nlabel = "People"\n')
    before = site.page("changes/2026-07-01-00-00-00")
    result = site.build(today="2026-07-02", offline=True)
    assert result.problems == []
    assert names(site) == ["2026-07-01-00-00-00"]
    assert words(site.page("changes/2026-07-01-00-00-00")) == words(before).replace("Test site", "T")


def test_without_any_edition_the_pages_say_so(site):
    site.build(today="2026-07-01")
    worlds.lose_history(site.folder / "cache")
    site.build(offline=True)
    assert "No figures are kept yet." in site.page("")
    assert "No figures are kept yet." in site.page("changes")
    assert names(site) == []
    feed = ET.parse(site.folder / "public/changes/feed.xml").getroot()
    assert feed.findall(f"{ATOM}entry") == []


def test_the_feed_is_atom_with_the_newest_thirty_in_full_addresses(site):
    given(site, 40)
    site.build(today="2027-07-01")
    feed = ET.parse(site.folder / "public/changes/feed.xml").getroot()
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 30
    assert feed.findtext(f"{ATOM}updated") == "2027-07-01T00:00:00+00:00"
    assert entries[0].findtext(f"{ATOM}id") == "https://example.org/changes/2027-07-01-00-00-00/"
    assert entries[0].findtext(f"{ATOM}title") == "What changed on 1 Jul 2027, 00:00 GMT"
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 30
    assert all(entry.findtext(f"{ATOM}summary") for entry in entries)
    assert feed.find(f"{ATOM}author/{ATOM}name").text == "Test site"


def test_a_feed_without_a_base_url_still_names_each_edition_alone(site):
    site.write("site.toml", 'title = "T"\n')
    given(site, 3)
    site.build(today="2027-07-01")
    feed = ET.parse(site.folder / "public/changes/feed.xml").getroot()
    ids = [one.text for one in feed.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids) == 5
    assert all(one.startswith("urn:uuid:") for one in ids)


@pytest.mark.parametrize(("count", "pages"), [(49, 0), (50, 1), (98, 1), (99, 1), (100, 2)])
def test_lists_hold_fifty_and_every_edition_is_in_one(site, count, pages):
    """A build adds one edition to so many."""
    given(site, count)
    site.build(today="2029-07-01")
    lists = ["changes", *(f"changes/page-{number}" for number in range(1, pages + 1))]
    assert not site.has(f"changes/page-{pages + 1}")
    listed = [re.findall(r'<li><a href="[./]*changes/(\d[^/"]*)/', site.page(path)) for path in lists]
    assert [len(some) for some in listed] == [min(50, count + 1)] + [50] * pages
    assert sorted({name for some in listed for name in some}) == names(site)
    assert all(some == sorted(some, reverse=True) for some in listed)


def test_a_list_of_older_editions_is_made_once(site):
    given(site, 60)
    site.build(today="2029-07-01")
    add_a_manifest(site)
    ran = site.built(today="2029-07-02")
    assert {key for key in ran if key.startswith("page:changes/")} == {"page:changes/"}


def test_with_400_editions_the_pages_stay_small(site):
    given(site, 400)
    site.build(today="2029-07-01")
    public = site.folder / "public"
    home = (public / "index.html").read_bytes()
    assert home.count(b'class="line"') == 4
    assert len(gzip.compress(home)) < HOME_LIMIT / 10
    lists = [
        public / "changes/index.html",
        *public.glob("changes/page-*/index.html"),
        public / "changes/feed.xml",
    ]
    assert len(lists) == 2 + 8
    assert max(path.stat().st_size for path in lists) < 40_000


def test_a_line_goes_over_the_last_ninety_editions(site):
    given(site, 120)
    site.build(today="2029-07-01")
    first = night(31)[:10]
    label = rf'aria-label="Data files: [\d,]+ on {first}, 1 on 2029-07-01, never below 1 nor above [\d,]+"'
    assert re.search(label, site.page(""))


def test_a_line_is_level_and_then_it_steps():
    days = [("2026-07-01T00:00:00+00:00", 10, "10"), ("2026-07-02T00:00:00+00:00", 10, "10")]
    days.append(("2026-07-11T00:00:00+00:00", 30, "30"))
    line = charts.trend("Files", days)
    assert line.path == "M0 44H22H220V0"
    assert (line.values, line.lowest, line.highest) == (
        [("2026-07-01", "10"), ("2026-07-11", "30")],
        "10",
        "30",
    )
    assert (line.x, line.y) == (220, 0)
    assert charts.trend("Files", days[:2]).path == "M0 22H220"
    assert charts.trend("Files", days[:1]) is None


def test_a_trend_in_an_article_follows_one_atlas_or_all(site):
    site.article("lines.md", '{{< trend atlas="HTA1" field="records" >}}\n\n{{< trend field="complete" >}}')
    site.build(today="2026-07-01")
    assert "Records: the figures are kept since 2026-07-01" in site.page("lines")
    add_a_manifest(site)
    assert "page:article/lines.md" in site.built(today="2026-07-02")
    page = site.page("lines")
    assert 'aria-label="HTA1: Records: 4 on 2026-07-01, 5 on 2026-07-02' in page
    assert 'aria-label="Complete: 100% on 2026-07-01' in page
    assert site.built(today="2026-07-03") == set()


def test_a_trend_of_an_atlas_that_is_missing_is_an_error_with_its_line(site):
    site.article("lines.md", '{{< trend atlas="HTA7" field="files" >}}')
    assert "content/lines.md, line 5: there is no atlas 'HTA7'" in site.problems()


def test_names_are_safe_in_a_path_and_in_the_order_of_time():
    assert name_of("2026-11-24T03:04:05+00:00") == "2026-11-24-03-04-05"
    history = History([(night(number), "{}") for number in range(3)])
    assert json.loads(history.answer("", "index").load()) == [name_of(night(number)) for number in range(3)]
    assert history.answer("2020-01-01-00-00-00", "") is None
    assert history.answer("", "nonsense") is None


def test_what_strangers_named_is_text_on_the_page_of_an_edition(site):
    site.build(today="2026-07-01")
    project = site.atlases.atlas('<b>"x"')
    site.atlases.manifest(project, project, "<script>", worlds.demographics("HTA9_1"))
    site.atlases.save()
    site.build(today="2026-07-02")
    for path in ("changes/2026-07-02-00-00-00", "changes", ""):
        assert "<b>" not in site.page(path)
        assert "<script>" not in site.page(path)
    ET.parse(site.folder / "public/changes/feed.xml")


def add_a_manifest(site):
    """Add one with a participant that nobody knows."""
    project = site.atlases.projects[0]["id"]
    rows = [{"Component": "Therapy", "HTAN Participant ID": "HTA1_99", "Treatment Type": "Surgery"}]
    entity = site.atlases.manifest(project, project, "Therapy", rows)
    site.atlases.save()
    return entity


def words(page):
    """What a reader reads, without the tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())
