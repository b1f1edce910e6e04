"""What the pages show, as JSON for scripts: `index.json` with all atlases, `atlas.json` with all of one.

docs/data.md says what every field means. A change that breaks a reader gets another `VERSION`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from hdash_site.engine.model import Context, Key
from hdash_site.pages.route import Route, slug, slugs

VERSION = 2


def routes(context: Context) -> Iterable[Route]:
    yield Route("dataset", "", "index.json", "the data of all atlases", "All atlases as JSON")
    for atlas, name in slugs(json.loads(context.read(Key("atlases")))).items():
        yield Route("dataset", atlas, f"{name}/atlas.json", f"atlas {atlas}", f"{atlas} as JSON")


def page(context: Context, route: Route) -> dict[str, bytes]:
    site = json.loads(context.read(Key("config", "site.toml", "site")))
    head = {"version": VERSION, "title": site["title"], "sample": site["sample"]}
    body = _atlas(context, route.argument) if route.argument else _index(context)
    return {route.file: dumps(head | body)}


def dumps(value: Any) -> bytes:
    """Write JSON in ASCII, inert also where somebody takes it for HTML."""
    text = json.dumps(value, separators=(",", ":"))
    return (re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text) + "\n").encode()


def _index(context: Context) -> dict[str, Any]:
    addresses = slugs(json.loads(context.read(Key("atlases"))))
    summaries = context.need(Key("report", atlas, "summary") for atlas in addresses)
    atlases = [
        json.loads(summary) | {"page": f"{url}/", "data": f"{url}/atlas.json"}
        for url, summary in zip(addresses.values(), summaries, strict=True)
    ]
    return {"atlases": atlases}


def _atlas(context: Context, atlas: str) -> dict[str, Any]:
    def facet(name: str) -> Any:
        return json.loads(context.read(Key("report", atlas, name)))

    return {
        "atlas": facet("summary"),
        "manifests": [one | {"page": f"manifests/{slug(one['id'])}/"} for one in facet("manifests")],
        "checks": [
            {key: value for key, value in check.items() if key != "groups"} for check in facet("checks")
        ],
        "fixes": [cause | {"where": [_place(place) for place in cause["where"]]} for cause in facet("fixes")],
        "completeness": [_matrix(matrix) for matrix in facet("completeness")],
        "timelines": facet("timeline"),
        "folders": facet("folders"),
        "downloads": {"findings": "findings.csv", "fixes": "fix/fixes.csv", "network": "network.sif"},
    }


def _place(place: dict[str, Any]) -> dict[str, Any]:
    ranges, more = place["rows"]
    return place | {"rows": ranges, "more_rows": more}


def _matrix(matrix: dict[str, Any]) -> dict[str, Any]:
    columns = [{key: column[key] for key in ("name", "label", "count")} for column in matrix["columns"]]
    shown = {key: matrix[key] for key in ("key", "title", "rows", "count", "empty")}
    return shown | {"columns": columns, "table": f"completeness-{slug(matrix['key'])}.csv"}
