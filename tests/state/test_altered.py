"""Packs and states that are altered byte by byte: the same bytes come back, or they are lost and said."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import tracemalloc

import pytest

from hdash_site.engine.model import Key, Trace
from hdash_site.errors import HdashError
from hdash_site.state import packs
from hdash_site.state.store import opened
from tests import databases
from tests.chance import TEXTS

VALUES = [b"", b"a", b"value " * 2000, random.Random(1).randbytes(5000), b"last"]
NAMED = {hashlib.sha256(value).hexdigest(): value for value in VALUES}


def altered(luck, data):
    """Return the data with bits turned, bytes put in, taken out or replaced, cut off, or made longer."""
    result = bytearray(data)
    for _ in range(luck.choice([1, 1, 2, 9])):
        place = luck.randrange(len(result) + 1)
        match luck.randrange(6):
            case 0 if result:
                result[place % len(result)] ^= 1 << luck.randrange(8)
            case 1:
                result[place:place] = luck.randbytes(luck.randint(1, 9))
            case 2:
                del result[place : place + luck.randint(1, 9)]
            case 3:
                result[place : place + 8] = luck.choice([b"\0" * 8, b"\xff" * 8, b"\0" * 7 + b"\x01"])
            case 4:
                del result[place:]
            case _:
                result += luck.choice([b"\0" * 99, luck.randbytes(9), bytes(data)])
    return bytes(result)


def test_an_altered_pack_gives_the_same_blobs_or_none():
    [(pack, index)] = packs.made(NAMED, NAMED.__getitem__)
    plain = gzip.decompress(pack)
    listed = json.dumps(index).encode()
    luck = random.Random(3)
    refused = 0
    for _ in range(10 * TEXTS):
        data, its_index = pack, listed
        match luck.randrange(3):
            case 0:
                data = altered(luck, pack)
            case 1:
                data = gzip.compress(altered(luck, plain), 1)
            case _:
                its_index = altered(luck, listed)
        try:
            found = dict(packs.blobs(data, packs.index_of(json.loads(its_index))))
        except (ValueError, TypeError, AttributeError, RecursionError):
            refused += 1
        else:
            assert found.items() <= NAMED.items()
    assert refused > TEXTS


@pytest.mark.parametrize("most", [100, 1 << 20])
def test_what_unpacks_to_more_than_allowed_takes_no_more_memory_than_that(most):
    bomb = gzip.compress(b"\0" * (64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="too large"):
            packs.opened(bomb, most)
        with pytest.raises(ValueError, match="than the index"):
            list(packs.blobs(bomb, {"0" * 64: most}))
        assert tracemalloc.get_traced_memory()[1] < 8 * most + (1 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("seed", range(max(2, TEXTS // 150)))
def test_altered_rows_of_packs_are_lost_and_said_and_kept_again(tmp_path, on_a_server, seed):
    luck = random.Random(seed)

    def run(disk):
        with opened(tmp_path / disk, on_a_server) as store:
            loaded = {digest: store.load(digest) for digest in NAMED}
            for value in VALUES:
                store.keep(value)
        return loaded, store.problems

    with opened(tmp_path / "first", on_a_server) as store:
        for value in VALUES:
            store.keep(value)
        store.record(Key("page", "x"), Trace("r", (), {digest: digest for digest in NAMED}))
        store.commit()
    for number in range(3):
        database = databases.servers.database(on_a_server)
        database.connect()
        before = list(database.execute_sql("SELECT hash, data FROM hdash_pack ORDER BY hash").fetchall())
        name, data = luck.choice(before)
        change = luck.choice([*["data = %s"] * 3, "kind = 'index'", "pack = 'odd'", "part = 7"])
        values = (altered(luck, bytes(data)),) if "%s" in change else ()
        database.execute_sql(f"UPDATE hdash_pack SET {change} WHERE hash = %s", (*values, name))
        database.close()
        loaded, problems = run(f"{number}")
        assert all(data in (NAMED[digest], None) for digest, data in loaded.items())
        assert problems or None not in loaded.values()
        assert len(problems) <= 3
        assert all("\n" not in problem for problem in problems)
        assert run(f"again {number}") == (NAMED, [])


@pytest.mark.parametrize("seed", range(max(3, TEXTS // 60)))
def test_altered_objects_of_a_state_in_s3_lead_to_the_same_site_or_to_one_line(nights, begun, seed):
    luck = random.Random(seed)
    keys = sorted(nights.all().keys() - {"lock"})
    for key in luck.sample(keys, min(len(keys), luck.choice([1, 1, 2, 9]))):
        nights.put(key, altered(luck, nights.get(key)))
    try:
        result, tree = nights.build()
    except HdashError as error:
        assert re.search(r"^[^\n]* was written by a newer version[^\n]*$", str(error))  # noqa: PT017
        return  # one digit of the pointer is enough
    assert (tree, result.exit_code) == (begun.trees[1], 0)
    assert all("\n" not in problem for problem in result.problems)
    again, tree = nights.build()
    assert (again.ran, again.problems, tree) == ([], [], begun.trees[1])
