"""Every row of an assay names its own file in Synapse.

**Passes** when each row of each assay manifest has an `entityId` that is exactly `syn` and digits, that is
the Synapse ID of a file of this atlas, and that no other row of the atlas has. AccessoryManifest is left out:
its rows are no files of the atlas. A file in an archive folder gives a warning, because the dashboard leaves
such files out.

**Example**, in a manifest of scRNA-seq:

| `entityId` | what is wrong |
|---|---|
| empty, or `n/a` | the ID is missing |
| `syn12abc`, `24986117`, ` syn24986117` | not exactly `syn` and digits |
| `syn24986117`, which is not in the listing of the atlas | no file of this atlas |
| `syn24986117`, which is a folder | a folder, not a file |
| `syn24986117`, which row 12 has too | two rows describe one file; the first row is named |

**What to do**: enter the Synapse ID of the file that the row describes. If the file is missing, upload it to
the project of the atlas. If two rows have the same `entityId`, find out which row describes the file, and
enter the ID of the other file in the other row.

**Compared with the dashboard before**: there, any text that begins with `syn` passed, whether such a file
existed or not, and however many rows named it. So this check finds more. A manifest without the column
ended the run; now it is one finding of H_MANIFEST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.columns import ENTITY_ID
from hdash_site.htan.entities import unpacked
from hdash_site.htan.files import is_value
from hdash_site.htan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.manifests import Manifest

CODE: Final = "H_ENTITY_ID"
TITLE: Final = "Every assay row has the Synapse ID of its own file"
SEVERITY: Final[Severity] = "error"


class _Fault(NamedTuple):
    kind: str
    severity: Severity
    message: str


_MISSING: Final = _Fault(
    "missing-entity", SEVERITY, "The entityId is missing. Enter the Synapse ID of the file."
)
_MALFORMED: Final = _Fault(
    "malformed-entity",
    SEVERITY,
    "This is not a Synapse ID. Write syn and digits, without blanks or other characters.",
)
_UNKNOWN: Final = _Fault(
    "unknown-entity",
    SEVERITY,
    "The atlas has no file with this Synapse ID. Correct the ID, or upload the file to the atlas.",
)
_FOLDER: Final = _Fault(
    "folder-entity", SEVERITY, "This is the Synapse ID of a folder. Enter the Synapse ID of the file."
)
_ARCHIVED: Final = _Fault(
    "archived-entity",
    "warning",
    "The file is in an archive folder, which the dashboard leaves out. Move the file out of the archive, or"
    " enter the Synapse ID of the file that replaces it.",
)


def check(atlas: Atlas) -> Iterator[Finding]:
    assays = [
        (manifest, unpacked(manifest.entities))
        for manifest in atlas.manifests
        if manifest.usable and manifest.component.kind == "assay" and manifest.component.entity_id_required
    ]
    for manifest, _ in assays:
        yield from _not_an_id(manifest)
    numbers = set[str]().union(*(entities for _, entities in assays))
    numbers.discard("")
    if sum(len(entities) - entities.count("") for _, entities in assays) > len(numbers):
        yield from _duplicates(assays)
    numbers.difference_update(unpacked(atlas.entities.files))
    if numbers:
        yield from _not_a_file(atlas, assays, numbers)


def _not_an_id(manifest: Manifest) -> Iterator[Finding]:
    """Report each record whose cell is not `syn` and digits."""
    for first, count, cell in manifest.no_entity:
        fault = _MALFORMED if is_value(cell) else _MISSING
        for record in range(first, first + count):
            yield _finding(manifest, record, cell, fault)


def _not_a_file(
    atlas: Atlas, assays: Sequence[tuple[Manifest, list[str]]], numbers: set[str]
) -> Iterator[Finding]:
    """Report each record that names one of these numbers, which no file outside the archives has."""
    archived, folders = set(unpacked(atlas.entities.archived)), set(unpacked(atlas.entities.folders))
    for manifest, entities in assays:
        for record, number in enumerate(entities):
            if number in numbers:
                fault = _ARCHIVED if number in archived else _FOLDER if number in folders else _UNKNOWN
                yield _finding(manifest, record, f"syn{number}", fault)


def _duplicates(assays: Sequence[tuple[Manifest, list[str]]]) -> Iterator[Finding]:
    """Report each record whose entity an earlier record has; manifests come in the order of the atlas."""
    first: dict[str, tuple[Manifest, int]] = {}
    for manifest, entities in assays:
        for record, number in enumerate(entities):
            if number not in first:
                first[number] = manifest, record
            elif number:
                other, other_record = first[number]
                message = (
                    "Duplicate entityId: already used in another row"
                    f" (row {other.row(other_record)} of {other.id}). Give each record its own file."
                )
                fault = _Fault("duplicate-entity", SEVERITY, message)
                yield _finding(manifest, record, f"syn{number}", fault)


def _finding(manifest: Manifest, record: int, value: str, fault: _Fault) -> Finding:
    return Finding(
        code=CODE,
        severity=fault.severity,
        manifest=manifest.id,
        component=manifest.component.name,
        row=manifest.row(record),
        column=ENTITY_ID,
        value=value,
        expected="the Synapse ID of a file of this atlas, like syn24986117",
        message=fault.message,
        kind=fault.kind,
    )
