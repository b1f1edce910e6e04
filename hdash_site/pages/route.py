"""A page before it is made: what kind it is, what it is about, where it will stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import quote, unquote

T = TypeVar("T")


class Route(NamedTuple):
    """`url` is relative to the site: a folder ("hta3/", "" for the home page) or a file ("404.html").

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
    def file(self) -> str:
        """The file of the site that a reader of this address gets."""
        return f"{self.url}index.html" if self.url.endswith("/") or not self.url else self.url


def slug(text: str) -> str:
    """Make an address from any text: small letters, digits and hyphens only, so that it is safe as a path."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower())[:60].strip("-") or "x"


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
    """Give each text an address that is neither taken nor another's: of texts with the same one, the later
    get a number.
    """
    found: dict[str, str] = {}
    taken = set(taken)
    for text in texts:
        name, number = slug(text), 1
        while name in taken:
            number += 1
            name = f"{slug(text)}-{number}"
        taken.add(name)
        found[text] = name
    return found
