"""The commands beside the build: init, status, reset, clean, as a person sees them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from hdash_site import app, upkeep
from tests import databases, worlds

CANARY = "canary-7f3a"


@pytest.fixture
def place(tmp_path):
    atlases = worlds.small(tmp_path / "atlases")
    return worlds.site_folder(tmp_path / "site"), atlases


@pytest.fixture
def hdash(place, at):
    """Run a command on the site; give the exit code, and what was printed."""

    def run(*command, answer=None):
        full = [sys.executable, "-m", "hdash_site", *command, "--root", str(place[0])]
        environment = databases.environment(at)
        done = subprocess.run(
            full, env=environment, input=answer, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return run


def source(place):
    return "--source", str(place[1].folder)


def test_the_state_is_prepared_as_often_as_one_likes(place, hdash, at):
    for _ in range(2):
        code, said, _ = hdash("init", *source(place))
        assert code == 0
        assert said.splitlines() == [
            f"the state is in {at}",
            "atlas HTA1 can be read: syn00000101 Atlas HTA1",
            "atlas HTA2 can be read: syn00000109 Atlas HTA2",
        ]
    assert hdash("status")[1] == "nothing was built yet\n"


def test_a_source_that_cannot_be_read_is_said_when_the_state_is_prepared(place, hdash):
    (place[1].folder / "projects.csv").unlink()
    code, _, said = hdash("init", *source(place))
    assert code == 1
    assert said.startswith("hdash-site: ")
    assert said.count("\n") == 1


def test_the_status_tells_what_the_state_knows(place, hdash):
    assert hdash("status") == (0, "nothing was built yet\n", "")
    assert hdash("build", "--quiet", *source(place))[0] == 0
    place[1].projects[0]["id"] = "no id"
    place[1].save()
    assert hdash("build", "--quiet", *source(place))[0] == 3
    code, said, _ = hdash("status")
    head, first, second = said.splitlines()
    assert code == 0
    assert head.split("  ")[0] == "atlas"
    day = first.split()[1]
    assert first.split()[0] == "HTA1"
    assert first.split()[5:7] == ["7", "0/0"]
    assert first.split()[7] == day
    assert second.split()[0] == "HTA2"
    assert second.split()[7] == "-"


def test_status_waits_for_nobody(place, hdash, at):
    from hdash_site.state.store import opened

    assert hdash("build", "--quiet", *source(place))[0] == 0
    with opened(place[0] / "cache", at):
        assert hdash("status")[1].count("HTA") == 2
        code, _, said = hdash("reset", "--yes")
        assert (code, said.count("\n")) == (1, 1)
        assert "another run (process " in said


def test_a_reset_asks_first_and_the_next_build_is_exact(place, hdash):
    site, _ = place
    build = ("build", "--explain", *source(place))
    assert hdash(*build)[0] == 0
    tree = worlds.tree(site / "public")
    code, said, _ = hdash("reset", answer="n\n")
    assert code == 1
    assert "snapshots" in said
    assert "It keeps the ledger of runs" in said
    assert " ran: " not in hdash(*build)[1]
    assert hdash("reset", answer="y\n")[0] == 0
    assert hdash("status")[1] == "nothing was built yet\n"
    code, said, problems = hdash(*build)
    assert "files     0 written" in said
    assert "not ours" not in problems
    assert worlds.tree(site / "public") == tree
    assert hdash("reset", "--yes")[0] == 0


def test_a_clean_leaves_nothing_of_ours(place, hdash):
    site, _ = place
    (site / "public").mkdir()
    (site / "public/own.txt").write_text("own")
    assert hdash("build", "--quiet", *source(place))[0] == 0
    code, said, problem = hdash("clean")
    assert (code, problem.count("\n")) == (2, 1)
    assert problem.startswith("hdash-site: nothing was deleted: this needs a confirmation")
    assert f"{len(worlds.tree(site / 'public')) - 1} published in" in said
    assert [line.split()[:2] for line in said.splitlines()[1:4]] == [
        ["editions", "1"],
        ["atlases", "2"],
        ["runs", "1"],
    ]
    assert hdash("clean", "--yes")[0] == 0
    assert list(worlds.tree(site / "public")) == ["own.txt"]
    assert worlds.tree(site / "cache") == {}
    assert hdash("status")[1] == "nothing was built yet\n"
    assert hdash("build", "--quiet", *source(place))[0] == 0


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 1), (b"y\n", 0)])
def test_clean_names_the_place_counts_what_is_lost_and_asks(place, answer, code):
    site, atlases = place
    worlds.build(site, atlases.folder)
    before = worlds.tree(site / "public")
    ours, theirs = os.openpty()
    os.write(ours, answer)
    command = [sys.executable, "-m", "hdash_site", "clean", "--root", str(site)]
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, check=False)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith(
        f"This deletes the state in {site / 'cache/state.db'}:\n  editions  1 (the history"
    )
    assert "Delete all of it? [y/N]" in done.stdout
    assert (worlds.tree(site / "public") == before) == (code == 1)
    assert (site / "cache/state.db").exists() == (code == 1)


def test_where_there_is_no_state_clean_has_nothing_to_delete(place):
    site, _ = place
    assert upkeep.loss(app.Options(site)) is None
    assert not (site / "cache").exists()


def test_a_damaged_state_is_never_deleted(place):
    """The history in it may still be saved; nothing but a person can decide that it is lost."""
    site, _ = place
    (site / "cache").mkdir()
    damaged = b"no database" * 1000
    (site / "cache/state.db").write_bytes(damaged)
    for command in (["status"], ["clean", "--yes"], ["build", *source(place)], ["history", "list"]):
        full = [sys.executable, "-m", "hdash_site", *command, "--root", str(site)]
        done = subprocess.run(full, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert f"{site}/cache/state.db: the state database is damaged (file is not a database)" in done.stderr
        assert "restore the file from a backup" in done.stderr
        assert (site / "cache/state.db").read_bytes() == damaged


def test_make_clean_keeps_the_history_and_a_build_after_it_is_exact(place):
    site, atlases = place
    worlds.build(site, atlases.folder, today="2026-07-01")
    atlases.entity(atlases.projects[0]["id"], atlases.projects[0]["id"], "more.bam")
    atlases.save()
    worlds.build(site, atlases.folder, today="2026-07-02")
    tree = worlds.tree(site / "public")
    shutil.copy(worlds.ROOT / "Makefile", site)
    subprocess.run(["make", "clean"], cwd=site, check=True, capture_output=True)
    assert not (site / "public").exists()
    state, copy = sorted(path.name for path in (site / "cache").iterdir())
    assert (state, copy.startswith("state.db.copy-")) == ("state.db", True)
    result = worlds.build(site, atlases.folder, today="2026-07-03")
    assert result.exit_code == 0
    [said] = result.problems
    assert said.endswith("values were lost; this run makes or downloads them again")
    assert worlds.tree(site / "public") == tree
    assert worlds.build(site, atlases.folder, today="2026-07-03").ran == []


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"HDASH_DB_URL": f"mysql://root:{CANARY}@127.0.0.1:1/x"}, 1),
        ({"HDASH_DB_URL": f"postgresql://root:{CANARY}@127.0.0.1:1/x"}, 1),
        ({"HDASH_DB_URL": f"mysql//root:{CANARY}@127.0.0.1:1/x"}, 2),
        ({"HDASH_DB_PASSWORD": CANARY}, 2),
    ],
    ids=("mysql", "postgresql", "malformed", "half set"),
)
def test_no_command_prints_the_password(place, variables, code):
    for command in ("crawl", "init", "status", "clean"):
        full = [sys.executable, "-m", "hdash_site", command, "--root", str(place[0])]
        done = subprocess.run(
            full, env={**os.environ, **variables}, capture_output=True, text=True, check=False
        )
        assert done.returncode == code
        *notes, line = done.stderr.splitlines()
        assert line.startswith("hdash-site: ")
        assert notes in ([], [f"hdash-site: {app.SAMPLE_USED}"])
        assert CANARY not in done.stdout + done.stderr
