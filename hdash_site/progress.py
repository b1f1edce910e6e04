"""A moving line on a terminal: what is at hand, and how much of it was done. Apart, since it imports rich."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class MovingLine:
    """One line that is redrawn, and gone at the end."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(file=sys.stderr), transient=True)
        self._lines: dict[str, TaskID] = {}
        self._counts: dict[str, int] = {}
        self._progress.start()

    def tell(self, phase: str, what: str) -> None:
        count = self._counts[phase] = self._counts.get(phase, 0) + 1
        text = f"{phase:7} {count:5}  {escape(what[:60])}"
        if phase in self._lines:
            self._progress.update(self._lines[phase], description=text)
        else:
            self._lines[phase] = self._progress.add_task(text)

    def stop(self) -> None:
        self._progress.stop()
