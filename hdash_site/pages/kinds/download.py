"""The files of an atlas for other programs: its findings, its network, its completeness."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.pages.names import slug
from hdash_site.pages.route import Route, slugs


def routes(context: Context) -> Iterable[Route]:
    for atlas, name in slugs(json.loads(context.read(Key("atlases")))).items():
        yield Route("download", atlas, f"{name}/findings.csv", f"atlas {atlas}", f"{atlas}: findings")


def page(context: Context, route: Route) -> dict[str, bytes]:
    folder = route.path.rpartition("/")[0]
    matrices = json.loads(context.read(Key("report", route.argument, "completeness")))
    parts = {"findings.csv": "findings.csv", "network.sif": "network.sif"}
    parts |= {f"completeness-{slug(m['key'])}.csv": f"completeness/{m['key']}.csv" for m in matrices}
    return {
        f"{folder}/{name}": context.read(Key("report", route.argument, part)) for name, part in parts.items()
    }
