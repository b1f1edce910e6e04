"""`hdash-site doctor`, and the copies of the state that it and every message about damage offer."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from hdash_site import app, cli, upkeep
from hdash_site.doctor import CHECKS, NEXT_BUILD, OK, PROBLEM, REPAIRED, doctor
from hdash_site.errors import DamagedError
from hdash_site.state import copies, models, where
from hdash_site.state.store import opened
from tests import databases, worlds


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    worlds.build(worlds.site_folder(folder / "site"), worlds.small(folder / "atlases").folder)
    return folder


@pytest.fixture
def place(built, tmp_path):
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    worlds.build(tmp_path / "site", tmp_path / "atlases")  # it has another source now, and two editions
    return tmp_path / "site", tmp_path / "atlases"


def outcomes(site, **more):
    """The checks whose outcome is not ok, with what was said."""
    checked = doctor(app.Options(site, **more))
    return {one.name: (one.outcome, one.text) for one in checked if one.outcome != OK}


def change(site, statement):
    with closing(sqlite3.connect(site / "cache/state.db", isolation_level=None)) as database:
        assert database.execute(statement).rowcount


def copy_of_today(site):
    return site / f"cache/state.db.copy-{copies.today()}"


def test_a_sound_state_is_said_to_be_sound_line_by_line(place):
    assert [(one.name, one.outcome) for one in doctor(app.Options(place[0]))] == [
        (name, OK) for name in CHECKS
    ]


def test_a_place_without_a_state_has_nothing_to_check(tmp_path):
    site = worlds.site_folder(tmp_path / "site")
    [checked] = doctor(app.Options(site))
    assert (checked.outcome, "there is no state in" in checked.text) == (OK, True)
    assert not (site / "cache/state.db").exists()


def test_the_command_exits_with_1_only_if_a_person_has_to_do_something(place, capsys):
    site, _ = place
    command = ["doctor", "--root", str(site), "--json"]
    assert cli.commands.main(command, standalone_mode=False) == 0
    assert [one["outcome"] for one in json.loads(capsys.readouterr().out)] == [OK] * len(CHECKS)
    change(site, "UPDATE hdash_edition SET edition = '{'")
    assert cli.commands.main(command, standalone_mode=False) == 1


def test_rows_that_a_build_makes_again_are_dropped_and_made_again(place):
    site, atlases = place
    tree = worlds.tree(site / "public")
    change(site, "UPDATE hdash_trace SET reads = '[[' WHERE task LIKE 'page:%'")
    change(site, "UPDATE hdash_look SET inode = 'x'")
    outcome, said = outcomes(site)["rows"]
    assert outcome == REPAIRED
    assert "in hdash_look" in said
    assert "in hdash_trace" in said
    assert outcomes(site) == {}
    assert worlds.build(site, atlases).ran
    assert worlds.tree(site / "public") == tree


def test_a_trace_that_cannot_be_read_is_made_again_without_the_doctor_and_said(place):
    site, atlases = place
    change(site, "UPDATE hdash_trace SET parts = '{' WHERE task LIKE 'page:index%' OR task = 'routes:'")
    result = worlds.build(site, atlases)
    assert result.exit_code == 0
    assert [said for said in result.problems if "cannot be read; it is made again" in said]
    assert worlds.build(site, atlases).problems == []


def test_an_edition_that_cannot_be_read_is_left_alone_and_a_copy_is_offered(place):
    site, _ = place
    change(site, "UPDATE hdash_edition SET edition = '{'")
    outcome, said = outcomes(site)["rows"]
    assert outcome == PROBLEM
    assert "rows cannot be read: 2 in hdash_edition; restore the newest copy, of " in said
    assert f"hdash-site state restore copy-{copies.today()}" in said


def test_a_database_whose_traces_are_damaged_is_written_anew_with_the_whole_history(place):
    site, atlases = place
    tree, history = worlds.tree(site / "public"), upkeep.history(app.Options(site))
    databases.damage(site / "cache/state.db", "hdash_trace")
    outcome, said = outcomes(site)["database"]
    assert outcome == REPAIRED
    [aside] = (site / "cache").glob("state.db.damaged-*[0-9]")
    assert str(aside) in said
    assert upkeep.history(app.Options(site)) == history
    assert worlds.build(site, atlases).exit_code == 0
    assert worlds.tree(site / "public") == tree
    assert outcomes(site) == {}


def test_a_database_whose_history_is_damaged_offers_the_copy_which_is_restored(place):
    site, atlases = place
    tree, history = worlds.tree(site / "public"), upkeep.history(app.Options(site))
    databases.damage(site / "cache/state.db", "hdash_edition")
    name = copy_of_today(site).name.removeprefix("state.db.")
    assert outcomes(site)["database"][0] == PROBLEM
    with pytest.raises(DamagedError) as caught:
        worlds.build(site, atlases)
    assert f"hdash-site state restore {name}; the damaged file is kept under another name" in str(
        caught.value
    )
    command = ["state", "restore", name, "--root", str(site), "--yes"]
    cli.commands.main(command, standalone_mode=False)
    assert upkeep.history(app.Options(site)) == history
    assert worlds.build(site, atlases).exit_code == 0
    assert worlds.tree(site / "public") == tree
    assert len([*(site / "cache").glob("state.db.damaged-*[0-9]")]) == 1


def test_a_damaged_state_without_a_copy_says_so_and_advises_to_keep_the_file(place):
    site, atlases = place
    copy_of_today(site).unlink()
    databases.damage(site / "cache/state.db", "hdash_edition")
    with pytest.raises(DamagedError, match="no copy of it was kept: restore the file from a backup"):
        worlds.build(site, atlases)


def test_a_copy_is_kept_each_day_that_has_a_new_edition_and_two_stay(place):
    site, _ = place
    at = where.file(site / "cache")
    with opened(site / "cache") as store:
        for day in ("2026-07-01", "2026-07-02", "2026-07-03"):
            assert copies.keep_day(at, day) == ""
        assert sorted(store.copies(at)) == ["copy-2026-07-03", f"copy-{copies.today()}"]
    with closing(sqlite3.connect(copy_of_today(site))) as copy:
        assert copy.execute("SELECT COUNT(*) FROM hdash_trace").fetchone() == (0,)
        assert copy.execute("SELECT COUNT(*) FROM hdash_edition").fetchone() == (2,)


def test_values_that_are_lost_or_altered_are_made_again_by_the_next_build(place):
    site, atlases = place
    with closing(sqlite3.connect(site / "cache/blobs/cache.db", isolation_level=None)) as database:
        database.execute("DELETE FROM Cache WHERE rowid % 5 = 0")
        database.execute("UPDATE Cache SET value = CAST('altered' AS BLOB) WHERE rowid % 5 = 1")
    found = outcomes(site)
    assert [(name, outcome) for name, (outcome, _) in found.items()] == [
        ("blobs", REPAIRED),
        ("values", NEXT_BUILD),
    ]
    worlds.build(site, atlases)
    assert outcomes(site) == {}


def test_a_damaged_copy_and_unfinished_and_altered_files_are_found(place):
    site, atlases = place
    copy_of_today(site).write_bytes(b"no database" * 1000)
    (site / "cache/state.db.copy-2026-07-01.123").touch()
    (site / "cache/scratch/left").touch()
    (site / "public/index.html").write_text("altered")
    (site / "public/404.html").unlink()
    found = outcomes(site)
    assert found["copies"][0] == PROBLEM
    assert found["files"] == (REPAIRED, "removed 2 unfinished files of a run that was cut off")
    assert found["site"] == (
        NEXT_BUILD,
        f"2 files in {site}/public are missing or altered; the next build writes them",
    )
    worlds.build(site, atlases)
    assert outcomes(site).keys() == {"copies"}


def test_a_run_that_is_at_work_is_named(place):
    site, _ = place
    command = [sys.executable, "-m", "hdash_site", "doctor", "--root", str(site)]
    with opened(site / "cache"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "another run (process " in done.stderr


def test_a_state_on_a_server_is_checked_and_repaired(on_a_server, tmp_path):
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases").folder
    environment = databases.environment(on_a_server)

    def run(*command):
        full = [sys.executable, "-m", "hdash_site", *command, "--root", str(site)]
        return subprocess.run(full, env=environment, capture_output=True, text=True, check=False)

    assert run("build", "--quiet", "--source", str(atlases)).returncode == 0
    assert {line.split()[1] for line in run("doctor").stdout.splitlines()} == {"ok"}
    with opened(site / "cache", on_a_server):
        models.Trace.update(reads="[[").where(models.Trace.task == "routes:").execute()
    done = run("doctor")
    assert done.returncode == 0
    assert "dropped rows that could not be read: 1 in hdash_trace" in done.stdout
    with opened(site / "cache", on_a_server):
        models.Edition.update(edition="{").execute()
    done = run("doctor")
    assert done.returncode == 1
    assert "rows cannot be read: 1 in hdash_edition" in done.stdout


def test_clean_deletes_the_copies_too(place):
    site, _ = place
    upkeep.clean(app.Options(site))
    assert os.listdir(site / "cache") == []  # noqa: PTH208
