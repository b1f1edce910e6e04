"""What HTAN looks like, as data: its components, the values that its model allows, the size of each manifest.

`model.json` and `inventory.json` lie beside this module and say where they come from.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEVEL = re.compile(r"(.+)Level(\d)")


@dataclass(frozen=True, slots=True)
class Component:
    name: str
    kind: str  # clinical | biospecimen | assay
    folder: str  # what submitters call its root folder: "scrna_seq_level_1"
    parent: str  # the column that names what a record comes from; "" for clinical components
    required: tuple[str, ...]
    optional: tuple[str, ...]
    conditional: tuple[str, ...]  # asked for only with certain values of other attributes
    endings: tuple[str, ...]  # of its data files; none if its records describe no files
    number: int  # position in the model, the base of its data file ids

    @property
    def family_and_level(self) -> tuple[str, int]:
        """`ImagingLevel3Segmentation` is ("Imaging", 3); a component without levels has level 0."""
        match = _LEVEL.match(self.name)
        return (match[1], int(match[2])) if match else (self.name, 0)


@dataclass(frozen=True, slots=True)
class Inventory:
    """One atlas of HTAN phase 1: how many records each of its manifests holds."""

    atlas: str
    name: str
    liaison: str
    manifests: Mapping[str, tuple[int, ...]]  # component -> number of records of each manifest


@cache
def components() -> dict[str, Component]:
    """In the order of the data model."""
    tables = _model()["components"]
    return {name: _component(name, table, number) for number, (name, table) in enumerate(tables.items(), 1)}


@cache
def pilots() -> dict[str, Component]:
    """Made-up components that no catalogue knows."""
    tables = _model()["pilots"]
    return {name: _component(name, table, 90 + number) for number, (name, table) in enumerate(tables.items())}


def component(name: str) -> Component:
    return components().get(name) or pilots()[name]


@cache
def valid_values() -> dict[str, tuple[str, ...]]:
    """Attribute -> some of its valid values; none of them stands for a missing value."""
    return {column: tuple(values) for column, values in _model()["values"].items()}


@cache
def inventories() -> tuple[Inventory, ...]:
    """In natural order of the atlas ids."""
    atlases = _json("inventory.json")["atlases"]
    return tuple(
        Inventory(
            atlas=atlas,
            name=table["name"],
            liaison=table["liaison"],
            manifests={component: tuple(sizes) for component, sizes in table["manifests"].items()},
        )
        for atlas, table in atlases.items()
    )


@cache
def _model() -> dict[str, Any]:
    return _json("model.json")


def _json(name: str) -> dict[str, Any]:
    return json.loads((files(__package__ or "") / name).read_text(encoding="utf-8"))


def _component(name: str, table: Mapping[str, Any], number: int) -> Component:
    return Component(
        name=name,
        kind=table["kind"],
        folder=re.sub(r"[^a-z0-9]+", "_", table["label"].lower()).strip("_"),
        parent=table.get("parent", ""),
        required=tuple(table["required"]),
        optional=tuple(table["optional"]),
        conditional=tuple(table["conditional"]),
        endings=tuple(table.get("files", ())),
        number=number,
    )
