"""Functions that misbehave, for the limits: worker processes import them by name."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path


def spin(*_: object) -> None:
    """Use processor time, and never end."""
    while True:
        pass


def sleep(*_: object) -> None:
    """Use no processor time, and never end."""
    time.sleep(3600)


def allocate(*_: object) -> int:
    """Use memory, little by little, and never end."""
    held: list[bytearray] = []
    while True:
        held.append(bytearray(2**20))


def allocate_at_once(*_: object) -> int:
    return len(bytes(2**42))


def abort(*_: object) -> None:
    """End as a library does that gets no memory."""
    os.abort()


def die(*_: object) -> None:
    """End as a process that somebody else killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def nap(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def open_files() -> list[str]:
    """Return what the files are that this process has open, but for its three streams."""
    found = []
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the list itself
            found += [str(path.readlink())] if int(path.name) > 2 else []
    return found
