"""Sections with their feeds, articles before and after, and tags."""

from __future__ import annotations

from xml.etree import ElementTree


def feed(site, path):
    return ElementTree.fromstring((site.folder / "public" / path).read_text())


def test_an_article_leads_to_those_before_and_after_it_in_its_section(site):
    for day in (1, 2, 3):
        site.article(f"news/n{day}.md", matter=f"date = 2026-07-0{day}")
    site.built()
    page = site.page("news/n2")
    assert '<a href="../../news/n3/" rel="prev">← Title of news/n3.md</a>' in page
    assert '<a href="../../news/n1/" rel="next">Title of news/n1.md →</a>' in page
    assert 'rel="prev"' not in site.page("news/n3")
    assert 'rel="next"' not in site.page("about")


def test_a_title_is_made_anew_where_it_is_shown_and_nowhere_else(site):
    for day in (1, 2, 3, 4):
        site.article(f"news/n{day}.md", matter=f"date = 2026-07-0{day}")
    site.article("other/o.md")
    site.built()
    site.write("content/news/n1.md", '+++\ntitle = "New"\ndate = 2026-07-01\n+++\nWords.\n')
    ran = {name.removeprefix("page:") for name in site.built() if name.startswith("page:")}
    assert ran == {
        "article/news/n1.md",
        "article/news/n2.md",
        "section/news/_index.md",
        "feed/news/_index.md",
        "sitemap/",
        "search/",
    }


def test_a_section_has_a_feed_that_its_page_names(site):
    site.article("news/_index.md")
    matter = 'description = "</title>"\ndate = 2026-07-01'
    site.write("content/news/a.md", f'+++\ntitle = "<b> & \\u0000"\n{matter}\n+++\nWords.\n')
    site.built()
    assert (
        '<link rel="alternate" type="application/rss+xml" title="Title of news/_index.md" href="index.xml">'
        in (site.page("news"))
    )
    [item] = feed(site, "news/index.xml").findall("channel/item")
    assert item.findtext("title") == "<b> & \N{REPLACEMENT CHARACTER}"
    assert item.findtext("link") == "https://example.org/news/a/"
    assert item.findtext("pubDate") == "Wed, 01 Jul 2026 00:00:00 +0000"
    assert item.findtext("description") == "</title>"


FORBIDDEN = [*(set(range(0x20)) - {0x9, 0xA, 0xD}), 0xFFFE, 0xFFFF]
"""Characters that XML 1.0 forbids, and that front matter can hold."""


def test_no_character_that_xml_forbids_reaches_a_feed_or_the_sitemap(site):
    escaped = "".join(f"\\u{code:04x}" for code in FORBIDDEN)
    matter = f'title = "a{escaped}b"\ndescription = "c{escaped}d"\ndate = 2026-07-01'
    site.write("site.toml", f'title = "T{escaped}"\nbase_url = "https://example.org/"\n')
    site.write("content/news/a.md", f"+++\n{matter}\n+++\nWords.\n")
    site.article("news/_index.md")
    project = site.atlases.atlas("HTA\x01\ufffe9", name="n" + "".join(map(chr, FORBIDDEN)))
    site.atlases.manifest(project, project, "Demo\x02\uffff", b"Component,HTAN Participant ID\nD,HTA9_1\n")
    site.atlases.save()
    site.build(today="2026-07-01")
    for path in ("news/index.xml", "changes/feed.xml", "sitemap.xml"):
        feed(site, path)
    [item] = feed(site, "news/index.xml").findall("channel/item")
    assert item.findtext("title") == f"a{chr(0xFFFD) * len(FORBIDDEN)}b"


def test_a_feed_of_a_site_without_address_has_relative_links_and_the_newest_articles(site):
    site.write("site.toml", 'title = "T"\n')
    for number in range(1, 41):
        site.article(f"news/n{number}.md", matter=f"date = 2026-01-01\nweight = {number}")
    site.built()
    links = [item.findtext("link") for item in feed(site, "news/index.xml").findall("channel/item")]
    assert links == [f"../news/n{number}/" for number in range(1, 31)]


def test_a_tag_has_a_page_with_its_articles(site):
    site.built()
    assert not site.has("tags")
    site.article("a.md", matter='tags = ["Sea", "C++", "<b>"]')
    site.article("b.md", matter='tags = ["Sea"]')
    site.article("c.md", matter='tags = ["Sea"]\ndraft = true')
    site.built()
    assert '<a href="sea/">Sea</a> <span class="small">2 articles</span>' in site.page("tags")
    assert '<a href="c-cedb1bac/">C++</a> <span class="small">1 article</span>' in site.page("tags")
    assert '<a href="../../a/">' in site.page("tags/sea")
    assert '<a href="../../c/">' not in site.page("tags/sea")
    assert '<a href="../tags/b-507ca5a2/">&lt;b&gt;</a>' in site.page("a")
    site.article("a.md")
    ran = site.built()
    assert "page:tag/sea" in ran
    assert "page:article/b.md" not in ran
    assert not site.has("tags/c-cedb1bac")


def test_an_atlas_or_an_article_does_not_take_the_place_of_the_tags(site):
    site.atlases.atlas("tags")
    site.atlases.save()
    site.article("tags.md", matter='tags = ["a"]')
    assert "the list of tags: the address /tags/ belongs to content/tags.md" in site.problems()
    assert site.has("tags-978c2f89/index.html")
    assert site.has("tags/a/index.html")


def test_a_page_keeps_its_address_when_a_new_page_claims_it(site):
    site.article("sea.md", "The sea.")
    site.built()
    site.article("land.md", "The land.", 'slug = "sea"')
    for _ in range(2):
        assert site.build().problems == [
            "content/land.md: the address /sea/ belongs to content/sea.md; give it an address of its own"
        ]
        assert "The sea." in site.page("sea")
    (site.folder / "content/sea.md").unlink()
    site.built()
    assert "The land." in site.page("sea")
    site.article("sea.md", "The sea.")
    assert "content/sea.md: the address /sea/ belongs to content/land.md" in site.problems()
