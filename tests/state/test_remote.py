"""A state in S3: each night begins with an empty disk, and knows what the last one learned."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import time
import traceback

import pytest

from hdash_site import app, upkeep
from hdash_site.engine.model import Key, Trace
from hdash_site.errors import AwsError, HdashError, LockedError, StateError
from hdash_site.state import remote, where
from hdash_site.state.store import opened
from tests import databases, worlds
from tests.nights import PREFIX
from tests.remote.s3 import SECRET, Fault


def kinds(requests):
    return [(request.kind, request.key.removeprefix(PREFIX).partition("/")[0]) for request in requests]


def test_a_night_on_a_fresh_disk_does_nothing_that_was_done(nights, begun):
    result, tree = nights.build()
    assert (result.ran, result.changed, result.problems) == ([], [], [])
    assert tree == begun.trees[1]
    assert begun.ran[0] > 5 * begun.ran[1] > 0


def test_requests_of_a_night_are_few_and_no_pack_is_sent_when_nothing_changed(nights, s3):
    options = nights.options()
    nights.build(options)
    packs = [("GET", "packs")] * len(nights.keys("packs/"))
    # A service that is not AWS is asked each time whether it keeps to conditions: two writes that must fail.
    locked = [("GET", "lock"), *[("PUT", "lock")] * 3]
    began = [*locked, *(("GET", key) for key in ("pointer", "snapshots", "stores"))]
    # Of the store, the time of the crawl and the ledger of runs are new.
    ended = [*(("PUT", key) for key in ("stores", "snapshots", "pointer")), ("LIST", ""), ("PUT", "lock")]
    assert kinds(s3.requests) == [*began, *packs, *ended]
    # On the same disk even the store and the packs are there.
    s3.counted()
    with nights.open(options):
        pass
    assert kinds(s3.requests) == [*began[:-1], ("PUT", "lock")]


def test_one_edit_sends_what_is_new_and_nothing_else(begun):
    first, second = begun.objects
    sizes = [{key: len(data) for key, data in some.items() if "packs/" in key} for some in begun.objects]
    assert len(sizes[0]) == 1
    assert sizes[0].items() < sizes[1].items()
    assert sum(sizes[1].values()) < 1.5 * sum(sizes[0].values())
    assert [*map(len, (first, second))] == [5, 8]


def test_looking_sends_nothing(nights):
    before = nights.all()
    assert app.why(nights.options(), "index.html")
    assert len(app.pull(nights.options(), nights.folder / "pulled")) == 2
    assert [one.atlas for one in upkeep.status(nights.options())] == ["HTA1", "HTA2"]
    after = nights.all()
    assert before.pop("lock")
    assert after.pop("lock")
    assert after == before


def test_status_neither_waits_for_a_run_nor_disturbs_it(nights, s3):
    options = nights.options()
    with nights.open():
        s3.counted()
        [first, second] = upkeep.status(options)
        assert first.findings == second.findings == (0, 0), "these are in a pack"
        counted = s3.counted()
        assert [*counted] == ["GET"]
        assert counted["GET"] <= 5
    assert not (options.cache / "state.db").exists()


def test_status_of_nothing(empty):
    assert upkeep.status(empty.options()) == []
    assert empty.keys() == []


def test_a_database_has_the_rows_and_s3_the_bytes(empty, begun, s3, on_a_server, monkeypatch):
    monkeypatch.setenv(where.URL, databases.environment(on_a_server)[where.URL])
    _, tree = empty.build()
    assert tree == begun.trees[0]
    assert empty.keys("stores/") == empty.keys("lock") == []
    result, again = empty.build()
    assert (again, result.ran, result.problems) == (tree, [], [])
    # The rows in the database say when; nothing is new for S3.
    assert kinds(s3.requests) == [("GET", key) for key in ("pointer", "snapshots", "packs")]
    empty.rename("Another name")
    result, changed = empty.build()
    assert (changed, len(result.ran)) == (begun.trees[1], begun.ran[1])
    assert databases.rows(on_a_server, "SELECT * FROM hdash_look") == [], "the next disk is another one"


def test_bytes_without_rows_and_rows_without_bytes_cost_a_full_night(empty, begun, on_a_server, monkeypatch):
    monkeypatch.setenv(where.URL, databases.environment(on_a_server)[where.URL])
    empty.build()
    for key in empty.keys("packs/"):
        empty.put(key, None)
    result, tree = empty.build()
    assert (tree, len(result.problems), result.exit_code) == (begun.trees[0], 1, 0)
    databases.at(on_a_server.kind, empty.folder)  # empties it
    result, tree = empty.build()
    assert (tree, result.problems, len(result.ran)) == (begun.trees[0], [], begun.ran[0])
    assert empty.build()[0].ran == []


def gone(data):
    return None


def altered(data):
    return bytes([*data[:30], data[30] ^ 1, *data[31:]])


def cut(data):
    return data[: len(data) // 2]


def other(data):
    return gzip.compress(b"something else")


def part(nights, kind):
    """Give the key of a part of the newest snapshot."""
    newest = nights.newest()
    parts = {"pointer": "pointer", "snapshots": f"snapshots/{newest['snapshot']}"}
    return (parts | {"stores": f"stores/{newest['store']}", "packs": f"packs/{newest['packs'][0]}"})[kind]


@pytest.mark.parametrize("harm", [gone, altered])
@pytest.mark.parametrize("kind", ["pointer", "snapshots", "stores", "packs"])
def test_what_is_damaged_is_said_and_the_site_is_right(nights, begun, kind, harm):
    key = part(nights, kind)
    nights.put(key, harm(nights.get(key)))
    result, tree = nights.build()
    if (kind, harm) == ("pointer", gone):
        assert result.problems == [], "a state that is not there is none"
    else:
        [line] = result.problems
        how = "missing" if harm is gone else "damaged"
        assert line.startswith(f"s3://{nights.bucket}/{PREFIX}{key}: the state in S3 is {how}; what ")
    assert (tree, result.exit_code) == (begun.trees[1], 0)
    with nights.open() as store:
        assert (store.problems, len(store.snapshots())) == ([], 2)
        assert all(digest in store.blobs for digest in store.named())


@pytest.mark.parametrize("kind", ["snapshots", "stores", "packs"])
def test_any_other_content_is_found_out(nights, kind):
    key = part(nights, kind)
    [sound] = [one for one in nights.keys(f"{kind}/") if one != key]
    for data in (b"", cut(nights.get(key)), other(b""), nights.get(sound)):
        nights.put(key, data)
        with nights.look() as store:
            assert "damaged" in store.problems[0]


def test_if_the_newest_is_damaged_the_one_before_it_serves(nights, begun):
    nights.put(part(nights, "stores"), b"x")
    result, tree = nights.build()
    assert (tree, len(result.ran)) == (begun.trees[1], begun.ran[1])
    assert "what was known before it is used" in result.problems[0]
    assert len(nights.pointer()["kept"]) == 2, "the damaged one is not kept"


def test_if_none_is_whole_everything_is_made_again(nights, begun):
    for key in nights.keys("stores/"):
        nights.put(key, b"")
    result, tree = nights.build()
    assert (tree, len(result.ran), len(result.problems)) == (begun.trees[1], begun.ran[0], 2)


NONSENSE = [b"", b"[]", b"{}", b'{"version": 1, "kept": 7}', b"[" * 99_999, b"\xff"]
NONSENSE += [
    json.dumps({"version": 1, "kept": [{"snapshot": name, "store": "", "packs": []}]}).encode()
    for name in ("../../etc/passwd", "A" * 64, 7, None, "0" * 65)
]


def test_a_pointer_that_makes_no_sense_is_said_and_leads_nowhere(nights, s3):
    for nonsense in NONSENSE:
        nights.put("pointer", nonsense)
        s3.counted()
        with pytest.raises(StateError, match="/pointer: the state in S3 is damaged"):
            upkeep.status(nights.options())
        assert s3.counted() == {"GET": 1}
    with nights.open() as store:
        assert store.problems == [
            f"s3://{nights.bucket}/{PREFIX}pointer: the state in S3 is damaged; what was in it is made again"
        ]


def forge(nights, change):
    """Put a store in S3 that is named as it should be, and another than we would write."""
    newest = nights.newest()
    file = nights.folder / "forged.db"
    file.write_bytes(gzip.decompress(nights.get(f"stores/{newest['store']}")))
    change(file)
    store = gzip.compress(file.read_bytes())
    snapshot = json.loads(gzip.decompress(nights.get(f"snapshots/{newest['snapshot']}")))
    snapshot["store"] = hashlib.sha256(store).hexdigest()
    nights.put(f"stores/{snapshot['store']}", store)
    point(nights, gzip.compress(json.dumps(snapshot).encode()))


def point(nights, snapshot):
    """Let the pointer lead to a snapshot, and to no other."""
    name = hashlib.sha256(snapshot).hexdigest()
    nights.put(f"snapshots/{name}", snapshot)
    kept = {"snapshot": name, "store": "", "packs": []}
    nights.put("pointer", json.dumps({"version": 1, "kept": [kept]}).encode())


def sql(*statements):
    def change(file):
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            for statement in statements:
                database.execute(statement)

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_bytes(b"no file of SQLite"),
        lambda file: file.write_bytes(file.read_bytes()[:5000]),
        sql("DROP TABLE hdash_migration"),
        sql("DELETE FROM hdash_migration"),
        sql("CREATE TRIGGER t AFTER INSERT ON hdash_lock BEGIN DELETE FROM hdash_trace; END"),
        sql("CREATE VIEW v AS SELECT 1"),
    ],
)
def test_a_store_that_is_none_of_ours_is_refused_however_it_is_named(nights, change):
    forge(nights, change)
    with nights.open() as store:
        assert (len(store.problems), store.snapshots()) == (1, {})
        assert "/stores/" in store.problems[0]
        assert "the state in S3 is damaged; what was in it is made again" in store.problems[0]


def test_an_index_that_is_none_of_ours_is_refused_however_it_is_named(nights):
    newest = nights.newest()
    true = json.loads(gzip.decompress(nights.get(f"snapshots/{newest['snapshot']}")))
    name = next(iter(true["packs"]))
    for index in ({"0" * 64: -1}, {"0" * 64: 1 << 40}, {"0" * 64: "1"}, {"0" * 64: True}, {"x": 1}, [], 7):
        point(nights, gzip.compress(json.dumps(true | {"packs": {name: index}}).encode()))
        with pytest.raises(StateError, match=r"/snapshots/.*: the state in S3 is damaged"):
            upkeep.status(nights.options())
    point(nights, gzip.compress(b"[" * 99_999))
    with nights.open() as store:
        assert "/snapshots/" in store.problems[0]


def test_a_state_of_a_newer_version_is_left_alone(nights):
    newer = "the state was written by a newer version; install that version, or name another place"
    forge(nights, sql("INSERT INTO hdash_migration VALUES ('of_the_future')"))
    before = nights.all()
    with pytest.raises(StateError, match=f"/stores/.*: {newer}"):
        nights.build()
    nights.put("pointer", b'{"version": 2}')
    with pytest.raises(StateError, match=f"/pointer: {newer}"):
        nights.build()
    nights.put("pointer", before["pointer"])
    point(nights, gzip.compress(b'{"version": 2}'))
    with pytest.raises(StateError, match=f"/snapshots/.*: {newer}"):
        nights.build()
    assert before.keys() <= nights.all().keys()


def test_an_object_larger_than_any_of_ours_is_not_read(nights, monkeypatch):
    monkeypatch.setattr(remote, "MOST_BYTES", 10_000)
    for large in (gzip.compress(b"\0" * 1_000_000), b"x" * 10_001):
        point(nights, large)
        with nights.open() as store:
            assert "/snapshots/" in store.problems[0]
            assert "damaged" in store.problems[0]


def test_three_snapshots_are_kept_and_nothing_that_none_of_them_names(nights):
    for number in range(4):
        with nights.open() as store:
            store.note_run("1", f"{number}", "done", {})
            store.record(Key("page", f"{number}"), Trace("r", (), {"": store.keep(b"%d" % number)}))
            store.commit()
        kept = nights.pointer()["kept"]
        assert len(kept) == 3
        named = {f"snapshots/{one['snapshot']}" for one in kept} | {f"stores/{one['store']}" for one in kept}
        named |= {f"packs/{pack}" for one in kept for pack in one["packs"]}
        assert set(nights.keys()) == named | {"pointer", "lock"}
        nights.put("packs/" + "0" * 64, b"left behind by a run that was killed")
    nights.put("packs/not-ours", b"")
    with nights.open() as store:
        store.note_run("1", "2", "done", {})
    assert nights.keys("packs/")[-1] == "packs/not-ours"
    assert nights.keys("packs/0000") == []


@pytest.mark.parametrize("refused", ["s3:DeleteObject", "s3:ListBucket"])
def test_if_old_parts_cannot_be_deleted_that_is_said_and_the_night_is_good(nights, s3, refused):
    s3.allowed = {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"} - {refused}
    nights.put("packs/" + "0" * 64, b"")
    with nights.open() as store:
        store.note_run("1", "2", "done", {})
    [line] = store.problems
    assert "the state is kept, but old parts of it stay as well" in line
    assert "AccessDenied" in line


def test_a_run_that_fails_keeps_what_it_learned(empty, begun):
    (empty.site / "layouts/base.mako").write_text("% if")
    with contextlib.suppress(HdashError):
        empty.build()
    with empty.look() as store:
        assert set(store.snapshots()) == {"HTA1", "HTA2"}
    shutil.copy(worlds.ROOT / "layouts/base.mako", empty.site / "layouts")
    result, tree = empty.build()
    assert tree == begun.trees[0]
    assert {ran.key.kind for ran in result.ran} == {"page"} | {ran.key.kind for ran in result.ran} - {
        "report"
    }


@pytest.mark.parametrize("end", [StateError("something else"), KeyboardInterrupt()])
def test_a_run_that_is_cut_short_keeps_what_it_learned(nights, end):
    with pytest.raises(type(end)), nights.open() as store:
        store.note_run("1", "2", "cut short", {})
        raise end
    options = nights.options()
    with nights.open(options):
        assert ("cut short",) in rows(options, "SELECT outcome FROM hdash_run")


def test_what_could_not_be_brought_to_s3_is_on_the_disk_for_the_next_run(nights, s3):
    options = nights.options()
    nights.rename("A third name")
    s3.fault = lambda r: Fault(403, "AccessDenied") if r.kind == "PUT" and "/stores/" in r.key else None
    with pytest.raises(AwsError, match=r"/stores/.* this is not allowed to us"):
        nights.build(options)
    s3.fault = lambda r: None
    result, tree = nights.build(options)
    assert result.ran == []
    result, again = nights.build()
    assert (result.ran, again) == ([], tree)


def test_a_state_on_disk_is_taken_to_s3_when_that_is_first_named(empty, begun, monkeypatch):
    options = empty.options()
    with monkeypatch.context() as alone:
        alone.delenv("HDASH_STATE_URL")
        empty.build(options)
    with empty.open(options):
        pass
    result, tree = empty.build()
    assert (tree, result.ran) == (begun.trees[0], [])


def test_a_state_on_disk_that_another_run_went_past_is_replaced(nights, begun):
    options = nights.options()
    with nights.open(options):
        pass
    with nights.open() as store:
        store.note_run("1", "2", "elsewhere", {})
    with nights.open(options):
        pass
    assert ("elsewhere",) in rows(options, "SELECT outcome FROM hdash_run")
    (options.cache / "state.db").write_bytes(b"damaged")
    result, tree = nights.build(options)
    assert (tree, result.ran, result.problems) == (begun.trees[1], [], [])


def test_what_a_replaced_state_had_not_written_yet_is_not_taken_for_a_part_of_the_new_one(nights):
    options = nights.options()
    log = options.cache / "state.db-wal"
    with nights.open(options) as store:
        store.note_run("1", "2", "ghost", {})
        left = log.read_bytes()
    assert left
    with nights.open() as store:
        store.note_run("1", "2", "elsewhere", {})
    log.write_bytes(left)
    with nights.open(options):
        found = rows(options, "SELECT outcome FROM hdash_run")
    assert found.count(("ghost",)) == found.count(("elsewhere",)) == 1
    assert rows(options, "PRAGMA integrity_check") == [("ok",)]


def rows(options, query):
    with contextlib.closing(sqlite3.connect(options.cache / "state.db")) as database:
        return database.execute(query).fetchall()


def test_what_only_a_disk_knows_stays_there(nights):
    """A look of one disk could take a file on another for one that it knows; a lock would hold for ever."""
    options = nights.options()
    nights.build(options)
    assert rows(options, "SELECT * FROM hdash_look") != []
    later = nights.options()
    with nights.open(later):
        pass
    assert rows(later, "SELECT * FROM hdash_look") == []


def test_the_lock_in_a_file_from_another_machine_is_no_living_run(nights):
    """Two machines that mount one cache in turn: S3 says who is at work."""
    options = nights.options()
    with nights.open(options):
        pass
    sql("INSERT INTO hdash_lock VALUES ('run', 'other', 1, '', '2026-01-01 02:00:00 UTC', 't')")(
        options.cache / "state.db"
    )
    with nights.open(options):
        pass


def test_a_run_that_was_overtaken_changes_nothing(nights):
    """Both have read the pointer; the second to commit finds another, whatever it believes of the lock."""
    with pytest.raises(StateError) as caught, nights.open() as late:
        late.note_run("1", "2", "late", {})
        nights.put("lock", None)
        with nights.open() as quick:
            quick.note_run("1", "2", "quick", {})
        theirs = nights.all()
    said = f"s3://{nights.bucket}/{PREFIX}pointer: another run changed the state meanwhile"
    assert str(caught.value).startswith(said)
    assert theirs.items() <= nights.all().items()


LOST = "the lock was lost: it was not renewed in time; build again"


def opened_for_a_second(nights):
    """Open the state with a lock that is lost after a second in which it is not renewed."""
    environ = {**os.environ, "HDASH_STATE_URL": f"s3://{nights.bucket}/{PREFIX}"}
    return opened(nights.options().cache, None, where.remote(environ, 1.0))


def unrenewed(request):
    return Fault(403, "AccessDenied") if request.kind == "PUT" and "lock" in request.key else None


def test_a_run_that_lost_its_lease_writes_nothing_more(nights, s3):
    before = nights.all()
    with pytest.raises(StateError, match=LOST), opened_for_a_second(nights) as store:
        store.note_run("1", "2", "done", {})
        s3.fault = unrenewed
        time.sleep(1.2)
        with pytest.raises(StateError, match=LOST):
            store.note_run("1", "2", "done", {})
        s3.fault = lambda request: None
    after = nights.all()
    assert before.pop("lock") != after.pop("lock")
    assert after == before


def test_a_run_that_loses_its_lease_while_it_sends_does_not_commit(nights, s3):
    before = nights.pointer()

    def slow(request):
        if request.kind == "PUT" and "/stores/" in request.key:
            time.sleep(1.2)
        return unrenewed(request)

    with pytest.raises(StateError, match=LOST), opened_for_a_second(nights) as store:
        store.note_run("1", "2", "done", {})
        s3.fault = slow
    assert nights.pointer() == before


def test_while_one_works_another_is_told_who(nights):
    said = r"lock: another run \(process \d+ on .*\) is at work since 20"
    with nights.open(), pytest.raises(LockedError, match=said):
        nights.build()


def test_init_reset_and_clean_do_in_s3_what_they_do_on_disk(nights, begun):
    options = nights.options()
    assert app.place_of(options) == f"s3://{nights.bucket}/{PREFIX}"
    assert len(upkeep.init(options, None)) == 2
    upkeep.reset(nights.options())
    result, tree = nights.build(options)
    assert (tree, len(result.ran)) == (begun.trees[1], begun.ran[0])
    gone = upkeep.clean(options)
    assert f"the state in s3://{nights.bucket}/{PREFIX}" in gone
    assert nights.keys() == ["lock"]
    assert worlds.tree(options.output) == {}
    assert list(options.cache.iterdir()) == []
    assert upkeep.status(nights.options()) == []


def test_a_state_that_cannot_be_deleted_is_said(nights, s3):
    s3.allowed = {"s3:ListBucket", "s3:GetObject", "s3:PutObject"}
    with pytest.raises(AwsError, match="this is not allowed to us"):
        upkeep.clean(nights.options())


def test_what_was_lost_is_said_by_every_command_that_takes_the_state_up(nights, capsys):
    line = f"s3://{nights.bucket}/{PREFIX}pointer: the state in S3 is damaged; what was in it is made again"

    def fail(options):
        with pytest.raises(StateError), nights.open(options):
            raise StateError("something else")

    for command in (upkeep.reset, fail):
        nights.put("pointer", b"")
        command(nights.options())
        assert capsys.readouterr().err == f"hdash-site: {line}\n"


def test_status_says_that_it_shows_what_was_known_before(nights, capsys):
    nights.put(part(nights, "stores"), None)
    assert len(upkeep.status(nights.options())) == 2
    assert "missing; what was known before it is used\n" in capsys.readouterr().err


def test_nothing_in_s3_and_no_error_holds_a_secret(nights, s3):
    s3.fault = lambda r: Fault(403, "SignatureDoesNotMatch")
    with pytest.raises(AwsError) as caught:
        nights.build()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    stored = nights.all().values()
    everything = b"".join(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for data in stored)
    assert b"Another name" in everything
    assert SECRET.encode() not in everything
