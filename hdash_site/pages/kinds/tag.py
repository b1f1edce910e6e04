"""A page a tag, with its articles, and one that lists all tags, if there are any."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages import lists
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    # Not of the lists: what can be listed depends on the addresses of all pages.
    spellings = lists.spelled(lists.tagged(context))
    if spellings:
        yield Route("tag", "", "tags/", "the list of tags", "Tags")
    for address, tag in sorted(spellings.items()):
        yield Route("tag", address, f"tags/{address}/", f"the tag {tag!r}", tag)


def page(context: Context, route: Route) -> dict[str, bytes]:
    """Make the page; there is none of a tag whose articles are all new and have errors."""
    if not route.argument:
        tags = json.loads(context.read(Key("tags")))
        return {route.file: render_page(context, "tags.mako", route, tags=tags)} if tags else {}
    found = context.find(Key("tags", "", f"articles/{route.argument}"))
    if found is None:
        return {}
    tag, listed = json.loads(found)
    return {route.file: render_page(context, "tag.mako", route, tag=tag, articles=listed)}
