"""The fix list of an atlas: what is wrong, by cause, the most frequent first, some causes on each page."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, paged, slug, slugs

A_PAGE = 500
"""Causes on one page."""


def routes(context: Context) -> Iterable[Route]:
    for atlas, name in slugs(json.loads(context.read(Key("atlases")))).items():
        yield Route("fix", atlas, f"{name}/fix/", f"atlas {atlas}", f"{atlas}: what to fix")


def page(context: Context, route: Route) -> dict[str, bytes]:
    """Make page 1 at the address of the route, the others below it, and the download beside them."""
    causes = json.loads(context.read(Key("report", route.argument, "fixes")))
    crashed = json.loads(context.read(Key("report", route.argument, "crashed")))
    notice = json.loads(context.read(Key("snapshot", route.argument, "notice")))
    pages = paged(route.url, causes, A_PAGE)
    counts = {
        severity: sum(cause["count"] for cause in causes if cause["severity"] == severity)
        for severity in ("error", "warning")
    }
    entities = {place["entity"] for cause in causes for place in cause["where"] if place["is_manifest"]}
    files = {f"{route.url}fixes.csv": context.read(Key("report", route.argument, "fixes.csv"))}
    for number, url, some in pages:
        here = route._replace(url=url)
        files[here.file] = render_page(
            context,
            "fix.mako",
            here,
            atlas=route.argument,
            folder=route.url.removesuffix("fix/"),
            notice=notice,
            crashed=crashed,
            causes=some,
            causes_from=(number - 1) * A_PAGE + 1,
            causes_count=len(causes),
            counts=counts,
            manifests={entity: f"manifests/{slug(entity)}/" for entity in entities},
            number=number,
            pages=[(other, address) for other, address, _ in pages],
        )
    return files
