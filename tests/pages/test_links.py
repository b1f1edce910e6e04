"""Symbolic links in content and layouts: followed within their folder, named where they are not."""

from __future__ import annotations

import os
import random
import shutil

import pytest

from hdash_site.app import Desk
from hdash_site.options import Options
from tests import worlds
from tests.pages.sites import png

LINKED = int(os.environ.get("SAVES", "60")) // 5
"""Random saves of files that are reached by links."""


def link(site, name, target):
    path = site.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def test_the_articles_of_a_linked_folder_have_an_address_below_the_link(site):
    site.article("real/c.md", "Of both.")
    link(site, "content/alias", "real")
    link(site, "content/single.md", "real/c.md")
    site.built()
    assert all("Of both." in site.page(page) for page in ("real/c", "alias/c", "single"))
    assert [problem for problem in site.review().problems if problem.severity == "error"] == []


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        (
            "content/guide",
            "../handbook",
            "leads outside content/; its files are left out; copy the folder to",
        ),
        ("content/one.md", "../handbook/b.md", "leads outside content/; the file is left out; copy the file"),
        ("content/real/loop", "..", "leads to a folder that contains it; its files are left out; remove"),
        ("content/gone.md", "nowhere.md", "the link leads nowhere; correct or remove the link"),
        ("layouts/more", "../handbook", "leads outside layouts/; its files are left out"),
    ],
)
def test_a_link_that_is_not_followed_is_named_in_one_line(site, name, target, said):
    site.write("handbook/b.md", '+++\ntitle = "B"\n+++\nSecret.\n')
    site.article("real/c.md")
    link(site, name, target)
    for _ in range(2):
        result = site.build()
        assert result.exit_code == 0
        [line] = result.problems
        assert line.startswith(f"{name}: ")
        assert said in line
    [line] = [str(problem) for problem in site.review().problems if problem.path == name]
    assert said in line
    assert not any(b"Secret." in data for data in worlds.tree(site.folder / "public").values())


def test_links_of_a_linked_folder_are_named_and_do_not_multiply(site):
    site.article("a/x.md")
    for number in range(4):
        link(site, f"content/a/more-{number}", f"../b{number}")
        site.article(f"b{number}/y.md")
    link(site, "content/again", "a")
    lines = site.build().problems
    assert len(lines) == 4
    assert all("content/again/more-" in line and "link in a linked folder" in line for line in lines)
    assert site.has("again/x/index.html")
    assert not site.has("again/more-0")


def test_assets_may_be_elsewhere_and_data_may_not(site):
    shutil.move(site.folder / "layouts/assets", site.folder / "brand")
    link(site, "layouts/assets", "../brand")
    site.write("shared/team.toml", 'lead = "Ada"\n')
    link(site, "content/data", "../shared")
    [line] = site.build().problems
    assert line.startswith("content/data: the link leads outside content/")
    assert any(path.startswith("assets/site.") for path in worlds.tree(site.folder / "public"))
    desk = Desk()
    desk.build(Options(site.folder, site.atlases.folder), ())
    site.write("brand/site.css", "body { order: 7 }\n")
    desk.build(Options(site.folder, offline=True), [site.folder / "brand/site.css"])
    assert worlds.tree(site.folder / "public") == worlds.clean_tree(site.folder, site.atlases.folder)


@pytest.fixture
def linked(site):
    """A site that is reached by a link, with links of all kinds in it."""
    site.write("site.toml", 'title = "T"\n')
    site.article("real/album/index.md", "![p](p.png)", 'tags = ["sea"]')
    site.write("content/real/album/p.png", png(10, 2))
    site.article("real/c.md", "Of c.")
    site.article("team.md", matter='layout = "team"')
    site.write("content/data/team.toml", 'lead = "Ada"\n')
    site.write("layouts/parts/team.mako", '<%inherit file="/base.mako"/>\n<p>${data.team["lead"]}</p>\n')
    link(site, "layouts/team.mako", "parts/team.mako")
    link(site, "layouts/assets/twin.css", "site.css")
    link(site, "content/alias", "real")
    link(site, "content/single.md", "real/c.md")
    link(site, "content/twice.md", "single.md")
    link(site, "content/data/crew.toml", "team.toml")
    shutil.move(site.folder / "content", site.folder.parent / "elsewhere")
    link(site, "content", "../elsewhere")
    (site.folder.parent / "way").symlink_to(site.folder)
    return site


def names_of(site, path):
    """The paths by which a program can save a file."""
    ways = [site.folder / path, site.folder.parent / "way" / path, (site.folder / path).resolve()]
    if path.startswith("content/"):
        ways.append(site.folder.parent / "elsewhere" / path.removeprefix("content/"))
    return ways


EDITS = {
    "an article": lambda site, n: ("content/real/c.md", f'+++\ntitle = "C{n % 2}"\n+++\nText {n}.\n'),
    "an article by its link": lambda site, n: ("content/alias/c.md", f'+++\ntitle = "C"\n+++\nLinked {n}.\n'),
    "a picture": lambda site, n: ("content/real/album/p.png", png(n + 1, 2)),
    "data": lambda site, n: ("content/data/team.toml", f'lead = "Ada {n}"\n'),
    "a layout": lambda site, n: (
        "layouts/parts/team.mako",
        f'<%inherit file="/base.mako"/>\n<p>${{data.crew["lead"]}} {n}</p>\n',
    ),
    "a style": lambda site, n: ("layouts/assets/site.css", f"body {{ order: {n} }}\n"),
    "a new article": lambda site, n: (f"content/real/new-{n}.md", f'+++\ntitle = "N"\n+++\nNew {n}.\n'),
    "a file instead of a link": lambda site, n: (
        "content/single.md",
        f'+++\ntitle = "S"\n+++\nSingle {n}.\n',
    ),
}


OTHERS = {
    "a link to another article": ("single.md", "team.md"),
    "a link to the first article": ("single.md", "real/c.md"),
    "a link of a folder to another": ("alias", "real/album"),
    "a link of a folder back": ("alias", "real"),
}


def retarget(site, name, target):
    path = site.folder / "content" / name
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return path


@pytest.mark.parametrize("seed", range(2))
def test_after_any_save_through_any_name_a_preview_is_what_a_clean_build_is(linked, seed):
    """Files are reached by links to files and folders, in linked folders and a linked site."""
    chosen = random.Random(seed)
    desks = {root: Desk() for root in (linked.folder, linked.folder.parent / "way")}
    root = chosen.choice(sorted(desks))
    desk = desks[root]
    desk.build(Options(root, linked.atlases.folder), ())
    for number in range(LINKED):
        edit = chosen.choice(sorted([*EDITS, *OTHERS]))
        if edit in EDITS:
            path, data = EDITS[edit](linked, number)
            if path == "content/single.md":
                (linked.folder / path).unlink()
            linked.write(path, data)
            saved = chosen.choice(names_of(linked, path))
        else:
            saved = retarget(linked, *OTHERS[edit])
        result = desk.build(Options(root, offline=True), [saved])
        assert result.problems == [], edit
        clean = worlds.clean_tree(linked.folder, linked.atlases.folder)
        assert worlds.tree(linked.folder / "public") == clean, (edit, saved)


def test_a_save_of_a_target_looks_at_its_links_and_at_nothing_else(linked):
    desk = Desk()
    desk.build(Options(linked.folder, linked.atlases.folder), ())
    linked.article("real/c.md", "Of c, anew.")
    ran = desk.build(Options(linked.folder, offline=True), [linked.folder / "content/real/c.md"]).ran
    made = {str(event.key) for event in ran}
    articles = {f"article:{path}" for path in ("real/c.md", "alias/c.md", "single.md", "twice.md")}
    assert made == articles | {name.replace("article:", "page:article/") for name in articles}
