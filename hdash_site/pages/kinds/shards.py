"""The index of all ids, for the page where one looks them up: a directory and shards for each atlas, and for
the ids that do not begin like their atlas.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages.route import Route, slugs

DIRECTORY = "directory.json"
STRAYS = "find/-other/"


def routes(context: Context) -> Iterable[Route]:
    for atlas, name in slugs(json.loads(context.read(Key("atlases")))).items():
        yield Route(
            "shards", atlas, f"find/{name}/{DIRECTORY}", f"atlas {atlas}", f"{atlas}: index of its ids"
        )
    yield Route("shards", "", f"{STRAYS}{DIRECTORY}", "the index of other ids", "Index of other ids")


def page(context: Context, route: Route) -> dict[str, bytes]:
    whole = Key("descent", route.argument) if route.argument else Key("strays")
    folder = route.path.removesuffix(DIRECTORY)
    shards = json.loads(context.read(whole._replace(part="shards")))
    files = {f"{folder}{name}.json": text.encode("utf-8", "replace") for name, text in shards.items()}
    return {route.file: context.read(whole._replace(part="directory"))} | files
