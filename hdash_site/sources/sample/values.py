"""What stands in the cells that are no ids: valid values of the model, plausible numbers and texts, and gaps.

A column of a manifest is drawn from an urn that is prepared once for the manifest, so that a cell costs one
draw. Like a submitter, a manifest uses few of a column's values, and one way of writing "no value".
"""

from __future__ import annotations

import re
from functools import cache
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from hdash_site.sources.sample.facts import valid_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Ways of writing "no value" that "percent complete" knows; the empty cell is by far the most common.
GAPS = (
    "",
    "",
    "",
    "",
    "Not Reported",
    "unknown",
    "Unknown",
    "Not Applicable",
    "not reported",
    "NA",
    "nan",
    "N/A",
    "null",
)
_NO_VALUES = frozenset({"", "na", "n/a", "nan", "null", "unknown", "not applicable", "not reported"})
_SLOTS = 20
_POOL = 24
_TEXTS = (
    "Dissociated at 37 C for 30 min, filtered (70 µm). Counted twice.",
    "Default parameters, GRCh38. Cells with < 200 genes removed.",
    'Run with "--expect-cells=5000"; duplicates marked. No trimming.',
    "Segmented by hand, checked by a second reader. Zürich protocol.",
    "As described by the vendor. Incubated overnight.",
)
_TIMEPOINTS = ("Baseline", "Initial Diagnosis", "Surgery", "Follow-up 1", "Follow-up 2", "Progression")


class Urn(NamedTuple):
    slots: tuple[str, ...]
    gaps: frozenset[str]

    def draw(self, rng: Random, rows: int) -> list[str]:
        return rng.choices(self.slots, k=rows) if len(self.slots) > 1 else list(self.slots) * rows

    def filled(self, cells: Sequence[str]) -> int:
        return len(cells) - sum(cells.count(gap) for gap in self.gaps)


def is_value(cell: str) -> bool:
    return cell.strip().lower() not in _NO_VALUES


def filled(cells: Sequence[str]) -> int:
    """How many cells of a column that comes from no urn hold a value."""
    return len(cells) - sum(cells.count(gap) for gap in set(GAPS))


def stream(*names: object) -> Random:
    """Chance for one purpose, named like a path: what is drawn elsewhere does not change it."""
    return Random("/".join(map(str, names)))  # noqa: S311 (samples, no secrets)


def urn(rng: Random, column: str, gap_shares: Sequence[float], *, floats: bool, breaks: bool) -> Urn:
    """`gap_shares`: how much of the column may be missing, one of which is chosen.

    `floats`: whole numbers as a spreadsheet gives them back, 13026.0. `breaks`: line breaks within texts.
    """
    share = rng.choice(gap_shares)
    gap = rng.choice(GAPS)
    missing = round(share * _SLOTS)
    used = rng.choices(pool(column), k=rng.choice((1, 2, 3, 6, 12)))
    slots = (used * _SLOTS)[: _SLOTS - missing]
    if floats:
        slots = [f"{value}.0" if value.isdigit() else value for value in slots]
    if breaks:
        slots = [value.replace(". ", ".\n") for value in slots]
    slots += [gap] * missing
    constant = len(set(slots)) == 1
    return Urn(tuple(slots[:1] if constant else slots), frozenset([gap] * bool(missing)))


@cache
def pool(column: str) -> tuple[str, ...]:
    """The values of a column that the sample knows."""
    if column in valid_values():
        return valid_values()[column]
    if column == "Timepoint Label":
        return _TIMEPOINTS
    rng = stream("pool", column)
    make = next(make for pattern, make in _MAKERS if pattern.search(column))
    return tuple(dict.fromkeys(make(rng, column) for _ in range(_POOL)))


def is_text(column: str) -> bool:
    """Whether a column holds sentences."""
    return bool(_SENTENCES.search(column))


def _days(rng: Random, _: str) -> str:
    return str(rng.randrange(12000, 30000))


def _year(rng: Random, _: str) -> str:
    return str(rng.randrange(1950, 2021))


def _checksum(rng: Random, _: str) -> str:
    return f"{rng.getrandbits(128):032x}"


def _link(rng: Random, column: str) -> str:
    return f"https://example.org/{re.sub('[^a-z]+', '-', column.lower())}/{rng.randrange(1, 40)}"


def _text(rng: Random, _: str) -> str:
    return rng.choice(_TEXTS)


def _entity(rng: Random, _: str) -> str:
    return f"syn{rng.randrange(9_000_000_000, 9_900_000_000)}"


def _version(rng: Random, _: str) -> str:
    return f"{rng.randrange(1, 8)}.{rng.randrange(12)}.{rng.randrange(4)}"


def _share(rng: Random, _: str) -> str:
    return f"{rng.random():.3f}"


def _percent(rng: Random, _: str) -> str:
    return f"{rng.random() * 100:.1f}"


def _count(rng: Random, _: str) -> str:
    return str(rng.choice((rng.randrange(1, 40), rng.randrange(100, 9000), rng.randrange(10_000, 3_000_000))))


def _measure(rng: Random, _: str) -> str:
    return f"{rng.random() * rng.choice((1, 10, 100)):.2f}"


def _label(rng: Random, column: str) -> str:
    return f"{column.lower()} {rng.choice('ABCDEFGH')}{rng.randrange(1, 9)}"


_SENTENCES = re.compile(r"Description|Comment|Notes|Parameter")
_MAKERS: tuple[tuple[re.Pattern[str], Callable[[Random, str], str]], ...] = (
    (re.compile(r"^Days to|Days from Index|^Age at Diagnosis"), _days),
    (re.compile(r"\bYear\b(?!s)"), _year),
    (re.compile(r"Checksum"), _checksum),
    (re.compile(r"Link|URL|Url"), _link),
    (_SENTENCES, _text),
    (re.compile(r"Synapse ID|File ID"), _entity),
    (re.compile(r"Version|SHA"), _version),
    (re.compile(r"Percent|Pct|Percentage"), _percent),
    (re.compile(r"Proportion|Fraction|Score|Ratio|ratio|Saturation|Signal"), _share),
    (
        re.compile(r"Size|Depth|Weight|Height|Volume|Dimension|Concentration|Thickness|Dose|RIN|Time"),
        _measure,
    ),
    (
        re.compile(
            r"Count|Number|Total|Length|Reads|Fragments|Pairs|Offset|Years|per |Cells|nFeature|nCount"
        ),
        _count,
    ),
    (re.compile(r""), _label),
)
