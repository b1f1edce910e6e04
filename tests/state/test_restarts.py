"""A database server that is restarted, or cuts connections, in the middle of a run: the run goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time

import pytest

from hdash_site.artifact import Published
from hdash_site.engine.model import Key, Trace
from hdash_site.errors import StateError
from hdash_site.snapshot import Project, Snapshot
from hdash_site.state import models
from hdash_site.state.orm import peewee
from hdash_site.state.outage import Outage
from hdash_site.state.store import opened
from tests import databases, worlds

WAITING = r"hdash-site: waiting for the database, for up to \d+ s\n"
CUTS = int(os.environ.get("KILLS", "3"))


class Proxy:
    """A way to a server that can be closed for a while: connections end, and new ones are refused."""

    def __init__(self, place):
        self._target = (place.host, place.port)
        self._pairs = []
        self._listener = None
        self.port = 0
        self.open()
        self.place = dataclasses.replace(place, port=self.port)

    def open(self):
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self, linger=0.0):
        """End all connections; the server learns it `linger` seconds later."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        pairs, self._pairs = self._pairs, []
        for side in (0, 1):
            for pair in pairs:
                with contextlib.suppress(OSError):
                    pair[side].shutdown(socket.SHUT_RDWR)
            time.sleep(linger if side == 0 else 0)
        for pair in pairs:
            for end in pair:
                end.close()

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(on_a_server):
    proxy = Proxy(on_a_server)
    yield proxy
    proxy.close()


def work(store):
    """Make changes of all kinds, each of which hangs on those before it."""
    for number in range(3):
        store.record(Key("page", f"{number}"), Trace(f"r{number}", (), {"": "0" * 64}))
        store.claim("public", {f"{number}": Published(f"{number}"), "same": Published(f"{number}")})
        store.save_snapshots(
            [Snapshot(Project(f"A{number}", "syn1", "", ""), "f", "", {})], f"source {number}"
        )
        store.add_edition("source", f"{number}", "{}", "{}")
        store.commit()
        store.disown("public", [f"{number - 1}"])
        store.note_run(f"{number}", "", "done", {})
        store.set_fact("number", f"{number}")


def content():
    """Return all rows. The number of a run is left out: one that was not committed leaves a gap."""
    found = {}
    for table in models.CONTENT:
        fields = [field for field in table._meta.sorted_fields if field.name != "id"]
        found[table.__name__] = sorted(models.rows(table.select(*fields)))
    return found


class Cutting:
    """Cut every connection before, or after, the statement of a number, or the commit of a transaction."""

    def __init__(self, monkeypatch, kind, cuts):
        self.count, self.busy = 0, False

        def patched(name):
            real = getattr(peewee.Database, name)

            def statement(database, *args, **more):
                if self.busy:
                    return real(database, *args, **more)
                self.count += 1
                when = cuts.get(self.count)
                if when == "before":
                    self.cut(kind)
                result = real(database, *args, **more)
                if when == "after":
                    self.cut(kind)
                    raise peewee.OperationalError("the answer was lost")
                return result

            monkeypatch.setattr(peewee.Database, name, statement)

        patched("execute_sql")
        patched("commit")

    def cut(self, kind):
        self.busy = True
        while databases.disconnect(kind):  # a server does it a moment later
            pass
        self.busy = False


def test_the_state_is_that_of_an_undisturbed_run_wherever_the_connections_are_cut(
    tmp_path, server, on_a_server, monkeypatch
):
    kind = on_a_server.kind
    with opened(tmp_path / "cache", on_a_server) as store:
        with monkeypatch.context() as patch:
            counting = Cutting(patch, kind, {})
            work(store)
        whole = counting.count
        expected = content()
    assert whole > 50
    luck = random.Random(kind)
    for _ in range(CUTS):
        place = databases.at(kind, tmp_path)
        numbers = luck.sample(range(1, whole), luck.choice([1, 1, 2, 5]))
        cuts = {number: luck.choice(["before", "after"]) for number in numbers}
        with opened(tmp_path / "cache", place) as store:
            with monkeypatch.context() as patch:
                Cutting(patch, kind, cuts)
                work(store)
            assert content() == expected, cuts


def test_every_change_is_made_once_though_the_answer_to_its_commit_is_lost(
    tmp_path, on_a_server, monkeypatch
):
    with opened(tmp_path / "cache", on_a_server) as store:
        real = peewee.Database.commit
        lost = []

        def commit(database):
            real(database)
            if not lost:
                lost.append(1)
                databases.disconnect(on_a_server.kind)
                raise peewee.OperationalError("the answer was lost")

        with monkeypatch.context() as patch:
            patch.setattr(peewee.Database, "commit", commit)
            store.note_run("now", "", "done", {})
        assert lost
        store.note_run("later", "", "done", {})
        assert [run.started for run in models.Run.select()] == ["now", "later"]


@pytest.mark.parametrize("linger", [0, 1.5], ids=("at once", "late"))
def test_a_restart_is_waited_for_and_said(tmp_path, proxy, linger):
    told = []
    with opened(tmp_path / "cache", proxy.place, outage=Outage(None, told.append)) as store:
        store.claim("public", {"a": Published("1")})
        proxy.close(linger)
        threading.Timer(1.5, proxy.open).start()
        store.claim("public", {"b": Published("2")})
        assert store.published("public").keys() == {"a", "b"}
        with pytest.raises(StateError, match="another run"), opened(tmp_path / "other", proxy.place):
            pass
    [line] = told
    assert re.fullmatch(r"waiting for the database, for up to \d+ s", line)


def test_a_restart_that_outlasts_the_deadline_ends_the_run_in_one_line(tmp_path, proxy):
    began = time.monotonic()
    with (
        pytest.raises(StateError, match="the state database cannot be used") as caught,
        opened(tmp_path / "cache", proxy.place, outage=Outage(began + 3, lambda _: None)) as store,
    ):
        store.claim("public", {"a": Published("1")})
        proxy.close()
        store.claim("public", {"b": Published("2")})
    proxy.open()
    assert time.monotonic() >= began + 3
    assert "\n" not in str(caught.value)
    with opened(tmp_path / "cache", proxy.place) as store:
        assert store.published("public") == {"a": Published("1")}


def test_a_build_over_a_restart_makes_what_an_undisturbed_build_makes(tmp_path, proxy, on_a_server):
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases")
    command = [sys.executable, "-m", "hdash_site", "build", "--quiet", "--jobs", "1"]
    command += ["--root", str(site), "--source", str(atlases.folder)]
    environment = databases.environment(proxy.place)
    luck = random.Random(proxy.place.kind)
    waited = ended = 0
    for number in range(CUTS):
        for project in atlases.projects:
            project["name"] = f"Atlas, edition {number}"
        atlases.save()
        build = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        while build.poll() is None and not databases.is_locked_by(build.pid, on_a_server):
            pass
        time.sleep(number and luck.random() / 5)
        proxy.close()
        time.sleep(1.5)
        proxy.open()
        said = build.communicate()[1]
        if build.returncode:  # a cut at the very moment of the start can still end the build, in one line
            ended += 1
            assert "the state database cannot be used" in re.sub(WAITING, "", said), said
            assert "Traceback" not in said
            subprocess.run(command, env=environment, check=True)
        else:
            assert not re.sub(WAITING, "", said)
            waited += bool(said)
        clean = tmp_path / f"clean-{number}"
        worlds.build(site, atlases.folder, output=clean / "public", cache=clean / "cache")
        assert worlds.tree(site / "public") == worlds.tree(clean / "public")
        again = subprocess.run([*command, "--json"], env=environment, stdout=subprocess.PIPE, check=True)
        assert json.loads(again.stdout)["recipes_run"] == 0
    assert waited or ended
    assert ended < CUTS
