"""Which files were saved, once the dust has settled: a save is many events, a checkout thousands."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.polling import PollingObserver

FOLDERS = ("content", "layouts", "data")
SETTINGS = "site.toml"

QUIET, QUIET_AFTER_MANY = 0.05, 0.4
"""Seconds without an event after which the dust has settled; what writes many files pauses in between."""

MANY = 10
"""Files that no editor saves at once."""

LONGEST = 5.0
"""Seconds after which it counts as settled while files are still being saved."""

CHECKOUT = 120.0
"""Seconds for which git is waited for; a lock that is older was left by one that died."""

UNFINISHED = 1.0
"""Seconds for which a file that is empty, or held open by its writer, is waited for."""

# Reading is no change, and our own build reads: those events are left out.
_CHANGES: list[type[events.FileSystemEvent]] = [
    events.FileCreatedEvent,
    events.FileModifiedEvent,
    events.FileClosedEvent,
    events.FileMovedEvent,
    events.FileDeletedEvent,
    events.DirCreatedEvent,
    events.DirMovedEvent,
    events.DirDeletedEvent,
]


class Changes:
    """The files that changed since they were last asked for."""

    def __init__(self, lock: Path | None = None) -> None:
        """`lock`: a file that is there while git changes others."""
        self._lock = lock
        self._moved = threading.Condition()
        self._paths: set[Path] = set()
        self._open: set[Path] = set()
        self._last = 0.0

    def saw(self, path: Path, *, unfinished: bool = False) -> None:
        """Note an event; `unfinished`: whoever writes the file will close it, which is an event too."""
        with self._moved:
            self._paths.add(path)
            (self._open.add if unfinished else self._open.discard)(path)
            self._last = time.monotonic()
            self._moved.notify_all()

    def pending(self) -> bool:
        with self._moved:
            return bool(self._paths)

    def settled(self, timeout: float | None = None) -> set[Path]:
        """Wait for a change and for the dust to settle; none if nothing changed within `timeout` seconds."""
        with self._moved:
            if not self._moved.wait_for(lambda: self._paths, timeout):
                return set()
            began = time.monotonic()
            while True:
                locked, now = self._is_locked(), time.monotonic()
                if not locked and now >= began + LONGEST:
                    break
                quiet_at = self._last + (QUIET if len(self._paths) < MANY else QUIET_AFTER_MANY)
                if now < quiet_at:
                    self._moved.wait(quiet_at - now)
                elif locked or (now < self._last + UNFINISHED and self._is_unfinished()):
                    self._moved.wait(QUIET)
                else:
                    break
            found = set(self._paths)
            self._paths.clear()
            self._open.clear()
            return found

    def _is_unfinished(self) -> bool:
        return bool(self._open) or any(map(_empty, self._paths))

    def _is_locked(self) -> bool:
        if self._lock is None:
            return False
        try:
            return time.time() - self._lock.stat().st_mtime < CHECKOUT
        except OSError:
            return False


def _empty(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return found.st_size == 0


@contextmanager
def watching(root: Path, tell: Callable[[str], None]) -> Generator[Changes, None, None]:
    """Watch what a site is made from. `tell` is told if it must be done by looking again and again."""
    changes = Changes(_lock_of_git(root))
    observer: BaseObserver = Observer()
    try:
        _Watch(root, changes, observer, closes=sys.platform == "linux")
        observer.start()
    except OSError as error:
        tell(f"files are looked at every second, since they cannot be watched ({error.strerror or error})")
        observer = PollingObserver()
        _Watch(root, changes, observer, closes=False)
        observer.start()
    try:
        yield changes
    finally:
        observer.stop()
        observer.join()


def _lock_of_git(root: Path) -> Path | None:
    """Give the file that git holds while it changes files of the repository in which the site is, if any."""
    for folder in (root, *root.parents):
        place = folder / ".git"
        if place.is_dir():
            return place / "index.lock"
        with contextlib.suppress(OSError, UnicodeDecodeError):
            said = place.read_text()
            if said.startswith("gitdir: "):  # a second work tree of it
                return folder / said.removeprefix("gitdir: ").strip() / "index.lock"
    return None


class _Watch(events.FileSystemEventHandler):
    """Turns events into changes. `closes`: the system tells when a file that was written is closed."""

    def __init__(self, root: Path, changes: Changes, observer: BaseObserver, *, closes: bool) -> None:
        self._root = root
        self._changes = changes
        self._observer = observer
        self._closes = closes
        observer.schedule(self, str(root), recursive=False, event_filter=_CHANGES)
        self._watched = {name: self._follow(name) for name in FOLDERS}

    def dispatch(self, event: events.FileSystemEvent) -> None:
        writing = self._closes and event.event_type in ("created", "modified") and not event.is_directory
        self._saw(event.src_path, unfinished=writing)
        if event.dest_path:
            self._saw(event.dest_path)

    def _saw(self, name: bytes | str, *, unfinished: bool = False) -> None:
        path = Path(os.fsdecode(name))
        parts = path.relative_to(self._root).parts if path.is_relative_to(self._root) else ()
        if not parts or any(part.startswith(".") or part.endswith("~") for part in parts):
            return
        if len(parts) == 1 and parts[0] in FOLDERS:
            self._again(parts[0])
        elif len(parts) == 1 and parts[0] != SETTINGS:
            return
        self._changes.saw(path, unfinished=unfinished)

    def _again(self, name: str) -> None:
        """Follow a folder that came or went: a watch stays with the folder that had the name before."""
        watch, self._watched[name] = self._watched[name], None
        if watch:
            with contextlib.suppress(OSError):  # the system let go of it when the folder went
                self._observer.unschedule(watch)
        # One that went again in this moment is told of once more when it comes.
        with contextlib.suppress(OSError):
            self._watched[name] = self._follow(name)

    def _follow(self, name: str) -> ObservedWatch | None:
        folder = self._root / name
        if not folder.is_dir():
            return None
        return self._observer.schedule(self, str(folder), recursive=True, event_filter=_CHANGES)
