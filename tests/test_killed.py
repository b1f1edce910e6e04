"""Cut at any moment: what stands in public/ is whole, and the next build finishes the work."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import databases, worlds

KILLS = int(os.environ.get("KILLS", "10"))
"""In each shard."""
SHARDS = [("sqlite", shard) for shard in range(4)]
SHARDS += [(kind, shard) for kind in ("mysql", "postgresql") for shard in range(2)]


def command(site, atlases):
    build = [sys.executable, "-m", "hdash_site", "build", "--quiet", "--jobs", "2"]
    return [*build, "--root", str(site), "--source", str(atlases.folder)]


def edit(atlases, number):
    """Change what most pages show."""
    for project in atlases.projects:
        project["name"] = f"Atlas, edition {number}"
    for entity, data in atlases.manifests.items():
        atlases.manifests[entity] = data + b"Demographics,HTA1_%d,x\n" % number
    atlases.save()


@pytest.fixture
def place(tmp_path):
    atlases = worlds.small(tmp_path / "atlases", *[f"HTA{number}" for number in range(1, 7)])
    return worlds.site_folder(tmp_path / "site"), atlases, tmp_path


def clean_tree(place, number, at=None):
    """Build cleanly, with the history that there is."""
    site, atlases, folder = place
    output = folder / f"clean-{number}"
    worlds.carry_history(site / "cache", output / "cache", at)
    worlds.build(site, atlases.folder, output=output / "public", cache=output / "cache")
    return worlds.tree(output / "public")


@pytest.mark.parametrize(("at", "shard"), SHARDS, indirect=["at"])
def test_a_build_that_is_killed_leaves_whole_files_and_the_next_one_is_exact(place, at, shard):
    site, atlases, _ = place
    environment = databases.environment(at)
    luck = random.Random(shard)
    old = clean_tree(place, 0)
    subprocess.run(command(site, atlases), env=environment, check=True)
    lasts = 1.0
    killed = 0
    for number in range(1, KILLS + 1):
        edit(atlases, number)
        new = clean_tree(place, number, at)
        process = subprocess.Popen(command(site, atlases), env=environment, start_new_session=True)
        time.sleep(luck.uniform(0, lasts))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        seen = worlds.tree(site / "public")
        for path, data in seen.items():
            assert data in (old.get(path), new.get(path)), f"{path} is neither the old file nor the new one"
        assert set(old) & set(new) <= set(seen), "no page is missing in between"
        started = time.perf_counter()
        subprocess.run(command(site, atlases), env=environment, check=True)
        lasts = time.perf_counter() - started
        assert worlds.tree(site / "public") == new
        assert list((site / "cache/scratch").iterdir()) == []
        old = new
    assert killed > KILLS // 3, "most builds were cut before their end"


def test_no_worker_outlives_a_build_that_was_killed(place):
    site, atlases, _ = place
    process = at_work(site, atlases)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and members(process.pid):
        time.sleep(0.02)
    assert members(process.pid) == []


def test_ctrl_c_ends_a_build_with_one_line_and_the_next_one_is_exact(place):
    site, atlases, _ = place
    process = at_work(site, atlases)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all of them
    said = process.communicate()[1]
    assert said.split("\n") == ["", "hdash-site: stopped", ""]
    assert process.returncode == 1
    subprocess.run(command(site, atlases), check=True)
    assert worlds.tree(site / "public") == clean_tree(place, 0)


def test_workers_that_die_are_told_in_one_line_and_the_next_build_is_exact(place):
    site, atlases, _ = place
    process = at_work(site, atlases)
    for worker in members(process.pid)[-2:]:
        os.kill(worker, signal.SIGKILL)
    said = process.communicate()[1]
    assert said.count("a process at work died") == 1
    assert "Traceback" not in said
    assert process.returncode != 0
    subprocess.run(command(site, atlases), check=True)
    assert worlds.tree(site / "public") == clean_tree(place, 0)


def at_work(site, atlases):
    """A build in a session of its own, whose workers are at work."""
    for number, (entity, data) in enumerate(atlases.manifests.items()):
        atlases.manifests[entity] = data + b"x,y%d,z\n" % number * 2_000
    atlases.save()
    build = command(site, atlases)
    process = subprocess.Popen(build, start_new_session=True, stderr=subprocess.PIPE, text=True)
    while len(members(process.pid)) < 5:  # the build, two servers of processes, two workers
        assert process.poll() is None, "the build starts workers before its end"
    return process


def members(group):
    """The living processes of a group; one that waits to be buried is none."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state not in "ZX":
            found.append(int(stat.parent.name))
    return sorted(found)


def test_of_two_builds_at_once_one_works_and_one_says_so(place, at):
    site, atlases, _ = place
    environment = databases.environment(at)
    runs = [
        subprocess.Popen(command(site, atlases), env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [run.communicate()[1] for run in runs]
    codes = sorted(run.returncode for run in runs)
    assert codes in ([0, 1], [0, 0]), said
    if codes == [0, 1]:
        [line] = [text for text in said if text]
        assert "another run (process " in line
        assert " is at work since 20" in line
        assert line.count("\n") == 1


def test_while_one_works_another_leaves_at_once(place, at):
    site, atlases, _ = place
    from hdash_site.state.store import opened

    with opened(site / "cache", at):
        done = subprocess.run(
            command(site, atlases),
            env=databases.environment(at),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"process {os.getpid()}" in done.stderr
    assert not (site / "public").exists()
