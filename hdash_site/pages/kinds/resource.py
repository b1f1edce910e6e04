"""The pictures and tables beside an article that has a folder of its own, published beside its page."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.errors import ContentError
from hdash_site.pages import content
from hdash_site.pages.kinds.article import articles, on_site
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    found = dict(articles(context))
    for path in json.loads(context.read(Key("folder", "content"))):
        owner = content.bundle_of(path, found) if content.is_resource(path) else ""
        if owner and on_site(context, found[owner]):
            url = content.address(owner, found[owner]) + path.removeprefix(owner.rpartition("/")[0] + "/")
            yield Route("resource", path, url, f"content/{path}", path)


def page(context: Context, route: Route) -> dict[str, bytes]:
    data = context.find(Key("content", route.argument))
    if data is None:
        raise ContentError("cannot be read", route.source, "see that you may read it")
    return {route.file: data}
