"""The listing of an atlas: its entities, as rows of the file view, to folders, paths, file types, manifests.

A listing is a UTF-8 CSV with the columns `COLUMNS`: the rows of one project, in any order. What it says
was typed by strangers: folders may form a cycle, parents may be missing, ids may stand twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

from hdash_site.htan import sheet
from hdash_site.htan.entities import (
    COLUMNS,
    FILE,
    FOLDER,
    Submission,
    Superseded,
    as_number,
    as_time,
    choose,
    in_order,
    is_manifest,
    manifest_beginnings,
    packed,
)
from hdash_site.htan.files import file_type, is_value, vocabulary
from hdash_site.htan.findings import Finding, limited
from hdash_site.htan.folders import Entity, Listing, Place, Version, finding, place_all
from hdash_site.htan.text import clean, dumps, natural, shown, shown_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_MANIFESTS: Final = 2_000
"""Manifests of an atlas that are used. The most of HTAN phase 1 are 139."""

_KEPT: Final = tuple(map(COLUMNS.index, ("id", "name", "type", "parentId", "Component", "dataFileSizeBytes")))
_VERSION: Final = tuple(map(COLUMNS.index, ("modifiedOn", "dataFileHandleId")))
_NAME: Final = COLUMNS.index("name")
_PACKED: Final = frozenset((".gz", ".GZ", ".gZ", ".Gz"))
"""Endings that say nothing of the type."""


@dataclass(slots=True)
class _Root:
    """A root folder, and what lies in it."""

    name: str
    id: str
    annotated: int = 0
    plain: int = 0
    bytes: int = 0


@dataclass(slots=True)
class _Files:
    """What was counted so far, over the files that are not left out."""

    roots: dict[str, _Root]
    types: dict[str, list[int]] = field(default_factory=lambda: {name: [0, 0] for name in vocabulary().types})
    """By type: files, bytes."""
    archived: dict[str, int] = field(default_factory=dict[str, int])
    """By root folder: files left out."""
    left_out: dict[str, int] = field(default_factory=dict[str, int])
    """By name that is left out: files."""
    manifests: list[int] = field(default_factory=list[int])
    badly_named: list[int] = field(default_factory=list[int])


def facets(listing: bytes, project: str, archives: Sequence[str]) -> dict[str, bytes]:
    """Read a listing: facets `summary`, `manifests`, `folders`, `findings`, `entities`.

    `project` is the Synapse id of the atlas; `archives` names further root folders to leave out, by
    name or by id.
    """
    rows, findings = _read(listing)
    numbers = [number for number, kind in enumerate(rows.type) if kind == FOLDER]
    folders = {one.id: one for one in rows.pick(numbers)}
    places, lost = place_all(rows, folders, project)
    left_out = _archives(folders, places, archives)
    files = _count(rows, places, left_out, _roots(folders, places, left_out, project))
    entities = {entity.id: entity for entity in rows.pick(files.manifests)}
    current, superseded = choose(_submission(rows, number) for number in files.manifests)
    ignored = {old.manifest.id for old in superseded if old.reason == "legacy"}
    sizes = {entity.id: as_number(entity.size) for entity in entities.values() if entity.id not in ignored}
    findings += lost
    findings += _bad_names(rows.pick(files.badly_named), folders, places, left_out)
    findings += chain.from_iterable(map(_legacy, current))
    findings += chain.from_iterable(map(_superseded, superseded))
    manifests = _manifests(current, sizes, places)
    if len(manifests) > MOST_MANIFESTS:
        findings.append(_too_many_manifests(len(manifests)))
    return {
        "summary": dumps(_summary(files, min(len(manifests), MOST_MANIFESTS), sum(sizes.values()))),
        "manifests": dumps(manifests[:MOST_MANIFESTS]),
        "folders": dumps({**_folders(files, folders, left_out), "superseded": _not_used(superseded, places)}),
        "findings": dumps(_limited(findings)),
        "entities": dumps(_entities(rows, places, left_out)),
    }


def _limited(findings: Sequence[Finding]) -> list[Finding]:
    """Keep some findings of each check one by one; those of the checks follow one another."""
    by_code: dict[str, list[Finding]] = {}
    for one in findings:
        by_code.setdefault(one.code, []).append(one)
    return [one for code in sorted(by_code) for one in limited(by_code[code])]


def _read(listing: bytes) -> tuple[Listing, list[Finding]]:
    """The entities, the first of each id, and what is wrong with rows."""
    rows = sheet.rows(listing, "utf-8", "replace")
    header = next(rows, list[str]())
    read = Listing([], [], [], [], [], [], {})
    beginnings = manifest_beginnings()
    for chunk in sheet.chunks(rows):
        is_even = header == list(COLUMNS) and set(map(len, chunk)) == {len(COLUMNS)}
        even = chunk if is_even else list(in_order(header, chunk))
        for number, row in enumerate(even, len(read.id)):
            if row[_NAME].startswith(beginnings):
                read.versions[number] = Version(*(row[place] for place in _VERSION))
        columns = list(zip(*even, strict=True)) or [()] * len(COLUMNS)
        for kept, place in zip(read[:-1], _KEPT, strict=True):
            kept.extend(columns[place])
    return _sound(read)


def _sound(rows: Listing) -> tuple[Listing, list[Finding]]:
    """Leave out what is no entity, and repeats; the first of an id stands."""
    if not rows.id:
        message = "The listing of the atlas is empty. Check the project of the atlas and the file view."
        return rows, [finding("", "", "a row for each entity", message, "empty-listing")]
    if len(set(rows.id)) == len(rows.id) and "" not in rows.id and set(rows.type) <= {FILE, FOLDER}:
        return rows, []
    kinds = list(zip(rows.id, rows.type, strict=True))
    wrong = [number for number, (one, kind) in enumerate(kinds) if not one or kind not in (FILE, FOLDER)]
    skipped = set(wrong)
    findings = [_unreadable(rows.entity(wrong[0]), len(wrong))] if wrong else []
    seen: set[str] = set()
    sound: list[int] = []
    for number, one in enumerate(rows.id):
        if number in skipped:
            continue
        if one in seen:
            findings.append(_repeated(rows.entity(number)))
        else:
            seen.add(one)
            sound.append(number)
    id_, name, type_, parent, component, size = ([column[number] for number in sound] for column in rows[:-1])
    versions = {place: rows.versions[number] for place, number in enumerate(sound) if number in rows.versions}
    return Listing(id_, name, type_, parent, component, size, versions), findings


def _unreadable(entity: Entity, count: int) -> Finding:
    others = f" ({count} rows)" if count > 1 else ""
    message = (
        f"A row of the listing is neither a file nor a folder, and was skipped{others}. Check the file view."
    )
    return finding(entity.id, shown(entity.type), "an id, and the type file or folder", message, "wrong-type")


def _repeated(entity: Entity) -> Finding:
    message = "The entity is in the listing twice, and the first row is used. Crawl the atlas again."
    return finding(entity.id, shown(entity.name), "each entity once", message, "repeated-entity")


def _archives(
    folders: Mapping[str, Entity], places: Mapping[str, Place], archives: Sequence[str]
) -> frozenset[str]:
    """The root folders that are left out: those that are called an archive, and those of `site.toml`."""
    words, named = vocabulary().left_out_roots, frozenset(archives)
    roots = {place.root for place in places.values() if place.root in folders}
    return frozenset(
        root
        for root in roots
        if folders[root].name.strip().lower() in words or folders[root].name in named or root in named
    )


def _roots(
    folders: Mapping[str, Entity], places: Mapping[str, Place], left_out: frozenset[str], project: str
) -> dict[str, _Root]:
    """The root folders that are not left out. The project's own files have a nameless root of their own,
    and so have the files of each folder that does not exist.
    """
    ids = {place.root for place in places.values()} - left_out
    return {one: _Root(clean(folders[one].name) if one in folders else "", one) for one in ids | {project}}


def _count(
    rows: Listing, places: Mapping[str, Place], left_out: frozenset[str], roots: dict[str, _Root]
) -> _Files:
    """Go through the files once: which are left out, which are manifests, and the figures of the others."""
    files = _Files(roots)
    words = vocabulary()
    beginnings, skipped = manifest_beginnings(), words.left_out_files
    is_good, types = words.is_good_name, files.types
    root_of = {
        parent: None if place.root in left_out else roots[place.root] for parent, place in places.items()
    }
    annotates = {component: is_value(component) for component in set(rows.component)}
    type_of: dict[str, list[int]] = {}
    columns = zip(rows.type, rows.name, rows.parent, rows.component, _sizes(rows.size), strict=True)
    for number, (kind, name, parent, component, size) in enumerate(columns):
        if kind != FILE:
            continue
        root = root_of[parent]
        if root is None:
            top = places[parent].root
            files.archived[top] = files.archived.get(top, 0) + 1
            continue
        if name in skipped:
            files.left_out[name] = files.left_out.get(name, 0) + 1
            continue
        if name.startswith(beginnings) and is_manifest(name):
            files.manifests.append(number)
            continue
        ending = name[name.rfind(".") :]
        if ending not in type_of or ending in _PACKED:
            type_of[ending] = types[file_type(name)]
        tally = type_of[ending]
        tally[0] += 1
        tally[1] += size
        root.bytes += size
        if annotates[component]:
            root.annotated += 1
        else:
            root.plain += 1
        if not is_good(name):
            files.badly_named.append(number)
    return files


def _sizes(column: list[str]) -> list[int]:
    """Sizes as numbers; most columns are digits throughout but for the folders' blanks."""
    if all(map(str.isascii, column)) and "".join(column).isdigit() and max(map(len, column)) < 20:
        return [int(text) if text else 0 for text in column]
    return [as_number(text) for text in column]


def _submission(rows: Listing, number: int) -> Submission:
    entity, version = rows.entity(number), rows.versions[number]
    modified, handle = as_time(version.modified), as_number(version.handle)
    return Submission(entity.id, entity.name, entity.parent, entity.component, modified, handle)


def _too_many_manifests(count: int) -> Finding:
    message = (
        f"The atlas has more than {MOST_MANIFESTS} manifests, and only the first {MOST_MANIFESTS} by path are"
        " used. Merge manifests of the same component."
    )
    return Finding(
        "H_MANIFEST",
        "error",
        "",
        "",
        0,
        "",
        f"{count} manifests",
        f"at most {MOST_MANIFESTS} manifests",
        message,
        "too-many-manifests",
    )


def _legacy(current: Submission) -> Iterator[Finding]:
    """Warn of a manifest that is used although it has the legacy name."""
    if current.name == vocabulary().legacy_manifest:
        message = (
            "The manifest has the legacy name, and is read only because its folder holds no other manifest."
            " Rename it in Synapse."
        )
        expected = "a name like synapse_storage_manifest_biospecimen.csv"
        yield _of_manifest(current, "legacy-manifest", "name", current.name, expected, message)


def _superseded(superseded: Superseded) -> Iterator[Finding]:
    """Warn of a manifest that may have been left out by mistake."""
    old, by = superseded.manifest, shown(superseded.by.id)
    if superseded.reason == "censored":
        message = (
            f"This censored manifest is not used, because its folder also holds the whole manifest ({by})."
            " If the censored manifest is meant, move the whole one to an archive folder."
        )
        expected = "one version of a manifest in a folder"
        yield _of_manifest(old, "censored-manifest", "name", shown(old.name), expected, message)
    elif superseded.reason == "older" and old.handle > superseded.by.handle:
        message = (
            "This manifest is not used, although its content is newer than that of the manifest that is used"
            f" ({by}). If this manifest is meant, upload it again; if not, move it to an archive folder."
        )
        expected = f"content older than that of {by}"
        yield _of_manifest(old, "superseded-newer-content", "", "", expected, message)


def _of_manifest(
    manifest: Submission, kind: str, column: str, value: str, expected: str, message: str
) -> Finding:
    entity, component = shown(manifest.id), shown(manifest.component)
    return Finding("H_MANIFEST", "warning", entity, component, 0, column, value, expected, message, kind)


def _bad_names(
    files: list[Entity], folders: Mapping[str, Entity], places: Mapping[str, Place], left_out: frozenset[str]
) -> Iterator[Finding]:
    """Names that break the CRDC rule: of folders, each once, and of data files."""
    is_good = vocabulary().is_good_name
    for one in folders.values():
        if not is_good(one.name) and places[one.id].root not in left_out:
            yield _bad_name(one, places[one.id].path.removesuffix("/"), "folder")
    for one in files:
        yield _bad_name(one, places[one.parent].path + clean(one.name), "file")


def _bad_name(entity: Entity, path: str, what: str) -> Finding:
    message = f"The name of the {what} has characters that CRDC does not allow. Rename the {what} in Synapse."
    expected = "letters, digits, period, underscore and hyphen only"
    entity_id, kind = shown(entity.id), f"{what}-name"
    return Finding(
        "H_FILE_NAMES", "warning", entity_id, "", 0, "name", shown_end(path), expected, message, kind
    )


def _summary(files: _Files, manifests: int, manifest_bytes: int) -> dict[str, object]:
    return {
        "files": sum(count for count, _ in files.types.values()),
        "bytes": sum(size for _, size in files.types.values()) + manifest_bytes,
        "types": {name: {"files": count, "bytes": size} for name, (count, size) in files.types.items()},
        "manifests": manifests,
    }


def _manifests(
    manifests: Sequence[Submission], sizes: Mapping[str, int], places: Mapping[str, Place]
) -> list[dict[str, object]]:
    """The manifests that are used, in natural order of their paths."""
    rows: list[dict[str, object]] = [
        {
            "id": clean(manifest.id),
            "name": clean(manifest.name),
            "path": _path(manifest, places),
            "folder": clean(manifest.parent),
            "component": shown(manifest.component.strip()),
            "modified": manifest.modified,
            "size": sizes[manifest.id],
        }
        for manifest in manifests
    ]
    return sorted(rows, key=_by_path)


def _not_used(superseded: Sequence[Superseded], places: Mapping[str, Place]) -> list[dict[str, object]]:
    """The manifests that are not used, with what supersedes each and why."""
    rows: list[dict[str, object]] = [
        {
            "id": clean(old.manifest.id),
            "path": _path(old.manifest, places),
            "component": shown(old.manifest.component.strip()),
            "by": clean(old.by.id),
            "reason": old.reason,
        }
        for old in superseded
    ]
    return sorted(rows, key=_by_path)


def _path(manifest: Submission, places: Mapping[str, Place]) -> str:
    return places[manifest.parent].path + clean(manifest.name)


def _by_path(row: Mapping[str, object]) -> tuple[object, ...]:
    return natural(str(row["path"])), natural(str(row["id"]))


def _entities(rows: Listing, places: Mapping[str, Place], left_out: frozenset[str]) -> dict[str, str]:
    """The numbers of the Synapse IDs of files, of files in archives, and of folders, joined by commas."""
    archived = {parent for parent, place in places.items() if place.root in left_out}
    found: dict[str, list[str]] = {"files": [], "archived": [], "folders": []}
    files, files_in_archives, folders = found.values()
    for entity, kind, parent in zip(rows.id, rows.type, rows.parent, strict=True):
        group = folders if kind == FOLDER else files_in_archives if parent in archived else files
        group.append(entity)
    return {name: packed(entities) for name, entities in found.items()}


def _folders(files: _Files, folders: Mapping[str, Entity], left_out: frozenset[str]) -> dict[str, object]:
    """The root folders with their data files, and those that were left out. Nameless roots only if in use."""
    used = [root for root in files.roots.values() if root.id in folders or root.annotated or root.plain]
    roots = [
        {
            "name": root.name,
            "id": clean(root.id),
            "annotated": root.annotated,
            "plain": root.plain,
            "bytes": root.bytes,
        }
        for root in sorted(used, key=lambda root: (natural(root.name), natural(root.id)))
    ]
    archives = [
        {"name": clean(folders[root].name), "id": clean(root), "files": files.archived.get(root, 0)}
        for root in sorted(left_out, key=lambda root: (natural(folders[root].name), natural(root)))
    ]
    names = [{"name": name, "files": count} for name, count in sorted(files.left_out.items())]
    return {"roots": roots, "archives": archives, "left_out": names}
