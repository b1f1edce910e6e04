"""A page an article: every markdown file under `content/` that is no draft, and whose days have come.

The preview shows the others too, and marks them.
"""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from hdash_site.engine.model import Context, Key
from hdash_site.errors import ContentError
from hdash_site.pages import content
from hdash_site.pages.figures import raw
from hdash_site.pages.names import tag_address
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    for path, matter in articles(context):
        if not path.endswith("_index.md") and on_site(context, matter):
            yield route_of("article", path, matter)


def page(context: Context, route: Route) -> dict[str, bytes]:
    matter, body, contents = read(context, route)
    before = after = None
    folder = content.section_of(route.argument)
    if folder:
        around = context.find(Key("section", folder, f"neighbours/{route.argument}"))
        before, after = json.loads(around or b"[null, null]")
    # Of two spellings of one tag, the last counts.
    tags = [(tag, address) for address, tag in {tag_address(tag): tag for tag in matter["tags"]}.items()]
    values = {"matter": matter, "body": body, "contents": contents}
    values |= {"tags": tags, "before": before, "after": after, "unpublished": unpublished(context, matter)}
    return {route.file: render_page(context, layout_of(matter, "article"), route, **values)}


_listed: WeakKeyDictionary[Context, list[tuple[str, dict[str, Any]]]] = WeakKeyDictionary()


def articles(context: Context, section: str | None = None) -> Iterable[tuple[str, dict[str, Any]]]:
    """Give every article with its front matter, or those that a section lists.

    One that cannot be understood has no front matter here. A recipe that asks for all reads them once: the
    list of pages needs them for several kinds.
    """
    found = _listed.get(context) if section is None else None
    if found is None:
        listing = context.read(Key("folder", "content"))
        paths = _listed_in(listing).get(section, []) if section is not None else _articles_of(listing)
        matters = context.find_all(Key("article", path, "front-matter") for path in paths)
        found = [(path, json.loads(matter or b"{}")) for path, matter in zip(paths, matters, strict=True)]
        if section is None:
            _listed[context] = found
    return found


def _articles_of(listing: bytes) -> list[str]:
    return [path for path in json.loads(listing) if path.endswith(".md")]


@functools.lru_cache(2)
def _listed_in(listing: bytes) -> dict[str, list[str]]:
    """Give the articles that each section lists; each section asks for the same listing."""
    sections: dict[str, list[str]] = {}
    for path in _articles_of(listing):
        if not path.endswith("_index.md"):
            sections.setdefault(content.section_of(path), []).append(path)
    return sections


def on_site(context: Context, matter: dict[str, Any]) -> bool:
    """Tell whether an article is on the site: neither draft nor too early nor too late, or in the preview.

    One that cannot be understood counts as there: its page says what is wrong.
    """
    return not unpublished(context, matter) or _shows_drafts(context)


def unpublished(context: Context, matter: dict[str, Any]) -> str:
    """Say why an article is in the preview alone; empty if it is not."""
    if matter.get("draft"):
        return "Draft"
    first, last = matter.get("publish_date"), matter.get("expiry_date")
    if first and not _begun(context, first):
        return f"Not on the site before {first}"
    return f"Not on the site after {last}" if last and _begun(context, _day_after(last)) else ""


def drafts(context: Context) -> list[str]:
    """Give the articles that are here because this is the preview."""
    hidden = [
        path
        for path, matter in articles(context)
        if not path.endswith("_index.md") and unpublished(context, matter)
    ]
    return hidden if hidden and _shows_drafts(context) else []


def _shows_drafts(context: Context) -> bool:
    return json.loads(context.read(Key("config", "site.toml", "drafts")))


def _begun(context: Context, day: str) -> bool:
    return json.loads(context.read(Key("begun", day)))


def _day_after(day: str) -> str:
    date = datetime.date.fromisoformat(day)
    return str(date + datetime.timedelta(1)) if date < datetime.date.max else "never"


def layout_of(matter: dict[str, Any], usual: str) -> str:
    return f"{matter.get('layout') or usual}.mako"


def read(context: Context, route: Route) -> tuple[dict[str, Any], Any, list[dict[str, Any]]]:
    """Give the front matter, the HTML and the headings of the article of a page. Raises `ContentError`."""
    path = route.argument
    body = context.find(Key("article", path, "body"))
    if body is None:
        problem = context.find(Key("article", path, "problem"))
        if problem:
            raise ContentError(*json.loads(problem))
        body = context.read(Key("prose", f"{route.kind}/{path}"))
    matter = json.loads(context.read(Key("article", path, "front-matter")))
    contents = json.loads(context.read(Key("article", path, "contents")))
    return matter, raw(body.decode()), contents


def route_of(kind: str, path: str, matter: dict[str, Any]) -> Route:
    title, menu, weight = matter.get("title", path), matter.get("menu", False), matter.get("weight", 0)
    return Route(kind, path, content.address(path, matter), f"content/{path}", title, menu, weight)
