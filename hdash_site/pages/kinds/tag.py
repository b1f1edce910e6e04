"""A page a tag, with its articles, and one that lists all tags, if there are any."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    found = json.loads(context.read(Key("tags")))
    if found:
        yield Route("tag", "", "tags/", "the list of tags", "Tags")
    for tag, address, _ in found:
        yield Route("tag", address, f"tags/{address}/", f"the tag {tag!r}", tag)


def page(context: Context, route: Route) -> dict[str, bytes]:
    if not route.argument:
        return {
            route.file: render_page(context, "tags.mako", route, tags=json.loads(context.read(Key("tags"))))
        }
    tag, listed = json.loads(context.read(Key("tags", "", f"articles/{route.argument}")))
    return {route.file: render_page(context, "tag.mako", route, tag=tag, articles=listed)}
