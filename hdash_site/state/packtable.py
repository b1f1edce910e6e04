"""Blobs in a table of the server that has the rows, for runs that begin with an empty disk and have no S3.

They are in packs (see `packs`), each cut into parts that fit into the smallest packets of servers. A pack is
written in one transaction with its index. What was lost or damaged is said, and made again by the build.
"""

# pyright: basic
# Peewee comes without types.

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hdash_site.state import archive, models, packs, rows
from hdash_site.state.blobs import Blobs
from hdash_site.state.lock import Held
from hdash_site.state.models import hash_of
from hdash_site.state.orm import peewee
from hdash_site.state.packs import Index
from hdash_site.state.where import Where

PART_BYTES = 384 << 10
"""Bytes in a row: escaped they may be twice as many, and a packet may be limited to 1 MB."""

_AGAIN = "what was in it is made again"


class PackTable:
    """The packs of the connected database. `problems`: lines on what was lost."""

    def __init__(self, at: Where, held: Held) -> None:
        self.problems: list[str] = []
        self._at, self._held = at, held
        self._known: dict[str, Index] | None = None
        self._damaged: set[str] = set()
        self._lacking = False

    def fetch(self, named: Iterable[str], blobs: Blobs) -> None:
        """Get those blobs that the disk does not have, and what is in the same packs."""
        missing = {digest for digest in named if digest not in blobs}
        if not missing:
            return
        for name in [name for name, index in self._packs().items() if not missing.isdisjoint(index)]:
            try:
                data = self._data(name, "blobs")
                for digest, blob in packs.blobs(data, self._packs()[name]):
                    missing.discard(digest)
                    if digest not in blobs:
                        blobs.keep(blob)
            except ValueError:
                self._tell(name)
        blobs.flush()
        if missing:
            self._lacking = True
            self.problems.append(
                f"{self._at}: the bytes of {len(missing)} values are neither on this disk nor in the"
                " database; this run makes or downloads them again"
            )

    def behind(self) -> bool:
        """Return whether blobs are missing that no change of this run explains."""
        query = models.Pack.select(models.Pack.part).limit(1)
        return self._lacking or bool(self._damaged) or not self._held.again(lambda: models.rows(query))

    def push(self, named: Iterable[str], blobs: Blobs, check: Callable[[], None]) -> None:
        """Write the blobs that are new, and delete the packs that are mostly dead."""
        check()
        blobs.flush()
        known = self._packs()
        kept, new = packs.plan(known, named, blobs)
        for data, index in packs.made(new, blobs.load):
            name = hashlib.sha256(data).hexdigest()
            self._write(name, data, index)
            kept[name] = index
        gone = [*(known.keys() - kept.keys()), *(self._damaged - kept.keys())]
        self._delete(gone)
        self._known = kept

    def erase(self, check: Callable[[], None]) -> None:
        """Delete all packs."""
        check()
        self._held.write(lambda: models.Pack.delete().execute())
        self._known = {}

    def _packs(self) -> dict[str, Index]:
        """Return the index of each pack."""
        if self._known is None:
            table = models.Pack
            self._known = {}
            query = table.select(table.pack).distinct()
            names = [name for (name,) in self._held.again(lambda: models.rows(query))]
            for name in sorted(names):
                try:
                    self._known[name] = packs.index_of(self._index(name))
                except (ValueError, TypeError, AttributeError, OSError, EOFError, zlib.error, RecursionError):
                    self._tell(name)
        return self._known

    def _index(self, name: str) -> Any:
        return json.loads(packs.opened(self._data(name, "index", packs.INDEX_BYTES), packs.INDEX_BYTES))

    def _data(self, name: str, kind: str, most: int = packs.MOST_PACKED) -> bytes:
        """Return the parts of a pack in one; raises `ValueError` if they have more bytes than `most`."""
        table = models.Pack
        of_pack = (table.pack == name) & (table.kind == kind)
        size = table.select(peewee.fn.SUM(peewee.fn.OCTET_LENGTH(table.data))).where(of_pack)
        query = table.select(table.data).where(of_pack).order_by(table.part)
        if (self._held.again(lambda: models.rows(size))[0][0] or 0) > most:
            raise ValueError("too large")
        return b"".join(bytes(data) for (data,) in self._held.again(lambda: models.rows(query)))

    def _write(self, name: str, data: bytes, index: Index) -> None:
        indexed = gzip.compress(json.dumps(index).encode(), mtime=0)
        parts = [*_parts(name, "blobs", data), *_parts(name, "index", indexed)]
        columns = ["hash", "pack", "kind", "part", "data"]

        def write() -> None:
            models.Pack.delete().where(models.Pack.pack == name).execute()
            # An altered row has the key of a part, and is none of a pack that we know.
            rows.delete(models.Pack, [key for key, *_ in parts])
            archive.insert(models.database.obj, "hdash_pack", columns, parts)

        self._held.write(write)

    def _delete(self, names: Iterable[str]) -> None:
        for name in names:
            query = models.Pack.delete().where(models.Pack.pack == name)
            self._held.write(query.execute)

    def _tell(self, name: str) -> None:
        if self._known:
            self._known.pop(name, None)
        self._damaged.add(name)
        self.problems.append(f"{self._at}: pack {name[:12]} in hdash_pack is damaged or incomplete; {_AGAIN}")


def _parts(name: str, kind: str, data: bytes) -> Iterator[tuple[Any, ...]]:
    for number, start in enumerate(range(0, len(data), PART_BYTES)):
        yield hash_of(name, kind, str(number)), name, kind, number, data[start : start + PART_BYTES]
