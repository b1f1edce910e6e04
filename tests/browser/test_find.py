"""Looking an id up: what is found, how it is reached, and how much has to be fetched for it."""

from __future__ import annotations

import json
import re

import pytest

from hdash_site.htan import descents, listing, parsing
from hdash_site.pages.kinds.shards import DIRECTORY
from tests import worlds
from tests.browser.conftest import Fetched, follow, served
from tests.htan import helpers

PARTICIPANTS, FILES = 600, 300_000


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A site whose index of one atlas has 300,000 ids, made by the domain alone."""
    folder = tmp_path_factory.mktemp("find")
    atlases = worlds.small(folder / "atlases", "HTA1", "HTA2")
    project = atlases.projects[1]["id"]
    # HTA1 holds an id that begins like those of HTA2, and a malformed one.
    odd = worlds.demographics("HTA2_77", "see <b>the</b> table")
    atlases.manifest(project, atlases.entity(project, project, "odd", "folder"), "Demographics", odd)
    project = atlases.projects[0]["id"]
    odd = worlds.demographics("HTA2_78", "see <b>that</b> table")
    atlases.manifest(project, atlases.entity(project, project, "odd", "folder"), "Demographics", odd)
    atlases.save()
    site = worlds.site_folder(folder / "site")
    worlds.build(site, atlases.folder)
    place = site / "public/find/hta1"
    for path in place.iterdir():
        path.unlink()
    found = index()
    (place / DIRECTORY).write_bytes(found["directory"])
    for name, text in json.loads(found["shards"]).items():
        (place / f"{name}.json").write_text(text)
    with served(site / "public") as base:
        yield base


def index():
    """Participants with biospecimens, each with a chain of files of four levels."""
    people = [f"HTA1_{1000 + n}" for n in range(PARTICIPANTS)]
    tables = [
        helpers.table("Demographics", "HTAN Participant ID|Gender", *(f"{who}|female" for who in people))
    ]
    samples = [f"{people[n % PARTICIPANTS]}_{n}" for n in range(5 * PARTICIPANTS)]
    rows = (f"{own}|{people[n % PARTICIPANTS]}" for n, own in enumerate(samples))
    tables.append(helpers.table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", *rows))
    # One participant in ten has half of the files, as in HTAN.
    owners = [samples[n // 10 % 300 if n % 2 else n % len(samples)] for n in range(FILES // 4)]
    above = owners
    for level in range(1, 5):
        column = "HTAN Parent Biospecimen ID" if level == 1 else "HTAN Parent Data File ID"
        own = [f"{owner[: owner.rfind('_')]}_{level}{n:09}" for n, owner in enumerate(owners)]
        rows = (f"{one}|{parent}|syn1" for one, parent in zip(own, above, strict=True))
        tables.append(helpers.table(f"ScRNA-seqLevel{level}", f"HTAN Data File ID|{column}|entityId", *rows))
        above = own
    stem = samples[-1][: samples[-1].rfind("_")]
    for level, column, parent in (
        (2, "HTAN Parent Biospecimen ID", samples[-1]),
        (4, "HTAN Parent Data File ID", f"{stem}_7000000002"),
    ):
        row = f"{stem}_700000000{level}|{parent}|syn1"
        tables.append(helpers.table(f"ImagingLevel{level}", f"HTAN Data File ID|{column}|entityId", row))
    entities, read = [], {}
    for number, data in enumerate(tables):
        entities.append(helpers.entity(f"syn{100 + number}", f"folder {number}", "folder"))
        name = "synapse_storage_manifest_x.csv"
        entities.append(helpers.entity(f"syn{200 + number}", name, parent=f"syn{100 + number}"))
        read[f"syn{200 + number}"] = {"ids": parsing.facets(data)["ids"]}
    listed = listing.facets(helpers.listing_of(*entities), helpers.PROJECT, ())["manifests"]
    return descents.facets("HTA1", listed, read, "[]")


def said(page, text):
    page.get_by_role("status").filter(has_text=text).wait_for()


def test_imaging_begins_at_level_2_so_level_1_is_not_missing(visit, large):
    window = visit(large)
    page = window.go(f"find/#HTA1_{999 + PARTICIPANTS}_7000000004")
    said(page, "Found HTA1_")
    assert page.locator("article.id .levels li").all_inner_texts() == [
        "Level 1: none yet",
        "Level 2: there",
        "Level 3: missing",
        "Level 4: there",
    ]


def test_by_keyboard_alone_one_finds_an_id_and_goes_up_to_its_participant(visit, large):
    window = visit(large)
    page = window.go("find/")
    fetched = Fetched(window)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "id":
            break
    page.keyboard.type("HTA1_1000_3000000000")
    page.keyboard.press("Enter")
    said(page, "Found HTA1_1000_3000000000")
    assert page.url.endswith("find/#HTA1_1000_3000000000")
    assert fetched.is_little(), fetched.sizes
    assert len(fetched.sizes) == 2
    card = page.locator("article.id")
    assert card.locator("h2").inner_text().split("\n")[0].startswith("HTA1_1000_3000000000")
    assert card.locator("ol li").all_inner_texts() == [
        "HTA1_1000 Demographics",
        "HTA1_1000_0 Biospecimen",
        "HTA1_1000_1000000000 scRNA-seq Level 1",
        "HTA1_1000_2000000000 scRNA-seq Level 2",
    ]
    assert card.locator("ul li").first.inner_text() == "1 × scRNA-seq Level 4: HTA1_1000_4000000000"
    assert card.locator(".levels li").all_inner_texts() == [f"Level {n}: there" for n in range(1, 5)]
    assert (
        card.get_by_role("link", name="its manifest syn204").get_attribute("href")
        == "../hta1/manifests/syn204/"
    )
    links = card.locator("ol a")
    assert links.first.get_attribute("href") == "../hta1/participants/hta1_1000/"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "HTA1_1000_2000000000":
            break
    page.keyboard.press("Enter")
    said(page, "Found HTA1_1000_2000000000")
    assert page.locator("#id").input_value() == "HTA1_1000_2000000000"
    page.go_back()
    said(page, "Found HTA1_1000_3000000000")
    assert window.troubles == []


def test_by_mouse_one_finds_what_begins_alike_and_picks_from_it(visit, large):
    window = visit(large)
    page = window.go("find/")
    fetched = Fetched(window)
    page.locator("#id").click()
    page.locator("#id").press_sequentially("hta1_1003", delay=0)
    page.get_by_role("button", name="Find").click()
    said(page, "ids begin with it")
    assert fetched.is_little(), fetched.sizes
    matches = page.locator(".matches a")
    assert matches.count() == 50
    assert all(text.startswith("HTA1_1003") for text in matches.all_inner_texts())
    assert "more: type more of the id" in page.locator("#found").inner_text()
    matches.first.click()
    said(page, "Found HTA1_1003_")
    assert page.locator("article.id").count() == 1
    assert window.troubles == []


@pytest.mark.parametrize(
    "typed",
    [
        "HTA1_1000",
        "HTA1_1599_4000074999",
        "HTA1_1",
        "HTA1_",
        "HTA1_1299_",
        "HTA1_9",
        "HTA2_1_1",
        "HTA2_7",
        "HTA1_1000_1",
    ],
)
def test_no_look_up_fetches_more_than_it_may(visit, large, typed):
    window = visit(large)
    window.page.goto("about:blank")
    fetched = Fetched(window)
    page = window.go(f"find/#{typed}")
    said(page, re.compile("Found|begin"))
    assert fetched.sizes
    assert fetched.is_little(), fetched.sizes
    assert window.troubles == []


def test_a_participant_is_found_with_its_page_and_all_that_comes_from_it(visit, large):
    page = visit(large).go("find/#HTA1_1400")
    said(page, "Found HTA1_1400")
    link = page.get_by_role("link", name="the page of this participant")
    assert link.get_attribute("href") == "../hta1/participants/hta1_1400/"
    lines = page.locator("article.id > ul").first.locator("li").all_inner_texts()
    assert [line.partition(":")[0].partition(" × ")[2] for line in lines] == [
        "Biospecimen", "scRNA-seq Level 1", "scRNA-seq Level 2", "scRNA-seq Level 3", "scRNA-seq Level 4",
    ]  # fmt: skip


def test_ids_that_do_not_begin_like_their_atlas_are_found_too(visit, large):
    window = visit(large)
    page = window.go("find/#HTA2_78")
    said(page, "Found HTA2_78")
    assert "Participant of HTA1" in page.locator("article.id").inner_text()
    page = window.go("find/#HTA2_77")
    assert "Participant of HTA2" in page.locator("article.id").inner_text()
    page = window.go("find/#HTA2_7")
    said(page, "2 ids begin with it")
    assert page.locator(".matches a").all_inner_texts() == ["HTA2_77", "HTA2_78"]
    assert window.troubles == []


def test_a_malformed_id_is_not_in_the_index_and_is_shown_as_it_is_typed(visit, large):
    window = visit(large)
    page = window.go("find/#see%20%3Cb%3E")
    said(page, "No id begins with see <b>.")
    assert page.locator("#found b").count() == 0
    assert window.troubles == []


def test_what_is_not_there_is_said_and_an_atlas_alone_leads_to_its_participants(visit, large):
    page = visit(large).go("find/#HTA1_1000_77")
    said(page, "No id begins with HTA1_1000_77.")
    page.locator("#id").fill("HTA")
    said(page, "Go on with _ and a number")
    assert page.locator("#found a").all_inner_texts() == ["Participants of HTA1", "Participants of HTA2"]
    page.locator("#id").fill("")
    page.locator("#said:empty").wait_for(state="attached")
    assert page.locator("#found").inner_text() == ""


@pytest.mark.parametrize("query", ["find/?id=HTA2_1_1", "find/index.html#HTA2_1_1", "find/#hta2_1_1"])
def test_an_address_with_an_id_can_be_shared(visit, large, query):
    page = visit(large).go(query)
    said(page, "Found HTA2_1_1")
    follow(page.get_by_role("link", name="its manifest"))
    assert "Biospecimen" in page.locator("h1").inner_text()


HOSTILE = ("<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "../../x", "javascript:alert(1)", "%", "%zz", "é\u202e", "#", "HTA1_" + "9" * 5_000)  # fmt: skip


@pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_typed_is_text(visit, large, typed):
    window = visit(large)
    page = window.go("find/")
    page.locator("#id").fill(typed)
    page.keyboard.press("Enter")
    said(page, "No id begins with")
    assert page.locator("#said *, #found *").count() == 0
    page.reload()
    said(page, "No id begins with")
    assert window.troubles == []


def test_an_index_that_cannot_be_read_is_said(visit, large):
    window = visit(large)
    page = window.go("find/")
    page.route("**/directory.json", lambda route: route.abort())
    page.locator("#id").fill("HTA1_1000")
    said(page, "The index could not be read")


def test_without_a_script_the_page_leads_to_the_participants(visit, large):
    page = visit(large, java_script_enabled=False).go("find/")
    assert "Without it, begin with the participants" in page.locator("main").inner_text()
    follow(page.get_by_role("link", name="HTA2"))
    follow(page.get_by_role("link", name="HTA2_1", exact=True))
    assert page.locator("h1 bdi").first.inner_text() == "HTA2_1"
    assert page.locator(".lineage text").all_text_contents() == [
        "HTA2_1",
        "HTA2_1_1",
        "scRNA-seq Level 1: 1",
    ]
