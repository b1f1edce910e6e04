"""The help pages of the checks, from their docstrings, each with the atlases that it finds something in."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hdash_site.engine.model import Context, Key
from hdash_site.htan.checks import checks
from hdash_site.pages import markup
from hdash_site.pages.figures import raw
from hdash_site.pages.page import page as render_page
from hdash_site.pages.route import Route, slug, slugs


def routes(context: Context) -> Iterable[Route]:  # noqa: ARG001
    yield Route("check", "", "checks/", "the list of checks", "Checks", menu=True, weight=10)
    for check in checks():
        yield Route("check", check.CODE, f"checks/{slug(check.CODE)}/", f"check {check.CODE}", check.CODE)


def page(context: Context, route: Route) -> dict[str, bytes]:
    atlases = slugs(json.loads(context.read(Key("atlases"))))
    counted = context.need(Key("report", atlas, "codes") for atlas in atlases)
    found = {atlas: json.loads(data) for atlas, data in zip(atlases, counted, strict=True)}
    if not route.argument:
        rows = [
            (
                check,
                f"{slug(check.CODE)}/",
                sum(sum(codes.get(check.CODE, (0, 0))) for codes in found.values()),
            )
            for check in checks()
        ]
        return {route.file: render_page(context, "checks.mako", route, rows=rows)}
    [check] = [check for check in checks() if route.argument == check.CODE]
    reported = context.need(Key("report", atlas, "crashed") for atlas in atlases)
    crashed = [any(one["code"] == check.CODE for one in json.loads(data)) for data in reported]
    counts = [
        (atlas, f"{atlases[atlas]}/", codes.get(check.CODE, (0, 0)), has_crashed)
        for (atlas, codes), has_crashed in zip(found.items(), crashed, strict=True)
    ]
    text = raw(markup.to_html(check.__doc__ or ""))
    return {route.file: render_page(context, "check.mako", route, check=check, text=text, counts=counts)}
