"""A server keeps the bytes as well: a night on an empty disk, without S3, does nothing that was done."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import socket
import subprocess
import time

import pytest

from hdash_site.engine.model import Key, Trace
from hdash_site.sources.folder import Folder
from hdash_site.state import models, packtable, where
from hdash_site.state.store import glanced, opened
from hdash_site.state.where import Where
from tests import databases, worlds

PAGE = Key("page", "x")


@pytest.fixture
def nights(tmp_path, on_a_server, monkeypatch):
    """Nights of one site, each on an empty disk; the state is on a server alone."""
    monkeypatch.setenv(where.URL, databases.environment(on_a_server)[where.URL])
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases")
    read = Folder._manifest
    fetched = []

    def fetch(self, entity):
        fetched.append(entity)
        return read(self, entity)

    monkeypatch.setattr(Folder, "_manifest", fetch)

    def night():
        for name in ("cache", "public"):
            shutil.rmtree(site / name, ignore_errors=True)
        fetched.clear()
        result = worlds.build(site, atlases.folder)
        return result, worlds.tree(site / "public"), len(fetched)

    return night


def on(place, statement):
    database = databases.servers.database(place)
    database.connect()
    database.execute_sql(statement)
    database.close()


def test_the_second_night_on_an_empty_disk_runs_no_recipe_and_downloads_nothing(nights, on_a_server):
    first, tree, downloads = nights()
    assert len(first.ran) > 50
    assert downloads == 6
    written = databases.rows(on_a_server, "SELECT hash FROM hdash_pack")
    second, again, downloads = nights()
    assert (second.ran, second.problems, downloads) == ([], [], 0)
    assert again == tree
    assert databases.rows(on_a_server, "SELECT hash FROM hdash_pack") == written, "nothing was new"
    # What the server lost is said, made again, and kept again.
    on(on_a_server, "DELETE FROM hdash_pack WHERE kind = 'blobs'")
    result, again, _ = nights()
    assert (again, result.exit_code) == (tree, 0)
    damaged, missing = result.problems
    assert "in hdash_pack is damaged or incomplete" in damaged
    assert "makes or downloads them again" in missing
    result, again, downloads = nights()
    assert (result.ran, result.problems, downloads, again) == ([], [], 0, tree)


@pytest.mark.parametrize(
    ("damage", "lines"),
    [
        ("DELETE FROM hdash_pack WHERE kind = 'blobs'", 2),
        ("DELETE FROM hdash_pack WHERE kind = 'index'", 2),
        ("UPDATE hdash_pack SET data = 'no pack'", 2),
        ("DELETE FROM hdash_pack", 1),
    ],
)
def test_bytes_that_the_server_lost_are_said_and_kept_again(tmp_path, on_a_server, damage, lines):
    def run(disk):
        with opened(tmp_path / disk, on_a_server) as store:
            there = store.load(digest) is not None
            store.keep(b"value")
        return there, len(store.problems)

    with opened(tmp_path / "one", on_a_server) as store:
        digest = store.keep(b"value")
        store.record(PAGE, Trace("r", (), {"part": digest}))
        store.commit()
    assert run("two") == (True, 0)
    on(on_a_server, damage)
    assert run("three") == (False, lines)
    assert run("four") == (True, 0)


@pytest.fixture
def small_packets(tmp_path):
    """A server of its own that takes packets of at most a megabyte."""
    program = shutil.which("mariadbd")
    if not program:
        pytest.skip("no mariadbd")
    folder = tmp_path / "server"
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--no-defaults", "--skip-grant-tables", f"--datadir={folder}", f"--socket={folder}/s"]
    words += [f"--port={port}", "--bind-address=127.0.0.1", "--max-allowed-packet=1048576"]
    words += ["--user=root"] if os.getuid() == 0 else []
    with (folder / "log").open("wb") as log, subprocess.Popen([program, *words], stderr=log) as process:
        place = Where("mysql", "hdash", "127.0.0.1", port, "root")
        for _ in range(600):
            try:
                on(dataclasses.replace(place, name="information_schema"), "CREATE DATABASE hdash")
                break
            except databases.servers.peewee.PeeweeException:
                assert process.poll() is None
                time.sleep(0.05)
        yield place
        process.terminate()


def test_large_values_are_cut_into_parts_that_fit_into_small_packets(tmp_path, small_packets):
    # Quotes are escaped: a statement is twice as long as they are.
    large = random.Random(5).randbytes(3 << 20) + b"'" * (1 << 20)
    with opened(tmp_path / "one", small_packets) as store:
        digest = store.keep(large)
        store.record(PAGE, Trace("r", (), {"part": digest}))
        store.commit()
    with opened(tmp_path / "two", small_packets) as store:
        assert (store.load(digest), store.problems) == (large, [])


def test_a_part_fits_into_a_packet_of_a_megabyte_however_its_bytes_are_escaped():
    assert 2 * packtable.PART_BYTES + 10_000 < 1 << 20


def test_status_reads_the_bytes_of_the_server_and_changes_nothing(tmp_path, on_a_server):
    with opened(tmp_path / "one", on_a_server) as store:
        digest = store.keep(b"value")
        store.record(PAGE, Trace("r", (), {"part": digest}))
        store.commit()
    before = databases.rows(on_a_server, "SELECT hash FROM hdash_pack")
    with glanced(tmp_path / "two", on_a_server) as store:
        assert store.load(digest) == b"value"
    assert databases.rows(on_a_server, "SELECT hash FROM hdash_pack") == before


def test_a_reset_empties_the_packs_as_well(tmp_path, on_a_server):
    with opened(tmp_path / "one", on_a_server) as store:
        store.record(PAGE, Trace("r", (), {"part": store.keep(b"value")}))
        store.commit()
    assert databases.rows(on_a_server, "SELECT 1 FROM hdash_pack")
    with opened(tmp_path / "one", on_a_server) as store:
        store.reset()
    assert databases.rows(on_a_server, "SELECT 1 FROM hdash_pack") == []


def test_what_an_edit_makes_useless_does_not_pile_up(tmp_path, on_a_server):
    luck = random.Random(7)
    for _ in range(12):
        with opened(tmp_path / "one", on_a_server) as store:
            store.record(PAGE, Trace("r", (), {"part": store.keep(luck.randbytes(100_000))}))
            store.commit()
    [(total,)] = databases.rows(on_a_server, "SELECT SUM(LENGTH(data)) FROM hdash_pack")
    assert total < 250_000


def test_sqlite_has_no_use_for_them(tmp_path):
    with opened(tmp_path) as store:
        store.record(PAGE, Trace("r", (), {"part": store.keep(b"value")}))
        store.commit()
    with opened(tmp_path):
        assert models.Pack.select(models.Pack.hash).count() == 0
