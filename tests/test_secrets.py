"""A canary in every secret variable: whatever is run, and however it fails, nobody is told."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hdash_site.secrets import SECRETS, hidden
from tests import worlds
from tests.test_notify import slack

CANARIES = {name: f"canary-{name.lower().replace('_', '-')}" for name in SECRETS}
URLS = {
    "HDASH_DB_URL": "mysql://site-user:canary-password@127.0.0.1:9/none",
    "SLACK_WEBHOOK_URL": "http://127.0.0.1:9/services/canary-webhook",
}
PARTS = {"HDASH_DB_HOST": "127.0.0.1", "HDASH_DB_USER": "user", "HDASH_DB_NAME": "none"}
COMMANDS = [
    ["build"],
    ["build", "--offline"],
    ["crawl"],
    ["deploy"],
    ["plan"],
    ["nightly"],
    ["nightly", "--json"],
    ["init"],
    ["status"],
    ["reset", "--yes"],
    ["history", "list"],
    ["clean", "--yes"],
    ["slack"],
    ["why", "index.html"],
]
WORLDS = {
    "canaries that are no addresses": {},
    "a database that is not there": {"HDASH_DB_URL": URLS["HDASH_DB_URL"], "HDASH_DB_PASSWORD": ""},
    "a database in parts": {"HDASH_DB_URL": "", "HDASH_DB_PORT_NUMBER": "9", **PARTS},
    "no database": {"HDASH_DB_URL": "", "HDASH_DB_PASSWORD": ""},
}


@pytest.mark.parametrize("world", WORLDS)
def test_no_command_tells_a_secret(world, tmp_path, s3, new_bucket):
    site = worlds.site_folder(tmp_path / "site")
    text = (site / "site.toml").read_text()
    # Nothing listens on port 9: every service is away.
    (site / "site.toml").write_text(f'{text}\n[synapse]\nendpoint = "http://127.0.0.1:9"\npatience = 0.2\n')
    environ = os.environ | s3.environ(new_bucket) | CANARIES
    environ |= {
        "S3_WEB_SITE_URL": "https://dash.example.org/",
        "SLACK_WEBHOOK_URL": URLS["SLACK_WEBHOOK_URL"],
    }
    environ |= WORLDS[world]
    for command in COMMANDS:
        whole = [sys.executable, "-m", "hdash_site", *command, "--root", str(site)]
        done = subprocess.run(whole, env=environ, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert "canary" not in said.lower(), command
        assert "Traceback" not in said, command
    stored = s3.objects(new_bucket)
    assert not [key for key, one in stored.items() if b"canary" in one.data.lower()]
    # The files of the site and of its state are looked through after each test (conftest).


def test_a_night_that_goes_well_tells_no_secret_to_slack_either(tmp_path, s3, new_bucket):
    site = worlds.site_folder(tmp_path / "site")
    worlds.name_the_sample(site)
    with slack() as (address, told):
        environ = os.environ | s3.environ(new_bucket) | {"SLACK_WEBHOOK_URL": address}
        command = [sys.executable, "-m", "hdash_site", "nightly", "--root", str(site)]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        assert "canary" not in str(told) + done.stdout + done.stderr
        assert len(told) == 1


def test_a_line_that_holds_a_secret_is_told_without_it():
    environ = {"SYNAPSE_AUTH_TOKEN": "abcdefgh", "HDASH_DB_PASSWORD": "abc", "S3_SECRET_ACCESS_KEY": ""}
    assert hidden("token abcdefgh, abc", environ) == "token …, abc"
    environ = {"HDASH_DB_URL": "mysql://user:pass%2Fword@host:3306/name"}
    assert hidden("mysql://user@host:3306/name pass/word pass%2Fword", environ) == (
        "mysql://user@host:3306/name … …"
    )
    assert (
        hidden("sqlite:///tmp/state.db", {"HDASH_DB_URL": "sqlite:///tmp/state.db"})
        == "sqlite:///tmp/state.db"
    )
