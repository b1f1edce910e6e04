"""`public/` beside a preview: whatever another program did to it, the next save repairs all of it."""

from __future__ import annotations

import shutil

import pytest


def delete_all(public):
    shutil.rmtree(public)


def delete_a_folder(public):
    shutil.rmtree(public / "hta1")


def alter(public):
    for name in ("index.html", "hta1/index.html", "status.json"):
        (public / name).write_text("altered by another program")


def alter_to_the_same_size(public):
    path = public / "sitemap.xml"
    path.write_bytes(path.read_bytes()[::-1])


def lock_out(public):
    (public / "index.html").chmod(0o600)


def link_a_folder(public):
    (public / "hta1").rename(public.parent / "elsewhere")
    (public / "hta1").symlink_to(public.parent / "elsewhere")


def link_a_file(public):
    target = public.parent / "elsewhere"
    target.mkdir()
    (public / "hta1/index.html").rename(target / "index.html")
    (public / "hta1/index.html").symlink_to(target / "index.html")


@pytest.mark.parametrize(
    "harm",
    [delete_all, delete_a_folder, alter, alter_to_the_same_size, lock_out, link_a_folder, link_a_file],
)
def test_the_next_save_repairs_all_of_it_and_says_so_in_a_line(shown, harm):
    public = shown.site / "public"
    shown.quiet()
    harm(public)
    outside = {path: path.read_bytes() for path in (shown.site / "elsewhere").rglob("*.html")}
    shown.edit("content/about.md", "dashboard", "DASHBOARD")
    shown.wait(lambda: "DASHBOARD" in shown.get("/about/"))
    shown.is_exact()
    assert (public / "status.json").read_text().startswith("{")
    assert (public / "index.html").stat().st_mode & 0o777 == 0o644
    assert [path for path in public.rglob("*") if path.is_symlink()] == []
    assert outside == {path: path.read_bytes() for path in outside}
    notes = [note for built in shown.built for note in built.result.deployed.notes]
    assert sum("was altered by another program" in note for note in notes) == 1, notes


def test_where_nothing_was_altered_nothing_is_written_but_what_was_saved(shown):
    shown.quiet()
    for old, new in (("dashboard", "DASHBOARD"), ("DASHBOARD", "Dashboard")):
        shown.edit("content/about.md", old, new)
        shown.wait(lambda new=new: new in shown.get("/about/"))
    shown.quiet()
    for built in shown.built[-2:]:
        assert [path for path, _ in built.result.deployed.written] == ["about/index.html"]
        assert list(built.result.deployed.notes) == []
