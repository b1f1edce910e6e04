"""Markdown: what editors may write, what becomes of it, and that no text harms the site or stops a build."""

from __future__ import annotations

import random
import re
import time

import pytest

from hdash_site.pages import content, markup, metered
from hdash_site.pages.markup import converted
from tests import chance, hostile


def html(text, **more):
    return converted(text, **more).html


def test_tables_keep_their_alignment_without_a_style():
    made = html("| a | b |\n|--:|:-:|\n| 1 | 2 |\n")
    assert '<td class="right">1</td>' in made
    assert '<td class="center">2</td>' in made
    assert "style" not in made


def test_footnotes_definitions_and_admonitions():
    made = html("Word[^1]\n\n[^1]: The note.\n\nTerm\n:   What it means.\n\n!!! warning\n    Take care.\n")
    assert 'href="#fn:1"' in made
    assert 'id="fn:1"' in made
    assert "<dt>Term</dt>\n<dd>What it means.</dd>" in made
    assert '<div class="admonition warning">\n<p class="admonition-title">Warning</p>' in made


def test_code_is_highlighted_by_classes_and_can_be_scrolled_with_keys():
    made = html('```python\nprint("<b>")\n```\n')
    assert '<span class="nb">print</span>' in made
    assert '<pre tabindex="0">' in made
    assert "&lt;b&gt;" in made
    assert "<code>no such language" in html("```nonsense\nno such language\n```\n")


def test_headings_have_links_and_make_a_table_of_contents():
    made = converted("## One & *two*\n\n### Inner\n\n## One & *two*\n\n## Content\n\n## ...\n")
    assert '<a aria-label="Link to: One &amp; two" class="anchor" href="#one-two">#</a>' in made.html
    assert [(one["id"], one["text"]) for one in made.contents] == [
        ("one-two", "One & two"),
        ("one-two_1", "One & two"),
        ("content-1", "Content"),
        ("section", "..."),
    ]
    assert made.contents[0]["children"] == [{"id": "inner", "text": "Inner", "children": []}]


def test_html_is_sanitised_unless_the_site_allows_it():
    text = (
        '<details open><summary>More</summary><kbd onclick="x()">K</kbd></details>\n\n<script>x()</script>\n'
    )
    made = html(text)
    assert "<details open" in made
    assert "<kbd>K</kbd>" in made
    assert "x()" not in made
    assert "<script>x()</script>" in html(text, raw_html=True)


@pytest.mark.parametrize(
    "text",
    [
        "<a href='javascript:x()'>a</a>",
        "<a href=' java&#9;script:x()'>a</a>",
        "[a](javascript:x())",
        "[a](&#106;avascript:x())",
        "<img src=x onerror=x()>",
        "<svg><script>x()</script></svg>",
        "<p style='background:url(x)' onmouseover=x()>a</p>",
        "<iframe src='https://example.org'></iframe>",
        "<form action='x()'><button formaction='x()'>a</button></form>",
        "<math><mtext><table><mglyph><style><img src=x onerror=x()>",
        "<noscript><p title='</noscript><img src=x onerror=x()>'>",
        "<base href='https://evil.example'><meta http-equiv=refresh content='0;url=x()'>",
        "```html\n<script>x()</script>\n```",
    ],
)
def test_nothing_in_a_text_can_run(text):
    tags = "".join(re.findall(r"<[^>]*>", html(text)))
    assert not re.search(r"script|onerror|onmouse|style|iframe|form|base|meta|javascript", tags)


def test_an_id_of_the_page_itself_cannot_be_taken():
    assert html('<p id="content">a</p><p id="mine">b</p>') == '<p>a</p>\n<p id="mine">b</p>'


def test_chance_bytes_as_markdown_are_a_page_or_a_problem_and_take_no_time():
    luck = random.Random(7)
    pieces = [
        b"<",
        b">",
        b"</",
        b"<!",
        b"<![CDATA[",
        b"<?",
        b"&#",
        b"`",
        b"```",
        b"~~~",
        b"*",
        b"**",
        b"_",
        b"[",
        b"]",
    ]
    pieces += [
        b"](",
        b")",
        b"![",
        b"[^1]",
        b"[^1]: ",
        b"\n: ",
        b"!!! a\n    ",
        b"| a |\n|---|\n",
        b"> ",
        b"- ",
        b"1. ",
    ]
    pieces += [
        b"\n",
        b"\n\n",
        b"    ",
        b"# ",
        b"\\",
        b"\x02",
        b"\x03",
        b"\0",
        b"<div>",
        b"<script>",
        b"--",
        b"=\n",
    ]
    for _ in range(chance.TEXTS):
        body = chance.mixed(luck, pieces, 0.8, 12, 60)
        body = body if luck.random() < 0.2 else body.decode("utf-8", "replace").encode()
        began = time.monotonic()
        parts = content.parts("x.md", b'+++\ntitle = "A"\n+++\n' + body)
        assert time.monotonic() - began < 2, body
        assert len(parts.keys() & {"body", "calls", "problem"}) == 1
        tags = b"".join(re.findall(rb"<[^>]*>", parts.get("body") or parts.get("calls") or b""))
        assert b"<script" not in tags


def mixed_markdown(seed):
    """Give texts that mix what markdown knows."""
    luck = random.Random(seed)
    # Between strokes, so that one sees them side by side.
    pieces = r"""
        a b§`c`§\[§[a](b)§[r]§[r][r]§[r]: c\n§![p](https://a.b)§![r]§![r][r]§<https://a.b>
        <a@b.c>§<b>§<!-- a -->
        </>§<§!§[^1]§[^1]: d\n§&amp;§&§a  \nb§\t\nb§**e**§*§__f__§_§# h #\n§- i§> j§| k |§\n§\n\n§ §\2§\3
        [TOC]§\n\n[TOC]\n\n§[TO§C]§[§]§:§(§!!! note§!!!§    i§\t§Term\n:   d§:\td§: §```\nc\n```\n
        | a | b |\n|---|---|\n| 1 | 2 |§1. o§===§---
    """
    pieces = [piece.replace(r"\n", "\n").replace(r"\t", "\t") for piece in re.split("\n *|§", pieces)]
    pieces = [piece.replace(r"\2", "\2").replace(r"\3", "\3") for piece in pieces]
    return [
        "".join(luck.choices(luck.sample(pieces, luck.randrange(1, 6)), k=luck.randrange(1, 14)))
        for _ in range(chance.TEXTS)
    ]


def made_of(texts):
    return [content.parts("x.md", hostile.article(text)) for text in texts]


def test_no_pattern_is_missed_that_a_text_does_not_seem_to_hold(monkeypatch):
    texts = mixed_markdown(9)
    quick = made_of(texts)
    monkeypatch.setattr(markup, "_CUTS", ("",))
    monkeypatch.setattr(markup._idle, "engines", [])
    assert made_of(texts) == quick


def test_counting_steps_changes_nothing_of_what_an_article_becomes(monkeypatch):
    texts = [*mixed_markdown(11), "\n\n".join(mixed_markdown(12)[:100])]
    counted = made_of(texts)
    monkeypatch.setattr(metered, "meter", lambda engine: None)
    monkeypatch.setattr(markup._idle, "engines", [])
    assert made_of(texts) == counted
    monkeypatch.setattr(markup._idle, "engines", [])


def test_brackets_without_number_are_said_instead_of_taking_for_ever():
    for text in ("[" * 50_000, "![a" * 50_000):
        assert b"never closed" in content.parts("x.md", hostile.article(text))["problem"]
    assert "body" in content.parts("x.md", hostile.article("[a](b) " * 5_000))


@pytest.mark.parametrize("text", [">" * 20_000, "<b>" * 20_000, "* " * 20_000, "`" * 20_000])
def test_what_is_nested_without_end_ends(text):
    began = time.monotonic()
    assert content.parts("x.md", f'+++\ntitle = "A"\n+++\n{text}'.encode())
    assert time.monotonic() - began < 10


def test_the_layout_shows_the_contents_of_a_long_article(site):
    site.article("long.md", "## One\n\n### Half\n\n## Two\n\n## Three\n")
    site.article("short.md", "## One\n\n## Two\n")
    site.built()
    assert '<nav class="contents" aria-label="On this page">' in site.page("long")
    assert '<a href="#half">Half</a>' in site.page("long")
    assert "On this page" not in site.page("short")


def test_only_articles_read_whether_html_is_allowed(site):
    site.article("html.md", "<p onclick='x()'>a</p>")
    site.built()
    assert "onclick" not in site.page("html")
    settings = (site.folder / "site.toml").read_text()
    site.write("site.toml", f"{settings}\n[content]\nraw_html = true\n")
    ran = site.built()
    assert "onclick" in site.page("html")
    assert {name for name in ran if name.startswith("page:")} == {"page:article/html.md"}
