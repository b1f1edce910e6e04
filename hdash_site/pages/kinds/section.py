"""A page a section: a folder under `content/`, introduced by its `_index.md`, with a list of its articles."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages import content
from hdash_site.pages.kinds.article import articles, layout_of, read, route_of
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    found = dict(articles(context))
    for folder in sorted({content.section_of(path) for path in found} - {""}):
        index = f"{folder}/_index.md"
        # What lies in the folder of an article makes no section of it.
        if index in found or f"{folder}/index.md" not in found:
            title = folder.rpartition("/")[2].capitalize()
            yield route_of("section", index, found.get(index, {"title": title}))


def page(context: Context, route: Route) -> dict[str, bytes]:
    folder = route.argument.removesuffix("/_index.md")
    listed = json.loads(context.read(Key("section", folder, "articles")))
    matter, body = {"title": route.title}, ""
    if route.argument in _files(context.read(Key("folder", "content"))):
        matter, body, _ = read(context, route)
    values = {"matter": matter, "body": body, "articles": listed}
    return {route.file: render_page(context, layout_of(matter, "section"), route, **values)}


@functools.lru_cache(2)
def _files(listing: bytes) -> frozenset[str]:
    """Give the files of `content/`; each section asks for the same listing."""
    return frozenset(json.loads(listing))
