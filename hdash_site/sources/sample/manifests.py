"""Writes a manifest record by record, with the mistakes that are planted in it."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from hdash_site.sources.sample import faults, records, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from random import Random

    from hdash_site.sources.sample.lineage import Lineage
    from hdash_site.sources.sample.listing import Listing
    from hdash_site.sources.sample.shape import Sheet

_ASCII = 0x7F
_BOM = b"\xef\xbb\xbf"


class Place(NamedTuple):
    """Where a manifest and its files go."""

    entity: str  # the manifest's Synapse id
    folder: str  # the Synapse id of the folder
    path: str  # of the folder, within the atlas


class Written(NamedTuple):
    """A manifest on disk."""

    recipe: records.Recipe
    size: int
    md5: str
    records: int
    filled: int
    cells: int
    typed: tuple[tuple[faults.Spot, str], ...]  # what was planted in its cells
    odd_byte: int  # the first that is not ASCII; 0 if all are


class Draft(NamedTuple):
    """A manifest to be written."""

    sheet: Sheet
    place: Place
    recipe: records.Recipe
    damage: str  # one of the kinds in `faults`, or ""
    spots: Sequence[faults.Spot]
    family: Lineage
    rng: Random


def draft(sheet: Sheet, place: Place, family: Lineage, plan: faults.Plan, seed: int) -> Draft:
    damage = plan.damage.get(sheet.key, "")
    style = records.style(sheet, family, seed, faulty=plan.is_faulty(sheet))
    if damage == "latin-1":
        style = replace(style, bom=False)
    return Draft(
        sheet=sheet,
        place=place,
        recipe=records.recipe(sheet, style, seed),
        damage=damage,
        spots=sorted(plan.spots.get(sheet.key, ())),
        family=family,
        rng=values.stream(seed, sheet.key, "records"),
    )


def write_manifest(draft: Draft, target: Path, listing: Listing) -> Written:
    """Write a manifest and list the data files that it describes."""
    style, header = draft.recipe.style, written_columns(draft)
    counted = {column for column in header if records.is_counted(column)}  # a repeated one counts once
    typed: list[tuple[faults.Spot, str]] = []
    filled = 0
    with target.open("wb") as file:
        output = _Output(file, style.newline, "latin-1" if draft.damage == "latin-1" else "utf-8")
        if draft.damage != "no bytes":
            output.bytes(_BOM if style.bom else b"")
            output.rows([header])
        for low in range(0, draft.sheet.rows, records.CHUNK):
            chunk = _Chunk(draft, low, min(low + records.CHUNK, draft.sheet.rows))
            cells, with_value = _cells(chunk, listing)
            typed += _plant(chunk, cells)
            filled += sum(with_value[column] for column in counted)
            output.rows(_records([cells[column] for column in header], draft.damage if low == 0 else ""))
        if draft.damage != "no bytes":
            output.rows([[""] * len(header)] * (style.blank_rows // 2))
            output.bytes(style.newline.encode() * (style.blank_rows % 2))
    cells_counted = len(counted) * draft.sheet.rows
    md5 = output.digest.hexdigest()
    return Written(
        draft.recipe, output.size, md5, draft.sheet.rows, filled, cells_counted, tuple(typed), output.odd_byte
    )


def md5_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def written_columns(draft: Draft) -> list[str]:
    """The header, with a column missing or repeated if that is what is wrong with the manifest."""
    header, column = draft.recipe.header, damaged_column(draft)
    if draft.damage == "repeated column":
        return [*header[:-1], column, header[-1]]
    return [name for name in header if name != column]


def damaged_column(draft: Draft) -> str:
    """The column that is missing or repeated; "" if something else is wrong, or nothing."""
    sheet = draft.sheet
    return {
        "no entityId": "entityId",
        "no parent": sheet.component.parent,
        "no own id": faults.column(sheet, faults.PRIMARY_COLUMN),
        "repeated column": _free_column(draft.recipe),
    }.get(draft.damage, "")


class _Chunk(NamedTuple):
    draft: Draft
    low: int
    high: int


class _Output:
    """CSV into a file, measured on the way."""

    def __init__(self, file: BinaryIO, newline: str, encoding: str) -> None:
        self.size = self.odd_byte = 0
        self.digest = hashlib.md5(usedforsecurity=False)
        self._file, self._newline, self._encoding = file, newline, encoding

    def rows(self, rows: Iterable[Sequence[str]]) -> None:
        buffer = StringIO(newline="")
        csv.writer(buffer, lineterminator=self._newline).writerows(rows)
        self.bytes(buffer.getvalue().encode(self._encoding, "replace"))

    def bytes(self, data: bytes) -> None:
        self._file.write(data)
        self.digest.update(data)
        self.size += len(data)
        if not self.odd_byte and not data.isascii():
            self.odd_byte = next(byte for byte in data if byte > _ASCII)


def _cells(chunk: _Chunk, listing: Listing) -> tuple[dict[str, list[str]], dict[str, int]]:
    draft, low, high = chunk
    recipe, place = draft.recipe, draft.place
    names = _file_names(draft.sheet, low, high)
    entities = listing.data(names, place.folder, component=recipe.style.component)
    paths = [f"{place.path}/{name}" for name in names]
    cells, filled = records.columns(recipe, draft.family, low, high, entities, paths, draft.rng)
    if draft.damage == "latin-1" and low == 0:
        column = _free_column(recipe)
        cells[column][0] = "Gerät für Übungszwecke"
        filled[column] = values.filled(cells[column])
    return cells, filled


def _plant(chunk: _Chunk, cells: dict[str, list[str]]) -> list[tuple[faults.Spot, str]]:
    draft, low, high = chunk
    here = [spot for spot in draft.spots if low <= spot.row < high]
    entities = cells["entityId"]
    typed = [
        (spot, faults.cell(spot, draft.family, entities[spot.earlier - low] if spot.earlier >= low else ""))
        for spot in here
    ]
    for spot, cell in typed:
        before = cells[spot.column][spot.row - low]
        cells[spot.column][spot.row - low] = f"{before}, {cell}" if spot.beside else cell
    return typed


def _file_names(sheet: Sheet, low: int, high: int) -> list[str]:
    endings, stem = sheet.component.endings, f"{sheet.atlas}_{sheet.component.folder}"
    if not endings:
        return []
    numbers = range(sheet.first + low, sheet.first + high)
    return [f"{stem}_{number:06d}{endings[number % len(endings)]}" for number in numbers]


def _free_column(recipe: records.Recipe) -> str:
    """A column that no check looks at."""
    return next(name for name in recipe.urns if records.is_counted(name) and "Parent" not in name)


def _records(columns: Sequence[Sequence[str]], damage: str) -> Iterable[Sequence[str]]:
    rows = zip(*columns, strict=True)
    if damage not in ("long record", "short record"):
        return rows
    listed: list[Sequence[str]] = list(rows)
    second = listed[RAGGED]
    listed[RAGGED] = (*second, "stray") if damage == "long record" else second[:-1]
    return listed


RAGGED = 1  # which record has too many or too few cells
