"""What the checks must report of a sample, and the figures that its pages must show: `truth.json`.

Worked out by the generator while it writes, by nothing that the checks use.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

HEADER, FIRST_RECORD = 1, 2  # rows, as a spreadsheet numbers them


class Finding(NamedTuple):
    """`row` is 0 and the texts are "" where a finding has none."""

    atlas: str
    code: str
    severity: str
    manifest: str = ""
    component: str = ""
    row: int = 0
    column: str = ""
    value: str = ""


@dataclass(slots=True)
class Figures:
    """Of one atlas, as `dashboard.md` counts them."""

    files: int = 0  # data files
    bytes: int = 0  # of all files that are not left out, manifests too
    types: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    manifests: int = 0
    records: int = 0
    filled: int = 0  # cells that hold a value, out of
    cells: int = 0
    participants: int = 0
    biospecimens: int = 0

    def listed(self, files: Counter[str], sizes: Counter[str]) -> None:
        self.files, self.bytes = files.total(), sizes.total()
        self.types = {
            kind: {"files": files[kind], "bytes": sizes[kind]}
            for kind in ("BAM", "FASTQ", "Image", "Matrix", "Other")
        }

    def as_json(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Truth:
    findings: list[Finding] = field(default_factory=list[Finding])
    figures: dict[str, Figures] = field(default_factory=dict[str, Figures])

    def save(self, path: Path) -> None:
        """One finding a line, so that a person can look one up."""
        findings = ",\n".join(f"  {json.dumps(f._asdict(), ensure_ascii=False)}" for f in self.findings)
        figures = ",\n".join(f'  "{atlas}": {json.dumps(f.as_json())}' for atlas, f in self.figures.items())
        text = f'{{"findings": [\n{findings}\n],\n"figures": {{\n{figures}\n}}}}\n'
        path.write_text(text, encoding="utf-8", newline="")
