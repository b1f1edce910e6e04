"""Caches and states that somebody else wrote: no code of theirs runs, no other file is touched."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import random
import shutil
import sqlite3
import subprocess
import sys

import pytest

from hdash_site import app, upkeep
from hdash_site.errors import HdashError, StateError
from hdash_site.state import disk, untrusted
from hdash_site.state.blobs import Blobs
from tests import worlds
from tests.chance import TEXTS

LARGE = b"large " * 10_000
VALUES = [b"small", b"", LARGE, *(f"value {number}".encode() for number in range(20))]
DIGESTS = {hashlib.sha256(value).hexdigest(): value for value in VALUES}


@pytest.fixture
def folder(tmp_path):
    """Return the folder of a cache; outside of it is a file that nothing may change."""
    (tmp_path / "outside/ab/cd").mkdir(parents=True)
    (tmp_path / "outside/precious").write_bytes(b"precious")
    (tmp_path / f"outside/ab/cd/{'0' * 28}.val").write_bytes(LARGE)
    folder = tmp_path / "cache/blobs"
    fill(folder)
    return folder


def fill(folder):
    blobs = Blobs(folder)
    for value in VALUES:
        blobs.keep(value)
    blobs.close()


def outside(folder):
    top = folder.parents[1]
    return {
        str(path.relative_to(top)): path.read_bytes() if path.is_file() else path.is_dir()
        for path in top.rglob("*")
        if "cache/blobs" not in str(path)
    }


@contextlib.contextmanager
def untouched(folder):
    before = outside(folder)
    yield
    assert outside(folder) == before


def sql(folder, *statements):
    with contextlib.closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as database:
        for statement in statements:
            database.execute(*statement) if isinstance(statement, tuple) else database.execute(statement)


def use(folder):
    """Do all that a run does with a cache; return its problems."""
    blobs = Blobs(folder)
    for digest, value in DIGESTS.items():
        assert blobs.load(digest) in (value, None)
    assert {len(key) for key in blobs._stored} <= {64}
    for digest, value in DIGESTS.items():
        assert blobs.keep(value) == digest
    blobs.flush()
    blobs.sweep({*list(DIGESTS)[:5]}, [*DIGESTS])
    blobs.close()
    problems = blobs.problems
    for _ in range(3):  # damage to an index may show when values are deleted, or when it is used once more
        again = Blobs(folder)
        found = [again.load(digest) for digest in list(DIGESTS)[:5]]
        problems = problems or again.problems
        if found == VALUES[:5]:
            break
        assert problems
        for value in VALUES:
            again.keep(value)
        again.close()
    else:
        raise AssertionError("the cache keeps nothing")
    again.close()
    return problems


class Bomb:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return os.mkdir, (str(self.witness),)


def a_pickled_key(folder):
    bomb = pickle.dumps(Bomb(folder.parents[1] / "outside/witness"))
    sql(folder, ("INSERT INTO Cache (key, raw, mode, value) VALUES (?, 0, 1, x'00')", (bomb,)))


def a_pickled_value(folder):
    sql(
        folder, ("UPDATE Cache SET mode = 4, value = ?", (pickle.dumps(Bomb(folder.parents[1] / "witness")),))
    )


def a_file_name(name):
    def poison(folder):
        sql(folder, ("UPDATE Cache SET mode = 2, value = NULL, filename = ?", (name,)))

    return poison


def an_expired_file_name(folder):
    sql(folder, "UPDATE Cache SET expire_time = 1, filename = '../../outside/precious'")


def an_absolute_file_name(folder):
    sql(folder, ("UPDATE Cache SET filename = ?", (str(folder.parents[1] / "outside/precious"),)))


def a_setting(key, value):
    def poison(folder):
        sql(folder, ("INSERT OR REPLACE INTO Settings VALUES (?, ?)", (key, value)))

    return poison


def a_setting_that_names_another_folder(folder):
    sql(folder, ("INSERT INTO Settings VALUES ('disk__directory', ?)", (str(folder.parents[1] / "outside"),)))


def a_trigger(folder):
    sql(folder, "CREATE TRIGGER t AFTER INSERT ON Cache BEGIN DELETE FROM Cache; END")


def an_endless_view(folder):
    endless = (
        "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x FROM n) SELECT x AS key, x AS value FROM n"
    )
    sql(folder, "DROP TABLE Settings", f"CREATE VIEW Settings AS {endless}")


def a_virtual_table(folder):
    sql(folder, "DROP TABLE Settings", "CREATE VIRTUAL TABLE Settings USING fts4 (key, value)")


def a_default_that_costs(folder):
    sql(folder, "ALTER TABLE Cache ADD COLUMN more DEFAULT (1)")


def linked_folders(folder):
    for path in folder.glob("??"):
        for file in path.rglob("*.val"):
            file.unlink()
        path.rename(path.with_name(f"moved {path.name}"))
    for number in range(256):
        (folder / f"{number:02x}").symlink_to(folder.parents[1] / "outside/ab", target_is_directory=True)
    sql(folder, f"UPDATE Cache SET filename = 'ab/cd/{'0' * 28}.val' WHERE filename IS NOT NULL")


def a_linked_file(folder):
    [file] = folder.rglob("*.val")
    file.unlink()
    file.symlink_to("/dev/zero")


def a_pipe(folder):
    [file] = folder.rglob("*.val")
    file.unlink()
    os.mkfifo(file)


def a_file_that_is_too_large(folder):
    [file] = folder.rglob("*.val")
    os.truncate(file, 1 << 40)


def a_linked(name):
    def poison(folder):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(folder.parents[1] / "outside/precious")

    return poison


def a_journal_that_names_another_file(folder):
    """A hot journal with the name of a master journal, which SQLite deletes when it rolls back."""
    name = os.fsencode(folder.parents[1] / "outside/precious")
    sql(folder, "PRAGMA journal_mode = delete")
    page_size, pages = 4096, (folder / "cache.db").stat().st_size // 4096
    numbers = (0, 0, pages, 512, page_size)
    start = untrusted._JOURNAL + b"".join(number.to_bytes(4, "big") for number in numbers)
    end = (page_size and (1 << 30) // page_size + 1).to_bytes(4, "big") + name
    end += len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big") + untrusted._JOURNAL
    (folder / "cache.db-journal").write_bytes(start.ljust(512, b"\0") + end)


def a_format_nobody_knows(folder):
    with (folder / "cache.db").open("r+b") as file:
        file.seek(18)
        file.write(b"\x07")


POISONS = [
    a_pickled_key,
    a_pickled_value,
    a_file_name("../../outside/precious"),
    a_file_name(f"../../outside/ab/cd/{'0' * 28}.val"),
    a_file_name("ab/cd/\0.val"),
    a_file_name(b"\xff\xfe"),
    a_file_name(12),
    a_file_name(None),
    an_expired_file_name,
    an_absolute_file_name,
    a_setting("get", "x"),
    a_setting("_directory", "/tmp"),
    a_setting("sqlite_writable_schema", 1),
    a_setting("sqlite_cache_size", "1; DROP TABLE Cache"),
    a_setting("eviction_policy", "nonsense"),
    a_setting("disk_x", 1),
    a_setting("count", "x"),
    a_setting("size", b"\xff"),
    a_setting(b"\xff", 1),
    a_setting_that_names_another_folder,
    a_trigger,
    an_endless_view,
    a_virtual_table,
    a_default_that_costs,
    linked_folders,
    a_linked_file,
    a_pipe,
    a_file_that_is_too_large,
    a_linked("cache.db"),
    a_linked("cache.db-wal"),
    a_linked("cache.db-shm"),
    a_linked("cache.db-journal"),
    a_journal_that_names_another_file,
    a_format_nobody_knows,
]


def name_of(poison):
    inner = [str(cell.cell_contents) for cell in poison.__closure__ or ()]
    return " ".join([poison.__qualname__.split(".")[0], *inner]).replace("\0", "NUL")


@pytest.mark.parametrize("poison", POISONS, ids=name_of)
def test_a_poisoned_cache_is_replaced_by_an_empty_one_and_nothing_outside_of_it_is_touched(folder, poison):
    poison(folder)
    with untouched(folder):
        [problem] = use(folder)
    assert problem.startswith(f"{folder}: the blob cache was damaged (")
    assert "\n" not in problem


@pytest.mark.parametrize("poison", POISONS, ids=name_of)
def test_a_reader_leaves_a_poisoned_cache_alone(folder, poison):
    poison(folder)
    before = sorted(folder.rglob("*"))
    with untouched(folder):
        try:
            blobs = Blobs(folder, mends=False)
            for digest, value in DIGESTS.items():
                assert blobs.load(digest) in (value, None)
            blobs.close()
        except StateError as error:
            assert "the blob cache is damaged" in str(error)  # noqa: PT017
    assert {*before} - {*folder.rglob("*")} <= {
        folder / f"cache.db-{end}" for end in ("wal", "shm", "journal")
    }
    shutil.rmtree(folder)  # one of them is very large


def test_a_sound_cache_is_used_as_it_is(folder):
    with untouched(folder):
        assert use(folder) == []


def test_what_diskcache_makes_is_what_a_cache_is_compared_with(folder):
    with contextlib.closing(sqlite3.connect(folder / "cache.db")) as database:
        schema = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    assert disk._digest(schema) == disk._SCHEMA
    assert {*schema} == {*disk._fresh_schema()}


def test_a_cache_that_was_cut_off_when_it_was_made_is_used(folder):
    for trigger in ("Settings_count_insert", "Settings_size_delete"):
        sql(folder, f"DROP TRIGGER {trigger}")
    assert use(folder) == []


@pytest.mark.parametrize("seed", range(max(4, TEXTS // 40)))
def test_whatever_bytes_of_a_cache_are_altered_its_values_are_right_or_lost(folder, seed):
    luck = random.Random(seed)
    sql(folder, "PRAGMA wal_checkpoint(TRUNCATE)")
    sound = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for _ in range(5):
        path = luck.choice([*sound, folder / "cache.db", folder / "cache.db"])
        data = bytearray(sound[path])
        for _ in range(luck.choice([1, 1, 3, 50])):
            data[luck.randrange(min(len(data), luck.choice([100, 4096, len(data)])))] = luck.choice(
                [0, 1, 255, luck.randrange(256)]
            )
        if luck.random() < 0.2:
            data = data[: luck.randrange(len(data))]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        with untouched(folder):
            use(folder)
        for beside in folder.glob("cache.db-*"):
            beside.unlink()
        for path, data in sound.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def state(site, *statements):
    """Change a state by hand; return what the last statement finds."""
    with contextlib.closing(sqlite3.connect(site / "cache/state.db", isolation_level=None)) as database:
        for statement in statements:
            found = (
                database.execute(*statement) if isinstance(statement, tuple) else database.execute(statement)
            )
        return found.fetchall()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    site, atlases = worlds.site_folder(folder / "site"), worlds.small(folder / "site/atlases")
    worlds.build(site, atlases.folder)
    return folder


@pytest.fixture
def site(built, tmp_path):
    shutil.copytree(built / "site", tmp_path / "site", symlinks=True)
    return tmp_path / "site"


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER odd AFTER UPDATE ON hdash_lock BEGIN DELETE FROM hdash_edition; END",
        "CREATE VIEW hdash_more AS SELECT 1",
        "CREATE VIRTUAL TABLE hdash_more USING fts4 (x)",
    ],
)
def test_a_state_with_statements_of_somebody_else_is_refused_and_kept(site, statement):
    state(site, statement)
    before = state(site, "SELECT * FROM hdash_edition")
    with pytest.raises(StateError, match=r'the state database is damaged \(it holds the .* "') as caught:
        worlds.build(site, site / "atlases")
    assert "restore the newest copy" in str(caught.value)
    assert state(site, "SELECT * FROM hdash_edition") == before


def test_a_journal_of_the_state_that_names_another_file_deletes_nothing(site, tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (site / "cache/state.db-journal").write_bytes(b"x" * 512 + untrusted._JOURNAL)
    with pytest.raises(StateError, match="its journal names another file"):
        worlds.build(site, site / "atlases")
    assert precious.exists()


@pytest.mark.parametrize("table", ["hdash_publication", "hdash_deletion"])
@pytest.mark.parametrize("name", ["../precious", "news/../../precious", "/{}/precious", "", "a//b", "."])
def test_a_path_out_of_the_site_is_never_deleted(site, tmp_path, table, name):
    precious = tmp_path / "site/precious"
    precious.write_bytes(b"precious")
    name = name.format(tmp_path / "site")
    mirror = hashlib.sha256(str(site / "public").encode()).hexdigest()
    more = ("'d', '', ''",) if table == "hdash_publication" else ("'2026-01-01T00:00:00+00:00', 9",)
    state(site, (f"INSERT INTO {table} VALUES ('odd', ?, ?, {more[0]})", (mirror, name)))
    tree = worlds.tree(site / "public")
    result = worlds.build(site, site / "atlases")
    assert result.exit_code == 0
    if table == "hdash_publication":
        assert f"{site}/public: ignored 1 rows of the state that name no file below it" in result.problems
    assert worlds.tree(site / "public") == tree
    upkeep.clean(app.Options(site))
    assert precious.exists()


NONSENSE = [
    5,
    5.5,
    b"\xff\xfe",
    "",
    '"',
    "\\",
    "[]",
    "{}",
    "null",
    "[[[",
    "../../x",
    "x" * 99,
    '{"a":5}',
    "[5]",
    "-1",
]


@pytest.mark.parametrize("seed", range(max(6, TEXTS // 40)))
def test_rows_of_somebody_else_lead_to_the_same_site_or_to_one_line(site, seed):
    luck = random.Random(seed)
    tree = worlds.tree(site / "public")
    sound = (site / "cache/state.db").read_bytes()
    columns = state(
        site, "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    )
    columns = [
        (table, column) for table, column in columns if table not in ("hdash_migration", "sqlite_sequence")
    ]
    for _ in range(3):
        (site / "cache/state.db").write_bytes(sound)
        for end in ("-wal", "-shm"):
            (site / f"cache/state.db{end}").unlink(missing_ok=True)
        for table, column in luck.sample(columns, luck.choice([1, 1, 3])):
            with contextlib.suppress(sqlite3.IntegrityError):  # a key of that kind is there twice
                state(site, (f'UPDATE OR REPLACE {table} SET "{column}" = ?', (luck.choice(NONSENSE),)))
        for action in (
            lambda: upkeep.status(app.Options(site)),
            lambda: worlds.build(site, site / "atlases"),
            lambda: upkeep.history(app.Options(site)),
        ):
            try:
                action()
            except HdashError as error:
                assert "\n" not in str(error)  # noqa: PT017
    (site / "cache/state.db").write_bytes(sound)
    for end in ("-wal", "-shm"):
        (site / f"cache/state.db{end}").unlink(missing_ok=True)
    assert worlds.build(site, site / "atlases").exit_code == 0
    assert worlds.tree(site / "public") == tree


def test_to_check_a_file_takes_no_lock_away_from_this_process(site):
    """A process that closes a file of SQLite loses its locks on it: another one would write beside it."""
    file = site / "cache/blobs/cache.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as ours:
        ours.execute("BEGIN IMMEDIATE")
        disk.check_cache(file.parent, 1)
        untrusted.check_file(site / "cache/state.db")
        tried = f"import sqlite3; sqlite3.connect({str(file)!r}, timeout=0).execute('BEGIN IMMEDIATE')"
        done = subprocess.run([sys.executable, "-c", tried], capture_output=True, text=True, check=False)
    assert "database is locked" in done.stderr
