"""Workers: what happens to a call when processes cannot be started, or die."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import context

import pytest

from hdash_site.engine.processes import ProcessDied
from hdash_site.engine.work import MANY, PATIENCE, Workers


@pytest.fixture
def workers():
    made = Workers(2)
    yield made
    made.close()


@pytest.fixture
def busy(workers):
    """Somebody else's call is at work in the thread, so that the next one wants a process."""
    started, over = threading.Event(), threading.Event()

    def wait():
        started.set()
        over.wait(60)

    thread = threading.Thread(target=workers.run, args=(wait,))
    thread.start()
    started.wait(60)
    yield
    over.set()
    thread.join()


@pytest.mark.usefixtures("busy")
def test_a_second_call_runs_in_a_process(workers):
    assert workers.run(os.getpid) != os.getpid()


@pytest.mark.usefixtures("busy")
def test_processes_look_for_circles_as_seldom_as_the_build(workers, monkeypatch):
    monkeypatch.setattr(gc, "get_threshold", lambda: (12_345, 6, 7))
    assert workers.run(_threshold) == (12_345, 6, 7)


def _threshold() -> tuple[int, int, int]:
    return gc.get_threshold()


def test_few_calls_start_no_process_however_long_they_take(workers):
    for _ in range(MANY):
        assert workers.run(_rest, 2 * PATIENCE / MANY) == os.getpid()


def test_many_calls_run_in_processes_once_these_are_there(workers):
    with ThreadPoolExecutor(3) as threads:
        where = list(threads.map(lambda _: workers.run(_rest, PATIENCE / MANY), range(60 * MANY)))
    assert where[0] == os.getpid()
    assert where[-1] != os.getpid()
    assert len(set(where)) == 3


def _rest(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


@pytest.mark.usefixtures("busy")
def test_where_no_process_can_be_started_a_call_runs_in_its_thread(workers, monkeypatch):
    def no_room(*_):
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(context.ForkServerProcess, "_Popen", no_room)
    assert workers.run(os.getpid) == os.getpid()


@pytest.mark.usefixtures("busy")
def test_a_worker_leaves_ctrl_c_to_the_build(workers):
    assert workers.run(signal.getsignal, signal.SIGINT) == signal.SIG_IGN


@pytest.mark.usefixtures("busy")
def test_a_worker_that_dies_is_told_and_others_take_its_place(workers):
    for _ in range(5):
        with pytest.raises(ProcessDied):
            workers.run(os._exit, 1)
    assert workers.run(os.getpid) != os.getpid()


@pytest.mark.usefixtures("busy")
def test_what_a_call_raises_is_raised_here_even_if_it_cannot_be_sent(workers):
    with pytest.raises(ZeroDivisionError):
        workers.run(divmod, 1, 0)
    with pytest.raises(RuntimeError, match="_Unsendable: too large"):
        workers.run(_fail)
    assert workers.run(os.getpid) != os.getpid()


class _Unsendable(Exception):
    """An error that holds what no pipe can carry."""


def _fail() -> None:
    error = _Unsendable("too large")
    error.lock = threading.Lock()
    raise error


@pytest.mark.usefixtures("busy")
def test_large_calls_have_large_answers(workers):
    assert workers.run(bytes.upper, b"a" * 10_000_000) == b"A" * 10_000_000
