"""A moving line on a terminal: what is at hand, and how much of it was done. Apart, since it imports rich."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class MovingLine:
    """A line a phase that is redrawn, with a bar where the end is known; gone at the end."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(file=sys.stderr), transient=True)
        self._lines: dict[str, TaskID] = {}
        self._counts: dict[str, int] = {}
        self._progress.start()

    def tell(self, phase: str, what: str, done: int, total: int) -> None:
        count = self._counts[phase] = done or self._counts.get(phase, 0) + 1
        known = f"{count:5} of {total}" if total else f"{count:5}"
        text = f"{phase:7} {known}  {escape(what[:60])}"
        if phase not in self._lines:
            self._lines[phase] = self._progress.add_task(text, total=None)
        self._progress.update(self._lines[phase], description=text, completed=done, total=total or None)

    def stop(self) -> None:
        self._progress.stop()
