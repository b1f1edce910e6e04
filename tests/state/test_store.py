"""The state: what one run writes, the next one reads; what is lost is said to be lost."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from hdash_site.engine.model import Key, Trace
from hdash_site.errors import LockedError, StateError
from hdash_site.snapshot import Fetched, Project, Snapshot
from hdash_site.state import models
from hdash_site.state.store import opened

PAGE = Key("page", "atlas/HTA1")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_a_trace_comes_back_as_it_was(cache):
    trace = Trace(
        "recipe",
        ((Key("config", "site.toml", "site"), "d1"), (Key("x", "é:#", "p"), "")),
        {"": "a", "p/q": "b"},
    )
    with opened(cache) as store:
        store.record(PAGE, trace)
        store.explain(PAGE, "never built")
        store.commit()
    with opened(cache) as store:
        assert store.trace(PAGE) == trace
        assert store.reason(PAGE) == "never built"
        assert store.maker("p/q") == PAGE
        assert store.maker("q") is None
        assert store.trace(Key("page", "other")) is None


def test_what_was_not_committed_is_gone(cache):
    with opened(cache) as store:
        store.record(PAGE, Trace("recipe", (), {}))
    with opened(cache) as store:
        assert store.trace(PAGE) is None


def test_values_large_and_small_come_back(cache):
    small, large = b"s", os.urandom(1 << 20)
    with opened(cache) as store:
        digests = [store.keep(small), store.keep(large), store.keep(b"")]
        assert store.load(digests[1]) == large
    with opened(cache) as store:
        assert [store.load(digest) for digest in digests] == [small, large, b""]
        assert store.load("0" * 64) is None


def test_a_blob_that_was_damaged_is_lost_and_can_be_kept_again(cache):
    large = os.urandom(1 << 20)
    with opened(cache) as store:
        digest = store.keep(large)
    [path] = (cache / "blobs").rglob("*.val")
    path.write_bytes(b"x" * len(large))
    with opened(cache) as store:
        assert store.load(digest) is None
        assert digest not in store.blobs
        store.keep(large)
    with opened(cache) as store:
        assert store.load(digest) == large


def test_a_pickle_in_the_cache_is_not_opened(cache, tmp_path):
    with opened(cache) as store:
        digest = store.keep(b"data")
    witness = tmp_path / "witness"

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(witness),)

    with sqlite3.connect(cache / "blobs/cache.db") as database:
        database.execute("UPDATE Cache SET mode = 4, value = ?", (pickle.dumps(Bomb()),))
    database.close()
    with opened(cache) as store:
        assert store.load(digest) is None
    assert not witness.exists()


def test_snapshots_come_back_in_the_sources_order(cache):
    def snapshot(atlas, **more):
        project = Project(atlas, "syn1", 'a "name"', "")
        return Snapshot(
            project, "f", "listing", {"syn2": Fetched("v", "d"), "syn3": Fetched("", "", "gone")}, **more
        )

    snapshots = [
        snapshot("HTA9"),
        snapshot("HTA/1", crawled="c", changed="d", rows=1 << 40, failed_since="s", failure="why"),
    ]
    with opened(cache) as store:
        store.save_snapshots(snapshots)
    with opened(cache) as store:
        assert list(store.snapshots().values()) == snapshots
        store.save_snapshots(snapshots[1:])
        assert list(store.snapshots()) == ["HTA/1"]


def test_a_sweep_forgets_what_nobody_asked_for_and_spares_what_has_a_name(cache):
    with opened(cache) as store:
        kept, gone, listing = store.keep(b"kept"), store.keep(b"gone"), store.keep(b"listing")
        store.save_snapshots([Snapshot(Project("A", "syn1", "", ""), "f", listing, {})])
        store.record(PAGE, Trace("r", (), {"": kept}))
        store.record(Key("page", "gone"), Trace("r", (), {"": gone}))
        store.commit()
        store.sweep([PAGE])
    with opened(cache) as store:
        assert store.trace(PAGE)
        assert store.trace(Key("page", "gone")) is None
        assert [store.load(digest) for digest in (kept, gone, listing)] == [b"kept", None, b"listing"]


def test_claims_and_looks_survive(cache):
    with opened(cache) as store:
        store.claim("public", {"a": "1", "b": "2"})
        store.claim("public", {"a": "3"})
        store.claim("elsewhere", {"a": "9"})
        store.disown("public", ["b"])
        assert store.published("public") == {"a": "3"}


def test_a_second_run_says_who_is_at_work_since_when(cache):
    said = rf"process {os.getpid()} on .* since 20\d\d-"
    with opened(cache), pytest.raises(LockedError, match=said) as caught, opened(cache):
        pass
    assert "\n" not in str(caught.value)


def test_the_lock_of_a_process_that_was_killed_is_taken_over(cache):
    code = f"""
        import os, signal
        from pathlib import Path
        from hdash_site.state.store import opened
        with opened(Path({str(cache)!r})):
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False).returncode == -9
    with opened(cache) as store:
        assert store.snapshots() == {}


def test_the_lock_of_another_process_of_the_same_number_is_taken_over(cache):
    with opened(cache):
        models.Lock.update(process=1, born="another").execute()
        with opened(cache) as store:
            assert store.snapshots() == {}


@pytest.mark.parametrize(
    "damage",
    [b"this is no database, but long enough to be taken for one" * 50, b"SQLite format 3\0" + b"x" * 4000],
)
def test_a_damaged_database_is_one_line_with_a_way_out(cache, damage):
    cache.mkdir()
    (cache / "state.db").write_bytes(damage)
    with pytest.raises(StateError, match="hdash-site clean") as caught, opened(cache):
        pass
    assert "\n" not in str(caught.value)
