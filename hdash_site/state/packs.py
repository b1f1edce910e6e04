"""Blobs, many to an object: a state has thousands of them, and each request costs time and money.

A pack is never changed. One that is mostly dead is left behind, and what lives of it is written anew; so at
most as many bytes are dead as alive. Small ones are joined from time to time; so there are few.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

Index: TypeAlias = Mapping[str, int]
"""The blobs of a pack: sha-256 and number of bytes."""

PACK_BYTES = 32 << 20
"""A pack is full when it holds so much; a larger blob has one for itself."""

SMALL_BYTES = PACK_BYTES // 4
MOST_SMALL = 8
"""Packs that hold less than that, before they are joined."""

MOST_BYTES = 1 << 30
"""No pack holds more, whatever its index says."""

MOST_PACKED = MOST_BYTES + (1 << 20)
"""No pack has more bytes: what cannot be compressed grows by less than a thousandth."""

INDEX_BYTES = 64 << 20
"""No index, and no list of them, is larger: it has about a hundred bytes for each blob."""

_LENGTH_BYTES = 8
_NAME = re.compile(r"[0-9a-f]{64}")


def plan(
    packs: Mapping[str, Index], named: Iterable[str], held: Container[str]
) -> tuple[dict[str, Index], list[str]]:
    """Give the packs that stay, and the blobs that are to be written into new ones, in the order of `named`.

    `packs`: those that are there; `named`: the blobs that live; `held`: those whose bytes we have.
    """
    alive = dict.fromkeys(named)
    living = {
        name: sum(size for digest, size in index.items() if digest in alive) for name, index in packs.items()
    }
    kept = {
        name: index
        for name, index in packs.items()
        if not alive.keys().isdisjoint(index) and 2 * living[name] >= sum(index.values())
    }
    new = _missing(alive, kept, held)
    small = [name for name in kept if living[name] < SMALL_BYTES]
    if new and len(small) >= MOST_SMALL:
        kept = {name: index for name, index in kept.items() if name not in small}
        new = _missing(alive, kept, held)
    return kept, new


def _missing(alive: Iterable[str], kept: Mapping[str, Index], held: Container[str]) -> list[str]:
    stored = {digest for index in kept.values() for digest in index}
    return [digest for digest in alive if digest not in stored and digest in held]


def made(digests: Iterable[str], load: Callable[[str], bytes | None]) -> Iterator[tuple[bytes, Index]]:
    """Give full packs one by one, each as bytes with its index; blobs that cannot be loaded are left out."""
    index: dict[str, int] = {}
    total = 0
    whole = io.BytesIO()
    stream = _compressing(whole)
    for digest in digests:
        data = load(digest)
        if data is None:
            continue
        if index and total + len(data) > PACK_BYTES:
            stream.close()
            yield whole.getvalue(), index
            index, total, whole = {}, 0, io.BytesIO()
            stream = _compressing(whole)
        stream.write(len(data).to_bytes(_LENGTH_BYTES, "big"))
        stream.write(data)
        index[digest] = len(data)
        total += len(data)
    stream.close()
    if index:
        yield whole.getvalue(), index


def opened(data: bytes, most: int) -> bytes:
    """Return what was compressed; raises `ValueError` if that was not it, or has more bytes than `most`."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            whole = stream.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not compressed: {error}") from error
    if len(whole) > most:
        raise ValueError("too large")
    return whole


def index_of(given: Any) -> Index:
    """Check an index that was read; raises `ValueError` if it is none."""
    index = {digest: size for digest, size in given.items() if _NAME.fullmatch(digest)}
    sound = len(index) == len(given) and all(type(size) is int and size >= 0 for size in index.values())
    if not sound or sum(index.values()) > MOST_BYTES:
        raise ValueError("no index")
    return index


def blobs(pack: bytes, index: Index) -> Iterator[tuple[str, bytes]]:
    """Give the blobs of a pack with their digests; raises `ValueError` if they are not those of the index."""
    left = dict(index)
    most = max(index.values(), default=0)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(pack)) as stream:
            while length := stream.read(_LENGTH_BYTES):
                # No more is read than the index allows, whatever the pack says.
                size = int.from_bytes(length, "big")
                data = stream.read(min(size, most))
                digest = hashlib.sha256(data).hexdigest()
                if left.pop(digest, None) != size:
                    raise ValueError("another blob than the index says")
                yield digest, data
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"no pack: {error}") from error
    if left:
        raise ValueError("fewer blobs than the index says")


def _compressing(whole: io.BytesIO) -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=whole, mode="wb", compresslevel=6, mtime=0)
