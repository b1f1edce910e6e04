"""The checks: one module each, with `CODE`, `TITLE`, `SEVERITY`, a docstring and `check(atlas)`.

This folder is the registry. The docstring of a module is the public help page of its check: what passes,
an example, what to do, and where its count differs from the dashboard before and why.
"""

from __future__ import annotations

import pkgutil
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas

_CODE = re.compile(r'^CODE\b[^=\n]*= *"(\w+)"', re.MULTILINE)

Severity = Literal["error", "warning"]


class Finding(NamedTuple):
    """One thing that is wrong, with its place, so that a submitter can fix it without searching."""

    code: str
    severity: Severity
    manifest: str
    """Synapse id of the manifest; of the file or folder for findings of the listing; or empty."""
    component: str
    row: int
    """As a spreadsheet numbers it: the header is row 1, the first record row 2; 0: no row."""
    column: str
    value: str
    expected: str
    message: str
    """One plain sentence: what is wrong, and the way out. What stands in parentheses is of this one only."""


class Check(Protocol):
    """A module of this folder."""

    CODE: str
    TITLE: str
    SEVERITY: Severity
    __doc__: str | None

    def check(self, atlas: Atlas) -> Iterator[Finding]: ...


@cache
def checks() -> tuple[Check, ...]:
    """All checks, sorted by code."""
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted((cast("Check", module) for module in modules), key=lambda check: check.CODE))


def codes() -> list[str]:
    """The codes of all checks, sorted, read off their modules: the settings name some, and are read at every
    start, where to import the whole domain would take a sixth of a build that has nothing to do.
    """
    texts = (path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py"))
    return sorted(found[1] for found in map(_CODE.search, texts) if found)
