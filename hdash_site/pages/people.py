"""The pages of some participants of an atlas, made together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from hdash_site.engine.model import Context, Key
from hdash_site.pages import charts, diagrams
from hdash_site.pages.names import slug
from hdash_site.pages.page import page
from hdash_site.pages.route import Route, slugs

SAMPLES_SHOWN = 100
"""Biospecimens in the table of a page."""


def pages(name: str, context: Context) -> Mapping[str, bytes]:
    """Make the pages of the participants of a group, `<atlas>/<group>`, by path below the list of all.

    They are one value, which is kept and loaded at once.
    """
    atlas, _, group = name.rpartition("/")
    folder = slugs(json.loads(context.read(Key("atlases"))))[atlas]
    held = json.loads(context.read(Key("descent", atlas, f"group/{group}")))
    told = json.loads(context.find(Key("demographics", atlas, group)) or b"{}")
    timed = json.loads(context.find(Key("report", atlas, f"timeline/{group}")) or b"[]")
    events = {one["participant"]: one for one in timed}
    wrong = json.loads(context.find(Key("report", atlas, f"own/{group}")) or b"{}")
    tables: dict[int, Sequence[Any]] = dict(held["components"])
    files: dict[str, str] = {}
    for person in held["people"]:
        url = f"{folder}/participants/{person['address']}/"
        route = Route("participants", atlas, url, f"atlas {atlas}", person["id"])
        files[f"{person['address']}/index.html"] = page(
            context,
            "participant.mako",
            route,
            atlas=atlas,
            person=person,
            search=quote(person["id"], safe=""),
            tables=tables,
            samples=[
                (one, quote(one, safe=""), above, made)
                for one, _, above, made in person["samples"][:SAMPLES_SHOWN]
            ],
            levels=levels(person["components"], tables),
            diagram=diagrams.person(person, tables),
            row=told.get(person["id"], []),
            **_wrong(*wrong.get(person["id"], ([], 0, False))),
            timelines=charts.timelines([events[person["id"]]] if person["id"] in events else []),
            manifests=[
                (entity, f"manifests/{slug(entity)}/", tables[code][0], count)
                for entity, code, count in person["manifests"]
            ],
        ).decode()
    return {"": json.dumps(files, ensure_ascii=False).encode()}


def _wrong(findings: Sequence[Mapping[str, Any]], more: int, may_be_more: bool) -> dict[str, Any]:
    """Give what the layout shows of the findings on the records of a participant."""
    return {
        "findings": [{**one, "page": f"manifests/{slug(one['manifest'])}/"} for one in findings],
        "more_findings": more,
        "may_be_more": may_be_more,
    }


def levels(
    components: Iterable[tuple[int, int]], tables: Mapping[int, Sequence[Any]]
) -> list[tuple[str, list[tuple[int, int | None]]]]:
    """Return, for each assay with levels, the number of files of each level; None: the level is missing.

    A level is missing if files of a higher one come from it, by the catalogue's chain of levels.
    """
    found: dict[str, dict[int, int]] = {}
    there: dict[str, list[int]] = {}
    needed: dict[str, set[int]] = {}
    for code, count in components:
        _, kind, family, level, known, below = tables[code]
        if kind == "assay" and level:
            counts = found.setdefault(family, {})
            counts[level] = counts.get(level, 0) + count
            there[family] = known
            needed.setdefault(family, set()).update(below)
    return [
        (
            family,
            [
                (level, counts.get(level, None if level in needed[family] else 0))
                for level in sorted({*there[family], *counts})
            ],
        )
        for family, counts in found.items()
    ]
