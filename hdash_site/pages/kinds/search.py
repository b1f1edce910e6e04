"""What the search of the site looks through, and the map of the site for those who run no script.

Both are made of titles and addresses alone, so that they stand while figures change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from hdash_site.engine.model import Context, Key
from hdash_site.htan.checks import checks
from hdash_site.htan.components import catalogue
from hdash_site.htan.text import clean
from hdash_site.pages import lists
from hdash_site.pages.kinds import model
from hdash_site.pages.kinds.dataset import dumps
from hdash_site.pages.names import slug
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, slugs

ABOUT = {
    "home": "the list of atlases",
    "compare": "the atlases side by side",
    "find": "participants, biospecimens and files by their id",
    "changes": "what changed, build by build",
    "model": "the components and ids",
    "article": "article",
    "section": "section",
    "tag": "tag",
}
"""What is found beside atlases, manifests, checks and components, with a word for each kind."""


def routes(context: Context) -> Iterable[Route]:  # noqa: ARG001
    yield Route("search", "", "search/", "the map of the site", "Map of the site")


def page(context: Context, route: Route) -> dict[str, bytes]:
    atlases = slugs(json.loads(context.read(Key("atlases"))))
    names = {atlas: json.loads(context.read(Key("snapshot", atlas, "project")))["name"] for atlas in atlases}
    pages = [other for other in lists.listed(context) if other.kind in ABOUT]
    explained = [(check.CODE, check.TITLE, f"checks/{slug(check.CODE)}/") for check in checks()]
    titles = [(clean(atlas), f"{url}/", f"atlas {clean(names[atlas])}") for atlas, url in atlases.items()]
    titles += [(f"What to fix in {clean(atlas)}", f"{url}/fix/", "") for atlas, url in atlases.items()]
    titles += [(other.title, other.url, ABOUT[other.kind]) for other in pages]
    titles += [(code, url, f"check: {title}") for code, title, url in explained]
    titles += _components(context)
    titles += _manifests(context, atlases)
    return {
        route.file: render_page(
            context, "search.mako", route, atlases=atlases, names=names, pages=pages, checks=explained
        ),
        f"{route.path}titles.json": dumps({"titles": titles}),
    }


def _components(context: Context) -> list[tuple[str, str, str]]:
    components = list(catalogue(json.loads(context.read(Key("config", "site.toml", "components")))))
    anchors = model.anchors(components)
    return [
        (one.label or one.name, f"{model.URL}#{anchors[one.name]}", f"component {one.name}")
        for one in components
    ]


def _manifests(context: Context, atlases: Mapping[str, str]) -> list[tuple[str, str, str]]:
    named = context.need(Key("report", atlas, "titles") for atlas in atlases)
    return [
        (f"{label} of {clean(atlas)}", f"{url}/manifests/{slug(entity)}/", f"{entity} {path}")
        for (atlas, url), data in zip(atlases.items(), named, strict=True)
        for entity, label, path in json.loads(data)
    ]
