"""The truth: entities in their folders, their etags and file handles, and every way to change them."""

from __future__ import annotations

import csv
import hashlib
import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

COLUMNS = (
    "id", "name", "type", "currentVersion", "parentId", "benefactorId", "projectId", "createdBy", "createdOn",
    "modifiedOn", "modifiedBy", "dataFileHandleId", "etag", "allowedTeam", "fileFormat", "Component",
    "dataFileSizeBytes", "dataFileMD5Hex",
)  # fmt: skip


class Project(NamedTuple):
    """An atlas, as `projects.csv` lists it."""

    id: str
    synapse_id: str
    name: str
    liaison: str


@dataclass(frozen=True, slots=True)
class Entity:
    """A file or a folder."""

    id: str
    name: str
    type: str
    parent: str
    component: str
    etag: str
    modified: str
    version: str = ""
    handle: str = ""


class Handle(NamedTuple):
    """Bytes in the object store: in memory, on disk, or of a data file that nobody ever fetches."""

    id: str
    md5: str
    size: str
    entity: str
    content: bytes | Path | None

    def read(self) -> bytes:
        if isinstance(self.content, Path):
            return self.content.read_bytes()
        return self.content or b""


class Entities:
    """All projects. Every edit changes the etag of what it touches, and of nothing else.

    As `NodeDAOImpl.touch`: an update, rename, move, new version, annotation or new file handle gives a new
    random etag and sets modifiedOn. `keep_modified` leaves the latter, as some paths of the service do.
    What lies in a folder keeps its etag when the folder moves (synapse.md 4.2 is what that is about).
    """

    def __init__(self, folder: Path) -> None:
        self.rows: dict[str, Entity] = {}
        self.handles: dict[str, Handle] = {}
        self._saved: dict[str, str] = {}
        self._next = itertools.count(90_000_000)
        with (folder / "projects.csv").open(encoding="utf-8-sig", newline="") as file:
            self.projects = [
                Project(row["atlas_id"], row["id"], row["name"], row["liaison"])
                for row in csv.DictReader(file)
            ]
        with (folder / "files.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                self._load(row, folder / "manifests" / f"{row['id']}.csv")

    def _load(self, row: dict[str, str], path: Path) -> None:
        handle = row["dataFileHandleId"]
        if row["type"] == "file":
            handle = handle or str(next(self._next))
            md5, size, content = row["dataFileMD5Hex"], row["dataFileSizeBytes"], None
            if path.exists():
                content, data = path, path.read_bytes()
                md5, size = hashlib.md5(data).hexdigest(), str(len(data))
            self.handles[handle] = Handle(handle, md5, size, row["id"], content)
        self.rows[row["id"]] = Entity(
            row["id"], row["name"], row["type"], row["parentId"], row["Component"],
            row["etag"] or str(uuid.uuid4()), row["modifiedOn"], row["currentVersion"] or "1",
            handle,
        )  # fmt: skip

    def project_of(self, entity: str) -> str | None:
        """Walk up to the project; None if the way leads nowhere."""
        names = {project.synapse_id for project in self.projects}
        seen: set[str] = set()
        while entity not in names:
            if entity not in self.rows or entity in seen:
                return None
            seen.add(entity)
            entity = self.rows[entity].parent
        return entity

    def row(self, one: Entity, project: str) -> tuple[str | None, ...]:
        """The row of the view, blanks as NULL."""
        handle = self.handles.get(one.handle)
        cells = {
            "id": one.id, "name": one.name, "type": one.type, "currentVersion": one.version,
            "parentId": one.parent, "benefactorId": project, "projectId": project,
            "modifiedOn": one.modified, "dataFileHandleId": one.handle, "etag": one.etag,
            "Component": one.component, "dataFileSizeBytes": handle.size if handle else "",
            "dataFileMD5Hex": handle.md5 if handle else "",
        }  # fmt: skip
        return tuple(cells.get(name) or None for name in COLUMNS)

    def all_rows(self) -> Iterator[tuple[str | None, ...]]:
        known: dict[str, str | None] = {project.synapse_id: project.synapse_id for project in self.projects}
        for one in self.rows.values():
            if one.parent not in known:
                known[one.parent] = self.project_of(one.parent)
            project = known[one.parent]
            if project:
                yield self.row(one, project)

    def touch(self, one: Entity, keep_modified: bool, **more: str) -> None:
        modified = one.modified if keep_modified else str(int(float(one.modified or 0)) + 1000)
        self.rows[one.id] = replace(one, etag=str(uuid.uuid4()), modified=modified, **more)

    def keep(self, entity: str, content: bytes) -> str:
        """Put bytes into the object store; gives their new handle."""
        number = str(next(self._next))
        self.handles[number] = Handle(
            number, hashlib.md5(content).hexdigest(), str(len(content)), entity, content
        )
        return number

    def add(self, parent: str, name: str, kind: str, content: bytes | None, component: str) -> str:
        entity = f"syn{next(self._next)}"
        handle = self.keep(entity, content or b"") if kind == "file" else ""
        self.rows[entity] = Entity(
            entity, name, kind, parent, component, str(uuid.uuid4()), "1800000000000", "1", handle
        )
        return entity

    def inside(self, entity: str) -> set[str]:
        """What lies in an entity, however deep, and itself."""
        children: dict[str, list[str]] = {}
        for one in self.rows.values():
            children.setdefault(one.parent, []).append(one.id)
        found, waiting = set(), [entity]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += children.get(one, [])
        return found

    def save(self, folder: Path) -> None:
        """Write all that there is as a folder of atlases; a manifest that is there already stays."""
        (folder / "manifests").mkdir(parents=True, exist_ok=True)
        with (folder / "projects.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("id", "atlas_id", "name", "liaison"))
            writer.writerows((one.synapse_id, one.id, one.name, one.liaison) for one in self.projects)
        with (folder / "files.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(self.all_rows())
        held = {one.id: self.handles[one.handle] for one in self.rows.values() if one.handle}
        for entity, handle in held.items():
            path = folder / "manifests" / f"{entity}.csv"
            is_manifest = self.rows[entity].name.startswith(
                ("synapse_storage_manifest_", "synapse_storage_manifest.csv")
            )
            if is_manifest and handle.content is not None and self._saved.get(entity) != handle.id:
                path.write_bytes(handle.read())
                self._saved[entity] = handle.id
        for entity in [one for one in self._saved if one not in held]:
            (folder / "manifests" / f"{entity}.csv").unlink()
            del self._saved[entity]
