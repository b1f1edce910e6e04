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
    from hdash_site.htan.owners import Owners

MOST_OWN: Final = 50
"""What is wrong in the same way in one manifest counts once; so many are shown of a participant."""


def own_findings(atlas: Atlas, findings: Iterable[Finding], owners: Owners) -> dict[str, list[Finding]]:
    """The findings on the rows of each participant that has some, by its id; also participants that share a
    biospecimen with many others.

    Findings on a biospecimen of very many participants (`owners.MOST_OWNERS`) are left out.
    """
    manifests = {
        one.id: one
        for one in atlas.manifests
        if one.usable and one.component.kind in ("clinical", "biospecimen")
    }
    found: dict[str, list[Finding]] = {name: [] for name in owners.shared}
    for finding in findings:
        manifest = manifests.get(finding.manifest)
        record = manifest.record(finding.row) if manifest and finding.row > 1 else -1
        if manifest is None or not 0 <= record < len(manifest.primary.texts):
            continue
        name = manifest.primary.one(record)
        if manifest.component.kind == "biospecimen":
            people: Iterable[str] = owners.participants.get(name, ())
        else:
            people = (name,) if name in atlas.lineage.participants else ()
        for one in people:
            found.setdefault(one, []).append(finding)
    return found


def facets_of_own(
    found: Mapping[str, Sequence[Finding]], owners: Owners, group: Callable[[str], str]
) -> dict[str, dict[str, object]]:
    """By group of the participants, what the page of each shows: groups of like findings, how many more of
    them there are, and whether findings on a shared biospecimen were left out.
    """
    groups: dict[str, dict[str, object]] = {}
    for participant in sorted(found, key=natural):
        name = shown(participant)
        told = [
            {"code": some[0].code, **in_common(some), "rows": rows_of(some)}
            for some in alike(found[participant])
        ]
        groups.setdefault(group(name), {})[name] = [
            told[:MOST_OWN],
            len(told[MOST_OWN:]),
            participant in owners.shared,
        ]
    return groups
