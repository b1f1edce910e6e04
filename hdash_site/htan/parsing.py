"""A manifest by itself: bytes to columns, ids and day columns, and what is wrong with its form.

What comes out depends on the bytes (and the catalogue) only, not on the atlas or the annotation. It is made
so that a report of an atlas need not look at each row again: ids are sorted into those that are one
well-formed id and the odd rest.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Final

from hdash_site.htan import encodings, ids, problems, sheet
from hdash_site.htan.columns import BIOSPECIMEN_ID, COMPONENT, DATA_FILE_ID, ENTITY_ID, PARTICIPANT_ID
from hdash_site.htan.components import catalogue
from hdash_site.htan.entities import is_synapse_id, packed
from hdash_site.htan.files import is_counted, is_value, vocabulary
from hdash_site.htan.header import Header, named, read_header
from hdash_site.htan.privacy import has_date
from hdash_site.htan.text import BLANKS, clean, dumps, shown
from hdash_site.htan.timeline import COLUMNS as DAY_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hdash_site.htan.problems import Problem

LARGEST: Final = 128 * 2**20
"""Bytes of a manifest that are read; the largest of HTAN phase 1 has a quarter of it."""

_MOST_KNOWN: Final = 100_000
_MOST_UNNAMED: Final = 20
"""Columns without a name of which each cell is looked at."""
_FIRST_LETTERS: Final = frozenset(
    [word[:1] for word in vocabulary().not_values]
    + [word[:1].upper() for word in vocabulary().not_values]
    + list(BLANKS)
)
"""First letters that a cell without a value can have: a quick look that spares a slow one."""


@dataclass(slots=True)
class _Ids:
    """An id column so far: a text a record, blank unless it is one well-formed id; and the odd cells."""

    texts: list[str] = field(default_factory=list[str])
    """Of each chunk the texts joined by commas, which takes a fraction of the memory."""
    filled: int = 0
    """Cells that hold a value."""
    odd: list[tuple[int, str, tuple[str, ...], tuple[str, ...]]] = field(default_factory=list[Any])
    crowded: list[int] = field(default_factory=list[int])
    """Records whose cell names too many ids."""


@dataclass(slots=True)
class _Manifest:
    """What was read so far."""

    header: list[str]
    width: int
    """Cells of the first row, also those after the columns that are read."""
    places: dict[str, int]
    """By name, the position of each column that is read; of a repeated one the first."""
    ids: dict[str, _Ids]
    days: dict[str, list[str]]
    missing: list[int]
    """By column: cells that are there and hold no value."""
    reach: Counter[int]
    """Rows by number of cells, at most as many as the header has."""
    records: int = 0
    rows: int = 1
    gaps: list[tuple[int, int]] = field(default_factory=list[Any])
    """From this record on, so many blank rows came before."""
    told_apart: frozenset[int] = frozenset()
    """Columns whose cells are told apart anyway, so that missing ones need no count: ids, entity ids."""
    components: Counter[str] = field(default_factory=Counter[str])
    no_entity: list[tuple[int, int, str]] = field(default_factory=list[Any])
    """Records whose `entityId` is no Synapse ID, as (first record, how many, cell)."""
    unnamed: dict[int, bool] = field(default_factory=dict[int, bool])
    """By position of a column without a name: whether its cells only number the records."""
    entities: list[str] = field(default_factory=list[str])
    """The Synapse IDs of the records of each chunk, packed."""
    short: list[int] = field(default_factory=list[int])
    long: list[int] = field(default_factory=list[int])
    known: set[str] = field(default_factory=set[str])
    not_values: set[str] = field(default_factory=lambda: {""})
    undated: set[str] | None = None
    """Cells without a calendar date; None where dates do not matter."""
    dates: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    """By position of a column with calendar dates: the first record with one, and how many records."""


def facets(data: bytes, components: str = "[]") -> dict[str, bytes]:
    """Read a manifest: facets `columns`, `ids`, `rows`, `problems`.

    `components` is JSON of the site's `[[component]]` tables, which can name more id columns.
    """
    if len(data) > LARGEST:
        return _unreadable(problems.too_large(len(data), LARGEST))
    decoded = encodings.decode(data)
    notes = sheet.Notes()
    rows = sheet.rows(decoded.data, decoded.encoding, "replace", notes)
    header = read_header(next(rows, list[str]()), known_columns(components))
    if not any(header.names):
        return _unreadable(problems.no_header(decoded.data), *decoded.problems)
    manifest = _read(header, rows, _id_columns(components))
    return _facets(manifest, [*decoded.problems, *header.problems, *_problems(manifest, notes)])


def given_up(resource: str, value: str) -> dict[str, bytes]:
    """Return the facets of a manifest that exceeds the limit of "time" or "memory"."""
    return _unreadable(problems.given_up(resource, value))


def _facets(manifest: _Manifest, found: Sequence[Problem]) -> dict[str, bytes]:
    return {
        "columns": dumps(_columns(manifest)),
        "ids": dumps(_found_ids(manifest)),
        "rows": dumps(_rows(manifest)),
        "problems": dumps([problem._asdict() for problem in found]),
    }


def _unreadable(*found: Problem) -> dict[str, bytes]:
    """The facets of a manifest without columns."""
    return _facets(_Manifest([], 0, {}, {}, {}, [], Counter()), found)


@cache
def _id_columns(components: str) -> tuple[str, ...]:
    return catalogue(json.loads(components)).id_columns()


@cache
def known_columns(components: str) -> tuple[str, ...]:
    """The columns that rules know by name, beside bookkeeping."""
    return (*_id_columns(components), *DAY_COLUMNS)


def _read(header: Header, rows: Iterator[list[str]], id_columns: Sequence[str]) -> _Manifest:
    """Read the rows below the header."""
    places = header.places
    manifest = _Manifest(
        header=header.names,
        width=header.width,
        places=places,
        ids={name: _Ids() for name in id_columns if name in places},
        days={name: [] for name in DAY_COLUMNS if name in places},
        missing=[0] * len(header.names),
        reach=Counter(),
        told_apart=frozenset(places[name] for name in (*id_columns, ENTITY_ID) if name in places),
        unnamed={place: number < _MOST_UNNAMED for number, place in enumerate(header.unnamed)},
        undated={""} if _may_be_clinical(places) else None,
    )
    for chunk in sheet.chunks(rows):
        _take(manifest, chunk)
    return manifest


def _take(manifest: _Manifest, chunk: list[list[str]]) -> None:
    """Take some rows. The cost is that of the cells that are there, however wide the header is."""
    width = len(manifest.header)
    if set(map(len, chunk)) == {manifest.width}:
        columns = list(zip(*chunk, strict=True))[:width]
        if all(map(str.strip, columns[manifest.places.get(COMPONENT, 0)])):
            manifest.rows += len(chunk)
            _take_columns(manifest, columns, len(chunk))
            _keep_dates(manifest, chunk)
            _keep(manifest, columns.__getitem__, len(chunk))
            return
    chunk = _without_blank_rows(manifest, chunk)
    by_reach: dict[int, list[list[str]]] = {}
    for row in chunk:
        by_reach.setdefault(min(len(row), width), []).append(row)
    for rows in by_reach.values():
        _take_columns(manifest, list(zip(*rows, strict=False))[:width], len(rows))
    _keep_dates(manifest, chunk)
    _keep(manifest, lambda place: [row[place] if place < len(row) else "" for row in chunk], len(chunk))


def _without_blank_rows(manifest: _Manifest, chunk: list[list[str]]) -> list[list[str]]:
    """The rows that hold something. Notes where blank ones were, and which have too few or too many cells."""
    width = manifest.width
    kept: list[list[str]] = []
    for row in chunk:
        manifest.rows += 1
        if sheet.is_blank(row):
            continue
        before = manifest.rows - 2 - manifest.records - len(kept)
        if before != (manifest.gaps[-1][1] if manifest.gaps else 0):
            manifest.gaps.append((manifest.records + len(kept), before))
        if len(row) < width:
            manifest.short.append(manifest.rows)
        elif len(row) > width and not sheet.is_blank(row[width:]):
            manifest.long.append(manifest.rows)
        kept.append(row)
    return kept


def _take_columns(manifest: _Manifest, columns: Sequence[Sequence[str]], count: int) -> None:
    """Count, by column, the cells that hold no value.

    Only a chunk's distinct cells are looked at, and of these only such as no chunk before had.
    """
    known, not_values, missing = manifest.known, manifest.not_values, manifest.missing
    for place, column in enumerate(columns):
        if place in manifest.told_apart:
            continue
        distinct = set(column)
        if not distinct <= known:
            fresh = distinct - known
            not_values.update([cell for cell in fresh if cell[:1] in _FIRST_LETTERS and not is_value(cell)])
            if 4 * len(fresh) < count and len(known) < _MOST_KNOWN:
                known |= fresh
        if found := distinct & not_values:
            all_missing = len(found) == len(distinct)
            missing[place] += count if all_missing else sum(map(found.__contains__, column))
    manifest.reach[len(columns)] += count


def _keep(manifest: _Manifest, column: Callable[[int], Sequence[str]], count: int) -> None:
    """Keep what a report needs of these rows: ids, components, days, and which lack an entity id."""
    first = manifest.records
    if not count:
        return
    for name, taken in manifest.ids.items():
        _keep_ids(taken, name, column(manifest.places[name]), first)
    for name, cells in manifest.days.items():
        some = column(manifest.places[name])
        cells.extend(map({cell: shown(cell.strip()) for cell in set(some)}.__getitem__, some))
    if COMPONENT in manifest.places:
        manifest.components.update(column(manifest.places[COMPONENT]))
    if ENTITY_ID in manifest.places:
        cells = column(manifest.places[ENTITY_ID])
        if not all(map(is_synapse_id, cells)):
            _keep_runs(manifest.no_entity, cells, first)
        manifest.entities.append(packed(cells))
    for place, only_numbers in manifest.unnamed.items():
        if only_numbers:
            manifest.unnamed[place] = _are_numbers(column(place), first)
    manifest.records += count


def _are_numbers(cells: Sequence[str], first: int) -> bool:
    """Whether cells are blank, or number the records from 0 or 1, as tools do in a column without a name."""
    return all(
        not cell.strip() or cell in (str(number), str(number + 1)) for number, cell in enumerate(cells, first)
    )


def _may_be_clinical(places: Mapping[str, int]) -> bool:
    """Return whether the columns may be those of a clinical manifest; the annotation is not known here."""
    return DATA_FILE_ID not in places and (PARTICIPANT_ID in places or BIOSPECIMEN_ID not in places)


def _is_bookkeeping(column: str) -> bool:
    words = vocabulary()
    return column in words.not_counted or words.is_not_counted(column) is not None


def _keep_dates(manifest: _Manifest, chunk: Sequence[Sequence[str]]) -> None:
    """Note which columns of these rows hold calendar dates. Each distinct cell is looked at once."""
    if manifest.undated is None:
        return
    fresh = set(chain.from_iterable(chunk)) - manifest.undated
    dated = set(filter(has_date, fresh))
    if len(manifest.undated) < _MOST_KNOWN:
        manifest.undated |= fresh - dated
    if not dated:
        return
    for record, row in enumerate(chunk, manifest.records):
        for place, cell in enumerate(row[: len(manifest.header)]):
            if cell in dated and not _is_bookkeeping(manifest.header[place]):
                manifest.dates.setdefault(place, [record, 0])[1] += 1


def _keep_ids(taken: _Ids, name: str, column: Sequence[str], start: int) -> None:
    match = ids.well_formed(ids.of_column(name))
    taken.filled += len(column) - column.count("")
    odd = {cell: ids.read(cell, name) for cell in set(column) if cell and not match(cell)}
    if not odd:
        taken.texts.append(",".join(column))
        return
    for number, cell in enumerate(column, start):
        if cell in odd:
            read = odd[cell]
            taken.filled -= not is_value(cell)
            if cell.strip():
                taken.odd.append((number, read.shown, read.good, read.bad))
                if len(cell) > ids.MOST_IDS and ids.is_crowded(cell):
                    taken.crowded.append(number)
    taken.texts.append(",".join("" if cell in odd else cell for cell in column))


def _keep_runs(runs: list[tuple[int, int, str]], cells: Sequence[str], start: int) -> None:
    """Keep cells that are no Synapse ID; those of successive records with the same cell as one run."""
    for number, cell in enumerate(cells, start):
        if not is_synapse_id(cell):
            text = shown(cell)
            if runs and runs[-1][2] == text and sum(runs[-1][:2]) == number:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1, text)
            else:
                runs.append((number, 1, text))


def _columns(manifest: _Manifest) -> dict[str, object]:
    """Facet `columns`: how many records; of each column, how many cells are filled, and whether it counts."""
    first = set(manifest.places.values())
    filled = _filled(manifest)
    counted = [place in first and is_counted(name) for place, name in enumerate(manifest.header)]
    return {
        "records": manifest.records,
        "columns": [
            {"name": shown(name), "filled": fill, "counted": counts}
            for name, fill, counts in zip(manifest.header, filled, counted, strict=True)
        ],
        "filled": sum(fill for fill, counts in zip(filled, counted, strict=True) if counts),
        "cells": manifest.records * sum(counted),
    }


def _filled(manifest: _Manifest) -> list[int]:
    """By column, how many cells hold a value."""
    there = list(accumulate(manifest.reach[reach] for reach in range(len(manifest.header), 0, -1)))[::-1]
    filled = [have - lack for have, lack in zip(there, manifest.missing, strict=True)]
    for name, taken in manifest.ids.items():
        filled[manifest.places[name]] = taken.filled
    if ENTITY_ID in manifest.places:
        blanks = sum(count for _, count, cell in manifest.no_entity if not is_value(cell))
        filled[manifest.places[ENTITY_ID]] = manifest.records - blanks
    return filled


def _component(manifest: _Manifest) -> str:
    """The most frequent value of the Component column; of equals the first that occurs."""
    values = [(cell.strip(), count) for cell, count in manifest.components.items() if is_value(cell)]
    return shown(max(values, key=lambda pair: pair[1])[0]) if values else ""


def _found_ids(manifest: _Manifest) -> dict[str, object]:
    """Facet `ids`: what the lineage is made of. Numbers in it count records, from 0.

    `ids`: by column, the ids of all records joined by commas (blank: none, or odd), the cells that are not
    just one well-formed id as [record, as shown, good ids, malformed ids], and the atlases that ids name.
    """
    return {
        "records": manifest.records,
        "component": _component(manifest),
        "names": [clean(name) for name in manifest.places if len(name) < 1_000],
        "usable": _is_htan(manifest),
        "ids": {name: _packed(taken) for name, taken in manifest.ids.items()},
    }


def _rows(manifest: _Manifest) -> dict[str, object]:
    """Facet `rows`: what a report needs of the rows beside their ids.

    `entities`: the Synapse IDs of all records, packed; blank if no record has one.
    """
    entities = ",".join(manifest.entities)
    return {
        "gaps": manifest.gaps,
        "no_entity": manifest.no_entity,
        "entities": entities if entities.strip(",") else "",
        "days": manifest.days,
        "dates": [(place, *counts) for place, counts in sorted(manifest.dates.items())],
    }


def _packed(taken: _Ids) -> dict[str, object]:
    texts = ",".join(taken.texts)
    return {"texts": texts, "odd": taken.odd, "atlases": ids.atlases(texts)}


def _is_htan(manifest: _Manifest) -> bool:
    """Whether some column is one of a manifest: else it is no manifest, or not separated by commas."""
    words = vocabulary()
    names = manifest.places
    return bool(manifest.ids) or any(
        name in words.not_counted or words.is_not_counted(name) for name in names
    )


def _problems(manifest: _Manifest, notes: sheet.Notes) -> Iterator[Problem]:
    """What is wrong with the form of a manifest that could be read: one problem a kind, however many rows."""
    if not _is_htan(manifest):
        yield problems.not_htan(manifest.header)
    if notes.stray.count:
        yield problems.stray_quotes(notes.stray, manifest.header)
    if notes.swallowed.count:
        yield problems.swallowed_rows(notes.swallowed, manifest.header)
    for name, taken in manifest.ids.items():
        if taken.crowded:
            rows = [sheet.row_number(record, manifest.gaps) for record in taken.crowded]
            yield problems.too_many_ids(name, rows, ids.MOST_IDS)
    yield from _without_name(manifest)
    if manifest.short:
        yield problems.short_rows(manifest.short, len(manifest.header))
    if manifest.long:
        yield problems.long_rows(manifest.long, len(manifest.header))
    if not manifest.records:
        yield problems.no_rows()


def _without_name(manifest: _Manifest) -> list[Problem]:
    """A problem for each column without a name that holds more than numbers of records."""
    if all(manifest.unnamed.values()):
        return []
    filled = _filled(manifest)
    return named(
        [
            problems.without_name(f"column {place + 1}", filled[place])
            for place, only_numbers in manifest.unnamed.items()
            if not only_numbers and filled[place]
        ]
    )
