"""Snapshots written as a folder of atlases: real data on a desk without credentials.

The site that is built from the folder is the one that is built from the snapshots. An earlier writing in
the folder is replaced, and nothing else: `pulled.txt` marks a folder that is ours.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hdash_site.errors import OutputError, StateError
from hdash_site.htan import sheet
from hdash_site.htan.entities import COLUMNS
from hdash_site.snapshot import SYNAPSE_ID, Snapshot
from hdash_site.sources.folder import PROJECT_COLUMNS

MARK = "pulled.txt"

Load = Callable[[str], bytes | None]


def write(folder: Path, snapshots: Sequence[Snapshot], load: Load) -> list[tuple[str, int]]:
    """Write what `sources.folder` reads; give each atlas with its number of manifests.

    Raises `OutputError` if the folder holds something else, `StateError` if crawled bytes are lost.
    """
    try:
        return _write(folder, snapshots, load)
    except OSError as error:
        said = f"the atlases cannot be written ({error.strerror or error})"
        raise OutputError(said, str(folder), "name a folder that you may write to") from error


def _write(folder: Path, snapshots: Sequence[Snapshot], load: Load) -> list[tuple[str, int]]:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise OutputError("the folder is not empty", str(folder), "name another one, or empty it")
    manifests = folder / "manifests"
    manifests.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("Written by hdash-site pull, which replaces what is here.\n")
    with (folder / "projects.csv").open("w", encoding="utf-8", errors="replace", newline="") as file:
        projects = csv.writer(file, lineterminator="\n")
        projects.writerow(PROJECT_COLUMNS)
        for project in (snapshot.project for snapshot in snapshots):
            projects.writerow((project.synapse_id, project.id, project.name, project.liaison))
    with (folder / "files.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow((*COLUMNS, "projectId"))
        for snapshot in snapshots:
            rows.writerows(_rows(snapshot, _loaded(load, snapshot.listing)))
    held = {path.name for path in manifests.iterdir()}
    wrote: set[str] = set()
    for snapshot in snapshots:
        for entity, fetched in snapshot.manifests.items():
            if fetched.digest and SYNAPSE_ID.fullmatch(entity):
                (manifests / f"{entity}.csv").write_bytes(_loaded(load, fetched.digest))
                wrote.add(f"{entity}.csv")
    for name in held - wrote:
        (manifests / name).unlink()
    return [(snapshot.project.id, len(snapshot.manifests)) for snapshot in snapshots]


def _rows(snapshot: Snapshot, listing: bytes) -> Iterator[list[str]]:
    rows = sheet.rows(listing, "utf-8", "replace")
    next(rows, None)
    for row in rows:
        yield [*row, snapshot.project.synapse_id]


def _loaded(load: Load, digest: str) -> bytes:
    data = load(digest)
    if data is None:
        raise StateError("crawled bytes are lost", digest, "build once, which crawls them again")
    return data
