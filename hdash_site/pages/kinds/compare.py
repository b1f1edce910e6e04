"""The atlases side by side: what each has of every component, what each check finds, how complete it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hdash_site.engine.model import Context, Key
from hdash_site.htan.checks import checks
from hdash_site.htan.components import catalogue
from hdash_site.pages.names import slug
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, slugs


class Held(NamedTuple):
    """What an atlas has of a component."""

    manifests: int
    records: int
    filled: int
    cells: int


class Row(NamedTuple):
    """A component with what each atlas has of it, in the order of the columns; None: nothing."""

    label: str
    group: str
    level: int
    held: list[Held | None]


def routes(context: Context) -> Iterable[Route]:  # noqa: ARG001
    yield Route("compare", "", "compare/", "the comparison of the atlases", "Compare", menu=True, weight=5)


def page(context: Context, route: Route) -> dict[str, bytes]:
    atlases = slugs(json.loads(context.read(Key("atlases"))))
    compared = [json.loads(data) for data in context.need(Key("report", one, "compared") for one in atlases)]
    codes = [json.loads(data) for data in context.need(Key("report", one, "codes") for one in atlases)]
    added = json.loads(context.read(Key("config", "site.toml", "components")))
    rows = _rows(compared, [component.name for component in catalogue(added)])
    found = [
        (
            check.CODE,
            check.TITLE,
            f"checks/{slug(check.CODE)}/",
            [one.get(check.CODE, (0, 0)) for one in codes],
        )
        for check in checks()
    ]
    totals = [_total(row.held[place] for row in rows) for place in range(len(atlases))]
    return {
        route.file: render_page(
            context, "compare.mako", route, atlases=atlases, rows=rows, found=found, totals=totals
        )
    }


def _rows(compared: list[Mapping[str, Any]], known: list[str]) -> list[Row]:
    """The components that some atlas has: in the order of the catalogue, then by name."""
    order = {name: place for place, name in enumerate(known)}
    names = sorted(
        {name for one in compared for name in one}, key=lambda name: (order.get(name, len(order)), name)
    )
    rows: list[Row] = []
    for name in names:
        label, group, level = next(one[name][:3] for one in compared if name in one)
        held = [Held(*one[name][3:]) if name in one else None for one in compared]
        rows.append(Row(label, group, level, held))
    return rows


def _total(held: Iterable[Held | None]) -> Held:
    some = [one for one in held if one]
    return Held(*(sum(one[place] for one in some) for place in range(4)))
