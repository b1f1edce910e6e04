"""What every page has: the site's name, menu and assets, and links that work wherever the site stands."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

from hdash_site.engine.model import Context, Key
from hdash_site.pages.assets import asset_url
from hdash_site.pages.layouts import render
from hdash_site.pages.route import Route

ASSETS = ("site.css", "theme.js", "site.js", "tables.js", "search.js", "icon.svg")
"""What every page loads."""


def page(context: Context, layout: str, route: Route, **values: Any) -> bytes:
    """Render a page that has the base layout."""
    site = json.loads(context.read(Key("config", "site.toml", "site")))
    root = root_of(route.url, site["base_url"])
    return render(
        context,
        layout,
        site=site,
        route=route,
        root=root,
        menu=[
            (name, link(root, url), encoded(url) == route.url)
            for name, url in json.loads(context.read(Key("menu")))
        ],
        assets={name: root + asset_url(context, name) for name in ASSETS},
        version=context.read(Key("version")).decode(),
        **values,
    )


def root_of(url: str, base_url: str = "") -> str:
    """Give the way from a page to the top of the site: relative, so that the site works under any prefix.

    The page for what is missing is shown at any address, and must name the top in full.
    """
    if url == "404.html":
        return urllib.parse.urlsplit(base_url).path or "/"
    return "../" * url.count("/") or "./"


def base_of(url: str, base_url: str) -> str:
    """Give the top of the site for a feed: in full if that is known, as its readers want it."""
    return base_url or root_of(url)


def link(root: str, url: str) -> str:
    """Give the link to a page of this site, or to another site, as it was written."""
    scheme = urllib.parse.urlsplit(url).scheme
    return url if scheme in ("http", "https", "mailto") else root + encoded(url.lstrip("/"))


def encoded(url: str) -> str:
    """Return a link with letters outside ASCII percent-encoded; what is encoded already stays."""
    return url if url.isascii() else urllib.parse.quote(url, safe=_ASCII)


_ASCII = "".join(map(chr, range(0x21, 0x7F)))
