"""A page a section: a folder under `content/`, introduced by its `_index.md`, with a list of its articles."""

from __future__ import annotations

from collections.abc import Iterable

from hdash_site.engine.model import Context
from hdash_site.pages.kinds.article import articles, layout_of, on_site, read, route_of
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    found = dict(articles(context))
    for folder in sorted({path.rpartition("/")[0] for path in found} - {""}):
        index = f"{folder}/_index.md"
        yield route_of("section", index, found.get(index, {"title": folder.rpartition("/")[2].capitalize()}))


def page(context: Context, route: Route) -> dict[str, bytes]:
    folder = route.argument.removesuffix("_index.md")
    found = dict(articles(context))
    matter, body = {"title": route.title}, ""
    if route.argument in found:
        matter, body, _ = read(context, route)
    listed = [
        (entry, route_of("article", path, entry).url)
        for path, entry in found.items()
        if _is_in(path, folder) and entry and on_site(context, entry)
    ]
    # Python sorts stably: by title, by weight, and then the newest first.
    listed.sort(key=lambda item: (item[0]["weight"], item[0]["title"]))
    listed.sort(key=lambda item: item[0]["date"], reverse=True)
    return {
        route.file: render_page(
            context, layout_of(matter, "section"), route, matter=matter, body=body, articles=listed
        )
    }


def _is_in(path: str, folder: str) -> bool:
    """Tell whether an article lies in a folder, not further down."""
    name = path.removeprefix(folder)
    return path.startswith(folder) and "/" not in name and name != "_index.md"
