"""How figures and strangers' text are written."""

from __future__ import annotations

import pytest

from hdash_site.pages.figures import count, moment, percent, plural, raw, shown, size, synapse


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, "–"),
        (0, 9, "0%"),
        (9, 9, "100%"),
        (1, 2, "50.0%"),
        (1, 10**6, "0.1%"),
        (10**6 - 1, 10**6, "99.9%"),
    ],
)
def test_a_share_is_all_or_nothing_only_if_it_is(part, whole, said):
    assert percent(part, whole) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (123_456_789, "123 MB"),
        (10**18, "1,000 PB"),
    ],
)
def test_bytes_are_in_units_of_a_thousand(number, said):
    assert size(number) == said


def test_numbers_and_words_agree():
    assert (plural(1, "error"), plural(2, "error"), count(12345)) == ("1 error", "2 errors", "12,345")


def test_text_is_escaped_and_what_cannot_be_seen_is_made_visible():
    assert shown("<b>&\"'") == "&lt;b&gt;&amp;&#34;&#39;"
    assert shown("a\u202eb\0c") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert shown(raw("<b>")) == "<b>"
    assert shown(7) == "7"


@pytest.mark.parametrize("text", ["syn", "syn1x", "javascript:alert(1)", "syn1/../x", "", "syn1\n"])
def test_only_a_synapse_id_becomes_a_link(text):
    assert synapse(text) == ""
    assert synapse("syn12") == "https://www.synapse.org/Synapse:syn12"


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (1_700_000_000_000, '<time datetime="2023-11-14T22:13:20Z">14 Nov 2023, 22:13 GMT</time>'),
        (1_000, '<time datetime="1970-01-01T00:00:01Z">1 Jan 1970, 00:00 GMT</time>'),
        (0, ""),
        (10**30, ""),
        (-(10**18), ""),
    ],
)
def test_a_moment_is_in_gmt_and_one_that_cannot_be_is_none(milliseconds, written):
    assert moment(milliseconds) == written
