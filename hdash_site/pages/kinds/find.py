"""The page where one looks an id up. The index that it asks is made by `shards`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages.assets import asset_url
from hdash_site.pages.page import page as render_page
from hdash_site.pages.page import root_of
from hdash_site.pages.route import Route, slugs


def routes(context: Context) -> Iterable[Route]:  # noqa: ARG001
    yield Route("find", "", "find/", "the page to find an id", "Find an id", menu=True, weight=5)


def page(context: Context, route: Route) -> dict[str, bytes]:
    atlases = slugs(json.loads(context.read(Key("atlases"))))
    strays = context.read(Key("strays", "", "directory")).decode()
    script = root_of(route.url) + asset_url(context, "find.js")
    return {
        route.file: render_page(
            context, "find.mako", route, atlases=list(atlases.items()), strays=strays, script=script
        )
    }
