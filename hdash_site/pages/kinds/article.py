"""A page an article: every markdown file under `content/` that is no draft."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hdash_site.engine.model import Context, Key
from hdash_site.errors import ContentError
from hdash_site.pages import content
from hdash_site.pages.figures import raw
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    for path, matter in articles(context):
        if not path.endswith("_index.md") and not matter.get("draft"):
            yield route_of("article", path, matter)


def page(context: Context, route: Route) -> dict[str, bytes]:
    matter, body = read(context, route)
    return {route.file: render_page(context, "article.mako", route, matter=matter, body=body)}


def articles(context: Context) -> Iterable[tuple[str, dict[str, Any]]]:
    """Give every article with its front matter; one that cannot be understood has none here."""
    for path in json.loads(context.read(Key("folder", "content"))):
        if path.endswith(".md"):
            matter = context.find(Key("article", path, "front-matter"))
            yield path, json.loads(matter) if matter else {}


def read(context: Context, route: Route) -> tuple[dict[str, Any], Any]:
    """Give the front matter and the HTML of the article that a page shows. Raises `ContentError`."""
    path = route.argument
    problem = context.find(Key("article", path, "problem"))
    if problem:
        raise ContentError(*json.loads(problem))
    matter = json.loads(context.read(Key("article", path, "front-matter")))
    has_calls = context.find(Key("article", path, "calls")) is not None
    body = Key("prose", f"{route.kind}/{path}") if has_calls else Key("article", path, "body")
    return matter, raw(context.read(body).decode())


def route_of(kind: str, path: str, matter: dict[str, Any]) -> Route:
    title, menu, weight = matter.get("title", path), matter.get("menu", False), matter.get("weight", 0)
    return Route(kind, path, content.address(path, matter), f"content/{path}", title, menu, weight)
