"""Workers: what happens to a call when processes cannot be started, or die."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import BrokenExecutor
from multiprocessing import context

import pytest

from hdash_site.engine.work import Workers


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
def test_where_no_process_can_be_started_a_call_runs_in_its_thread(workers, monkeypatch):
    def no_room(*_):
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(context.ForkServerProcess, "_Popen", no_room)
    assert workers.run(os.getpid) == os.getpid()


@pytest.mark.usefixtures("busy")
def test_a_worker_leaves_ctrl_c_to_the_build(workers):
    assert workers.run(signal.getsignal, signal.SIGINT) == signal.SIG_IGN


@pytest.mark.usefixtures("busy")
def test_a_worker_that_dies_is_told(workers):
    with pytest.raises(BrokenExecutor):
        workers.run(os._exit, 1)
