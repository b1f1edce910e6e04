"""What is wrong on the records of each participant: the rows of clinical manifests that name it, and those
of its biospecimens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hdash_site.htan.fixes import alike, in_common, rows_of
from hdash_site.htan.text import natural, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.findings import Finding

MOST_OWN: Final = 50
"""What is wrong in the same way in one manifest counts once; so many are shown of a participant."""


def own_findings(
    atlas: Atlas, findings: Iterable[Finding], biospecimens: Mapping[str, Iterable[str]]
) -> dict[str, list[Finding]]:
    """The findings on the rows of each participant that has some, by its id.

    `biospecimens` are those of each participant.
    """
    manifests = {
        one.id: one
        for one in atlas.manifests
        if one.usable and one.component.kind in ("clinical", "biospecimen")
    }
    owners = _owners(biospecimens)
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        manifest = manifests.get(finding.manifest)
        record = manifest.record(finding.row) if manifest and finding.row > 1 else -1
        if manifest is None or not 0 <= record < len(manifest.primary.texts):
            continue
        name = manifest.primary.one(record)
        if manifest.component.kind == "biospecimen":
            people: Iterable[str] = owners.get(name, ())
        else:
            people = (name,) if name in atlas.lineage.participants else ()
        for one in people:
            found.setdefault(one, []).append(finding)
    return found


def _owners(biospecimens: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Of each biospecimen the participants that it comes from; most have one."""
    owners: dict[str, list[str]] = {}
    for participant, some in biospecimens.items():
        for one in some:
            owners.setdefault(one, []).append(participant)
    return owners


def facets_of_own(
    found: Mapping[str, Sequence[Finding]], group: Callable[[str], str]
) -> dict[str, dict[str, object]]:
    """By group of the participants, what the page of each shows: groups of like findings, and how many
    more of them there are.
    """
    groups: dict[str, dict[str, object]] = {}
    for participant in sorted(found, key=natural):
        name = shown(participant)
        told = [
            {"code": some[0].code, **in_common(some), "rows": rows_of(some)}
            for some in alike(found[participant])
        ]
        groups.setdefault(group(name), {})[name] = [told[:MOST_OWN], len(told[MOST_OWN:])]
    return groups
