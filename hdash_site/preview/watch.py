"""Which files were saved, once the dust has settled: a save is many events, a checkout thousands."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from hdash_site.pages.folders import is_within
from hdash_site.preview.links import FOLDERS, SETTINGS, Stats, links_of, survey
from hdash_site.preview.mounts import silent_kind

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

POLL = 1.0
"""Seconds from one look at all files to the next, where the system reports no changes."""

POLL_SHARE = 0.05
"""Largest share of its time that the preview looks at files; where a look takes long, looks are rarer."""

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

    def __init__(self, lock: Path | None = None, settle: Callable[[], None] = lambda: None) -> None:
        """`lock`: a file that is there while git changes files. `settle` is called when all is written."""
        self._lock = lock
        self._settle = settle
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
        self._settle()
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
def watching(
    root: Path, tell: Callable[[str], None], *, poll: bool = False, ours: Collection[Path] = ()
) -> Generator[Changes, None, None]:
    """Watch what a site is made from; `ours` are the folders that we write to ourselves.

    `poll`: look at all files every second. That is also done where the system cannot watch, from whatever
    moment on; `tell` is told the reason in a line.
    """
    watch = _Watch(root, tell, ours)
    try:
        watch.start(poll=poll)
        yield watch.changes
    finally:
        watch.stop()


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
    """Turns events, or the differences between two looks at all files, into changes."""

    def __init__(self, root: Path, tell: Callable[[str], None], ours: Collection[Path]) -> None:
        self.changes = Changes(_lock_of_git(root), self._follow)
        self._root, self._ours, self._tell = root, ours, tell
        self._links = links_of(root, ours)
        self._observer: BaseObserver | None = None
        self._watched: dict[tuple[str, bool], ObservedWatch] = {}
        self._lost: set[str] = set()
        """Paths at which another folder may be now than the one that is watched."""
        self._is_stale = True
        self._guard = threading.Lock()
        self._poller: threading.Thread | None = None
        self._over = threading.Event()
        self._has_started = False

    def start(self, *, poll: bool) -> None:
        if poll:
            self._poll("")
        else:
            try:
                self._observer = _observer(self._limited, self._see_all)
                self._observer.start()
            except OSError as error:
                self._limited(error)
            self._follow()
        self._has_started = True

    def stop(self) -> None:
        with self._guard:
            self._over.set()
        if self._poller:
            self._poller.join()
        self._stop_observer()

    def dispatch(self, event: events.FileSystemEvent) -> None:
        if self._poller:
            return
        writing = (
            sys.platform == "linux" and event.event_type in ("created", "modified") and not event.is_directory
        )
        for name in filter(None, (event.src_path, event.dest_path)):
            path = os.fsdecode(name)
            targets = self._links.targets
            if event.is_directory or os.path.islink(path) or path in targets or path in targets.values():  # noqa: PTH114
                self._lost.add(path)
                self._is_stale = True
            self._saw(path, unfinished=writing)

    def _saw(self, path: str, *, unfinished: bool = False) -> None:
        for name in self._links.names(path):
            self.changes.saw(name, unfinished=unfinished)

    def _see_all(self) -> None:
        """Have everything looked at, since events may have been lost."""
        self._is_stale = True
        for name in (*FOLDERS, SETTINGS):
            self.changes.saw(self._root / name)

    def _follow(self) -> None:
        """Watch the folders that there are now. A watch stays with the folder that had the name before."""
        observer = self._observer
        if self._poller or not self._is_stale or observer is None:
            return
        self._is_stale = False
        lost, self._lost = self._lost, set()
        self._links = links_of(self._root, self._ours)
        trees = self._links.trees()
        kind = silent_kind([self._links.top, *trees])
        if kind:
            self._poll(f"the site is on a file system ({kind}) that may not report changes")
            return
        wanted = {(tree, True) for tree in trees} | {(path, False) for path in self._links.beside(trees)}
        for key in list(self._watched):
            if key not in wanted or any(is_within(key[0], path) for path in lost):
                with contextlib.suppress(OSError, KeyError):  # the system let go of it when the folder went
                    observer.unschedule(self._watched[key])
                del self._watched[key]
        for path, recursive in sorted(wanted - self._watched.keys()):
            if self._poller:
                return
            # A folder that went again in this moment is reported once more when it comes.
            with contextlib.suppress(OSError):
                self._watched[path, recursive] = observer.schedule(
                    self, path, recursive=recursive, event_filter=_CHANGES
                )

    def _limited(self, error: OSError) -> None:
        """Look at all files from now on: the system does not let us watch them."""
        self._poll(f"files cannot be watched for changes ({error.strerror or error})")

    def _poll(self, reason: str) -> None:
        """Begin to look at all files again and again; `reason` is empty if that was asked for."""
        with self._guard:
            if self._poller or self._over.is_set():
                return
            self._links, stats = survey(self._root, self._ours)
            self._poller = threading.Thread(target=self._look_again, args=(stats,), daemon=True)
            self._poller.start()
        if reason:
            self._tell(f"{reason}: the preview looks at all files every second instead")
        if self._has_started:
            self._see_all()

    def _look_again(self, before: Stats) -> None:
        self._stop_observer()
        pause = POLL
        while not self._over.wait(pause):
            began = time.monotonic()
            self._links, now = survey(self._root, self._ours)
            for path in [path for path in before.keys() | now.keys() if before.get(path) != now.get(path)]:
                self._saw(path)
            before = now
            pause = max(POLL, (time.monotonic() - began) / POLL_SHARE)

    def _stop_observer(self) -> None:
        observer, self._observer = self._observer, None
        if observer:
            observer.stop()
            if observer.is_alive():
                observer.join()


def _observer(limited: Callable[[OSError], None], lost: Callable[[], None]) -> BaseObserver:
    if sys.platform != "linux":
        return Observer()
    from hdash_site.preview.inotify import InotifyObserver

    return InotifyObserver(limited, lost)
