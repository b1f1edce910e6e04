"""The page of the data model says what the checks go by."""

from __future__ import annotations

import pytest

from hdash_site.htan.components import catalogue
from tests import worlds


@pytest.fixture
def site(tmp_path):
    return worlds.site_folder(tmp_path / "site")


def test_every_component_is_in_it_once_with_its_ids(site, tmp_path):
    atlases = worlds.small(tmp_path / "atlases", "HTA1").folder
    assert worlds.build(site, atlases).problems == []
    text = (site / "public/data-model/index.html").read_text()
    for one in catalogue():
        parents = " and ".join(filter(None, (one.parent_id, one.second_parent_id))) or "–"
        row = f"<td><code>{one.name}</code></td><td>{one.primary_id or '–'}</td><td>{parents}</td>"
        assert text.count(row) == 1, one.name
    assert f"knows {len(catalogue())} components" in text


def test_a_component_of_the_site_is_in_it_and_its_name_is_text(site, tmp_path):
    atlases = worlds.small(tmp_path / "atlases", "HTA1").folder
    worlds.build(site, atlases)
    path = site / "site.toml"
    path.write_text(
        path.read_text() + '[[component]]\nname = "Astrology"\nlabel = "<b>Stars"\nkind = "clinical"\n'
    )
    worlds.build(site, atlases)
    text = (site / "public/data-model/index.html").read_text()
    assert '<th scope="row">&lt;b&gt;Stars</th><td><code>Astrology</code></td>' in text
