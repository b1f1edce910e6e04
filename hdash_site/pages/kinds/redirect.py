"""A page at an old address that leads to the new one: `aliases` of articles, `[[redirect]]` of the site."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.artifact import address
from hdash_site.engine.model import Context, Key
from hdash_site.pages.kinds.article import articles, on_site, route_of
from hdash_site.pages.layouts import render
from hdash_site.pages.page import encoded, link, root_of
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    settings = json.loads(context.read(Key("config", "site.toml", "redirects")))
    for redirect in settings:
        yield _route(
            "site.toml", redirect["from"], encoded(redirect["to"].lstrip("/")), "site.toml, [[redirect]]"
        )
    for path, matter in articles(context):
        if on_site(context, matter):
            kind = "section" if path.endswith("_index.md") else "article"
            for alias in matter.get("aliases", ()):
                yield _route(path, alias, route_of(kind, path, matter).url, f"content/{path}, aliases")


def page(context: Context, route: Route) -> dict[str, bytes]:
    """Make a page that leads on by itself, where the server does not do it before."""
    owner = route.argument.partition(": ")[0]
    if any(page.partition("/")[2] == owner for page in json.loads(context.read(Key("unlisted")))):
        return {}  # it would lead to a page that is not there
    target = link(root_of(route.url), route.target) or "./"
    return {route.file: render(context, "redirect.mako", target=target)}


def _route(owner: str, old: str, target: str, source: str) -> Route:
    url = address(old)
    return Route("redirect", f"{owner}: {url}", url, source, f"Moved to {target}", target=target)
