"""The crawl of a folder: what is read again, what is kept, what is said of an atlas that cannot be read."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hdash_site.errors import SourceError
from hdash_site.sources.crawl import Asked, crawl, recovered
from hdash_site.sources.folder import Folder
from hdash_site.state.store import opened
from tests import worlds

NOW = "2026-01-02T03:04:05+00:00"


@pytest.fixture
def atlases(tmp_path):
    return worlds.small(tmp_path / "atlases", "HTA1", "HTA2")


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "cache") as store:
        yield store


class Counting(Folder):
    """The real folder source, which counts what it is asked for."""

    def __init__(self, path, looks):
        super().__init__(path, looks)
        self.asked, self.fetched = [], []

    def listings(self, projects):
        self.asked += [project.id for project in projects]
        return super().listings(projects)

    def manifests(self, wanted):
        self.fetched += [one.id for one in wanted]
        return super().manifests(wanted)


def run(atlases, store, last=None, only=(), now=NOW, accept_loss=True):
    source = Counting(atlases.folder, store.looks)
    asked = Asked(now, only, accept_loss)
    return source, crawl(source, last or {}, store.blobs, asked, lambda what, done, total: None)


def test_a_first_crawl_reads_every_listing_and_every_manifest(atlases, store):
    source, crawled = run(atlases, store)
    assert source.asked == ["HTA1", "HTA2"]
    assert sorted(source.fetched) == sorted(atlases.manifests)
    assert store.load(crawled.snapshots["HTA1"].listing).startswith(b"id,name,type,parentId,")


def test_a_second_crawl_reads_nothing(atlases, store):
    _, first = run(atlases, store)
    source, second = run(atlases, store, first.snapshots)
    assert (source.asked, source.fetched) == ([], [])
    assert second == first


def test_a_changed_manifest_is_read_alone(atlases, store):
    _, first = run(atlases, store)
    changed = min(atlases.manifests)
    atlases.manifests[changed] += b"Demographics,HTA1_3,male\n"
    atlases.save()
    source, second = run(atlases, store, first.snapshots)
    assert (source.asked, source.fetched) == ([], [changed])
    assert second.snapshots["HTA2"] == first.snapshots["HTA2"]
    assert second.snapshots["HTA1"].listing == first.snapshots["HTA1"].listing


def test_a_changed_listing_fetches_no_manifest_again(atlases, store):
    _, first = run(atlases, store)
    atlases.files[-1]["name"] = "synapse_storage_manifest_renamed.csv"
    atlases.save()
    source, second = run(atlases, store, first.snapshots)
    assert source.fetched == []
    assert second.snapshots["HTA1"].listing == first.snapshots["HTA1"].listing
    assert second.snapshots["HTA2"].listing != first.snapshots["HTA2"].listing


def test_a_manifest_that_is_gone_is_a_sentence_for_a_finding(atlases, store):
    gone = min(atlases.manifests)
    del atlases.manifests[gone]
    atlases.save()
    _, crawled = run(atlases, store)
    assert crawled.failed == {}
    assert (
        crawled.snapshots["HTA1"].manifests[gone].error
        == f"There is no file manifests/{gone}.csv; add it to the atlases."
    )


def test_an_atlas_that_cannot_be_read_keeps_its_last_snapshot_and_says_why(atlases, store):
    _, first = run(atlases, store)
    atlases.projects[0]["id"] = "project one"
    atlases.save()
    _, second = run(atlases, store, first.snapshots)
    assert list(second.failed) == ["HTA1"]
    kept = second.snapshots["HTA1"]
    assert kept._replace(failed_since="", failure="") == first.snapshots["HTA1"]
    assert '"project one" is no Synapse id' in kept.failure
    _, third = run(atlases, store, second.snapshots, now="2026-02-03T04:05:06+00:00")
    assert third.snapshots["HTA1"] == kept
    assert second.snapshots["HTA2"] == first.snapshots["HTA2"]


def test_an_atlas_that_can_be_read_again_has_not_failed(atlases, store):
    _, first = run(atlases, store)
    noted = {
        atlas: snapshot._replace(failed_since=NOW, failure="it was away")
        for atlas, snapshot in first.snapshots.items()
    }
    _, second = run(atlases, store, noted)
    assert second == first


def test_other_atlases_stay_as_they_were_when_one_is_asked_for(atlases, store):
    _, first = run(atlases, store)
    for entity in atlases.manifests:
        atlases.manifests[entity] += b"x\n"
    atlases.save()
    _, second = run(atlases, store, first.snapshots, only=["HTA2"])
    assert second.snapshots["HTA1"] == first.snapshots["HTA1"]
    assert second.snapshots["HTA2"] != first.snapshots["HTA2"]


def test_lost_bytes_are_fetched_once_more_unless_they_changed(atlases, store):
    source, crawled = run(atlases, store)
    entity, fetched = next(iter(crawled.snapshots["HTA1"].manifests.items()))
    assert recovered(source, crawled.snapshots, fetched.digest) == atlases.manifests[entity]
    assert recovered(source, crawled.snapshots, crawled.snapshots["HTA2"].listing)
    atlases.manifests[entity] += b"x\n"
    atlases.save()
    assert recovered(source, crawled.snapshots, fetched.digest) is None


def test_ids_of_strangers_make_no_path(atlases, store, tmp_path):
    (tmp_path / "secret.csv").write_text("secret")
    row = next(row for row in atlases.files if row["id"] in atlases.manifests)
    row["id"] = "../../secret"
    atlases.save()
    _, crawled = run(atlases, store)
    assert (
        crawled.snapshots["HTA1"].manifests["../../secret"].error
        == "The entity of the manifest has no Synapse id; crawl the atlas again."
    )


@pytest.mark.parametrize("name", ["projects.csv", "files.csv"])
def test_a_collection_without_its_files_is_one_line(atlases, store, name):
    (atlases.folder / name).unlink()
    source = Folder(atlases.folder, store.looks)
    with pytest.raises(SourceError, match=f"{name}: cannot be read"):
        source.fingerprints(source.projects(), {})


def test_projects_may_begin_with_a_byte_order_mark_and_hold_blank_lines(atlases, store):
    path = atlases.folder / "projects.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\n,,,\n")
    assert [project.id for project in Folder(atlases.folder, store.looks).projects()] == ["HTA1", "HTA2"]


def test_a_snapshot_says_when_it_was_crawled_and_when_something_changed(atlases, store):
    _, first = run(atlases, store)
    _, second = run(atlases, store, first.snapshots, now="2026-01-03T00:00:00+00:00")
    assert (second.snapshots["HTA1"].crawled, second.snapshots["HTA1"].changed) == (
        "2026-01-03T00:00:00+00:00",
        NOW,
    )
    atlases.manifests[min(atlases.manifests)] += b"x\n"
    atlases.save()
    _, third = run(atlases, store, second.snapshots, now="2026-01-04T00:00:00+00:00")
    assert third.snapshots["HTA1"].changed == "2026-01-04T00:00:00+00:00"
    assert third.snapshots["HTA2"].changed == NOW


def test_an_atlas_that_lost_most_of_its_files_keeps_its_last_snapshot_until_that_is_accepted(atlases, store):
    project = atlases.projects[0]["id"]
    for number in range(30):
        atlases.entity(project, project, f"{number}.bam")
    atlases.save()
    _, first = run(atlases, store)
    atlases.files = [row for row in atlases.files if not row["name"].endswith(".bam")]
    atlases.save()
    _, second = run(atlases, store, first.snapshots, accept_loss=False)
    assert list(second.failed) == ["HTA1"]
    assert second.snapshots["HTA1"].listing == first.snapshots["HTA1"].listing
    assert "30 of its 37 entities are missing from its listing" in second.snapshots["HTA1"].failure
    _, third = run(atlases, store, second.snapshots, accept_loss=True)
    assert (third.failed, third.snapshots["HTA1"].rows, third.snapshots["HTA1"].failure) == ({}, 7, "")


def with_files(atlases, count):
    """Add files to the first atlas; give the ids of all its entities."""
    project = atlases.projects[0]["id"]
    for number in range(count):
        atlases.entity(project, project, f"{number}.bam")
    atlases.save()
    return [row["id"] for row in atlases.files if row["projectId"] == project]


def without(atlases, gone):
    atlases.files = [row for row in atlases.files if row["id"] not in gone]
    atlases.save()


def test_more_than_a_tenth_of_the_entities_lost_is_a_failure_however_many_are_new(atlases, store):
    entities = with_files(atlases, 93)
    assert len(entities) == 100
    _, first = run(atlases, store)
    without(atlases, entities[-10:])
    _, second = run(atlases, store, first.snapshots, accept_loss=False)
    assert (second.failed, second.snapshots["HTA1"].rows) == ({}, 90)
    without(atlases, entities[-20:])
    with_files(atlases, 50)
    _, third = run(atlases, store, second.snapshots, accept_loss=False)
    assert list(third.failed) == ["HTA1"]
    [line] = third.problems()
    assert line.startswith("atlas HTA1 was not read: 10 of its 90 entities are missing from its listing; see")
    assert "run with --accept-loss" in line
    _, fourth = run(atlases, store, third.snapshots, accept_loss=True)
    assert (fourth.failed, fourth.snapshots["HTA1"].rows) == ({}, 130)


def test_what_is_renamed_or_moved_is_not_lost(atlases, store):
    entities = with_files(atlases, 93)
    _, first = run(atlases, store)
    for row in atlases.files:
        row["name"] = f"renamed-{row['id']}"
    for row in atlases.files[-30:]:
        row["parentId"] = entities[0]
    atlases.save()
    _, second = run(atlases, store, first.snapshots, accept_loss=False)
    assert second.failed == {}
    for row in atlases.files:
        if row["id"] in entities[-40:]:
            row["parentId"] = row["projectId"] = atlases.projects[1]["id"]
    atlases.save()
    _, third = run(atlases, store, second.snapshots, accept_loss=False)
    assert third.failed == {}
    assert third.snapshots["HTA1"].rows == 60


def test_few_entities_may_go_from_a_small_atlas_and_not_all_of_them(atlases, store):
    entities = with_files(atlases, 5)
    _, first = run(atlases, store)
    without(atlases, entities[-9:])
    _, second = run(atlases, store, first.snapshots, accept_loss=False)
    assert (second.failed, second.snapshots["HTA1"].rows) == ({}, 3)
    without(atlases, entities)
    _, third = run(atlases, store, second.snapshots, accept_loss=False)
    assert list(third.failed) == ["HTA1"]


def test_rows_are_counted_where_the_bytes_of_the_last_listing_are_lost(atlases, store):
    entities = with_files(atlases, 93)
    _, first = run(atlases, store)
    store.blobs.flush()
    lost = first.snapshots["HTA1"]._replace(listing="0" * 64)
    without(atlases, entities[-11:])
    _, second = run(atlases, store, first.snapshots | {"HTA1": lost}, accept_loss=False)
    assert "11 of its 100 entities are missing" in str(second.failed["HTA1"])


@given(st.integers(0, 60), st.integers(0, 67), st.integers(0, 40))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_loss_is_a_failure_by_the_share_of_ids_alone(tmp_path, files, lost, added):
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder, opened(Path(folder) / "cache") as store:
        atlases = worlds.small(Path(folder) / "atlases", "HTA1", "HTA2")
        entities = with_files(atlases, files)
        _, first = run(atlases, store)
        gone = set(entities[-lost:] if lost else ())
        without(atlases, gone)
        with_files(atlases, added)
        _, second = run(atlases, store, first.snapshots, accept_loss=False)
        nothing_left = len(gone) == len(entities) and not added
        too_many = len(gone) * 10 > len(entities) and (len(gone) >= 10 or nothing_left)
        assert list(second.failed) == (["HTA1"] if too_many else [])
        kept = second.snapshots["HTA1"]
        assert (kept.listing == first.snapshots["HTA1"].listing) == (too_many or not (gone or added))


def test_an_atlas_of_another_project_does_not_keep_what_the_first_one_held(atlases, store):
    _, first = run(atlases, store)
    moved = {
        atlas: old._replace(project=old.project._replace(synapse_id="syn9"))
        for atlas, old in first.snapshots.items()
    }
    (atlases.folder / "files.csv").unlink()
    with pytest.raises(SourceError):
        run(atlases, store, moved)


def test_a_source_that_answers_for_no_atlas_leaves_all_of_them_as_they_were(atlases, store):
    _, first = run(atlases, store)
    (atlases.folder / "files.csv").unlink()
    _, second = run(atlases, store, first.snapshots)
    assert list(second.failed) == ["HTA1", "HTA2"]
    assert second.snapshots["HTA1"].listing == first.snapshots["HTA1"].listing
    assert "files.csv: cannot be read" in second.snapshots["HTA1"].failure


def test_equal_bytes_are_fetched_once_whoever_they_belong_to(atlases, store):
    entity, data = next(iter(atlases.manifests.items()))
    project = atlases.projects[1]["id"]
    folder = atlases.entity(project, project, "copy", "folder")
    copied = atlases.manifest(project, folder, "Demographics", data)
    atlases.save()
    source, crawled = run(atlases, store)
    assert len(source.fetched) == len(atlases.manifests) - 1
    assert (
        crawled.snapshots["HTA2"].manifests[copied].digest
        == crawled.snapshots["HTA1"].manifests[entity].digest
    )
