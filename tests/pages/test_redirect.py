"""Old addresses lead to new ones: on the page itself, and for a server that can do it before."""

from __future__ import annotations

import pytest

from hdash_site import app
from hdash_site.errors import ConfigError
from hdash_site.pages.site import remembered
from hdash_site.state.store import opened
from tests import worlds


@pytest.fixture
def site(tmp_path):
    return worlds.site_folder(tmp_path / "site")


@pytest.fixture
def build(tmp_path, site):
    atlases = worlds.small(tmp_path / "atlases", "HTA1")

    def run():
        return worlds.build(site, atlases.folder)

    return run


def redirect(site, old, new):
    path = site / "site.toml"
    path.write_text(f'{path.read_text()}\n[[redirect]]\nfrom = "{old}"\nto = "{new}"\n')


def test_a_redirect_is_a_page_that_leads_on_from_any_depth(site, build):
    redirect(site, "/old/deep/page", "/hta1/")
    redirect(site, "old.html", "https://example.org/elsewhere")
    assert build().problems == []
    page = (site / "public/old/deep/page/index.html").read_text()
    assert '<meta http-equiv="refresh" content="0; url=../../../hta1/">' in page
    assert "https://example.org/elsewhere" in (site / "public/old.html").read_text()
    with opened(site / "cache") as store:
        files = remembered(store)
    assert files["old/deep/page/index.html"].redirect == "hta1/"
    assert files["old.html"].redirect == "https://example.org/elsewhere"
    assert files["index.html"].redirect == ""
    assert set(files) == set(worlds.tree(site / "public"))


def test_an_alias_of_an_article_leads_to_it_and_follows_it(site, build):
    (site / "content/news.md").write_text('+++\ntitle = "News"\naliases = ["blog/"]\n+++\nText.\n')
    build()
    assert 'url=../news/"' in (site / "public/blog/index.html").read_text()
    (site / "content/news.md").write_text(
        '+++\ntitle = "News"\nslug = "today"\naliases = ["blog/"]\n+++\nText.\n'
    )
    build()
    assert 'url=../today/"' in (site / "public/blog/index.html").read_text()
    (site / "content/news.md").write_text(
        '+++\ntitle = "News"\ndraft = true\naliases = ["blog/"]\n+++\nText.\n'
    )
    build()
    assert not (site / "public/blog").exists()


def test_an_alias_that_is_a_page_already_is_said_and_the_page_stays(site, build):
    build()
    before = (site / "public/hta1/index.html").read_bytes()
    (site / "content/news.md").write_text('+++\ntitle = "News"\naliases = ["hta1/"]\n+++\nText.\n')
    result = build()
    assert result.exit_code == 1
    assert "content/news.md, aliases: the address /hta1/ belongs to atlas HTA1" in "\n".join(result.problems)
    assert (site / "public/hta1/index.html").read_bytes() == before


@pytest.mark.parametrize(
    "alias", ["../up", "a//b", "a b", "", "/", "x/../y", "http://x", "a.php", "ä b", "a\\nb"]
)
def test_an_alias_that_is_no_address_is_said(site, build, alias):
    (site / "content/news.md").write_text(f'+++\ntitle = "News"\naliases = ["{alias}"]\n+++\nText.\n')
    assert "is no address" in "\n".join(build().problems)


@pytest.mark.parametrize(
    ("old", "new"), [("../x", "hta1/"), ("x", "javascript:alert(1)"), ("x", "https://user@host/"), ("", "a")]
)
def test_a_redirect_that_cannot_be_is_refused(site, build, old, new):
    redirect(site, old, new)
    with pytest.raises(ConfigError, match=r"\[\[redirect\]\] number 1"):
        build()


def test_two_redirects_from_one_address_are_refused(site, build):
    redirect(site, "old", "hta1/")
    redirect(site, "/old/", "about/")
    with pytest.raises(ConfigError, match="two lead on from old/"):
        build()


def test_of_two_articles_with_one_alias_the_first_has_it(site, build):
    for name in ("a", "b"):
        (site / f"content/{name}.md").write_text(f'+++\ntitle = "{name}"\naliases = ["x/"]\n+++\nText.\n')
    assert "/x/ belongs to content/a.md, aliases" in "\n".join(build().problems)
    assert 'url=../a/"' in (site / "public/x/index.html").read_text()


def test_a_redirect_with_other_keys_or_a_route_that_cannot_be_is_refused(site, build):
    path = site / "site.toml"
    text = path.read_text()
    path.write_text(text + '\n[[redirect]]\nfrom = "x"\n')
    with pytest.raises(ConfigError, match="a redirect has from and to"):
        build()
    path.write_text(text + '\n[[deploy.route]]\npattern = "("\n')
    with pytest.raises(
        ConfigError, match=r"\[\[deploy.route\]\] number 1: the pattern is no regular expression"
    ):
        app.config_of(app.Options(site))
