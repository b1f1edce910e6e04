"""The listing of an atlas: its entities, as rows of the file view, to folders, paths, file types, manifests.

A listing is a UTF-8 CSV with the columns `COLUMNS`: the rows of one project, in any order. What it says
was typed by strangers: folders may form a cycle, parents may be missing, ids may stand twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan import sheet
from hdash_site.htan.entities import COLUMNS, FILE, FOLDER, as_number, as_time, in_order, rank
from hdash_site.htan.files import file_type, is_value, vocabulary
from hdash_site.htan.findings import Finding
from hdash_site.htan.folders import Entity, Listing, Place, Version, finding, place_all
from hdash_site.htan.text import clean, dumps, natural, shown, shown_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
    manifest_bytes: int = 0
    types: dict[str, list[int]] = field(default_factory=lambda: {name: [0, 0] for name in vocabulary().types})
    """By type: files, bytes."""
    archived: dict[str, int] = field(default_factory=dict[str, int])
    """By root folder: files left out."""
    manifests: list[int] = field(default_factory=list[int])
    badly_named: list[int] = field(default_factory=list[int])


class _Manifest(NamedTuple):
    """A manifest in the listing."""

    entity: Entity
    modified: int
    handle: int


def facets(listing: bytes, project: str, archives: Sequence[str]) -> dict[str, bytes]:
    """Read a listing: facets `summary`, `manifests`, `folders`, `findings`.

    `project` is the Synapse id of the atlas; `archives` names further root folders to leave out, by
    name or by id.
    """
    rows, findings = _read(listing)
    numbers = [number for number, kind in enumerate(rows.type) if kind == FOLDER]
    folders = {one.id: one for one in rows.pick(numbers)}
    places, lost = place_all(rows, folders, project)
    left_out = _archives(folders, places, archives)
    files = _count(rows, places, left_out, _roots(folders, places, left_out, project))
    current = _newest(rows, files.manifests)
    findings += lost
    findings += _bad_names(rows.pick(files.badly_named), folders, places, left_out)
    findings += chain.from_iterable(_superseded(old, newest) for newest, olds in current for old in olds)
    return {
        "summary": dumps(_summary(files, len(current))),
        "manifests": dumps(_manifests([newest for newest, _ in current], places)),
        "folders": dumps(_folders(files, folders, left_out)),
        "findings": dumps(findings),
    }


def _read(listing: bytes) -> tuple[Listing, list[Finding]]:
    """The entities, the first of each id, and what is wrong with rows."""
    rows = sheet.rows(listing, "utf-8", "replace")
    header = next(rows, list[str]())
    read = Listing([], [], [], [], [], [], {})
    prefix = vocabulary().manifest_prefix
    for chunk in sheet.chunks(rows):
        is_even = header == list(COLUMNS) and set(map(len, chunk)) == {len(COLUMNS)}
        even = chunk if is_even else list(in_order(header, chunk))
        for number, row in enumerate(even, len(read.id)):
            if row[_NAME].startswith(prefix):
                read.versions[number] = Version(*(row[place] for place in _VERSION))
        columns = list(zip(*even, strict=True)) or [()] * len(COLUMNS)
        for kept, place in zip(read[:-1], _KEPT, strict=True):
            kept.extend(columns[place])
    return _sound(read)


def _sound(rows: Listing) -> tuple[Listing, list[Finding]]:
    """Leave out what is no entity, and repeats; the first of an id stands."""
    if not rows.id:
        message = "The atlas lists nothing; check its project and the file view."
        return rows, [finding("", "", "a row an entity", message)]
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
        f"A row of the listing is neither a file nor a folder, and was skipped; check the file view{others}."
    )
    return finding(entity.id, shown(entity.type), "an id, and the type file or folder", message)


def _repeated(entity: Entity) -> Finding:
    message = "The entity stands twice in the listing, and the first row was taken; crawl the atlas again."
    return finding(entity.id, shown(entity.name), "each entity once", message)


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
    prefix, skipped, is_good, types = (
        words.manifest_prefix,
        words.left_out_files,
        words.is_good_name,
        files.types,
    )
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
            continue
        if name.startswith(prefix):
            files.manifests.append(number)
            files.manifest_bytes += size
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


def _newest(rows: Listing, numbers: Sequence[int]) -> list[tuple[_Manifest, list[_Manifest]]]:
    """Of each folder the newest manifest with the ones that it supersedes; of equals the newer content."""
    by_folder: dict[str, list[_Manifest]] = {}
    for number in numbers:
        entity, version = rows.entity(number), rows.versions[number]
        one = _Manifest(entity, as_time(version.modified), as_number(version.handle))
        by_folder.setdefault(entity.parent, []).append(one)
    ranked = [
        sorted(group, key=lambda one: rank(one.modified, one.handle, one.entity.id), reverse=True)
        for group in by_folder.values()
    ]
    return [(group[0], group[1:]) for group in ranked]


def _superseded(old: _Manifest, newest: _Manifest) -> Iterator[Finding]:
    """A superseded manifest whose content is newer: somebody edited the annotation of the other one."""
    if old.handle > newest.handle:
        message = (
            "This manifest has newer content than the one of its folder that counts; delete the wrong one."
        )
        expected = f"content older than that of {shown(newest.entity.id)}"
        entity, component = shown(old.entity.id), shown(old.entity.component)
        yield Finding("H_MANIFEST", "warning", entity, component, 0, "", "", expected, message)


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
    message = f"The name of the {what} has characters that CRDC does not allow; rename it in Synapse."
    expected = "letters, digits, period, underscore and hyphen only"
    return Finding(
        "H_FILE_NAMES", "warning", shown(entity.id), "", 0, "name", shown_end(path), expected, message
    )


def _summary(files: _Files, manifests: int) -> dict[str, object]:
    return {
        "files": sum(count for count, _ in files.types.values()),
        "bytes": sum(size for _, size in files.types.values()) + files.manifest_bytes,
        "types": {name: {"files": count, "bytes": size} for name, (count, size) in files.types.items()},
        "manifests": manifests,
    }


def _manifests(manifests: Sequence[_Manifest], places: Mapping[str, Place]) -> list[dict[str, object]]:
    """The manifests that count, in natural order of their paths."""
    rows: list[dict[str, object]] = [
        {
            "id": clean(one.entity.id),
            "name": clean(one.entity.name),
            "path": places[one.entity.parent].path + clean(one.entity.name),
            "folder": clean(one.entity.parent),
            "component": shown(one.entity.component.strip()),
            "modified": one.modified,
            "size": as_number(one.entity.size),
        }
        for one in manifests
    ]
    return sorted(rows, key=lambda row: (natural(str(row["path"])), natural(str(row["id"]))))


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
    return {"roots": roots, "archives": archives}
