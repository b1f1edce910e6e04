"""Atlases as a folder on disk: `projects.csv`, `files.csv`, and `manifests/<synapse id>.csv`.

`projects.csv` has the columns id, atlas_id, name, liaison, the id being the Synapse project; `files.csv`
those of the master file view, of which `htan.entities.COLUMNS` and projectId are read.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from hdash_site.errors import AtlasError, ManifestError, SourceError
from hdash_site.files import Looks
from hdash_site.snapshot import SYNAPSE_ID, Listed, Project, Snapshot
from hdash_site.sources.crawl import too_large

PROJECT_COLUMNS = ("id", "atlas_id", "name", "liaison")
NEEDED = ("id", "name", "type", "parentId", "projectId")


class Folder:
    """One reading of an atlas folder. What did not change since an earlier look is not read.

    `kind` is what the settings call it; fingerprints begin with it.
    """

    def __init__(self, path: Path, looks: Looks, kind: str = "folder") -> None:
        self._path, self._looks, self._kind = path, looks, kind
        csv.field_size_limit(sys.maxsize)

    def projects(self) -> list[Project]:
        """Give the atlases in the order of `projects.csv`. Raises `SourceError`."""
        return projects_of(self._path / "projects.csv")

    def fingerprints(
        self,
        projects: Sequence[Project],
        last: Mapping[str, Snapshot],  # noqa: ARG002 - one digest tells it all
    ) -> Mapping[str, str]:
        """Give what is equal as long as the listings are: one file holds them all."""
        try:
            content = self._looks.digest(self._path / "files.csv")
        except OSError as error:
            raise _unreadable(self._path / "files.csv", error) from None
        return {project.id: f"{self._kind} {project.synapse_id} in {content}" for project in projects}

    def unverified(self, read: Mapping[str, Sequence[Listed]]) -> Mapping[str, str]:  # noqa: ARG002
        """Return nothing: the bytes of a folder are what it holds."""
        return {}

    def listings(self, projects: Sequence[Project]) -> Iterator[tuple[Project, BinaryIO]]:
        """Give the rows of each atlas; the file is read once for all."""
        held = self._split()
        for project in projects:
            rows = held.pop(project.synapse_id, None) or (",".join(_columns()) + "\n").encode()
            yield project, io.BytesIO(rows)

    def versions(self, manifests: Iterable[Listed]) -> Mapping[str, str]:
        """Give the digest of the bytes of each manifest that is there."""
        held: dict[str, str] = {}
        for entity in (one.id for one in manifests):
            if SYNAPSE_ID.fullmatch(entity):
                try:
                    held[entity] = self._looks.digest(f"{self._path}/manifests/{entity}.csv")
                except OSError:
                    continue  # `manifests` says what is wrong with it
        return held

    def manifests(self, wanted: Sequence[Listed]) -> Iterator[tuple[str, bytes | AtlasError]]:
        for entity in (one.id for one in wanted):
            try:
                yield entity, self._manifest(entity)
            except ManifestError as error:
                yield entity, error

    def _manifest(self, entity: str) -> bytes:
        """Give the bytes of a manifest. Raises `ManifestError` with a sentence for its finding."""
        if not SYNAPSE_ID.fullmatch(entity):
            raise ManifestError(
                "The entity of the manifest has no Synapse id", way_out="crawl the atlas again."
            )
        from hdash_site.htan.parsing import LARGEST

        path = self._path / "manifests" / f"{entity}.csv"
        try:
            if path.stat().st_size > LARGEST:
                raise too_large(LARGEST)
            return path.read_bytes()
        except FileNotFoundError:
            said = f"There is no file manifests/{entity}.csv"
            raise ManifestError(said, way_out="add it to the atlases.") from None
        except OSError as error:
            said = f"The file manifests/{entity}.csv cannot be read ({error.strerror})"
            raise ManifestError(said, way_out="see that we may read it.") from None

    def _split(self) -> dict[str, bytes]:
        """Read `files.csv` once and give each project its rows."""
        try:
            return self._split_rows(careful=False)
        except IndexError:  # some row is short, which nearly never happens: again, with care
            return self._split_rows(careful=True)

    def _split_rows(self, *, careful: bool) -> dict[str, bytes]:
        columns = _columns()
        texts: dict[str, io.StringIO] = {}
        with _opened(self._path / "files.csv", NEEDED) as (header, rows):
            pick, project_of = _picker(header, columns), itemgetter(header.index("projectId"))
            even = _padded(rows, len(header)) if careful else rows
            for project, some in itertools.groupby(even, project_of):
                if project not in texts:
                    texts[project] = io.StringIO(newline="")
                    _write_rows(texts[project], iter([columns]))
                _write_rows(texts[project], map(pick, some))
        return {project: texts.pop(project).getvalue().encode() for project in list(texts)}


def projects_of(path: Path) -> list[Project]:
    """Give the atlases of a CSV with the columns id, atlas_id, name, liaison. Raises `SourceError`."""
    with _opened(path, PROJECT_COLUMNS) as (header, rows):
        pick = _picker(header, ("atlas_id", "id", "name", "liaison"))
        projects = list(_padded(rows, len(header)))
    return [Project(*(field.strip() for field in pick(row))) for row in projects if any(row)]


@contextlib.contextmanager
def _opened(
    path: Path, needed: Sequence[str]
) -> Generator[tuple[list[str], Iterator[list[str]]], None, None]:
    """Give the header, which has the `needed` columns, and every row that is not empty."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, list[str]())
            missing = [column for column in needed if column not in header]
            if missing:
                way_out = f"its first line must name {', '.join(needed)}"
                raise SourceError(f"there is no column {missing[0]}", str(path), way_out)
            yield header, filter(None, reader)
    except csv.Error as error:
        raise SourceError(f"this is not CSV ({error})", str(path), "export the file anew") from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _padded(rows: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    for row in rows:
        yield row + [""] * (width - len(row))


def _write_rows(text: io.StringIO, rows: Iterator[tuple[str, ...]]) -> None:
    """Write rows as CSV; a thousand that need no quotes are joined at once, which is thrice as fast."""
    while some := list(itertools.islice(rows, 1000)):
        joined = "\n".join(map(",".join, some))
        commas = (len(some[0]) - 1) * len(some)
        plain = joined.count(",") == commas and joined.count("\n") == len(some) - 1
        if plain and '"' not in joined and "\r" not in joined:
            text.write(joined + "\n")
        else:
            csv.writer(text, lineterminator="\n").writerows(some)


def _picker(header: Sequence[str], columns: Sequence[str]) -> Callable[[list[str]], tuple[str, ...]]:
    """Give a function from a row to its cells in `columns`, blank where the file has no such column."""
    places = {name: place for place, name in reversed(list(enumerate(header)))}
    if all(column in places for column in columns):
        return itemgetter(*(places[column] for column in columns))
    found = [places.get(column) for column in columns]
    return lambda row: tuple("" if place is None else row[place] for place in found)


def _columns() -> tuple[str, ...]:
    from hdash_site.htan.entities import COLUMNS

    return COLUMNS


def _unreadable(path: Path, error: OSError) -> SourceError:
    reason = (error.strerror or str(error)).lower()
    return SourceError(
        f"cannot be read ({reason})", str(path), "an atlas folder has projects.csv and files.csv"
    )
