"""Databases of earlier versions are brought forward; one of a later version is left alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hdash_site.artifact import Published
from hdash_site.engine.model import Key
from hdash_site.errors import StateError
from hdash_site.state import migrations, models
from hdash_site.state.store import glanced, opened
from tests import worlds

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
        assert store.snapshots()["HTA1"].notice == notice
        assert store.snapshots()["HTA2"].notice == ""
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
    from hdash_site.state import where

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
