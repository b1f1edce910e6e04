"""The rows of a listing: their columns, what is written in them, and which manifests a crawl must fetch."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, NamedTuple

from hdash_site.htan import sheet
from hdash_site.htan.components import catalogue, class_name
from hdash_site.htan.files import is_value, vocabulary
from hdash_site.htan.text import natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

COLUMNS: Final = (
    "id",
    "name",
    "type",
    "parentId",
    "currentVersion",
    "modifiedOn",
    "dataFileHandleId",
    "etag",
    "Component",
    "dataFileSizeBytes",
    "dataFileMD5Hex",
)
"""Those of the master file view that are used."""

FILE: Final = "file"
FOLDER: Final = "folder"

is_synapse_id: Final = re.compile("syn[0-9]{1,30}").fullmatch


class Survey(NamedTuple):
    """What a crawl must know of a listing: its number of entities, and the manifests to fetch.

    A manifest is given as id, md5, file handle and etag, as typed.
    """

    entities: int
    manifests: list[tuple[str, str, str, str]]


class Submission(NamedTuple):
    """A manifest file of the listing."""

    id: str
    name: str
    parent: str
    """Entity ID of its folder."""
    component: str
    """The `Component` annotation, as typed."""
    modified: int
    """Milliseconds since 1970."""
    handle: int


class Superseded(NamedTuple):
    """A manifest that is not used, the manifest that supersedes it, and why.

    `older`: `by` is the newest manifest of the component. `censored`: `by` is the uncensored version.
    `legacy`: the file has the legacy name, and `by` is the newest other manifest of the folder.
    """

    manifest: Submission
    by: Submission
    reason: Literal["older", "censored", "legacy"]


class Chosen(NamedTuple):
    """The manifests that are used, and those that are not."""

    current: list[Submission]
    superseded: list[Superseded]


def survey(listing: BinaryIO) -> Survey:
    """Count the rows and return the manifests that `choose` keeps; memory grows with the manifests only.

    Archives are not considered: the manifests in them are fetched too, and left out later.
    """
    rows = sheet.rows(listing, "utf-8", "replace")
    header = next(rows, list[str]())
    name_column = header.index("name") if "name" in header else 0
    beginnings = manifest_beginnings()
    versions: dict[str, tuple[str, str, str]] = {}
    manifests: list[Submission] = []
    count = 0
    for chunk in sheet.chunks(rows):
        count += len(chunk)
        likely = [row for row in chunk if len(row) > name_column and row[name_column].startswith(beginnings)]
        for entity, name, kind, parent, _, when, handle, etag, component, _, md5 in in_order(header, likely):
            if kind == FILE and entity and entity not in versions and is_manifest(name):
                versions[entity] = (md5, handle, etag)
                manifests.append(
                    Submission(entity, name, parent, component, as_time(when), as_number(handle))
                )
    return Survey(count, [(manifest.id, *versions[manifest.id]) for manifest in choose(manifests).current])


def manifest_beginnings() -> tuple[str, str]:
    """Return what the names of all manifests begin with: a quick test before `is_manifest`."""
    words = vocabulary()
    return words.manifest_prefix, words.legacy_manifest


def is_manifest(name: str) -> bool:
    """Whether a file of this name is a manifest, with a name of today or the legacy name."""
    words = vocabulary()
    return name.startswith(words.manifest_prefix) or name == words.legacy_manifest


def choose(manifests: Iterable[Submission]) -> Chosen:
    """Decide which manifests of each folder are used (sections 1 and 11 of the dashboard's rules).

    Of each component the newest manifest of a folder is used. A censored manifest is never used where the
    folder holds its uncensored version, and a manifest with the legacy name only where the folder holds no
    other manifest.
    """
    by_folder: dict[str, list[Submission]] = {}
    for manifest in manifests:
        by_folder.setdefault(manifest.parent, []).append(manifest)
    chosen = Chosen([], [])
    for folder in by_folder.values():
        current, superseded = _choose_in_folder(sorted(folder, key=_rank))
        chosen.current.extend(current)
        chosen.superseded.extend(superseded)
    return chosen


def _choose_in_folder(manifests: Sequence[Submission]) -> Chosen:
    """Decide for one folder; `manifests` begins with the oldest."""
    by_name = {manifest.name.lower(): manifest for manifest in manifests}
    originals = [by_name.get(_uncensored_name(manifest.name)) for manifest in manifests]
    superseded = [
        Superseded(manifest, original, "censored")
        for manifest, original in zip(manifests, originals, strict=True)
        if original
    ]
    whole = [manifest for manifest, original in zip(manifests, originals, strict=True) if not original]
    name = vocabulary().legacy_manifest
    legacy = [manifest for manifest in whole if manifest.name == name]
    candidates = [manifest for manifest in whole if manifest.name != name] or legacy
    newest = {component_of(manifest): manifest for manifest in candidates}
    for manifest in candidates:
        by = newest[component_of(manifest)]
        if manifest is not by:
            superseded.append(Superseded(manifest, by, "older"))
    if candidates is not legacy:
        superseded += [Superseded(manifest, candidates[-1], "legacy") for manifest in legacy]
    return Chosen(list(newest.values()), superseded)


def _uncensored_name(name: str) -> str:
    """Return the lower-case name of the version that is not censored; blank if `name` is no censored one."""
    ending = vocabulary().censored_ending
    lower = name.lower()
    return lower.removesuffix(ending) + ".csv" if lower.endswith(ending) else ""


def component_of(manifest: Submission) -> str:
    """Return the component by which the manifests of a folder are told apart.

    It is the `Component` annotation; without one, the component that the file name ends with; else blank.
    """
    annotation = manifest.component.strip()
    if is_value(annotation):
        known = catalogue().find(annotation)
        return known.name if known else class_name(annotation)
    ending = manifest.name.removeprefix(vocabulary().manifest_prefix).lower().removesuffix(".csv")
    return _components_in_lower_case().get(ending, "")


@cache
def _components_in_lower_case() -> dict[str, str]:
    return {component.name.lower(): component.name for component in catalogue()}


def ids(listing: bytes) -> set[str]:
    """Return the ids of the entities that a listing holds."""
    rows = sheet.rows(listing, "utf-8", "replace")
    header = next(rows, list[str]())
    column = header.index("id") if "id" in header else 0
    return {row[column] for row in rows if len(row) > column and row[column]}


def in_order(header: list[str], rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """The rows with the columns of a listing, whatever the header's order is; missing cells are blank."""
    places = [header.index(name) if name in header else -1 for name in COLUMNS]
    for row in rows:
        if not sheet.is_blank(row):
            yield [row[place] if 0 <= place < len(row) else "" for place in places]


def _rank(manifest: Submission) -> tuple[object, ...]:
    """Sort key: the newest manifest is the greatest; of equally new ones, the manifest with newer content."""
    return manifest.modified, manifest.handle, natural(manifest.id)


def packed(entities: Sequence[str]) -> str:
    """Join the numbers of Synapse IDs by commas; a text that is no Synapse ID becomes blank."""
    if not all(map(is_synapse_id, entities)):
        entities = [entity if is_synapse_id(entity) else "" for entity in entities]
    return ",".join(entities).replace("syn", "")


def unpacked(numbers: str) -> list[str]:
    """Return the numbers that `packed` joined; none of a blank text."""
    return numbers.split(",") if numbers else []


def as_number(text: str) -> int:
    """A count or a time as typed (`13026`, `13026.0`, `1.61E+12`); what is none counts as 0."""
    try:
        read = float(text)
    except ValueError:
        return 0
    return int(read) if 0 <= read < 1e20 else 0


def as_time(text: str) -> int:
    """When it was modified, in milliseconds since 1970; 0 if that is not said."""
    found = as_number(text)
    if found:
        return found
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return 0
    return max(0, int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000))
