"""What `data/files.toml` says: types of files, names left out, cells without a value, columns that count."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hdash_site.htan.text import BLANKS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OTHER: Final = "Other"


class Vocabulary(NamedTuple):
    types: tuple[str, ...]
    """Types of data files, in the order in which they are shown; `Other` is the last."""
    type_of: dict[str, str]
    """Type by extension, in lower case, without the dot."""
    manifest_prefix: str
    legacy_manifest: str
    censored_ending: str
    """In lower case."""
    left_out_files: frozenset[str]
    left_out_roots: frozenset[str]
    """Root folders, in lower case."""
    is_good_name: Callable[[str], object]
    not_values: frozenset[str]
    not_counted: frozenset[str]
    is_not_counted: Callable[[str], object]
    is_unnamed: Callable[[str], object]
    repeated: re.Pattern[str]
    """Matches the name of a repeated column as a tool writes it: the name, and what the tool added."""
    copied: re.Pattern[str]
    """The same, for columns that we know."""


@cache
def vocabulary() -> Vocabulary:
    text = files(__package__ or "").joinpath("data/files.toml").read_text(encoding="utf-8")
    table: dict[str, dict[str, Any]] = tomllib.loads(text)
    columns = table["columns"]
    return Vocabulary(
        types=(*table["types"], OTHER),
        type_of={extension: name for name, many in table["types"].items() for extension in many},
        manifest_prefix=table["manifests"]["prefix"],
        legacy_manifest=table["manifests"]["legacy"],
        censored_ending=table["manifests"]["censored_ending"],
        left_out_files=frozenset(table["left_out"]["files"]),
        left_out_roots=frozenset(table["left_out"]["root_folders"]),
        is_good_name=re.compile(table["names"]["pattern"]).fullmatch,
        not_values=frozenset(table["cells"]["not_values"]),
        not_counted=frozenset(columns["not_counted"]),
        is_not_counted=re.compile("|".join(columns["not_counted_patterns"])).fullmatch,
        is_unnamed=re.compile("|".join(columns["unnamed_patterns"])).fullmatch,
        repeated=_suffixed(columns["repeated_patterns"]),
        copied=_suffixed(columns["copy_patterns"]),
    )


def _suffixed(suffixes: Sequence[str]) -> re.Pattern[str]:
    return re.compile(f"(.+?)({'|'.join(suffixes)})", re.DOTALL)


def is_value(cell: str) -> bool:
    """Whether a cell of a manifest holds a value (section 2 of the dashboard's rules)."""
    return cell.strip(BLANKS).lower() not in vocabulary().not_values


@lru_cache(maxsize=4096)
def is_counted(column: str) -> bool:
    """Whether a column of this name counts for "percent complete": it has a name, and is neither an id
    nor bookkeeping.
    """
    words = vocabulary()
    if not column or column in words.not_counted:
        return False
    return not words.is_unnamed(column) and not words.is_not_counted(column)


def file_type(name: str) -> str:
    """The type of a data file, by its extension: any case, a final `.gz` ignored.

    >>> file_type("scan.ome.TIF.gz"), file_type("plain.gz"), file_type("README")
    ('Image', 'Other', 'Other')
    """
    lower = name.lower().removesuffix(".gz")
    _, dot, extension = lower.rpartition(".")
    return vocabulary().type_of.get(extension, OTHER) if dot else OTHER
