"""A state in S3: each night begins with an empty disk, and knows what the last one learned."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import shutil
import sqlite3
import time
import traceback

import pytest

from hdash_site import app, upkeep
from hdash_site.errors import AwsError, HdashError, LockedError, StateError
from hdash_site.state import where
from hdash_site.state.store import opened
from tests import databases, worlds
from tests.remote.s3 import SECRET, Fault

PREFIX = "nightly/state/"


class Nights:
    """Nights of one site, each on a fresh disk; `s3` and `bucket` hold the state."""

    def __init__(self, folder, s3, bucket):
        self.folder, self.s3, self.bucket = folder, s3, bucket
        self.site = worlds.site_folder(folder / "site")
        self.atlases = worlds.small(folder / "atlases")
        self._number = 0

    def disk(self):
        """Give a fresh one."""
        self._number += 1
        return self.folder / f"night-{self._number}"

    def build(self, disk=None, **more):
        disk = disk or self.disk()
        self.s3.counted()
        result = worlds.build(
            self.site, self.atlases.folder, output=disk / "public", cache=disk / "cache", **more
        )
        return result, worlds.tree(disk / "public")

    def clean(self, monkeypatch):
        """Give the site as a build makes it that knows of nothing."""
        with monkeypatch.context() as alone:
            for name in where.VARIABLES:
                alone.delenv(name, raising=False)
            return self.build()[1]

    def keys(self, folder=""):
        return [
            key.removeprefix(PREFIX) for key in self.s3.keys(self.bucket) if key.startswith(PREFIX + folder)
        ]

    def pointer(self):
        return json.loads(self.s3.object(self.bucket, PREFIX + "pointer").body)

    def newest(self):
        return self.pointer()["kept"][0]

    def put(self, key, data):
        self.s3.put(self.bucket, PREFIX + key, data)

    def delete(self, key):
        self.s3.delete(self.bucket, PREFIX + key)


@pytest.fixture
def nights(tmp_path, s3, new_bucket, monkeypatch):
    monkeypatch.setenv("HDASH_STATE_URL", f"s3://{new_bucket}/{PREFIX}")
    return Nights(tmp_path, s3, new_bucket)


def test_a_night_on_a_fresh_disk_does_nothing_that_was_done(nights, monkeypatch):
    first, tree = nights.build()
    assert len(first.ran) > 20
    second, again = nights.build()
    assert (second.ran, second.changed, second.problems) == ([], [], [])
    assert again == tree == nights.clean(monkeypatch)


def test_requests_of_a_night_are_few_and_no_pack_is_sent_when_nothing_changed(nights, s3):
    nights.build()
    first = s3.requests
    assert sum(request.key.startswith(PREFIX + "packs/") for request in first if request.kind == "PUT") == 1
    disk = nights.disk()
    nights.build(disk)
    said = [(request.kind, request.key.removeprefix(PREFIX).partition("/")[0]) for request in s3.requests]
    began = [("GET", "lock"), ("PUT", "lock"), *(("GET", key) for key in ("pointer", "snapshots", "stores"))]
    # Of the store, the time of the crawl and the ledger of runs are new.
    ended = [*(("PUT", key) for key in ("stores", "snapshots", "pointer")), ("LIST", ""), ("PUT", "lock")]
    assert said == [*began, ("GET", "packs"), *ended]
    # On the same disk even the store is there.
    nights.build(disk)
    assert [r.key for r in s3.requests if r.kind == "GET" and "/s" in r.key.removeprefix(PREFIX)] == []
    assert s3.counted()["GET"] == 3


def test_looking_sends_nothing(nights, s3):
    disk = nights.disk()
    nights.build(disk)
    before = {key: s3.object(nights.bucket, PREFIX + key).etag for key in nights.keys() if key != "lock"}
    options = app.Options(nights.site, None, disk / "public", nights.disk() / "cache")
    assert app.why(options, "index.html")
    assert len(app.pull(options, nights.folder / "pulled")) == 2
    assert [one.atlas for one in upkeep.status(options)] == ["HTA1", "HTA2"]
    after = {key: s3.object(nights.bucket, PREFIX + key).etag for key in nights.keys() if key != "lock"}
    assert after == before


def test_status_neither_waits_for_a_run_nor_disturbs_it(nights, s3):
    nights.build()
    options = app.Options(nights.site, None, None, nights.disk() / "cache")
    with app.open_state(app.Options(nights.site, None, None, nights.disk() / "cache")):
        s3.counted()
        [first, second] = upkeep.status(options)
        assert first.findings == second.findings == (0, 0), "these are in a pack"
        assert s3.counted() == {"GET": 4}
    assert not (options.cache / "state.db").exists()


def test_status_of_nothing(nights):
    assert upkeep.status(app.Options(nights.site, None, None, nights.disk() / "cache")) == []
    assert nights.keys() == []


def test_one_edit_sends_what_is_new_and_nothing_else(nights, s3):
    nights.build()
    sizes = {key: len(s3.object(nights.bucket, PREFIX + key).body) for key in nights.keys("packs/")}
    nights.atlases.projects[0]["name"] = "Another name"
    nights.atlases.save()
    result, _ = nights.build()
    assert result.ran
    [sent] = [r.size for r in s3.requests if r.kind == "PUT" and "/packs/" in r.key]
    assert sent < sum(sizes.values()) / 2
    assert set(sizes) < set(nights.keys("packs/"))


def test_a_database_has_the_rows_and_s3_the_bytes(nights, s3, on_a_server, monkeypatch):
    address = databases.environment(on_a_server)[where.URL]
    monkeypatch.setenv(where.URL, address)
    _, tree = nights.build()
    assert nights.keys("stores/") == nights.keys("lock") == []
    result, again = nights.build()
    assert (result.ran, result.problems) == ([], [])
    assert again == tree
    # The rows in the database say when; nothing is new for S3.
    assert [(r.kind, r.key.removeprefix(PREFIX).partition("/")[0]) for r in s3.requests] == [
        ("GET", "pointer"), ("GET", "snapshots"), ("GET", "packs"),
    ]  # fmt: skip
    nights.atlases.projects[0]["name"] = "Another name"
    nights.atlases.save()
    _, changed = nights.build()
    # A database that outlives the disk tells nothing of files.
    assert databases.on_server(on_a_server.kind, "SELECT 1")
    with opened(nights.disk(), on_a_server) as store:
        assert not store.looks._earlier
    monkeypatch.delenv(where.URL)
    assert changed == nights.clean(monkeypatch)


def test_a_database_without_its_rows_and_bytes_without_a_database_cost_a_full_night(
    nights, on_a_server, monkeypatch
):
    monkeypatch.setenv(where.URL, databases.environment(on_a_server)[where.URL])
    first, tree = nights.build()
    for key in nights.keys():
        nights.delete(key)
    result, again = nights.build()
    assert (again, result.problems, result.exit_code) == (tree, [], 0)
    databases.at(on_a_server.kind, nights.folder)  # empties it
    result, again = nights.build()
    assert (again, result.problems, len(result.ran)) == (tree, [], len(first.ran))
    assert nights.build()[0].ran == []


def flipped(data):
    return bytes([*data[:30], data[30] ^ 1, *data[31:]])


HARM = {
    "gone": lambda data: None,
    "empty": lambda data: b"",
    "flipped": flipped,
    "cut": lambda data: data[: len(data) // 2],
    "another": lambda data: gzip.compress(b"something else"),
}


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("kind", ["pointer", "snapshots", "stores", "packs"])
def test_what_is_damaged_is_said_and_the_site_is_right(nights, monkeypatch, kind, harm):
    nights.build()
    nights.atlases.projects[0]["name"] = "Another name"
    nights.atlases.save()
    nights.build()
    newest = nights.newest()
    key = {"pointer": "pointer", "snapshots": f"snapshots/{newest['snapshot']}"}.get(kind)
    key = key or {"stores": f"stores/{newest['store']}", "packs": f"packs/{newest['packs'][0]}"}[kind]
    data = HARM[harm](nights.s3.object(nights.bucket, PREFIX + key).body)
    nights.delete(key) if data is None else nights.put(key, data)
    result, tree = nights.build()
    if (kind, harm) == ("pointer", "gone"):
        assert result.problems == [], "a state that is not there is none"
    else:
        [line] = result.problems
        how = "missing" if harm == "gone" else "damaged"
        assert line.startswith(f"s3://{nights.bucket}/{PREFIX}{key}: the state in S3 is {how}; what ")
    assert result.exit_code == 0
    assert tree == nights.clean(monkeypatch)
    result, again = nights.build()
    assert (result.ran, result.problems) == ([], [])
    assert again == tree


def test_if_the_newest_is_damaged_the_one_before_it_serves(nights):
    first, _ = nights.build()
    nights.atlases.projects[0]["name"] = "Another name"
    nights.atlases.save()
    second, tree = nights.build()
    nights.put(f"stores/{nights.newest()['store']}", b"x")
    third, again = nights.build()
    assert len(third.ran) == len(second.ran) < len(first.ran)
    assert again == tree
    assert [one["store"] != "" for one in nights.pointer()["kept"]] == [True, True]


@pytest.mark.parametrize(
    "nonsense", [b"", b"[]", b"{}", b'{"version": 1, "kept": 7}', b"[" * 99_999, b"\xff"]
)
def test_a_pointer_that_makes_no_sense_is_said(nights, nonsense):
    _, tree = nights.build()
    nights.put("pointer", nonsense)
    result, again = nights.build()
    assert result.problems == [
        f"s3://{nights.bucket}/{PREFIX}pointer: the state in S3 is damaged; what was in it is made again"
    ]
    assert again == tree


@pytest.mark.parametrize("path", ["../../etc/passwd", "A" * 64, 7, None])
def test_a_pointer_leads_to_nothing_but_names_of_ours(nights, path):
    nights.build()
    pointer = nights.pointer()
    pointer["kept"][0]["snapshot"] = path
    nights.put("pointer", json.dumps(pointer).encode())
    assert "pointer: the state in S3 is damaged" in nights.build()[0].problems[0]


def forged(nights, change):
    """Put a store in S3 that is named as it should be, and another than we would write."""
    key = nights.newest()["store"]
    file = nights.folder / "forged.db"
    file.write_bytes(gzip.decompress(nights.s3.object(nights.bucket, f"{PREFIX}stores/{key}").body))
    change(file)
    store = gzip.compress(file.read_bytes())
    snapshot = json.loads(
        gzip.decompress(
            nights.s3.object(nights.bucket, f"{PREFIX}snapshots/{nights.newest()['snapshot']}").body
        )
    )
    snapshot["store"] = hashlib.sha256(store).hexdigest()
    data = gzip.compress(json.dumps(snapshot).encode())
    name = hashlib.sha256(data).hexdigest()
    nights.put(f"stores/{snapshot['store']}", store)
    nights.put(f"snapshots/{name}", data)
    kept = {"snapshot": name, "store": snapshot["store"], "packs": [*snapshot["packs"]]}
    nights.put("pointer", json.dumps({"version": 1, "kept": [kept]}).encode())


def sql(*statements):
    def change(file):
        with sqlite3.connect(file) as database:
            for statement in statements:
                database.execute(statement)
        database.close()

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
    _, tree = nights.build()
    forged(nights, change)
    result, again = nights.build()
    [line] = result.problems
    assert "/stores/" in line
    assert "the state in S3 is damaged; what was in it is made again" in line
    assert again == tree


def test_a_state_of_a_newer_version_is_left_alone(nights):
    nights.build()
    forged(nights, sql("INSERT INTO hdash_migration VALUES ('of_the_future')"))
    pointer = nights.pointer()
    with pytest.raises(StateError, match="the state was written by a newer version; install that version"):
        nights.build()
    nights.put("pointer", json.dumps({"version": 2}).encode())
    with pytest.raises(StateError, match="pointer: the state was written by a newer version"):
        nights.build()
    nights.put("pointer", json.dumps(pointer).encode())
    forged(nights, lambda file: None)
    assert nights.build()[0].ran == []


def test_an_object_larger_than_any_of_ours_is_not_read(nights, monkeypatch):
    from hdash_site.state import remote

    _, tree = nights.build()
    monkeypatch.setattr(remote, "MOST_BYTES", 10_000)
    large = gzip.compress(b"\0" * 1_000_000, mtime=0)
    name = hashlib.sha256(large).hexdigest()
    nights.put(f"snapshots/{name}", large)
    nights.put("pointer", json.dumps({"version": 1, "kept": [kept_of(name)]}).encode())
    result, again = nights.build()
    assert [line.partition(": ")[2] for line in result.problems][0].startswith("the state in S3 is damaged")
    nights.put(f"snapshots/{name}", b"x" * 20_000)
    nights.put("pointer", json.dumps({"version": 1, "kept": [kept_of(name)]}).encode())
    assert "the state in S3 is damaged" in nights.build()[0].problems[0]
    assert again == tree


def kept_of(snapshot):
    return {"snapshot": snapshot, "store": "", "packs": []}


def test_three_snapshots_are_kept_and_nothing_that_none_of_them_names(nights):
    for number in range(6):
        nights.atlases.projects[0]["name"] = f"Edition {number}"
        nights.atlases.save()
        nights.build()
        kept = nights.pointer()["kept"]
        assert len(kept) == min(number + 1, 3)
        named = {f"snapshots/{one['snapshot']}" for one in kept} | {f"stores/{one['store']}" for one in kept}
        named |= {f"packs/{pack}" for one in kept for pack in one["packs"]}
        assert set(nights.keys()) == named | {"pointer", "lock"}
    nights.put("packs/not-ours", b"")
    nights.put("packs/" + "0" * 64, b"left behind by a run that was killed")
    nights.build()
    assert "packs/not-ours" in nights.keys()
    assert "packs/" + "0" * 64 not in nights.keys()


def test_if_old_parts_cannot_be_deleted_that_is_said_and_the_night_is_good(nights, s3):
    nights.build()
    nights.put("packs/" + "0" * 64, b"")
    s3.allowed = {"s3:ListBucket", "s3:GetObject", "s3:PutObject"}
    result, _ = nights.build()
    s3.allowed = None
    assert "the state is kept, but old parts of it stay as well" in result.problems[0]
    assert "AccessDenied" in result.problems[0]
    assert (len(result.problems), result.exit_code) == (1, 0)
    assert nights.build()[0].problems == []


def test_a_run_that_fails_keeps_what_it_learned(nights, monkeypatch):
    layout = nights.site / "layouts/base.mako"
    good = layout.read_text()
    layout.write_text("% if")
    with contextlib.suppress(HdashError):
        nights.build()
    layout.write_text(good)
    assert nights.keys("stores/")
    with app.open_state(app.Options(nights.site, None, None, nights.disk() / "cache")) as store:
        assert set(store.snapshots()) == {"HTA1", "HTA2"}
    assert nights.build()[1] == nights.clean(monkeypatch)


def test_what_could_not_be_brought_to_s3_is_on_the_disk_for_the_next_run(nights, s3):
    disk = nights.disk()
    nights.build(disk)
    nights.atlases.projects[0]["name"] = "Another name"
    nights.atlases.save()
    s3.fault = lambda r: Fault(403, "AccessDenied") if r.kind == "PUT" and "/stores/" in r.key else None
    with pytest.raises(AwsError, match=r"/stores/.* this is not allowed to us"):
        nights.build(disk)
    s3.fault = lambda r: None
    result, tree = nights.build(disk)
    assert result.ran == []
    assert nights.build()[1] == tree


def test_a_state_on_disk_is_taken_to_s3_when_that_is_first_named(nights, monkeypatch):
    disk = nights.disk()
    with monkeypatch.context() as alone:
        alone.delenv("HDASH_STATE_URL")
        nights.build(disk)
    assert nights.build(disk)[0].ran == []
    assert nights.build()[0].ran == []


def test_a_state_on_disk_that_another_run_went_past_is_replaced(nights, monkeypatch):
    disk = nights.disk()
    nights.build(disk)
    nights.atlases.projects[0]["name"] = "Another name"
    nights.atlases.save()
    nights.build()
    result, tree = nights.build(disk)
    assert result.ran == []
    assert tree == nights.clean(monkeypatch)
    shutil.rmtree(disk / "public")
    (disk / "cache/state.db").write_bytes(b"damaged")
    result, tree = nights.build(disk)
    assert (result.ran, result.problems) == ([], [])


def test_the_lock_in_a_file_from_another_machine_is_no_living_run(nights):
    """Two machines that mount one cache in turn: S3 says who is at work."""
    disk = nights.disk()
    nights.build(disk)
    sql("INSERT INTO hdash_lock VALUES ('run', 'other', 1, '', '2026-01-01 02:00:00 UTC', 't')")(
        disk / "cache/state.db"
    )
    assert nights.build(disk)[0].exit_code == 0


def test_a_run_that_was_overtaken_changes_nothing(nights, monkeypatch):
    """Both have read the pointer; the second to commit finds another, whatever it believes of the lock."""
    nights.build()
    nights.atlases.projects[0]["name"] = "Another name"
    nights.atlases.save()
    with pytest.raises(StateError) as caught:
        with app.open_state(app.Options(nights.site, None, None, nights.disk() / "cache")) as store:
            store.note_run("1", "2", "done", {})
            nights.delete("lock")
            nights.build()
            theirs = {key: nights.s3.object(nights.bucket, PREFIX + key).body for key in nights.keys()}
    said = f"s3://{nights.bucket}/{PREFIX}pointer: another run changed the state meanwhile"
    assert str(caught.value).startswith(said)
    assert all(nights.s3.object(nights.bucket, PREFIX + key).body == body for key, body in theirs.items())
    result, tree = nights.build()
    assert result.ran == []
    assert tree == nights.clean(monkeypatch)


def test_a_run_that_lost_its_lease_writes_nothing_more(nights, s3):
    nights.build()
    remote = where.remote(s3.environ() | {"HDASH_STATE_URL": f"s3://{nights.bucket}/{PREFIX}"}, 1.0)
    before = nights.pointer()
    with pytest.raises(StateError, match="the lock was lost: it was not renewed in time; build again"):
        with opened(nights.disk(), None, remote) as store:
            store.note_run("1", "2", "done", {})
            s3.fault = lambda r: Fault(403, "AccessDenied") if r.kind == "PUT" and "lock" in r.key else None
            time.sleep(1.2)
            with pytest.raises(StateError, match="the lock was lost"):
                store.note_run("1", "2", "done", {})
    assert nights.pointer() == before
    s3.fault = lambda r: None
    assert nights.build()[0].ran == []


def test_while_one_works_another_is_told_who(nights):
    with app.open_state(app.Options(nights.site, None, None, nights.disk() / "cache")):
        with pytest.raises(LockedError, match=r"lock: another run \(process \d+ on .*\) is at work since 20"):
            nights.build()


def test_init_reset_and_clean_do_in_s3_what_they_do_on_disk(nights, capsys):
    disk = nights.disk()
    options = app.Options(nights.site, nights.atlases.folder, disk / "public", disk / "cache")
    assert app.place_of(options) == f"s3://{nights.bucket}/{PREFIX}"
    assert len(upkeep.init(options, None)) == 2
    first, tree = nights.build(disk)
    upkeep.reset(options._replace(cache=nights.disk() / "cache"))
    result, again = nights.build()
    assert (len(result.ran), again) == (len(first.ran), tree)
    gone = upkeep.clean(options)
    assert f"the state in s3://{nights.bucket}/{PREFIX}" in gone
    assert nights.keys() == ["lock"]
    assert worlds.tree(disk / "public") == {}
    assert list((disk / "cache").iterdir()) == []
    result, again = nights.build()
    assert (len(result.ran), again, result.problems) == (len(first.ran), tree, [])


def test_what_was_lost_is_said_by_every_command_that_takes_the_state_up(nights, capsys):
    nights.build()
    nights.put("pointer", b"")
    upkeep.reset(app.Options(nights.site, None, None, nights.disk() / "cache"))
    said = f"s3://{nights.bucket}/{PREFIX}pointer: the state in S3 is damaged; what was in it is made again"
    assert capsys.readouterr().err == f"hdash-site: {said}\n"
    nights.put("pointer", b"")
    upkeep.status(app.Options(nights.site, None, None, nights.disk() / "cache"))
    (nights.site / "layouts/base.mako").write_text("% if")
    with contextlib.suppress(HdashError):
        nights.build()


def test_nothing_in_s3_and_no_error_holds_a_secret(nights, s3):
    nights.build()
    s3.fault = lambda r: Fault(403, "SignatureDoesNotMatch")
    with pytest.raises(AwsError) as caught:
        nights.build()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    everything = b"".join(stored.body for stored in s3.objects(nights.bucket).values())
    everything += b"".join(
        gzip.decompress(s.body) for s in s3.objects(nights.bucket).values() if s.body[:2] == b"\x1f\x8b"
    )
    assert b"Atlas HTA1" in everything
    assert SECRET.encode() not in everything
