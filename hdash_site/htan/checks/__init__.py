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
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.findings import Finding, Severity

_CODE = re.compile(r'^CODE\b[^=\n]*= *"(\w+)"', re.MULTILINE)


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
