"""Articles: front matter (`pages.matter`), and a body in markdown.

HTML in the body is sanitised, unless the site allows it, and links lead to the web, to mail, or within the
site: an article cannot bring a script in.
"""

from __future__ import annotations

import functools
import html
import importlib
import io
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Container, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement

from hdash_site.errors import ContentError
from hdash_site.pages import matter as front_matter
from hdash_site.pages import shortcodes
from hdash_site.pages.route import slug

_SCHEMES = ("", "http", "https", "mailto")
_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_MOST_OPEN = 300
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


PICTURES = frozenset((".gif", ".jpeg", ".jpg", ".png", ".webp"))
RESOURCES = PICTURES | {".csv", ".json", ".pdf", ".tsv", ".txt"}
"""What is published from the folder of an article. An SVG can hold scripts: it belongs to the layouts."""

_RESOURCE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")

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


def parts(
    path: str,
    data: bytes | None,
    measured: Callable[[str], Size | None] = lambda _: None,
    *,
    raw_html: bool = False,
) -> dict[str, bytes]:
    """Give the parts of an article; no data: it cannot be read. `measured` gives a picture's size.

    They are `front-matter` (JSON), `contents`, its headings (JSON), and what `shortcodes.parts` gives.
    `problem` says what is wrong; what can be understood of the front matter is there all the same.
    """
    found: dict[str, bytes] = {}
    try:
        if data is None:
            raise ContentError("cannot be read", f"content/{path}", "give it a plain name, readable by you")
        matter, body, line = front_matter.split(path, data)
        found["front-matter"] = json.dumps(matter).encode()
        made: list[Html] = []

        def convert(text: str) -> str:
            made.append(_converted(path, line, text, measured, raw_html))
            return made[-1].html

        found |= shortcodes.parts(f"content/{path}", data, body, convert)
        contents = shortcodes.unmarked(json.dumps(made[-1].contents, ensure_ascii=False))
        return found | {"contents": contents.encode()}
    except ContentError as error:
        return found | {"problem": json.dumps(error.args).encode()}


class _NoPicture(Exception):
    """A picture that an article shows is not there; what to do about it."""

    def __init__(self, target: str, way_out: str) -> None:
        super().__init__(target, way_out)
        self.target, self.way_out = target, way_out


def _converted(
    path: str, line: int, body: str, measured: Callable[[str], Size | None], raw_html: bool
) -> Html:
    place = f"content/{path}, line {line}"
    if body.count("[") - body.count("]") > _MOST_OPEN:
        # Each of them is looked for the end of: that takes time with their square.
        problem = f"more than {_MOST_OPEN} [ are never closed"
        raise ContentError(problem, place, "close them, or delete them")
    try:
        return converted(body, lambda target: _picture(path, target, measured), raw_html=raw_html)
    except _NoPicture as missing:
        line += body.count("\n", 0, max(0, body.find(missing.target)))
        problem = f"there is no picture {missing.target!r}"
        raise ContentError(problem, f"content/{path}, line {line}", missing.way_out) from None
    except Exception as error:  # its extensions fail on some texts, each in a way of its own
        said = "it is nested too deep" if isinstance(error, RecursionError) else type(error).__name__
        way_out = "write it in a simpler way from there on"
        raise ContentError(f"the markdown cannot be understood ({said})", place, way_out) from error


def _picture(path: str, target: str, measured: Callable[[str], Size | None]) -> Size | None:
    """Give the size of a picture in the folder of an article; None: it is elsewhere. Raises `_NoPicture`."""
    plain = urllib.parse.unquote(target).removeprefix("./")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|[/#?]|\.\./|$", plain):
        return None
    folder, _, name = path.rpartition("/")
    if not has_folder(path):
        raise _NoPicture(
            target, f"move the article to {path.removesuffix('.md')}/index.md, the picture beside it"
        )
    if not is_resource(plain) or PurePosixPath(plain).suffix not in PICTURES:
        kinds = ", ".join(sorted(PICTURES))
        raise _NoPicture(target, f"give it a name of letters, digits, - and _, with one of {kinds}")
    size = measured(f"{folder}/{plain}") if name == "index.md" or "/" not in plain else None
    if size is None:
        raise _NoPicture(target, f"put it into content/{folder}/, or correct the name")
    return size


def section_of(path: str) -> str:
    """Give the folder whose section lists an article; empty if none does. An `_index.md` is in its own."""
    folder, _, name = path.rpartition("/")
    return folder.rpartition("/")[0] if name == "index.md" else folder


def has_folder(path: str) -> bool:
    """Tell whether an article can have files of its own beside it."""
    return path.rpartition("/")[2] in ("index.md", "_index.md")


def is_resource(path: str) -> bool:
    """Tell whether a file may be published from the folder of an article, by its name."""
    return bool(_RESOURCE.fullmatch(path)) and PurePosixPath(path).suffix in RESOURCES


def bundle_of(path: str, articles: Container[str]) -> str:
    """Give the article in whose folder a file lies: an `index.md` above it, or an `_index.md` beside it."""
    for folder in PurePosixPath(path).parents:
        if f"{folder}/index.md" in articles:
            return f"{folder}/index.md"
        if f"{folder}/_index.md" in articles and folder == PurePosixPath(path).parent:
            return f"{folder}/_index.md"
    return ""


def size(data: bytes | None) -> dict[str, bytes]:
    """Give the `size` of a picture (JSON); nothing if it is none."""
    imagesize: Any = importlib.import_module("imagesize")  # has no types

    try:
        width, height = imagesize.get(io.BytesIO(data or b""))
    except Exception:  # its readers of formats fail on broken pictures, each in a way of its own
        return {}
    return {"size": json.dumps([width, height]).encode()} if width > 0 and height > 0 else {}


def address(path: str, matter: dict[str, Any]) -> str:
    """Give the address of an article.

    `about.md` is at `about/`, `notes/_index.md` at `notes/`, `notes/trip/index.md` at `notes/trip/`.
    """
    *folders, name = path.removesuffix(".md").split("/")
    if name == "index" and folders:
        name = folders.pop()
    last = [] if name == "_index" else [slug(matter.get("slug") or name)]
    return "".join(f"{part}/" for part in [*map(slug, folders), *last])


def to_html(text: str) -> str:
    """Turn a text of our own, such as a docstring, into HTML."""
    return converted(text).html


def converted(
    text: str, picture: Callable[[str], Size | None] = lambda _: None, *, raw_html: bool = False
) -> Html:
    """Turn markdown into HTML; tags of the text's own are sanitised unless `raw_html`.

    `picture` gives the size of a picture by what the text calls it, or None if that is elsewhere.
    """
    # To make an engine takes as long as to use it for half a page. One that failed is not used again.
    engine = _idle.engines.pop() if _idle.engines else _engine()
    engine.reset()
    engine.picture = picture
    engine.prepare(text)
    made: str = engine.convert(text)
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
