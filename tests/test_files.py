"""Looks at files: what an equal stat may save, and what it must not hide."""

from __future__ import annotations

import hashlib
import os
import time

from hdash_site.files import Look, Looks, stat_of


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def an_old_look(path, digest="remembered"):
    stat = stat_of(path.stat())
    earlier = {str(path): Look(stat, time.time_ns() + 10**10, digest)}
    return Looks(lambda: earlier)


def test_an_equal_stat_saves_the_reading(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    assert an_old_look(path).digest(path) == "remembered"


def test_a_look_within_the_clocks_grain_of_the_change_is_not_trusted(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    looks = Looks(dict)
    assert looks.digest(path) == sha(b"one")
    earlier = Looks(lambda: looks.fresh)
    stat = path.stat()
    look = earlier._earlier[str(path)]
    assert look.seen_ns - stat.st_ctime_ns < 20_000_000, "this test needs a file written just now"
    assert not look.still_holds(stat_of(stat))


def test_a_file_with_size_and_time_of_change_put_back_is_read_again(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    looks, stat = an_old_look(path), path.stat()
    time.sleep(0.03)
    path.write_bytes(b"two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert looks.digest(path) == sha(b"two")


def test_two_files_that_changed_places_are_read_again(tmp_path):
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_bytes(b"one")
    two.write_bytes(b"two")
    earlier = {**an_old_look(one)._earlier, **an_old_look(two)._earlier}
    looks = Looks(lambda: earlier)
    one.rename(tmp_path / "3")
    two.rename(one)
    (tmp_path / "3").rename(two)
    assert (looks.digest(one), looks.digest(two)) == (sha(b"two"), sha(b"one"))


def test_whole_seconds_are_taken_for_a_coarse_clock():
    stat = stat_of(os.stat_result((0,) * 10))._replace(modified_ns=10 * 10**9, changed_ns=10 * 10**9)
    assert not Look(stat, 11 * 10**9, "x").still_holds(stat)
    assert Look(stat, 13 * 10**9, "x").still_holds(stat)
