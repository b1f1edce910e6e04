"""The page of an atlas: everything about it, in sections that a link can name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hdash_site.engine.model import Context, Key
from hdash_site.htan.files import vocabulary
from hdash_site.pages import charts
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, slug, slugs

GROUPS_SHOWN = 20
"""Groups of findings of one check on the page; the rest is in the CSV and on the pages of the manifests."""

SUPERSEDED_SHOWN = 50
"""Manifests that are not used, on the page; `atlas.json` has all."""

SUPERSEDED_BECAUSE = {
    "older": "older",
    "censored": "censored version",
    "legacy": "legacy name",
}

TIMELINES_SHOWN = 20
"""Participants on the page; all are on the pages of the timelines."""


def routes(context: Context) -> Iterable[Route]:
    for atlas, name in slugs(json.loads(context.read(Key("atlases")))).items():
        yield Route("atlas", atlas, f"{name}/", f"atlas {atlas}", atlas)


def page(context: Context, route: Route) -> dict[str, bytes]:
    def facet(name: str) -> Any:
        return json.loads(context.read(Key("report", route.argument, name)))

    manifests, timelines = facet("manifests"), facet("timeline")
    return {
        route.file: render_page(
            context,
            "atlas.mako",
            route,
            summary=facet("summary"),
            types=vocabulary().types,
            notice=json.loads(context.read(Key("snapshot", route.argument, "notice"))),
            manifests=manifests,
            pages={manifest["id"]: f"manifests/{slug(manifest['id'])}/" for manifest in manifests},
            checks=facet("checks"),
            crashed=facet("crashed"),
            groups_shown=GROUPS_SHOWN,
            matrices=[charts.matrix(matrix) for matrix in facet("completeness")],
            timelines=charts.timelines(timelines[:TIMELINES_SHOWN]),
            timelines_count=len(timelines),
            folders=facet("folders"),
            superseded_shown=SUPERSEDED_SHOWN,
            superseded_because=SUPERSEDED_BECAUSE,
        )
    }
