"""A page before it is made: what kind it is, what it is about, where it will stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import quote, unquote

from hdash_site.pages.names import marked, slug

T = TypeVar("T")


class Route(NamedTuple):
    """`url` is relative to the site: a folder ("hta3/", "" for the home page) or a file ("404.html").

    It is percent-encoded, as links need it; `path` and `file` are names of files, and are not.

    `source` is the file or atlas that it comes from, for messages. `menu`: whether the menu names it, or by
    which name, in the order of `weight`. `target`: where a reader is led instead, below the site or in
    full.
    """

    kind: str
    argument: str
    url: str
    source: str
    title: str
    menu: bool | str = False
    weight: int = 0
    target: str = ""

    @property
    def menu_name(self) -> str:
        """What the menu calls it; empty if it does not name it."""
        return self.title if self.menu is True else self.menu or ""

    @property
    def path(self) -> str:
        """The address as the path of a folder, which ends with a slash, or of a file of the site."""
        return unquote(self.url) if "%" in self.url else self.url

    @property
    def file(self) -> str:
        """The file of the site that a reader of this address gets."""
        return f"{self.path}index.html" if self.url.endswith("/") or not self.url else self.path

    @property
    def name(self) -> str:
        """The name of its page in keys."""
        return f"{self.kind}/{self.argument}"


def manifest_name(atlas: str, entity: str) -> str:
    """Give the name of a manifest in keys and as the argument of its route, whatever its entity is called."""
    return f"{atlas}/{quote(entity, safe='')}"


def manifest_of(name: str) -> tuple[str, str]:
    """Give atlas and entity of such a name."""
    atlas, _, entity = name.rpartition("/")
    return atlas, unquote(entity)


def paged(url: str, items: Sequence[T], most: int, prefix: str = "") -> list[tuple[int, str, Sequence[T]]]:
    """Cut a list into pages: number, address and items of each. The first is at `url`, and always there."""
    starts = range(0, len(items), most) or (0,)
    return [
        (number, url if number == 1 else f"{url}{prefix}{number}/", items[start : start + most])
        for number, start in enumerate(starts, 1)
    ]


OURS = frozenset(("assets", "changes", "checks", "compare", "data-model", "find", "search", "tags"))
"""Folders of the site that no atlas can have."""


def slugs(texts: Iterable[str], taken: Iterable[str] = OURS) -> dict[str, str]:
    """Return an address for each text: its slug, with a digest of the text where others can have that slug.

    An address depends on its text alone, so that another text never moves it; only of two texts that differ
    in nothing but case, the later gets the digest.
    """
    found: dict[str, str] = {}
    taken = {*taken, ""}
    for text in texts:
        name = slug(text)
        if name in taken or unquote(name) != "-".join(text.lower().split()):
            name = quote(marked(unquote(name), text))
        taken.add(name)
        found[text] = name
    return found
