"""The service: entities, the view over them, what was asked, and what is to go wrong."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from tests.remote.synapse.entities import Entities, Entity, Project
from tests.remote.synapse.faults import Faults
from tests.remote.synapse.view import View


class Log:
    """What was asked since it was cleared: calls of the API by route, downloads, bytes of both."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.routes: list[str] = []
        self.api = self.objects = self.bytes = self.expired = 0


class Service:
    """Synapse with some projects. Edits may be made while it runs.

    `delay`: seconds after a query until the view has caught up; `lag`: it does not, until that is taken back.
    `slow`: seconds that each download takes at least.
    `latency`: seconds that each call of the API takes at least; `throttle`: three calls at once and 600 a
    minute, as `UserConcurrentConnectionThrottler` and `UserRequestFrequencyThrottler` have it. `lives`:
    seconds that a signed address lives (30 in `FileHandleManagerImpl`).
    """

    token = "canary-token-5f1c7a"

    def __init__(self, folder: Path, view: str) -> None:
        self.entities = Entities(folder)
        self.view = View(view, self.entities.all_rows())
        self.lock = threading.RLock()
        self.log, self.faults = Log(), Faults()
        self.delay, self.lag, self.latency, self.throttle, self.lives = 0.03, False, 0.0, True, 30.0
        self.slow = 0.0
        self.held = 3.0
        self.stale = False
        self.queried: float | None = None
        self.rebuilt_at = 0.0
        self._hidden: set[str] = set()
        self.repo_url = self.store_url = ""

    @classmethod
    def of(cls, folder: Path, view: str = "syn20446927") -> Service:
        return cls(folder, view)

    @contextlib.contextmanager
    def running(self) -> Generator[Service, None, None]:
        from tests.remote.synapse.web import serving

        with serving(self) as (api, store):
            self.repo_url, self.store_url = f"{api}/repo/v1", store
            yield self

    def catch_up(self) -> None:
        """Let the view apply what has happened, if it was asked after that, and long enough ago."""
        with self.lock:
            if self.is_rebuilding():
                return
            ready = self.queried is not None and time.monotonic() - self.queried >= self.delay
            if self.stale and ready and not self.lag:
                self.view.apply(self.entities.all_rows())
                self.stale = False
            if self.stale:
                self.queried = self.queried or time.monotonic()
            else:
                self.queried = None

    # What goes wrong

    def fault(self, route: str, kind: str, times: int = 1, after: int = 0) -> None:
        self.faults.plan(route, kind, times, after)

    def heal(self) -> None:
        self.faults.clear()

    def rebuild(self, seconds: float) -> None:
        """Build the view anew: meanwhile queries wait, and then they see what is there.

        As `TableCSVDownloadWorker`: "Waiting for the table index to become available...".
        """
        self.rebuilt_at = time.monotonic() + seconds

    def is_rebuilding(self) -> bool:
        """Tell whether the view is still being built; what it holds when it is done is the truth."""
        with self.lock:
            if self.rebuilt_at and time.monotonic() >= self.rebuilt_at:
                self.rebuilt_at = 0.0
                self.view.apply(self.entities.all_rows())
                self.stale = False
            return bool(self.rebuilt_at)

    def hide(self, project: str) -> None:
        with self.lock:
            self._hidden.add(project)
            self.view.hide(self._hidden)

    # What is there

    def projects(self) -> list[Project]:
        return self.entities.projects

    def files(self) -> list[str]:
        return [one.id for one in self.entities.rows.values() if one.type == "file"]

    def folders(self, project: str | None = None) -> list[str]:
        return [
            one.id
            for one in self.entities.rows.values()
            if one.type == "folder" and project in (None, self.project_of(one.id))
        ]

    def manifests(self) -> list[str]:
        rows = self.entities.rows
        return [
            one
            for one in self.files()
            if rows[one].name.startswith(("synapse_storage_manifest_", "synapse_storage_manifest.csv"))
        ]

    def project_of(self, entity: str) -> str | None:
        return self.entities.project_of(entity)

    def content(self, entity: str) -> bytes:
        return self.entities.handles[self.entities.rows[entity].handle].read()

    def save(self, folder: Path) -> None:
        with self.lock:
            self.entities.save(folder)

    # What people do

    def add_file(self, parent: str, name: str, content: bytes | None = None, component: str = "") -> str:
        with self._changing():
            return self.entities.add(parent, name, "file", content, component)

    def add_folder(self, parent: str, name: str) -> str:
        with self._changing():
            return self.entities.add(parent, name, "folder", None, "")

    def edit(self, entity: str, content: bytes, *, keep_modified: bool = False) -> None:
        """New bytes: a new handle, and a new version since the md5 is another (`EntityManagerImpl`)."""
        with self._changing(entity) as one:
            handle = self.entities.keep(entity, content)
            self.entities.touch(one, keep_modified, handle=handle, version=str(int(one.version) + 1))

    def upload_same(self, entity: str, *, keep_modified: bool = False) -> None:
        """The same bytes again: a new handle, no new version."""
        with self._changing(entity) as one:
            self.entities.touch(one, keep_modified, handle=self.entities.keep(entity, self.content(entity)))

    def annotate(self, entity: str, component: str, *, keep_modified: bool = False) -> None:
        with self._changing(entity) as one:
            self.entities.touch(one, keep_modified, component=component)

    def rename(self, entity: str, name: str, *, keep_modified: bool = False) -> None:
        with self._changing(entity) as one:
            self.entities.touch(one, keep_modified, name=name)

    def move(self, entity: str, parent: str, *, keep_modified: bool = False) -> None:
        """Into a folder or project; into itself is refused, as the service does."""
        with self._changing(entity) as one:
            if parent not in self.entities.inside(entity):
                self.entities.touch(one, keep_modified, parent=parent)

    def new_version(self, entity: str, *, keep_modified: bool = False) -> None:
        with self._changing(entity) as one:
            self.entities.touch(one, keep_modified, version=str(int(one.version) + 1))

    def delete(self, entity: str) -> None:
        with self._changing():
            for one in self.entities.inside(entity):
                gone = self.entities.rows.pop(one, None)
                if gone and gone.handle:
                    self.entities.handles.pop(gone.handle, None)

    def delete_and_add(self, entity: str) -> str:
        """One goes and one comes, so that the number of rows stays."""
        one = self.entities.rows[entity]
        content = self.content(entity)
        self.delete(entity)
        return self.add_file(one.parent, one.name, content, one.component)

    @contextlib.contextmanager
    def _changing(self, entity: str = "") -> Generator[Any, None, None]:
        with self.lock:
            one: Entity | None = self.entities.rows[entity] if entity else None
            yield one
            self.stale = True
            self.queried = None
