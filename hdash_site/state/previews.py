"""Which previews of a site are running: each has a file in the cache, locked as long as its process lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

from hdash_site.errors import LockedError

FOLDER = "previews"
"""The folder of these files, in the cache."""

LONGEST = 200
"""Characters of an address that are read: the file may be somebody else's."""


@contextlib.contextmanager
def announced(cache: Path, address: str) -> Generator[None, None, None]:
    """Let others know of a preview of this process, as long as it lasts.

    Where the cache cannot be written nobody is told; the first build says why.
    """
    path = cache / FOLDER / str(os.getpid())
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.open("w"))
            stack.callback(path.unlink, missing_ok=True)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(address)
            file.flush()
        yield


def refuse_beside(cache: Path) -> None:
    """Raise `LockedError` if a preview of the site is running."""
    for path in sorted((cache / FOLDER).glob("[0-9]*")):
        with contextlib.suppress(OSError), path.open(errors="replace") as file:
            if _is_locked(file.fileno()):
                way_out = "stop the preview (Ctrl-C), and try again"
                raise LockedError(
                    f"a preview is running (process {path.name}, {file.read(LONGEST)})", str(cache), way_out
                )


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
