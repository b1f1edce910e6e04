"""The public address of a site, with or without a slash at its end, and what depends on it."""

from __future__ import annotations

import re

import pytest

from hdash_site import config
from hdash_site.errors import ConfigError
from tests import worlds


def base_url(folder, text):
    (folder / "site.toml").write_text(f'base_url = "{text}"\n')
    return config.read(folder, {}).base_url


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("https://example.org", "https://example.org/"),
        ("https://example.org/", "https://example.org/"),
        ("https://example.org/hdash", "https://example.org/hdash/"),
        (" https://example.org/hdash// ", "https://example.org/hdash/"),
        ("http://localhost:8000/a/b", "http://localhost:8000/a/b/"),
    ],
)
def test_a_final_slash_makes_no_difference(tmp_path, given, kept):
    assert base_url(tmp_path, given) == kept


@pytest.mark.parametrize(
    "given",
    [
        *("example.org/hdash", "/hdash/", "ftp://example.org/", "https://", "https://example.org:x/"),
        *("https://example.org/?a=b", "https://example.org/#top", "https://user:word@example.org/"),
        "https://example.org/a b",
    ],
)
def test_what_is_not_an_address_is_refused(tmp_path, given):
    with pytest.raises(ConfigError, match=r"base_url: .* is not an address of a site") as caught:
        base_url(tmp_path, given)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("end", ["", "/"])
def test_the_page_for_what_is_missing_loads_everything_from_below_the_base_url(tmp_path, end):
    site = worlds.site_folder(tmp_path / "site")
    (site / "site.toml").write_text(f'base_url = "https://example.org/hdash{end}"\n')
    worlds.build(site, worlds.small(tmp_path / "atlases", "HTA1").folder)
    page = (site / "public/404.html").read_text()
    links = re.findall(r'(?:href|src)="([^"#][^"]*)"', page)
    assert links
    assert {link[:7] for link in links if "://" not in link} == {"/hdash/"}
    assert "https://example.org/hdash/about/" in (site / "public/sitemap.xml").read_text()
