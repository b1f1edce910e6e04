"""The home page: the table of the atlases, with totals."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hdash_site.engine.model import Context, Key
from hdash_site.htan.files import vocabulary
from hdash_site.pages import prose
from hdash_site.pages.history import name_of
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, slugs

TOTALS = (
    "files",
    "bytes",
    "manifests",
    "records",
    "filled",
    "cells",
    "participants",
    "biospecimens",
    "errors",
    "warnings",
)


DRAWN = ("files", "records", "errors", "warnings")
"""The figures that have a line."""


def routes(context: Context) -> Iterable[Route]:  # noqa: ARG001
    yield Route("home", "", "", "the list of atlases", "Atlases")


def page(context: Context, route: Route) -> dict[str, bytes]:
    atlases = json.loads(context.read(Key("atlases")))
    summaries = [
        json.loads(data) for data in context.need(Key("report", atlas, "summary") for atlas in atlases)
    ]
    addresses = slugs(atlases)
    rows = [
        summary | {"url": f"{addresses[atlas]}/"} for atlas, summary in zip(atlases, summaries, strict=True)
    ]
    totals: dict[str, Any] = {name: sum(row[name] for row in rows) for name in TOTALS}
    totals["types"] = {name: sum(row["types"][name]["files"] for row in rows) for name in vocabulary().types}
    points = json.loads(context.read(Key("history", "", "recent")))
    values = {
        "rows": rows,
        "totals": totals,
        "types": vocabulary().types,
        "trends": [trend for name in DRAWN if (trend := prose.trend(name, points))],
        "newest": (points[-1][0], f"changes/{name_of(points[-1][0])}/") if points else None,
    }
    return {route.file: render_page(context, "home.mako", route, **values)}
