"""Atlases as Synapse projects, seen through the master file view.

*What changed* is one query: for each project the number of its rows, and checksums over them. An etag
follows every change of an entity itself: edit, new version, rename, move, annotation, permission
(`NodeDAOImpl.touch`). It does not follow what happens above the entity: when a folder moves, it gets a new
etag, and what lies in it keeps theirs though it may be in another project now. So the checksums are
grouped by project, and cover the rows of the folders too. The same bytes uploaded again are a new etag and
no new md5; the second checksum covers that and parents, so that a collision must happen twice. Each
changed row escapes with a probability of about 2^-32.

*A view answers from yesterday* until it was queried: it applies what happened after it has answered, and
nothing says when it has. So a query is started first, only to start that work. After a pause the view is
queried until two answers in a row agree, those of the crawl before included, and until a few entities have
the same etag in the view and in Synapse itself: the newest uploads, and others at random. Of atlases whose
listings were read anew, entities of the new listings are compared too. If one differs, the view as a whole
is behind: then no atlas counts as verified. What this cannot see is a new file that no answer of the view
has named yet; the next crawl finds it.
"""

from __future__ import annotations

import itertools
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

COMPARED = 7
"""Entities that are compared with Synapse itself before the answers of the view count as verified, and as
many again if listings were read anew."""

NEXT = "the next crawl compares again"


class Synapse:
    """One crawl of Synapse, with a login when something is asked first; `scratch` is for files of the run."""

    def __init__(
        self, settings: SynapseSettings, projects: Sequence[Project], login: Login, scratch: Path
    ) -> None:
        self._settings, self._projects, self._login, self._scratch = settings, projects, login, scratch
        self._patience = Patience(settings.patience, time.monotonic() + settings.deadline)
        self._opened: tuple[Api, Files] | None = None
        self._view_doubt = ""
        """Why the answers of the view may be out of date."""
        self._unanswered: dict[str, str] = {}
        """By atlas, why an entity of it could not be compared."""
        self._etags: dict[str, str | None] = {}
        """Etags of entities as Synapse itself gave them in this crawl."""

    def projects(self) -> Sequence[Project]:
        return self._projects

    def fingerprints(self, projects: Sequence[Project], last: Mapping[str, Snapshot]) -> Mapping[str, str]:
        """Return fingerprints after the view has settled, or after the longest time to wait for that."""
        if not last or not projects:
            return self._ask(projects)
        api, _ = self._open()
        api.refresh(self._settings.view, self._query(projects))
        self._pause()
        until = time.monotonic() + min(self._settings.view_deadline, self._time_left() / 2)
        before = {project.id: last[project.id].fingerprint for project in projects if project.id in last}
        answer = self._ask(projects)
        sample = _sample(_manifests_of(last[atlas] for atlas in before if answer[atlas] == before[atlas]))
        while not self._is_settled(answer, before, last, sample) and time.monotonic() < until:
            self._pause()
            before, answer = answer, self._ask(projects)
        return answer

    def unverified(self, read: Mapping[str, Sequence[Listed]]) -> Mapping[str, str]:
        sample = _sample([(atlas, one) for atlas, listed in read.items() for one in listed if one.etag])
        self._view_doubt = self._differing(sample) or self._view_doubt
        doubt = self._view_doubt
        if self._unanswered and not self._etags:  # then nothing speaks for the other atlases either
            doubt = doubt or next(iter(self._unanswered.values()))
        return dict.fromkeys((project.id for project in self._projects), doubt) if doubt else self._unanswered

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
        """Return the fingerprint of each atlas; one that shows us no row has one too."""
        if not projects:
            return {}
        api, _ = self._open()
        rows = api.rows(self._settings.view, self._query(projects))
        found = {str(row[0]): " ".join(str(cell) for cell in row[1:]) for row in rows}
        return {
            project.id: f"synapse {project.synapse_id} {found.get(project.synapse_id, 'nothing')}"
            for project in projects
        }

    def _query(self, projects: Sequence[Project]) -> str:
        """Return the SQL for the checksums of projects."""
        ids = sorted({project.synapse_id for project in projects})
        whole = "CONCAT(id, '|', etag, '|', name)"
        again = "CONCAT(etag, '|', id, '|', IFNULL(parentId, ''), '|', IFNULL(dataFileMD5Hex, ''))"
        sums = ", ".join(
            f"SUM(CRC32({text})) AS s{number}, BIT_XOR(CRC32({text})) AS x{number}"
            for number, text in enumerate((whole, again))
        )
        some = ", ".join(f"'{one}'" for one in ids)
        where = f"WHERE projectId IN ({some}) GROUP BY projectId"
        columns = f"projectId, COUNT(*) AS n, {sums}"
        return f"SELECT {columns} FROM {self._settings.view} {where}"  # noqa: S608 - ids are checked

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

    def _is_settled(
        self,
        answer: Mapping[str, str],
        before: Mapping[str, str],
        last: Mapping[str, Snapshot],
        sample: Sequence[tuple[str, Listed]],
    ) -> bool:
        """Return whether an answer of the view may be trusted; if not, keep why.

        Manifests of atlases that changed meanwhile are left out: their etags in the view are not known.
        """
        if answer != before:
            self._view_doubt = f"the file view {self._settings.view} is still changing; {NEXT}"
        else:
            same = [(atlas, one) for atlas, one in sample if answer[atlas] == last[atlas].fingerprint]
            self._view_doubt = self._differing(same)
        return not self._view_doubt

    def _differing(self, sample: Sequence[tuple[str, Listed]]) -> str:
        """Compare entities of the view with Synapse itself; return what is wrong with the view, or nothing.

        That an entity could not be asked for says nothing of the view: it is kept as a doubt of its atlas.
        """
        asked = [(atlas, one) for atlas, one in sample if self._etags.get(one.id) != one.etag]
        until = time.monotonic() + self._patience.seconds
        with ThreadPoolExecutor(self._settings.requests, "compare") as pool:
            answers = list(pool.map(self._etag, (one.id for _, one in asked), itertools.repeat(until)))
        for atlas, _ in asked:
            self._unanswered.pop(atlas, None)
        doubt = ""
        for (atlas, one), answer in zip(asked, answers, strict=True):
            if isinstance(answer, SourceError):
                self._unanswered[atlas] = f"an entity could not be compared ({answer.problem}); {NEXT}"
                continue
            self._etags[one.id] = answer
            if answer != one.etag:
                view = self._settings.view
                doubt = f"the file view {view} does not show the latest change of {one.id} yet; {NEXT}"
        return doubt

    def _etag(self, entity: str, until: float) -> str | SourceError | None:
        if time.monotonic() > until:
            return AtlasError("there was no time left")
        try:
            api, _ = self._open()
            return api.etag(entity)
        except SourceError as error:
            return error

    def _pause(self) -> None:
        time.sleep(min(self._settings.wait, self._time_left()))

    def _time_left(self) -> float:
        """Return the seconds until the crawl gives up."""
        return max(0.0, self._patience.until - time.monotonic())


def _manifests_of(snapshots: Iterable[Snapshot]) -> list[tuple[str, Listed]]:
    """Return each manifest of which the etag is known, with the id of its atlas."""
    return [
        (snapshot.project.id, fetched.listed(entity))
        for snapshot in snapshots
        for entity, fetched in snapshot.manifests.items()
        if fetched.etag
    ]


def _sample(manifests: Sequence[tuple[str, Listed]]) -> list[tuple[str, Listed]]:
    """Return at most `COMPARED` manifests: the newest uploads, one an atlas, and others at random.

    Who uploaded last is likely to upload again; file handles are numbered in the order of uploads.
    """
    from hdash_site.htan.entities import as_number

    newest: dict[str, tuple[str, Listed]] = {}
    for pair in sorted(manifests, key=lambda pair: as_number(pair[1].handle), reverse=True):
        newest.setdefault(pair[0], pair)
    chosen = list(newest.values())[: COMPARED // 2 + 1]
    others = [pair for pair in manifests if pair not in chosen]
    return chosen + random.sample(others, min(len(others), COMPARED - len(chosen)))
