"""What is wrong on the records of each participant: the rows of clinical manifests that name it, and those
of its biospecimens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from hdash_site.htan.fixes import alike, in_common, rows_of
from hdash_site.htan.text import natural, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hdash_site.htan.atlas import Atlas
    from hdash_site.htan.findings import Finding
    from hdash_site.htan.manifests import Manifest
    from hdash_site.htan.owners import Owners

MOST_OWN: Final = 50
"""What is wrong in the same way in one manifest counts once; so many are shown of a participant."""


class Own(NamedTuple):
    findings: Mapping[str, Sequence[Finding]]
    """By participant, the findings on its rows and on those of its biospecimens."""
    incomplete: frozenset[str]
    """Participants of which not all findings are known."""


def own_findings(atlas: Atlas, findings: Iterable[Finding], owners: Owners) -> Own:
    """Find out which findings are on the rows of which participant.

    Left out are findings on a biospecimen of very many participants (`owners.MOST_OWNERS`), and findings that
    are not kept one by one (`findings.MOST_ALIKE`).
    """
    manifests = {
        one.id: one
        for one in atlas.manifests
        if one.usable and one.component.kind in ("clinical", "biospecimen")
    }
    found: dict[str, list[Finding]] = {}
    crowded: set[str] = set()
    for finding in findings:
        manifest = manifests.get(finding.manifest)
        if manifest is None or finding.is_rest:
            crowded.add(finding.manifest)
            continue
        record = manifest.record(finding.row) if finding.row > 1 else -1
        for one in _participants(atlas, owners, manifest, record):
            found.setdefault(one, []).append(finding)
    incomplete = set(owners.shared)
    for manifest in [manifests[name] for name in crowded if name in manifests]:
        for record in range(len(manifest.primary.texts)):
            incomplete.update(_participants(atlas, owners, manifest, record))
    return Own(found, frozenset(incomplete))


def _participants(atlas: Atlas, owners: Owners, manifest: Manifest, record: int) -> Sequence[str]:
    """Return the participants that a record is about."""
    if not 0 <= record < len(manifest.primary.texts):
        return ()
    name = manifest.primary.one(record)
    if manifest.component.kind == "biospecimen":
        return owners.participants.get(name, ())
    return (name,) if name in atlas.lineage.participants else ()


def facets_of_own(own: Own, group: Callable[[str], str]) -> dict[str, dict[str, object]]:
    """By group of the participants, what the page of each shows: groups of like findings, how many more of
    them there are, and whether there may be findings that are not known.
    """
    groups: dict[str, dict[str, object]] = {}
    for participant in sorted(own.incomplete.union(own.findings), key=natural):
        name = shown(participant)
        told = [
            {"code": some[0].code, **in_common(some), "rows": rows_of(some)}
            for some in alike(own.findings.get(participant, ()))
        ]
        groups.setdefault(group(name), {})[name] = [
            told[:MOST_OWN],
            len(told[MOST_OWN:]),
            participant in own.incomplete,
        ]
    return groups
