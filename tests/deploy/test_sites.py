"""What finds gaps in a site finds them."""

from __future__ import annotations

import pytest

from tests import worlds
from tests.deploy.sites import broken, links_to_nothing, site


def test_a_whole_site_has_no_gap_and_one_without_a_page_or_a_style_has():
    files = site(5)
    assert broken(files, {"index.html"}) == set()
    for gone in ("hta1/index.html", "hta1/m2/index.html", "assets/site.1.css"):
        assert {target for _, target in broken(files, {"index.html"})} == set()
        left = {path: data for path, data in files.items() if path != gone}
        assert {target for _, target in broken(left, {"index.html"})} == {gone}


@pytest.mark.parametrize("gone", ["hta1/index.html", "checks/index.html", "about/index.html"])
def test_a_gap_in_a_site_of_ours_is_found(tmp_path, gone):
    folder = worlds.site_folder(tmp_path / "site")
    worlds.build(folder, worlds.small(tmp_path / "atlases", "HTA1").folder)
    files = worlds.tree(folder / "public")
    assert links_to_nothing(files, {"index.html"}) == set()
    del files[gone]
    assert {target for _, target in links_to_nothing(files, {"index.html"})} == {gone}


def test_a_style_that_is_missing_is_found_on_any_page(tmp_path):
    folder = worlds.site_folder(tmp_path / "site")
    worlds.build(folder, worlds.small(tmp_path / "atlases", "HTA1").folder)
    files = worlds.tree(folder / "public")
    style = next(path for path in files if path.endswith(".css"))
    del files[style]
    assert {target for _, target in links_to_nothing(files, set())} == {style}
