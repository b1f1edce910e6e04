"""What packages import wherever they find it, and a run of ours has no use for."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def hidden(*names: str) -> Generator[None, None, None]:
    """Let modules look as if they were not installed; those that are imported already can be seen."""
    unseen = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(unseen))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in unseen:
            del sys.modules[name]
