"""Atlases as Synapse projects, seen through the master file view.

*What changed* is one query: for each project the number of its rows, and checksums over them. An etag
follows every change of an entity itself: edit, new version, rename, move, annotation, permission
(`NodeDAOImpl.touch`). It does not follow what happens above the entity: when a folder moves, it gets a new
etag, and what lies in it keeps theirs though it may be in another project now. So the checksums are
grouped by project, and cover the rows of the folders too. The same bytes uploaded again are a new etag and
no new md5; the second checksum covers that and parents, so that a collision must happen twice. Each
changed row escapes with a probability of about 2^-32.

*A view answers from yesterday* until it was queried: it applies what happened after it has answered. So
what changed is asked twice, with a pause, and then a few entities are compared directly. An entity that the
view does not know yet makes its atlas count as changed, today and at the next crawl.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import BinaryIO

from hdash_site.config import Login, SynapseSettings
from hdash_site.errors import AtlasError, SourceError
from hdash_site.snapshot import Listed, Project, Snapshot
from hdash_site.sources.synapse.api import Api
from hdash_site.sources.synapse.files import Files
from hdash_site.sources.synapse.session import Patience, of_one_atlas

COMPARED = 3
"""Entities that are looked at directly before "unchanged" is believed."""

BEHIND = " (the view is behind)"


class Synapse:
    """One crawl of Synapse, with a login when something is asked first; `scratch` is for files of the run."""

    def __init__(
        self, settings: SynapseSettings, projects: Sequence[Project], login: Login, scratch: Path
    ) -> None:
        self._settings, self._projects, self._login, self._scratch = settings, projects, login, scratch
        self._patience = Patience(settings.patience, time.monotonic() + settings.deadline)
        self._opened: tuple[Api, Files] | None = None

    def projects(self) -> Sequence[Project]:
        return self._projects

    def fingerprints(self, projects: Sequence[Project], last: Mapping[str, Snapshot]) -> Mapping[str, str]:
        found = self._ask(projects)
        if last:  # also where all seem changed: that may be yesterday's change
            self._pause()
            found = self._ask(projects)
        if self._behind(found, last):
            self._pause()
            found = self._ask(projects)
            for atlas in self._behind(found, last):
                found[atlas] += BEHIND
        return found

    def listings(self, projects: Sequence[Project]) -> Iterator[tuple[Project, BinaryIO | AtlasError]]:
        with ThreadPoolExecutor(self._settings.requests, "listing") as pool:
            tasks = {pool.submit(self._listing, project): project for project in projects}
            for task in as_completed(tasks):
                yield tasks[task], task.result()

    def versions(self, manifests: Iterable[Listed]) -> Mapping[str, str]:
        """Give the md5 of each manifest, or its file handle, whose bytes never change either."""
        return {one.id: one.md5 or (f"handle {one.handle}" if one.handle else "") for one in manifests}

    def manifests(self, wanted: Sequence[Listed]) -> Iterator[tuple[str, bytes | AtlasError]]:
        from hdash_site.htan.parsing import LARGEST

        _, files = self._open()
        yield from files.manifests(wanted, LARGEST)

    def _open(self) -> tuple[Api, Files]:
        if self._opened is None:
            settings = self._settings
            self._scratch.mkdir(parents=True, exist_ok=True)
            api = Api(
                settings.endpoint,
                self._login,
                self._scratch,
                self._patience,
                settings.job_patience,
                settings.requests,
            )
            self._opened = api, Files(api, self._patience, settings.downloads)
        return self._opened

    def _ask(self, projects: Sequence[Project]) -> dict[str, str]:
        """Give the fingerprint of each atlas; one that shows us no row has one too."""
        ids = sorted({project.synapse_id for project in projects})
        if not ids:
            return {}
        api, _ = self._open()
        whole = "CONCAT(id, '|', etag, '|', name)"
        again = "CONCAT(etag, '|', id, '|', IFNULL(parentId, ''), '|', IFNULL(dataFileMD5Hex, ''))"
        sums = ", ".join(
            f"SUM(CRC32({text})) AS s{number}, BIT_XOR(CRC32({text})) AS x{number}"
            for number, text in enumerate((whole, again))
        )
        some = ", ".join(f"'{one}'" for one in ids)
        view = self._settings.view
        where = f"WHERE projectId IN ({some}) GROUP BY projectId"
        sql = f"SELECT projectId, COUNT(*) AS n, {sums} FROM {view} {where}"  # noqa: S608 - ids are checked
        rows = api.rows(view, sql)
        found = {str(row[0]): " ".join(str(cell) for cell in row[1:]) for row in rows}
        return {
            project.id: f"synapse {project.synapse_id} {found.get(project.synapse_id, 'nothing')}"
            for project in projects
        }

    def _listing(self, project: Project) -> BinaryIO | AtlasError:
        from hdash_site.htan.entities import COLUMNS

        api, files = self._open()
        view = self._settings.view
        rows: BinaryIO = tempfile.TemporaryFile(dir=self._scratch)  # noqa: SIM115 - its reader closes it
        try:
            # In one order, so that the same rows are the same bytes.
            where = f"WHERE projectId = '{project.synapse_id}' ORDER BY id"
            sql = f"SELECT {', '.join(COLUMNS)} FROM {view} {where}"  # noqa: S608
            files.table(api.csv(view, sql), rows)
        except SourceError as error:
            rows.close()
            return of_one_atlas(error)
        return rows

    def _behind(self, found: Mapping[str, str], last: Mapping[str, Snapshot]) -> set[str]:
        """Give the atlases that count as unchanged and have an entity that is another by now."""
        held = [
            (atlas, entity, fetched.etag)
            for atlas in _unchanged(found, last)
            for entity, fetched in last[atlas].manifests.items()
            if fetched.etag
        ]
        if not held:
            return set()
        api, _ = self._open()
        some = random.sample(held, min(COMPARED, len(held)))
        return {atlas for atlas, entity, etag in some if api.etag(entity) != etag}

    def _pause(self) -> None:
        time.sleep(min(self._settings.wait, max(0.0, self._patience.until - time.monotonic())))


def _unchanged(found: Mapping[str, str], last: Mapping[str, Snapshot]) -> list[str]:
    return [atlas for atlas, now in found.items() if atlas in last and last[atlas].fingerprint == now]
