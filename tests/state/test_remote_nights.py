"""Bad nights: faults, kills, many runs at once. The next one is as if nothing had been."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import threading
import time

import pytest

from hdash_site import upkeep
from hdash_site.errors import DamagedError, HdashError, LockedError
from tests import databases, worlds
from tests.nights import PREFIX
from tests.remote.s3 import Fault

LEASE = 3
NAMES = "Atlas HTA1", "Another name"
"""Of an atlas in the first of the nights before, and in the second."""


@pytest.fixture
def short(nights):
    """Nights whose lock ends soon."""
    with (nights.site / "site.toml").open("a") as toml:
        toml.write(f"[state]\nlease = {LEASE}\n")
    return nights


def start(nights):
    """Begin a night in a process of its own."""
    options = nights.options()
    command = [sys.executable, "-m", "hdash_site", "build", "--quiet", "--jobs", "1"]
    command += ["--root", str(options.root), "--source", str(options.source)]
    command += ["--output", str(options.output), "--cache", str(options.cache)]
    process = subprocess.Popen(
        command, env={**os.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return process, options


class Gate:
    """Holds a run at a request, until it is opened; the request is then heard, or lost."""

    def __init__(self, s3, holds):
        self.reached, self._opened = threading.Event(), threading.Event()
        self._holds, self._fault = holds, None
        self._turn = threading.Lock()
        s3.fault = self._hold

    def _hold(self, request):
        with self._turn:
            held = self._holds(request)
        if held:
            self.reached.set()
            self._opened.wait(60)
            return self._fault
        return None

    def open(self, fault=None):
        self._fault = fault
        self._opened.set()


def commits(request):
    return request.kind == "PUT" and request.key == PREFIX + "pointer"


def after(number):
    left = [number]

    def holds(_):
        left[0] -= 1
        return left[0] == 0

    return holds


def whole(nights):
    """All that the pointer leads to is there, and no more than three snapshots are."""
    kept = nights.pointer()["kept"]
    named = {f"snapshots/{one['snapshot']}" for one in kept} | {f"stores/{one['store']}" for one in kept}
    named |= {f"packs/{pack}" for one in kept for pack in one["packs"]}
    return len(kept) <= 3 and named <= set(nights.keys())


def test_of_eight_at_once_one_works_and_seven_leave_with_a_line(short, s3, begun):
    """The one is at work for longer than a lease; it renews it, and so nobody gets in."""
    gate = Gate(s3, commits)
    began = time.monotonic()
    runs = [start(short) for _ in range(8)]
    assert gate.reached.wait(60)
    while sum(process.poll() is not None for process, _ in runs) < 7:
        time.sleep(0.05)
        assert time.monotonic() < began + 60
    time.sleep(max(0, began + LEASE + 3 - time.monotonic()))
    with pytest.raises(LockedError):
        short.build()
    gate.open()
    said = [process.communicate()[1] for process, _ in runs]
    codes = [process.returncode for process, _ in runs]
    assert sorted(codes) == [0] + [1] * 7
    worker = codes.index(0)
    assert said.pop(worker) == ""
    line = (
        rf"hdash-site: s3://{short.bucket}/{PREFIX}lock: another run \(process {runs[worker][0].pid} on .*\)"
    )
    for text in said:
        assert re.fullmatch(line + r" is at work since .*; wait for it; .* its lock ends at .* UTC\n", text)
    assert worlds.tree(runs[worker][1].output) == begun.trees[1]
    assert whole(short)


def test_a_lock_of_a_run_that_was_killed_is_taken_over_when_its_lease_ends_and_not_before(short, s3, begun):
    gate = Gate(s3, commits)
    process, _ = start(short)
    assert gate.reached.wait(60)
    process.kill()
    process.communicate()
    killed = time.monotonic()
    s3.fault = lambda request: None
    gate.open()
    done = None
    while not done:
        try:
            done = short.build()
        except LockedError as error:
            said = str(error)
            time.sleep(0.1)
    assert f"process {process.pid}" in said
    # It had renewed the lock at most a third of the lease before.
    assert LEASE * 2 / 3 - 0.2 < time.monotonic() - killed < 20
    result, tree = done
    assert (tree, result.ran, result.problems) == (begun.trees[1], [], [])


def test_a_night_that_is_killed_at_any_request_leaves_a_whole_state(nights, s3, begun):
    for number in range(2, 18, 2):
        name = number // 2 % 2
        nights.rename(NAMES[name])
        gate = Gate(s3, after(number))
        process, _ = start(nights)
        while not gate.reached.wait(0.05) and process.poll() is None:
            pass
        process.kill()
        # What was on its way may still be heard.
        gate.open(Fault(way="reset") if name else None)
        process.communicate()
        s3.wait_for_answers()
        assert (process.returncode < 0) == gate.reached.is_set()
        s3.fault = lambda request: None
        nights.forget_lock()
        assert whole(nights)
        result, tree = nights.build()
        assert (tree, result.problems) == (begun.trees[name], [])
        assert whole(nights)
    assert not gate.reached.is_set(), "a night has no more requests than that"


PASSING = [
    Fault(500, "InternalError"), Fault(503, "SlowDown"), Fault(400, "RequestTimeout"),
    Fault(way="reset"), Fault(way="deaf"), Fault(way="cut"),
]  # fmt: skip
LASTING = [Fault(403, "AccessDenied"), Fault(403, "RequestTimeTooSkewed"), Fault(400, "ExpiredToken")]


class Weather:
    """Lets requests fail at random; if it lasts, every one fails from some moment on."""

    def __init__(self, luck, lasting):
        self._luck, self._left = luck, luck.randint(0, 16) if lasting else 10**9
        self._lasting = luck.choice(LASTING)
        self._turn = threading.Lock()

    def __call__(self, request):
        with self._turn:
            self._left -= 1
            if self._left < 0:
                return self._lasting
            fault = self._luck.choice(PASSING) if self._luck.random() < 0.3 else None
            # Half of nothing is nothing: what is cut must have a body.
            return None if fault and fault.way == "cut" and request.kind != "GET" else fault


@pytest.mark.parametrize("lasting", [False, True])
def test_a_night_with_faults_ends_well_or_in_one_line_and_the_next_one_is_exact(nights, s3, begun, lasting):
    luck = random.Random(5 + lasting)
    ended = []
    for number in range(6):
        nights.rename(NAMES[number % 2])
        s3.fault = Weather(luck, lasting)
        try:
            result, tree = nights.build()
            assert tree == begun.trees[number % 2]
            # A refusal to delete comes after the commit: it is told, and nothing is wrong.
            assert all("old parts of it stay as well" in line for line in result.problems)
            ended.append(True)
        except HdashError:
            ended.append(False)
        s3.fault = lambda request: None
        if lasting:
            nights.forget_lock()
        assert whole(nights)
        result, tree = nights.build()
        assert (tree, result.problems) == (begun.trees[number % 2], [])
    assert all(ended) if not lasting else not all(ended)


def edit(nights, luck):
    """Change something that a site is made from."""
    atlases = nights.atlases
    match luck.choice(["rename", "rows", "fewer rows", "title", "article", "nothing", "atlas"]):
        case "rename":
            nights.rename(f"Atlas {luck.random()}")
        case "rows":
            entity = luck.choice(sorted(atlases.manifests))
            line = atlases.manifests[entity].splitlines()[-1]
            atlases.manifests[entity] += line.replace(b"_1", b"_%d" % luck.randint(2, 99)) + b"\n"
        case "fewer rows":
            entity = luck.choice(sorted(atlases.manifests))
            atlases.manifests[entity] = b"\n".join(atlases.manifests[entity].splitlines()[:2]) + b"\n"
        case "title":
            (nights.site / "site.toml").write_text(f'title = "Edition {luck.random()}"\n')
        case "article":
            text = f'+++\ntitle = "News {luck.random()}"\n+++\n' + "word " * luck.randint(1, 5000)
            (nights.site / "content/news.md").write_text(text)
        case "atlas":
            atlases.projects.reverse()
    atlases.save()


@pytest.mark.parametrize("seed", range(2))
def test_over_many_nights_each_site_is_that_of_a_clean_build_with_its_history(nights, monkeypatch, seed):
    luck = random.Random(seed)
    options = nights.options()
    for _ in range(6):
        edit(nights, luck)
        match luck.choice(["", "", "", "lost", "harmed", "old"]):
            case "lost":
                nights.put("pointer", None)
            case "harmed":
                nights.put(luck.choice(nights.keys("stores/") + nights.keys("packs/")), b"")
            case "old" if len(nights.pointer()["kept"]) > 1:
                pointer = nights.pointer()
                pointer["kept"] = pointer["kept"][1:]
                nights.put("pointer", str(pointer).replace("'", '"').encode())
        options = options if luck.random() < 0.3 else nights.options()
        result, tree = nights.build(options)
        assert result.exit_code == 0
        assert whole(nights)
        with nights.look() as store:
            history = worlds.history_of(store)
        with monkeypatch.context() as alone:
            alone.delenv("HDASH_STATE_URL")
            clean = nights.options()
            worlds.give_history(clean.cache, history)
            assert tree == nights.build(clean)[1]
        with nights.look() as store:
            named, packs = store.named(), nights.packs().values()
            assert all(store.load(digest) is not None for digest in named)
        for index in packs:
            alive = sum(size for digest, size in index.items() if digest in named)
            assert sum(index.values()) <= 2 * alive
        assert {digest for index in packs for digest in index} >= set(named)
    assert nights.build()[0].ran == []


def test_an_edition_is_dropped_from_a_state_in_s3(nights):
    options = nights.options()
    upkeep.drop_edition(options, upkeep.edition(options, "2026"))
    assert upkeep.history(nights.options()) == []
    _, tree = nights.build()
    assert len(upkeep.history(nights.options())) == 1
    assert len([path for path in tree if path.startswith("changes/20")]) == 1


def test_a_damaged_file_of_a_state_in_s3_is_set_aside_and_the_next_run_gets_the_state_again(nights, begun):
    options = nights.options()
    nights.build(options)
    file = options.cache / "state.db"
    databases.damage(file, "hdash_edition")
    with pytest.raises(DamagedError, match="run the command again: it gets the state from s3://") as caught:
        nights.build(options)
    [aside] = file.parent.glob("state.db.damaged-*[0-9]")
    assert str(aside) in str(caught.value)
    assert nights.build(options)[1] == begun.trees[1]
