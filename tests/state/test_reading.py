"""A state that may only be read: `status`, `check` and `history list` work, and write nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hdash_site.state import where
from hdash_site.state.store import glanced
from tests import databases, worlds

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount and to be another user")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    site = worlds.site_folder(folder / "site")
    (site / "content/long.md").write_text('+++\ntitle = "Long"\n+++\n' + "Many words. " * 9000)
    worlds.build(site, worlds.small(folder / "atlases").folder)
    return site


def quiet(site):
    """Nobody has the state open."""
    assert not (site / "cache/state.db-wal").exists()


def killed(site):
    """A run was killed: what it wrote last is in the logs alone."""
    for name, change in (
        ("state.db", "UPDATE hdash_snapshot SET entities = 77"),
        ("blobs/cache.db", "UPDATE Settings SET value = 0 WHERE key = 'hits'"),
    ):
        file = site / "cache" / name
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute("PRAGMA wal_autocheckpoint = 0")
            database.execute(change)
            copies = {end: Path(f"{file}{end}").read_bytes() for end in ("", "-wal")}
        for end, data in copies.items():
            Path(f"{file}{end}").write_bytes(data)


def older(site):
    """An older version wrote it."""
    with closing(sqlite3.connect(site / "cache/state.db", isolation_level=None)) as database:
        database.execute("DELETE FROM hdash_migration WHERE name = 'packs_of_blobs'")
        database.execute("DROP TABLE hdash_pack")


def mounted(site, command):
    """Run a command where the site is on a read-only mount."""
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, str(site), *command]


def as_nobody(site, command):
    for path in (site, *site.parents):
        if path == Path("/tmp"):
            break
        path.chmod(0o755)
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]


def tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def output(site, how, *command):
    full = how(site, [sys.executable, "-m", "hdash_site", *command, "--root", str(site)])
    done = subprocess.run(full, capture_output=True, text=True, check=False, cwd=worlds.ROOT)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.mark.parametrize("how", [mounted, as_nobody])
@pytest.mark.parametrize("left", [quiet, killed, older])
def test_status_check_and_history_read_a_state_that_they_may_not_write(built, tmp_path, how, left):
    if subprocess.run(how(tmp_path, ["true"]), check=False, capture_output=True).returncode:
        pytest.skip("this machine does not allow it")
    site = tmp_path / "site"
    shutil.copytree(built, site)
    left(site)
    before = tree(site)
    status = output(site, how, "status")
    assert status.count("HTA") == 2
    assert (" 77 " in status) == (left is killed)
    assert "0 errors" in output(site, how, "check")
    assert "The history begins" in output(site, how, "history", "list")
    assert tree(site) == before


def test_a_read_only_state_without_blobs_says_that_the_site_must_be_built(built, tmp_path):
    site = tmp_path / "site"
    shutil.copytree(built, site)
    shutil.rmtree(site / "cache/blobs")
    full = mounted(site, [sys.executable, "-m", "hdash_site", "check", "--root", str(site)])
    done = subprocess.run(full, capture_output=True, text=True, check=False, cwd=worlds.ROOT)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "build it first" in done.stderr


_GRANTS = {
    "mysql": (
        "CREATE USER {user}@'%%'",
        "GRANT SELECT ON {name}.* TO {user}@'%%'",
    ),
    "postgresql": (
        "CREATE USER {user}",
        "GRANT CONNECT ON DATABASE {name} TO {user}",
    ),
}
_USER = f"reader_{os.getpid()}"
_READER = {"mysql": f"{_USER}@'%%'", "postgresql": _USER}


def test_a_user_who_may_only_select_reads_a_state_on_a_server(on_a_server, tmp_path, monkeypatch):
    kind = on_a_server.kind
    monkeypatch.setenv(where.URL, databases.environment(on_a_server)[where.URL])
    site = worlds.site_folder(tmp_path / "site")
    worlds.build(site, worlds.small(tmp_path / "atlases").folder)
    databases.on_server(kind, f"DROP USER IF EXISTS {_READER[kind]}")
    databases.on_server(kind, *(grant.format(name=databases.NAME, user=_USER) for grant in _GRANTS[kind]))
    try:
        if kind == "postgresql":
            databases.change(on_a_server, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {_USER}")
        reader = where.Where(kind, on_a_server.name, on_a_server.host, on_a_server.port, _USER)
        with glanced(tmp_path / "other", reader) as store:
            assert [*store.snapshots()] == ["HTA1", "HTA2"]
            assert {digest for digest in store.named() if store.load(digest) is None} == set()
    finally:
        if kind == "postgresql":
            databases.change(on_a_server, f"DROP OWNED BY {_USER}")
        databases.on_server(kind, f"DROP USER {_READER[kind]}")
