"""The folders of an atlas: where each one is, and the root folder that it lies in."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.findings import Finding
from hdash_site.htan.text import clean, natural, shown, shown_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST_PATH: Final = 1_000
"""Characters of a path that are kept, at its end, behind an ellipsis. Folders can be nested to any depth."""


class Entity(NamedTuple):
    """A row of the listing, as typed, without what only manifests need."""

    id: str
    name: str
    type: str
    parent: str
    component: str
    size: str


class Version(NamedTuple):
    """What else the row of a manifest says, as typed: which version of which content it is."""

    modified: str
    handle: str


class Listing(NamedTuple):
    """The columns of a listing: so many texts cost less than so many rows of texts."""

    id: list[str]
    name: list[str]
    type: list[str]
    parent: list[str]
    component: list[str]
    size: list[str]
    versions: dict[int, Version]
    """Of the manifests, by number of row."""

    def entity(self, number: int) -> Entity:
        return Entity(
            self.id[number],
            self.name[number],
            self.type[number],
            self.parent[number],
            self.component[number],
            self.size[number],
        )

    def pick(self, numbers: Iterable[int]) -> list[Entity]:
        return [self.entity(number) for number in numbers]


class Place(NamedTuple):
    """Where a folder is: its path from the project down, and the root folder that it lies in."""

    path: str
    """Names of the folders, each followed by a slash; empty for the project."""
    root: str
    """Entity id of the root folder; the project for the project itself."""


def place_all(
    listing: Listing, folders: Mapping[str, Entity], project: str
) -> tuple[dict[str, Place], list[Finding]]:
    """Where each parent is. A parent that does not exist, and a cycle, are taken for the top."""
    places = {project: Place("", project)}
    findings: list[Finding] = []
    counts = Counter(listing.parent)
    first: dict[str, int] = {}
    for parent in [*counts, *folders]:
        chain: list[str] = []
        on_way: set[str] = set()
        here = parent
        while here not in places and here in folders and here not in on_way:
            chain.append(here)
            on_way.add(here)
            here = folders[here].parent
        if here in on_way:
            findings.append(_cycle(folders, here))
        elif here not in places:
            first = first or {parent: number for number, parent in reversed([*enumerate(listing.parent)])}
            findings.append(_no_parent(listing.entity(first[here]), counts[here]))
            places[here] = Place("", here)
        _place(chain, folders, places, project)
    return places, findings


def _place(chain: list[str], folders: Mapping[str, Entity], places: dict[str, Place], project: str) -> None:
    """Place folders, the outermost last in the chain. A folder is a root if its parent is none of ours."""
    for here in reversed(chain):
        above = places.get(folders[here].parent)
        is_root = above is None or folders[here].parent == project or folders[here].parent not in folders
        path = shown_end(f"{above.path if above else ''}{clean(folders[here].name)}/", LONGEST_PATH)
        places[here] = Place(path, here if is_root or above is None else above.root)


def _cycle(folders: Mapping[str, Entity], here: str) -> Finding:
    """One finding a cycle, at its first folder in natural order."""
    members = [here]
    while (above := folders[members[-1]].parent) != here:
        members.append(above)
    folder = folders[min(members, key=natural)]
    message = "The folder lies in itself. Move the folder to where it belongs, and crawl the atlas again."
    return finding(folder.id, shown(folder.name), "a folder below the project", message, "folder-cycle")


def _no_parent(entity: Entity, count: int) -> Finding:
    others = f" ({count} entities)" if count > 1 else ""
    message = f"The entity is in a folder that is not in the listing{others}. Crawl the atlas again."
    return finding(entity.id, shown(entity.parent), "a folder of the project", message, "missing-folder")


def finding(entity: str, value: str, expected: str, message: str, kind: str) -> Finding:
    return Finding("H_LISTING", "error", shown(entity), "", 0, "", value, expected, message, kind)
