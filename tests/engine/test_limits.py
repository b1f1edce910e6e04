"""Limits of calls: time, memory, a deadline; in processes that are forked from here or from a server."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time

import pytest

from hdash_site.engine import processes
from hdash_site.engine.model import OVERRUN, Bounds, Key, Limits, OutOfTime, Overrun
from hdash_site.engine.processes import ProcessDied
from hdash_site.engine.work import Workers
from tests import slow
from tests.engine.world import World

SHORT = Bounds(Limits(0.2, 64 << 20))
SMALL = Bounds(Limits(60, 64 << 20))
AMPLE = Bounds(Limits(60, 1 << 30))


@pytest.fixture(params=[True, False], ids=["forked", "from a server"])
def may_fork(request):
    return request.param


@pytest.fixture(params=[1, 2], ids=["one job", "two jobs"])
def workers(request, may_fork):
    made = Workers(request.param, may_fork=may_fork)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("function", "resource"),
    [
        (slow.spin, "time"),
        (slow.allocate, "memory"),
        (slow.allocate_at_once, "memory"),
        (slow.abort, "memory"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_call_that_exceeds_a_limit_is_ended_and_the_next_one_is_made(workers, function, resource):
    before = set(multiprocessing.active_children())
    for number in range(2):
        with pytest.raises(Overrun) as overrun:
            workers.run_within(SHORT if resource == "time" else SMALL, function, number)
        assert overrun.value.resource == resource
    assert workers.run_within(AMPLE, os.getpid) != os.getpid()
    assert len(set(multiprocessing.active_children()) - before) == 1


def test_a_call_that_exceeded_a_limit_is_not_made_again_with_that_limit(workers, monkeypatch):
    for _ in range(2):
        with pytest.raises(Overrun):
            workers.run_within(SHORT, slow.spin, 1)
        monkeypatch.setattr(processes, "_answer_of", None)
    monkeypatch.undo()
    with pytest.raises(Overrun):
        workers.run_within(Bounds(Limits(0.1, 64 << 20)), slow.spin, 1)


def test_a_call_that_waits_on_a_busy_machine_does_not_exceed_its_limit(workers):
    assert workers.run_within(SHORT, slow.nap, 0.6) != os.getpid()


def test_limits_hold_for_one_call_and_not_for_all_calls_together(workers):
    for _ in range(5):
        workers.run_within(Bounds(Limits(0.5, 256 << 20)), _use, 0.15, 96 << 20)


def _use(seconds: float, memory: int) -> int:
    held = bytearray(memory)
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return len(held)


def test_a_process_that_another_program_kills_is_no_overrun(workers):
    with pytest.raises(ProcessDied):
        workers.run_within(AMPLE, slow.die)
    assert workers.run_within(AMPLE, os.getpid) != os.getpid()


def test_a_call_that_never_ends_and_uses_nothing_is_ended_at_last(workers, monkeypatch):
    monkeypatch.setattr(processes, "_WAITS_LEAST", 0.1)
    with pytest.raises(ProcessDied):
        workers.run_within(Bounds(Limits(0.1, 1 << 30)), slow.sleep)


@pytest.mark.parametrize("function", [slow.spin, slow.sleep])
def test_a_deadline_ends_a_call_and_is_no_overrun(workers, function):
    with pytest.raises(OutOfTime):
        workers.run_within(Bounds(AMPLE.limits, time.monotonic() + 0.3), function)
    assert workers.run_within(AMPLE, os.getpid) != os.getpid()


def test_a_call_without_limits_runs_in_its_thread_though_another_one_has_a_process(workers):
    workers.run_within(AMPLE, os.getpid)
    assert workers.run(os.getpid) == os.getpid()


def test_calls_of_several_threads_exceed_their_limits_side_by_side(workers):
    told: list[str] = []

    def call():
        with pytest.raises(Overrun):
            workers.run_within(SHORT, slow.spin, threading.get_ident())
        told.append("overrun")

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["overrun"] * 4


def test_a_forked_process_holds_no_file_of_the_build(tmp_path):
    workers = Workers(2, may_fork=True)
    with (tmp_path / "held").open("w"):
        files = workers.run_within(AMPLE, slow.open_files)
    workers.close()
    [pipe] = files
    assert pipe.startswith("socket:")


def test_once_there_are_threads_no_process_is_forked_from_here(monkeypatch):
    workers = Workers(2, may_fork=True)
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    used = []
    get_context = multiprocessing.get_context
    monkeypatch.setattr(multiprocessing, "get_context", lambda kind: used.append(kind) or get_context(kind))
    workers.run_within(AMPLE, os.getpid)
    over.set()
    thread.join()
    workers.close()
    assert used == ["forkserver"]


def test_closing_the_workers_ends_a_call_that_is_under_way(workers):
    told: list[BaseException] = []

    def call():
        try:
            workers.run_within(AMPLE, slow.spin)
        except ProcessDied as error:
            told.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    while not multiprocessing.active_children():
        time.sleep(0.01)
    workers.close()
    thread.join(30)
    assert told
    with pytest.raises(ProcessDied):
        workers.run_within(AMPLE, os.getpid)


def test_after_the_deadline_deferrable_tasks_fail_and_keep_their_values():
    def upper(context):
        return context.read(Key("a")).upper()

    world = World({"a": b"x"}, {"late": upper, "other": upper})
    world.recipes["page"] = lambda context: context.read(Key("late"))
    world.deferrable = {"late"}
    before = world.build("page", "other").values
    world.inputs["a"] = b"y"
    outcome = world.build("page", "other", until=time.monotonic())
    assert list(outcome.failed) == ["page"]
    assert outcome.told == ["late"]
    assert outcome.values == {"other": b"Y"}
    assert before == {"page": b"X", "other": b"X"}
    assert world.build("page").values == {"page": b"Y"}


def test_a_value_after_an_overrun_may_be_another_one_the_second_time():
    values = [{OVERRUN: b"time", "": b"given up"}, {"": b"whole"}]
    world = World({"a": b"x"}, {"page": lambda context: context.read(Key("a")) and values.pop(0)})
    assert world.build("page").values == {"page": b"given up"}
    outcome = world.build("page", forced=True)
    assert outcome.values == {"page": b"whole"}
