"""The commands as a person types them, mistakes included: one line each, and nothing is lost."""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import pytest

from tests import worlds


@pytest.fixture
def place(tmp_path):
    return worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases")


def run(site, *words, **more):
    command = [sys.executable, "-m", "hdash_site", *map(str, words)]
    return subprocess.run(command, cwd=site, capture_output=True, text=True, check=False, **more)


def build(place, *words, **more):
    site, atlases = place
    return run(site, "build", "--quiet", "--jobs", "1", "--source", atlases.folder, *words, **more)


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if "cache" not in path.parts)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frob"], "No such command 'frob'."),
        (["build", "--frobnicate"], "No such option '--frobnicate'."),
        (["build", "--jobs", "0"], "Invalid value for '--jobs'"),
        (["why"], "Missing argument 'PATH'."),
    ],
)
def test_a_command_that_is_not_understood_is_told_in_one_line(place, words, said):
    done = run(place[0], *words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"hdash-site: {said}")
    assert done.stderr.rstrip().endswith("--help")
    assert done.stderr.count("\n") == 1


def test_without_a_command_the_help_is_printed(place):
    done = run(place[0])
    assert (done.returncode, "Usage:" in done.stdout + done.stderr) == (2, True)


@pytest.mark.parametrize(
    "output", [".", "layouts", "content/pages", "layouts/assets", "cache", "..", "../atlases", "/"]
)
def test_the_site_is_not_written_into_what_it_is_made_from(place, output):
    site, atlases = place
    before = files(site) + files(atlases.folder)
    done = build(place, "--output", output)
    assert done.returncode == 2
    assert "name another folder" in done.stderr
    assert done.stderr.count("\n") == 1
    assert files(site) + files(atlases.folder) == before


def test_atlases_may_stand_in_the_folder_of_the_site(tmp_path):
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "site")
    assert build((site, atlases)).returncode == 0


def test_every_page_can_be_read_by_a_web_server_whatever_the_umask(place):
    site, _ = place
    build(place, preexec_fn=lambda: os.umask(0o077))
    modes = {path.stat().st_mode & 0o777 for path in (site / "public").rglob("*") if path.is_dir()}
    assert modes | {(site / "public").stat().st_mode & 0o777} == {0o755}


@pytest.mark.parametrize("path", ["hta1/index.html", "hta1/", "hta1", "/hta1/", "public/hta1", "public/"])
def test_why_knows_a_page_by_its_file_and_by_its_address(place, path):
    build(place)
    done = run(place[0], "why", path)
    assert done.stdout.startswith("page:")
    assert done.returncode == 0


def test_the_settings_of_the_checks_hold_for_their_atlas_and_manifest_alone(place):
    site, atlases = place
    for project in atlases.projects:
        atlases.manifest(project["id"], project["id"], "Biospecimen", worlds.biospecimens(("HTA1-1", "x")))
    atlases.files = [row for row in atlases.files if row["Component"] != "Demographics"]
    atlases.save()
    build(place)
    assert {code for code, _ in errors(site, "hta1")} >= {"H_DEM", "H_ID_SPEC"}
    mine = [code_and_id for code_and_id in errors(site, "hta1") if code_and_id[0] == "H_ID_SPEC"]
    others = errors(site, "hta2")
    exempt = f'[checks.exempt]\nH_ID_SPEC = ["{mine[0][1]}"]\n'
    (site / "site.toml").write_text(f'[checks]\nwithout_demographics = ["HTA1"]\n{exempt}')
    build(place)
    left = errors(site, "hta1")
    assert "H_DEM" not in dict(left)
    assert not {("H_ID_SPEC", mine[0][1])} & set(left)
    assert errors(site, "hta2") == others


def errors(site, atlas):
    with (site / "public" / atlas / "findings.csv").open(newline="", encoding="utf-8") as file:
        return [(row["code"], row["manifest"]) for row in csv.DictReader(file)]


def test_an_exemption_from_a_check_that_there_is_not_is_told(place):
    (place[0] / "site.toml").write_text('[checks.exempt]\nH_IDSPEC = ["syn1"]\n')
    done = build(place)
    assert done.returncode == 2
    assert 'there is no check "H_IDSPEC"' in done.stderr


def test_a_sample_that_cannot_be_written_is_told_in_one_line(place):
    done = run(place[0], "sample", "/proc/sample")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("hdash-site: /proc/sample: the sample cannot be written")


def test_a_state_that_is_broken_can_be_moved_away_as_its_message_says(place):
    site, _ = place
    build(place)
    file = site / "cache/state.db"
    for copy in file.parent.glob("state.db.copy-*"):
        copy.unlink()
    file.write_bytes(b"no database")
    done = build(place)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "move the file to another folder and keep it" in done.stderr
    file.rename(site / "broken.db")
    again = build(place)
    assert again.returncode == 2
    assert "--new-history" in again.stderr
    assert build(place, "--new-history").returncode == 0


def test_a_state_that_is_lost_is_restored_from_the_copy_that_the_message_names(place):
    site, _ = place
    build(place)
    [kept] = (site / "cache").glob("state.db.copy-*")
    name = kept.name.removeprefix("state.db.")
    (site / "cache/state.db").rename(site / "lost.db")
    lost = build(place)
    assert (lost.returncode, lost.stderr.count("\n")) == (2, 1)
    assert f"restore the newest copy: hdash-site state restore {name}; or copy the old state" in lost.stderr
    done = run(site, "state", "restore", name, "--yes")
    assert (done.returncode, "; build the site" in done.stdout) == (0, True)
    again = build(place)
    assert (again.returncode, again.stderr) == (0, "")
    assert "1 editions" in run(site, "doctor").stdout


def test_clean_leaves_what_others_put_beside_the_state(place):
    site, _ = place
    (site / "mine/sample").mkdir(parents=True)
    (site / "mine/sample/notes.txt").write_text("mine")
    build(place, "--cache", "mine")
    assert run(site, "clean", "--cache", "mine", "--yes").returncode == 0
    assert files(site / "mine") == [type(site)("sample"), type(site)("sample/notes.txt")]
    assert "nothing to delete" in run(site, "clean", "--cache", "content").stdout
