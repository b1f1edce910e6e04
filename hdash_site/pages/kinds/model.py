"""The primer of the data model: what kinds of manifest there are, and which ids link their rows.

It is made from the catalogue that the checks go by, and from `site.toml`, so that it cannot say otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.htan.components import Component, catalogue
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, slugs

URL = "data-model/"


def routes(context: Context) -> Iterable[Route]:  # noqa: ARG001
    yield Route("model", "", URL, "the page of the data model", "Data model", menu=True, weight=35)


def anchors(components: Iterable[Component]) -> dict[str, str]:
    """Give the place of each component on the page, by name."""
    names = slugs((one.name for one in components), taken=())
    return {name: f"component-{anchor}" for name, anchor in names.items()}


def page(context: Context, route: Route) -> dict[str, bytes]:
    added = json.loads(context.read(Key("config", "site.toml", "components")))
    components = catalogue(added)
    kinds = [
        (kind, [one for one in components if one.kind == kind])
        for kind in ("clinical", "biospecimen", "assay")
    ]
    return {
        route.file: render_page(
            context, "model.mako", route, kinds=kinds, anchors=anchors(components), total=len(components)
        )
    }
