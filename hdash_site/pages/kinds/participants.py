"""The participants of an atlas: lists, and a page for each.

The pages are made by `people:<atlas>/<group>`, some participants at a time: a task for each of some thousand
would cost more than its page, and one for all would make every page anew when one has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, paged, slugs

A_PAGE = 1000
"""Participants on one page of the list."""


def routes(context: Context) -> Iterable[Route]:
    for atlas, name in slugs(json.loads(context.read(Key("atlases")))).items():
        title = f"{atlas}: participants"
        yield Route("participants", atlas, f"{name}/participants/", f"atlas {atlas}", title)


def page(context: Context, route: Route) -> dict[str, bytes]:
    """Make the first list at the address of the route, and all else below it."""
    atlas = route.argument
    people = json.loads(context.read(Key("descent", atlas, "people")))
    pages = paged(route.url, people, A_PAGE, "page-")
    files: dict[str, bytes] = {}
    for number, url, some in pages:
        here = route._replace(url=url)
        files[here.file] = render_page(
            context,
            "participants.mako",
            here,
            atlas=atlas,
            people=some,
            number=number,
            pages=[(other, address) for other, address, _ in pages],
            count_all=len(people),
        )
    groups = json.loads(context.read(Key("descent", atlas, "groups")))
    for made in context.need(Key("people", f"{atlas}/{group}") for group in groups):
        files |= {f"{route.path}{path}": text.encode() for path, text in json.loads(made).items()}
    return files
