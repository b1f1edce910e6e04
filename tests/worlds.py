"""Small collections of atlases and sites, written by hand, for tests of the whole program."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from hdash_site import app, origin
from hdash_site.state import models, where
from hdash_site.state.store import SOURCE, Store, glanced, opened
from hdash_site.state.where import Where

ROOT = Path(__file__).parents[1]
FILE_COLUMNS = (
    "id", "name", "type", "currentVersion", "parentId", "benefactorId", "projectId", "createdBy", "createdOn",
    "modifiedOn", "modifiedBy", "dataFileHandleId", "etag", "allowedTeam", "fileFormat", "Component",
    "dataFileSizeBytes", "dataFileMD5Hex",
)  # fmt: skip


class Collection:
    """A folder of atlases that can be edited: rows in memory, written by `save`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.projects: list[dict[str, str]] = []
        self.files: list[dict[str, str]] = []
        self.manifests: dict[str, bytes] = {}
        self._next = 100

    def atlas(self, atlas: str, name: str = "", liaison: str = "Ada Example", synapse_id: str = "") -> str:
        project = synapse_id or self.new_id()
        row = {"id": project, "atlas_id": atlas, "name": name or f"Atlas {atlas}", "liaison": liaison}
        self.projects.append(row)
        return project

    def new_id(self) -> str:
        self._next += 1
        return f"syn{self._next:08}"

    def entity(self, project: str, parent: str, name: str, kind: str = "file", **more: str) -> str:
        entity = more.pop("id", "") or self.new_id()
        row = dict.fromkeys(FILE_COLUMNS, "")
        row |= {"id": entity, "name": name, "type": kind, "parentId": parent, "projectId": project}
        row |= {"etag": f"etag-{entity}", "modifiedOn": "1700000000000", "dataFileSizeBytes": "1000"} | more
        self.files.append(row)
        return entity

    def manifest(
        self, project: str, parent: str, component: str, data: bytes | list[dict[str, str]], **more: str
    ) -> str:
        name = more.pop("name", f"synapse_storage_manifest_{component.lower()}.csv")
        entity = self.entity(project, parent, name, Component=component, **more)
        self.manifests[entity] = data if isinstance(data, bytes) else as_csv(data)
        return entity

    def save(self) -> None:
        (self.folder / "manifests").mkdir(parents=True, exist_ok=True)
        write(self.folder / "projects.csv", as_csv(self.projects, ("id", "atlas_id", "name", "liaison")))
        write(self.folder / "files.csv", as_csv(self.files, FILE_COLUMNS))
        for path in (self.folder / "manifests").iterdir():
            if path.stem not in self.manifests:
                path.unlink()
        for entity, data in self.manifests.items():
            write(self.folder / "manifests" / f"{entity}.csv", data)


def write(path: Path, data: bytes) -> None:
    """Write a file only if it changes, as an editor would."""
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


def as_csv(rows: list[dict[str, str]], columns: tuple[str, ...] = ()) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def demographics(*people: str) -> list[dict[str, str]]:
    return [{"Component": "Demographics", "HTAN Participant ID": who, "Gender": "female"} for who in people]


def biospecimens(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {
            "Component": "Biospecimen",
            "HTAN Biospecimen ID": own,
            "HTAN Parent ID": parent,
            "Collection Days from Index": "12",
            "Acquisition Method Type": "Biopsy",
            "Site of Resection or Biopsy": "Colon NOS",
        }
        for own, parent in pairs
    ]


def reads(*pairs: tuple[str, str, str]) -> list[dict[str, str]]:
    return [
        {
            "Component": "ScRNA-seqLevel1",
            "Filename": f"reads/{own}.fastq.gz",
            "HTAN Parent Biospecimen ID": parent,
            "HTAN Data File ID": own,
            "Library Construction Method": "10xV3",
            "entityId": entity,
        }
        for own, parent, entity in pairs
    ]


def small(folder: Path, *atlases: str) -> Collection:
    """A collection of small, faultless atlases: a person, a biospecimen, a file of reads each."""
    collection = Collection(folder)
    for atlas in atlases or ("HTA1", "HTA2"):
        project = collection.atlas(atlas)
        clinical = collection.entity(project, project, "clinical", "folder")
        bio = collection.entity(project, project, "biospecimens", "folder")
        single = collection.entity(project, project, "single_cell", "folder")
        data = collection.entity(
            project, single, f"{atlas.lower()}_reads.fastq.gz", Component="ScRNA-seqLevel1"
        )
        collection.manifest(project, clinical, "Demographics", demographics(f"{atlas}_1", f"{atlas}_2"))
        collection.manifest(project, bio, "Biospecimen", biospecimens((f"{atlas}_1_1", f"{atlas}_1")))
        rows = reads((f"{atlas}_1_1001", f"{atlas}_1_1", data))
        collection.manifest(project, single, "ScRNA-seqLevel1", rows)
    collection.save()
    return collection


def site_folder(folder: Path) -> Path:
    """A site with the project's own layouts and content."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("layouts", "content"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "site.toml").write_text('title = "Test site"\nbase_url = "https://example.org/"\n')
    return folder


def build(site: Path, atlases: Path, **more: object) -> app.Result:
    return app.build(app.Options(site, atlases, **more))  # type: ignore[arg-type]


def clean_tree(site: Path, atlases: Path, **more: object) -> dict[str, bytes]:
    """What a build gives that knows of no other."""
    with tempfile.TemporaryDirectory(prefix="hdash-clean-") as folder:
        build(site, atlases, output=Path(folder, "public"), cache=Path(folder, "cache"), **more)
        return tree(Path(folder, "public"))


class History(NamedTuple):
    """The history of a source: its editions, and what the next one is compared with."""

    editions: list[tuple[str, str]]
    basis: str
    source: str


def source_of(site: Path, atlases: Path | None = None) -> str:
    """What identifies the source of a site."""
    return origin.identity(app.config_of(app.Options(site, atlases)))


def history_of(store: Store) -> History:
    """The history of the source that was crawled last."""
    source = store.fact(SOURCE)
    return History(store.editions(source), store.basis(source), source)


def give_history(cache: Path, history: History) -> None:
    """Give a history to a state that has none."""
    with opened(cache) as store:
        for edition in history.editions:
            store.add_edition(history.source, *edition, history.basis)
            store.commit()


def carry_history(old: Path, cache: Path, at: Where | None = None, source: str = "") -> None:
    """Give the history of the state below `old`, or elsewhere, to one that has none, or to `source`."""
    with glanced(old, at or where.file(old)) as store:
        history = history_of(store) if store else History([], "", "")
    give_history(cache, history._replace(source=source or history.source))


def name_the_sample(site: Path) -> None:
    """Let a site say that it publishes the sample."""
    with (site / "site.toml").open("a") as toml:
        toml.write('[source]\nkind = "sample"\n')


def other(folder: Path, *atlases: str) -> Collection:
    """A small collection without an entity of the usual one."""
    collection = small(folder, *atlases)
    for rows in (collection.projects, collection.files):
        rows[:] = [{key: text.replace("syn0000", "syn0009") for key, text in row.items()} for row in rows]
    collection.manifests = {
        entity.replace("syn0000", "syn0009"): data.replace(b"syn0000", b"syn0009")
        for entity, data in collection.manifests.items()
    }
    collection.save()
    return collection


def as_version_0_1_0_left_it(cache: Path) -> None:
    """Make a state one whose editions and snapshots do not say which source they are of."""
    with opened(cache):
        newest = models.Edition.select().order_by(models.Edition.moment.desc()).get()
        for one in list(models.Edition.select()):
            one.delete_instance()
            one.hash, one.source = models.hash_of(one.moment), ""
            one.basis = one.basis if one.moment == newest.moment else ""
            one.save(force_insert=True)
        models.Fact.delete().execute()


def lose_history(cache: Path) -> None:
    with opened(cache):
        models.Edition.delete().execute()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a site by its path, without `status.json`, which tells the time."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "status.json"
    }


def status(folder: Path) -> dict[str, Any]:
    """Give what `status.json` of a site says."""
    return json.loads((folder / "status.json").read_bytes())
