"""The feed of the changes, in Atom: the newest editions, each with what changed in words."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages.figures import clock, shown
from hdash_site.pages.history import sentence
from hdash_site.pages.page import base_of
from hdash_site.pages.route import Route

NEWEST = 30
"""Editions of the feed."""

NEVER = "1970-01-01T00:00:00+00:00"
"""When a feed without an edition was last changed: it must say something."""


def routes(context: Context) -> Iterable[Route]:  # noqa: ARG001
    yield Route("atom", "", "changes/feed.xml", "the feed of the changes", "Changes")


def page(context: Context, route: Route) -> dict[str, bytes]:
    """Make the feed; its addresses are full if `base_url` is set, as readers of feeds want them."""
    site = json.loads(context.read(Key("config", "site.toml", "site")))
    base = base_of(route.url, site["base_url"])
    listed = json.loads(context.read(Key("history", "", "newest")))[:NEWEST]

    def name_of(address: str) -> str:
        """Give what is unique in the world: the address, or if nobody knows it a number made of it."""
        return base + address if site["base_url"] else f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, address)}"

    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<title>{shown(route.title)} · {shown(site['title'])}</title>",
        f"<id>{shown(name_of('changes/'))}</id>",
        f'<link href="{shown(base)}changes/"/>',
        f'<link rel="self" href="{shown(base + route.url)}"/>',
        f"<updated>{listed[0]['when'] if listed else NEVER}</updated>",
        f"<author><name>{shown(site['title'])}</name></author>",
    ]
    for one in listed:
        address = f"changes/{one['name']}/"
        lines += [
            "<entry>",
            f"<title>What changed on {clock(one['when'])}</title>",
            f"<id>{shown(name_of(address))}</id>",
            f'<link href="{shown(base + address)}"/>',
            f"<updated>{one['when']}</updated>",
            f"<summary>{shown(sentence(one))}</summary>",
            "</entry>",
        ]
    return {route.file: "\n".join([*lines, "</feed>\n"]).encode("utf-8", "replace")}
