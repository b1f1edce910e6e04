"""Run the checks, each on its own: a check that raises costs its own findings and nothing else."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.checks import checks
from hdash_site.htan.privacy import masked
from hdash_site.htan.text import LONGEST, natural, shown

if TYPE_CHECKING:
    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.checks import Check
    from hdash_site.htan.findings import Finding

MOST_FRAMES: Final = 20
"""Calls of a trace that are kept, the innermost."""

_PACKAGE: Final = Path(__file__).parents[1]


class Crash(NamedTuple):
    """A check that raised: in which file of this package, in which line, and with which class of error.

    The words of the error are left out: they may quote a cell of a participant, or differ from run to run.
    `trace` are the calls that led there.
    """

    code: str
    title: str
    error: str
    file: str
    line: int
    trace: str

    def public(self) -> dict[str, str | int]:
        """What pages may show."""
        return {key: value for key, value in self._asdict().items() if key != "trace"}


class Checked(NamedTuple):
    """Findings by check, then in the manifests' order, then by row; and the checks that raised."""

    findings: list[Finding]
    crashes: list[Crash]


def run_checks(atlas: Atlas, columns: frozenset[str]) -> Checked:
    """Run all checks and return what they find, as it may be published.

    `columns` are the columns that may be named (`privacy.known_columns`). Raises `MemoryError`: that is no
    fault of a check.
    """
    position = {manifest.id: number for number, manifest in enumerate(atlas.manifests)}
    private = {manifest.id: manifest for manifest in atlas.manifests if manifest.is_private}
    listed = set(atlas.listing)
    checked = Checked([], [])

    def published(finding: Finding) -> Finding:
        if finding.manifest in private and finding not in listed:
            finding = masked(finding, private[finding.manifest], columns)
        # However long an id was, its value fits a page.
        return finding if len(finding.value) <= LONGEST else finding._replace(value=shown(finding.value))

    for check in checks():
        left_out = atlas.exempt.get(check.CODE, frozenset())
        try:
            found = [published(one) for one in check.check(atlas) if one.manifest not in left_out]
        except MemoryError:
            raise
        except Exception as error:
            checked.crashes.append(_crash(check, error))
            continue
        found.sort(key=lambda one: (one.row, one.column, one.value, one.message))
        if any(finding.manifest not in position for finding in found):
            found.sort(key=lambda one: natural(one.manifest))
        found.sort(key=lambda one: position.get(one.manifest, len(position)))
        checked.findings.extend(found)
    return checked


def _crash(check: Check, error: Exception) -> Crash:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    # The innermost frame of ours: what it called of the standard library is not where to look.
    file = Path(own[-1].filename).relative_to(_PACKAGE).as_posix()
    trace = "".join(traceback.format_list(frames[-MOST_FRAMES:])) + type(error).__name__
    return Crash(check.CODE, check.TITLE, type(error).__name__, file, own[-1].lineno or 0, trace)
