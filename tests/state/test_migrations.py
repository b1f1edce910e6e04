"""Databases of earlier versions are brought forward; one of a later version is left alone."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from hdash_site import app, transfer
from hdash_site.artifact import Published
from hdash_site.engine.model import Key
from hdash_site.errors import StateError
from hdash_site.state import archive, copies, migrations, models, where
from hdash_site.state.store import glanced, opened
from tests import databases, worlds

SCHEMAS = Path(__file__).parent / "schemas"


@pytest.fixture
def first(tmp_path):
    """A site whose state is of schema 1: two atlases were built, then one of them could not be read."""
    cache = tmp_path / "site/cache"
    cache.mkdir(parents=True)
    with sqlite3.connect(cache / "state.db") as database:
        database.executescript((SCHEMAS / "1.sql").read_text().replace("@HERE@", str(tmp_path)))
    database.close()
    return tmp_path


def test_a_state_of_schema_1_is_all_there(first):
    cache = first / "site/cache"
    with sqlite3.connect(cache / "state.db") as old:
        trace = dict(old.execute("SELECT key, reason FROM trace"))
        looks = {path for (path,) in old.execute("SELECT path FROM look")}
        [(notice,)] = old.execute("SELECT notice FROM snapshot WHERE atlas = 'HTA1'")
    old.close()
    with opened(cache) as store:
        assert list(store.snapshots()) == ["HTA1", "HTA2"]
        failed, read = store.snapshots().values()
        assert f"since {failed.failed_since[:10]} ({failed.failure})." in notice
        assert (read.failed_since, read.failure) == ("", "")
        assert len(store.snapshots()["HTA2"].manifests) == 3
        assert len(store.published(f"{first}/site/public")) == 41
        assert store.published("elsewhere") == {"Café/\N{COLLISION SYMBOL} ": Published("9" * 64)}
        assert [run.outcome for run in models.Run.select().order_by(models.Run.id)] == ["done", "in part"]
        assert models.Trace.select().count() == len(trace) > 40
        assert {task: store.reason(Key(*task.split(":", 1))) for task in trace} == trace
        assert store.looks._earlier.keys() == looks
        assert not {"trace", "look", "lock", "migration"} & set(models.database.get_tables())


def test_a_site_of_schema_1_is_built_exactly(first):
    site, atlases = worlds.site_folder(first / "site"), worlds.small(first / "atlases")
    result = worlds.build(site, atlases.folder)
    assert result.exit_code == 0
    clean = first / "clean"
    worlds.build(site, atlases.folder, output=clean / "public", cache=clean / "cache")
    assert worlds.tree(site / "public") == worlds.tree(clean / "public")
    assert result.deployed.foreign == []
    assert worlds.build(site, atlases.folder).ran == []


def test_a_glance_at_a_state_of_schema_1_brings_it_forward(first):
    cache = first / "site/cache"
    with glanced(cache, where.file(cache)) as store:
        assert list(store.snapshots()) == ["HTA1", "HTA2"]


def test_a_state_of_a_newer_version_is_left_alone(tmp_path, at):
    cache = tmp_path / "cache"
    with opened(cache, at) as store:
        store.claim("public", {"a": Published("1")})
        models.Migration.create(name="tables_of_tomorrow")
    with pytest.raises(StateError, match=r"newer version .*tables_of_tomorrow") as caught, opened(cache, at):
        pass
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(at))


def test_a_migration_that_was_cut_off_runs_again(tmp_path, at):
    cache = tmp_path / "cache"
    with opened(cache, at) as store:
        store.claim("public", {"a": Published("1")})
        models.Migration.delete().execute()
        models.database.drop_tables([models.Trace])
    with opened(cache, at) as store:
        assert store.published("public") == {"a": Published("1")}


def test_the_tables_that_another_run_makes_meanwhile_are_found(tmp_path, at, monkeypatch):
    cache = tmp_path / "cache"
    with opened(cache, at):
        database = models.database.obj
        database.drop_tables([models.Migration])
        tables = database.get_tables

        def late():
            # Between the question that finds no table and this one the other run makes it.
            if "hdash_migration" not in tables():
                models.Migration.create_table(safe=False)
                models.Migration.create(name="portable_tables")
            return tables()

        monkeypatch.setattr(database, "get_tables", late)
        assert migrations.portable_tables not in migrations.pending(database)


KEPT = "before-identities"


def state_of_0_1_0(file, folder=""):
    """Write the state of version 0.1.0 of a site with two editions."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript((SCHEMAS / "0.1.0.sql").read_text().replace("@HERE@", str(folder)))


def rows_of(file):
    with contextlib.closing(sqlite3.connect(file)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
            for table in sorted(tables)
            if table.startswith("hdash_") and table not in ("hdash_lock", "hdash_look")
        }


def on_the_server(place, file):
    """Bring the rows of a file of version 0.1.0 to a server, as that version would have them there."""
    database = databases.servers.database(place)
    database.connect()
    names = {"portable_tables", "registered_atlases", "publications_of_buckets", "editions_of_figures"}
    migrations.migrate(database, names)
    with contextlib.closing(sqlite3.connect(file)) as old:
        for table in rows_of(file).keys() - {"hdash_migration"}:
            found = old.execute(f"SELECT * FROM {table}")
            archive.insert(database, table, [column[0] for column in found.description], found.fetchall())
    archive.renumber(database)
    database.close()


def test_a_state_of_0_1_0_comes_forward_with_all_that_it_knew(tmp_path, at):
    file = tmp_path / "old.db"
    state_of_0_1_0(file, tmp_path)
    old = rows_of(file)
    if at.kind == "sqlite":
        Path(at.name).parent.mkdir()
        file.rename(at.name)
    else:
        on_the_server(at, file)
    with opened(tmp_path / "cache", at, fetch=False) as store:
        assert list(store.snapshots()) == ["HTA1", "HTA2"]
        assert {one.verified for one in store.snapshots().values()} == {""}
        assert store.published("elsewhere") == {
            "Caf\u00e9/\N{COLLISION SYMBOL} ": Published("9" * 64, "h", "e")
        }
        new = {table: models.rows(getattr(models, table[6:].title()).select()) for table in old}
        assert {table: len(found) for table, found in new.items() if table != "hdash_migration"} == {
            table: len(found) for table, found in old.items() if table != "hdash_migration"
        }
        assert len(old["hdash_edition"]) == 2
        # What was added is empty, and nothing else is another.
        assert sorted(row[:4] for row in new["hdash_edition"]) == [row[:4] for row in old["hdash_edition"]]
        assert {row[4] for row in new["hdash_edition"]} == {""}
        [line] = store.problems
        assert f"hdash-site state restore {KEPT}" in line
        assert store.copies(at).keys() == {KEPT}
    with opened(tmp_path / "cache", at, fetch=False) as store:
        assert store.problems == [], "that is said once"


def test_a_new_state_has_no_copy(tmp_path, at):
    with opened(tmp_path / "cache", at, fetch=False) as store:
        assert (store.problems, store.copies(at)) == ([], {})


def test_a_copy_brings_back_the_rows_of_before_on_each_kind_of_database(tmp_path, at, monkeypatch):
    file = tmp_path / "old.db"
    state_of_0_1_0(file)
    monkeypatch.setenv(where.URL, databases.environment(at)[where.URL])
    if at.kind == "sqlite":
        state_of_0_1_0(Path(at.name))
    else:
        on_the_server(at, file)
    old = rows_of(file)
    (tmp_path / "site.toml").write_text('title = "Test site"\n')
    options = app.Options(tmp_path)
    with opened(tmp_path / "cache", at, fetch=False) as store:
        store.note_run("after", "", "done", {})
        store.reset()
    asked = []
    assert transfer.copies(options).keys() == {KEPT}
    transfer.restore(options, KEPT, asked.append)
    assert "without what was added since" in asked[0]
    if at.kind == "sqlite":
        assert rows_of(at.name) == old
        return
    for table, rows in old.items():
        kept = [row[: len(rows[0])] for row in databases.rows(at, f"SELECT * FROM {table}")] if rows else []
        assert sorted(map(str, kept)) == sorted(map(str, rows)), table


def test_a_copy_in_s3_outlasts_the_nights_and_is_brought_back(tmp_path, empty, monkeypatch):
    options = empty.options()
    state_of_0_1_0(options.cache / "state.db")
    old = rows_of(options.cache / "state.db")
    with app.open_state(options) as store:
        assert f"copies/{KEPT}" in store.problems[0]
    for number in range(4):
        with app.open_state(empty.options()) as store:
            store.note_run(str(number), "", "done", {})
    later = empty.options()
    transfer.restore(later, KEPT, lambda question: None)
    assert f"copies/{KEPT}" in empty.keys("copies/")

    store = tmp_path / "store.db"
    store.write_bytes(gzip.decompress(empty.get(f"stores/{empty.newest()['store']}")))
    assert rows_of(store) == old


def test_a_second_way_forward_keeps_a_copy_of_what_the_older_version_did_meanwhile(tmp_path, at):
    file = tmp_path / "old.db"
    state_of_0_1_0(file)
    if at.kind == "sqlite":
        state_of_0_1_0(Path(at.name))
    else:
        on_the_server(at, file)
    for outcome in ("first", "second"):
        with opened(tmp_path / "cache", at, fetch=False) as store:
            assert len(store.problems) == 1
            assert store.copies(at).keys() == {KEPT}
        with opened(tmp_path / "cache", at, fetch=False) as store:
            store.restore(at, KEPT)
            models.Run.update(outcome=outcome).execute()
    with opened(tmp_path / "cache", at, fetch=False) as store:
        store.restore(at, KEPT)
        assert {run.outcome for run in models.Run.select()} == {"second"}


def test_a_disk_that_is_full_stops_the_migration_before_it_begins(tmp_path):
    file = tmp_path / "cache/state.db"
    state_of_0_1_0(file)
    before = rows_of(file)
    blocked = tmp_path / f"cache/state.db.{KEPT}.{os.getpid()}"
    blocked.mkdir()
    with pytest.raises(StateError, match="nothing was changed") as caught, opened(tmp_path / "cache"):
        pass
    assert "\n" not in str(caught.value)
    assert rows_of(file) == before
    assert copies.names(None, where.file(tmp_path / "cache")) == []


@pytest.fixture(scope="session")
def version_0_1_0(tmp_path_factory):
    """Give the code of version 0.1.0, as the history of this project has it."""
    folder = tmp_path_factory.mktemp("0.1.0")
    git = ["git", "-C", str(Path(__file__).parents[2])]
    found = subprocess.run(
        [*git, "log", "--format=%H", "-1", "--grep=^release: version 0.1.0$"], capture_output=True, text=True
    )
    commit = found.stdout.strip()
    if found.returncode or not commit:
        pytest.skip("the history of the project is not here")
    with (folder / "code.tar").open("wb") as tar:
        subprocess.run([*git, "archive", commit, "hdash_site", "layouts", "content"], stdout=tar, check=True)
    with tarfile.open(folder / "code.tar") as tar:
        tar.extractall(folder, filter="data")
    return folder


def test_a_site_goes_from_0_1_0_to_this_version_and_back_on_the_copy(version_0_1_0, tmp_path):
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases", "HTA1")

    def run(code, *words):
        command = [sys.executable, "-P", "-m", "hdash_site", *words, "--root", str(site)]
        environment = {**os.environ, "PYTHONPATH": str(code)}
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)

    def build(code, *more):
        for name in ("layouts", "content"):
            shutil.rmtree(site / name)
            shutil.copytree(code / name, site / name)
        done = run(code, "build", "--jobs", "1", "--source", str(atlases.folder), *more)
        assert done.returncode == 0, done.stderr
        return done

    here = Path(__file__).parents[2]
    build(version_0_1_0)
    [entity] = [one["id"] for one in atlases.files if one["Component"] == "Demographics"]
    atlases.manifests[entity] = worlds.as_csv(worlds.demographics("HTA1_1", "HTA1_2", "HTA1_3"))
    atlases.save()
    build(version_0_1_0)
    old, tree = rows_of(site / "cache/state.db"), worlds.tree(site / "public")
    assert "checked" in json.loads(tree.pop("check.json"))
    assert "hdash_fact" not in old
    forward = build(here)
    assert f"hdash-site state restore {KEPT}" in forward.stderr
    editions = [path for path in tree if path.startswith("changes/2")]
    assert len(editions) == 2
    assert set(editions) <= worlds.tree(site / "public").keys()
    assert not (site / "public/check.json").exists()
    assert worlds.status(site / "public")["atlases"]["HTA1"]["state"] == "current"
    assert run(here, "state", "restore", KEPT, "--yes").returncode == 0
    assert rows_of(site / "cache/state.db") == old
    build(version_0_1_0)
    back = worlds.tree(site / "public")
    assert {path: back.get(path) for path in tree} == tree
    assert " 0 ran" in build(version_0_1_0).stdout
