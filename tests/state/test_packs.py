"""Packs: what is put into them comes out; what was altered does not; few of them, and half of each alive."""

from __future__ import annotations

import gzip
import hashlib
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdash_site.state import packs


def named(*blobs):
    return {hashlib.sha256(data).hexdigest(): data for data in blobs}


def one(blobs):
    [(data, index)] = packs.made(blobs, blobs.get)
    return data, index


def test_blobs_come_back_in_their_order():
    blobs = named(b"", b"a", os.urandom(100_000), "é".encode() * 999)
    data, index = one(blobs)
    assert list(packs.blobs(data, index)) == list(blobs.items())
    assert index == {digest: len(data) for digest, data in blobs.items()}


def test_a_pack_is_the_same_for_the_same_blobs():
    blobs = named(b"a", b"b" * 1000)
    assert one(blobs)[0] == one(blobs)[0]


def test_pages_that_are_alike_take_little_room():
    pages = named(
        *(b"<h1>Atlas %d</h1>" % number + b"<p>the same on each page</p>" * 100 for number in range(50))
    )
    data, index = one(pages)
    assert len(data) < sum(index.values()) / 50


def test_a_full_pack_ends_and_a_large_blob_has_one_for_itself(monkeypatch):
    monkeypatch.setattr(packs, "PACK_BYTES", 100)
    blobs = named(b"1" * 60, b"2" * 30, b"3" * 30, b"4" * 500, b"5")
    made = [list(index.values()) for _, index in packs.made(blobs, blobs.get)]
    assert made == [[60, 30], [30], [500], [1]]


def test_a_blob_that_was_lost_is_left_out():
    blobs = named(b"a", b"b")
    gone = next(iter(blobs))
    [(_, index)] = packs.made(blobs, lambda digest: None if digest == gone else blobs[digest])
    assert gone not in index
    assert list(packs.made([gone], lambda _: None)) == []


def test_what_is_no_pack_or_another_is_refused():
    blobs = named(b"a" * 50, b"b" * 70)
    data, index = one(blobs)
    short = dict(list(index.items())[:1])
    bomb = gzip.compress((1 << 40).to_bytes(8, "big") + b"\0" * (64 << 20))
    others = [
        (b"", index),
        (b"nonsense", index),
        (data[:-9], index),
        (data[: len(data) // 2], index),
        (bytes([*data[:20], data[20] ^ 1, *data[21:]]), index),
        (data, short),
        (data, {**index, "0" * 64: 3}),
        (data, dict.fromkeys(index, 5)),
        (gzip.compress(b"abc"), index),
        (bomb, index),
    ]
    for altered, its_index in others:
        with pytest.raises(ValueError, match=r"no pack|than the index"):
            list(packs.blobs(altered, its_index))


def size(index, alive):
    return sum(bytes_ for digest, bytes_ in index.items() if digest in alive)


@given(st.integers(0, 10**9))
def test_over_many_nights_packs_are_few_and_hold_at_most_as_much_dead_as_alive(seed):
    """All that lives is in a pack after each night; what did not change is seldom sent again."""
    luck = random.Random(seed)
    blobs, there, sent, fresh = {}, {}, 0, 0
    for night in range(40):
        for digest in luck.sample(sorted(blobs), min(len(blobs), luck.randint(0, 3))):
            del blobs[digest]
        new = named(*(luck.randbytes(luck.randint(1, 400)) for _ in range(luck.randint(0, 4))))
        blobs |= new
        fresh += sum(map(len, new.values()))
        kept, write = packs.plan(there, blobs, blobs)
        if not new and kept == there:
            assert write == []
        made = list(packs.made(write, blobs.__getitem__))
        there = dict(kept) | {hashlib.sha256(data).hexdigest(): index for data, index in made}
        sent += sum(size(index, index) for _, index in made)
        stored = {digest for index in there.values() for digest in index}
        assert stored >= set(blobs)
        for index in there.values():
            assert size(index, index) <= 2 * size(index, blobs)
        assert len(there) <= packs.MOST_SMALL + 1, night
    assert sent <= 12 * fresh + 1


def test_packs_that_are_not_small_stay_when_small_ones_are_joined(monkeypatch):
    monkeypatch.setattr(packs, "SMALL_BYTES", 100)
    large = named(b"l" * 200)
    small = [named(bytes([number]) * 10) for number in range(packs.MOST_SMALL)]
    new = named(b"new")
    alive = dict(large)
    for each in small:
        alive |= each
    there = {"large": dict.fromkeys(large, 200)}
    there |= {f"small{number}": dict.fromkeys(each, 10) for number, each in enumerate(small)}
    assert packs.plan(there, alive, alive) == (there, [])
    kept, write = packs.plan(there, alive | new, alive | new)
    assert list(kept) == ["large"]
    assert set(write) == (set(alive) | set(new)) - set(large)
