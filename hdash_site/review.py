"""What is wrong with the finished site, as it was built last, and with its articles.

    error    a link or an anchor that leads nowhere, a file or the alt text of an image that is missing, two
             pages with one address, a page that was not made, an article that cannot be understood
    warning  a page that no other leads to, an image of an article with an empty alt text, a draft whose date
             is past, an article that changed since the site was built

Tags are found by a regular expression: it reads the layouts' own HTML more than twenty times as fast as
`html.parser`, which would need minutes for 20,000 pages. Each page is read once, and one problem that many
pages have, such as a broken link in the menu, is told once.
"""

from __future__ import annotations

import html
import json
import posixpath
import re
import urllib.parse
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from hdash_site.app import config_of, remote_of
from hdash_site.deploy.plan import STATUS_FILE
from hdash_site.engine.model import Digest, Key, Trace, digest
from hdash_site.errors import StateError
from hdash_site.options import Options, cache_folder, moment, state_place
from hdash_site.pages.folders import Folders, left_out, no_links
from hdash_site.pages.names import tag_key
from hdash_site.pages.route import Route
from hdash_site.pages.rules import page_key
from hdash_site.pages.site import File, listed, refused, remembered
from hdash_site.state.store import glanced

ERROR, WARNING = "error", "warning"

_TAG = re.compile(
    r"""<!--.*?(?:-->|\Z)|<([a-zA-Z][^\s/<>]*)[\s/]((?:[^<>"']++|"[^"]{0,9999}+"|'[^']{0,9999}+')*+)>""",
    re.DOTALL,
)
"""A comment, or a tag with its attributes. Bounds and possessive quantifiers: bad HTML takes no longer."""
_ATTRIBUTE = re.compile(r"""([^\s"'=/>]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++)))?""")
_FILES = frozenset(("img", "script", "source", "video", "audio", "iframe", "embed", "track"))

_ENTRIES = frozenset(("home", "missing", "redirect", "timeline"))
"""Kinds of pages that readers come to without a link; that of an atlas without timelines is empty."""


class Problem(NamedTuple):
    """`path`: a file of the site, or of its sources if it comes from one. `pages`: how many have it.

    `line` is one of that source, 0 if it cannot be told.
    """

    severity: str
    path: str
    problem: str
    way_out: str
    pages: int = 1
    line: int = 0

    def __str__(self) -> str:
        more = f" (on {self.pages:,} pages)" if self.pages > 1 else ""
        mild = "warning: " if self.severity == WARNING else ""
        place = f"{self.path}, line {self.line}" if self.line else self.path
        return f"{place}: {mild}{self.problem}{more}; {self.way_out}"


class Review(NamedTuple):
    """What was looked at, and what is wrong, errors first."""

    pages: int
    links: int
    problems: list[Problem]

    def count(self, severity: str) -> int:
        return sum(problem.severity == severity for problem in self.problems)


class Marks(NamedTuple):
    """What a page says of itself: its ids, where it leads, the files that it needs, images by their alt."""

    ids: frozenset[str]
    links: frozenset[str]
    files: frozenset[str]
    without_alt: frozenset[str]
    empty_alt: frozenset[str]


class State(Protocol):
    """What is remembered of the build."""

    def trace(self, key: Key) -> Trace | None: ...

    def parts(self, key: Key) -> Mapping[str, Digest] | None: ...

    def load(self, digest: str) -> bytes | None: ...


def review(options: Options) -> Review:
    """Look over the site as it was built last; builds nothing, and waits for nobody. Raises `HdashError`."""
    config = config_of(options)
    with glanced(cache_folder(options), state_place(options), remote_of(options)) as store:
        files = remembered(store) if store else {}
        if not store or not files:
            raise StateError("there is no finished site to check", way_out="build it first")
        routes, taken = listed(store), refused(store)
        site = _Site(options.root, files, {page_key(route): route for route in routes}, config.base_url)
        site.read_all(store.load)
        problems = [
            *_doubles(routes, taken),
            *_unmade(routes, taken, store),
            *site.problems(),
            *articles(options.root, store, moment(options)[:10]),
            *(Problem(WARNING, *link) for link in left_out(options.root, no_links())),
        ]
        problems.sort(key=lambda one: (one.severity != ERROR, one.path, one.problem))
        return Review(site.pages, site.links, problems)


def marks(text: str) -> Marks:
    """Read the tags of a page."""
    ids: set[str] = set()
    links: set[str] = set()
    files: set[str] = set()
    without_alt: set[str] = set()
    empty_alt: set[str] = set()
    for found in _TAG.finditer(text):
        if not found[1]:
            continue  # a comment
        tag, attributes = found[1].lower(), _attributes(found[2])
        if "id" in attributes:
            ids.add(attributes["id"])
        if tag in ("a", "area") and "href" in attributes:
            links.add(attributes["href"].strip())
        elif tag == "a" and "name" in attributes:
            ids.add(attributes["name"])
        elif tag == "link" and "href" in attributes:
            files.add(attributes["href"].strip())
        elif tag in _FILES and "src" in attributes:
            files.add(attributes["src"].strip())
        if tag == "img" and not attributes.get("alt", "").strip():
            (empty_alt if "alt" in attributes else without_alt).add(attributes.get("src", "").strip())
    return Marks(*map(frozenset, (ids, links, files, without_alt, empty_alt)))


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), html.unescape(double or single or bare))
    return found


@dataclass
class _Site:
    """The files of the site, and what its pages were found to say so far; `root` is where it is made from."""

    root: Path
    files: Mapping[str, File]
    routes: Mapping[Key, Route]
    base_url: str
    pages: int = 0
    links: int = 0
    ids: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    linked: set[str] = field(default_factory=set[str])
    anchors: dict[tuple[str, str], list[str]] = field(default_factory=dict[tuple[str, str], list[str]])
    found: dict[tuple[str, ...], list[str]] = field(default_factory=dict[tuple[str, ...], list[str]])

    def read_all(self, load: Callable[[str], bytes | None]) -> None:
        for path, file in sorted(self.files.items()):
            if not path.endswith(".html"):
                continue
            data = load(file.digest)
            self.pages += 1
            if data is None:
                self._note(ERROR, "its bytes were lost", "build the site again", path)
            else:
                self._read(path, marks(data.decode("utf-8", "replace")))

    def _read(self, path: str, said: Marks) -> None:
        self.ids[path] = said.ids
        kind = self._kind(path)
        for link in said.links:
            self.links += 1
            target, fragment = self._target(path, link)
            if target is None:
                continue
            if target not in self.files and target != STATUS_FILE:
                way_out = "correct it, or write that page"
                self._note(ERROR, f'the link "{link}" leads nowhere', way_out, path, f"link {target}", link)
            elif fragment:
                self.anchors.setdefault((target, fragment), []).append(path)
            if target != path and kind not in ("missing", "redirect", "search"):
                self.linked.add(target)
        for name in said.files:
            target, _ = self._target(path, name)
            if target is not None and target not in self.files:
                way_out = "add it, or correct its name"
                self._note(ERROR, f'the file "{name}" is missing', way_out, path, f"file {target}", name)
        for name in said.without_alt:
            self._note(ERROR, f'the image "{name}" has no alt text', "say what it shows", path, written=name)
        for name in said.empty_alt if kind in ("article", "section") else ():
            if not (self._target(path, name)[0] or "").startswith("assets/"):
                way_out = "say what it shows, or leave it so if that says nothing"
                self._note(
                    WARNING, f'the alt text of the image "{name}" is empty', way_out, path, written=name
                )

    def _target(self, page: str, link: str) -> tuple[str | None, str]:
        """Give the file that a link leads to, and the anchor in it; no file if it leads out of the site."""
        base = self.base_url if self.base_url.endswith("/") or not self.base_url else f"{self.base_url}/"
        if base and link.startswith(base):
            link = urllib.parse.urlsplit(base).path + link[len(base) :]
        try:
            parts = urllib.parse.urlsplit(link)
        except ValueError:
            return "", ""
        if parts.scheme or parts.netloc:
            return None, ""
        fragment = urllib.parse.unquote(parts.fragment)
        fragment = "" if fragment == "top" else fragment.partition(":~:")[0]
        way = urllib.parse.unquote(parts.path)
        if not way:
            return page, fragment
        if way.startswith("/"):
            top = urllib.parse.urlsplit(base).path or "/"
            if not way.startswith(top):
                return None, ""
            full = posixpath.normpath(way[len(top) :] or ".")
        else:
            full = posixpath.normpath(posixpath.join(posixpath.dirname(page), way))
        full = "" if full == "." else full
        if way.endswith(("/", "/.", "..")) or not full:
            return f"{full}/index.html".lstrip("/"), fragment
        return (full if full in self.files else self._folder(full)), fragment

    def _folder(self, path: str) -> str:
        """Give the page of a folder that is named without its slash, as web servers do."""
        return f"{path}/index.html" if f"{path}/index.html" in self.files else path

    def _kind(self, path: str) -> str:
        return self.files[path].key.name.partition("/")[0]

    def _place(self, path: str) -> str:
        """Give where a person mends a page: its source, if it has one of its own."""
        route = self.routes.get(self.files[path].key._replace(part=""))
        return route.source if route and route.kind in ("article", "section", "redirect") else path

    def _note(
        self, severity: str, problem: str, way_out: str, path: str, what: str = "", written: str = ""
    ) -> None:
        """Note a problem of a page; `what` tells which one it is on many, `written` what its source says."""
        key = (what or f"{path} {problem}",)
        self.found.setdefault(key, [severity, problem, way_out, written, path]).append(path)

    def problems(self) -> Iterator[Problem]:
        for (target, fragment), paths in self.anchors.items():
            if target in self.ids and fragment not in self.ids[target]:
                for path in paths:
                    problem = f'the link to "#{fragment}" on {self._place(target)} leads nowhere'
                    way_out = "correct it, or give that heading this id"
                    self._note(ERROR, problem, way_out, path, f"anchor {target}#{fragment}", f"#{fragment}")
        sources: dict[str, _Source] = {}
        for severity, problem, way_out, written, path, *paths in self.found.values():
            place = self._place(path)
            line = 0
            if written and place != path:
                source = sources.get(place) or sources.setdefault(place, _Source(self.root / place))
                line = source.line_of(written)
            yield Problem(severity, place, problem, way_out, len(paths), line)
        # A page whose bytes were lost may have led anywhere.
        for path in self.ids if len(self.ids) == self.pages else ():
            if path not in self.linked and self._kind(path) not in _ENTRIES:
                way_out = "link to it, put it into the menu, or delete it"
                yield Problem(WARNING, self._place(path), "no other page leads here", way_out)


def _doubles(routes: Iterable[Route], refused: Mapping[str, str]) -> Iterator[Problem]:
    for route in routes:
        if route.name in refused:
            yield Problem(ERROR, route.source, refused[route.name], "give it an address of its own")


def _unmade(routes: Iterable[Route], refused: Collection[str], state: State) -> Iterator[Problem]:
    """Find the pages that no build has made yet, although they have an address."""
    for route in routes:
        if route.name not in refused and state.parts(page_key(route)) is None:
            yield Problem(ERROR, route.source, "its page was not made", "build, and see what it says")


def articles(root: Path, state: State, today: str) -> Iterator[Problem]:
    """Find what is wrong with the articles; `today` is a date like 2026-07-01."""
    spellings: dict[str, dict[str, list[str]]] = {}
    for path in Folders(root, no_links()).names("content"):
        if not path.endswith(".md"):
            continue
        file = root / "content" / path
        trace = state.trace(Key("article", path))
        if trace is None or not _is_as_built(file, dict(trace.reads).get(Key("content", path))):
            yield Problem(WARNING, f"content/{path}", "it changed since the site was built", "build it first")
        if trace is None:
            continue
        told = {
            part: json.loads(state.load(trace.parts[part]) or b"{}") for part in _SAID & trace.parts.keys()
        }
        if told.get("problem"):
            problem, place, way_out = told["problem"]
            yield Problem(ERROR, place, problem, way_out)
        matter = told.get("front-matter", {})
        yield from _overdue(path, matter, today)
        for tag in matter.get("tags", ()):
            spellings.setdefault(tag_key(tag), {}).setdefault(tag, []).append(path)
    for written in spellings.values():
        yield from _other_spellings(written)


def _other_spellings(written: Mapping[str, list[str]]) -> Iterator[Problem]:
    """Find the spellings of a tag that fewer articles use; `written`: the articles by spelling."""
    usual, *others = sorted(written, key=lambda tag: (-len(written[tag]), tag))
    for tag in others:
        problem = f'the tag "{tag}" is the same tag as "{usual}"'
        paths = written[tag]
        yield Problem(WARNING, f"content/{paths[0]}", problem, f'write it as "{usual}"', len(paths))


_SAID = frozenset(("problem", "front-matter"))
"""The parts of an article that are looked at."""


def _overdue(path: str, matter: Mapping[str, object], today: str) -> Iterator[Problem]:
    date = str(matter.get("publish_date") or matter.get("date") or "")[:10]
    if matter.get("draft") and date and date < today:
        way_out = "delete draft = true, or give it a later date"
        yield Problem(WARNING, f"content/{path}", f"it is a draft, and its date, {date}, is past", way_out)


_MOST_SEARCHED = 20_000_000
"""Characters of an article that are searched for the lines of its problems; later ones are without a line."""


class _Source:
    """The text of an article, in which its problems are looked for."""

    def __init__(self, path: Path) -> None:
        try:
            self._text = path.read_text("utf-8-sig", "replace")
        except OSError:
            self._text = ""
        self._searched = 0

    def line_of(self, written: str) -> int:
        """Give the first line in which a link is written like this; 0 if it is not found."""
        self._searched += len(self._text)
        if self._searched > max(_MOST_SEARCHED, len(self._text)):
            return 0
        # Between parentheses, quotes or spaces: a short link is part of longer ones. An anchor ends its link.
        before = "" if written.startswith("#") else r"(?<![^\s(<\"'=])"
        found = re.search(rf"{before}{re.escape(written)}(?![^\s)>\"'])", self._text)
        return self._text.count("\n", 0, found.start()) + 1 if found else 0


def _is_as_built(file: Path, read: Digest | None) -> bool:
    try:
        return digest(file.read_bytes()) == read
    except OSError:
        return True  # the article itself says that it cannot be read
