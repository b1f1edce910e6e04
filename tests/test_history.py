"""Ten nights over a collection that moves: what each adds to the history, and what its pages are made of."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from hdash_site import app, upkeep
from hdash_site.options import Deadline
from hdash_site.state.store import SOURCE, opened
from tests import worlds


class Nights:
    """Nights of one site on one disk, a day each."""

    def __init__(self, folder):
        self.folder = folder
        self.site = worlds.site_folder(folder / "site")
        self.atlases = worlds.small(folder / "atlases", "HTA1", "HTA2", "HTA3")
        self.day = 0

    def night(self, **more):
        """Build on the next day; give what ran, and the edition of the night or None."""
        self.day += 1
        self.atlases.save()
        today = f"2026-07-{self.day:02}T03:00:00+00:00"
        result = worlds.build(self.site, self.atlases.folder, today=today, **more)
        assert result.problems == []
        last = self.editions()[-1]
        return {str(event.key) for event in result.ran}, last if last["when"] == today else None

    def editions(self):
        with opened(self.site / "cache") as store:
            return [json.loads(text) for _, text in store.editions(store.fact(SOURCE))]

    def clean(self):
        """Build the same with the same history in a fresh cache, and give the site."""
        place = self.folder / f"clean-{self.day}"
        worlds.carry_history(self.site / "cache", place / "cache")
        today = f"2026-07-{self.day:02}T03:00:00+00:00"
        places = {"output": place / "public", "cache": place / "cache"}
        worlds.build(self.site, self.atlases.folder, today=today, **places)
        return worlds.tree(place / "public")

    def tree(self):
        return worlds.tree(self.site / "public")

    def project(self, atlas):
        [project] = [row["id"] for row in self.atlases.projects if row["atlas_id"] == atlas]
        return project

    def replace(self, entity, old, new):
        self.atlases.manifests[entity] = self.atlases.manifests[entity].replace(old, new)

    def remove(self, entity):
        self.atlases.files[:] = [row for row in self.atlases.files if row["id"] != entity]
        self.atlases.manifests.pop(entity)


@pytest.fixture
def nights(tmp_path):
    return Nights(tmp_path)


def test_ten_nights_give_the_editions_of_what_moved_and_pages_that_are_made_once(nights):
    therapy = [{"Component": "Therapy", "HTAN Participant ID": "HTA1_99", "Treatment Type": "Surgery"}]
    first, second, third = map(nights.project, ("HTA1", "HTA2", "HTA3"))
    demographics = [row["id"] for row in nights.atlases.files if row["Component"] == "Demographics"]
    another_file = {"risen": {"files": 1, "bytes": 1000}}
    made = []

    def night():
        """Give the edition of a night, whose page is the only one of an edition that is made.

        If an atlas comes or goes, those that link to it are made again.
        """
        ran, edition = nights.night()
        pages = len([key for key in ran if key.startswith("page:edition/")])
        assert pages == (1 if edition else 0) or edition["gone"] or edition["arrived"]
        assert nights.tree() == nights.clean()
        made.extend([edition] if edition else [])
        return edition

    assert (night()["before"], made[0]["changes"]) == ("", {})  # 1: the history begins
    assert night() is None  # 2: nothing happened
    nights.atlases.entity(first, first, "more.bam")  # 3
    assert night()["changes"] == {"HTA1": another_file}
    entity = nights.atlases.manifest(first, first, "Therapy", therapy)  # 4: of a participant nobody knows
    changed = night()["changes"]["HTA1"]
    assert (changed["added"], changed["components"]) == ([[entity, "Therapy"]], ["Therapy"])
    assert changed["new"] == {"H_NON_DEM": 1}
    nights.replace(demographics[1], b"female", b"male")  # 5: other bytes, and the figures of before
    replaced = [[demographics[1], "Demographics", demographics[1]]]
    assert night()["changes"] == {"HTA2": {"replaced": replaced}}
    nights.atlases.projects[0]["name"] = "Another name"  # 6: that is no figure
    assert night() is None
    nights.remove(entity)  # 7
    changed = night()["changes"]["HTA1"]
    assert (changed["removed"], changed["fixed"]) == ([[entity, "Therapy"]], {"H_NON_DEM": 1})
    gone = nights.atlases.projects.pop()  # 8
    assert (night()["gone"], list(made[-1]["changes"])) == (["HTA3"], ["HTA3"])
    nights.atlases.projects.append(gone)  # 9
    assert (night()["arrived"], list(made[-1]["changes"])) == (["HTA3"], ["HTA3"])
    nights.atlases.entity(second, second, "a.bam")  # 10
    nights.atlases.entity(third, third, "b.bam")
    assert night()["changes"] == {"HTA2": another_file, "HTA3": another_file}
    assert nights.editions() == made
    assert [edition["when"][8:10] for edition in made] == ["01", "03", "04", "05", "07", "08", "09", "10"]
    assert [one["before"] for one in made] == ["", *(one["when"] for one in made[:-1])]


def test_a_reset_keeps_the_history_and_adds_nothing_to_it(nights):
    nights.night()
    nights.atlases.entity(nights.project("HTA1"), nights.project("HTA1"), "more.bam")
    nights.night()
    before, tree = nights.editions(), nights.tree()
    upkeep.reset(app.Options(nights.site))
    _, edition = nights.night()
    assert edition is None
    assert nights.editions() == before
    assert nights.tree() == tree


def test_what_a_reset_forgot_is_still_compared_with(nights):
    nights.night()
    upkeep.reset(app.Options(nights.site))
    entity = next(row["id"] for row in nights.atlases.files if row["Component"] == "Biospecimen")
    nights.replace(entity, b"HTA1_1_1,HTA1_1,", b"HTA1_1_1,HTA1_7,")
    _, edition = nights.night()
    assert edition["changes"]["HTA1"]["replaced"] == [[entity, "Biospecimen", entity]]
    assert edition["changes"]["HTA1"]["new"]["H_LINKS"] == 1


def test_an_atlas_that_cannot_be_read_keeps_its_figures_in_the_next_edition(nights):
    nights.night()
    nights.atlases.entity(nights.project("HTA2"), nights.project("HTA2"), "more.bam")
    nights.atlases.projects[0]["id"] = "no id"
    nights.atlases.save()
    today = "2026-07-02T03:00:00+00:00"
    result = worlds.build(nights.site, nights.atlases.folder, today=today)
    assert result.failed == ["HTA1"]
    first, last = nights.editions()
    assert last["when"] == today
    assert list(last["changes"]) == ["HTA2"]
    assert last["atlases"]["HTA1"] == first["atlases"]["HTA1"]


def test_an_atlas_for_which_there_was_no_time_keeps_its_figures(nights):
    nights.night()
    for entity in nights.atlases.manifests:
        nights.replace(entity, b"_1", b"-1")
    nights.atlases.save()
    late = Deadline(time.monotonic() - 100, 100.0)
    result = worlds.build(nights.site, nights.atlases.folder, today="2026-07-02", deadline=late)
    assert result.failed == ["HTA1", "HTA2", "HTA3"]
    assert len(nights.editions()) == 1
    _, edition = nights.night()
    assert list(edition["changes"]) == ["HTA1", "HTA2", "HTA3"]


def test_histories_that_differ_make_no_other_difference_than_in_their_pages(nights):
    """A clean build without a history has one edition; all but the pages that tell of it is alike."""
    nights.night()
    nights.atlases.entity(nights.project("HTA1"), nights.project("HTA1"), "more.bam")
    nights.night()
    place = nights.folder / "fresh"
    worlds.build(nights.site, nights.atlases.folder, output=place / "public", cache=place / "cache")
    ours, fresh = nights.tree(), worlds.tree(place / "public")
    differ = {path for path in ours | fresh if ours.get(path) != fresh.get(path)}
    assert {path for path in differ if not path.startswith("changes/")} == {"index.html"}


def test_the_history_is_on_each_kind_of_database(at, tmp_path):
    with opened(tmp_path / "cache", at) as store:
        assert (store.editions("a"), store.basis("a"), store.sources()) == ([], "", [])
        for day in (2, 1, 3, 4):
            store.add_edition("a", f"2026-07-0{day}", f"edition {day}", "x" * 100_000 * day)
            store.commit()
        store.add_edition("b", "2026-07-04", "of another source", "basis")
        store.commit()
        store.reset()
    with opened(tmp_path / "cache", at) as store:
        assert store.editions("a") == [(f"2026-07-0{day}", f"edition {day}") for day in (1, 2, 3, 4)]
        assert (store.editions("b"), store.basis("b")) == ([("2026-07-04", "of another source")], "basis")
        assert store.basis("a") == "x" * 400_000
        assert list(store.bases("a")) == ["2026-07-02", "2026-07-03", "2026-07-04"]
        assert store.sources() == ["a", "b"]
        store.forget()
    with opened(tmp_path / "cache", at) as store:
        assert (store.editions("a"), store.basis("a"), store.sources()) == ([], "", [])


def test_an_edition_that_is_not_committed_is_none(nights):
    with opened(nights.site / "cache") as store:
        store.add_edition("a", "2026-07-01T00:00:00+00:00", "{}", "{}")
    with opened(nights.site / "cache") as store:
        assert store.sources() == []


@pytest.mark.parametrize("epoch", ["tomorrow", "9" * 30])
def test_a_time_that_is_none_is_an_error_in_one_line(nights, monkeypatch, epoch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    command = [sys.executable, "-m", "hdash_site", "build", "--quiet", "--root", nights.site]
    done = subprocess.run(
        [*command, "--source", nights.atlases.folder], capture_output=True, text=True, check=False
    )
    line = f"hdash-site: SOURCE_DATE_EPOCH: it is '{epoch}'; set it to seconds since 1970, or to nothing\n"
    assert (done.returncode, done.stderr) == (2, line)
