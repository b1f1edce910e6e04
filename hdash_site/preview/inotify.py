"""Watch files on Linux, and report it when that is no longer complete.

Watchdog leaves out a folder for which the system grants no watch, and goes on after events were lost.
"""

from __future__ import annotations

import errno
import logging
import warnings
from collections.abc import Callable

from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyEmitter
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)

# A folder that is made and filled at once is watched twice, and a stopped observer still gets events:
# neither changes anything, and watchdog would print both.
warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
logging.getLogger("watchdog").addHandler(logging.NullHandler())

_LIMITS = (errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Inotify(InotifyFD):
    """`limited` is called in any thread when the system grants no watch, `lost` when events were lost."""

    def __init__(self, limited: Callable[[OSError], None], lost: Callable[[], None]) -> None:
        super().__init__()
        self._limited, self._lost = limited, lost

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        try:
            return super().add_callback(path, mask, callback, id_)
        except OSError as error:
            if error.errno in _LIMITS:
                self._limited(error)
            raise

    def handle_event(self, event: InotifyEvent) -> None:
        super().handle_event(event)
        if event.is_queue_overflow:
            self._lost()


class InotifyObserver(BaseObserver):
    """Raises `OSError` if the system grants no instance of inotify."""

    def __init__(self, limited: Callable[[OSError], None], lost: Callable[[], None]) -> None:
        self._inotify = Inotify(limited, lost)
        super().__init__(InotifyEmitter, inotify_fd=self._inotify)
        self._inotify.start()

    def on_thread_stop(self) -> None:
        super().on_thread_stop()
        self._inotify.stop()
        self._inotify.join()
