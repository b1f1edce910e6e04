"""`sitemap.xml`: the pages that a search engine should know. The pages of the manifests are too many."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages import lists
from hdash_site.pages.figures import shown
from hdash_site.pages.route import Route

LISTED = ("home", "atlas", "check", "model", "changes", "compare", "article", "section", "tag")


def routes(context: Context) -> Iterable[Route]:  # noqa: ARG001
    yield Route("sitemap", "", "sitemap.xml", "the map of the site", "Map of the site")


def page(context: Context, route: Route) -> dict[str, bytes]:
    """Make the map; addresses are full if `base_url` is set, as search engines want them."""
    base = json.loads(context.read(Key("config", "site.toml", "site")))["base_url"]
    base = base if base.endswith("/") or not base else f"{base}/"
    urls = sorted({other.url for other in lists.listed(context) if other.kind in LISTED})
    lines = [f"  <url><loc>{shown(base + url or './')}</loc></url>" for url in urls]
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    )
    return {route.file: "\n".join([head, *lines, "</urlset>\n"]).encode()}
