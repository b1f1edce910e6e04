"""Builds one after the other at a desk: only what is said to be saved is looked at, unless others wrote."""

from __future__ import annotations

import multiprocessing

import pytest

from hdash_site.app import MANY_SAVED, Desk
from hdash_site.engine import processes
from hdash_site.htan import descents
from hdash_site.options import Options
from hdash_site.pages import limits
from hdash_site.state import rows
from tests import slow, worlds


@pytest.fixture
def site(tmp_path):
    return worlds.site_folder(tmp_path / "site")


@pytest.fixture
def build(site, tmp_path):
    atlases = worlds.small(tmp_path / "atlases", "HTA1").folder
    about(site, "Words.")
    desk = Desk()
    desk.build(Options(site, atlases), ())

    def build(*saved):
        return [str(event.key) for event in desk.build(Options(site, offline=True), saved).ran]

    return build


def about(site, words):
    path = site / "content/about.md"
    path.write_text(f'+++\ntitle = "About"\n+++\n{words}\n')
    return path


def test_what_nobody_saved_is_not_looked_at(site, build):
    path = about(site, "One.")
    assert build() == []
    assert build(path) == ["article:about.md", "page:article/about.md"]


def test_what_is_known_is_not_asked_of_the_state_again(site, build, monkeypatch):
    build(about(site, "One."))

    def asked():
        pytest.fail("the traces of all tasks were read")

    monkeypatch.setattr(rows, "traces", asked)
    assert build(about(site, "Two.")) == ["article:about.md", "page:article/about.md"]


def test_after_another_run_all_is_looked_at(site, build, tmp_path):
    about(site, "One.")
    worlds.build(site, tmp_path / "atlases")
    about(site, "Two.")
    assert build() == ["article:about.md", "page:article/about.md"]


def test_after_many_saves_all_is_looked_at(site, build):
    """A system that is asked to tell of many files may leave some out."""
    about(site, "One.")
    assert build(*(site / f"content/{n}.md" for n in range(MANY_SAVED + 1))) != []


def test_a_build_that_failed_as_a_whole_is_told_again_what_was_saved(site, build):
    path = about(site, "One.")
    settings = site / "site.toml"
    text = settings.read_text()
    settings.write_text("title =")
    with pytest.raises(worlds.app.HdashError, match=r"site\.toml"):
        build(path, settings)
    settings.write_text(text)
    assert build(settings) == ["article:about.md", "page:article/about.md"]


def test_a_failed_page_is_tried_again_and_the_others_are_left_alone(site, build):
    path = about(site, "{{< no >}}")
    # Whether lists may name it is asked anew.
    assert build(path) == ["article:about.md", "unlisted:"]
    assert build(about(site, "Two.")) == ["article:about.md", "unlisted:", "page:article/about.md"]


def test_what_somebody_looks_at_is_there_before_the_rest(site, tmp_path):
    about(site, "Words.")
    desk = Desk()
    desk.build(Options(site, worlds.small(tmp_path / "atlases", "HTA1").folder), ())
    base = site / "layouts/base.mako"
    base.write_text(base.read_text().replace("</body>", "<!-- changed --></body>"))
    seen = []

    def shown(deployed):
        pages = [path for path in ("about/index.html", "index.html") if "<!-- changed" in read(path)]
        seen.append(([path for path, _ in deployed.written], pages))

    def read(path):
        return (site / "public" / path).read_text()

    result = desk.build(Options(site, offline=True), [base], ["about/index.html"], shown)
    assert seen == [(["about/index.html"], ["about/index.html"])]
    written = [path for path, _ in result.deployed.written]
    assert len(written) == len(set(written))
    assert {"about/index.html", "index.html"} <= set(written)
    assert "<!-- changed" in read("index.html")


def test_saves_of_large_articles_are_all_converted_by_one_process(site, build):
    before = set(multiprocessing.active_children())
    large = "Words.\n" * (limits.LARGE // 7)
    started = []
    for number in range(3):
        assert build(about(site, f"{large}{number}")) == ["article:about.md", "page:article/about.md"]
        started.append(set(multiprocessing.active_children()) - before)
    assert len(started[0]) == 1
    assert started[0] == started[1] == started[2]


def test_saves_of_small_articles_start_no_process(site, build):
    before = set(multiprocessing.active_children())
    build(about(site, "Words."))
    assert set(multiprocessing.active_children()) <= before


def test_a_step_that_exceeded_its_limit_is_not_made_again_at_each_save(site, tmp_path, monkeypatch):
    atlases = worlds.small(tmp_path / "atlases", "HTA1").folder
    with (site / "site.toml").open("a") as file:
        file.write("[limits]\nseconds = 0.5\n")
    monkeypatch.setattr(limits, "LARGE", 0)
    monkeypatch.setattr(descents, "facets", slow.spin)
    desk = Desk()
    assert desk.build(Options(site, atlases), ()).failed == ["HTA1"]
    used = []
    answer_of = processes._answer_of
    monkeypatch.setattr(processes, "_answer_of", lambda *given: used.append(given) or answer_of(*given))
    for number in range(3):
        result = desk.build(Options(site, offline=True), {about(site, str(number))})
        assert result.failed == ["HTA1"]
    assert len(used) == 3, "the article at each save"
