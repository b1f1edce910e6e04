"""Articles: TOML front matter between `+++` lines, and a body in markdown.

HTML in the body is shown as text, and links lead to the web, to mail, or within the site: an article
cannot bring a script in. `FRONT_MATTER` says what the front matter may hold.
"""

from __future__ import annotations

import datetime
import difflib
import html
import json
import re
import tomllib
import urllib.parse
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from hdash_site.artifact import is_address
from hdash_site.errors import ContentError
from hdash_site.pages import shortcodes
from hdash_site.pages.route import slug

_FENCE = re.compile(r"\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
_SCHEMES = ("", "http", "https", "mailto")


class Field(NamedTuple):
    """A key of the front matter: its type, the words for it, what holds without it, what it is for."""

    kind: type
    words: str
    default: Any
    meaning: str


FRONT_MATTER = {
    "title": Field(str, "text", None, "The title; every article needs one."),
    "summary": Field(str, "text", "", "A sentence for lists and search engines."),
    "date": Field(datetime.date, "date", "", "When it was written; lists are sorted by it, newest first."),
    "weight": Field(int, "whole number", 0, "Order in lists and menus; smaller comes first."),
    "menu": Field(bool, "true or false", False, "Whether the menu of the site names it."),
    "slug": Field(str, "text", "", "The last part of its address, instead of the name of the file."),
    "aliases": Field(list, "list of texts", [], "Old addresses of the article, which lead to it."),
    "draft": Field(bool, "true or false", False, "A draft is not on the site."),
}


def parts(path: str, data: bytes | None) -> dict[str, bytes]:
    """Give `front-matter` (JSON) of an article and what `shortcodes.parts` gives, or its `problem`.

    No data: it is unreadable.
    """
    place = f"content/{path}"
    try:
        if data is None:
            raise ContentError("cannot be read", place, "give it a plain name, readable by you")
        matter, body = _split(path, data)
        return {"front-matter": json.dumps(matter).encode(), **shortcodes.parts(place, data, body, to_html)}
    except ContentError as error:
        return {"problem": json.dumps(error.args).encode()}


def address(path: str, matter: dict[str, Any]) -> str:
    """Give the address of an article: `about.md` is at `about/`, `notes/_index.md` at `notes/`."""
    *folders, name = path.removesuffix(".md").split("/")
    last = [] if name == "_index" else [slug(matter.get("slug") or name)]
    return "".join(f"{part}/" for part in [*map(slug, folders), *last])


def _split(path: str, data: bytes) -> tuple[dict[str, Any], str]:
    place = f"content/{path}"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ContentError("this is not UTF-8", f"{place}, line {line}", "save the file as UTF-8") from None
    if not text.startswith("+++"):
        raise ContentError("there is no front matter", f"{place}, line 1", 'begin with +++, title = "…", +++')
    found = _FENCE.match(text)
    if found is None:
        raise ContentError("the front matter has no end", f"{place}, line 1", "close it with a line +++")
    try:
        given = tomllib.loads(found[1])
    except tomllib.TOMLDecodeError as error:
        raise ContentError(
            f"the front matter is not TOML: {_counted(error)}", place, "correct that line"
        ) from None
    return _checked(given, place), text[found.end() :]


def _counted(error: tomllib.TOMLDecodeError) -> str:
    """Count lines from the top of the file: the fence is the first."""
    return re.sub(r"line (\d+)", lambda found: f"line {int(found[1]) + 1}", str(error))


def _checked(given: dict[str, Any], place: str) -> dict[str, Any]:
    for key, value in given.items():
        if key not in FRONT_MATTER:
            near = difflib.get_close_matches(key, FRONT_MATTER, 1)
            way_out = f'do you mean "{near[0]}"?' if near else f"write one of: {', '.join(FRONT_MATTER)}"
            raise ContentError(f'"{key}" says nothing here', f"{place}, front matter", way_out)
        field = FRONT_MATTER[key]
        if not isinstance(value, field.kind) or (field.kind is int and isinstance(value, bool)):
            raise ContentError(
                f"{key} must be a {field.words}", f"{place}, front matter", f"it is {value!r} now"
            )
    for alias in given.get("aliases", ()):
        if not isinstance(alias, str) or not is_address(alias):
            way_out = "write names of letters, digits, - and _ with slashes between them"
            raise ContentError(f"{alias!r} is no address", f"{place}, front matter, aliases", way_out)
    if not given.get("title", "").strip():
        raise ContentError("the article has no title", f"{place}, front matter", 'add title = "…"')
    matter = {key: given.get(key, field.default) for key, field in FRONT_MATTER.items()}
    return matter | {"date": str(matter["date"])[:10]}


def to_html(body: str) -> str:
    """Turn markdown into HTML that holds no tag that the text itself brought."""
    import markdown
    from markdown.treeprocessors import Treeprocessor

    class OwnLinks(Treeprocessor):
        def run(self, root: Element) -> None:
            for element in root.iter():
                for name in ("href", "src"):
                    target = element.get(name)
                    if target is not None and not _harmless(target):
                        element.set(name, "#")

    engine = markdown.Markdown(
        extensions=["tables", "fenced_code", "toc", "sane_lists"], output_format="html"
    )
    engine.preprocessors.deregister("html_block")
    engine.inlinePatterns.deregister("html")
    engine.treeprocessors.register(OwnLinks(engine), "own_links", 0)
    return engine.convert(body)


def _harmless(target: str) -> bool:
    plain = re.sub(r"[\x00-\x20]", "", html.unescape(target))
    try:
        return urllib.parse.urlsplit(plain).scheme.lower() in _SCHEMES
    except ValueError:
        return False
