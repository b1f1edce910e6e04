"""Markdown to HTML: what editors may write, and what becomes of it.

Tags of a text's own are sanitised, unless the site allows them, and links lead to the web, to mail, or within
the site: no text brings a script in.
"""

from __future__ import annotations

import functools
import html
import re
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement

from hdash_site.pages import shortcodes
from hdash_site.pages.effort import CONTENTS, Effort, measure_nesting

_SCHEMES = ("", "http", "https", "mailto")
_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_OUR_IDS = ("content", "checked")
"""Ids that the base layout has."""

_ATTRIBUTES = {
    "*": {"id", "class", "title", "lang", "dir", "aria-label"},
    "a": {"href", "hreflang"},
    "img": {"src", "alt", "width", "height", "loading", "decoding"},
    "ol": {"start", "reversed", "type"},
    "li": {"value"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "time": {"datetime"},
    "data": {"value"},
    "q": {"cite"},
    "blockquote": {"cite"},
    "del": {"cite", "datetime"},
    "ins": {"cite", "datetime"},
}
"""What a tag may say, by tag; nothing that runs, and no style."""

_ATTRIBUTE = re.compile(r' ([a-z-]++)="([^"]*+)"')
_IMAGE = re.compile(rf"<img((?:{_ATTRIBUTE.pattern.replace('(', '(?:')})*+)>")
"""A picture, as it is written after it was sanitised."""

_INLINE = {
    "backtick": ("`",),
    "escape": ("\\",),
    "footnote": ("[^",),
    "reference": ("]:",),
    "link": ("[",),
    "image_link": ("![",),
    "image_reference": ("]:",),
    "short_reference": ("]:",),
    "short_image_ref": ("]:",),
    "linebreak": ("  ", "\t"),
    "entity": ("&",),
    "autolink": (),
    "automail": (),
    "html": (),
}
_BLOCKS = {
    "admonition": ("!!!",),
    "indent": ("    ", "\t"),
    "code": ("    ", "\t"),
    "defindent": (": ", ":\t"),
    "deflist": (": ", ":\t"),
    "table": ("|",),
    "hashheader": ("#",),
    "quote": (">",),
    "footnote": ("[^",),
    "reference": ("]:",),
}
"""Markdown looks for each of these in each line, and for each of those in each block.

There is none in an article without one of its strings, unless the article has one of `_CUTS`, which are taken
out before, so that other strings come about.
"""
_CUTS = ("<", "\2", "\3")

_is_marked = re.compile(r"[`\\[!<&*_\2]|  \n").search
"""Tell whether markdown may find something in a line: most cells, items and headings are plain."""


Size = tuple[int, int]
"""Width and height, in pixels."""


class Html(NamedTuple):
    """A body, and its headings as a tree: `id`, `text`, `children`."""

    html: str
    contents: list[dict[str, Any]]


def to_html(text: str) -> str:
    """Turn a text of our own, such as a docstring, into HTML."""
    return converted(text).html


def converted(
    text: str, picture: Callable[[str], Size | None] = lambda _: None, *, raw_html: bool = False
) -> Html:
    """Turn markdown into HTML; tags of the text's own are sanitised unless `raw_html`.

    `picture` gives the size of a picture by what the text calls it, or None if that is elsewhere.
    Raises `TooMuch` for a text that would take much longer than others of its length.
    """
    # To make an engine takes as long as to use it for half a page. One that failed is not used again.
    engine = _idle.engines.pop() if _idle.engines else _engine()
    engine.reset()
    engine.picture = picture
    engine.effort = Effort(len(text))
    engine.prepare(text)
    made: str = engine.convert(text)
    measure_nesting(made, engine.effort)
    made = made if raw_html else _with_sizes(_sanitised(made), picture)
    contents = _contents(engine.toc_tokens)
    _idle.engines.append(engine)
    # Code may be wider than the screen: who has no mouse must be able to scroll it.
    return Html(made.replace("<pre>", '<pre tabindex="0">'), contents)


class _Idle(threading.local):
    """The engines of a thread that are not at work."""

    def __init__(self) -> None:
        self.engines: list[Any] = []


_idle = _Idle()


def _engine() -> Any:
    """Make what turns markdown into HTML; for each text, `prepare` it and set its `picture`."""
    from markdown import Markdown
    from markdown.extensions.admonition import AdmonitionExtension
    from markdown.extensions.codehilite import CodeHiliteExtension
    from markdown.extensions.def_list import DefListExtension
    from markdown.extensions.fenced_code import FencedCodeExtension
    from markdown.extensions.footnotes import FootnoteExtension
    from markdown.extensions.sane_lists import SaneListExtension
    from markdown.extensions.tables import TableExtension
    from markdown.extensions.toc import TocExtension
    from markdown.treeprocessors import Treeprocessor, UnescapeTreeprocessor
    from markdown.util import AtomicString

    from hdash_site.pages.metered import meter

    class Finish(Treeprocessor):
        def run(self, root: Element) -> None:
            for element in root.iter():
                _finish(element)
                if element.tag == "img":
                    _finish_picture(element, engine.picture(element.get("src", "")))

    class Plain(Treeprocessor):
        is_needed = True

        def run(self, root: Element) -> None:
            for element in root.iter() if self.is_needed else ():
                if element.text and not _is_marked(element.text):
                    element.text = AtomicString(element.text)
                if element.tail and not _is_marked(element.tail):
                    element.tail = AtomicString(element.tail)

    class Unescape(UnescapeTreeprocessor):
        is_needed = True

        def run(self, root: Element) -> None:
            if self.is_needed:
                super().run(root)

    # Objects, not names: to look names up, every installed package would be searched.
    engine: Any = Markdown(
        extensions=[
            AdmonitionExtension(),
            CodeHiliteExtension(guess_lang=False),
            DefListExtension(),
            FencedCodeExtension(),
            FootnoteExtension(),
            SaneListExtension(),
            TableExtension(),
            TocExtension(slugify=_anchor),
        ],
        output_format="html",
    )
    meter(engine)
    # After all others, which turn escapes into what they stand for.
    engine.treeprocessors.register(Finish(engine), "finish", -1)
    lines, blocks = _needs(engine.inlinePatterns, _INLINE), _needs(engine.parser.blockprocessors, _BLOCKS)
    inline, toc = engine.treeprocessors["inline"], engine.treeprocessors["toc"]
    plain = Plain(engine)
    engine.treeprocessors.register(plain, "plain", 21)  # just before "inline"
    unescape = Unescape(engine)
    engine.treeprocessors.register(unescape, "unescape", 0)
    marker = toc.marker

    def prepare(text: str) -> None:
        cut = _holds(text, _CUTS)
        inline.inlinePatterns = [one for one, needed in lines if cut or _holds(text, needed)]
        engine.parser.blockprocessors = [one for one, needed in blocks if cut or _holds(text, needed)]
        toc.marker = marker if cut or marker in text else ""
        markers = text.count(marker)
        if markers > 1:  # each is looked for in the whole article, and each shows all headings
            engine.effort.spend(20 * markers * text.count("\n"), CONTENTS, marker)
        plain.is_needed = not cut
        unescape.is_needed = cut or _holds(text, _INLINE["escape"])

    engine.prepare = prepare
    engine.is_block_level = functools.cache(engine.is_block_level)
    return engine


def _needs(registry: Any, strings: Mapping[str, tuple[str, ...]]) -> list[tuple[Any, tuple[str, ...]]]:
    """Give what markdown looks for, in its order, each with the strings one of which it needs."""
    told = {registry[name]: some for name, some in strings.items()}
    return [(one, told.get(one, ("",))) for one in registry]


def _holds(text: str, strings: tuple[str, ...]) -> bool:
    return any(string in text for string in strings)


def _finish(element: Element) -> None:
    """Make a finished element fit the site: harmless links, no style in it, a link to each heading."""
    for name in ("href", "src"):
        target = element.get(name)
        if target is not None and not _harmless(target):
            element.set(name, "#")
    if element.tag in ("th", "td") and element.get("style"):
        element.set("class", element.attrib.pop("style").removeprefix("text-align: ").strip(" ;"))
    if element.tag in _HEADINGS and element.get("id"):
        label = f"Link to: {shortcodes.unmarked(''.join(element.itertext()))}"
        attributes = {"class": "anchor", "href": f"#{element.get('id')}", "aria-label": label}
        SubElement(element, "a", attributes).text = "#"


def _finish_picture(element: Element, size: Size | None) -> None:
    """Let a picture come when it is scrolled to, and keep its place free until then."""
    element.set("loading", "lazy")
    element.set("decoding", "async")
    if size:
        element.set("width", str(size[0]))
        element.set("height", str(size[1]))


def _with_sizes(text: str, picture: Callable[[str], Size | None]) -> str:
    """Finish the pictures that a text has as tags of its own; what such a tag says already holds."""

    def finished(found: re.Match[str]) -> str:
        said = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(found[1])}
        if "loading" in said:
            return found[0]
        size = picture(said.get("src", ""))
        more = ' loading="lazy" decoding="async"'
        if size and not {"width", "height"} & said.keys():
            more += f' width="{size[0]}" height="{size[1]}"'
        return f"<img{found[1]}{more}>"

    return _IMAGE.sub(finished, text)


def _anchor(title: str, separator: str) -> str:
    """Make the id of a heading, which is not one that pages have anyway."""
    name = re.sub(r"[^\w]+", separator, title.lower()).strip(separator) or "section"
    return f"{name}{separator}1" if name in _OUR_IDS else name


def _contents(tokens: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"id": token["id"], "text": html.unescape(token["name"]), "children": _contents(token["children"])}
        for token in tokens
    ]


def _sanitised(text: str) -> str:
    return _cleaner().clean(text)


@functools.cache
def _cleaner() -> Any:
    import nh3

    return nh3.Cleaner(
        tags=nh3.ALLOWED_TAGS - {"area", "map"} | {"tfoot"},
        attributes=_ATTRIBUTES,
        attribute_filter=lambda _, name, value: None if name == "id" and value in _OUR_IDS else value,
        url_schemes={scheme for scheme in _SCHEMES if scheme},
        link_rel=None,
    )


def _harmless(target: str) -> bool:
    plain = re.sub(r"[\x00-\x20]", "", html.unescape(target))
    try:
        return urllib.parse.urlsplit(plain).scheme.lower() in _SCHEMES
    except ValueError:
        return False
