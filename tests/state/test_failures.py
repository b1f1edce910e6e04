"""Failures of the state and of the blob cache: each is told apart, names its file, and loses no history."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import errno
import os
import re
import sqlite3
from pathlib import Path

import pytest

import hdash_site
from hdash_site import app
from hdash_site.errors import LockedError, StateError
from hdash_site.state import failures, models, servers, store
from hdash_site.state.blobs import Blobs
from hdash_site.state.store import glanced, opened
from hdash_site.state.where import file
from tests import worlds


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def raised(action):
    with pytest.raises((sqlite3.Error, OSError)) as caught:
        action()
    return caught.value


def read_only(folder):
    sqlite3.connect(folder / "x.db").close()
    (folder / "x.db").touch()
    with contextlib.closing(sqlite3.connect(f"file:{folder}/x.db?mode=ro", uri=True)) as database:
        return raised(lambda: database.execute("CREATE TABLE x (y)"))


def full(folder):
    with contextlib.closing(sqlite3.connect(folder / "x.db")) as database:
        database.execute("CREATE TABLE x (y)")
        database.execute("PRAGMA max_page_count = 3")
        return raised(lambda: database.execute("INSERT INTO x VALUES (zeroblob(100000))"))


def not_to_be_opened(folder):
    (folder / "x.db").mkdir()
    return raised(lambda: sqlite3.connect(folder / "x.db"))


def without_a_table(folder):
    with contextlib.closing(sqlite3.connect(folder / "x.db")) as database:
        return raised(lambda: database.execute("SELECT * FROM hdash_snapshot"))


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (read_only, "cannot be written: it is read-only; make it writable"),
        (full, "cannot be written: the disk is full; free space on the disk"),
        (not_to_be_opened, "cannot be opened (unable to open database file); give yourself permission"),
        (without_a_table, "is damaged (no such table: hdash_snapshot)"),
        (lambda _: OSError(errno.ENOSPC, "No space left on device"), "the disk is full; free space"),
        (lambda _: OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full; free space"),
        (lambda _: OSError(errno.EROFS, "Read-only file system"), "it is read-only; make it writable"),
        (lambda _: OSError(errno.EACCES, "Permission denied"), "cannot be opened (Permission denied); give"),
        (
            lambda _: OSError(errno.EIO, "Input/output error"),
            "cannot be used (Input/output error); check the",
        ),
    ],
)
def test_each_failure_of_a_file_says_what_to_do_about_it(tmp_path, failure, said):
    error = failure(tmp_path)
    for line in (failures.of_state(error, "/x/state.db", 10), failures.of_blobs(error, "/x/blobs", 10)):
        assert said in str(line)
        assert str(line).startswith("/x/")
        assert "\n" not in str(line)


def test_a_state_that_another_program_holds_is_waited_for_and_then_said_to_be_held(cache, monkeypatch):
    monkeypatch.setattr(store, "TIMEOUT", 1)
    with opened(cache):
        pass
    with contextlib.closing(sqlite3.connect(cache / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LockedError) as caught, opened(cache):
            pass
    said = "another program holds the state database (waited 1 s); close that program, for example a backup"
    assert f"{cache}/state.db: {said}" in str(caught.value)
    with opened(cache):
        pass


def noise(path):
    path.write_bytes(os.urandom(65536))


def cut_off(path):
    path.write_bytes(path.read_bytes()[:5000])


def middle(path):
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(bytes(data))


def a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [noise, cut_off, middle, a_folder])
def test_a_damaged_cache_of_blobs_is_made_again_and_the_history_is_untouched(tmp_path, damage):
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases")
    worlds.build(site, atlases.folder)
    tree = worlds.tree(site / "public")
    history = histories(site)
    for beside in (site / "cache/blobs").glob("cache.db-*"):
        beside.unlink()
    damage(site / "cache/blobs/cache.db")
    (site / "content/about.md").write_text('+++\ntitle = "About"\n+++\nchanged\n')
    result = worlds.build(site, atlases.folder)
    assert result.exit_code == 0
    [said] = result.problems
    assert said.startswith(f"{site}/cache/blobs: the blob cache ")
    assert "an empty cache replaces it, and its content is built or fetched again" in said
    assert worlds.tree(site / "public").keys() >= tree.keys()
    assert histories(site) == history
    again = worlds.build(site, atlases.folder)
    assert (again.ran, again.problems) == ([], [])


def histories(site):
    with app.open_state(app.Options(site)) as state:
        return {source: state.editions(source) for source in state.sources()}


@pytest.mark.parametrize(
    ("misplaced", "said"),
    [
        (
            "cache/state.db/x",
            "cache/state.db: the state database belongs here, but this is a folder; move it to",
        ),
        (
            "cache",
            "cache: the state database needs a folder here, but this is none; move it to another place",
        ),
        (
            "cache/blobs",
            "cache/blobs: the blob cache needs a folder here, but this is none; move it to another",
        ),
    ],
)
def test_a_file_in_the_place_of_a_folder_is_named_and_kept(tmp_path, misplaced, said):
    path = tmp_path / misplaced
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"somebody's")
    with pytest.raises(StateError) as caught, opened(tmp_path / "cache"):
        pass
    assert f"{tmp_path}/{said}" in str(caught.value)
    assert path.read_bytes() == b"somebody's"


def test_a_reader_beside_a_run_leaves_a_damaged_cache_alone_and_says_so(cache):
    with opened(cache):
        pass
    noise(cache / "blobs/cache.db")
    damaged = (cache / "blobs/cache.db").read_bytes()
    with glanced(cache, file(cache)) as state:
        assert state.snapshots() == {}
        assert (
            "the blob cache is damaged (file is not a database); build: the next build" in state.problems[0]
        )
    assert (cache / "blobs/cache.db").read_bytes() == damaged


def test_a_cache_of_blobs_that_another_program_holds_is_named_and_kept(cache, monkeypatch):
    monkeypatch.setattr("hdash_site.state.blobs.TIMEOUT", 1)
    blobs = Blobs(cache)
    blobs.keep(b"kept")
    with contextlib.closing(sqlite3.connect(cache / "cache.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LockedError, match="another program holds the blob cache"):
            blobs.flush()
    blobs.flush()
    assert blobs.problems == []
    blobs.close()


def test_no_message_advises_to_delete_the_state():
    """Every text of the program but docstrings: `clean` deletes the history, which cannot be made again."""
    advice = re.compile(r"hdash-site clean|make clean|\bclean\b.*\bagain\b|begin anew")
    for path in Path(hdash_site.__file__).parent.rglob("*.py"):
        text = path.read_text()
        if not advice.search(text):
            continue
        nodes = list(ast.walk(ast.parse(text)))
        documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in documentation
            ):
                assert not advice.search(node.value), f"{path.name}:{node.lineno}: {node.value}"


def with_code(code):
    error = sqlite3.OperationalError("odd")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_SHMLOCK, sqlite3.SQLITE_PROTOCOL]
)
def test_a_disk_without_the_locks_of_sqlite_is_named_with_what_to_use_instead(code):
    for line in (failures.of_state(with_code(code), "/x", 1), failures.of_blobs(with_code(code), "/x", 1)):
        assert "such as a network disk (odd); use a folder on a local disk with --cache" in str(line)


class ServerError(Exception):
    """What a driver raises: MySQL's has a number, PostgreSQL's a state."""

    def __init__(self, code, said="said"):
        super().__init__(*([code, said] if isinstance(code, int) else [said]))
        self.sqlstate = code if isinstance(code, str) else None


SERVERS = [
    (LockedError, "another program holds a lock", [1205, 1213, "40P01", "55P03"]),
    (StateError, "the disk of the server is full (said); free space", [1021, 1114, 28, "53100"]),
    (StateError, "it is read-only (said); let HDASH_DB_… name the primary", [1290, 1792, 1836, "25006"]),
    (StateError, "refuses the user (said); check user and password", [1044, 1045, 1142, "28P01", "42501"]),
    (StateError, "is damaged or missing (said); repair it", [145, 1194, 1146, "XX001", "XX002", "42P01"]),
    (StateError, "accepts no more connections (said); close", [1040, 1203, "53300"]),
    (StateError, "has no such database (said); create it", [1049, "3D000"]),
    (StateError, "cannot be used (said); check that the server runs", [2003, 0, "08006"]),
]


@pytest.mark.parametrize(
    ("kind", "said", "code"), [(kind, said, code) for kind, said, codes in SERVERS for code in codes]
)
def test_each_failure_of_a_server_says_what_to_do_about_it(kind, said, code):
    try:
        raise RuntimeError("wrapped") from ServerError(code)
    except RuntimeError as error:
        line = failures.on_a_server(error, "mysql://user@host:1/name", "said")
    assert type(line) is kind
    assert said in str(line)
    assert str(line).startswith("mysql://user@host:1/name: ")


def test_real_servers_are_understood(on_a_server, tmp_path):
    """A row that is held, a session that may only read, a user and a database that are not there."""
    kind, cache = on_a_server.kind, tmp_path / "cache"
    with opened(cache, on_a_server):
        pass
    wrong = dataclasses.replace(on_a_server, name="hdash_not_there")
    with pytest.raises(StateError, match="the server has no such database"), opened(cache, wrong):
        pass
    if kind == "mysql":
        wrong = dataclasses.replace(on_a_server, user="nobody", password="none")
        with pytest.raises(StateError, match="refuses the user"), opened(cache, wrong):
            pass
    with pytest.raises(StateError, match="it is read-only"), opened(cache, on_a_server):
        models.database.execute_sql("START TRANSACTION READ ONLY")
        try:
            models.database.execute_sql("DELETE FROM hdash_fact")
        finally:
            models.database.execute_sql("ROLLBACK")
    waits = "SET SESSION innodb_lock_wait_timeout = 1" if kind == "mysql" else "SET lock_timeout = 500"
    other = servers.database(on_a_server)
    other.connect()
    with (
        pytest.raises(LockedError, match="another program holds a lock"),
        opened(cache, on_a_server) as state,
        other.atomic(),
    ):
        state.set_fact("held", "1")
        other.execute_sql("SELECT * FROM hdash_fact FOR UPDATE").fetchall()
        models.database.execute_sql(waits)
        with models.database.atomic():
            models.Fact.update(fact="2").execute()
    other.close()


def test_an_error_of_the_state_keeps_its_own_words_for_what_nobody_thought_of():
    assert isinstance(failures.of_state(sqlite3.OperationalError("odd"), "/x", 1), StateError)
    assert "cannot be used (odd)" in str(failures.of_state(sqlite3.OperationalError("odd"), "/x", 1))
