"""Files of `content/data/` in layouts."""

from __future__ import annotations

import pytest


def test_a_layout_reads_the_data_that_it_asks_for_and_no_other(site):
    site.write("layouts/team.mako", "${data.team['lead']} ${data.places[0]['name']}")
    site.article("team.md", matter='layout = "team"')
    site.write("content/data/team.toml", 'lead = "<Ada>"')
    site.write("content/data/places.csv", "name,land\nOslo,Norway\n")
    site.write("content/data/other.json", "{}")
    site.built()
    assert site.page("team") == "&lt;Ada&gt; Oslo\n"
    site.write("content/data/team.toml", 'lead = "Bob"')
    assert site.built() == {"data:team", "page:article/team.md"}
    site.write("content/data/other.json", "{")
    assert site.built() == set()


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("team.toml", "\nlead = \n", "content/data/team.toml, line 2: the file cannot be understood"),
        ("team.json", "{\n1}", "content/data/team.json, line 2: the file cannot be understood"),
        ("team.csv", "a,b\n1,2,3\n", "content/data/team.csv, line 2: the file cannot be understood"),
        (
            "other.toml",
            "",
            "layouts/team.mako, line 1: the layout fails (AttributeError: there is no content/data",
        ),
    ],
)
def test_data_that_cannot_be_read_is_one_line(site, name, text, says):
    site.write("layouts/team.mako", "${data.team}")
    site.article("team.md", matter='layout = "team"')
    site.write(f"content/data/{name}", text)
    assert says in site.problems()
