"""Articles: front matter (`pages.matter`), and a body in markdown.

HTML in the body is shown as text, and links lead to the web, to mail, or within the site: an article
cannot bring a script in.
"""

from __future__ import annotations

import html
import json
import re
import urllib.parse
from typing import Any
from xml.etree.ElementTree import Element

from hdash_site.errors import ContentError
from hdash_site.pages import matter as front_matter
from hdash_site.pages.route import slug

_SCHEMES = ("", "http", "https", "mailto")


def parts(path: str, data: bytes | None) -> dict[str, bytes]:
    """Give `front-matter` (JSON) and `body` (HTML) of an article, or its `problem`; no data: unreadable."""
    try:
        if data is None:
            raise ContentError("cannot be read", f"content/{path}", "give it a plain name, readable by you")
        matter, body, _ = front_matter.split(path, data)
        return {"front-matter": json.dumps(matter).encode(), "body": to_html(body).encode()}
    except ContentError as error:
        return {"problem": json.dumps(error.args).encode()}


def address(path: str, matter: dict[str, Any]) -> str:
    """Give the address of an article: `about.md` is at `about/`, `notes/_index.md` at `notes/`."""
    *folders, name = path.removesuffix(".md").split("/")
    last = [] if name == "_index" else [slug(matter.get("slug") or name)]
    return "".join(f"{part}/" for part in [*map(slug, folders), *last])


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
