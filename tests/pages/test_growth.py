"""Articles, data files and pictures: the time of each is in proportion to its size, whatever is in it."""

from __future__ import annotations

import functools
import json
import os
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdash_site.engine.model import Key
from hdash_site.errors import ContentError
from hdash_site.pages import content, data, lists, metered
from tests import chance, hostile

FULL = "CHANCE" in os.environ
"""Whether the proofs run in full (`make soak`)."""

LARGEST = 128_000 if FULL else 16_000
"""Characters of the largest article that is measured."""

_PARAGRAPH = (
    "Atlases hold the files of *many* centres, and each of them is described by a `row` of a manifest. "
    "More about it is in [the primer](https://example.org/primer), with **examples**.\n"
)
ORDINARY = f"## Part\n\n{_PARAGRAPH}\n- first, a list\n- a *second*\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"


def seconds(data):
    """Give the CPU time of an article, and what came of it."""
    began = time.process_time()
    parts = content.parts("x.md", data)
    return time.process_time() - began, parts


@functools.cache
def ordinary():
    """Give the CPU time that a character of an ordinary article takes."""
    body = ORDINARY * (100_000 // len(ORDINARY))
    return min(seconds(hostile.article(body))[0] for _ in range(4)) / len(body)


def assert_whole_or_refused(parts):
    """See that an article was made, or that one line says where it is wrong and what to do."""
    assert len(parts.keys() & {"body", "calls", "problem"}) == 1
    if "problem" in parts:
        problem, place, way_out = json.loads(parts["problem"])
        assert place.startswith("content/x.md, line ")
        assert problem
        assert way_out
        assert "Error" not in problem


SLACK = 80_000
"""A short article may take as long as an ordinary one that is longer by so many characters."""


def assert_in_proportion(make):
    """Measure n, 2n and 4n of a thing: the time grows like n, and is not far from that of ordinary text."""
    found = []
    for size in (LARGEST // 4, LARGEST // 2, LARGEST):
        body = hostile.sized(make, size)
        most = 12 * ordinary() * (len(body) + SLACK)
        taken, parts = seconds(hostile.article(body))
        if taken > most:  # other work may have had the caches of the processor
            taken = min(taken, seconds(hostile.article(body))[0])
        assert_whole_or_refused(parts)
        assert taken <= most, (size, taken)
        found.append(taken)
    assert found[-1] <= 7 * found[0] + 12 * ordinary() * SLACK, found


@pytest.mark.alone
@pytest.mark.parametrize("piece", hostile.PIECES, ids=lambda piece: repr(piece)[1:31])
def test_time_grows_with_the_size_of_an_article_that_repeats_one_thing(piece):
    assert_in_proportion(lambda n: piece * n)


@pytest.mark.alone
@pytest.mark.parametrize("shape", hostile.SHAPES)
def test_time_grows_with_the_number_of(shape):
    assert_in_proportion(hostile.SHAPES[shape])


PARTS = st.lists(
    st.tuples(st.lists(st.sampled_from(hostile.PIECES), min_size=1, max_size=4), st.integers(1, 16_000)),
    min_size=1,
    max_size=4,
)


@pytest.mark.alone
@settings(max_examples=chance.TEXTS // 10)
@given(PARTS)
def test_chance_articles_of_hostile_pieces_take_no_longer_than_their_size_allows(parts):
    body = "".join("".join(pieces) * count for pieces, count in parts)[:65_536]
    taken, made = seconds(hostile.article(body))
    assert_whole_or_refused(made)
    assert taken <= 15 * ordinary() * (len(body) + SLACK)


@pytest.mark.alone
@pytest.mark.parametrize("language", sorted(metered._LANGUAGES))
def test_code_of_a_language_takes_no_longer_than_its_size_allows(language):
    for piece in ("a\n", "a ", "(", '"\\', "<", "a:", "[\n") if FULL else ("a\n", "("):
        code = (piece * 900)[:900] + "\n"
        body = f"```{language}\n{code * (LARGEST // 2 // len(code))}```\n"
        taken, parts = seconds(hostile.article(body))
        assert "body" in parts
        assert taken <= 12 * ordinary() * (len(body) + SLACK)


def test_code_that_lexers_may_take_long_for_is_shown_whole_without_colours():
    for body in (
        "```ada\nx : Integer;\n```\n",
        "```python\n" + "x = 1\n" * 10_000 + "```\n",
        "```python\n" + "x = 1; " * 200 + "\n```\n",
    ):
        made = content.parts("x.md", hostile.article(body))["body"]
        assert (
            re.sub(rb"<[^>]*>", b"", made).strip()
            == body.partition("\n")[2].removesuffix("```\n").strip().encode()
        )
        assert b'<span class="' not in made


def test_what_is_refused_is_one_line_with_place_and_way_out():
    body = "\n".join(["Words.", "", "[a](" * 20_000, ""])
    problem, place, way_out = json.loads(content.parts("x.md", hostile.article(body))["problem"])
    assert problem == 'too many "[" or "(" are never closed'
    assert place == "content/x.md, line 6"
    assert way_out == "close them, or write \\[ for a bracket without a link"


def test_half_open_intervals_are_no_links_that_are_never_closed():
    body = "The interval [0, 1) is half open, and [1, 2) is too.\n\n" * 500
    assert content.parts("x.md", hostile.article(body))["body"].count(b"[1, 2)") == 500


@pytest.mark.parametrize(
    "body",
    [
        "".join(" " * 4 * depth + "- a\n" for depth in range(400)),
        "".join(" " * 4 * depth + "1. a\n\n" for depth in range(400)),
        "1. " * 5_000 + "a",
        "> " * 5_000 + "a",
        "> - " * 5_000 + "a",
        "".join(" " * 4 * depth + "!!! note\n" for depth in range(400)),
        "<div>" * 50_000,
        "*a **b " * 20_000 + "c** d* " * 20_000,
        "[a " * 5_000 + "](b)" * 5_000,
    ],
)
def test_depth_is_no_error_of_python(body):
    assert_whole_or_refused(content.parts("x.md", hostile.article(body)))


def test_an_article_that_is_too_large_is_refused_with_its_size():
    problem, place, way_out = json.loads(content.parts("x.md", hostile.article("a " * 2_400_000))["problem"])
    assert problem == "the article has 4.8 MB; at most 4.0 MB are allowed"
    assert (place, way_out) == ("content/x.md", "divide it into several articles")


@pytest.mark.parametrize(
    ("matter", "says"),
    [
        ("[params]\na = 0x" + "f" * 9_000, "content/x.md, line 3: .* a number has more than 100 digits"),
        ("weight = 1" + "0" * 9_000, "content/x.md, line 3: .* a number has too many digits"),
        ("weight = 0x" + "f" * 9_000, "content/x.md, line 3: .* a number has more than 100 digits"),
        ("tags = [0x" + "f" * 9_000 + "]", "content/x.md, line 3: .* a number has more than 100 digits"),
        ("params" + ".a" * 16_000 + " = 1", "content/x.md, line 3: .* a key has more than 50 parts"),
        ("params" + ".a" * 45 + " = " + "[" * 9 + "]" * 9, "line 3: .* it is nested deeper than 50 levels"),
        ("params.a = " + "[" * 90 + "]" * 90, "content/x.md, line 3: .* nested deeper than 50 levels"),
        ("params.a = " + "[" * 9_000, "content/x.md, line 3: .* it is nested too deep"),
        ("params.a = " + "{a=" * 9_000, "content/x.md, line 3: .* it is nested too deep"),
        (f'description = "{"a" * 120_000}"', "content/x.md, line 1: .* more than 100,000 characters"),
    ],
)
def test_front_matter_without_bounds_is_one_line(matter, says):
    error = ContentError(*json.loads(content.parts("x.md", hostile.article("", matter + "\n"))["problem"]))
    assert re.search(says, str(error))


@pytest.mark.parametrize(
    "matter",
    [
        "params: {a: 0x" + "f" * 9_000 + "}",
        "params: {a: " + "1:" * 9_000 + "1}",
        "? 0x" + "f" * 9_000 + "\n: 1",
    ],
)
def test_numbers_of_yaml_have_bounds_too(matter):
    problem = json.loads(content.parts("x.md", f"---\ntitle: A\n{matter}\n---\n".encode())["problem"])
    assert "a number has more than 100 digits" in problem[0]


class Files:
    """What the recipe of a data file reads."""

    def __init__(self, **files):
        self.files = files

    def find(self, key):
        return self.files.get(key.name.removeprefix("data/x."))

    def read(self, key):
        assert key.part == "limits"
        return b"[60, 1073741824]"

    def work(self, function, *args):
        return function(*args)

    def work_within(self, limits, function, *args):
        return function(*args)


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("json", "[" * 100_000, "content/data/x.json: .*it is nested too deep"),
        ("json", "[" * 300 + "]" * 300, "content/data/x.json: .*nested deeper than 50 levels"),
        ("json", "1" * 100_000, "content/data/x.json: .*a number has too many digits"),
        ("json", "1" * 1_000, "content/data/x.json: .*a number has more than 100 digits"),
        ("toml", "a = 0x" + "f" * 9_000, "content/data/x.toml: .*a number has more than 100 digits"),
        (
            "toml",
            "\na" + ".a" * 30_000 + " = 1",
            "content/data/x.toml, line 2: .*a key has more than 50 parts",
        ),
        ("csv", "a," * 20_000 + "b\n" + "1\n" * 20_000, "content/data/x.csv, line 5[0-9]: .*1,000,000 cells"),
        ("csv", "a\n" * 2_100_000, "content/data/x.csv: the file has 4.2 MB; at most 4.0 MB are allowed"),
    ],
)
def test_data_without_bounds_is_one_line(kind, text, says):
    with pytest.raises(ContentError) as caught:
        data.parts("x", Files(**{kind: text.encode()}))
    assert re.search(says, str(caught.value))


@pytest.mark.parametrize(
    "picture",
    [
        b"\xff\xd8" + b"\xff\xe1\x00\x02" * 500_000,
        b"\xff\xd8" + b"\xff" * 2_000_000,
        b"\xff\xd8\xff\xe1\x00\x00" + b"\0" * 2_000_000,
        b"\xff\xd8\xff\xe1" + b"\0" * 50_000_000,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 2_000_000,
        b"RIFF\xff\xff\xff\xffWEBPVP8X" + b"\0" * 2,
        b"GIF89a",
        b"P6 " + b"1" * 2_000_000,
        b"<svg>" * 200_000,
        b"\0\0\0\x0cftypavif" + b"\0\0\0\x08free" * 200_000,
        b"II*\0" + b"\xff" * 2_000_000,
    ],
)
def test_a_picture_with_an_odd_header_is_none_in_little_time(picture):
    began = time.process_time()
    assert "size" not in content.size(picture)
    assert time.process_time() - began < 100_000 * 12 * ordinary() + 4_000_000 * ordinary()


def test_a_picture_of_another_format_is_none_whatever_its_name():
    assert content.size(b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>") == {}
    assert content.size(b"P1 9 9 ") == {}


def test_options_of_a_block_of_code_choose_no_other_formatter_and_no_file():
    body = '```{ .python pygments_formatter=bbcode tagsfile=/etc/passwd hl_lines="1" }\nprint(1)\n```\n'
    made = content.parts("x.md", hostile.article(body))["body"]
    assert b'<span class="hll"><span class="nb">print</span>' in made


@pytest.mark.alone
@pytest.mark.parametrize("sections", [True, False])
def test_the_lists_of_a_section_grow_with_its_articles(sections):
    """One section of all articles, or a section each."""

    def taken(count):
        paths = [f"s{number if sections else 0}/a{number}.md" for number in range(count)]
        context = Listing(paths)
        began = time.process_time()
        for number in range(count if sections else 1):
            lists.section(f"s{number}", context)
        return time.process_time() - began

    taken(100)
    assert min(taken(2_000) for _ in range(2)) <= 7 * min(taken(500) for _ in range(2)) + 0.1


class Listing:
    """The articles of a site, as recipes read them."""

    def __init__(self, paths):
        self.listing = json.dumps(paths).encode()
        self.matter = content.parts("x.md", hostile.article(""))["front-matter"]

    def find(self, key):
        assert key.kind == "unlisted"
        return b"[]"

    def read(self, key):
        return self.listing if key == Key("folder", "content") else b"false"

    def find_all(self, keys):
        return [self.matter for _ in keys]
