"""Lists of pages, which several pages read a part of: articles of a section and of a tag, and the menu.

A new article whose text has an error is in none of them until its page can be made. One that has a page from
before keeps that page, and its place in the lists.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from hdash_site.engine.model import Context, Key
from hdash_site.pages import content
from hdash_site.pages.kinds.article import articles, on_site, unpublished
from hdash_site.pages.names import tag_address
from hdash_site.pages.route import Route

NEWEST = 30
"""Articles of a feed."""

SHOWN = ("title", "date", "description", "weight")
"""What lists show of an article, or sort by, beside whether it is in the preview alone."""


def section(folder: str, context: Context) -> Mapping[str, bytes]:
    """Give `articles` of a section, the `newest` of them, and `neighbours/<path>` of each."""
    hidden = set(json.loads(context.find(Key("unlisted", "", folder)) or b"[]"))
    found = [
        (path, matter)
        for path, matter in articles(context, folder)
        if matter and f"article/{path}" not in hidden and on_site(context, matter)
    ]
    listed = _sorted(context, found)
    published = [entry for entry in listed if not entry[0]["unpublished"]]
    parts = {"articles": _json(listed), "newest": _json(published[:NEWEST])}
    paths = {content.address(path, matter): path for path, matter in found}
    for before, (_, url), after in zip([None, *listed], listed, [*listed[1:], None], strict=False):
        parts[f"neighbours/{paths[url]}"] = _json([before, after])
    return parts


def tags(context: Context) -> Mapping[str, bytes]:
    """Return all tags with their address and number of articles, and the articles of each by address."""
    hidden = set(json.loads(context.read(Key("unlisted"))))
    found = [(path, matter) for path, matter in tagged(context) if f"article/{path}" not in hidden]
    spellings = spelled(found)
    listed = {address: _sorted(context, some) for address, some in _by_tag(found).items()}
    named = sorted((spellings[address], address, len(some)) for address, some in listed.items())
    parts = {"": _json(named)}
    for tag, address, _ in named:
        parts[f"articles/{address}"] = _json([tag, listed[address]])
    return parts


def tagged(context: Context) -> list[tuple[str, dict[str, Any]]]:
    """Return the articles on the site that can have tags."""
    return [
        (path, matter)
        for path, matter in articles(context)
        if matter and not path.endswith("_index.md") and on_site(context, matter)
    ]


def spelled(found: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """Return each tag by its address, in the spelling that most articles use."""
    counts: dict[str, Counter[str]] = {}
    for _, matter in found:
        for tag in matter["tags"]:
            counts.setdefault(tag_address(tag), Counter())[tag] += 1
    return {
        address: min(spellings, key=lambda tag: (-spellings[tag], tag))
        for address, spellings in counts.items()
    }


def _by_tag(found: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    articles: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for path, matter in found:
        for address in dict.fromkeys(map(tag_address, matter["tags"])):
            articles.setdefault(address, []).append((path, matter))
    return articles


class Entry(NamedTuple):
    """A page of an article that lists may name: its name in keys, the article, its file, its own layout."""

    page: str
    article: str
    file: str
    layout: str


def entries(context: Context, routes: Iterable[Route]) -> dict[str, Entry]:
    """Return the entry of each page that is made of an article."""
    matters = dict(articles(context))
    found: dict[str, Entry] = {}
    for route in routes:
        if route.kind in ("article", "section") and route.argument in matters:
            layout = matters[route.argument].get("layout", "")
            own = f"{layout}.mako" if layout else ""
            found[route.name] = Entry(route.name, route.argument, route.file, own)
    return found


def unlisted(context: Context) -> Mapping[str, bytes]:
    """Return the pages that no list may name, and by section those of its articles."""
    entries = _entries(context.read(Key("routes", "", "articles")))
    hidden = dict.fromkeys(_hidden(context, entries))
    parts: dict[str, list[str]] = {}
    for entry in entries:
        if entry.page in hidden:
            parts.setdefault(content.section_of(entry.article), []).append(entry.page)
    return {folder: _json(pages) for folder, pages in parts.items() if folder} | {"": _json(list(hidden))}


def menu(context: Context) -> Mapping[str, bytes]:
    """Return name and address of the entries of the menu."""
    found = json.loads(context.read(Key("routes", "", "menu")))
    entries = [Entry(*entry) for _, _, entry in found if entry]
    hidden = set(_hidden(context, entries))
    return {"": _json([(name, url) for name, url, entry in found if not entry or entry[0] not in hidden])}


def listed(context: Context) -> list[Route]:
    """Return the pages that a list of the whole site may name."""
    hidden = {
        *json.loads(context.read(Key("unlisted"))),
        *json.loads(context.read(Key("routes", "", "refused"))),
    }
    tags = {f"tag/{address}" for _, address, _ in json.loads(context.read(Key("tags")))}
    if tags:
        tags.add("tag/")
    return [
        route
        for route in (Route(*fields) for fields in json.loads(context.read(Key("routes"))))
        if route.name not in hidden and (route.kind != "tag" or route.name in tags)
    ]


def _entries(data: bytes) -> list[Entry]:
    return [Entry(*fields) for fields in json.loads(data)]


def _hidden(context: Context, entries: Collection[Entry]) -> list[str]:
    """Return the pages that have no address of their own, or cannot be made and never were."""
    refused = set(json.loads(context.read(Key("routes", "", "refused"))))
    states = context.find_all(Key("article", entry.article, "state") for entry in entries)
    return [
        entry.page
        for entry, state in zip(entries, states, strict=True)
        if entry.page in refused or (_fails(context, entry, state) and not _has_page(context, entry))
    ]


def _fails(context: Context, entry: Entry, state: bytes | None) -> bool:
    """Return whether the text of an article has an error, or its layout is missing."""
    if state is None or (
        entry.layout and entry.layout not in _layouts(context.read(Key("folder", "layouts")))
    ):
        return True
    return state == content.CALLS and not context.made(Key("prose", entry.page))


@functools.lru_cache(2)
def _layouts(listing: bytes) -> frozenset[str]:
    return frozenset(json.loads(listing))


def _has_page(context: Context, entry: Entry) -> bool:
    return context.find(Key("shown", entry.page, entry.file)) is not None


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
