"""Sample atlases: made-up collections in HTAN's real shape, the same for the same seed.

`write(folder)` writes what the folder source reads:

- `projects.csv` and `files.csv`, the master file view of all atlases;
- `manifests/<synapse id>.csv`;
- `truth.json`: each mistake that was planted, at its place (what the checks must find, and nothing else), and
  the figures of each atlas.

Scale 1.0 is as large as HTAN phase 1: 14 atlases, 671 manifests, 263,000 records, 300,000 files.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from hdash_site.errors import OutputError
from hdash_site.sources.sample import listing, shape
from hdash_site.sources.sample.collection import write_atlas
from hdash_site.sources.sample.truth import Truth

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write"]


def write(folder: Path, *, seed: int = 7, scale: float = 0.02, atlases: int | None = None) -> None:
    """Write a collection into a folder, in constant memory; `atlases` limits it to the first so many.

    An earlier sample in the folder is replaced. Raises `OutputError` if something else is there.
    """
    chosen = shape.atlases(scale, atlases)
    _make_room(folder)
    with (folder / "projects.csv").open("w", encoding="utf-8-sig", newline="") as file:
        projects = csv.writer(file, lineterminator="\n")
        projects.writerow(("id", "atlas_id", "name", "liaison"))
        projects.writerows((atlas.project, atlas.id, atlas.name, atlas.liaison) for atlas in chosen)
    truth = Truth()
    with (folder / "files.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(listing.COLUMNS)
        for atlas in chosen:
            write_atlas(atlas, folder, rows.writerows, truth, seed, scale)
    truth.save(folder / "truth.json")


def _make_room(folder: Path) -> None:
    """Only what an earlier sample left is removed."""
    manifests = folder / "manifests"
    manifests.mkdir(parents=True, exist_ok=True)
    there = list(manifests.iterdir())
    if there and not (folder / "truth.json").exists():
        raise OutputError("there are manifests that are no sample", str(manifests), "name another folder")
    (folder / "truth.json").touch()
    for path in there:
        path.unlink()
