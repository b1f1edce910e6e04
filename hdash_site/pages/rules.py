"""The table: which kind of key is made by which recipe, and what code its value depends on.

    listing:<atlas>            what the rows of the file view say        htan.listing.facets
    manifest:<atlas>/<entity>  what the bytes of a manifest say          htan.parsing.facets
    report:<atlas>             what the domain concludes                 htan.report.facets
    descent:<atlas>            its ids, and who comes from whom          htan.descents.facets
    strays:                    ids that do not begin like their atlas    htan.descents.strays_of
    demographics:<atlas>       what is published of each participant     htan.demographics.facets
    people:<atlas>/<group>     the pages of some participants            pages.people.pages
    article:<path>             front matter and body of a markdown file  pages.content.parts
    prose:<kind>/<argument>    that body with its shortcodes filled in   pages.prose.filled
    picture:<path>             width and height of a picture              pages.content.size
    section:<folder>           the articles of a section                 pages.lists.section
    tags:                      the articles of each tag                  pages.lists.tags
    unlisted:                  pages that no list may name               pages.lists.unlisted
    menu:                      the entries of the menu                   pages.lists.menu
    data:<name>                a file of content/data/ for layouts       pages.data.parts
    routes:                    which pages there are, and who owns an address
    page:<kind>/<argument>     the files of a page, by path

The code behind those of `htan` is the package `htan`, which imports nothing of ours, and this module, which
calls it; behind the others it is all code that `pages` reaches, with the versions of the libraries that make
HTML. So two digests are all that is needed.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hdash_site.engine.model import OVERRUN, Context, Digest, Key, Overrun, Task, Tasks
from hdash_site.errors import ContentError
from hdash_site.pages import limits
from hdash_site.pages.names import folded
from hdash_site.pages.route import Route, manifest_name, manifest_of

KINDS = (
    "home",
    "find",
    "shards",
    "atlas",
    "lineage",
    "participants",
    "fix",
    "timeline",
    "manifest",
    "download",
    "dataset",
    "check",
    "model",
    "changes",
    "edition",
    "atom",
    "compare",
    "article",
    "section",
    "resource",
    "tag",
    "feed",
    "redirect",
    "missing",
    "sitemap",
    "search",
    "asset",
)
"""The page kinds, in the order in which a reader meets them."""


HEAVY = (
    *(f"hdash_site.htan.{name}" for name in ("listing", "parsing", "report", "descents", "demographics")),
    *("hdash_site.pages.content", "markdown.extensions.toc", "nh3"),
)
"""The modules of what is heavy, for the processes that do it."""

OF_ATLASES = ("listing", "manifest", "report", "descent", "demographics")
"""The kinds of what the domain makes of one atlas."""

DEFERRABLE = (*OF_ATLASES, "people", "strays")
"""The kinds that are left for the next build after the deadline. No page can be made without all articles."""

LARGE_PICTURE = 4 * 2**20
"""Bytes from which on a picture is measured within limits: of most pictures only the beginning is read."""

LISTING_FACETS = ("summary", "manifests", "folders", "findings", "entities")
MANIFEST_FACETS = ("columns", "ids", "rows", "problems")
"""What a report reads."""


DOMAIN_CODE = (
    "htan",
    "pages/__init__.py",
    "pages/rules.py",
    "pages/limits.py",
    "pages/names.py",
    "pages/route.py",
    "engine/model.py",
    "errors.py",
)
"""Files and folders of the package that the recipes of `htan` reach: their modules and what these import."""

PAGES_CODE = (
    "__init__.py",
    "artifact.py",
    "config.py",
    "engine/__init__.py",
    "engine/build.py",
    "engine/memory.py",
    "engine/model.py",
    "engine/schedule.py",
    "errors.py",
    "files.py",
    "imports.py",
    "pages",
    "serving.py",
    "snapshot.py",
)
"""The same for all other recipes, beside the code of the domain. A test compares both lists with the
imports: to follow these at run time would take a tenth of a build that has nothing to do.
"""


class Digests(NamedTuple):
    """What recipes depend on beside what they read."""

    domain: Digest
    pages: Digest


@functools.cache
def code(package: Path = Path(__file__).parents[1]) -> Digests:
    """Digest the code that is running, or that of another copy of the package."""
    python = ".".join(map(str, sys.version_info[:2])).encode()
    libraries = [
        _source("mako", "__init__.py"),
        _source("markdown", "__meta__.py"),
        _source("pygments", "__init__.py"),
        _source("yaml", "__init__.py"),
        _source("imagesize", "__init__.py"),
        _release("nh3"),
    ]
    domain = _digest_of_files(package, DOMAIN_CODE, [python])
    return Digests(domain, _digest_of_files(package, PAGES_CODE, [domain.encode(), *libraries]))


def tasks(digests: Digests) -> Tasks:
    """Give the task of each key; keys without one are inputs."""
    named: Mapping[str, tuple[Callable[[str, Context], Mapping[str, bytes]], Digest]] = {
        "page": (_page, digests.pages),
        "manifest": (_manifest, digests.domain),
        "report": (_report, digests.domain),
        "listing": (_listing, digests.domain),
        "descent": (_descent, digests.domain),
        "demographics": (_demographics, digests.domain),
        "people": (_people, digests.pages),
        "article": (_article, digests.pages),
        "prose": (_prose, digests.pages),
        "section": (_section, digests.pages),
        "data": (_data, digests.pages),
        "picture": (_picture, digests.pages),
    }
    single = {
        "routes": (_routes, digests.pages),
        "unlisted": (_unlisted, digests.pages),
        "menu": (_menu_listed, digests.pages),
        "tags": (_tags, digests.pages),
        "strays": (_strays, digests.domain),
    }

    def task(key: Key) -> Task | None:
        if key.kind in named:
            recipe, digest = named[key.kind]
            return Task(functools.partial(recipe, key.name), digest, key.kind in DEFERRABLE)
        return Task(*single[key.kind], key.kind in DEFERRABLE) if key.kind in single else None

    return task


def atlases_of(key: Key, atlases: Iterable[str]) -> list[str]:
    """Return those of the atlases whose pages lack something without this task; it is a deferrable one."""
    if key.kind == "strays":
        return list(atlases)  # a list of the ids of all atlases
    return [key.name.partition("/")[0]]


def page_key(route: Route) -> Key:
    return Key("page", route.name)


def _listing(atlas: str, context: Context) -> Mapping[str, bytes]:
    from hdash_site.htan import listing

    rows = context.read(Key("snapshot", atlas, "listing"))
    project = json.loads(context.read(Key("snapshot", atlas, "project")))
    archives = json.loads(context.read(Key("config", "site.toml", "listing")))["archives"]
    return limits.work(context, len(rows), listing.facets, rows, project["synapse_id"], archives)


def manifest_key(atlas: str, entity: str, part: str) -> Key:
    return Key("manifest", manifest_name(atlas, entity), part)


def _manifest(name: str, context: Context) -> Mapping[str, bytes]:
    """Read a manifest; nothing comes of one that could not be fetched.

    It goes by its entity, not by its bytes: what they say may be the same, and then nobody need look again.
    """
    from hdash_site.htan import parsing

    atlas, entity = manifest_of(name)
    fetched = json.loads(context.read(Key("snapshot", atlas, f"manifest/{entity}")))
    if "digest" not in fetched:
        return {}
    data = context.read(Key("blob", fetched["digest"]))
    components = context.read(Key("config", "site.toml", "components")).decode()
    try:
        return limits.work(context, len(data), parsing.facets, data, components)
    except Overrun as overrun:
        return {**parsing.given_up(overrun.resource, str(overrun)), OVERRUN: overrun.resource.encode()}


def _report(atlas: str, context: Context) -> Mapping[str, bytes]:
    from hdash_site.htan import report

    project = context.read(Key("snapshot", atlas, "project")).decode()
    rules: dict[str, Any] = json.loads(context.read(Key("config", "site.toml", f"checks/{atlas}")))
    rules["components"] = json.loads(context.read(Key("config", "site.toml", "components")))
    listing = {part: context.read(Key("listing", atlas, part)) for part in LISTING_FACETS}
    fetched, failures = _fetched(atlas, listing["manifests"], context)
    manifests = _manifests(context, atlas, fetched, MANIFEST_FACETS)
    size = _size(listing.values()) + sum(_size(parts.values()) for parts in manifests.values())
    given = json.dumps(rules)
    return limits.work_on_facets(context, size, report.facets, project, listing, manifests, failures, given)


def _descent(atlas: str, context: Context) -> Mapping[str, bytes]:
    from hdash_site.htan import descents

    listed = context.read(Key("listing", atlas, "manifests"))
    components = context.read(Key("config", "site.toml", "components")).decode()
    fetched, _ = _fetched(atlas, listed, context)
    manifests = _manifests(context, atlas, fetched, ("ids",))
    size = len(listed) + sum(_size(parts.values()) for parts in manifests.values())
    return limits.work_on_facets(context, size, descents.facets, atlas, listed, manifests, components)


def _strays(context: Context) -> Mapping[str, bytes]:
    from hdash_site.htan import descents

    atlases = json.loads(context.read(Key("atlases")))
    strays = context.need(Key("descent", atlas, "strays") for atlas in atlases)
    return limits.work_on_facets(context, _size(strays), descents.strays_of, strays)


def _demographics(atlas: str, context: Context) -> Mapping[str, bytes]:
    from hdash_site.htan import demographics

    known = json.loads(context.read(Key("descent", atlas, "demographics")))
    fetched = [
        json.loads(context.read(Key("snapshot", atlas, f"manifest/{entity}")))
        for entity in known["manifests"]
    ]
    blobs = [context.read(Key("blob", one["digest"])) for one in fetched]
    components = context.read(Key("config", "site.toml", "components")).decode()
    return limits.work(context, _size(blobs), demographics.facets, blobs, known["people"], components)


def _people(name: str, context: Context) -> Mapping[str, bytes]:
    from hdash_site.pages import people

    return people.pages(name, context)


def _size(values: Iterable[bytes]) -> int:
    return sum(map(len, values))


def _fetched(atlas: str, listed: bytes, context: Context) -> tuple[list[str], dict[str, str]]:
    """Give the manifests that are listed and were fetched, and by entity why others were not."""
    errors = json.loads(context.read(Key("snapshot", atlas, "manifests")))
    entities = [manifest["id"] for manifest in json.loads(listed)]
    found = {entity: errors.get(entity, "it was not fetched") for entity in entities}
    failures = {entity: error for entity, error in found.items() if error}
    return [entity for entity in found if entity not in failures], failures


def _manifests(
    context: Context, atlas: str, entities: Sequence[str], parts: Sequence[str]
) -> dict[str, dict[str, bytes]]:
    """Read these parts of manifests, by entity."""
    found = iter(context.need(manifest_key(atlas, entity, part) for entity in entities for part in parts))
    return {entity: {part: next(found) for part in parts} for entity in entities}


def _article(path: str, context: Context) -> Mapping[str, bytes]:
    from hdash_site.pages import content, markup

    settings = json.loads(context.read(Key("config", "site.toml", "content")))

    def measured(picture: str) -> markup.Size | None:
        size = context.find(Key("picture", picture, "size"))
        problem = None if size else context.find(Key("picture", picture, "problem"))
        if problem:
            raise ContentError(*json.loads(problem))
        return tuple(json.loads(size)) if size else None

    data, raw_html = context.find(Key("content", path)), settings["raw_html"]
    size = len(data or b"")
    if content.has_folder(path) and size < limits.LARGE:
        return content.parts(path, data, measured, raw_html=raw_html)
    try:
        sizes: dict[str, markup.Size | None] = {}
        if content.has_folder(path):
            pictures = limits.work(context, size, content.pictures, path, data, raw_html=raw_html)
            sizes = {picture: measured(picture) for picture in pictures}
        return limits.work(context, size, content.parts, path, data, sizes.get, raw_html=raw_html)
    except Overrun as overrun:
        return limits.problem(path, overrun)
    except ContentError as error:  # of a picture
        return {"problem": json.dumps(error.args).encode()}


def _section(folder: str, context: Context) -> Mapping[str, bytes]:
    from hdash_site.pages import lists

    return lists.section(folder, context)


def _unlisted(context: Context) -> Mapping[str, bytes]:
    from hdash_site.pages import lists

    return lists.unlisted(context)


def _menu_listed(context: Context) -> Mapping[str, bytes]:
    from hdash_site.pages import lists

    return lists.menu(context)


def _tags(context: Context) -> Mapping[str, bytes]:
    from hdash_site.pages import lists

    return lists.tags(context)


def _data(name: str, context: Context) -> Mapping[str, bytes]:
    from hdash_site.pages import data

    return data.parts(name, context)


def _picture(path: str, context: Context) -> Mapping[str, bytes]:
    from hdash_site.pages import content

    data = context.find(Key("content", path))
    if len(data or b"") < LARGE_PICTURE:
        return content.size(data)
    try:
        return limits.work(context, len(data or b""), content.size, data)
    except Overrun as overrun:
        return limits.problem(path, overrun)


def _prose(name: str, context: Context) -> Mapping[str, bytes]:
    from hdash_site.pages import prose

    return prose.filled(name, context)


def _routes(context: Context) -> Mapping[str, bytes]:
    """List every page, and the menu. A page that claims a taken address is told so when it is made."""
    from hdash_site.pages import lists

    routes = [route for kind in KINDS for route in _kind(kind).routes(context)]
    wrong = refused(context, routes)
    parts = {"": json.dumps(routes).encode()}
    for route in routes:
        parts[route.name] = json.dumps([route, wrong.get(route.name, "")]).encode()
    entries = lists.entries(context, routes)
    settings = json.loads(context.read(Key("config", "site.toml", "menu")))
    own = [route for route in routes if route.menu and route.name not in wrong]
    values = {
        "drafts": _kind("article").drafts(context),
        "articles": list(entries.values()),
        "refused": list(wrong),
        "menu": _menu(own, entries, settings),
    }
    return parts | {part: json.dumps(value).encode() for part, value in values.items()}


def refused(context: Context, routes: Iterable[Route]) -> dict[str, str]:
    """Return the pages that claim an address of another page, with what is wrong.

    The address stays with the page that has it already; of new pages, the first in `routes` gets it.
    """
    claims: dict[str, dict[str, Route]] = {}
    for route in routes:
        claims.setdefault(folded(route.file), {})[route.name] = route
    wrong: dict[str, str] = {}
    for address, claimants in claims.items():
        if len(claimants) == 1:
            continue
        owner = claimants[context.read(Key("owner", address, json.dumps(list(claimants)))).decode()]
        for name, route in claimants.items():
            if route is not owner:
                wrong[name] = _taken(route, owner)
    return wrong


def _taken(route: Route, owner: Route) -> str:
    if route.file == owner.file:
        return f"the address /{route.path} belongs to {owner.source}"
    return (
        f"the address /{route.path} is one file with /{owner.path} of {owner.source} on macOS and Windows,"
        " where neither case nor the form of accents counts"
    )


def _menu(
    routes: Iterable[Route], entries: Mapping[str, Any], settings: Iterable[Mapping[str, Any]]
) -> list[tuple[str, str, Any]]:
    """Return name and address of the menu's entries, by weight and then by name.

    With those of articles goes what tells whether they can be listed.
    """
    found = [(route.weight, route.menu_name, route.url, entries.get(route.name)) for route in routes]
    found += [(entry.get("weight", 0), entry["name"], entry["url"], None) for entry in settings]
    return [(name, url, entry) for _, name, url, entry in sorted(found, key=lambda one: one[:3])]


def _page(name: str, context: Context) -> Mapping[str, bytes]:
    fields, problem = json.loads(context.read(Key("routes", "", name)))
    route = Route(*fields)
    if problem:
        raise ContentError(problem, route.source, "give it an address of its own")
    return _kind(route.kind).page(context, route)


def _kind(name: str) -> Any:
    return importlib.import_module(f"hdash_site.pages.kinds.{name}")


def _digest_of_files(package: Path, names: Iterable[str], parts: Iterable[bytes]) -> Digest:
    """Digest files of a package, and all files below its folders, with what else counts."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    for name in names:
        place = package / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc":
                total.update(hashlib.sha256(str(path.relative_to(package)).encode()).digest())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _source(package: str, name: str) -> bytes:
    """Give the file of a package that holds its version, without importing the package."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name(name).read_bytes()


def _release(package: str) -> bytes:
    """Give the version of a package that is a library of machine code, from the name of its folder."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return b"".join(path.name.encode() for path in Path(spec.origin).parents[1].glob(f"{package}-*"))
