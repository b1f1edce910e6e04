"""The state moves between databases, S3 and a file; nothing is lost or replaced in silence."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdash_site import app, transfer
from hdash_site.artifact import Published
from hdash_site.engine.model import Key, Trace
from hdash_site.errors import ConfigError, HdashError, LockedError, StateError
from hdash_site.snapshot import Project, Snapshot
from hdash_site.state import archive, models, where
from hdash_site.state.store import glanced, opened
from tests import databases, worlds

SOURCES = ("sqlite", "mysql", "postgresql", "s3")
TEXT = "Café/\N{COLLISION SYMBOL} 'quoted\\' \"\n%s ?"
BLOB = bytes(range(256)) * 5000


def fill(store):
    """Give a state something in each table that a move carries."""
    digest = store.keep(BLOB)
    store.save_snapshots([Snapshot(Project("A", "syn1", TEXT, ""), TEXT, digest, {})])
    store.register([Project("B", "syn2", TEXT, "")])
    store.record(Key("page", TEXT), Trace("r", ((Key("a", TEXT, "x"), "d"),), {"index.html": digest}))
    store.commit()
    store.claim("public", {TEXT: Published("1" * 64, "h", "e"), "b": Published("2" * 64)})
    for number in range(3):
        store.note_run(f"start {number}", "end", "done", {"text": TEXT})
    models.Edition.insert(
        hash="1" * 64, moment="2026-07-01T03:00:00+00:00", edition="{}", basis="x" * 300_000, source="s"
    ).execute()
    store.set_fact("site", TEXT)
    models.Deletion.insert(hash="2" * 64, mirror="3" * 64, path="p", since="2026", nights=2).execute()


def content(database):
    return {
        table: list(archive.rows_of(database, table, columns)) for table, columns in models.carried().items()
    }


@pytest.fixture
def options(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/site.toml").write_text('title = "Test site"\n')
    return app.Options(tmp_path / "site")


@pytest.fixture
def address(server, tmp_path, s3, new_bucket, monkeypatch):
    """Give the address of a state of each kind, empty at first."""
    for name, value in s3.environ().items():
        monkeypatch.setenv(name, value)

    def give(kind, name="other"):
        if kind == "sqlite":
            return str(tmp_path / name / "state.db")
        if kind == "s3":
            return f"s3://{new_bucket}/{name}"
        server(kind)
        place = databases.at(kind, tmp_path)
        return databases.environment(place)[where.URL]

    return give


@contextlib.contextmanager
def state_at(address, options):
    side = transfer._side(address, "TO", options)
    with transfer._opened(side, blobs=True) as store:
        yield store


def no_question(question):
    raise AssertionError(question)


def copied(options, source, target, **more):
    more = {"blobs": True, "replace": False, "confirm": no_question, **more}
    return transfer.copy(options, source, target, **more)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_state_goes_to_each_kind_of_place_and_back_with_all_its_rows_and_bytes(options, address, kind):
    first, other, last = address("sqlite", "first"), address(kind), address("sqlite", "last")
    with state_at(first, options) as store:
        fill(store)
        before = content(models.database.obj)
        [digest] = store.named()
    assert all(before.values()), "each table has rows"
    moved = copied(options, first, other)
    assert moved.rows["hdash_run"] == 3
    copied(options, other, last)
    with state_at(last, options) as store:
        assert content(models.database.obj) == before
        assert store.load(digest) == BLOB
    with state_at(other, options) as store:
        assert content(models.database.obj) == before
        store.note_run("the next", "", "done", {})  # the numbers of runs go on
        assert [run.started for run in models.Run.select().order_by(models.Run.id)][-1] == "the next"


def test_a_move_carries_every_table_but_those_of_the_database_or_the_disk(tmp_path):
    with opened(tmp_path):
        there = set(models.database.get_tables())
    assert there - set(models.carried()) == {"hdash_lock", "hdash_look", "hdash_migration", "hdash_pack"}


def test_the_site_goes_on_with_its_history_after_a_move(tmp_path, on_a_server, monkeypatch):
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases")
    worlds.build(site, atlases.folder)
    tree = worlds.tree(site / "public")
    monkeypatch.setenv(where.URL, databases.environment(on_a_server)[where.URL])
    old = str(site / "cache/state.db")
    copied(app.Options(site), old, "here", blobs=False)
    result = worlds.build(site, atlases.folder)
    assert (result.ran, result.deployed.removed, worlds.tree(site / "public")) == ([], [], tree)


def exported(tmp_path, options, **more):
    file = tmp_path / "state.gz"
    with opened(options.root / "cache") as store:
        fill(store)
    transfer.export(options, file, blobs=True, **more)
    return file


def imported(options, file, **more):
    return transfer.import_(options, file, **{"replace": False, "confirm": no_question, **more})


def test_the_same_state_is_exported_to_the_same_bytes_and_imported_whole(tmp_path, options):
    file = exported(tmp_path, options)
    again = tmp_path / "again.gz"
    transfer.export(options, again, blobs=True)
    assert file.read_bytes() == again.read_bytes()
    other = options._replace(cache=tmp_path / "other")
    imported(other, file)
    transfer.export(other, tmp_path / "third.gz", blobs=True)
    assert (tmp_path / "third.gz").read_bytes() == file.read_bytes()
    with pytest.raises(ConfigError, match="exists already"):
        transfer.export(options, file, blobs=False)


def test_a_file_that_was_cut_or_altered_anywhere_is_refused_before_anything_is_changed(tmp_path, options):
    whole = exported(tmp_path, options).read_bytes()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    other = options._replace(cache=tmp_path / "other")
    damaged = tmp_path / "damaged.gz"

    @given(st.data())
    def refused(data):
        how = data.draw(st.sampled_from(["cut", "flip", "line lost", "line twice", "text"]))
        place = data.draw(st.integers(0, len(whole) - 1))
        line = data.draw(st.integers(0, len(lines) - 1))
        match how:
            case "cut":
                new = whole[:place]
            case "flip":
                new = (
                    whole[:place]
                    + bytes([whole[place] ^ 1 << data.draw(st.integers(0, 7))])
                    + whole[place + 1 :]
                )
            case "line lost":
                new = gzip.compress(b"".join(lines[:line] + lines[line + 1 :]))
            case "line twice":
                new = gzip.compress(b"".join(lines[: line + 1] + lines[line:]))
            case _:
                new = data.draw(st.binary(max_size=300))
        damaged.write_bytes(new)
        try:
            with transfer._temporary() as folder, archive.staged(damaged, folder) as staged:
                assert content(staged) == expected  # the flip of a bit that says nothing, such as the time
        except HdashError as error:
            said.add(str(error))

    with transfer._temporary() as folder, archive.staged(tmp_path / "state.gz", folder) as staged:
        expected = content(staged)
    said: set[str] = set()
    refused()
    assert said
    assert all("nothing was changed" in line or "newer version" in line for line in said)
    assert not any("\n" in line for line in said)
    damaged.write_bytes(whole[:-20])
    with pytest.raises(StateError, match="nothing was changed"):
        imported(other, damaged)
    assert not (tmp_path / "other").exists()


def test_a_file_with_a_row_that_would_take_much_memory_is_refused(tmp_path, options, monkeypatch):
    with app.open_state(options) as store:
        fill(store)
    file = tmp_path / "state.gz"
    transfer.export(options, file, blobs=True)
    monkeypatch.setattr(archive, "ROW_BYTES", 400_000)  # less than the blob, more than any row
    transfer.import_(options, file, replace=True, confirm=lambda _: None)
    monkeypatch.setattr(archive, "ROW_BYTES", 200_000)
    with pytest.raises(StateError, match="damaged or incomplete; nothing was changed"):
        transfer.import_(options, file, replace=True, confirm=lambda _: None)


def test_a_file_of_a_newer_version_is_refused(tmp_path, options):
    file = exported(tmp_path, options)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    header = json.loads(lines[0])
    for more in ({"version": 2}, {"migrations": [*header["migrations"], "tables_of_tomorrow"]}):
        file.write_bytes(gzip.compress(json.dumps(header | more).encode() + b"\n" + b"".join(lines[1:])))
        with pytest.raises(StateError, match="newer version"):
            imported(options, file)


def test_a_state_that_is_there_is_replaced_only_if_that_is_asked_for_and_confirmed(tmp_path, options, at):
    file = exported(tmp_path, options)
    other = databases.environment(at)[where.URL]
    with opened(tmp_path / "x", at) as store:
        store.note_run("mine", "", "done", {})

    def kept():
        with glanced(tmp_path / "x", at):
            return [run.started for run in models.Run.select()]

    here = str(options.root / "cache/state.db")
    with pytest.raises(ConfigError, match=r"this place already holds a state \(1 run\); .* --replace"):
        copied(options, here, other)
    assert kept() == ["mine"]

    class NoError(Exception):
        pass

    def no(question):
        assert "this replaces 1 run" in question
        raise NoError

    with pytest.raises(NoError):
        copied(options, here, other, replace=True, confirm=no)
    assert kept() == ["mine"]
    copied(options, here, other, replace=True, confirm=lambda question: None)
    assert len(kept()) == 3
    assert file.exists()


def test_both_sides_are_locked_while_a_state_is_copied(options, address, at, tmp_path):
    here, other = str(tmp_path / "first/state.db"), databases.environment(at)[where.URL]
    with state_at(here, options) as store:
        fill(store)
    if at.kind == "sqlite":  # the lock there is that of a process
        code = "import sys, time; from pathlib import Path; from hdash_site.state import where\n"
        code += "from hdash_site.state.store import opened\n"
        code += "with opened(Path(sys.argv[1]), where.Where('sqlite', sys.argv[2])):\n"
        code += "    print('open', flush=True); sys.stdin.read()\n"
        for locked in (here, at.name):
            command = [sys.executable, "-c", code, str(tmp_path / "x"), locked]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
                run.stdout.readline()
                with pytest.raises(LockedError):
                    copied(options, here, other)
                run.stdin.close()
    else:
        with opened(tmp_path / "x", at), pytest.raises(LockedError):
            copied(options, here, other)
    copied(options, here, other)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("nowhere.db", "here", "there is no state here"),
        ("here", "here", "FROM and TO are the same state"),
        ("here", "cache/../cache/state.db", "FROM and TO are the same state"),
        ("ftp://x/y", "here", "no kind of database"),
        ("env:NOT_SET", "here", "NOT_SET: this variable is not set"),
        ("here", "site.toml", "this file is not a state"),
        ("s3:///x", "here", "no name of a bucket"),
        ("empty.db", "new.db", "this state is empty"),
    ],
)
def test_an_address_that_is_wrong_is_one_line_and_code_2(options, monkeypatch, source, target, said):
    monkeypatch.chdir(options.root)
    for cache in (options.root / "cache", options.root):
        with opened(cache) as store:
            if cache.name == "cache":
                store.note_run("", "", "done", {})
    (options.root / "state.db").rename("empty.db")
    before = sorted(options.root.rglob("*.db"))
    with pytest.raises(ConfigError, match=said) as caught:
        copied(app.Options(options.root), source, target, blobs=False)
    assert "\n" not in str(caught.value)
    assert sorted(options.root.rglob("*.db")) == before


def test_the_commands_ask_and_print_no_password(tmp_path, options, on_a_server):
    with opened(options.root / "cache") as store:
        fill(store)
    url = databases.environment(on_a_server)[where.URL].replace("@", ":canary-7f3a@")
    full = [sys.executable, "-m", "hdash_site", "state"]

    def run(*words, **more):
        return subprocess.run(
            [*full, *words], cwd=options.root, capture_output=True, text=True, check=False, input="", **more
        )

    done = run("copy", "here", "env:OTHER", env={**os.environ, "OTHER": url})
    assert "canary" not in done.stdout + done.stderr
    assert done.stderr.count("\n") <= 1
    assert run("export", "state.gz").returncode == 0
    done = run("import", "state.gz", "--replace")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "add --yes" in done.stderr
    done = run("import", "state.gz", "--replace", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("state.gz -> ")


def test_a_file_of_an_older_version_is_brought_forward_when_it_is_imported(tmp_path, options):
    file = exported(tmp_path, options)
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    old = ["portable_tables", "registered_atlases", "publications_of_buckets", "editions_of_figures"]
    lines[0]["migrations"] = old
    new, tables = tmp_path / "old.gz", {"hdash_fact", "hdash_deletion"}
    added = {"hdash_edition": "source", "hdash_snapshot": "verified"}
    kept, columns, place = [], [], 0
    for line in lines[:-1]:
        if isinstance(line, dict) and "table" in line:
            table, columns = line["table"], line["columns"]
            place = columns.index(added[table]) if table in added else len(columns)
            line = line | {"columns": [*columns[:place], *columns[place + 1 :]]}
        elif isinstance(line, list):
            line = [*line[:place], *line[place + 1 :]]
        elif "blob" in line:
            table = ""
        if line is lines[0] or table not in tables:
            kept.append(line)
        table = table if line is not lines[0] else ""
    text = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in kept)
    rows = sum(isinstance(line, list) for line in kept)
    end = {"end": {"rows": {"all": rows}, "blobs": 1, "sha256": hashlib.sha256(text).hexdigest()}}
    new.write_bytes(gzip.compress(text + json.dumps(end).encode() + b"\n"))
    other = options._replace(cache=tmp_path / "other")
    moved = imported(other, new)
    assert moved.rows["hdash_edition"] == 1
    with sqlite3.connect(tmp_path / "other/state.db") as database:
        assert database.execute("SELECT source FROM hdash_edition").fetchall() == [("",)]
    database.close()
