"""Front matter in TOML and YAML: what it says, what is wrong with it, and the days that pass."""

from __future__ import annotations

import contextlib
import random
import time

import pytest

from hdash_site.errors import ContentError
from hdash_site.pages import matter
from tests import chance

TOML = """+++
title = "Trip"
description = "Where we went."
date = 2026-07-01
publish_date = 2026-07-02
expiry_date = 2026-08-01T12:00:00Z
weight = 3
menu = true
tags = ["travel", "sea ", "travel"]
aliases = ["old/trip/"]
layout = "wide"
[params]
colour = "blue"
day = 2026-01-01
+++
Words.
"""

YAML = """---
title: Trip
description: Where we went.
date: 2026-07-01
publish_date: 2026-07-02
expiry_date: 2026-08-01T12:00:00Z
weight: 3
menu: true
tags:
  - travel
  - "sea "
  - travel
aliases: [old/trip/]
layout: wide
params:
  colour: blue
  day: 2026-01-01
---
Words.
"""


def read(text):
    return matter.split("x.md", text.encode() if isinstance(text, str) else text)


def wrong(text):
    with pytest.raises(ContentError) as caught:
        read(text)
    return str(caught.value)


def test_the_menu_may_name_an_article_in_other_words():
    for said, means in (("true", True), ("false", False), ('" Guide "', "Guide"), ('" "', "")):
        assert read(f'+++\ntitle = "T"\nmenu = {said}\n+++\n')[0]["menu"] == means
    assert "line 3: menu must be a text, or true or false" in wrong('+++\ntitle = "T"\nmenu = 3\n+++\n')


def test_toml_and_yaml_say_the_same():
    one, body, line = read(TOML)
    assert (one, body) == read(YAML)[:2]
    assert (body, line) == ("Words.\n", 16)
    assert one["tags"] == ["travel", "sea"]
    assert (one["date"], one["publish_date"], one["expiry_date"]) == (
        "2026-07-01",
        "2026-07-02",
        "2026-08-01",
    )
    assert one["params"] == {"colour": "blue", "day": "2026-01-01"}


def test_what_is_not_said_has_its_default():
    found, body, _ = read('---\r\ntitle: "A"\r\n---\r\nB')
    assert (found["tags"], found["params"], found["draft"], found["expiry_date"]) == ([], {}, False, "")
    assert body == "B"


def test_a_summary_is_a_description():
    for key in ("summary", "description"):
        found = read(f'+++\ntitle = "A"\n{key} = "B"\n+++\n')[0]
        assert found["summary"] == found["description"] == "B"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Words.", "line 1: there is no front matter"),
        ("---\ntitle: A\n", "line 1: the front matter has no end; close it with a line ---"),
        ('+++\ntitle = "A"\n---\n', "line 1: the front matter has no end; close it with"),
        ('+++\ntitle = "A"\nx = \n+++\n', "line 3: TOML: Invalid"),
        ("---\ntitle: A\nb: [\n---\n", "line 4: YAML:"),
        ("---\n- title\n---\n", "line 2: the front matter is no list of keys and values"),
        ("---\ntitle: A\ntgas: [b]\n---\n", 'line 3: "tgas" says nothing here; do you mean'),
        ("---\ntitle: A\n12: b\n---\n", 'line 3: "12" says nothing here'),
        ("---\ntitle: 5\n---\n", "line 2: title must be a text; it is 5 now"),
        ("---\nweight: 5\n---\n", "line 2: the article has no title"),
        ("---\ntitle: A\nweight: true\n---\n", "line 3: weight must be a whole number"),
        ("---\ntitle: A\ndate: soon\n---\n", "line 3: date must be a date; it is 'soon' now"),
        ("---\ntitle: A\ndate: 2026-13-01\n---\n", "line 3: YAML: month must"),
        ("---\ntitle: A\n\ntags: [1]\n---\n", "line 4: tags must be a list of texts"),
        ("---\ntitle: A\ntags: ['']\n---\n", "line 3: a tag is empty"),
        ("---\ntitle: A\nlayout: ../x\n---\n", "line 3: '../x' is no name of a layout"),
        ("---\ntitle: A\nparams: {1: 2}\n---\n", "line 3: params has a key that is no text"),
        ("---\ntitle: &a A\nsummary: *a\n---\n", "line 3: YAML: aliases"),
        ("---\ntitle: !!python/name:os.system A\n---\n", "line 2: YAML: aliases"),
        ("---\ntitle: A\nb: \x01\n---\n", "line 3: YAML: there is a"),
        ("---\ntitle: A\nweight: " + "9" * 5000 + "\n---\n", "line 3: YAML: a number has too many digits"),
        ("---\ntitle: A\nparams: " + "[" * 5000 + "\n---\n", "line 3: YAML: it is nested"),
        ('+++\ntitle = "A"\nweight = ' + "9" * 5000 + "\n+++\n", "line 3: TOML: a number has too many"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_file_and_line(text, says):
    assert f"content/x.md, {says}" in wrong(text).replace("the front matter is not ", "")
    assert "\n" not in wrong(text)


def test_yaml_that_would_fill_the_memory_is_refused_at_once():
    levels = "".join(f"  a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(30))
    began = time.monotonic()
    assert "aliases" in wrong(f"---\ntitle: A\nparams:\n  a0: &a0 x\n{levels}---\n")
    assert time.monotonic() - began < 1


def test_chance_bytes_are_an_error_or_front_matter_and_never_a_traceback():
    luck = random.Random(5)
    pieces = [
        b"title: ",
        b'title = "',
        b"\n",
        b": ",
        b"- ",
        b"[",
        b"]",
        b"{",
        b"}",
        b"&a ",
        b"*a",
        b"!!",
        b"'",
    ]
    pieces += [
        b'"',
        b"|\n",
        b"2026-01-01",
        b"0x",
        b"0b_",
        b"1:2:3",
        b".inf",
        b"<<: ",
        b"? ",
        b"=",
        b"\xff",
        b"\0",
    ]
    for _ in range(chance.TEXTS):
        middle = chance.mixed(luck, pieces, 0.7, 9, 40)
        fence = luck.choice([b"---", b"+++"])
        title = b"title: A\n" if fence == b"---" else b'title = "A"\n'
        began = time.monotonic()
        with contextlib.suppress(ContentError):
            read(fence + b"\n" + luck.choice([title, b""]) + middle + b"\n" + fence + b"\n")
        assert time.monotonic() - began < 2


def test_an_article_is_there_from_its_first_day_to_its_last(site):
    site.article("fair.md", matter='publish_date = 2026-07-01\nexpiry_date = 2026-07-03\naliases = ["old/"]')
    there = []
    for day in ("2026-06-30", "2026-07-01", "2026-07-02", "2026-07-03", "2026-07-04"):
        site.built(today=day)
        assert site.has("fair/index.html") == site.has("old/index.html")
        there.append(site.has("fair/index.html"))
    assert there == [False, True, True, True, False]


def test_a_day_on_which_nothing_begins_runs_nothing(site):
    site.article("notes/fair.md", matter="publish_date = 2026-07-01\nexpiry_date = 9999-12-31")
    site.built(today="2026-05-01")
    assert site.built(today="2026-06-30") == set()
    ran = site.built(today="2026-07-01")
    assert "page:article/notes/fair.md" in ran
    assert "page:article/about.md" not in ran
    assert "Title of notes/fair.md" in site.page("notes")
    assert site.built(today="2026-12-01") == set()


def test_an_article_may_have_a_layout_of_its_own_which_sees_its_params(site):
    site.write("layouts/wide.mako", '<p class="wide">${matter["params"]["colour"]}</p>\n${body}')
    site.article("fair.md", matter='layout = "wide"\n[params]\ncolour = "<blue>"')
    site.built()
    assert '<p class="wide">&lt;blue&gt;</p>' in site.page("fair")
    site.article("fair.md", matter='layout = "broad"')
    assert "layouts/broad.mako: there is no such layout" in site.problems()
