"""The folder `public/` as a mirror."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hdash_site.deploy import folder
from hdash_site.deploy.tree import Tree
from hdash_site.errors import OutputError
from hdash_site.files import Looks


class Ledger:
    """What the state keeps of a mirror, in memory."""

    def __init__(self):
        self.looks, self.rows = Looks(dict), {}

    def published(self, mirror):
        return dict(self.rows)

    def claim(self, mirror, files):
        self.rows |= files

    def disown(self, mirror, paths):
        for path in list(paths):
            self.rows.pop(path)


class Site:
    """A folder below `place` that sites are brought to."""

    def __init__(self, place):
        self.output, self.scratch = place / "public", place / "scratch"
        self.ledger = Ledger()
        self.left = folder.Left()
        self.files = {}

    def _want(self, files):
        self.files = files
        self.ledger.looks = Looks(lambda fresh=self.ledger.looks.fresh: fresh)
        return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}

    def deploy(self, files):
        """Look at all files, as a build does."""
        want = self._want(files)
        return folder.deploy(self.output, want, files.__getitem__, self.ledger, self.scratch, self.left)

    def forward(self, files):
        """Look at the files that changed, as a preview does after a save."""
        want = self._want(files)
        return folder.forward(self.output, self.left, want, files.__getitem__, self.ledger, self.scratch)

    def repair(self):
        return folder.repair(self.output, self.left, self.files.__getitem__, self.ledger, self.scratch)

    def tree(self):
        """Every file by path; a link, or a file that not everybody may read, is no file of the site."""
        found = {}
        for path, stat in folder._files(self.output).items():
            plain = stat.st_mode & 0o170444 == 0o100444
            found[path] = (self.output / path).read_bytes() if plain else None
        return found


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@pytest.fixture
def deploy(site):
    return site.deploy


def test_what_no_page_makes_any_more_goes_with_its_empty_folders(deploy, tmp_path):
    deploy({"index.html": b"i", "hta1/manifests/syn1/index.html": b"m"})
    done = deploy({"index.html": b"i"})
    assert done.removed == [("hta1/manifests/syn1/index.html", "no page makes it")]
    assert [path.name for path in (tmp_path / "public").iterdir()] == ["index.html"]


def test_a_folder_with_somebody_elses_file_stays(deploy, tmp_path):
    deploy({"index.html": b"i", "hta1/index.html": b"m"})
    (tmp_path / "public/hta1/notes.txt").write_text("mine")
    done = deploy({"index.html": b"i"})
    assert done.foreign == ["hta1/notes.txt"]
    assert (tmp_path / "public/hta1/notes.txt").read_text() == "mine"


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a//x", "./x", ""])
def test_a_path_that_leads_out_of_the_site_is_refused(deploy, path):
    with pytest.raises(OutputError, match="leads out of the site"):
        deploy({path: b"x"})


def test_a_file_is_replaced_in_one_step_and_no_leftover_stays(deploy, tmp_path):
    deploy({"a/b.html": b"one"})
    path = tmp_path / "public/a/b.html"
    with path.open("rb") as before:
        deploy({"a/b.html": b"two"})
        assert before.read() == b"one", "who reads the old file goes on reading it, whole"
    assert path.read_bytes() == b"two"
    assert list((tmp_path / "scratch").iterdir()) == []
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="needs a second disk")
def test_a_scratch_folder_on_another_disk_serves_too(site, tmp_path):
    site.scratch = Path("/dev/shm", f"watch-{os.getpid()}")
    try:
        site.deploy({"a/b.html": b"one"})
        assert site.tree() == {"a/b.html": b"one"}
    finally:
        shutil.rmtree(site.scratch)


def test_what_we_wrote_is_not_trusted_if_somebody_touched_it_since(tmp_path):
    path = tmp_path / "public/a"
    path.parent.mkdir()
    looks = Looks(dict)
    with Tree(path.parent, tmp_path) as tree:
        stat = tree.put("a", b"one")
    time.sleep(0.02)
    path.write_bytes(b"two")
    looks.note(path, hashlib.sha256(b"one").hexdigest(), stat)
    assert looks.fresh == {}
    assert looks.digest(path) == hashlib.sha256(b"two").hexdigest()


def test_an_output_that_is_a_file_is_one_line(deploy, tmp_path):
    (tmp_path / "public").write_text("a file")
    with pytest.raises(OutputError, match="the site cannot be written") as caught:
        deploy({"index.html": b"i"})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bring", ["deploy", "forward"])
def test_a_link_in_place_of_a_folder_is_replaced_and_said(site, tmp_path, bring):
    files = {"index.html": b"i", "hta1/index.html": b"m", "hta1/deep/er.html": b"d"}
    site.deploy(files)
    (site.output / "hta1").rename(tmp_path / "outside")
    (site.output / "hta1").symlink_to(tmp_path / "outside")
    files = files | {"hta1/index.html": b"new"}
    done = getattr(site, bring)(files)
    if bring == "forward":
        site.repair()
    assert site.tree() == files
    assert (tmp_path / "outside/index.html").read_bytes() == b"m"
    assert [note.split(":")[0] for note in done.notes] == [f"{site.output}/hta1"]
    assert done.foreign == []


def test_a_link_to_a_file_with_the_same_bytes_is_replaced_too(site, tmp_path):
    site.deploy({"index.html": b"i"})
    (site.output / "index.html").rename(tmp_path / "outside.html")
    (site.output / "index.html").symlink_to(tmp_path / "outside.html")
    done = site.deploy({"index.html": b"i"})
    assert done.written == [("index.html", "it was altered")]
    assert not (site.output / "index.html").is_symlink()


def test_a_pipe_in_place_of_a_file_is_not_waited_for(site):
    site.deploy({"index.html": b"i", "a.html": b"a"})
    for name, bring in (("index.html", site.repair), ("a.html", lambda: site.deploy(site.files))):
        (site.output / name).unlink()
        os.mkfifo(site.output / name)
        bring()
    assert site.tree() == site.files


def test_the_output_itself_may_be_a_link(site, tmp_path):
    (tmp_path / "real").mkdir()
    site.output.symlink_to(tmp_path / "real")
    site.deploy({"a/b.html": b"one"})
    site.forward({"a/c.html": b"two"})
    assert site.output.is_symlink()
    assert site.tree() == {"a/c.html": b"two"}
    assert (tmp_path / "real/a/c.html").read_bytes() == b"two"


def test_a_file_of_somebody_else_in_place_of_a_folder_is_named_and_stays(site):
    site.deploy({"index.html": b"i"})
    (site.output / "hta1").write_text("mine")
    with pytest.raises(OutputError, match=r"public/hta1/index\.html: the site cannot be written"):
        site.deploy({"index.html": b"i", "hta1/index.html": b"m"})
    assert (site.output / "hta1").read_text() == "mine"


def test_nothing_altered_is_nothing_written(site):
    site.deploy({"index.html": b"i", "a/b.html": b"b"})
    before = {path: stat.st_ino for path, stat in folder._files(site.output).items()}
    assert site.repair().written == []
    site.forward({"index.html": b"other", "a/b.html": b"b"})
    assert site.repair() == folder.Deployed([], 0, [], [])
    assert folder._files(site.output)["a/b.html"].st_ino == before["a/b.html"]


def test_a_file_that_holds_still_is_read_once_at_most(site, monkeypatch):
    site.deploy({f"{number}/index.html": b"%d" % number for number in range(50)})
    time.sleep(0.05)
    site.repair()
    monkeypatch.setattr(folder, "_digest", lambda name, _: pytest.fail(f"{name} was read again"))
    site.repair()


PATHS = ["index.html", "a/index.html", "a/b/index.html", "a/b/c.csv", "d/index.html", "d/e.css"]


def alter(luck: random.Random, top: Path, outside: Path) -> None:
    """Do to the folder `top` what another program may do, with links to what is in `outside`."""
    target = luck.choice([path for path in [top, *top.rglob("*")] if path != top] or [top])
    if target == top or not target.parent.resolve().is_relative_to(top.resolve()):
        return
    if not (target.exists() or target.is_symlink()):
        return
    kinds = ["link", "delete", "move and link", "chmod", "write", "same size", "dangling", "pipe"]
    match luck.choice(kinds):
        case "chmod" if not target.is_symlink():
            target.chmod(luck.choice([0o600, 0o440, 0]) if target.is_file() else 0o700)
        case "write" if target.is_file() and not target.is_symlink():
            target.write_bytes(luck.randbytes(5))
        case "same size" if target.is_file() and not target.is_symlink():
            target.write_bytes(target.read_bytes()[::-1])
        case "move and link":
            moved = outside / f"moved{len(list(outside.iterdir()))}"
            target.rename(moved)
            target.symlink_to(moved)
        case kind:
            shutil.rmtree(target) if target.is_dir() and not target.is_symlink() else target.unlink()
            if kind == "link":
                target.symlink_to(luck.choice([outside, *outside.rglob("*")]))
            elif kind == "dangling":
                target.symlink_to(outside / "nothing" / luck.choice(PATHS))
            elif kind == "pipe" and str(target.relative_to(top)) in PATHS:
                os.mkfifo(target)


def contents(outside: Path) -> dict[str, object]:
    """Everything in a folder: files byte for byte, folders, links."""
    return {
        str(path.relative_to(outside)): (
            str(path.readlink())
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else path.stat().st_mode
        )
        for path in outside.rglob("*")
        if path.is_symlink() or path.is_file() or path.is_dir()
    }


@given(seed=some.integers(0, 2**32), bring=some.sampled_from(["deploy", "forward"]))
def test_whatever_is_altered_is_repaired_and_nothing_outside_is_touched(tmp_path_factory, seed, bring):
    """Links at random below the site, to files and folders outside, and every other kind of alteration."""
    luck, place = random.Random(seed), tmp_path_factory.mktemp("links")
    outside, site = place / "outside", Site(place / "site")
    for path in PATHS:
        (outside / path).parent.mkdir(parents=True, exist_ok=True)
        (outside / path).write_bytes(b"outside " + path.encode())
    site.output.parent.mkdir()
    files = {path: path.encode() for path in PATHS}
    site.deploy(files)
    if bring == "forward":
        time.sleep(0.03)
        site.repair()
    for _ in range(luck.randrange(1, 4)):
        alter(luck, site.output, outside)
    before = contents(outside)
    files = {path: luck.choice([b"new", files[path]]) for path in files if luck.random() < 0.8}
    if files:
        getattr(site, bring)(files)
        if bring == "forward":
            site.repair()
        found = site.tree()
        assert {path: found.get(path) for path in files} == files
    assert contents(outside) == before
    folder.empty(site.output, site.ledger, site.scratch)
    assert contents(outside) == before
    shutil.rmtree(place)
