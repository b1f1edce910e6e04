"""HTAN at its size through Synapse: few requests, little memory; the faults of the sample come too."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hdash_site import app
from hdash_site.sources import sample
from tests.remote.conftest import Desk
from tests.remote.synapse import Service

A_FIRST_CRAWL, A_QUIET_ONE, QUIET_BYTES = 120, 12, 50_000
"""Requests to the API, and bytes, that a crawl may cost."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """All of HTAN, with the throttle of the real service."""
    folder = tmp_path_factory.mktemp("htan")
    sample.write(folder / "atlases", scale=1.0)
    with Service.of(folder / "atlases").running() as service, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNAPSE_AUTH_TOKEN", service.token)
        desk = Desk(folder, service)
        desk.settings |= {"patience": 30, "job_patience": 60, "deadline": 300}
        desk.write()
        yield desk


def test_a_crawl_asks_little(whole):
    log, service, options = whole.service.log, whole.service, app.Options(whole.site)
    crawled = app.crawl_only(options)
    assert crawled.failed == {}
    fetched = [one for atlas in crawled.snapshots.values() for one in atlas.manifests.values()]
    assert len(fetched) > 650
    assert all(one.digest for one in fetched)
    assert log.api <= A_FIRST_CRAWL
    assert log.objects == len(crawled.snapshots) + len({one.md5 for one in fetched})

    log.clear()
    app.crawl_only(options)
    assert (log.api <= A_QUIET_ONE, log.objects, log.bytes < QUIET_BYTES) == (True, 0, True)

    entity = next(iter(crawled.snapshots["HTA12"].manifests))
    service.edit(entity, service.content(entity) + b"x\n")
    log.clear()
    assert app.crawl_only(options).failed == {}
    assert log.objects == 2, "one listing, one manifest"


def test_a_listing_of_many_rows_needs_no_more_memory_than_one_of_few(whole):
    """The largest atlas has 155,000 entities; read in a process of its own, which says what it took."""
    project = max(whole.service.projects(), key=lambda one: len(whole.service.folders(one.synapse_id)))
    few = min(whole.service.projects(), key=lambda one: len(whole.service.folders(one.synapse_id)))
    assert peak(whole, project) < peak(whole, few) + (24 << 20)


def peak(desk, project):
    """Bytes that a process holds at most that reads one listing into the blobs."""
    code = f"""
import resource, os, sys, io
from pathlib import Path
from hdash_site import config
from hdash_site.sources.synapse import Synapse
from hdash_site.state.blobs import Blobs
from hdash_site.htan.entities import survey
from hdash_site.snapshot import Project
settings = config.read(Path({str(desk.site)!r}), os.environ)
project = Project("HTA1", {project.synapse_id!r}, "", "")
source = Synapse(settings.synapse, [project], config.login(os.environ), Path({str(desk.folder)!r}))
blobs = Blobs(Path({str(desk.folder)!r}) / "blobs of {project.id}")
for _, file in source.listings([project]):
    blobs.keep_file(file)
    sys.stderr.write(str(survey(file).entities))
    file.close()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_the_sample_with_its_faults_is_the_same_site(tmp_path, monkeypatch):
    sample.write(tmp_path / "atlases", scale=0.02)
    with Service.of(tmp_path / "atlases").running() as service:
        monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", service.token)
        desk = Desk(tmp_path, service)
        desk.settings |= {"patience": 30, "job_patience": 60, "deadline": 300}
        assert desk.build().exit_code == 0
        assert desk.tree() == desk.folder_tree()
