"""MySQL and PostgreSQL: what fails there, and whose the lock is then."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import threading
import time
import traceback

import pytest

from hdash_site.artifact import Published
from hdash_site.engine.model import Key, Trace
from hdash_site.errors import LockedError, StateError
from hdash_site.snapshot import Project, Snapshot
from hdash_site.state import models, servers
from hdash_site.state.store import opened
from tests import databases, worlds

PAGE = Key("page", "atlas/HTA1")
CANARY = "canary-7f3a"


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": "nobody-here"},
        {"name": "no_such_database"},
        {"port": 1},
        {"host": "no-such-host.invalid"},
        {"host": "x" * 300},
        {"tls": "verify"},
        {"password": f"{CANARY}🔑", "user": "nobody-here"},
    ],
    ids=("user", "database", "port", "host", "long host", "certificate", "password"),
)
def test_a_server_that_does_not_let_us_in_is_one_line_without_the_password(cache, on_a_server, wrong):
    # The MySQL server asks root for no password, and refuses one.
    password = "" if wrong.keys() & {"name", "tls"} and on_a_server.kind == "mysql" else CANARY
    place = dataclasses.replace(on_a_server, **{"password": password, **wrong})
    with pytest.raises(StateError, match="HDASH_DB_") as caught, opened(cache, place):
        pass
    assert str(caught.value).startswith(str(place))
    assert "\n" not in str(caught.value)
    assert CANARY not in repr(caught.value)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_encryption_that_is_asked_for_is_there_or_nothing_is(cache, on_a_server):
    place = dataclasses.replace(on_a_server, tls="require")
    can, ask = {
        "mysql": ("SELECT @@have_ssl = 'YES'", "SHOW STATUS LIKE 'Ssl_cipher'"),
        "postgresql": (
            "SELECT current_setting('ssl') = 'on'",
            "SELECT 1, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        ),
    }[place.kind]
    if databases.on_server(place.kind, can)[0][0]:
        with opened(cache, place):
            [(_, cipher)] = models.database.execute_sql(ask).fetchall()
            assert cipher
    else:
        with pytest.raises(StateError, match=r"(?i)ssl"), opened(cache, place):
            pass


def test_a_closed_connection_is_replaced_as_long_as_the_lock_is_ours(cache, on_a_server):
    kind = on_a_server.kind
    own, kill = {
        "mysql": ("SELECT CONNECTION_ID()", "KILL CONNECTION {}"),
        "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"),
    }[kind]
    with opened(cache, on_a_server) as store:
        for write in (
            lambda: store.claim("public", {"a": Published("1")}),
            lambda: store.note_run("", "", "done", {}),
            lambda: store.published("public"),
        ):
            [(number,)] = models.database.execute_sql(own).fetchall()
            databases.on_server(kind, kill.format(number))
            write()
        assert store.published("public") == {"a": Published("1")}


CHANGES = (
    lambda store: store.claim("public", {"a": Published("1")}),
    lambda store: store.save_snapshots([Snapshot(Project("A", "syn1", "", ""), "f", "", {})]),
    lambda store: store.commit(),
    lambda store: store.note_run("", "", "done", {}),
    lambda store: store.reset(),
)


def test_a_run_whose_connections_are_cut_takes_the_lock_again_and_makes_each_change_once(cache, on_a_server):
    with opened(cache, on_a_server) as store:
        store.record(PAGE, Trace("r", (), {}))
        for change in CHANGES[:-1]:
            databases.disconnect(on_a_server.kind)
            change(store)
            with pytest.raises(LockedError), opened(cache, on_a_server):
                pass
    with opened(cache, on_a_server) as store:
        assert [*store.snapshots()] == ["A"]
        assert store.trace(PAGE) == Trace("r", (), {})
        assert store.published("public") == {"a": Published("1")}
        assert models.Run.select().count() == 1


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_changes_nothing_if_another_run_had_the_lock_in_the_meantime(cache, on_a_server, change):
    with pytest.raises(StateError, match="the lock was lost") as caught, opened(cache, on_a_server) as late:
        late.record(PAGE, Trace("r", (), {}))
        databases.disconnect(on_a_server.kind)
        with opened(cache, on_a_server) as store:
            store.claim("public", {"b": Published("2")})
        change(late)
    assert "\n" not in str(caught.value)
    with opened(cache, on_a_server) as store:
        assert (store.snapshots(), store.trace(PAGE)) == ({}, None)
        assert store.published("public") == {"b": Published("2")}
        assert models.Run.select().count() == 0


def test_a_run_whose_lock_is_somebody_elses_now_changes_nothing(cache, on_a_server):
    with pytest.raises(StateError, match="the lock was lost"), opened(cache, on_a_server) as late:
        databases.disconnect(on_a_server.kind)
        with opened(cache, on_a_server) as store:
            store.claim("public", {"b": Published("2")})
            with pytest.raises(StateError, match="the lock was lost"):
                late.claim("public", {"a": Published("1")})
            assert store.published("public") == {"b": Published("2")}
        late.claim("public", {"a": Published("1")})


def test_the_lock_outlasts_the_patience_of_the_server(cache, on_a_server, monkeypatch):
    monkeypatch.setattr(servers, "SILENT_SECONDS", 2)
    monkeypatch.setattr(servers, "BEAT_SECONDS", 0.5)
    with opened(cache, on_a_server) as store:
        time.sleep(4)
        with pytest.raises(LockedError), opened(cache, on_a_server):
            pass
        store.claim("public", {"a": Published("1")})
        assert store.published("public") == {"a": Published("1")}


def test_the_lock_of_a_machine_that_vanished_is_free_after_a_while(cache, on_a_server, monkeypatch):
    monkeypatch.setattr(servers, "SILENT_SECONDS", 2)
    monkeypatch.setattr(servers, "BEAT_SECONDS", 1000)
    with pytest.raises(StateError, match="the lock was lost"), opened(cache, on_a_server) as vanished:
        with pytest.raises(LockedError), opened(cache, on_a_server):
            pass
        time.sleep(4)
        with opened(cache, on_a_server) as store:
            store.claim("public", {"a": Published("1")})
        vanished.claim("public", {"a": Published("2")})


def test_the_server_is_given_time_to_notice_that_a_run_was_killed(cache, on_a_server):
    gone = subprocess.Popen(["true"])
    gone.wait()
    code = "import os, sys, time; from pathlib import Path; from hdash_site.state import models, where\n"
    code += "from hdash_site.state.store import opened\n"
    code += "cache = Path(sys.argv[1])\n"
    code += "with opened(cache, where.read(os.environ, cache)):\n"
    code += "    models.Lock.update(process=int(sys.argv[2])).execute()\n"
    code += "    print('open', flush=True); time.sleep(0.7); os._exit(9)\n"
    killed = subprocess.Popen(
        [sys.executable, "-c", code, str(cache), str(gone.pid)],
        env=databases.environment(on_a_server),
        stdout=subprocess.PIPE,
    )
    with killed:
        assert killed.stdout.readline() == b"open\n"
        with opened(cache, on_a_server) as store:
            assert killed.wait() == 9
            assert store.snapshots() == {}


def test_no_thread_is_left_when_the_state_is_closed(cache, on_a_server):
    before = threading.active_count()
    with opened(cache, on_a_server):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_two_that_open_an_empty_database_at_once_do_not_trip_over_each_other(cache, on_a_server):
    code = "import os, sys; from pathlib import Path; from hdash_site.errors import LockedError\n"
    code += "from hdash_site.state import where; from hdash_site.state.store import opened\n"
    code += "cache = Path(sys.argv[1])\n"
    code += "try:\n    with opened(cache, where.read(os.environ, cache)): print('open')\n"
    code += "except LockedError: print('locked')\n"
    environment = databases.environment(on_a_server)
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(cache)], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = [run.communicate()[0].strip() for run in runs]
    assert set(said) <= {"open", "locked"}
    assert "open" in said


def test_a_build_whose_connections_are_cut_ends_well(tmp_path, on_a_server):
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases")
    environment = databases.environment(on_a_server)
    command = [sys.executable, "-m", "hdash_site", "build", "--quiet", "--jobs", "1"]
    command += ["--root", str(site), "--source", str(atlases.folder)]
    ended = 0
    for number in range(8):
        for project in atlases.projects:
            project["name"] = f"Atlas, edition {number}"
        atlases.save()
        build = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        cuts = 0
        # A run that was never connected does not wait: its address may be wrong.
        while build.poll() is None and not databases.is_locked_by(build.pid, on_a_server):
            pass
        while cuts < number and build.poll() is None:
            time.sleep(0.01 * number)  # so that each is cut elsewhere
            cuts += databases.disconnect(on_a_server.kind) > 0
        said = build.communicate()[1]
        said = re.sub(r"hdash-site: waiting for the database, for up to \d+ s\n", "", said)
        if build.returncode:  # a cut at the very moment of the start can still end the build, in one line
            ended += 1
            assert "the state database cannot be used" in said
            assert said.count("\n") == 1
        else:
            assert said == ""
        subprocess.run(command, env=environment, check=True)
        clean = tmp_path / f"clean-{number}"
        worlds.build(site, atlases.folder, output=clean / "public", cache=clean / "cache")
        assert worlds.tree(site / "public") == worlds.tree(clean / "public")
    assert ended <= 2
