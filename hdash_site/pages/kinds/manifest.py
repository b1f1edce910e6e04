"""The page of a manifest: what to fix there, its columns with their fill rate, where it is in Synapse."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, manifest_name, manifest_of, slug, slugs


def routes(context: Context) -> Iterable[Route]:
    for atlas, name in slugs(json.loads(context.read(Key("atlases")))).items():
        for entity in json.loads(context.read(Key("snapshot", atlas, "entities"))):
            url = f"{name}/manifests/{slug(entity)}/"
            yield Route(
                "manifest",
                manifest_name(atlas, entity),
                url,
                f"manifest {entity} of atlas {atlas}",
                entity,
            )


def page(context: Context, route: Route) -> dict[str, bytes]:
    """Make the page; there is none for a manifest in an archive, of which the report knows nothing."""
    atlas, entity = manifest_of(route.argument)
    about = context.find(Key("report", atlas, f"manifest/{entity}"))
    if about is None:
        return {}
    columns = context.find(Key("report", atlas, f"columns/{entity}"))
    download = context.find(Key("report", atlas, f"findings/{entity}.csv"))
    files = {f"{route.url}findings.csv": download} if download else {}
    return files | {
        route.file: render_page(
            context,
            "manifest.mako",
            route,
            atlas=atlas,
            about=json.loads(about),
            notice=json.loads(context.read(Key("snapshot", atlas, "notice"))),
            crashed=json.loads(context.read(Key("report", atlas, "crashed"))),
            groups=json.loads(context.read(Key("report", atlas, f"findings/{entity}")))["groups"],
            columns=json.loads(columns) if columns else [],
        )
    }
