"""A preview of a site whose files are reached by links: a save of the target shows on every page."""

from __future__ import annotations

import shutil

from tests import worlds
from tests.serve.conftest import Desk

ARTICLE = '+++\ntitle = "C"\n+++\n{}\n'


def test_a_save_of_a_file_shows_on_every_page_that_is_made_of_it(tmp_path):
    desk = Desk(tmp_path)
    desk.save("content/real/c.md", ARTICLE.format("Words."))
    (desk.site / "content/alias").symlink_to("real")
    (desk.site / "content/single.md").symlink_to("real/c.md")
    shutil.move(desk.site / "content", tmp_path / "elsewhere")
    (desk.site / "content").symlink_to("../elsewhere")
    (tmp_path / "way").symlink_to(desk.site)
    real, desk.site = desk.site, tmp_path / "way"
    pages = ("/real/c/", "/alias/c/", "/single/")
    with desk.shown():
        for number, name in enumerate(
            ("elsewhere/real/c.md", "way/content/alias/c.md", "site/content/single.md")
        ):
            (tmp_path / name).write_text(ARTICLE.format(f"Text {number}."))
            for page in pages:
                desk.wait(lambda page=page, number=number: f"Text {number}." in desk.get(page))
        (tmp_path / "elsewhere/real/new.md").write_text(ARTICLE.format("A new one."))
        desk.wait(lambda: "A new one." in desk.get("/alias/new/"))
        assert worlds.tree(real / "public") == desk.clean_tree()
