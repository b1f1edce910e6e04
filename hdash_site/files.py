"""Files on disk: telling cheaply whether one changed.

A *look* remembers what a file was when it was last read: its stat and the digest of its content. An
equal stat saves the reading, unless the file was touched within the clock's grain of that look: then a
second change could have left the same stat, and the content is read again.
"""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Callable, Mapping
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

FINE_GRAIN_NS = 20_000_000
"""File clocks tick with the kernel, every 10 ms at the slowest."""

COARSE_GRAIN_NS = 2_000_000_000
"""Some file systems keep whole seconds, FAT every other one."""


UNFINISHED = ".hdash-"
"""How the names of files begin that are being written."""


class Stat(NamedTuple):
    """What must change when a content changes. The change time cannot be set back by a program."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int


class Look(NamedTuple):
    """A file when it was last read. `seen_ns`: nanoseconds since 1970, taken before the reading."""

    stat: Stat
    seen_ns: int
    digest: str

    def still_holds(self, now: Stat) -> bool:
        coarse = now.modified_ns % 1_000_000 == 0 and now.changed_ns % 1_000_000 == 0
        grain = COARSE_GRAIN_NS if coarse else FINE_GRAIN_NS
        return now == self.stat and max(now.modified_ns, now.changed_ns) < self.seen_ns - grain


def stat_of(found: os.stat_result) -> Stat:
    return Stat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _digest_of(file: BufferedReader) -> tuple[str, None]:
    return hashlib.file_digest(file, "sha256").hexdigest(), None


def _digest_and_content(file: BufferedReader) -> tuple[str, bytes]:
    data = file.read()
    return hashlib.sha256(data).hexdigest(), data


class Looks:
    """The looks of earlier runs, which `remember` gives when they are first wanted, and those of this one."""

    def __init__(self, remember: Callable[[], Mapping[str, Look]]) -> None:
        self._remember = remember
        self.fresh: dict[str, Look] = {}

    @functools.cached_property
    def _earlier(self) -> Mapping[str, Look]:
        return self._remember()

    def recall(self) -> Looks:
        """Remember the looks of earlier runs here and now: a state answers the thread that opened it."""
        _ = self._earlier
        return self

    def of(self, path: str | Path) -> Look | None:
        """Return the last look at a file, if there was one."""
        name = os.fspath(path)
        return self.fresh.get(name) or self._earlier.get(name)

    def digest(self, path: str | Path, found: os.stat_result | None = None) -> str:
        """Give the sha-256 of a file's content; raises `OSError`."""
        return self._look(os.fspath(path), found, _digest_of)[0]

    def read(self, name: str, found: os.stat_result) -> tuple[str, bytes | None]:
        """Give the sha-256 of a file, and its content if that had to be read; raises `OSError`."""
        return self._look(name, found, _digest_and_content)

    def _look(
        self,
        name: str,
        found: os.stat_result | None,
        take: Callable[[BufferedReader], tuple[str, bytes | None]],
    ) -> tuple[str, bytes | None]:
        """Give what `take` gives of a file; the digest alone of one that is as it was at an earlier look."""
        seen = time.time_ns()
        stat = stat_of(found or os.stat(name))  # noqa: PTH116 - called for thousands of plain strings
        look = self.of(name)
        if look and look.still_holds(stat):
            return look.digest, None
        with open(name, "rb") as file:  # noqa: PTH123
            digest, data = take(file)
        self.fresh[name] = Look(stat, seen, digest)
        return digest, data

    def note(self, path: str | Path, digest: str, written: Stat) -> None:
        """Remember a file that we wrote, if it still is as we left it."""
        name = os.fspath(path)
        now = stat_of(os.stat(name))  # noqa: PTH116
        if now == written:
            self.fresh[name] = Look(now, time.time_ns(), digest)


def make_folder(path: Path) -> None:
    """Make a folder that everybody may read, like the files in it, whatever the umask says."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        path.chmod(0o755)
