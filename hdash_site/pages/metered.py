"""Python-Markdown with a count of its steps (`pages.effort`) where its time grows with the square of a text.

Nothing here changes what comes of a text; a text that needs too many steps is refused.
"""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any, cast
from xml.etree.ElementTree import Element

from hdash_site.pages import effort
from hdash_site.pages.effort import TooMuch

_DEEPEST = 150
"""Calls of the block parser within each other: a list in a list takes two. Python allows about 300."""

_OPTIONS = frozenset(("hl_lines", "linenums", "linenos", "linenostart", "use_pygments"))
"""What a block of code may tell Pygments; other options choose other formatters and read files."""

_MOST_HIGHLIGHTED = 20_000
_LONGEST_LINE = 1_000
"""Characters of code, and of a line of it, that is highlighted; other code is shown without colours."""

_LANGUAGES = frozenset(
    [
        "text",
        "bash",
        "console",
        "powershell",
        "batch",
        "python",
        "pycon",
        "pytb",
        "splus",
        "rconsole",
        "sql",
        "sqlite3",
        "postgresql",
        "mysql",
        "json",
        "yaml",
        "toml",
        "ini",
        "xml",
        "html",
        "css",
        "scss",
        "javascript",
        "typescript",
        "c",
        "cpp",
        "go",
        "rust",
        "ruby",
        "perl",
        "php",
        "lua",
        "julia",
        "matlab",
        "octave",
        "scala",
        "kotlin",
        "swift",
        "fortran",
        "haskell",
        "make",
        "docker",
        "nginx",
        "apacheconf",
        "diff",
        "markdown",
        "restructuredtext",
        "tex",
        "http",
        "graphql",
        "sparql",
        "turtle",
        "django",
        "mako",
        "cmake",
        "awk",
        "vim",
        "protobuf",
        "terraform",
        "stata",
        "output",
        "properties",
        "jsonld",
    ]
)
"""Lexers by their first alias whose time was measured; others can take minutes for a line of brackets."""

_FENCE_LINE = re.compile(r"^(?P<fence>`{3,}+|~{3,}+)(?P<rest>[^\n]*+)$", re.MULTILINE)


def meter(engine: Any) -> None:
    """Let an engine (`markdown.Markdown`) count its steps in its `effort`, which is set for each text."""
    _meter_blocks(engine)
    _meter_inline(engine)
    _meter_tables(engine)
    _meter_footnotes(engine)
    _meter_html(engine)
    _meter_fences(engine)
    _bound_highlighting()


def _copied(text: str) -> int:
    """Give the steps that it takes to copy a text."""
    return sys.getsizeof(text) >> 7


class _Blocks(list[str]):
    """Blocks of text in reverse, so that it is fast to take the first one and to put it back."""

    def __init__(self, blocks: list[str]) -> None:
        super().__init__(reversed(blocks))

    def __getitem__(self, index: Any) -> Any:
        return cast(Any, super()).__getitem__(-1 - index)

    def pop(self, index: Any = 0) -> str:
        return super().pop(-1 - index)

    def insert(self, index: Any, block: str) -> None:
        super().insert(len(self) - index, block)


def _meter_blocks(engine: Any) -> None:
    parser = engine.parser
    # A heading is found before the rest of the block is looked at; definitions are looked for in all of it.
    shifts = {"hashheader": 6, "footnote": 1, "reference": 1, "deflist": 1}
    shift_of = {parser.blockprocessors[name]: shift for name, shift in shifts.items()}
    depth = 0

    def parse_chunk(parent: Element, text: str) -> None:
        blocks = text.split("\n\n")
        parser.parseBlocks(parent, _Blocks(blocks) if len(blocks) > 1_000 else blocks)

    def parse_blocks(parent: Element, blocks: list[str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise TooMuch(effort.NESTED, blocks[0] if blocks else "")
        while blocks:
            block = blocks[0]
            for processor in parser.blockprocessors:
                if processor.test(parent, block) and processor.run(parent, blocks) is not False:
                    engine.effort.spend(len(block) >> shift_of.get(processor, 2), effort.BLOCK, block)
                    break
        depth -= 1

    parser.parseChunk, parser.parseBlocks = parse_chunk, parse_blocks


def _meter_inline(engine: Any) -> None:
    for name in ("reference", "link", "image_link", "image_reference", "short_reference", "short_image_ref"):
        _meter_brackets(engine, engine.inlinePatterns[name])
    backtick = engine.inlinePatterns["backtick"]
    spans = backtick.find_code_spans

    def find_code_spans(start: int, text: str) -> tuple[int, int | None]:
        begin, end = spans(start, text)
        seen = len(text) if end is None or begin - start > 1 else end
        engine.effort.spend(seen - start, effort.BACKTICKS, text, start)
        return begin, end

    backtick.find_code_spans = find_code_spans
    for pattern in engine.inlinePatterns:
        _meter_matches(engine, pattern)


def _meter_brackets(engine: Any, pattern: Any) -> None:
    get_text, get_link = pattern.getText, pattern.getLink

    def text_of(data: str, index: int) -> tuple[str, int, bool]:
        text, end, handled = get_text(data, index)
        engine.effort.spend(2 * (end - index), effort.BRACKETS, data, index)
        return text, end, handled

    def link_of(data: str, index: int) -> tuple[str, str | None, int, bool]:
        href, title, end, handled = get_link(data, index)
        engine.effort.spend(2 * (end - index), effort.BRACKETS, data, index)
        return href, title, end, handled

    pattern.getText, pattern.getLink = text_of, link_of


def _meter_matches(engine: Any, pattern: Any) -> None:
    handle = pattern.handleMatch

    def handle_match(found: re.Match[str], data: str) -> tuple[Any, int | None, int | None]:
        node, start, end = handle(found, data)
        if node is not None and start is not None and end is not None:
            # It is replaced in a copy of the whole paragraph, and what is in it is looked up in a list.
            marks = sum(data.count(mark, start, end) for mark in "*_\2") if end - start > 500 else 0
            engine.effort.spend(_copied(data) + (marks * marks >> 2), effort.INLINE, data)
        return node, start, end

    pattern.handleMatch = handle_match


def _meter_tables(engine: Any) -> None:
    table = engine.parser.blockprocessors["table"]
    build_row, split = table._build_row, table._split

    def built_row(row: str, parent: Element, align: list[str | None]) -> None:
        engine.effort.spend(40 * len(align), effort.CELLS, row)
        build_row(row, parent, align)

    def split_row(row: str) -> list[str]:
        ticks = row.count("`")
        engine.effort.spend(ticks * (ticks + row.count("|")), effort.CELLS, row)
        return split(row)

    table._build_row, table._split = built_row, split_row


def _meter_footnotes(engine: Any) -> None:
    pattern = engine.inlinePatterns["footnote"]
    notes, handle = pattern.footnotes, pattern.handleMatch

    def handle_match(found: re.Match[str], data: str) -> tuple[Any, int | None, int | None]:
        # Their order is looked up in a list, and a second reference to one looks for a free number.
        same = notes.found_refs.get(f"fnref:{found[1]}", 0)
        engine.effort.spend(len(notes.footnotes) + 50 * same, effort.FOOTNOTES, data, found.start())
        return handle(found, data)

    pattern.handleMatch = handle_match


def _meter_html(engine: Any) -> None:
    from markdown.htmlparser import HTMLExtractor
    from markdown.preprocessors import HtmlBlockPreprocessor

    base: Any = HTMLExtractor  # its type stubs are of an older release

    class Extractor(base):
        def _spend(self, steps: int, start: int) -> None:
            engine.effort.spend(steps, effort.TAGS, self.rawdata, start)

        def check_for_whole_start_tag(self, i: int) -> int:
            end = base.check_for_whole_start_tag(self, i)
            if end < 0:  # what is no tag was read to the end of the text
                self._spend(len(self.rawdata) - i, i)
            return end

        def parse_endtag(self, i: int) -> int:
            opened = len(self.stack) + len(self.inline_stack)
            self._spend((len(self.rawdata) - i >> 7) + opened // 2, i)
            return base.parse_endtag(self, i)

        def parse_pi(self, i: int) -> int:
            self._spend(len(self.rawdata) - i >> 4, i)
            return base.parse_pi(self, i)

        def parse_html_declaration(self, i: int) -> int:
            self._spend(len(self.rawdata) - i >> 5, i)
            return base.parse_html_declaration(self, i)

        def handle_empty_tag(self, data: str, is_block: bool) -> None:
            if is_block:
                self._spend(len(self.rawdata) >> 7, self.line_offset)
            base.handle_empty_tag(self, data, is_block)

        def inline_close_follows(self, text: str) -> bool:
            start = self.line_offset + self.offset
            self._spend(len(self.rawdata) - start >> 5, start)
            self._spend(len(self.inline_stack) * (self._paragraph_end(start) - start), start)
            return base.inline_close_follows(self, text)

        def _paragraph_end(self, start: int) -> int:
            end = self.rawdata.find("\n\n", start)
            return len(self.rawdata) if end < 0 else end

    class Blocks(HtmlBlockPreprocessor):
        def run(self, lines: list[str]) -> list[str]:
            extractor = Extractor(self.md)
            extractor.feed("\n".join(lines))
            extractor.close()
            return "".join(extractor.cleandoc).split("\n")

    engine.preprocessors.register(Blocks(engine), "html_block", 20)


def _meter_fences(engine: Any) -> None:
    fences = engine.preprocessors["fenced_code_block"]
    run, handle = fences.run, fences.handle_attrs

    def measured_run(lines: list[str]) -> list[str]:
        _measure_fences("\n".join(lines), engine.effort)
        return run(lines)

    def handle_attrs(attrs: Any) -> tuple[str, list[str], dict[str, Any]]:
        name, classes, options = handle(attrs)
        return name, classes, {key: options[key] for key in options.keys() & _OPTIONS}

    fences.run, fences.handle_attrs = measured_run, handle_attrs


def _measure_fences(text: str, left: effort.Effort) -> None:
    """Count the steps of the search for the end of each block of code."""
    if "```" not in text and "~~~" not in text:
        return
    ends: set[str] = set()
    for found in reversed(list(_FENCE_LINE.finditer(text))):
        if found["fence"] in ends:
            left.spend(_copied(text), effort.FENCES, found[0])
        else:
            left.spend(len(text) - found.start() >> 2, effort.FENCES, found[0])
        if not found["rest"].strip(" "):
            ends.add(found["fence"])


def _bound_highlighting() -> None:
    """Let Python-Markdown highlight no code that takes long; it looks for lexers by this name of its own."""
    codehilite: Any = importlib.import_module("markdown.extensions.codehilite")
    codehilite.get_lexer_by_name = _lexer


def _lexer(name: str, **options: Any) -> Any:
    lexers: Any = importlib.import_module("pygments.lexers")
    lexer = lexers.get_lexer_by_name(name, **options)
    plain = lexers.get_lexer_by_name("text", **options)
    if lexer.aliases[0] not in _LANGUAGES:
        return plain
    highlighted = lexer.get_tokens

    def get_tokens(text: str) -> Any:
        is_long = len(text) > _MOST_HIGHLIGHTED or max(map(len, text.split("\n"))) > _LONGEST_LINE
        return plain.get_tokens(text) if is_long else highlighted(text)

    lexer.get_tokens = get_tokens
    return lexer
