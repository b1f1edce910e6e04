"""Which mistakes are planted in an atlas, and where, decided before anything is written.

A mistake must be found at its own place and at no other. So a record whose own id is spoilt is nobody's
parent (`lineage` has a neighbour stand in for it), no record has two mistakes, and a damaged manifest has no
others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from hdash_site.sources.sample.facts import Component, components, pilots
from hdash_site.sources.sample.lineage import FILES
from hdash_site.sources.sample.records import CHUNK, LOWEST, NOT_APPLICABLE, PRIMARY, own_id
from hdash_site.sources.sample.shape import Atlas, Sheet
from hdash_site.sources.sample.values import stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from hdash_site.sources.sample.lineage import Lineage

CLEAN = ("HTA4", "HTA14")  # atlases without any mistake
_A_KIND_AT_FULL_SCALE = 8  # records per kind of mistake and atlas at scale 1.0

_WELL_FORMED = re.compile(r"HTA[1-9][0-9]?_(?:EXT)?[0-9]+(?:_[0-9]+)?")
PRIMARY_COLUMN, PARENT_COLUMN, ADJACENT_COLUMN = "primary", "parent", "Adjacent Biospecimen IDs"


class Kind(NamedTuple):
    """A mistake in one cell."""

    code: str
    severity: str
    target: str  # key of `_TARGETS`
    column: str  # PRIMARY_COLUMN, PARENT_COLUMN or the name of a column
    # What is typed instead: {own} and {earlier} are ids, {earlier_entity} is a Synapse ID, {atlas}, {serial}.
    cells: tuple[str, ...]
    beside: bool = False  # typed after what stands there, as one more id
    echoes: int = 0  # other records that name the spoilt id as their parent; only the cause is a finding


class Spot(NamedTuple):
    """One cell to be overwritten. Without a code it is no finding of its own."""

    row: int  # record of the manifest, from 0
    column: str
    cell: str  # template, see `Kind.cells`
    serial: int
    code: str
    severity: str
    beside: bool
    own: tuple[Sheet, int]  # the record whose id is {own}
    earlier: int  # the record whose ids are {earlier} and {earlier_entity}, in the same chunk


@dataclass(slots=True)
class Plan:
    """`spots` and `damage` go by the key of a manifest, `spoilt` as in `Lineage`."""

    spots: dict[str, list[Spot]] = field(default_factory=dict[str, list[Spot]])
    damage: dict[str, str] = field(default_factory=dict[str, str])
    extra: list[Sheet] = field(default_factory=list[Sheet])
    listing: tuple[str, ...] = ()
    spoilt: dict[str, dict[int, int]] = field(default_factory=dict[str, dict[int, int]])
    typed: set[str] = field(default_factory=set[str])  # templates
    used: dict[str, set[int]] = field(default_factory=dict[str, set[int]])

    def people(self, atlas: Atlas, family: Lineage) -> tuple[int, int]:
        """Participants and biospecimens of the atlas: well-formed ids, each counted once."""
        known = {"clinical": family.participants, "biospecimen": atlas.count("biospecimen")}
        known["clinical"] -= len(self.spoilt.get("participant", ()))
        known["biospecimen"] -= len(self.spoilt.get("specimen", ()))
        for spots in self.spots.values():
            for spot in spots:
                sheet, _ = spot.own
                kind, typed = sheet.component.kind, cell(spot, family)
                is_own = spot.code and spot.column == PRIMARY.get(kind) and spot.earlier < 0
                if kind in known and is_own and _WELL_FORMED.fullmatch(typed.strip()):
                    known[kind] += 1
        return known["clinical"], known["biospecimen"]

    def is_faulty(self, sheet: Sheet) -> bool:
        return sheet.key in self.spots or sheet.key in self.damage


_BAD_NAMES = ("{own}_", "{own}-2", "{own}\n", "{own}__", "{own}x", "{own},{own}9")
_BAD_PARENTS = (
    "{atlas}_",
    "biopsy-{serial}",
    "{atlas}-1001-{serial}",
    "{atlas}_EXT",
    "{atlas}_1001__{serial}",
)
_ID, _LINKS, _ENTITY = "H_ID_SPEC", "H_LINKS", "H_ENTITY_ID"
KINDS = (
    Kind(_ID, "error", "assay", PRIMARY_COLUMN, ("",)),
    Kind(_ID, "error", "assay", PRIMARY_COLUMN, _BAD_NAMES),
    Kind(_ID, "error", "assay", PRIMARY_COLUMN, ("{earlier}",)),
    Kind(_ID, "warning", "assay", PRIMARY_COLUMN, ("HTA77_1001_{serial}",)),
    Kind(_ID, "error", "root", PARENT_COLUMN, ("",)),
    Kind(_ID, "error", "root", PARENT_COLUMN, _BAD_PARENTS),
    Kind(_ID, "error", "made", PARENT_COLUMN, ("",)),
    Kind(_ID, "error", "made", PARENT_COLUMN, _BAD_PARENTS),
    Kind(_ID, "error", "root", PARENT_COLUMN, ("{atlas}_1001__{serial}",), beside=True),
    Kind(_ID, "error", "biospecimen", PRIMARY_COLUMN, ("",)),
    Kind(_ID, "error", "biospecimen", PRIMARY_COLUMN, _BAD_NAMES),
    Kind(_ID, "error", "biospecimen", PRIMARY_COLUMN, ("{own}_",), echoes=2),
    Kind(_ID, "error", "biospecimen", PRIMARY_COLUMN, ("{earlier}",)),
    Kind(_ID, "warning", "biospecimen", PRIMARY_COLUMN, ("HTA77_1001_{serial}",)),
    Kind(_ID, "error", "biospecimen", PARENT_COLUMN, ("",)),
    Kind(_ID, "error", "biospecimen", PARENT_COLUMN, ("{atlas}_", "{atlas}_EXT", "patient-{serial}")),
    Kind(_ID, "error", "biospecimen", ADJACENT_COLUMN, ("{atlas}_1001__{serial}", "neighbour-{serial}")),
    Kind(_ID, "error", "demographics", PRIMARY_COLUMN, ("",)),
    Kind(
        _ID,
        "error",
        "demographics",
        PRIMARY_COLUMN,
        ("{own}_", "{own}-{serial}", "{own}\n", "{atlas}_EXT_{serial}"),
    ),
    Kind(_ID, "warning", "demographics", PRIMARY_COLUMN, ("HTA77_{serial}",)),
    Kind(_ID, "error", "clinical", PRIMARY_COLUMN, ("",)),
    Kind("H_NON_DEM", "error", "clinical", PRIMARY_COLUMN, ("{atlas}_770{serial}",)),
    Kind(_LINKS, "error", "root", PARENT_COLUMN, ("{atlas}_1001_99999{serial}",)),
    Kind(_LINKS, "error", "made", PARENT_COLUMN, ("{atlas}_1001_99999{serial}",)),
    Kind(_LINKS, "error", "made", PARENT_COLUMN, ("{atlas}_1001_99999{serial}",), beside=True),
    Kind(_LINKS, "error", "made", PARENT_COLUMN, ("{own}",)),
    Kind(
        _LINKS, "error", "biospecimen", PARENT_COLUMN, ("{atlas}_880{serial}", "{atlas}_1001_99999{serial}")
    ),
    Kind(_LINKS, "error", "biospecimen", PARENT_COLUMN, ("{own}",)),
    Kind(_LINKS, "error", "biospecimen", ADJACENT_COLUMN, ("{atlas}_1001_99999{serial}",)),
    Kind(_ENTITY, "error", "assay", "entityId", ("",)),
    Kind(
        _ENTITY, "error", "assay", "entityId", ("1090000{serial}", "Not Applicable", "s3://bucket/{serial}")
    ),
    Kind(_ENTITY, "error", "assay", "entityId", ("syn12abc{serial}", "syn 9{serial}", "SYN9{serial}")),
    Kind(_ENTITY, "error", "assay", "entityId", ("syn9{serial}",)),
    Kind(_ENTITY, "error", "assay", "entityId", ("{earlier_entity}",)),
)
_TARGETS: dict[str, Callable[[Component], bool]] = {
    "assay": lambda c: bool(c.endings),
    "root": lambda c: bool(c.endings) and c.parent != FILES,
    "made": lambda c: c.parent == FILES and c.name not in (*NOT_APPLICABLE, *LOWEST),
    "biospecimen": lambda c: c.kind == "biospecimen",
    "demographics": lambda c: c.name == "Demographics",
    "clinical": lambda c: c.kind == "clinical" and c.name != "Demographics",
    "any": lambda c: bool(c.endings) or c.kind != "assay",
}
# Damage to a manifest that is there anyway: its records can still be read.
_DAMAGE = (
    ("latin-1", "any"),
    ("no entityId", "assay"),
    ("no parent", "made"),
    ("no parent", "root"),
    ("repeated column", "any"),
    ("long record", "any"),
    ("short record", "clinical"),
    ("newer content superseded", "any"),
    ("censored copy", "any"),
    ("legacy name", "any"),
)
# Manifests that are there for the mistake only: what is wrong, component, records.
_EXTRA = (
    ("unknown component", "SpatialProteomicsPilot", 5),
    ("unknown component", "LongReadPilot", 4),
    ("no own id", "OtherAssay", 3),
    ("no own id", "Exposure", 3),
    ("no bytes", "ImagingLevel2", 0),
    ("no records", "ScRNA-seqLevel1", 0),
    ("no records", "MolecularTest", 0),
)
_LISTING = ("file name", "folder name", "no such folder", "folders in a circle", "same id twice")


def plan(atlas: Atlas, seed: int, scale: float) -> Plan:
    made = Plan()
    if atlas.id in CLEAN:
        return made
    rng = stream(seed, atlas.id, "faults")
    turn = int(atlas.id.removeprefix("HTA"))  # atlases take turns, so that each kind occurs in several
    sheets = list(atlas.sheets)
    rng.shuffle(sheets)
    _damage(made, sheets, turn)
    _extra(made, atlas, turn)
    for number, kind in enumerate(KINDS):
        if (number + turn) % 2 and not (kind.code == "H_NON_DEM" and not atlas.count("Demographics")):
            for _ in range(max(1, round(_A_KIND_AT_FULL_SCALE * scale))):
                _spot(made, atlas, sheets, kind, rng)
    made.listing = tuple(kind for number, kind in enumerate(_LISTING) if (number + turn) % 3 != 1)
    return made


def cell(spot: Spot, family: Lineage, earlier_entity: str = "") -> str:
    """What is typed into a spot."""
    sheet, row = spot.own
    return spot.cell.format(
        own=own_id(sheet, family, row),
        earlier=own_id(sheet, family, spot.earlier) if spot.earlier >= 0 else "",
        earlier_entity=earlier_entity,
        atlas=family.atlas,
        serial=spot.serial,
    )


def column(sheet: Sheet, name: str) -> str:
    """The column of a manifest that holds its records' own ids, their parents, or is called so."""
    if name == PRIMARY_COLUMN:
        return PRIMARY[sheet.component.kind]
    return sheet.component.parent if name == PARENT_COLUMN else name


def _damage(made: Plan, sheets: list[Sheet], turn: int) -> None:
    for number, (damage, target) in enumerate(_DAMAGE):
        if (number + turn) % 3:
            continue
        for sheet in sheets:
            if sheet.key not in made.damage and sheet.rows > 1 and _TARGETS[target](sheet.component):
                made.damage[sheet.key] = damage
                break


def _extra(made: Plan, atlas: Atlas, turn: int) -> None:
    for number, (damage, name, rows) in enumerate(_EXTRA):
        component = (components() | pilots())[name]
        if (number + turn) % 3 == 0:
            first = atlas.count(name)
            sheet = Sheet(atlas.id, component, 900 + number, rows, first)
            made.extra.append(sheet)
            made.damage[sheet.key] = damage


def _spot(made: Plan, atlas: Atlas, sheets: list[Sheet], kind: Kind, rng: Random) -> None:
    place = _place(made, sheets, kind.target, rng, needs_earlier="{earlier" in kind.cells[0])
    if place is None:
        return
    sheet, row, earlier = place
    if kind.column == PRIMARY_COLUMN and not _spoil(made, atlas, sheet, row):
        return
    made.used.setdefault(sheet.key, set()).update({row, earlier} - {-1})
    serial = 1 + sum(len(spots) for spots in made.spots.values())
    typed = rng.choice([each for each in kind.cells if _is_distinct(each) or each not in made.typed])
    made.typed.add(typed)
    spot = Spot(
        row,
        column(sheet, kind.column),
        typed,
        serial,
        kind.code,
        kind.severity,
        kind.beside,
        (sheet, row),
        earlier,
    )
    made.spots.setdefault(sheet.key, []).append(spot)
    for _ in range(kind.echoes):
        child = _place(made, sheets, "root", rng, needs_earlier=False)
        if child:
            made.used.setdefault(child[0].key, set()).add(child[1])
            echo = spot._replace(
                row=child[1], column=column(child[0], PARENT_COLUMN), code="", severity="", beside=False
            )
            made.spots.setdefault(child[0].key, []).append(echo)


def _is_distinct(template: str) -> bool:
    """Whether it gives another text each time: a malformed id is one finding, however many records name it"""
    return not template or any(name in template for name in ("{own}", "{earlier", "{serial}"))


def _place(
    made: Plan, sheets: list[Sheet], target: str, rng: Random, *, needs_earlier: bool
) -> tuple[Sheet, int, int] | None:
    """A manifest, a record in it that has no mistake yet and, if needed, an earlier one (else -1)."""
    fitting = [s for s in sheets if _TARGETS[target](s.component) and s.key not in made.damage]
    for sheet in rng.sample(fitting, len(fitting)):
        used = made.used.get(sheet.key, set())
        free = [row for row in range(int(needs_earlier), sheet.rows) if row not in used]
        if len(used) * 2 >= sheet.rows or not free:
            continue
        row = rng.choice(free)
        earlier = next((e for e in range(row - 1, -1, -1) if e not in used), -1)
        if earlier // CHUNK == row // CHUNK or not needs_earlier:
            return sheet, row, earlier if needs_earlier else -1
    return None


def _spoil(made: Plan, atlas: Atlas, sheet: Sheet, row: int) -> bool:
    """Note that a record's id will be spoilt, and who stands in for it; at most one in three."""
    kind, number = sheet.component.kind, sheet.first + row
    if kind == "clinical" and sheet.component.name != atlas.register:
        return True  # the participant is known all the same
    group = {"clinical": "participant", "biospecimen": "specimen", "assay": sheet.component.name}[kind]
    size = atlas.count("biospecimen" if kind == "biospecimen" else sheet.component.name)
    spoilt = made.spoilt.setdefault(group, {})
    if 3 * (len(spoilt) + 1) > size:
        return False
    spoilt[number] = number
    for each in spoilt:
        stand_in = (each + 1) % size
        while stand_in in spoilt:
            stand_in = (stand_in + 1) % size
        spoilt[each] = stand_in
    return True
