"""Where the system cannot tell what was saved: files are looked at again and again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hdash_site.preview import links, mounts, watch
from tests.serve.conftest import PATIENCE, Desk, let_ctrl_c_end_it

POLLING = "the preview looks at all files every second instead"


def test_every_kind_of_save_is_seen_without_events(desk, capsys):
    with desk.shown(poll=True):
        desk.edit("content/about.md", "dashboard", "DASHBOARD")
        desk.wait(lambda: "DASHBOARD" in desk.get("/about/"))
        desk.save("content/new/july.md", '+++\ntitle = "July"\n+++\n')
        desk.wait(lambda: desk.request("/new/july/")[0] == 200)
        desk.edit("site.toml", "Test site", "Other site")
        desk.wait(lambda: "Other site" in desk.get("/about/"))
        (desk.site / "content").rename(desk.site / "away")
        desk.wait(lambda: desk.request("/about/")[0] == 404)
        (desk.site / "away").rename(desk.site / "content")
        desk.wait(lambda: desk.request("/about/")[0] == 200)
        desk.edit("content/about.md", "DASHBOARD", "dashboard")
        desk.wait(lambda: "DASHBOARD" not in desk.get("/about/"))
        desk.is_exact()
        before = desk.quiet()
        desk.save("public/about/index.html", "altered by somebody")
        desk.save("notes.txt", "no part of the site")
        desk.wait(lambda: desk.quiet() == before)
    assert capsys.readouterr().err == "", "it was asked for"


@contextlib.contextmanager
def limited(desk: Desk, what: str, number: int):
    """Show a site in a process with a limit of inotify; gives what it prints to standard error."""
    probe = ["unshare", "-Ur", "sh", "-c", "echo 5 > /proc/sys/user/max_inotify_watches"]
    if not shutil.which("unshare") or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    limit = f'echo {number} > /proc/sys/user/max_inotify_{what}; exec "$0" "$@"'
    command = ["unshare", "-Ur", "sh", "-c", limit, sys.executable, "-m", "hdash_site", "serve"]
    command += ["--root", desk.site, "--source", desk.atlases]
    errors = desk.site.parent / "errors"
    with (
        errors.open("w") as file,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=file, text=True, preexec_fn=let_ctrl_c_end_it
        ) as process,
    ):
        reader = threading.Thread(target=lambda: process.stdout.read())
        try:
            line = next(line for line in iter(process.stdout.readline, "") if line.startswith("preview"))
            desk.address = line.split()[1]
            reader.start()
            yield errors.read_text
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
            if reader.ident:
                reader.join()


def test_without_an_instance_of_inotify_all_files_are_looked_at(desk):
    with limited(desk, "instances", 0) as said:
        desk.edit("content/about.md", "dashboard", "DASHBOARD")
        desk.wait(lambda: "DASHBOARD" in desk.get("/about/"))
        assert (said().count("\n"), said().count(POLLING)) == (1, 1)


def test_when_watches_run_out_later_all_files_are_looked_at_from_then_on(desk):
    folders = 1 + sum(path.is_dir() for name in links.FOLDERS for path in (desk.site / name).rglob("*"))
    with limited(desk, "watches", folders + 6) as said:
        assert said() == ""
        for number in range(12):
            desk.save(f"content/many/{number}/page.md", f'+++\ntitle = "{number}"\n+++\nFirst words.\n')
        desk.wait(lambda: all("First" in desk.get(f"/many/{number}/page/") for number in range(12)))
        for number in range(12):
            desk.edit(f"content/many/{number}/page.md", "First", "Second")
        desk.wait(lambda: all("Second" in desk.get(f"/many/{number}/page/") for number in range(12)))
        assert (said().count("\n"), said().count(POLLING)) == (1, 1), said()


TABLE = """\
overlay / overlay rw 0 0
C:\\134 /mnt/c 9p rw,aname=drvfs 0 0
grpcfuse /home/ada/my\\040site fuse.grpcfuse rw 0 0
server:/export /net nfs4 rw 0 0
fuse-overlayfs /var/box fuse.fuse-overlayfs rw 0 0
/dev/sda1 /net/local ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/ada", ""),
        ("/home/ada/my site/content", "fuse.grpcfuse"),
        ("/mnt/c/site", "9p"),
        ("/mnt/cc", ""),
        ("/net/site", "nfs4"),
        ("/net/local/site", ""),
        ("/var/box/site", ""),
    ],
)
def test_a_file_system_that_may_not_report_changes_is_known_by_its_kind(tmp_path, monkeypatch, path, kind):
    (tmp_path / "mounts").write_text(TABLE)
    monkeypatch.setattr(mounts, "TABLE", tmp_path / "mounts")
    assert mounts.silent_kind(["/tmp", path]) == kind


def test_files_of_such_a_file_system_are_looked_at(desk, tmp_path, monkeypatch, capsys):
    (tmp_path / "mounts").write_text(f"host {desk.site.resolve()} virtiofs rw 0 0\n")
    monkeypatch.setattr(mounts, "TABLE", tmp_path / "mounts")
    with desk.shown():
        said = capsys.readouterr().err
        assert (said.count("\n"), "(virtiofs)" in said, POLLING in said) == (1, True, True)
        before = desk.quiet()
        desk.edit("content/about.md", "dashboard", "DASHBOARD")
        desk.wait(lambda: "DASHBOARD" in desk.get("/about/"))
        assert desk.quiet() == before + 1


def test_events_that_the_system_dropped_are_made_up_for(desk, monkeypatch):
    """The kernel says that its queue was full; what was saved in that moment it does not say."""
    seen = []
    observer = watch._observer
    monkeypatch.setattr(
        watch, "_observer", lambda limited, lost: (seen.append(lost), observer(limited, lost))[1]
    )
    with desk.shown():
        desk.quiet()
        monkeypatch.setattr(watch._Watch, "dispatch", lambda *_: None)
        desk.edit("content/about.md", "dashboard", "DASHBOARD")
        desk.save("content/july.md", '+++\ntitle = "July"\n+++\n')
        seen[0]()
        desk.wait(lambda: "DASHBOARD" in desk.get("/about/"))
        desk.wait(lambda: desk.request("/july/")[0] == 200)


class Site:
    """A site of links: names are noted as the preview would hear of them."""

    def __init__(self, root: Path, poll: bool) -> None:
        self.root, self.poll = root, poll
        for folder in ("content/sub", "content/book/docs", "public", "cache", "other"):
            (root / folder).mkdir(parents=True)
        names = ("content/a.md", "content/sub/b.md", "content/book/docs/c.md", "content/book/d.md")
        for name in ("site.toml", *names):
            (root / name).write_text("before")

    @contextlib.contextmanager
    def watched(self, monkeypatch):
        monkeypatch.setattr(watch, "POLL", 0.05)
        monkeypatch.setattr(watch, "POLL_SHARE", 1.0)
        ours = (self.root / "public", self.root / "cache")
        with watch.watching(self.root, pytest.fail, poll=self.poll, ours=ours) as self.changes:
            yield self

    def saved(self, path: str | Path) -> set[str]:
        """Save a file, and give what is said to be saved."""
        time.sleep(0.02)
        (self.root / path).write_text(f"after {time.time_ns()}")
        return self.heard()

    def heard(self, timeout: float = 20) -> set[str]:
        found = {str(path.relative_to(self.root)) for path in self.changes.settled(timeout)}
        while more := self.changes.settled(0.3):
            found |= {str(path.relative_to(self.root)) for path in more}
        return found


@pytest.fixture(params=[False, True], ids=["events", "polling"])
def linked(request, tmp_path):
    return Site(tmp_path / "site", request.param)


DOCS = {f"content/{folder}/c.md" for folder in ("book/docs", "guide", "sub/again")}


def test_a_save_behind_a_link_is_told_by_every_name(linked, monkeypatch):
    content = linked.root / "content"
    (content / "guide").symlink_to("book/docs")
    (content / "sub/again").symlink_to(linked.root / "content/book/docs")
    (content / "e.md").symlink_to("a.md")
    (content / "sub/d.md").symlink_to("../book/d.md")
    with linked.watched(monkeypatch):
        for name in DOCS:
            assert linked.saved(name) == DOCS
        assert linked.saved("content/a.md") == {"content/a.md", "content/e.md"}
        assert linked.saved("content/sub/d.md") == {"content/book/d.md", "content/sub/d.md"}


def test_a_link_that_comes_moves_and_goes_is_followed(linked, monkeypatch):
    content = linked.root / "content"
    both = {"content/book/docs/c.md", "content/guide/c.md"}
    with linked.watched(monkeypatch):
        (content / "guide").symlink_to("book/docs")
        assert "content/guide" in linked.heard()
        assert linked.saved("content/book/docs/c.md") == both
        (content / "book").rename(content / "moved")
        assert {"content/book", "content/moved", "content/guide"} <= linked.heard()
        (content / "moved").rename(content / "book")
        assert "content/guide" in linked.heard()
        assert linked.saved("content/book/docs/c.md") == both
        (content / "guide").unlink()
        assert "content/guide" in linked.heard()
        assert linked.saved("content/book/docs/c.md") == {"content/book/docs/c.md"}


@pytest.mark.parametrize("folder", ["content", "layouts", "layouts/assets"])
def test_a_folder_of_the_site_may_be_a_link_to_anywhere(linked, tmp_path, monkeypatch, folder):
    (tmp_path / "elsewhere/deep").mkdir(parents=True)
    (linked.root / "layouts").mkdir()
    shutil.rmtree(linked.root / folder, ignore_errors=True)
    (linked.root / folder).symlink_to(tmp_path / "elsewhere")
    with linked.watched(monkeypatch):
        assert linked.saved(tmp_path / "elsewhere/deep/x.md") == {f"{folder}/deep/x.md"}


def test_the_root_of_the_site_may_be_a_link(linked, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(linked.root)
    linked.root = tmp_path / "link"
    with linked.watched(monkeypatch):
        assert linked.saved("content/a.md") == {"content/a.md"}
        assert linked.saved("site.toml") == {"site.toml"}


def test_links_without_an_end_or_out_of_the_site_or_to_what_we_write_are_left_alone(
    linked, tmp_path, monkeypatch
):
    (tmp_path / "secret").mkdir()
    content = linked.root / "content"
    for name, target in {
        "loop": ".", "sub/up": "..", "root": "..", "itself": "itself", "public": "../public",
        "out": "../../secret", "nothing": "../nothing", "beside": "../other",
    }.items():  # fmt: skip
        (content / name).symlink_to(target)
    with linked.watched(monkeypatch):
        assert linked.saved("content/a.md") == {"content/a.md"}
        (linked.root / "public/x.md").write_text("ours")
        (tmp_path / "secret/x.md").write_text("outside")
        (linked.root / "other/x.md").write_text("outside")
        assert linked.heard(0.5) == set()


def test_ten_thousand_files_are_looked_at_in_the_time_that_their_number_takes(tmp_path):
    """The share of the time is bounded, whatever a look takes."""

    def took(count):
        root = tmp_path / str(count)
        for number in range(count):
            folder = root / f"content/{number // 100}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number}.md").touch()
        began = time.process_time()
        _, stats = links.survey(root, ())
        assert len(stats) >= count
        return time.process_time() - began

    small, large = min(took(1000), took(1001)), took(10_000)
    assert large < small * 30
    assert watch.POLL_SHARE <= 0.1


def test_hidden_files_and_what_editors_leave_are_not_looked_at(tmp_path):
    for name in ("content/.git/x", "content/a.md~", "content/.a.md.swp", "content/a.md", "other/b.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    _, stats = links.survey(tmp_path, ())
    assert [os.path.relpath(path, tmp_path) for path in stats if path.endswith("md")] == ["content/a.md"]
