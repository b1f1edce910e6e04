"""How large a collection of a given scale is: which atlases, which manifests, how many records in each.

Up to scale 1.0 (HTAN phase 1) there are fewer and shorter manifests than in the inventory, every component
of an atlas keeping at least one. Beyond it manifests keep their lengths and there are more of them, as HTAN
grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING

from hdash_site.sources.sample.facts import Component, Inventory, components, inventories

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST = 4  # records; a manifest that is shorter in the inventory stays as short
# Atlases in an early state: components that HTAN has and the sample leaves out (see `faults.ATLAS_FAULTS`).
NOT_YET_SUBMITTED = {"HTA8": ("Biospecimen",), "HTA13": ("Demographics", "Biospecimen")}
_ENTITIES_OF_AN_ATLAS = 10_000_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A manifest to be written."""

    atlas: str
    component: Component
    ordinal: int  # 1 for the first manifest of its component in the atlas
    rows: int
    first: int  # index of its first record among all records of its kind: see `lineage`

    @property
    def key(self) -> str:
        return f"{self.atlas}/{self.component.name}/{self.ordinal}"


@dataclass(frozen=True, slots=True)
class Atlas:
    id: str
    name: str
    liaison: str
    sheets: tuple[Sheet, ...]

    @property
    def first_entity(self) -> int:
        """Synapse number of the project. Ten digits: no entity of the real Synapse is meant."""
        return (100 + int(self.id.removeprefix("HTA"))) * _ENTITIES_OF_AN_ATLAS

    @property
    def project(self) -> str:
        return f"syn{self.first_entity}"

    @property
    def register(self) -> str:
        """The component whose records are the participants: where there are no Demographics, the largest."""
        clinical = dict.fromkeys(s.component.name for s in self.sheets if s.component.kind == "clinical")
        return "Demographics" if "Demographics" in clinical else max(clinical, key=self.count)

    def count(self, component: str) -> int:
        """Records of a component (of a whole kind, if `component` is "biospecimen")."""
        return sum(s.rows for s in self.sheets if component in (s.component.name, s.component.kind))


def atlases(scale: float, limit: int | None = None) -> list[Atlas]:
    return [_atlas(inventory, scale) for inventory in inventories()[:limit]]


def lengths(sizes: Sequence[int], scale: float) -> list[int]:
    """Records of each manifest of one component of one atlas at a scale."""
    if scale >= 1:
        return [sizes[i % len(sizes)] for i in range(round(len(sizes) * scale))]
    kept = max(1, round(len(sizes) * sqrt(scale)))
    bounds = [i * len(sizes) // kept for i in range(kept + 1)]
    merged = [sum(sizes[low:high]) for low, high in pairwise(bounds)]
    return [max(min(size, SHORTEST), round(size * scale)) for size in merged]


def _atlas(inventory: Inventory, scale: float) -> Atlas:
    sheets: list[Sheet] = []
    specimens = 0
    for name, sizes in inventory.manifests.items():
        if name in NOT_YET_SUBMITTED.get(inventory.atlas, ()):
            continue
        component = components()[name]
        # Biospecimens are numbered across the two components that hold them.
        first = specimens if component.kind == "biospecimen" else 0
        for ordinal, rows in enumerate(lengths(sizes, scale), 1):
            sheets.append(Sheet(inventory.atlas, component, ordinal, rows, first))
            first += rows
        if component.kind == "biospecimen":
            specimens = first
    return Atlas(inventory.atlas, inventory.name, inventory.liaison, tuple(sheets))
