"""The records of one manifest, by column: ids from the lineage, days that make sense, drawn attributes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hdash_site.sources.sample import values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from hdash_site.sources.sample.lineage import Lineage
    from hdash_site.sources.sample.shape import Sheet

CHUNK = 2_000  # records in memory
LOWEST = ("RPPALevel2",)  # may have no parent data file: the model has no level below
NOT_APPLICABLE = ("BulkRNA-seqLevel2", "BulkWESLevel2")  # may say so instead of a parent data file
SHORT_NAMES = {  # as the portal exports them
    "BulkWESLevel1": "BulkDNALevel1",
    "BulkWESLevel2": "BulkDNALevel2",
    "BulkWESLevel3": "BulkDNALevel3",
    "ImagingLevel3Segmentation": "ImagingLevel3",
    "10XGenomicsXeniumISSExperiment": "10XXeniumISS",
}
PRIMARY = {
    "clinical": "HTAN Participant ID",
    "biospecimen": "HTAN Biospecimen ID",
    "assay": "HTAN Data File ID",
}
# How much of a column can be missing, by how much the model asks for it.
_REQUIRED, _OPTIONAL, _CONDITIONAL = (0.0, 0.0, 0.0, 0.05, 0.15), (0.1, 0.3, 0.5, 1.0), (0.5, 0.8, 1.0)
_NUMBERED = {
    name: f"{name} 1" for name in ("Treatment Type", "Days to Treatment Start", "Days to Treatment End")
}
_UNNAMED = (("X18", "X19"), ("Unnamed: 3",), ("",))


@dataclass(frozen=True, slots=True)
class Style:
    """How a submitter's tools wrote a manifest. All of it is legal."""

    component: str  # the name in the annotation and in each record
    bom: bool
    newline: str
    blank_rows: int
    unnamed: tuple[str, ...]  # columns without a name, as pandas and R call them
    separator: str  # between the ids of one cell
    floats: bool
    breaks: bool
    numbered: bool  # "Treatment Type 1" instead of "Treatment Type"
    not_applicable: str  # "": has parent files; "specimen": a biospecimen instead; "nothing": not even that


@dataclass(frozen=True, slots=True)
class Recipe:
    """What does not change from record to record."""

    sheet: Sheet
    style: Style
    header: tuple[str, ...]
    urns: Mapping[str, values.Urn]


def style(sheet: Sheet, lineage: Lineage, seed: int, *, faulty: bool) -> Style:
    """`faulty`: the manifest will hold planted faults, and is written under the model's own name."""
    rng = values.stream(seed, sheet.key, "style")
    name = sheet.component.name
    alias = rng.random() < 0.3 and not faulty
    orphaned = name in NOT_APPLICABLE and (name not in lineage.parents or sheet.ordinal % 3 == 0)
    drawn = Style(
        component=SHORT_NAMES.get(name, name) if alias else name,
        bom=rng.random() < 0.15,
        newline="\r\n" if rng.random() < 0.2 else "\n",
        blank_rows=rng.randrange(1, 6) if rng.random() < 0.15 else 0,
        unnamed=rng.choice(_UNNAMED) if rng.random() < 0.2 else (),
        separator=rng.choice((",", ", ", ";", "; ", " ")),
        floats=rng.random() < 0.15,
        breaks=rng.random() < 0.25,
        numbered=name == "Therapy" and rng.random() < 0.3,
        not_applicable=rng.choice(("specimen", "nothing")) if orphaned else "",
    )
    # A column without a name is a mistake in a clinical manifest (H_PRIVACY).
    return replace(drawn, unnamed=()) if sheet.component.kind == "clinical" else drawn


def recipe(sheet: Sheet, style: Style, seed: int) -> Recipe:
    rng = values.stream(seed, sheet.key, "urns")
    component = sheet.component
    asked = (
        (component.required, _REQUIRED),
        (component.optional, _OPTIONAL),
        (component.conditional, _CONDITIONAL),
    )
    urns = {
        _name(column, style): values.urn(rng, column, shares, floats=style.floats, breaks=style.breaks)
        for columns, shares in asked
        for column in columns
        if not (style.not_applicable == "nothing" and column == "HTAN Parent Biospecimen ID")
    }
    internal = ("Id",) if component.kind != "assay" and rng.random() < 0.5 else ()
    return Recipe(sheet, style, ("Component", *urns, *style.unnamed, *internal, "entityId"), urns)


def columns(
    recipe: Recipe,
    lineage: Lineage,
    low: int,
    high: int,
    entities: Sequence[str],
    paths: Sequence[str],
    rng: Random,
) -> tuple[dict[str, list[str]], dict[str, int]]:
    """The cells of records `low` up to `high` by column, and how many of each drawn column hold a value.

    `entities` and `paths`: the data files that the records describe (empty for records without files).
    """
    sheet, rows = recipe.sheet, high - low
    fixed = {
        "clinical": lambda: _clinical(recipe, lineage, low, high),
        "biospecimen": lambda: _biospecimens(recipe, lineage, low, high),
        "assay": lambda: _assay(recipe, lineage, low, high, entities, paths),
    }[sheet.component.kind]()
    cells = {"Component": [recipe.style.component] * rows, **fixed}
    filled: dict[str, int] = {}
    for column in recipe.header:
        if column in recipe.urns and (urn := recipe.urns[column]) and column not in cells:
            cells[column] = urn.draw(rng, rows)
            filled[column] = urn.filled(cells[column])
        elif column in cells:
            filled[column] = values.filled(cells[column])
        elif column == "Id":
            cells[column] = [uuid(rng) for _ in range(rows)]
        else:
            cells[column] = [""] * rows
    if recipe.style.unnamed == ("",):
        cells[""] = [str(i) for i in range(low, high)]
    return {column: cells[column] for column in recipe.header}, filled


def own_id(sheet: Sheet, lineage: Lineage, row: int) -> str:
    """The primary id that record `row` has, or would have if it were not spoilt."""
    number = sheet.first + row
    if sheet.component.kind == "clinical":
        return lineage.participant(number % lineage.participants)
    if sheet.component.kind == "biospecimen":
        return lineage.specimen_ids([number])[0]
    return lineage.file_ids(sheet.component.name, [number])[0]


def uuid(rng: Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_counted(column: str) -> bool:
    """Whether a column takes part in "percent complete": no ids, no bookkeeping, no column without a name."""
    if column in ("Component", "entityId", "Id", "Uuid", "Filename", "eTag", "Adjacent Biospecimen IDs"):
        return False
    if any(column in unnamed for unnamed in _UNNAMED):
        return False
    return not (column.startswith("HTAN ") and column.endswith(" ID"))


def _name(column: str, style: Style) -> str:
    return _NUMBERED.get(column, column) if style.numbered else column


def _clinical(recipe: Recipe, lineage: Lineage, low: int, high: int) -> dict[str, list[str]]:
    sheet, style = recipe.sheet, recipe.style
    numbers = lineage.participant_of_record(sheet.first, low, high)
    cells = {"HTAN Participant ID": lineage.participant_ids(numbers)}
    if sheet.component.name == "Therapy":
        starts = [_first_day(n) + (sheet.first + i) * 53 % 700 for i, n in enumerate(numbers, low)]
        ends = [start + start % 180 for start in starts]
        cells[_name("Days to Treatment Start", style)] = _days(starts, style)
        cells[_name("Days to Treatment End", style)] = _days(ends, style, one_missing_in=9)
    return cells


def _biospecimens(recipe: Recipe, lineage: Lineage, low: int, high: int) -> dict[str, list[str]]:
    style, first = recipe.style, recipe.sheet.first
    numbers = list(range(first + low, first + high))
    owners = lineage.owners(numbers)
    days = [_first_day(owner) + n * 37 % 900 for owner, n in zip(owners, numbers, strict=True)]
    return {
        "HTAN Biospecimen ID": lineage.specimen_ids(numbers),
        "HTAN Parent ID": lineage.specimen_parents(numbers),
        "Adjacent Biospecimen IDs": lineage.specimen_neighbours(numbers, style.separator),
        "Collection Days from Index": _days(days, style, one_missing_in=17),
        "Processing Days from Index": _days([day + day % 3 for day in days], style),
    }


def _assay(
    recipe: Recipe, lineage: Lineage, low: int, high: int, entities: Sequence[str], paths: Sequence[str]
) -> dict[str, list[str]]:
    sheet, separator = recipe.sheet, recipe.style.separator
    name = sheet.component.name
    numbers = list(range(sheet.first + low, sheet.first + high))
    cells = {"HTAN Parent Biospecimen ID": lineage.specimen_cells(name, numbers, separator)}
    if not sheet.component.endings:  # AccessoryManifest: its records describe no files
        cells["HTAN Center ID"] = [lineage.atlas] * len(numbers)
        return cells
    if recipe.style.not_applicable:
        cells["HTAN Parent Data File ID"] = ["Not Applicable - reads are under restricted access"] * len(
            numbers
        )
    else:
        cells["HTAN Parent Data File ID"] = lineage.file_cells(name, numbers, separator)
        if name in NOT_APPLICABLE:
            cells["HTAN Parent Biospecimen ID"] = [""] * len(numbers)
    owners = lineage.owners(lineage.specimens_of(name, numbers))
    formats = [_format(ending) for ending in sheet.component.endings]
    return cells | {
        "File Format": [formats[number % len(formats)] for number in numbers],
        "Filename": list(paths),
        "HTAN Data File ID": lineage.file_ids(name, numbers),
        "HTAN Participant ID": lineage.participant_ids(owners),
        "HTAN Parent Channel Metadata ID": ["Not Applicable"] * len(numbers),
        "entityId": list(entities),
    }


def _days(days: Sequence[int], style: Style, one_missing_in: int = 0) -> list[str]:
    texts = [f"{day}.0" for day in days] if style.floats else [str(day) for day in days]
    if one_missing_in:
        texts = [text if day % one_missing_in else "unknown" for text, day in zip(texts, days, strict=True)]
    return texts


def _format(ending: str) -> str:
    """`_R1_001.fastq.gz` is in the format "fastq"."""
    return ending.lower().removesuffix(".gz").rpartition(".")[2]


def _first_day(participant: int) -> int:
    """Days from index (birth) at which a participant's history begins."""
    return 12_000 + participant * 7919 % 15_000
