"""Ten nights over a collection that moves: what each adds to the history, and what its pages are made of."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time

import pytest

from hdash_site import app, editions, notify, upkeep
from hdash_site.errors import ConfigError
from hdash_site.htan import report
from hdash_site.options import Deadline
from hdash_site.pages import rules
from hdash_site.state.store import SOURCE, opened
from tests import worlds
from tests.pages.test_editions import edition


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
        days = [f"2026-07-0{day}T00:00:00+00:00" for day in (1, 2, 3, 4)]
        texts = {when: json.dumps({"when": when}) for when in days}
        for number in (2, 1, 3, 4):
            when = days[number - 1]
            store.add_edition("a", when, texts[when], "{" + "x" * 100_000 * number)
            store.commit()
        store.add_edition("b", days[3], texts[days[3]], "{basis")
        store.commit()
        store.reset()
    with opened(tmp_path / "cache", at) as store:
        assert store.editions("a") == [*texts.items()]
        assert (store.editions("b"), store.basis("b")) == ([(days[3], texts[days[3]])], "{basis")
        assert store.basis("a") == "{" + "x" * 400_000
        assert list(store.bases("a")) == days[1:]
        assert store.sources() == ["a", "b"]
        store.forget()
    with opened(tmp_path / "cache", at) as store:
        assert (store.editions("a"), store.basis("a"), store.sources()) == ([], "", [])


def test_an_edition_that_is_not_committed_is_none(nights):
    with opened(nights.site / "cache") as store:
        store.add_edition("a", "2026-07-01T00:00:00+00:00", "{}", "{}")
    with opened(nights.site / "cache") as store:
        assert store.sources() == []


@pytest.mark.parametrize("epoch", ["tomorrow", "9" * 30, "1_000", "-1", " 5", "1e9"])
def test_a_time_that_is_none_is_an_error_in_one_line(nights, monkeypatch, epoch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    command = [sys.executable, "-m", "hdash_site", "build", "--quiet", "--root", nights.site]
    done = subprocess.run(
        [*command, "--source", nights.atlases.folder], capture_output=True, text=True, check=False
    )
    line = f"hdash-site: SOURCE_DATE_EPOCH: it is '{epoch}'; set it to seconds since 1970, or to nothing\n"
    assert (done.returncode, done.stderr) == (2, line)


def test_a_release_that_rewords_every_finding_is_no_news(nights, monkeypatch):
    """All reports are made again with other words: nothing is new or fixed, and there is no edition."""
    for entity, data in nights.atlases.manifests.items():
        nights.atlases.manifests[entity] = data + data.splitlines(keepends=True)[-1].replace(b"_1", b"_")
    nights.night(jobs=1)
    before = (nights.site / "public/hta1/findings.csv").read_text()
    run_checks = report.run_checks

    def reworded(*arguments):
        checked = run_checks(*arguments)
        others = [
            one._replace(message=f"Quite other words (row {one.row + 7} of syn1).", expected="other")
            for one in checked.findings
        ]
        return checked._replace(findings=others)

    monkeypatch.setattr(report, "run_checks", reworded)
    monkeypatch.setattr(rules, "code", lambda: rules.Digests("new release", "new release"))
    result = worlds.build(nights.site, nights.atlases.folder, today="2026-07-09T03:00:00+00:00", jobs=1)
    after = (nights.site / "public/hta1/findings.csv").read_text()
    assert after.count("Quite other words") == before.count("\n") - 1 > 2
    assert (result.new_findings, result.fixed_findings) == ({}, {})
    assert "Findings" not in notify.success("Site", result)
    assert len(nights.editions()) == 1


def build(site, atlases, day, **more):
    return worlds.build(site, atlases.folder, today=f"2026-07-{day:02}", **more)


def changes(site):
    return (site / "public/changes/index.html").read_text()


def histories(site):
    """The days of the editions of each source."""
    with opened(site / "cache") as store:
        return {source: [when[8:10] for when, _ in store.editions(source)] for source in store.sources()}


@pytest.fixture
def site(tmp_path):
    return worlds.site_folder(tmp_path / "site")


@pytest.fixture
def ours(tmp_path):
    return worlds.small(tmp_path / "atlases", "HTA1", "HTA2", "HTA3")


@pytest.fixture
def theirs(tmp_path):
    return worlds.other(tmp_path / "others", "HTA1", "HTA2")


def test_each_collection_has_a_history_of_its_own(site, ours, theirs):
    build(site, ours, 1)
    [first] = histories(site)
    tree = worlds.tree(site / "public")
    result = build(site, theirs, 2)
    assert "The history begins, with 2 atlases" in changes(site)
    assert "is gone" not in changes(site)
    assert [path.name for path in (site / "public/changes").glob("20*")] == ["2026-07-02-00-00-00"]
    [said] = result.problems
    assert f"the history of {first} (1 editions) is kept, but the site no longer shows it" in said
    back = build(site, ours, 3)
    assert (worlds.tree(site / "public"), back.problems) == (tree, [])
    assert sorted(histories(site).values()) == [["01"], ["02"]]


def test_a_build_without_a_crawl_shows_the_history_of_the_source_that_was_crawled_last(site, ours, theirs):
    build(site, ours, 1)
    build(site, theirs, 2)
    tree = worlds.tree(site / "public")
    assert app.build(app.Options(site, offline=True, today="2026-07-03")).ran == []
    assert worlds.tree(site / "public") == tree


def test_a_collection_is_known_by_its_place_however_it_is_named(site, ours, monkeypatch, tmp_path):
    inside = worlds.small(site / "data/atlases", "HTA1")
    monkeypatch.chdir(site)
    names = {
        worlds.source_of(site, path) for path in (inside.folder, "data/atlases", "data/../data/atlases/")
    }
    (site / "site.toml").write_text('[source]\nkind = "folder"\npath = "data/atlases"\n')
    names.add(worlds.source_of(site))
    moved = site.rename(tmp_path / "moved")
    names.add(worlds.source_of(moved))
    assert len(names) == 1
    assert worlds.source_of(moved, ours.folder) not in names


def test_an_atlas_of_another_source_never_stands_in_for_one_that_cannot_be_read(site, ours, theirs):
    build(site, ours, 1)
    theirs.projects[0]["id"] = "no id"
    theirs.save()
    result = build(site, theirs, 2)
    assert result.failed == ["HTA1"]
    with opened(site / "cache") as store:
        assert list(store.snapshots()) == ["HTA2"]
    assert not (site / "public/hta1").exists()


def test_the_history_of_version_0_1_0_is_that_of_the_source_which_was_crawled_last(site, ours, theirs):
    build(site, ours, 1)
    ours.entity(ours.projects[0]["id"], ours.projects[0]["id"], "more.bam")
    ours.save()
    build(site, ours, 2)
    tree, before = worlds.tree(site / "public"), histories(site)
    worlds.as_version_0_1_0_left_it(site / "cache")
    assert histories(site) == {"": ["01", "02"]}
    assert (build(site, ours, 3).problems, histories(site)) == ([], before)
    assert worlds.tree(site / "public") == tree


def test_the_history_of_the_sample_of_version_0_1_0_stays_that_of_the_sample(site, ours):
    worlds.small(site / "cache/sample", "HTA1", "HTA2")
    worlds.name_the_sample(site)
    app.build(app.Options(site, today="2026-07-01"))
    worlds.as_version_0_1_0_left_it(site / "cache")
    build(site, ours, 2)
    assert histories(site) == {"sample": ["01"], worlds.source_of(site, ours.folder): ["02"]}
    assert "The history begins, with 3 atlases" in changes(site)


def test_a_history_of_version_0_1_0_that_holds_two_sources_is_taken_apart(site, ours, theirs, monkeypatch):
    def another(name):
        ours.entity(ours.projects[0]["id"], ours.projects[0]["id"], name)
        ours.save()

    with monkeypatch.context() as version_0_1_0:
        version_0_1_0.setattr("hdash_site.run.identity", lambda config: "folder")
        version_0_1_0.setattr("hdash_site.run.identity_of_snapshots", lambda config, store: "folder")
        build(site, ours, 1)
        build(site, theirs, 2)
        another("more.bam")
        build(site, ours, 3)
    worlds.as_version_0_1_0_left_it(site / "cache")
    another("yet_more.bam")
    [said] = build(site, ours, 4).problems
    assert said.startswith("1 editions of the history were made of other atlases than the newest")
    assert histories(site) == {worlds.source_of(site, ours.folder): ["01", "03", "04"], "other": ["02"]}
    assert "is gone" not in changes(site)
    assert re.findall("<p>(HTA.*)</p>", changes(site)) == ["HTA1: 1 file more, 1.0 kB more."] * 2


def drop(site, wanted):
    options = app.Options(site)
    upkeep.drop_edition(options, upkeep.edition(options, wanted))


@pytest.mark.parametrize("dropped", [1, 2, 3, 4])
def test_after_an_edition_is_dropped_the_next_build_is_exact(nights, dropped):
    project = nights.project("HTA1")
    nights.night()
    for name in ("a.bam", "b.bam"):
        nights.atlases.entity(project, project, name)
        nights.night()
    entity = nights.atlases.manifest(project, project, "Therapy", worlds.demographics("HTA1_99"))
    nights.night()
    whole = nights.editions()
    drop(nights.site, f"2026-07-0{dropped}")
    _, edition = nights.night()
    assert nights.tree() == nights.clean()
    left = nights.editions()
    assert [one["when"][8:10] for one in left[:3]] == [f"0{day}" for day in range(1, 5) if day != dropped]
    assert [one["before"] for one in left] == ["", *(one["when"] for one in left[:-1])]
    assert not (nights.site / f"public/changes/2026-07-0{dropped}-03-00-00").exists()
    if dropped == 4:  # what it told of is told by the next edition, with all that changed since
        assert edition == whole[3] | {"when": edition["when"]} | {"atlases": edition["atlases"]}
        assert [entity, "Therapy"] in edition["changes"]["HTA1"]["added"]
    else:
        assert edition is None
    if dropped in (2, 3):
        assert left[dropped - 1]["risen"]["files"] == 2 - (dropped == 3)
    assert nights.night() == (set(), None)


def test_if_the_basis_is_dropped_as_well_figures_alone_are_compared_and_the_page_says_so(nights):
    project = nights.project("HTA1")
    nights.night()
    for number in range(4):
        nights.atlases.entity(project, project, f"{number}.bam")
        nights.night()
    for day in (5, 4, 3):
        drop(nights.site, f"2026-07-0{day}")
    with opened(nights.site / "cache") as store:
        assert store.bases(store.fact(SOURCE)) == {}
    _, edition = nights.night()
    assert edition["risen"]["files"] == 3
    assert edition["uncompared"] == ["HTA1", "HTA2", "HTA3"]
    page = (nights.site / "public/changes/2026-07-06-03-00-00/index.html").read_text()
    assert "Of HTA1, HTA2, HTA3, only the figures were compared" in page
    assert nights.tree() == nights.clean()
    drop(nights.site, "2026-07-06")
    nights.atlases.files[:] = [row for row in nights.atlases.files if row["name"][:1] not in "123"]
    assert nights.night()[1] is None
    nights.atlases.entity(project, project, "new.bam")
    assert "uncompared" not in nights.night()[1]


def test_an_edition_is_dropped_on_each_kind_of_database(at, tmp_path):
    times = [f"2026-07-0{day}T03:00:00+00:00" for day in range(1, 5)]
    chain = [
        edition(number, 2) | {"when": when, "before": times[number - 1] if number else ""}
        for number, when in enumerate(times)
    ]
    with opened(tmp_path / "cache", at) as store:
        for one in chain:
            store.add_edition("a", one["when"], json.dumps(one), "{}")
            store.commit()
        store.add_edition("b", times[1], json.dumps(chain[1]), "{}")
        store.commit()
    with opened(tmp_path / "cache", at) as store:
        editions.drop(store, "a", times[1])
    with opened(tmp_path / "cache", at) as store:
        left = [json.loads(text) for _, text in store.editions("a")]
        assert [one["before"] for one in left] == ["", times[0], times[2]]
        assert left[1]["risen"]["files"] == 2 * 2 * 977
        assert list(store.bases("a")) == [times[2], times[3]]
        assert [moment for moment, _ in store.editions("b")] == [times[1]]


def hdash(site, *words):
    command = [sys.executable, "-m", "hdash_site", *words, "--root", site]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_the_history_is_listed_and_shown_and_an_edition_is_dropped_after_a_question(nights):
    assert hdash(nights.site, "history", "list").stdout == "the history has no edition yet\n"
    nights.night()
    therapy = [{"Component": "Therapy", "HTAN Participant ID": "HTA1_99", "Treatment Type": "Surgery"}]
    entity = nights.atlases.manifest(nights.project("HTA1"), nights.project("HTA1"), "Therapy", therapy)
    nights.night()
    head, *lines = hdash(nights.site, "history", "list").stdout.splitlines()
    assert head.split() == ["edition", "source", "what", "changed"]
    source = worlds.source_of(nights.site, nights.atlases.folder)
    assert [line.split()[:2] for line in lines] == [
        [f"2026-07-0{day}T03:00:00+00:00", source] for day in (1, 2)
    ]
    assert lines[1].endswith("HTA1: 1 record more, 1.0 kB more, 1 manifest added, 1 new finding.")
    shown = hdash(nights.site, "history", "show", "2026-07-02").stdout
    for line in ("records", "HTA1 files", f"HTA1 {entity} Therapy", "HTA1 H_NON_DEM +1", "first time"):
        assert line in shown or line == "HTA1 files"
    as_json = json.loads(hdash(nights.site, "history", "show", "2026-07-02", "--json").stdout)
    assert as_json == {"source": source} | nights.editions()[1]
    listed = json.loads(hdash(nights.site, "history", "list", "--json").stdout)
    assert [(one["when"][:10], one["added"]) for one in listed] == [("2026-07-01", 0), ("2026-07-02", 1)]
    refused = hdash(nights.site, "history", "drop", "2026-07-02")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "give --yes" in refused.stderr
    assert len(nights.editions()) == 2
    done = hdash(nights.site, "history", "drop", "2026-07-02-03-00-00", "--yes")
    assert done.returncode == 0
    assert "dropped: 2026-07-02T03:00:00+00:00" in done.stdout
    assert len(nights.editions()) == 1


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("2026-07", '"2026-07" names 2 editions; name one of them in full: folder-'),
        ("2025", 'there is no edition "2025"; see'),
        ("sample/2026-07-01", 'there is no edition "sample/2026-07-01"; see'),
        ("2026-07-01", "names 2 editions"),
    ],
)
def test_an_edition_that_is_not_named_clearly_is_one_line(site, ours, theirs, wanted, said):
    build(site, ours, 1)
    build(site, theirs, 1)
    with pytest.raises(ConfigError) as caught:
        upkeep.edition(app.Options(site), wanted)
    assert said in str(caught.value)
    whole = f"{worlds.source_of(site, theirs.folder)}/2026-07-01"
    assert upkeep.edition(app.Options(site), whole).source == whole.partition("/")[0]
