"""The six completeness matrices: which participant or biospecimen has which component.

Clinical matrices have a row for every participant of the atlas, assay matrices one for every biospecimen, in
natural order; columns are in the model's order (section 7 of the dashboard's rules). The page draws the rows
that have a mark and counts the others. A matrix without participants, and an assay matrix without a mark, is
left out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.columns import BIOSPECIMEN_ID, PARTICIPANT_ID
from hdash_site.htan.lineage import assays_of
from hdash_site.htan.text import clean, inert, natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.components import Catalogue, Component

TITLES: Final = {
    "clinical": "Clinical data: tiers 1 and 2",
    "clinical-tier3": "Clinical data: tier 3",
    "single-cell": "Single-cell assays",
    "bulk": "Bulk assays",
    "imaging": "Imaging",
    "other": "Other assays",
}
"""The matrices by key, which is the group of their columns, in the order of the page."""
MOST_UNKNOWN: Final = 50
"""Components of a group that have a column although the catalogue does not know them. Anybody can make up
components, and a table grows with rows times columns.
"""
MOST_NAMED: Final = 100
"""Rows of a matrix whose names the page gets."""


class Matrix(NamedTuple):
    key: str
    names: list[str]
    """Of the rows, also of those without a mark."""
    columns: list[tuple[Component, list[int]]]
    """With the rows that have a 1, in ascending order."""
    left_out: int = 0
    """Unknown components without a column."""

    @property
    def is_clinical(self) -> bool:
        return self.key.startswith("clinical")

    @property
    def marked(self) -> list[int]:
        """The rows that have a 1 in some column, in ascending order."""
        return sorted(set[int]().union(*(ones for _, ones in self.columns)))


def matrices(atlas: Atlas, catalogue: Catalogue) -> list[Matrix]:
    return [
        matrix
        for matrix in _all(atlas, catalogue)
        if (matrix.names if matrix.is_clinical else any(ones for _, ones in matrix.columns))
    ]


def _all(atlas: Atlas, catalogue: Catalogue) -> Iterable[Matrix]:
    participants = sorted(atlas.lineage.participants, key=natural)
    clinical = _clinical(atlas)
    biospecimens = sorted(atlas.lineage.biospecimens, key=natural)
    assays = assays_of(atlas.lineage, atlas.manifests)
    for key in TITLES:
        columns, left_out = _columns(atlas, catalogue, key)
        is_clinical = key.startswith("clinical")
        rows, having = (participants, clinical) if is_clinical else (biospecimens, assays)
        yield _matrix(key, columns, rows, having)._replace(left_out=left_out)


def _clinical(atlas: Atlas) -> dict[str, set[str]]:
    """By component, the participants that a manifest of it names."""
    found: dict[str, set[str]] = {}
    for manifest in atlas.manifests:
        if manifest.component.kind == "clinical":
            have = found.setdefault(manifest.component.name, set())
            have.update(manifest.primary.texts, map(manifest.primary.one, manifest.primary.odd))
    return found


def _columns(atlas: Atlas, catalogue: Catalogue, group: str) -> tuple[list[Component], int]:
    """The group's components: those of the catalogue, then unknown ones of the atlas; and how many of these
    were left out.
    """
    known = [component for component in catalogue if component.group == group]
    unknown = {
        manifest.component.name: manifest.component
        for manifest in atlas.manifests
        if not manifest.is_known and manifest.component.group == group
    }
    return known + list(unknown.values())[:MOST_UNKNOWN], len(unknown) - len(list(unknown)[:MOST_UNKNOWN])


def _matrix(
    key: str, columns: Sequence[Component], names: list[str], having: Mapping[str, set[str]]
) -> Matrix:
    places = {name: place for place, name in enumerate(names)}
    ones = [
        sorted(map(places.__getitem__, having.get(column.name, set()) & places.keys())) for column in columns
    ]
    return Matrix(key, names, list(zip(columns, ones, strict=True)))


def facet(matrix: Matrix) -> dict[str, object]:
    """What the page draws: for each column the runs of rows that have a 1, as [first row, how many].

    The rows drawn, which `runs` and `names` speak of, are those with a 1 in some column. `count` is the
    number of all rows, of which each column's `count` is a share; `empty` of them are not drawn.
    """
    marked = matrix.marked
    drawn = {row: place for place, row in enumerate(marked)}
    return {
        "key": matrix.key,
        "title": TITLES[matrix.key],
        "rows": "participants" if matrix.is_clinical else "biospecimens",
        "count": len(matrix.names),
        "empty": len(matrix.names) - len(marked),
        "left_out": matrix.left_out,
        "columns": [
            {
                "name": clean(column.name),
                "label": clean(column.label),
                "count": len(ones),
                "runs": runs([drawn[row] for row in ones]),
            }
            for column, ones in matrix.columns
        ],
        "names": [matrix.names[row] for row in marked] if len(marked) <= MOST_NAMED else [],
    }


def runs(places: Sequence[int]) -> list[list[int]]:
    """Ascending numbers as runs of consecutive ones: [first, how many].

    >>> runs([0, 1, 2, 7])
    [[0, 3], [7, 1]]
    """
    if not places:
        return []
    breaks = [place for place, (before, here) in enumerate(pairwise(places), 1) if here != before + 1]
    return [[places[start], end - start] for start, end in pairwise([0, *breaks, len(places)])]


def csv_of(matrix: Matrix) -> bytes:
    """The full table: the id, then 1 or 0 for each component."""
    masks = [0] * len(matrix.names)
    for bit, (_, ones) in enumerate(matrix.columns):
        for place in ones:
            masks[place] |= 1 << bit
    width = len(matrix.columns)
    cells = {mask: "".join(",1" if mask >> bit & 1 else ",0" for bit in range(width)) for mask in set(masks)}
    header = ",".join(
        [
            PARTICIPANT_ID if matrix.is_clinical else BIOSPECIMEN_ID,
            *(_quoted(column.name) for column, _ in matrix.columns),
        ]
    )
    rows = [f"{_quoted(name)}{cells[mask]}\n" for name, mask in zip(matrix.names, masks, strict=True)]
    return f"{header}\n{''.join(rows)}".encode("utf-8", "replace")


def _quoted(text: str) -> str:
    """A cell of a CSV: inert in a spreadsheet, in quotes where it must be."""
    text = inert(clean(text))
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\n\r') else text
