"""The preview without a browser: what is built when, and what is served to whom."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from hdash_site import app
from hdash_site.errors import ConfigError
from hdash_site.options import Options
from hdash_site.preview import watch
from hdash_site.preview.news import Board
from hdash_site.preview.web import listen
from tests import worlds
from tests.serve.conftest import PATIENCE

NEW = '+++\ntitle = "July"\n+++\nText of July.\n'


def events(desk, count):
    """Give so many news from a new stream."""
    host, port = desk.address.removeprefix("http://").strip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(f"GET /_hdash/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        file = connection.makefile("rb")
        found = []
        while len(found) < count:
            line = file.readline()
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
        return found


def test_a_save_is_served_and_the_files_on_disk_are_a_clean_builds(shown):
    shown.edit("content/about.md", "dashboard", "DASHBOARD")
    shown.wait(lambda: "DASHBOARD" in shown.get("/about/"))
    assert "/_hdash/live.js" in shown.get("/about/")
    assert worlds.tree(shown.site / "public") == shown.clean_tree()
    assert b"_hdash" not in (shown.site / "public/about/index.html").read_bytes()


def test_pages_come_go_and_move(shown):
    shown.save("content/july.md", NEW)
    shown.wait(lambda: "Text of July." in shown.get("/july/"))
    (shown.site / "content/july.md").rename(shown.site / "content/august.md")
    shown.wait(lambda: "Text of July." in shown.get("/august/"))
    shown.wait(lambda: shown.request("/july/")[0] == 404)
    (shown.site / "content/august.md").unlink()
    shown.wait(lambda: shown.request("/august/")[0] == 404)
    assert worlds.tree(shown.site / "public") == shown.clean_tree()


def test_a_folder_that_was_replaced_is_followed_further(shown):
    content = shown.site / "content"
    content.rename(shown.site / "before")
    shown.wait(lambda: shown.request("/about/")[0] == 404)
    (shown.site / "before").rename(content)
    shown.wait(lambda: shown.request("/about/")[0] == 200)
    shown.save("content/deep/er/july.md", NEW)
    shown.wait(lambda: "Text of July." in shown.get("/deep/er/july/"))


def write_aside(path, text):
    aside = path.with_name(".about.md.tmp")
    aside.write_text(text)
    aside.replace(path)


def as_vim(path, text):
    """Try whether files can be made here, move the file away, write a new one, delete the old one."""
    path.with_name(".about.md.swp").write_text("b0VIM")
    path.with_name("4913").touch()
    path.with_name("4913").unlink()
    path.rename(path.with_name("about.md~"))
    path.write_text(text)
    path.with_name("about.md~").unlink()


def as_visual_studio_code(path, text):
    """Write into the file that is there: it is empty before it is full."""
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    os.write(descriptor, text.encode())
    os.fsync(descriptor)
    os.close(descriptor)


def truncate_and_write(path, text):
    """Leave the file empty for a moment, and half-written for another; both longer than the dust settles."""
    over = threading.Event()
    with path.open("w") as file:
        over.wait(0.2)
        file.write(text[: len(text) // 2])
        file.flush()
        over.wait(0.2)
        file.write(text[len(text) // 2 :])


@pytest.mark.parametrize("save", [write_aside, as_vim, as_visual_studio_code, truncate_and_write])
def test_a_save_is_one_build_of_the_whole_file(shown, save):
    path = shown.site / "content/about.md"
    before = shown.quiet()
    save(path, path.read_text() + "\n\nThe end.\n")
    shown.wait(lambda: "The end." in shown.get("/about/"))
    assert shown.quiet() == before + 1
    assert [built.problems for built in shown.built if built.problems] == []


def test_a_file_that_stays_empty_is_not_waited_for_for_ever(shown):
    shown.save("content/empty.md", "")
    shown.wait(lambda: shown.built[-1].problems)
    assert "content/empty.md, line 1" in shown.built[-1].problems[0]


def git(site, *words):
    settings = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *words], cwd=site, check=True, capture_output=True)


def test_a_checkout_of_2000_files_is_one_build_of_whole_files(desk):
    """200 articles in two states, and 1,800 files beside them that one branch has and the other has not."""
    site = desk.site
    desk.save(".gitignore", "public\ncache\n")
    for number in range(200):
        desk.save(f"content/many/{number}.md", f'+++\ntitle = "{number}"\n+++\n' + "Old words.\n\n" * 50)
    git(site, "init", "--initial-branch", "old")
    git(site, "add", ".")
    git(site, "commit", "--message", "Old")
    git(site, "checkout", "-b", "new")
    for number in range(200):
        desk.edit(f"content/many/{number}.md", "Old", "New")
    for number in range(1800):
        desk.save(f"content/many/table-{number}.csv", "a,b\n")
    git(site, "add", ".")
    git(site, "commit", "--message", "New")
    with desk.shown():
        for branch, words in (("old", "Old words."), ("new", "New words.")):
            before = desk.quiet()
            git(site, "checkout", branch)
            desk.wait(lambda words=words: desk.get("/many/199/").count(words) == 50)
            assert desk.quiet() == before + 1
            assert [built.problems for built in desk.built if built.problems] == []
        desk.is_exact()


def test_git_is_waited_for_while_it_is_at_work_and_not_if_it_died(desk):
    lock = desk.site / ".git/index.lock"
    desk.save(".git/index.lock", "")
    with desk.shown():
        before = desk.quiet()
        desk.edit("content/about.md", "dashboard", "DASHBOARD")
        time.sleep(1)
        desk.edit("content/about.md", "DASHBOARD", "Dashboard")
        assert desk.quiet() == before
        lock.unlink()
        desk.wait(lambda: "Dashboard" in desk.get("/about/"))
        assert desk.quiet() == before + 1
        desk.save(".git/index.lock", "")
        os.utime(lock, (0, 0))
        desk.edit("content/about.md", "Dashboard", "DASHBOARD")
        desk.wait(lambda: "DASHBOARD" in desk.get("/about/"))


def test_the_lock_of_a_second_work_tree_is_found(tmp_path):
    git(tmp_path, "init", "one")
    git(tmp_path / "one", "commit", "--allow-empty", "--message", "First")
    git(tmp_path / "one", "worktree", "add", "../other")
    (tmp_path / "other/site").mkdir()
    lock = watch._lock_of_git(tmp_path / "other/site")
    assert lock == tmp_path / "one/.git/worktrees/other/index.lock"
    assert lock.parent.is_dir()


def test_what_editors_leave_beside_and_what_we_write_ourselves_is_no_save(shown):
    before = shown.quiet()
    for name in ("content/.about.md.swp", "content/about.md~", "notes.txt", "content/.git/index"):
        shown.save(name, "x")
    shown.get("/about/")
    (shown.site / "layouts/base.mako").read_bytes()
    assert shown.quiet() == before


@pytest.mark.parametrize(
    ("name", "old", "new", "place", "line"),
    [
        ("layouts/article.mako", "</article>", "</article>\n${1 / 0}", "layouts/article.mako", "${1 / 0}"),
        ("layouts/base.mako", "<header", "% if x:\n<header", "layouts/base.mako", "% if x:"),
        ("site.toml", "title =", "title = =", "site.toml", 'title = = "Test site"'),
        ("content/about.md", "+++\n", "", "content/about.md", None),
    ],
)  # fmt: skip
def test_an_error_is_told_with_its_place_and_is_over_with_the_fix(shown, name, old, new, place, line):
    good, text = shown.get("/about/"), (shown.site / name).read_text()
    shown.edit(name, old, new)
    shown.wait(lambda: events(shown, 1)[0]["faults"])
    [fault, *_] = events(shown, 1)[0]["faults"]
    assert fault["file"] == place
    if line is not None:
        assert [fault["line"], line] in fault["lines"]
    assert shown.request("/about/")[0] == 200
    shown.save(name, text)
    shown.wait(lambda: not events(shown, 1)[0]["faults"])
    shown.wait(lambda: shown.get("/about/").partition("data-number")[0] == good.partition("data-number")[0])


def test_an_error_from_the_start_is_told_too(desk):
    desk.save("site.toml", "title = =\n")
    with desk.shown():
        assert events(desk, 1)[0]["faults"][0]["file"] == "site.toml"
        status, _, body = desk.request("/")
        assert (status, b"/_hdash/live.js" in body) == (404, True)
        desk.save("site.toml", 'title = "Better"\n')
        desk.wait(lambda: "Better" in desk.get("/"))


def test_news_name_the_pages_that_changed_and_no_others(shown):
    [first] = events(shown, 1)
    assert first["changed"] is None
    told = []
    thread = threading.Thread(target=lambda: told.extend(events(shown, 2)))
    thread.start()
    shown.quiet()
    shown.edit("content/about.md", "dashboard", "DASHBOARD")
    thread.join()
    assert told[1]["changed"] == ["/about/index.html"]


def test_a_tab_is_told_of_its_page_of_its_style_and_of_nothing_else(shown):
    def marks():
        tag = shown.get("/about/").partition("/_hdash/live.js")[2].partition(" defer")[0]
        return dict(pair.removeprefix("data-").replace('"', "").split("=") for pair in tag.split()[1:])

    def look(**seen):
        return json.loads(
            shown.get("/_hdash/look?page=/about/&" + "&".join(f"{k}={v}" for k, v in seen.items()))
        )

    seen = marks()
    assert (look(**seen)["page"], look(**seen)["files"]) == ("same", [])
    shown.edit("content/notes/counts.md", "title", "weight = 3\ntitle")
    shown.edit("layouts/assets/site.css", ":root", "/* new */ :root")
    shown.wait(lambda: look(**seen)["page"] != "same")
    assert look(**seen)["page"] == "styles"

    def sheets():
        return [f"../assets/{path.name}" for path in (shown.site / "public/assets").glob("site.*.css")]

    shown.wait(lambda: look(**seen)["styles"] == sheets())
    shown.edit("content/about.md", "dashboard", "DASHBOARD")
    shown.wait(lambda: look(**seen)["page"] == "changed")


def test_a_page_that_was_saved_is_where_tabs_are_led(desk):
    with desk.shown(navigate=True):
        told = []
        thread = threading.Thread(target=lambda: told.extend(events(desk, 2)))
        thread.start()
        desk.quiet()
        desk.edit("content/notes/counts.md", "title", "weight = 7\ntitle")
        desk.edit("content/notes/counts.md", "\n+++\n", "\n+++\nMore.\n")
        thread.join()
        assert told[1]["navigate"] == "/notes/counts/"
        assert events(desk, 1)[0]["navigate"] == ""


HOLD = """
import sys
from pathlib import Path
from hdash_site import app
with app.open_state(app.Options(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_run_is_waited_for(shown):
    command = [sys.executable, "-c", HOLD, shown.site]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        before = len(shown.built)
        shown.edit("content/about.md", "dashboard", "DASHBOARD")
        threading.Event().wait(1)
        assert len(shown.built) == before
        other.communicate()
    shown.wait(lambda: "DASHBOARD" in shown.get("/about/"))


def test_others_are_served_only_under_names_that_are_given(desk):
    with pytest.raises(ConfigError, match="--allow-hosts"), desk.shown(bind="0.0.0.0"):
        pass
    with desk.shown(bind="0.0.0.0", hosts=("desk.example",)):
        desk.address = desk.address.replace("0.0.0.0", "127.0.0.1")
        assert desk.request("/", Host="desk.example:99")[0] == 200
        assert desk.request("/", Host="other.example")[0] == 403


def test_a_port_that_is_asked_for_and_taken_is_an_error(desk):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}"), desk.shown(port=port):
            pass


def test_two_previews_at_once_have_a_port_each(tmp_path):
    with (
        listen("127.0.0.1", None, tmp_path, (), Board(), print) as one,
        listen("127.0.0.1", None, tmp_path, (), Board(), print) as other,
    ):
        assert 1313 <= one.server_port < other.server_port


def test_ctrl_c_ends_it_in_one_line_and_frees_the_port(desk):
    command = [sys.executable, "-m", "hdash_site", "serve", "--root", desk.site, "--source", desk.atlases]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests may have it ignored, which is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    lines = iter(process.stdout.readline, "")
    line = next(line for line in lines if line.startswith("preview"))
    address = line.split()[1]
    port = int(address.strip("/").rpartition(":")[2])
    assert port >= 1313
    desk.address = address
    assert events(desk, 1)
    second = socket.create_connection(("127.0.0.1", port))  # a tab that stays open
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=PATIENCE)
    second.close()
    assert (out, said, process.returncode) == ("", "stopped\n", 0)
    with socket.create_server(("127.0.0.1", port)):
        pass
    app.build(Options(desk.site, desk.atlases))  # and the state is free
