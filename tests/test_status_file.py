"""`status.json`: the one file that says what failed, so that an outage writes no page anew."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hdash_site import app, site_status
from hdash_site.app import Deploying
from hdash_site.deploy.owner import MARKER
from hdash_site.nightly import nightly
from hdash_site.pages import rules
from hdash_site.run import silent
from hdash_site.site_status import Failure
from hdash_site.snapshot import Fetched, Project, Snapshot
from hdash_site.sources.folder import Folder
from tests import worlds

FIRST, OUTAGE, LATER, AGAIN = 1_782_900_000, 1_782_990_000, 1_783_080_000, 1_783_170_000
"""Nights, as `SOURCE_DATE_EPOCH` tells them."""


@pytest.fixture
def atlases(tmp_path):
    """The atlases HTA1 and HTA2."""
    return worlds.small(tmp_path / "atlases")


@pytest.fixture
def site(tmp_path):
    return worlds.site_folder(tmp_path / "site")


@pytest.fixture
def night(site, atlases, monkeypatch):
    def run(epoch, only=(), **more):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(epoch))
        return app.build(app.Options(site, atlases.folder, atlases=only, **more))

    return run


def written(site):
    """Give every file of the site with the place on the disk that it was written to."""
    return {
        path.relative_to(site).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in site.rglob("*")
        if path.is_file()
    }


def moved(before, after):
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def fail(atlases, number=0):
    """Let an atlas be one that cannot be read."""
    atlases.projects[number]["id"] = "project one"
    atlases.save()


def heal(atlases, project, number=0):
    atlases.projects[number]["id"] = project
    atlases.save()


def test_an_outage_and_its_end_each_write_status_json_alone_and_run_no_recipe(night, site, atlases):
    night(FIRST)
    public, project = site / "public", atlases.projects[0]["id"]
    before = written(public)

    fail(atlases)
    failed = night(OUTAGE)
    assert (failed.exit_code, failed.failed, failed.ran, failed.deployed.written) == (3, ["HTA1"], [], [])
    outage = written(public)
    assert moved(before, outage) == {"status.json"}
    told = worlds.status(public)["atlases"]["HTA1"]
    assert (told["state"], told["crawled"], told["failed_since"]) == (
        "failed",
        "2026-07-01T10:00:00Z",
        "2026-07-02T11:00:00Z",
    )
    assert '"project one" is no Synapse id' in told["reason"]
    assert worlds.status(public)["atlases"]["HTA2"]["state"] == "current"

    night(LATER)
    assert moved(outage, written(public)) == {"status.json"}
    assert worlds.status(public)["atlases"]["HTA1"]["failed_since"] == "2026-07-02T11:00:00Z"

    later = written(public)
    heal(atlases, project)
    healed = night(AGAIN)
    assert (healed.exit_code, healed.ran) == (0, [])
    assert moved(later, written(public)) == {"status.json"}
    told = worlds.status(public)["atlases"]["HTA1"]
    assert (told["state"], told["failed_since"], told["reason"]) == ("current", None, None)


def test_an_atlas_that_is_not_verified_changes_status_json_alone(night, site, monkeypatch):
    night(FIRST)
    before = written(site / "public")
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "unverified", lambda self, read: {"HTA1": "the view is behind"})
        assert night(OUTAGE).unverified == {"HTA1": "2026-07-01T10:00:00.000+00:00"}
    assert moved(before, written(site / "public")) == {"status.json"}
    told = worlds.status(site / "public")
    assert told["atlases"]["HTA1"]["state"] == "unverified"
    assert told["atlases"]["HTA1"]["verified"] == "2026-07-01T10:00:00Z"
    assert (told["crawled"], told["verified"]) == ("2026-07-02T11:00:00Z", "2026-07-02T11:00:00Z")


def test_an_atlas_that_is_not_verified_is_told_though_the_clock_stands_still(night, site, monkeypatch):
    night(FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "unverified", lambda self, read: {"HTA1": "the view is behind"})
        assert list(night(FIRST).unverified) == ["HTA1"]
        assert list(night(FIRST).unverified) == ["HTA1"]
    told = worlds.status(site / "public")["atlases"]["HTA1"]
    assert (told["state"], told["crawled"], told["verified"]) == (
        "unverified",
        "2026-07-01T10:00:00Z",
        "2026-07-01T10:00:00Z",
    )
    assert night(FIRST).unverified == {}
    assert worlds.status(site / "public")["atlases"]["HTA1"]["state"] == "current"


def test_a_second_build_of_the_same_moment_does_not_even_write_status_json(night, site):
    night(FIRST)
    before = written(site / "public")
    night(FIRST)
    assert written(site / "public") == before


def test_an_atlas_that_was_never_read_is_named_since_its_first_night(night, site, atlases):
    project = atlases.projects[1]["id"]
    fail(atlases, 1)
    night(FIRST)
    night(OUTAGE)
    told = worlds.status(site / "public")["atlases"]["HTA2"]
    assert (told["state"], told["crawled"], told["failed_since"]) == ("failed", None, "2026-07-01T10:00:00Z")
    assert not (site / "public/hta2").exists()
    night(LATER, offline=True)
    assert worlds.status(site / "public")["atlases"]["HTA2"] == told
    night(LATER, only=("HTA1",))
    assert worlds.status(site / "public")["atlases"]["HTA2"] == told
    heal(atlases, project, 1)
    night(AGAIN)
    assert worlds.status(site / "public")["atlases"]["HTA2"]["state"] == "current"
    atlases.projects.pop()
    atlases.save()
    night(AGAIN)
    assert list(worlds.status(site / "public")["atlases"]) == ["HTA1"]


def test_an_atlas_whose_report_fails_is_told_since_then_and_until_it_is_made(night, site, monkeypatch):
    night(FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(rules, "code", lambda: rules.Digests("broken", "broken"))
        patch.setattr("hdash_site.htan.report.facets", _broken)
        assert night(OUTAGE, jobs=1).failed == ["HTA1", "HTA2"]
        night(LATER, jobs=1)
    told = worlds.status(site / "public")["atlases"]["HTA1"]
    assert (told["state"], told["failed_since"]) == ("failed", "2026-07-02T11:00:00Z")
    assert told["reason"] == "an error in the software of this site (RuntimeError)"  # it may quote a cell
    night(AGAIN)
    assert worlds.status(site / "public")["atlases"]["HTA1"]["state"] == "current"


def _broken(*arguments, **more):
    raise RuntimeError("a defect")


def test_the_time_of_the_site_moves_when_a_page_is_made_and_not_before(night, site):
    night(FIRST)
    night(OUTAGE)
    told = worlds.status(site / "public")
    assert (told["built"], told["crawled"]) == ("2026-07-01T10:00:00Z", "2026-07-02T11:00:00Z")
    (site / "content/news.md").write_text("# News\n")
    night(LATER, offline=True)
    told = worlds.status(site / "public")
    assert (told["built"], told["crawled"]) == ("2026-07-03T12:00:00Z", "2026-07-02T11:00:00Z")


def test_a_save_in_the_preview_leaves_status_json_alone(site, atlases, monkeypatch):
    desk, options = app.Desk(), app.Options(site, atlases.folder, drafts=True)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(FIRST))
    desk.build(options, ())
    before = written(site / "public")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(OUTAGE))
    for number in range(2):
        article = site / "content/about.md"
        article.write_text(article.read_text() + f"\nWords {number}.\n")
        done = desk.build(options._replace(offline=True), [article])
        assert [path for path, _ in done.deployed.written] == ["about/index.html"]
    assert moved(before, written(site / "public")) == {"about/index.html"}


def test_in_s3_an_outage_costs_one_upload_and_a_deployment_sends_what_the_night_sent(
    site, atlases, s3, new_bucket, monkeypatch
):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(FIRST))
    options = app.Options(site, atlases.folder)
    assert nightly(options, Deploying(), silent).exit_code == 0
    assert json.loads(s3.object(new_bucket, MARKER).data)["since"] == "2026-07-01T10:00:00+00:00"
    fail(atlases)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(OUTAGE))
    s3.counted()
    assert nightly(options, Deploying(), silent).exit_code == 3
    assert [request.key for request in s3.requests if request.kind == "PUT"] == ["status.json"]
    sent = s3.object(new_bucket, "status.json")
    assert json.loads(sent.data)["atlases"]["HTA1"]["state"] == "failed"
    assert app.deploy(options, Deploying()).written == []


def test_what_version_0_1_0_wrote_in_its_place_goes_and_a_file_of_another_program_stays(night, site):
    night(FIRST)
    former = site / "public/check.json"
    former.write_text('{"checked": "2026-07-01T10:00:00+00:00", "deletions_waiting": 0}')
    done = night(OUTAGE)
    assert done.deployed.removed == [("check.json", "status.json replaced it")]
    assert not former.exists()
    for other in ('{"checked": true}', '{"checked": "2026", "by": "me"}', "x" * 500):
        former.write_text(other)
        done = night(LATER)
        assert (done.deployed.removed, done.deployed.foreign) == ([], ["check.json"])
        assert former.read_text() == other


def test_in_s3_the_former_file_is_removed_by_the_first_deployment(site, atlases, s3, new_bucket, monkeypatch):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    with monkeypatch.context() as patch:
        for module in ("publish", "deploy.plan", "deploy.s3", "deploy.holdings"):
            patch.setattr(f"hdash_site.{module}.STATUS_FILE", "check.json")
        assert nightly(app.Options(site, atlases.folder), Deploying(), silent).exit_code == 0
    assert "check.json" in s3.keys(new_bucket)
    s3.counted()
    done = nightly(app.Options(site, atlases.folder), Deploying(), silent)
    assert done.result.deployed.removed == [("check.json", "no page makes it")]
    assert done.result.deployed.foreign == []
    assert [request.key for request in s3.requests if request.kind == "PUT"] == ["status.json"]
    assert "check.json" not in s3.keys(new_bucket)


def snapshot(atlas, **more):
    known = {"crawled": "2026-07-01T10:00:00.123+00:00", "verified": "2026-07-01T10:00:00.123+00:00"}
    project = Project(atlas, "syn1", "An atlas", "Ada Example")
    known |= {"changed": "2026-06-01T10:00:00+02:00", "manifests": {}}
    return Snapshot(project, "f", "listing", **(known | more))


def test_the_file_of_twenty_atlases_is_small_sorted_and_in_ascii():
    some = [snapshot(f"HTA{number}") for number in range(20, 0, -1)]
    data = site_status.compose("2026-07-01T10:00:00+00:00", some, {})
    assert len(data) < 4096
    assert data.isascii()
    told = json.loads(data)
    assert data.decode() == json.dumps(told, sort_keys=True, separators=(",", ":")) + "\n"
    assert told["atlases"]["HTA1"]["changed"] == "2026-06-01T08:00:00Z"


HOSTILE = "</script><img src=x onerror=alert(1)> \u202e\x00\x1b[31m & " + "x" * 5000


def test_a_reason_is_inert_bounded_and_tells_no_secret(monkeypatch):
    monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", "canary-canary")
    why = f"canary-canary\n{HOSTILE}"
    data = site_status.compose(
        "", [snapshot("HTA1", failed_since="2026-07-01T10:00:00+00:00", failure=why)], {}
    )
    data += site_status.compose("", [], {"<b>HTA2\u202e": Failure("2026-07-01T10:00:00+00:00", why)})
    assert not re.search(rb"[<>&\x00\x1b]|canary|202e", data)
    for line in data.splitlines():
        [entry] = json.loads(line)["atlases"].values()
        assert len(entry["reason"]) == site_status.REASON_CHARACTERS
        assert entry["reason"].endswith("…")


def test_manifests_that_could_not_be_read_are_counted():
    fetched = {"syn1": Fetched("", "d"), "syn2": Fetched("", "", "it is away"), "syn3": Fetched("", "", "no")}
    told = json.loads(site_status.compose("", [snapshot("HTA1", manifests=fetched)], {}))
    assert told["atlases"]["HTA1"]["manifests_not_read"] == 2


def test_every_field_is_documented(night, site):
    night(FIRST)
    docs = (Path(__file__).parents[1] / "docs/data.md").read_text()
    section = docs.partition("## status.json")[2].partition("\n## ")[0]
    told = worlds.status(site / "public")
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == {*told, *told["atlases"]["HTA1"]}
