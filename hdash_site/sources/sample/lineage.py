"""Who comes from whom: the ids of an atlas, each computed from its position.

Nothing is stored, so an atlas of any size needs no memory. Participants, biospecimens and the data files of
each component are numbered from 0; the parent of a record is a function of its number. Records whose own id
is going to be spoilt (`spoilt`) are never anybody's parent: their neighbour stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hdash_site.sources.sample.facts import component

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hdash_site.sources.sample.shape import Atlas

FILES = "HTAN Parent Data File ID"
_ABSENT_SPECIMENS = 40  # how many the assays of an atlas without biospecimen manifests speak of
_ROWS_A_SPECIMEN = 3
_EXTERNAL = 61  # one in so many biospecimens comes from a participant of another study
_DERIVED = 5  # one in so many biospecimens comes from another one


@dataclass(frozen=True, slots=True)
class Lineage:
    atlas: str
    participants: int
    specimens: int  # 0: no biospecimen manifests, all parents are external
    files: Mapping[str, int]  # assay -> records
    parents: Mapping[str, str]  # assay -> the assay that its files are made from
    spoilt: Mapping[str, Mapping[int, int]]  # "participant", "specimen" or assay -> number -> stand-in

    def participant(self, number: int) -> str:
        # HTA12 counts from 0000, which the SOP allows
        return f"{self.atlas}_{number:04d}" if self.atlas == "HTA12" else f"{self.atlas}_{1001 + number}"

    def participant_ids(self, numbers: Iterable[int]) -> list[str]:
        return [self.participant(number) for number in numbers]

    def participant_of_record(self, first: int, low: int, high: int) -> list[int]:
        """The participants of records of a clinical component."""
        return self.sound("participant", [(first + i) % self.participants for i in range(low, high)])

    def owners(self, specimens: Iterable[int]) -> list[int]:
        """The participant of each biospecimen."""
        return self.sound("participant", [number % self.participants for number in specimens])

    def specimen_ids(self, specimens: Sequence[int]) -> list[str]:
        """Biospecimens of an atlas that submitted none are external: nobody expects them to exist."""
        external = "" if self.specimens else "EXT"
        owners = self.participant_ids(self.owners(specimens))
        ids = [f"{owner}_{1 + number}" for owner, number in zip(owners, specimens, strict=True)]
        return [text.replace("_", "_EXT", 1) for text in ids] if external else ids

    def specimen_parents(self, specimens: Sequence[int]) -> list[str]:
        """A participant, an earlier biospecimen of the same participant, or one from outside (EXT)."""
        parents = self.participant_ids(self.owners(specimens))
        for i, number in enumerate(specimens):
            source = number - self.participants
            if number % _EXTERNAL == _EXTERNAL - 1:
                parents[i] = f"{self.atlas}_EXT{number}"
            elif (
                number % _DERIVED == _DERIVED - 1
                and source >= 0
                and source not in self.spoilt.get("specimen", ())
            ):
                parents[i] = self.specimen_ids([source])[0]
        return parents

    def specimen_neighbours(self, specimens: Sequence[int], separator: str) -> list[str]:
        """`Adjacent Biospecimen IDs`: one in four has some, half of these two."""
        cells = [""] * len(specimens)
        for i, number in enumerate(specimens):
            if number % 4 == 0:
                near = [number + 1, number + 2][: 1 + number // 4 % 2]
                known = [n for n in self.sound("specimen", near) if n < self.specimens and n != number]
                cells[i] = separator.join(self.specimen_ids(list(dict.fromkeys(known))))
        return cells

    def specimens_of(self, assay: str, files: Sequence[int]) -> list[int]:
        """The biospecimen that each data file goes back to."""
        if assay in self.parents:
            return self.specimens_of(self.parents[assay], self.sources_of(assay, files))
        known = self.specimens or _ABSENT_SPECIMENS
        return self.sound("specimen", [number // _ROWS_A_SPECIMEN % known for number in files])

    def sources_of(self, assay: str, files: Sequence[int]) -> list[int]:
        """The data file of the parent assay that each data file is made from."""
        parent = self.parents[assay]
        have, made = self.files[parent], self.files[assay]
        return self.sound(parent, [min(number * have // made, have - 1) for number in files])

    def file_ids(self, assay: str, files: Sequence[int]) -> list[str]:
        base = component(assay).number * 10_000_000
        owners = self.participant_ids(self.owners(self.specimens_of(assay, files)))
        return [f"{owner}_{base + number}" for owner, number in zip(owners, files, strict=True)]

    def specimen_cells(self, assay: str, files: Sequence[int], separator: str) -> list[str]:
        """`HTAN Parent Biospecimen ID`: here and there a pool of two."""
        specimens = self.specimens_of(assay, files)
        known = self.specimens or _ABSENT_SPECIMENS
        following = self.sound("specimen", [(number + 1) % known for number in specimens])
        pooled = [number % 23 == 5 for number in files]
        return _pairs(self.specimen_ids(specimens), self.specimen_ids(following), pooled, separator)

    def file_cells(self, assay: str, files: Sequence[int], separator: str) -> list[str]:
        """`HTAN Parent Data File ID`: the file of the level below, often with the next one (R1 and R2).

        Where the level below was not submitted, an id that the atlas marks as external.
        """
        if assay not in self.parents:
            return [f"{self.atlas}_EXT{1 + number % 90}_{1 + number}" for number in files]
        parent = self.parents[assay]
        sources = self.sources_of(assay, files)
        following = self.sound(parent, [(number + 1) % self.files[parent] for number in sources])
        pooled = [number % 4 == 1 for number in files]
        return _pairs(self.file_ids(parent, sources), self.file_ids(parent, following), pooled, separator)

    def sound(self, group: str, numbers: list[int]) -> list[int]:
        """The same numbers, with a stand-in for each record whose id is spoilt."""
        spoilt = self.spoilt.get(group)
        return [spoilt.get(number, number) for number in numbers] if spoilt else numbers


def lineage(atlas: Atlas, spoilt: Mapping[str, Mapping[int, int]]) -> Lineage:
    assays = list(dict.fromkeys(s.component.name for s in atlas.sheets if s.component.endings))
    return Lineage(
        atlas=atlas.id,
        participants=atlas.count(atlas.register),
        specimens=atlas.count("biospecimen"),
        files={name: atlas.count(name) for name in assays},
        parents={name: below for name in assays if (below := _level_below(name, assays))},
        spoilt=spoilt,
    )


def _level_below(assay: str, present: Sequence[str]) -> str:
    """The highest lower level of its family in the atlas; "" for a component that comes from biospecimens."""
    if component(assay).parent != FILES:
        return ""
    family, level = component(assay).family_and_level
    below = [(component(name).family_and_level, name) for name in present]
    levels = [(found[1], name) for found, name in below if found[0] == family and found[1] < level]
    return max(levels)[1] if levels else ""


def _pairs(first: Sequence[str], second: Sequence[str], both: Sequence[bool], separator: str) -> list[str]:
    return [
        f"{one}{separator}{two}" if pooled and one != two else one
        for one, two, pooled in zip(first, second, both, strict=True)
    ]
