"""A whole night: one run, one exit code, one message, whatever fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hdash_site import app
from hdash_site.app import Deploying
from hdash_site.nightly import nightly
from hdash_site.options import Deadline
from hdash_site.run import silent
from tests import worlds
from tests.infra import template
from tests.remote.s3 import ACTIONS, Fault
from tests.test_notify import slack

ROLE = {
    action
    for name, statement in template.statements(template.SHAPES[0])
    if name == "TaskRole" and statement["Effect"] == "Allow"
    for action in template.listed(statement["Action"])
    if action.startswith("s3:")
}
"""What the role of the task may do in S3, as `infra/hdash.yaml` says."""


@pytest.fixture
def site(tmp_path):
    return worlds.site_folder(tmp_path / "site")


@pytest.fixture
def atlases(tmp_path):
    return worlds.small(tmp_path / "atlases", "HTA1", "HTA2")


@pytest.fixture
def webhook(monkeypatch):
    with slack() as (address, told):
        monkeypatch.setenv("SLACK_WEBHOOK_URL", address)
        yield told


@pytest.fixture
def night(site, atlases):
    def run(*, most="20%", **more):
        return nightly(app.Options(site, atlases.folder, **more), Deploying(most), silent)

    return run


def stored(s3, bucket):
    return {key: one.data for key, one in s3.objects(bucket).items() if key != "status.json"}


def sent(s3):
    """Give what was sent besides one listing; two nights of one second have the same `status.json`."""
    assert [request.kind for request in s3.requests if request.kind != "PUT"] == ["LIST"]
    return {request.key for request in s3.requests if request.kind == "PUT"}


def clean(site, atlases, folder):
    worlds.build(site, atlases.folder, output=folder / "public", cache=folder / "cache")
    return worlds.tree(folder / "public")


def test_without_a_bucket_the_site_goes_to_its_folder(night, site, webhook):
    assert night().exit_code == 0
    assert (site / "public/index.html").exists()
    assert len(webhook) == 1
    assert "2 atlases changed (HTA1, HTA2)" in webhook[0]["text"]


def test_with_a_bucket_it_goes_there_alone(
    night, site, atlases, s3, new_bucket, monkeypatch, tmp_path, webhook
):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    monkeypatch.setenv("S3_WEB_SITE_URL", "https://dash.example.org/")
    assert night().exit_code == 0
    assert stored(s3, new_bucket) == clean(site, atlases, tmp_path / "clean")
    assert not (site / "public").exists()
    assert webhook[0]["text"].endswith("<https://dash.example.org/|Open the dashboard>")
    s3.counted()
    again = night()
    assert (again.result.ran, again.result.deployed.removed) == ([], [])
    assert sent(s3) <= {"status.json"}
    assert "nothing changed in 2 atlases" in webhook[1]["text"]


def test_addresses_in_other_scripts_reach_the_bucket_as_the_files_they_are(
    night, site, s3, new_bucket, monkeypatch, atlases, tmp_path
):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    matter = 'title = "M"\ntags = ["数据"]\naliases = ["früher/"]'
    (site / "content/größe.md").write_text(f"+++\n{matter}\n+++\nText.\n")
    assert night().exit_code == 0
    assert stored(s3, new_bucket) == clean(site, atlases, tmp_path / "clean")
    assert {"größe/index.html", "tags/数据/index.html"} <= set(s3.keys(new_bucket))
    assert s3.object(new_bucket, "früher/index.html").redirect == "/gr%C3%B6%C3%9Fe/"
    s3.counted()
    again = night()
    assert (again.result.ran, again.result.deployed.removed) == ([], [])
    assert sent(s3) <= {"status.json"}


def test_a_corrected_atlas_freezes_no_night_its_pages_wait_to_be_deleted(
    night, site, atlases, s3, new_bucket, monkeypatch, webhook
):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    night()
    gone = atlases.projects.pop()["atlas_id"].lower()
    atlases.save()
    for number in range(1, 4):
        (site / "content/news.md").write_text(f'+++\ntitle = "News {number}"\n+++\nText.\n')
        done = night(most="5")
        assert (done.exit_code, done.problem, done.result.deployed.removed) == (0, "", [])
        waiting = len(done.result.deployed.waiting)
        assert waiting > 5
        assert done.result.counts()["deletions_waiting"] == waiting
        assert f"{waiting} of " in webhook[-1]["text"]
        assert f"this is night {number}. To delete them now, run: hdash-site deploy" in webhook[-1]["text"]
        found = s3.objects(new_bucket)
        assert json.loads(found["status.json"].data)["deletions_waiting"] == waiting
        assert f"News {number}".encode() in found["news/index.html"].data
        assert f"{gone}/index.html" in found
    done = night(most="5")
    assert len(done.result.deployed.removed) == waiting
    assert "wait to be deleted" not in webhook[-1]["text"]
    assert not [key for key in s3.keys(new_bucket) if key.startswith(gone)]


def test_plan_shows_what_would_wait_and_a_deployment_can_be_told_to_delete_it(
    night, site, atlases, s3, new_bucket, monkeypatch
):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    night()
    atlases.projects.pop()
    atlases.save()
    night(most="5")
    command = [sys.executable, "-m", "hdash_site"]
    ways = {"env": os.environ | s3.environ(new_bucket), "capture_output": True, "text": True, "check": True}
    planned = subprocess.run([*command, "plan", "--root", str(site), "--max-delete", "5"], **ways)
    assert "wait hta2/index.html: waits to be deleted (night 1 of 3)\n" in planned.stdout
    assert " deletions waiting\n" in planned.stdout
    done = subprocess.run([*command, "deploy", "--root", str(site), "--delete-pending"], **ways)
    assert not [key for key in s3.keys(new_bucket) if key.startswith("hta2/")]
    assert "waiting" not in done.stdout


@pytest.mark.parametrize("base_url", ["", "https://example.org/dash"])
def test_a_prefix_without_a_base_url_is_said_in_one_line(night, site, s3, new_bucket, monkeypatch, base_url):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    monkeypatch.setenv("S3_PREFIX", "dash")
    (site / "site.toml").write_text(f'base_url = "{base_url}"\n')
    done = night()
    assert done.exit_code == 0
    missing = [note for note in done.result.deployed.notes if "base_url is not set, but S3_PREFIX is" in note]
    assert len(missing) == (not base_url)
    page = s3.objects(new_bucket)["dash/404.html"].data
    assert (b'href="/dash/assets/site.' in page) == bool(base_url)


def test_a_touch_of_every_file_sends_nothing_but_the_status_file(
    night, site, atlases, s3, new_bucket, monkeypatch
):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    night()
    s3.counted()
    for path in [*site.rglob("*"), *atlases.folder.rglob("*")]:
        if "cache" not in path.parts:
            path.touch()
    assert night().result.ran == []
    assert sent(s3) <= {"status.json"}


def test_new_and_fixed_findings_are_counted(night, atlases, webhook):
    night()
    entity = next(entity for entity, data in atlases.manifests.items() if b"HTA1_1" in data)
    right = atlases.manifests[entity]
    atlases.manifests[entity] = right.replace(b"HTA1_1", b"HTA1-1", 1)
    atlases.save()
    worse = night().result
    assert sum(worse.new_findings.values()) > 0
    atlases.manifests[entity] = right
    atlases.save()
    better = night().result
    assert (better.new_findings, better.fixed_findings) == (worse.fixed_findings, worse.new_findings)
    assert "fixed (" in webhook[2]["text"]


def test_the_role_of_the_task_is_enough(night, s3, new_bucket, monkeypatch, atlases):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    monkeypatch.setenv("HDASH_STATE_URL", f"s3://{s3.bucket(f'state-{new_bucket}')}/state")
    s3.allowed = ROLE
    assert night().exit_code == 0
    atlases.projects.pop()
    atlases.save()
    assert night(most="100%").exit_code == 0
    assert len(ROLE) == 5
    assert {ACTIONS[request.kind] for request in s3.requests} <= ROLE


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ({"S3_BUCKET_NAME": "not-there-at-all"}, "there is no such bucket"),
        ({"S3_BUCKET_NAME": "No Name"}, "this is no name of a bucket"),
        ({"S3_SECRET_ACCESS_KEY": ""}, "it is set without the other"),
        ({"HDASH_DB_HOST": "127.0.0.1"}, "it is not set, but HDASH_DB_HOST is"),
    ],
)
def test_a_night_that_fails_is_one_line_and_slack_is_told(night, s3, monkeypatch, webhook, harm, said):
    for name, value in harm.items():
        monkeypatch.setenv(name, value)
    if "S3_BUCKET_NAME" not in harm:
        monkeypatch.setenv("S3_BUCKET_NAME", "some-bucket")
    failed = night()
    assert failed.exit_code in (1, 2)
    assert failed.result is None
    assert said in failed.problem
    assert said in webhook[0]["text"]
    assert "the nightly run failed" in webhook[0]["text"]


def test_a_broken_site_toml_is_told_too(night, site, webhook):
    (site / "site.toml").write_text("title = ")
    assert night().exit_code == 2
    assert "HTAN Dashboard" in webhook[0]["text"]


def test_what_was_crawled_and_made_is_kept_when_the_bucket_fails(night, s3, new_bucket, monkeypatch):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    s3.fault = lambda request: Fault(403, "AccessDenied")
    assert night().exit_code == 1
    s3.fault = lambda request: None
    after = night()
    assert after.exit_code == 0
    assert after.result.ran == []


def test_slack_that_fails_fails_no_run(night, monkeypatch):
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "http://127.0.0.1:9/canary")
    done = night()
    assert done.exit_code == 0
    assert done.untold.startswith("Slack was not told")
    assert "canary" not in done.untold


def test_when_time_is_over_the_atlases_that_were_not_done_keep_their_pages(night, site, atlases):
    night()
    before = worlds.tree(site / "public")
    for entity, data in atlases.manifests.items():
        atlases.manifests[entity] = data.replace(b"_1", b"-1")
    atlases.save()
    late = night(deadline=Deadline(time.monotonic() - 100, 100.0))
    assert late.exit_code == 3
    assert late.result.failed == ["HTA1", "HTA2"]
    [problem] = late.result.problems
    assert problem.startswith("HTA1, HTA2: there was no time left before the deadline; ")
    assert worlds.tree(site / "public") == before
    assert night().exit_code == 0
    assert worlds.tree(site / "public") != before


def test_the_last_line_of_json_is_the_outcome_and_says_no_secret(site, s3, new_bucket):
    worlds.name_the_sample(site)
    environ = (
        os.environ | s3.environ(new_bucket) | {"SYNAPSE_PASSWORD": "", "HDASH_DB_URL": "canary://canary@x"}
    )
    command = [sys.executable, "-m", "hdash_site", "nightly", "--json", "--root", str(site)]
    failed = subprocess.run(command, env=environ, capture_output=True, text=True)
    lines = [json.loads(line) for line in failed.stdout.splitlines()]
    assert (lines[-1]["event"], lines[-1]["exit_code"], failed.returncode) == ("done", 2, 2)
    assert [line["level"] for line in lines] == ["ERROR", "ERROR"]
    assert "canary" not in failed.stdout + failed.stderr
    environ["HDASH_DB_URL"] = ""
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (lines[-1]["event"], lines[-1]["exit_code"], lines[-1]["level"]) == ("done", 0, "INFO")
    assert lines[-1]["files_written"] == len(s3.keys(new_bucket))


def test_a_task_that_is_told_to_end_says_so_and_leaves_no_lock(site, s3, new_bucket, webhook):
    held = [True]
    worlds.name_the_sample(site)

    def slow(request):
        if held[0] and request.kind == "PUT":
            s3.silence.wait(0.5)

    s3.fault = slow
    environ = os.environ | s3.environ(new_bucket)
    command = [sys.executable, "-m", "hdash_site", "nightly", "--root", str(site)]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        while not any(request.kind == "PUT" for request in s3.requests):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.stderr
        assert "it was stopped" in process.stderr.read()
    assert process.returncode == 1
    assert "it was stopped" in webhook[-1]["text"]
    held[0] = False
    subprocess.run(command, env=environ, capture_output=True, check=True)


WITHOUT_A_TOKEN = [{}, {"SYNAPSE_AUTH_TOKEN": ""}, {"SYNAPSE_AUTH_TOKEN": " \n"}, {"SYNAPSE_PASSWORD": ""}]


def run(site, *command, **environ):
    """Run a command as a person does."""
    command = [sys.executable, "-m", "hdash_site", *command, "--root", str(site)]
    return subprocess.run(command, env=os.environ | environ, capture_output=True, text=True)


def sample(site):
    """Put a small collection in the place of the sample."""
    worlds.small(site / "cache/sample", "HTA1")


@pytest.mark.parametrize("token", WITHOUT_A_TOKEN, ids=str)
def test_a_night_without_a_token_publishes_no_sample_and_changes_nothing(
    site, atlases, s3, new_bucket, monkeypatch, night, webhook, token
):
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    assert night().exit_code == 0
    sample(site)
    before = stored(s3, new_bucket)
    for name, value in token.items():
        monkeypatch.setenv(name, value)
    failed = nightly(app.Options(site), Deploying("100%"), silent)
    assert (failed.exit_code, failed.result) == (2, None)
    assert failed.problem.startswith(next(iter(token), "SYNAPSE_AUTH_TOKEN"))
    assert "\n" not in failed.problem
    assert "the nightly run failed" in webhook[-1]["text"]
    assert stored(s3, new_bucket) == before
    with app.open_state(app.Options(site)) as store:
        assert list(store.snapshots()) == ["HTA1", "HTA2"]
        assert len(store.sources()) == 1


def test_a_site_that_says_so_publishes_the_sample(site):
    sample(site)
    worlds.name_the_sample(site)
    assert nightly(app.Options(site), Deploying(), silent).exit_code == 0
    assert (site / "public/hta1/index.html").exists()


def test_a_site_that_was_built_from_the_sample_is_not_deployed(site, s3, new_bucket):
    sample(site)
    built = run(site, "build", "--quiet")
    assert (built.returncode, built.stderr.count("\n")) == (0, 1)
    assert "using the sample, which is made-up data; set SYNAPSE_AUTH_TOKEN" in built.stderr
    environ = s3.environ(new_bucket)
    for command, token in (("deploy", {}), ("plan", {}), ("deploy", {"SYNAPSE_AUTH_TOKEN": "tok-1234567"})):
        refused = run(site, command, **environ, **token)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
        assert "deploy does not publish the sample" in refused.stderr
    assert s3.keys(new_bucket) == []
    worlds.name_the_sample(site)
    assert run(site, "deploy", **environ).returncode == 0
    assert "index.html" in s3.keys(new_bucket)


@pytest.mark.parametrize("command", ["build", "crawl", "init", "deploy"])
def test_a_token_that_is_empty_is_an_error_that_names_its_variable(site, command):
    sample(site)
    refused = run(site, command, SYNAPSE_AUTH_TOKEN="", S3_BUCKET_NAME="some-bucket")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.startswith(
        "hdash-site: SYNAPSE_AUTH_TOKEN: this variable is set, but empty; set it"
    )
    assert not (site / "public").exists()


def test_an_empty_token_is_no_error_where_it_chooses_no_source(site, atlases):
    sample(site)
    assert run(site, "build", "--source", atlases.folder, SYNAPSE_AUTH_TOKEN="").stderr.count("using") == 0
    assert run(site, "build", "--offline", SYNAPSE_AUTH_TOKEN="").returncode == 0
    worlds.name_the_sample(site)
    done = run(site, "build", "--quiet", SYNAPSE_AUTH_TOKEN="")
    assert done.returncode == 0
    assert "made-up" not in done.stderr
