"""The timelines of all participants of an atlas, some on each page."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages import charts
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, paged, slugs

A_PAGE = 50
"""Participants on one page."""


def routes(context: Context) -> Iterable[Route]:
    for atlas, name in slugs(json.loads(context.read(Key("atlases")))).items():
        yield Route("timeline", atlas, f"{name}/timeline/", f"atlas {atlas}", f"{atlas}: timelines")


def page(context: Context, route: Route) -> dict[str, bytes]:
    """Make page 1 at the address of the route, and the others below it."""
    participants = json.loads(context.read(Key("report", route.argument, "timeline")))
    pages = paged(route.url, participants, A_PAGE)
    files: dict[str, bytes] = {}
    for number, url, some in pages:
        here = route._replace(url=url)
        files[here.file] = render_page(
            context,
            "timeline.mako",
            here,
            atlas=route.argument,
            timelines=charts.timelines(some),
            number=number,
            pages=[(other, address) for other, address, _ in pages],
            count_all=len(participants),
        )
    return files
