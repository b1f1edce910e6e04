"""The lists of the editions: the newest fifty, and behind them pages of fifty that stay as they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from hdash_site.engine.model import Context, Key
from hdash_site.pages.history import LISTED, sentence
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route


def routes(context: Context) -> Iterable[Route]:
    yield Route("changes", "", "changes/", "the list of changes", "Changes", menu=True, weight=20)
    for number in range(1, _pages(json.loads(context.read(Key("history", "", "index")))) + 1):
        title = f"Changes, page {number}"
        yield Route("changes", str(number), f"changes/page-{number}/", f"page {number} of the changes", title)


def _pages(names: Sequence[str]) -> int:
    """Count the pages of fifty that hold what is not among the newest fifty; all of them are full."""
    return max(0, -(-len(names) // LISTED) - 1)


def page(context: Context, route: Route) -> dict[str, bytes]:
    """Make a list. One of older editions names those before it alone, so that it need not be made again."""
    number = int(route.argument or 0)
    part = f"page/{number}" if number else "newest"
    listed = [(one, sentence(one)) for one in json.loads(context.read(Key("history", "", part)))]
    older = range(number - 1, 0, -1)
    if not number:
        older = range(_pages(json.loads(context.read(Key("history", "", "index")))), 0, -1)
    return {route.file: render_page(context, "changes.mako", route, editions=listed, older=older)}
