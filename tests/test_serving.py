"""How files are served: types, how long they are kept, what is compressed."""

from __future__ import annotations

import gzip
import random

import pytest

from hdash_site import serving
from hdash_site.serving import ASK_FIRST, FOR_EVER, body_of

CSS = {"pattern": r".*\.css", "cache_control": "no-store"}


@pytest.mark.parametrize(
    ("path", "content_type", "cache_control", "compress"),
    [
        ("index.html", "text/html; charset=utf-8", ASK_FIRST, True),
        ("assets/site.0123.css", "text/css; charset=utf-8", FOR_EVER, True),
        ("hta1/network.sif", "text/plain; charset=utf-8", ASK_FIRST, False),
        ("hta1/findings.csv", "text/csv; charset=utf-8", ASK_FIRST, False),
        ("status.json", "application/json", ASK_FIRST, True),
        ("what.ever", "application/octet-stream", ASK_FIRST, False),
    ],
)
def test_every_file_has_a_type_and_a_time(path, content_type, cache_control, compress):
    assert serving.serving(path, ()) == (content_type, cache_control, compress, "")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("a.woff", "font/woff"),
        ("a.avif", "image/avif"),
        ("a.JPG", "image/jpeg"),
        ("a.Html", "text/html; charset=utf-8"),
        ("a.ics", "text/calendar; charset=utf-8"),
        ("a.map", "application/json"),
        ("a.webmanifest", "application/manifest+json"),
        ("a.csv.gz", "application/gzip"),
        ("a", "application/octet-stream"),
    ],
)
def test_types_come_from_one_table_whatever_the_case_of_the_ending(path, content_type, monkeypatch):
    monkeypatch.setattr("mimetypes.guess_type", lambda *asked: ("text/wrong", None))
    assert serving.serving(path, ()).content_type == content_type


def test_a_script_in_capitals_is_compressed_like_any_other():
    assert serving.serving("A.MJS", ()).compress


def test_the_first_route_that_says_something_counts_for_that():
    routes = [CSS, {"pattern": "assets/.*", "cache_control": "x", "compress": False}]
    found = serving.serving("assets/site.css", routes)
    assert (found.cache_control, found.compress, found.content_type) == (
        "no-store",
        False,
        "text/css; charset=utf-8",
    )
    assert serving.serving("site.css.html", routes) == serving.serving("site.css.html", ())


def test_the_mark_tells_whatever_differs():
    ways = [
        serving.serving("a.html", ()),
        serving.serving("a.css", ()),
        serving.serving("a.html", [{"pattern": ".*", "cache_control": "x"}]),
        serving.serving("a.html", [{"pattern": ".*", "compress": False}]),
        serving.serving("a.html", (), "/b/"),
    ]
    assert len({way.mark() for way in ways}) == len(ways)


def test_bodies_are_compressed_where_that_pays_and_always_alike():
    how = serving.serving("a.html", ())
    large = b"<p>text</p>" * 1000
    packed, encoding = body_of(large, how)
    assert encoding == "gzip"
    assert gzip.decompress(packed) == large
    assert body_of(large, how)[0] == packed
    assert body_of(b"short", how) == (b"short", "")
    dense = random.Random(1).randbytes(2000)
    assert body_of(dense, how) == (dense, "")
    assert body_of(large, how._replace(compress=False)) == (large, "")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "needs a pattern"),
        ({"pattern": "("}, "no regular expression"),
        ({"pattern": ".*", "cach_control": "x"}, '"cach_control" says nothing here'),
        ({"pattern": ".*", "compress": "yes"}, "compress cannot be 'yes'"),
        ({"pattern": ".*", "cache_control": "a\nb"}, "cache_control cannot be"),
        ({"pattern": ".*", "content_type": ""}, "content_type cannot be ''"),
        ({"pattern": ".*", "content_type": "text/é"}, "content_type cannot be"),
    ],
)
def test_a_route_that_says_what_it_cannot_is_refused(table, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        serving.check(table)
