"""The lineage of an atlas in figures: how many ids there are at each step, and where steps break."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages import diagrams
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, slugs


def routes(context: Context) -> Iterable[Route]:
    for atlas, name in slugs(json.loads(context.read(Key("atlases")))).items():
        yield Route("lineage", atlas, f"{name}/lineage/", f"atlas {atlas}", f"{atlas}: lineage")


def page(context: Context, route: Route) -> dict[str, bytes]:
    rows = json.loads(context.read(Key("descent", route.argument, "steps")))
    steps = diagrams.steps(rows)
    return {route.file: render_page(context, "lineage.mako", route, atlas=route.argument, steps=steps)}
