"""A check that raises costs its own findings of that atlas, and says so; everything else goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import hdash_site
from tests import worlds

PACKAGE = Path(hdash_site.__file__).parent
RAISES = "    if atlas.id == 'HTA2':\n        raise KeyError('Jane Doe')\n"
CHECK = "H_LINKS"
MODULE = "htan/checks/links.py"


class Done(NamedTuple):
    code: int
    output: str
    errors: str
    tree: dict[str, bytes]

    def summary(self):
        return json.loads(self.output.splitlines()[-1])


class Release:
    """A copy of the program, of a site and of its atlases."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "package" / "hdash_site"
        shutil.copytree(PACKAGE, self.package, ignore=shutil.ignore_patterns("__pycache__"))
        self.site = worlds.site_folder(folder / "site")
        self.collection = worlds.small(folder / "atlases", "HTA1", "HTA2")
        self.sound = (self.package / MODULE).read_text()

    def break_check(self) -> None:
        pattern = re.compile(r"(^def check\(atlas: Atlas\).*?:\n)", re.MULTILINE)
        broken, count = pattern.subn(rf"\g<1>{RAISES}", self.sound)
        assert count == 1
        (self.package / MODULE).write_text(broken)

    def mend_check(self) -> None:
        (self.package / MODULE).write_text(self.sound)

    def build(self, *options: str, debug: bool = False) -> Done:
        command = [sys.executable, "-m", "hdash_site", *(["--debug"] if debug else []), "build", "--json"]
        command += ["--root", str(self.site), "--source", str(self.collection.folder), *options]
        environment = {**os.environ, "PYTHONPATH": str(self.package.parent)}
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=self.package.parent
        )
        return Done(done.returncode, done.stdout, done.stderr, worlds.tree(self.site / "public"))


@pytest.fixture
def release(tmp_path):
    return Release(tmp_path)


def page(done: Done, path: str) -> str:
    return done.tree[path].decode()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_all_else_of_the_atlas_is_built_and_the_check_is_named(release, jobs):
    sound = release.build("--jobs", jobs)
    assert sound.code == 0, sound.errors
    release.break_check()
    broken = release.build("--jobs", jobs)
    assert broken.code == 3
    assert broken.tree.keys() == sound.tree.keys()
    [line] = broken.errors.splitlines()
    assert re.search(
        rf"^atlas HTA2: check {CHECK} could not be completed \(KeyError in {MODULE}, line \d+\)", line
    )
    others = {path for path in sound.tree if path.startswith("hta1/")}
    assert {path: broken.tree[path] for path in others} == {path: sound.tree[path] for path in others}
    kept = re.findall(r'id="(H_\w+)"', page(sound, "hta2/index.html"))
    assert re.findall(r'id="(H_\w+)"', page(broken, "hta2/index.html")) == kept


def test_the_pages_say_that_findings_are_missing(release):
    sound = release.build()
    release.break_check()
    broken = release.build()
    notice = f"<code>{CHECK}</code> could not be completed"
    manifests = [path for path in broken.tree if re.fullmatch(r"hta2/manifests/\w+/index.html", path)]
    assert manifests
    for path in ("hta2/index.html", "hta2/fix/index.html", *manifests):
        assert notice in page(broken, path), path
        assert notice not in page(sound, path), path
    checks = page(broken, f"checks/{CHECK.lower()}/index.html")
    assert checks.count("not completed") == 1
    told = json.loads(broken.tree["hta2/atlas.json"])["checks"]
    assert [one["code"] for one in told if one["crashed"]] == [CHECK]
    assert page(broken, "index.html").count("not all checked") == 1
    assert "not all checked" not in page(sound, "index.html")
    assert "There is nothing to fix" not in page(broken, "hta2/fix/index.html")


def test_the_words_of_the_error_are_nowhere_for_they_may_quote_a_cell(release):
    release.break_check()
    broken = release.build(debug=True)
    assert "Jane Doe" not in broken.errors.replace(RAISES.strip().splitlines()[-1].strip(), "")
    assert not [path for path, data in broken.tree.items() if b"Jane Doe" in data]


def test_a_traceback_is_shown_on_demand_alone(release):
    release.break_check()
    assert "File " not in release.build().errors
    shown = release.build(debug=True).errors
    assert "File " in shown
    assert f"{MODULE}" in shown


def test_a_build_with_nothing_to_do_says_it_again(release):
    release.break_check()
    first, second = release.build(), release.build()
    assert second.summary()["recipes_run"] == 0
    assert (second.code, second.errors) == (first.code, first.errors)


def test_no_finding_counts_as_fixed_or_new_while_its_check_raises(release):
    project = release.collection.projects[1]["id"]
    entity = next(
        one["id"]
        for one in release.collection.files
        if one["projectId"] == project and one["Component"] == "Biospecimen"
    )
    rows = worlds.biospecimens(("HTA2_1_1", "HTA2_1"), ("HTA2_77_1", "HTA2_77"))
    release.collection.manifests[entity] = worlds.as_csv(rows)
    release.collection.save()
    sound = release.build()
    assert CHECK in sound.summary()["findings"]
    editions = {path for path in sound.tree if path.startswith("changes/")}
    for prepare in (release.break_check, release.mend_check):
        prepare()
        done = release.build()
        summary = done.summary()
        assert (summary["findings_new"], summary["findings_fixed"]) == ({}, {})
        assert {path for path in done.tree if path.startswith("changes/")} == editions
    assert done.tree == sound.tree


def test_an_error_of_the_program_is_one_line_and_a_traceback_on_demand(release):
    text = (release.package / "app.py").read_text()
    (release.package / "app.py").write_text(
        text.replace("    config = crawling(options)\n", "    config = crawling(options)\n    {}[1]\n", 1)
    )
    done = release.build()
    assert done.code == 1
    [line] = done.errors.splitlines()
    assert re.search(r"^hdash-site: error in the program: KeyError: 1 \(app.py, line \d+\)", line)
    assert "Traceback" in release.build(debug=True).errors
