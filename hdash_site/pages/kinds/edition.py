"""What changed in an edition: a page that stays as it is, whatever comes after.

Only where an atlas that it names has a page or has none any more, the link to that comes or goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hdash_site.engine.model import Context, Key
from hdash_site.htan.checks import checks
from hdash_site.pages.figures import clock
from hdash_site.pages.history import brief, name_of, sentence
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route

MANIFESTS_SHOWN = 200
"""Manifests on a page: an atlas can lose all that it has."""


class Open(NamedTuple):
    """Findings of a check in an atlas: those that are new, were fixed, and are there, since when."""

    atlas: str
    code: str
    new: int
    fixed: int
    errors: int
    warnings: int
    since: str


def routes(context: Context) -> Iterable[Route]:
    for name in json.loads(context.read(Key("history", "", "index"))):
        day, time = name[:10], name[11:].replace("-", ":")
        title = f"What changed on {clock(f'{day}T{time}+00:00')}"
        yield Route("edition", name, f"changes/{name}/", f"the edition of {day}, {time}", title)


def page(context: Context, route: Route) -> dict[str, bytes]:
    edition = json.loads(context.read(Key("history", route.argument)))
    found = list(_findings(edition))
    manifests = list(_manifests(edition["changes"]))
    named = {one.code for one in found}

    def links(kind: str, names: Iterable[str]) -> dict[str, str]:
        """Give the address of each page of these that there is today."""
        fields = {name: context.find(Key("routes", "", f"{kind}/{name}")) for name in names}
        return {name: Route(*json.loads(data)[0]).url for name, data in fields.items() if data}

    values = {
        "edition": edition,
        "said": sentence(brief(edition)),
        "older": f"../{name_of(edition['before'])}/" if edition["before"] else "",
        "moved": [one for one in found if one.new or one.fixed],
        "open": [one for one in found if one.errors or one.warnings],
        "manifests": manifests[:MANIFESTS_SHOWN],
        "more": len(manifests[MANIFESTS_SHOWN:]),
        "atlases": links("atlas", sorted({*edition["atlases"], *edition["gone"]})),
        "helps": links("check", sorted(named)),
        "titles": {check.CODE: check.TITLE for check in checks()},
    }
    return {route.file: render_page(context, "edition.mako", route, **values)}


def _findings(edition: Mapping[str, Any]) -> Iterable[Open]:
    for atlas, held in edition["atlases"].items():
        changed = edition["changes"].get(atlas, {})
        new, fixed = changed.get("new", {}), changed.get("fixed", {})
        for code in sorted({*held["checks"], *new, *fixed}):
            counts = held["checks"].get(code, (0, 0, ""))
            yield Open(atlas, code, new.get(code, 0), fixed.get(code, 0), *counts)


def _manifests(changes: Mapping[str, Any]) -> Iterable[tuple[str, str, str, str, str]]:
    """Give atlas, what happened, component, entity, and the entity that was in its place if it is another."""
    for atlas, some in changes.items():
        for entity, component, former in some.get("replaced", ()):
            yield atlas, "replaced", component, entity, former if former != entity else ""
        for how in ("added", "removed"):
            for entity, component in some.get(how, ()):
                yield atlas, how, component, entity, ""
