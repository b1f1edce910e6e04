"""The assets: files of `layouts/assets/` under a name that holds their digest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote, unquote

from hdash_site.engine.model import Context, Key
from hdash_site.pages.assets import asset, asset_url
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    for name in json.loads(context.read(Key("folder", "layouts/assets"))):
        yield Route("asset", name, f"assets/{quote(name)}", f"layouts/assets/{name}", name)


def page(context: Context, route: Route) -> dict[str, bytes]:
    return {unquote(asset_url(context, route.argument)): asset(context, route.argument)}
