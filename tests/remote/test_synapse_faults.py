"""Whatever goes wrong at the service: one line each, no half atlas, an end in time, and then all is well.

The view lags too: for longer than a crawl waits, until a moment while it waits, or while it is built anew.
"""

from __future__ import annotations

import random
import time

import pytest

from hdash_site.errors import HdashError
from tests import worlds
from tests.remote.conftest import Desk
from tests.remote.synapse import Service
from tests.remote.synapse.faults import ROUTES

FAULTS, SHARDS = 300, 6
DEADLINE = 6.0
IMPATIENT = {"view_deadline": 0.6, "patience": 0.7, "job_patience": 1.0, "deadline": DEADLINE}
DELAY = 0.03
SLACK = 4.0
"""Seconds that a build takes when nothing is wrong, on a machine with other things to do."""


@pytest.mark.parametrize("shard", range(SHARDS))
def test_faults_leave_whole_atlases_and_are_forgotten_once_they_stop(tmp_path, monkeypatch, shard):
    luck = random.Random(shard)
    # So few manifests that each is compared with the service itself.
    worlds.small(tmp_path / "atlases", "HTA1", "HTA2")
    with Service.of(tmp_path / "atlases").running() as service:
        monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", service.token)
        service.throttle, service.held = False, 1.0
        desk = Desk(tmp_path, service)
        if luck.random() < 0.5:
            desk.build()
        left = FAULTS // SHARDS
        while left > 0:
            planned = struck(service, luck, min(left, luck.choice([1, 1, 1, 2, 3])))
            left -= planned
            edit(service, luck)
            lag(service, luck)
            before = desk.snapshots()
            patient = desk.settings
            desk.settings = patient | IMPATIENT
            outcome(desk, before)
            service.heal()
            service.lag, service.delay = False, DELAY
            desk.settings = patient
            if luck.random() < 0.3:
                assert desk.build().exit_code == 0
                assert desk.tree() == desk.folder_tree()
        assert desk.build().exit_code == 0
        assert desk.tree() == desk.folder_tree()


def struck(service, luck, count):
    for _ in range(count):
        route = luck.choice(sorted(ROUTES))
        times = luck.choice([1, 1, 2, 10**6])
        service.fault(route, luck.choice(ROUTES[route]), times=times, after=luck.randrange(4))
    return count


def lag(service, luck):
    """Let the view apply what happened late, or not at all."""
    match luck.randrange(5):
        case 0:
            service.lag = True
        case 1:
            service.delay = luck.choice([0.1, 0.3, 2.0])
        case 2:
            service.rebuild(luck.choice([0.1, 0.4]))


def edit(service, luck):
    for _ in range(luck.randint(0, 2)):
        entity = luck.choice(sorted(service.manifests()))
        service.edit(entity, service.content(entity) + f"x,{luck.randrange(999)}\n".encode())


def outcome(desk, before):
    """Build while things go wrong; what is known after it is an old whole or a new one."""
    started = time.monotonic()
    try:
        result = desk.build()
    except HdashError as error:
        assert not before, "with pages from before, a crawl that fails is no failure of the build"
        lines = [str(error)]
    else:
        assert result.exit_code == (3 if result.failed else 0)
        assert bool(result.problems) == bool(result.failed or result.unverified)
        lines = result.problems
    assert time.monotonic() - started < DEADLINE + SLACK
    for line in lines:
        assert "\n" not in line
        assert "Traceback" not in line
        assert desk.service.token not in line
        assert "signature=" not in line
    for atlas, snapshot in desk.snapshots().items():
        if snapshot.failed_since:
            assert snapshot[:4] == before[atlas][:4]
        elif not snapshot.is_unverified and not any(one.error for one in snapshot.manifests.values()):
            assert desk.is_current(snapshot), f"{atlas} counts as verified and is not what the service holds"
        assert desk.is_whole(snapshot)
