"""Lost bytes that no recipe must make again: the site has its pages, the source what was crawled."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Iterator, Set
from pathlib import Path
from stat import S_ISREG

from hdash_site.engine.model import Digest
from hdash_site.errors import HdashError
from hdash_site.options import Options, cache_folder, output_folder
from hdash_site.snapshot import Snapshot, blobs_of
from hdash_site.sources.crawl import Source, recovered
from hdash_site.state.store import Store


def mended(
    store: Store,
    lost: Set[Digest],
    options: Options,
    snapshots: Collection[Snapshot],
    source: Source | None,
) -> Set[Digest]:
    """Keep again what can be had without a recipe; return what is still lost and a recipe can make.

    What happened is added to the problems of the store.
    """
    if not lost:
        return lost
    left = set(lost)
    left.difference_update(_in_folder(store, lost, output_folder(options)))
    crawled = left.intersection(blobs_of(snapshots))
    why = ""
    try:
        for data in recovered(source, snapshots, crawled) if source and crawled else ():
            crawled.discard(store.keep(data))
    except HdashError as error:
        why = f" ({error})"
    if not store.problems:  # else it was said how they were lost
        said = f"the bytes of {len(lost)} values were lost; this run makes or downloads them again"
        store.problems.append(f"{cache_folder(options) / 'blobs'}: {said}")
    if crawled:
        way_out = "the next build tries again" if source else "a build without --offline downloads them"
        said = f"{len(crawled)} crawled files are lost and could not be read again now{why}; {way_out}"
        store.problems.append(said)
    return left


def _in_folder(store: Store, lost: Set[Digest], output: Path) -> Iterator[Digest]:
    """Keep the lost bytes that a file of the site still has: the folder is not trusted, its digests are."""
    for path, wanted in store.files():
        if wanted in lost:
            with contextlib.suppress(OSError, ValueError):
                whole = output / path
                if S_ISREG(whole.stat().st_mode):
                    with whole.open("rb") as file:
                        if hashlib.file_digest(file, "sha256").hexdigest() == wanted:
                            yield store.blobs.keep_file(file)
