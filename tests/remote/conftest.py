"""Sites whose atlases come from a Synapse on loopback."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import pytest

from hdash_site import app
from hdash_site.engine.model import digest
from hdash_site.htan.entities import survey
from hdash_site.snapshot import Snapshot
from hdash_site.state.store import opened
from tests import worlds
from tests.remote.synapse import Service
from tests.remote.synapse.entities import COLUMNS


class Desk:
    """A site, the service that its atlases are in, and a folder with the same atlases to compare with."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder, self.service = folder, service
        self.site = worlds.site_folder(folder / "site")
        self.settings = {
            "wait": 0.06,
            "patience": 10.0,
            "job_patience": 10.0,
            "deadline": 40.0,
        }
        self.lists_atlases = True
        self.source = '[source]\nkind = "synapse"\n'

    def write(self) -> None:
        endpoint = self.service.repo_url.removesuffix("/repo/v1")
        # A view that never catches up need not be waited for; any other is, however busy the machine is.
        given = {"view_deadline": 0.5 if self.service.lag else 20.0} | self.settings
        settings = "".join(f"{name} = {value}\n" for name, value in given.items())
        tables = "".join(
            f'[[atlas]]\nid = "{one.id}"\nsynapse_id = "{one.synapse_id}"\nname = "{one.name}"\n'
            f'liaison = "{one.liaison}"\n'
            for one in self.service.projects()
            if self.lists_atlases
        )
        (self.site / "site.toml").write_text(
            f'title = "Test site"\nbase_url = "https://example.org/"\n{self.source}'
            f'[synapse]\nendpoint = "{endpoint}"\n{settings}{tables}'
        )

    def build(self, **more: object) -> app.Result:
        self.write()
        return app.build(app.Options(self.site, **more))  # type: ignore[arg-type]

    def tree(self) -> dict[str, bytes]:
        return worlds.tree(self.site / "public")

    def status(self) -> dict[str, Any]:
        return worlds.status(self.site / "public")["atlases"]

    def snapshots(self) -> dict[str, Snapshot]:
        with opened(self.site / "cache") as store:
            return store.snapshots()

    def is_whole(self, snapshot: Snapshot) -> bool:
        """Tell whether everything that a snapshot lists is held, or is missing for a reason."""
        with opened(self.site / "cache") as store:
            listing = store.load(snapshot.listing)
            listed = {one[0] for one in survey(io.BytesIO(listing)).manifests} if listing else None
            held = [fetched.error or store.load(fetched.digest) for fetched in snapshot.manifests.values()]
        return listed == set(snapshot.manifests) and all(one is not None for one in held)

    def is_current(self, snapshot: Snapshot) -> bool:
        """Tell whether a snapshot is exactly what the service holds, past its view."""
        project = snapshot.project.synapse_id
        truth = {
            row for row in self.service.entities.all_rows() if row[COLUMNS.index("projectId")] == project
        }
        etags = {(row[COLUMNS.index("id")], row[COLUMNS.index("etag")]) for row in truth}
        with opened(self.site / "cache") as store:
            listing = csv.DictReader(io.StringIO((store.load(snapshot.listing) or b"").decode()))
        held = {(row["id"], row["etag"]) for row in listing}
        digests = {digest(self.service.content(entity)) for entity in snapshot.manifests if held == etags}
        return held == etags and digests == {fetched.digest for fetched in snapshot.manifests.values()}

    def folder_tree(self) -> dict[str, bytes]:
        """Build the same atlases from a folder, clean but for the history, and give the site."""
        self.service.save(self.folder / "saved")
        self.write()
        place = self.folder / "clean"
        shutil.rmtree(place, ignore_errors=True)
        source = worlds.source_of(self.site, self.folder / "saved")
        worlds.carry_history(self.site / "cache", place / "cache", source=source)
        app.build(
            app.Options(self.site, self.folder / "saved", output=place / "public", cache=place / "cache")
        )
        return worlds.tree(place / "public")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk with two small atlases."""
    worlds.small(tmp_path / "atlases", "HTA1", "HTA2")
    with Service.of(tmp_path / "atlases").running() as service:
        monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", service.token)
        yield Desk(tmp_path, service)
