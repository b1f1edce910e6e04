"""Names in addresses: of any text, safe as part of a path, and never another's concern."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hdash_site.artifact import address, is_address
from hdash_site.deploy.cloudfront import encoded
from hdash_site.pages.names import MOST_BYTES, folded, slug, tag_address, tag_key
from hdash_site.pages.route import OURS, Route, slugs

PIECES = st.sampled_from(
    [
        "größe",
        "GRÖSSE",
        "日本",
        "データ",
        "テータ",
        "हिन्दी",
        "C",
        "c",
        "++",
        "#",
        " ",
        "-",
        "_",
        "/",
        "..",
        "%2F",
        "e\u0301",
        "é",
        "\u202e",
        "\u200b",
        "con",
        "🎉",
        "a" * 130,
        "\ud800",
        "\0",
        "\u0301",
        "²",
        "İ",
        "ß",
    ]
)
TEXTS = st.lists(PIECES, max_size=5).map("".join) | st.text(max_size=30)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("größe", "größe"),
        ("Über uns", "über-uns"),
        ("日本", "日本"),
        ("データ", "データ"),
        ("हिन्दी", "हिन्दी"),
        ("cafe\u0301", "café"),
        ("2026-07 News!", "2026-07-news"),
        ("snake_case", "snake_case"),
    ],
)
def test_a_name_keeps_the_letters_of_every_script(text, name):
    assert unquote(slug(text)) == name


@pytest.mark.parametrize("text", ["con", "NUL", "com1", "lpt9", "", "...", "🎉", "a" * 300, "日" * 100])
def test_a_name_that_letters_cannot_make_has_a_digest(text):
    assert unquote(slug(text))[-9] == "-"
    assert slug(text) == slug(text.lower()) or text.lower() != text


@given(TEXTS)
@example("a" * 500)
@example("../../x")
@example("<script>")
def test_any_text_has_a_name_that_is_safe_in_a_path_and_in_a_link(text):
    for name in (slug(text), tag_address(text)):
        plain = unquote(name)
        assert name == quote(plain)
        assert 0 < len(plain.encode()) <= MOST_BYTES
        assert not set(plain) & set('/\\:*?"<>|%#.&=+ \0')
        assert plain == unicodedata.normalize("NFC", plain)
        assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Zs") for letter in plain)
        # Wherever the address is written, it leads to the same file.
        route = Route("article", text, f"news/{name}/", "", "")
        assert route.file == f"news/{plain}/index.html"
        assert unquote(encoded(f"/{route.file}")) == f"/{route.file}"
        assert is_address(route.url)
        assert address(route.url) == address(route.path) == route.url


@given(st.lists(TEXTS, min_size=1, max_size=6), TEXTS)
def test_a_tag_that_is_added_moves_no_other_and_no_two_tags_share_an_address(tags, new):
    addresses = {tag: tag_address(tag) for tag in tags}
    assert addresses == {tag: tag_address(tag) for tag in [new, *tags] if tag in addresses}
    by_address = {}
    for tag in [*tags, new]:
        by_address.setdefault(folded(unquote(tag_address(tag))), set()).add(tag_key(tag))
    assert all(len(keys) == 1 for keys in by_address.values())


@given(TEXTS)
def test_spellings_in_other_case_or_with_accents_are_one_tag(text):
    for other in (text.upper().lower(), unicodedata.normalize("NFD", text), f" {text} "):
        if text.isascii() or other.casefold() == text.casefold():
            assert tag_address(other) == tag_address(text)
    assert tag_address(tag_key(text)) == tag_address(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Café", "cafe"), ("GRÖSSE", "größe"), ("Ανάλυση", "αναλυση"), ("single cell", "Single-Cell")],
)
def test_these_are_one_tag(one, other):
    assert tag_address(one) == tag_address(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("バス", "パス"), ("数据", "データ"), ("C++", "C"), ("C#", "C++"), ("HER2+", "HER2-"), ("й", "и")],
)
def test_these_are_two_tags(one, other):
    assert tag_address(one) != tag_address(other)


def test_the_address_of_a_plain_tag_tells_it():
    assert [unquote(tag_address(tag)) for tag in ("Blue", "single cell", "COVID-19", "数据", "café")] == [
        "blue",
        "single-cell",
        "covid-19",
        "数据",
        "cafe",
    ]


@given(st.lists(TEXTS, unique=True, max_size=6))
def test_two_atlases_never_share_an_address_nor_one_of_the_site(atlases):
    addresses = slugs(atlases)
    assert len({folded(unquote(name)) for name in addresses.values()}) == len(atlases)
    assert not OURS & set(addresses.values())


def test_an_atlas_keeps_its_address_whatever_other_atlases_there_are():
    assert slugs(["HTA1", "HTA 2"]) == {"HTA1": "hta1", "HTA 2": "hta-2"}
    assert slugs(["HTA/2", "HTA 2"])["HTA 2"] == "hta-2"


def test_paths_that_are_one_file_elsewhere_are_folded_into_one():
    assert folded("News/July/index.html") == folded("news/july/index.html")
    assert folded("gr\N{LATIN SMALL LETTER O WITH DIAERESIS}ße") == folded("GRO\u0308SSE")
    assert folded("a/b") != folded("a/c")
