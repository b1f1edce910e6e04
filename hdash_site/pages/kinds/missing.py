"""The page for an address that does not exist."""

from __future__ import annotations

from collections.abc import Iterable

from hdash_site.engine.model import Context
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:  # noqa: ARG001
    yield Route("missing", "", "404.html", "the page for what is missing", "There is no such page")


def page(context: Context, route: Route) -> dict[str, bytes]:
    return {route.file: render_page(context, "missing.mako", route)}
