"""Lists of articles, which several pages read a part of: those of a section, and those of a tag."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hdash_site.engine.model import Context
from hdash_site.pages import content
from hdash_site.pages.kinds.article import articles, on_site, unpublished
from hdash_site.pages.route import slugs

NEWEST = 30
"""Articles of a feed."""

SHOWN = ("title", "date", "description", "weight")
"""What lists show of an article, or sort by, beside whether it is in the preview alone."""


def section(folder: str, context: Context) -> Mapping[str, bytes]:
    """Give `articles` of a section, the `newest` of them, and `neighbours/<path>` of each."""
    found = [
        (path, matter) for path, matter in articles(context, folder) if matter and on_site(context, matter)
    ]
    listed = _sorted(context, found)
    published = [entry for entry in listed if not entry[0]["unpublished"]]
    parts = {"articles": _json(listed), "newest": _json(published[:NEWEST])}
    paths = {content.address(path, matter): path for path, matter in found}
    for before, (_, url), after in zip([None, *listed], listed, [*listed[1:], None], strict=False):
        parts[f"neighbours/{paths[url]}"] = _json([before, after])
    return parts


def tags(context: Context) -> Mapping[str, bytes]:
    """Give all tags with their address and number, the articles of each by address, the address of each."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for path, matter in articles(context):
        if matter and not path.endswith("_index.md") and on_site(context, matter):
            for tag in matter["tags"]:
                found.setdefault(tag, []).append((path, matter))
    addresses = slugs(sorted(found), taken=())
    parts = {"": _json([(tag, addresses[tag], len(found[tag])) for tag in sorted(found)])}
    for tag, address in addresses.items():
        parts[f"articles/{address}"] = _json([tag, _sorted(context, found[tag])])
        parts[f"address/{tag}"] = _json(address)
    return parts


def _sorted(context: Context, found: list[tuple[str, dict[str, Any]]]) -> list[tuple[dict[str, Any], str]]:
    """Give what is shown of each article with its address: the newest first, then by weight and title."""
    listed = [
        (
            {key: matter[key] for key in SHOWN} | {"unpublished": unpublished(context, matter)},
            content.address(path, matter),
        )
        for path, matter in found
    ]
    listed.sort(key=lambda entry: (entry[0]["weight"], entry[0]["title"]))
    listed.sort(key=lambda entry: entry[0]["date"], reverse=True)
    return listed


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
