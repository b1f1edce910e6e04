"""`hdash-site config`: each setting as it holds, what it comes from, and no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from hdash_site.config import SETTINGS
from hdash_site.upkeep import VARIABLES
from tests import worlds


@pytest.fixture
def site(tmp_path):
    return worlds.site_folder(tmp_path / "site")


def config(site, *words, **variables):
    environ = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    command = [sys.executable, "-m", "hdash_site", "config", *words]
    return subprocess.run(
        command, cwd=site, env=environ | variables, capture_output=True, text=True, check=False
    )


def settings(site, *words, **variables):
    said = json.loads(config(site, *words, "--json", **variables).stdout)
    return {name: (setting["value"], setting["from"]) for name, setting in said.items()}


def test_every_setting_is_told_with_what_it_comes_from(site):
    (site / "site.toml").write_text('title = "Mine"\n[checks]\nwithout_demographics = ["HTA15"]\n')
    said = settings(site)
    assert {setting.name for setting in SETTINGS} <= set(said)
    assert said["title"] == ("Mine", "site.toml")
    assert said["checks.without_demographics"] == (["HTA15"], "site.toml")
    assert said["checks.exempt"] == ({}, "default")
    assert said["synapse.requests"] == (3, "default")
    assert said["root"] == (str(site), "default")
    assert said["output"] == (str(site / "public"), "default")


def test_what_is_written_as_the_default_comes_from_the_file_all_the_same(site):
    (site / "site.toml").write_text('title = "HTAN Dashboard"\n[synapse]\nrequests = 3\n')
    said = settings(site)
    assert (said["title"][1], said["synapse.requests"][1]) == ("site.toml", "site.toml")


def test_the_source_follows_from_the_token_unless_the_file_or_an_option_says_so(site):
    assert settings(site)["source.kind"] == ("sample", "default")
    assert settings(site, SYNAPSE_AUTH_TOKEN="tok-1234567")["source.kind"] == (
        "synapse",
        "SYNAPSE_AUTH_TOKEN",
    )
    assert settings(site, SYNAPSE_PASSWORD="tok-1234567")["source.kind"] == ("synapse", "SYNAPSE_PASSWORD")
    (site / "site.toml").write_text('[source]\nkind = "sample"\n')
    assert settings(site, SYNAPSE_AUTH_TOKEN="tok-1234567")["source.kind"] == ("sample", "site.toml")
    said = settings(site, "--source", "atlases", "--output", "out")
    assert said["source.kind"] == ("folder", "--source")
    assert said["source.path"] == ("atlases", "--source")
    assert said["output"] == (str(site / "out"), "--output")


def test_of_a_secret_only_that_it_is_set_is_told(site):
    secrets = {
        "SYNAPSE_AUTH_TOKEN": "tok-secret-1",
        "S3_SECRET_ACCESS_KEY": "secret-2",
        "S3_ACCESS_KEY_ID": "secret-7",
        "SLACK_WEBHOOK_URL": "https://hooks.example/secret-3",
        "HDASH_DB_URL": "mysql://me:secret-4@db/x",
        "HDASH_DB_USER": "secret-5-slipped-in",
        "S3_ENDPOINT_URL": "https://me:secret-6@s3.example",
    }
    for words in ((), ("--json",)):
        done = config(site, *words, S3_BUCKET_NAME="dashboard", **secrets)
        assert done.returncode == 0
        assert "secret-" not in done.stdout
    said = settings(site, S3_BUCKET_NAME="dashboard", **secrets)
    assert {name: said[name] for name in secrets} == dict.fromkeys(secrets, ("set", "environment"))
    assert said["S3_BUCKET_NAME"] == ("dashboard", "environment")
    assert "S3_PREFIX" not in said


def test_the_table_is_for_people(site):
    path = site / "site.toml"
    path.write_text(path.read_text() + '[[menu]]\nname = "Help"\nurl = "help/"\n')
    lines = [line.split("  ") for line in config(site).stdout.splitlines()]
    rows = {line[0]: [word.strip() for word in line[1:] if word.strip()] for line in lines}
    assert rows["setting"] == ["value", "from"]
    assert rows["title"] == ['"Test site"', "site.toml"]
    assert rows["menu"] == ["1 table", "site.toml"]
    assert rows["atlas"] == ["-", "default"]
    assert rows["synapse.wait"] == ["15", "default"]


def test_settings_that_cannot_hold_are_told_in_one_line(site):
    (site / "site.toml").write_text("[state]\nlease = 1\n")
    done = config(site)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "state.lease" in done.stderr


def test_a_login_in_the_address_of_synapse_is_refused_and_not_told(site):
    (site / "site.toml").write_text('[synapse]\nendpoint = "https://me:secret-8@synapse.example"\n')
    done = config(site)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "synapse.endpoint: an address with a login in it is not taken" in done.stderr
    assert "secret-8" not in done.stderr
