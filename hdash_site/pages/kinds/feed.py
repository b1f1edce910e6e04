"""A feed a section: `index.xml` beside its page, RSS with its newest articles."""

from __future__ import annotations

import datetime
import email.utils
import json
from collections.abc import Iterable
from typing import Any

from hdash_site.engine.model import Context, Key
from hdash_site.pages.figures import shown
from hdash_site.pages.kinds import section
from hdash_site.pages.page import base_of
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    for one in section.routes(context):
        yield Route("feed", one.argument, f"{one.url}index.xml", f"the feed of {one.source}", one.title)


def page(context: Context, route: Route) -> dict[str, bytes]:
    """Make the feed; its addresses are full if `base_url` is set, as readers of feeds want them."""
    site = json.loads(context.read(Key("config", "site.toml", "site")))
    base = base_of(route.url, site["base_url"])
    folder = route.argument.removesuffix("/_index.md")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<rss version="2.0"><channel>',
        f"<title>{shown(route.title)} · {shown(site['title'])}</title>",
        f"<link>{shown(base + route.url.removesuffix('index.xml'))}</link>",
        f"<description>{shown(route.title)}</description>",
    ]
    for entry, url in json.loads(context.read(Key("section", folder, "newest"))):
        lines += _item(entry, base + url)
    return {route.file: "\n".join([*lines, "</channel></rss>\n"]).encode("utf-8", "replace")}


def _item(entry: dict[str, Any], address: str) -> list[str]:
    lines = ["<item>", f"<title>{shown(entry['title'])}</title>", f"<link>{shown(address)}</link>"]
    lines.append(f"<guid>{shown(address)}</guid>")
    if entry["date"]:
        day = datetime.datetime.fromisoformat(entry["date"]).replace(tzinfo=datetime.UTC)
        lines.append(f"<pubDate>{email.utils.format_datetime(day)}</pubDate>")
    if entry["description"]:
        lines.append(f"<description>{shown(entry['description'])}</description>")
    return [*lines, "</item>"]
