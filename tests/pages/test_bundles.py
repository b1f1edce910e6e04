"""Articles in a folder of their own, with pictures and tables beside them."""

from __future__ import annotations

import pytest

from tests.pages.sites import png


def test_a_picture_is_published_beside_its_page_with_its_size(site):
    site.article("news/_index.md")
    site.article("news/trip/index.md", "![Us](us.png) ![Us again](small/us%2D2.png)")
    site.write("content/news/trip/us.png", png(40, 30))
    site.write("content/news/trip/small/us-2.png", png(4, 3))
    site.write("content/news/trip/data.csv", "a,b\n")
    site.write("content/news/trip/evil.html", "<script>")
    site.write("content/news/trip/.hidden.png", png(1, 1))
    site.built()
    page = site.page("news/trip")
    assert '<img alt="Us" decoding="async" height="30" loading="lazy" src="us.png" width="40">' in page
    assert 'height="3" loading="lazy" src="small/us%2D2.png" width="4"' in page
    assert (site.folder / "public/news/trip/us.png").read_bytes() == png(40, 30)
    assert site.has("news/trip/small/us-2.png")
    assert site.has("news/trip/data.csv")
    assert not site.has("news/trip/evil.html")
    assert not site.has("news/trip/.hidden.png")
    assert '<a href="../news/trip/">Title of news/trip/index.md</a>' in site.page("news")


def test_a_section_has_pictures_too_and_a_slug_moves_them_with_the_page(site):
    site.article("news/_index.md", "![Us](us.png)")
    site.article("news/trip/index.md", "![Us](us.png)", 'slug = "journey"')
    for folder in ("news", "news/trip"):
        site.write(f"content/{folder}/us.png", png(4, 3))
    site.built()
    assert site.has("news/us.png")
    assert site.has("news/journey/us.png")
    assert not site.has("news/trip")


def test_what_lies_beside_a_draft_is_not_published(site):
    site.article("news/trip/index.md", matter="draft = true")
    site.write("content/news/trip/us.png", png(4, 3))
    site.built()
    assert not site.has("news/trip/us.png")


def test_a_picture_that_changes_within_its_size_leaves_its_article_alone(site):
    site.article("trip/index.md", "![Us](us.png)")
    site.write("content/trip/us.png", png(4, 3))
    site.built()
    site.write("content/trip/us.png", png(4, 3, shade=9))
    assert site.built() == {"picture:trip/us.png", "page:resource/trip/us.png"}
    site.write("content/trip/us.png", png(5, 3))
    assert "page:article/trip/index.md" in site.built()


@pytest.mark.parametrize(
    ("path", "target", "says"),
    [
        ("trip/index.md", "no.png", "line 7: there is no picture 'no.png'; put it into content/trip/"),
        ("trip/index.md", "us.svg", "line 7: there is no picture 'us.svg'; give it a name of"),
        ("trip/index.md", "broken.png", "line 7: there is no picture 'broken.png'"),
        ("trip/index.md", "a/../us.png", "line 7: there is no picture 'a/../us.png'; give it a name of"),
        ("trip.md", "us.png", "line 7: there is no picture 'us.png'; move the article to trip/index.md"),
    ],
)
def test_a_picture_that_is_missing_is_said_with_its_line(site, path, target, says):
    site.write("content/trip/broken.png", b"\x89PNG")
    site.write("content/trip/us.svg", "<svg/>")
    site.article(path, f"Words.\n\n![Us]({target})")
    assert f"content/{path}, {says}" in site.problems()


@pytest.mark.parametrize("target", ["https://example.org/a.png", "../other/a.png", "/a.png", "#"])
def test_a_picture_from_elsewhere_is_left_as_it_is(site, target):
    site.article("trip.md", f"![Us]({target})")
    site.built()
    assert f'<img alt="Us" decoding="async" loading="lazy" src="{target}">' in site.page("trip")


def test_a_picture_that_is_written_as_a_tag_has_its_size_too(site):
    site.write("content/trip/us.png", png(40, 30))
    tags = (
        "<img src=us.png alt='a > b'>",
        '<img src="us.png" width="7">',
        '<img src="us.png" loading="eager">',
    )
    site.article("trip/index.md", "\n\n".join([*tags, '`<img src="no.png">`']))
    site.built()
    page = site.page("trip")
    assert '<img src="us.png" alt="a &gt; b" loading="lazy" decoding="async" width="40" height="30">' in page
    assert '<img src="us.png" width="7" loading="lazy" decoding="async">' in page
    assert '<img src="us.png" loading="eager">' in page


def test_a_picture_that_is_written_as_a_tag_must_be_there(site):
    site.article("trip/index.md", '<figure>\n<img src="no.png">\n</figure>')
    assert "there is no picture 'no.png'" in site.problems()


def test_a_tag_stays_as_it_is_written_where_html_is_allowed(site):
    site.write("site.toml", "[content]\nraw_html = true\n")
    site.article("trip.md", '<img src="no.png">')
    site.built()
    assert '<img src="no.png">' in site.page("trip")
