"""The state: what one run writes, the next one reads; what is lost is said to be lost."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdash_site.artifact import Published, Waiting
from hdash_site.engine.model import Key, Trace
from hdash_site.errors import LockedError, StateError
from hdash_site.files import Look, Stat
from hdash_site.snapshot import Fetched, Project, Snapshot
from hdash_site.state import models, rows
from hdash_site.state.store import glanced, opened
from tests.databases import environment

PAGE = Key("page", "atlas/HTA1")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_a_trace_comes_back_as_it_was(cache, at):
    trace = Trace(
        "recipe",
        ((Key("config", "site.toml", "site"), "d1"), (Key("x", "é:#", "p"), "")),
        {"": "a", "p/q": "b"},
    )
    with opened(cache, at) as store:
        store.record(PAGE, trace)
        store.explain(PAGE, "never built")
        store.commit()
    with opened(cache, at) as store:
        assert store.trace(PAGE) == trace
        assert store.reason(PAGE) == "never built"
        assert store.maker("p/q") == PAGE
        assert store.maker("q") is None
        assert store.trace(Key("page", "other")) is None


@given(
    st.lists(
        st.lists(st.text(st.sampled_from(['"', "\\", ",", "[", "]", "a", "\n", "é"])), min_size=4, max_size=4)
    )
)
def test_the_reads_of_a_trace_come_back_from_what_is_written_now_and_what_was_written_once(reads):
    trace = Trace("r", tuple((Key(*key), digest) for *key, digest in reads), {})
    now = rows.trace_row(PAGE, trace, "")["reads"]
    for told in (now, json.dumps(json.loads(now), separators=(",", ":"))):
        assert [rows.read_of(one) for one in rows.split_reads(told)] == reads


def test_what_was_not_committed_is_gone(cache, at):
    with opened(cache, at) as store:
        store.record(PAGE, Trace("recipe", (), {}))
    with opened(cache, at) as store:
        assert store.trace(PAGE) is None


def test_values_large_and_small_come_back(cache, at):
    small, large = b"s", os.urandom(1 << 20)
    with opened(cache, at) as store:
        digests = [store.keep(small), store.keep(large), store.keep(b"")]
        assert store.load(digests[1]) == large
    with opened(cache, at) as store:
        assert [store.load(digest) for digest in digests] == [small, large, b""]
        assert store.load("0" * 64) is None


def test_a_blob_that_was_damaged_is_lost_and_can_be_kept_again(cache, at):
    large = os.urandom(1 << 20)
    with opened(cache, at) as store:
        digest = store.keep(large)
    [path] = (cache / "blobs").rglob("*.val")
    path.write_bytes(b"x" * len(large))
    with opened(cache, at) as store:
        assert store.load(digest) is None
        assert digest not in store.blobs
        store.keep(large)
    with opened(cache, at) as store:
        assert store.load(digest) == large


def test_a_pickle_in_the_cache_is_not_opened(cache, at, tmp_path):
    with opened(cache, at) as store:
        digest = store.keep(b"data")
    witness = tmp_path / "witness"

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(witness),)

    with sqlite3.connect(cache / "blobs/cache.db") as database:
        database.execute("UPDATE Cache SET mode = 4, value = ?", (pickle.dumps(Bomb()),))
    database.close()
    with opened(cache, at) as store:
        assert store.load(digest) is None
    assert not witness.exists()


def test_snapshots_come_back_in_the_sources_order(cache, at):
    def snapshot(atlas, **more):
        project = Project(atlas, "syn1", 'a "name"', "")
        return Snapshot(
            project, "f", "listing", {"syn2": Fetched("v", "d"), "syn3": Fetched("", "", "gone")}, **more
        )

    snapshots = [
        snapshot("HTA9"),
        snapshot("HTA/1", crawled="c", changed="d", rows=1 << 40, failed_since="s", failure="why"),
    ]
    with opened(cache, at) as store:
        store.save_snapshots(snapshots)
    with opened(cache, at) as store:
        assert list(store.snapshots().values()) == snapshots
        store.save_snapshots(snapshots[1:])
        assert list(store.snapshots()) == ["HTA/1"]


def test_a_sweep_forgets_what_nobody_asked_for_and_spares_what_has_a_name(cache, at):
    with opened(cache, at) as store:
        kept, gone, listing = store.keep(b"kept"), store.keep(b"gone"), store.keep(b"listing")
        store.save_snapshots([Snapshot(Project("A", "syn1", "", ""), "f", listing, {})])
        store.record(PAGE, Trace("r", (), {"": kept}))
        store.record(Key("page", "gone"), Trace("r", (), {"": gone}))
        store.commit()
        store.sweep({PAGE: {"": kept}})
    with opened(cache, at) as store:
        assert store.trace(PAGE)
        assert store.trace(Key("page", "gone")) is None
        assert [store.load(digest) for digest in (kept, gone, listing)] == [b"kept", None, b"listing"]


def test_a_sweep_finds_what_was_replaced_and_what_a_run_left_that_was_cut_off(cache, at):
    with opened(cache, at) as store:
        first = store.keep(b"first")
        store.record(PAGE, Trace("r", (), {"": first}))
        store.commit()
    with opened(cache, at) as store:
        left, second = store.keep(b"left"), store.keep(b"second")
        store.blobs.flush()
    with opened(cache, at) as store:
        store.record(PAGE, Trace("r", (), {"": second}))
        store.trace(PAGE)
        store.commit()
        store.sweep({PAGE: {"": second}})
        assert [store.load(digest) for digest in (first, left, second)] == [None, None, b"second"]


NAMES = (
    "a",
    "A",
    "a ",
    "a\0",
    "a\0b",
    "\N{COLLISION SYMBOL}/é",
    "\N{COLLISION SYMBOL}/e\N{COMBINING ACUTE ACCENT}",
    "\\u0061",
    "a\n\t\"'%s?",
    "\udc80",
    "x" * 10_000,
    "x" * 9_999 + "y",
    "",
)


def test_names_come_back_exactly_whatever_is_in_them(cache, at):
    known = {name: Published(f"{number:064}", "h" * 16, "e" * 36) for number, name in enumerate(NAMES)}
    files = {name: published for name, published in known.items() if name and "\0" not in name}
    project = Project("\N{COLLISION SYMBOL}\0", "syn1", "x" * 100_000, "\udc80 ")
    trace = Trace("r", ((Key("k", "\N{COLLISION SYMBOL}\0", " "), "d"),), dict.fromkeys(NAMES, "d"))
    with opened(cache, at) as store:
        store.claim("public", files)
        store.claim("Public", {"a": Published("9")})
        store.save_snapshots([Snapshot(project, "f\0 ", "listing", {}, failure="\N{COLLISION SYMBOL}")])
        for name in NAMES:
            store.record(Key("page", name), trace)
            store.explain(Key("page", name), f"since {name}")
            store.looks.fresh[name] = Look(Stat(1 << 40, -1, 1 << 62, 1 << 64), 1 << 62, "d")
        store.commit()
    with opened(cache, at) as store:
        assert store.published("public") == files
        assert store.published("Public") == {"a": Published("9")}
        store.claim("other", known)
        assert store.published("other") == files, "other names are of no file"
        assert store.snapshots()[project.id].project == project
        assert store.snapshots()[project.id].fingerprint == "f\0 "
        for name in NAMES:
            assert store.trace(Key("page", name)) == trace
            assert store.reason(Key("page", name)) == f"since {name}"
            assert store.looks._earlier[name] == Look(Stat(1 << 40, -1, 1 << 62, 1 << 64), 1 << 62, "d")
        store.disown("public", ["a", "x" * 10_000])
        assert store.published("public").keys() == files.keys() - {"a", "x" * 10_000}


def test_more_rows_than_a_statement_takes_are_written_and_deleted(cache, at):
    files = {f"{number}.html": Published("d") for number in range(2_000)}
    with opened(cache, at) as store:
        store.claim("public", files)
        store.claim("public", dict.fromkeys(files, Published("e")))
        assert store.published("public") == dict.fromkeys(files, Published("e"))
        store.disown("public", files)
        assert store.published("public") == {}


def test_a_crawl_that_found_nothing_new_moves_its_times_alone(cache, at, monkeypatch):
    def snapshot(atlas, crawled, verified):
        project = Project(atlas, "syn1", "", "")
        return Snapshot(project, "f", "listing", {}, crawled, "then", 7, verified=verified)

    with opened(cache, at) as store:
        store.save_snapshots([snapshot("B", "1", "1"), snapshot("A", "1", "1"), snapshot("C", "1", "1")])
    later = [snapshot("B", "2", "2"), snapshot("A", "1", "1"), snapshot("C", "2", "1")]
    monkeypatch.delattr(rows, "replace_snapshots")
    with opened(cache, at) as store:
        store.save_snapshots(later)
    with opened(cache, at) as store:
        assert list(store.snapshots().values()) == later


def test_deletions_that_wait_and_facts_come_back_as_they_were_and_survive_a_reset(cache, at):
    waiting = {"a/é.html": Waiting("2026-11-27T06:00:00+00:00", 2), "b" * 2000: Waiting("", 0)}
    with opened(cache, at) as store:
        assert (store.waiting("public"), store.fact("site")) == ({}, "")
        store.wait("public", dict.fromkeys(waiting, Waiting("x", 1)))
        store.wait("public", waiting)
        store.wait("Public", {"a": Waiting("y", 1)})
        store.set_fact("site", "first")
        store.set_fact("site", "é")
        store.reset()
    with opened(cache, at) as store:
        assert store.waiting("public") == waiting
        assert store.fact("site") == "é"
        store.stop_waiting("public", ["a/é.html", "not there"])
        assert store.waiting("public").keys() == {"b" * 2000}
        assert store.waiting("Public") == {"a": Waiting("y", 1)}
        store.forget()
        assert (store.waiting("Public"), store.fact("site")) == ({}, "")


def test_a_reset_forgets_what_was_crawled_and_built_and_keeps_what_is_ours(cache, at):
    with opened(cache, at) as store:
        value = store.keep(b"value")
        store.save_snapshots([Snapshot(Project("A", "syn1", "", ""), "f", value, {})])
        store.record(PAGE, Trace("r", (), {"": value}))
        store.looks.fresh["path"] = Look(Stat(1, 1, 1, 1), 1, "d")
        store.commit()
        store.claim("public", {"a": Published("1")})
        store.note_run("then", "later", "done", {})
        store.reset()
        assert store.trace(PAGE) is None
    with opened(cache, at) as store:
        assert (store.snapshots(), store.trace(PAGE), store.load(value)) == ({}, None, None)
        assert store.looks._earlier == {}
        assert store.published("public") == {"a": Published("1")}
        assert models.Run.select().count() == 1


def test_a_glance_needs_no_lock_and_writes_nothing(cache, at):
    with glanced(cache, at) as store:
        assert store is None or store.snapshots() == {}
    with opened(cache, at) as busy:
        busy.record(PAGE, Trace("r", (), {}))
        busy.commit()
        with glanced(cache, at) as store:
            assert store.trace(PAGE)
            with pytest.raises(StateError):
                store.reset()
    with opened(cache, at) as store:
        assert store.trace(PAGE)


def test_claims_and_looks_survive(cache, at):
    with opened(cache, at) as store:
        store.claim("public", {"a": Published("1"), "b": Published("2")})
        store.claim("public", {"a": Published("3")})
        store.claim("elsewhere", {"a": Published("9")})
        store.disown("public", ["b"])
        assert store.published("public") == {"a": Published("3")}


def test_a_second_run_says_who_is_at_work_since_when(cache, at):
    said = rf"process {os.getpid()} on .* since 20\d\d-"
    with opened(cache, at), pytest.raises(LockedError, match=said) as caught, opened(cache, at):
        pass
    assert "\n" not in str(caught.value)


def test_the_lock_of_a_process_that_was_killed_is_taken_over(cache, at):
    code = f"""
        import os, signal
        from pathlib import Path
        from hdash_site.state import where
        from hdash_site.state.store import opened
        cache = Path({str(cache)!r})
        with opened(cache, where.read(os.environ, cache)):
            os.kill(os.getpid(), signal.SIGKILL)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert subprocess.run(command, check=False, env=environment(at)).returncode == -9
    with opened(cache, at) as store:
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
    with (
        pytest.raises(StateError, match=r"state database is damaged .* restore the file") as caught,
        opened(cache),
    ):
        pass
    assert "\n" not in str(caught.value)
    assert (cache / "state.db").read_bytes() == damage
