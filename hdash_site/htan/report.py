"""The report of an atlas: its listing and its manifests put together, checked, and cut into facets.

A facet is what one kind of page reads, so that a page is made anew only if its part has changed. All are
JSON in UTF-8, except those that are downloads. They are a function of the arguments alone.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from hdash_site.htan import completeness
from hdash_site.htan.atlas import Atlas, Entities
from hdash_site.htan.checking import Crash, run_checks
from hdash_site.htan.checks import checks
from hdash_site.htan.components import Catalogue, catalogue
from hdash_site.htan.findings import Finding
from hdash_site.htan.fixes import (
    alike,
    csv_of_causes,
    facet_of_causes,
    find_causes,
    in_common,
    message_of,
    rows_of,
)
from hdash_site.htan.lineage import biospecimens_by_participant, lineage, sif
from hdash_site.htan.manifests import Manifest, read_manifests
from hdash_site.htan.own import facets_of_own, own_findings
from hdash_site.htan.people import grouping
from hdash_site.htan.privacy import is_nearly_id, known_columns
from hdash_site.htan.text import clean, csv_bytes, dumps
from hdash_site.htan.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST_SHOWN: Final = 50
"""Findings of a group that the page of a manifest gets."""
MOST_ROWS: Final = 5
"""Rows of a group that the page of an atlas gets."""
CSV_HEADER: Final = ("atlas", *Finding._fields)


def facets(
    atlas: str,
    listing: Mapping[str, bytes],
    manifests: Mapping[str, Mapping[str, bytes]],
    failures: Mapping[str, str],
    rules: str,
) -> dict[str, bytes]:
    """Check an atlas and put its figures together.

    `atlas` is JSON of `id`, `synapse_id`, `name`, `liaison`. `listing` are the facets of its listing;
    `manifests` those of each manifest, by entity id; `failures` says, by entity id, why one could not be
    fetched. `rules` is JSON of `demographics` (whether H_DEM is expected), `exempt` (by check, entity ids
    that it leaves out) and `components` (the site's `[[component]]` tables).
    """
    about: dict[str, str] = json.loads(atlas)
    ruled: dict[str, Any] = json.loads(rules)
    known = catalogue(ruled.get("components", ()))
    read = read_manifests(json.loads(listing["manifests"]), manifests, failures, known)
    whole = Atlas(
        id=about["id"],
        manifests=read,
        lineage=lineage(read),
        listing=[Finding(*row) for row in json.loads(listing["findings"])],
        entities=Entities(**json.loads(listing["entities"])),
        demographics_expected=ruled.get("demographics", True),
        exempt={code: frozenset(ids) for code, ids in ruled.get("exempt", {}).items()},
    )
    findings, crashes = run_checks(whole, known_columns(known))
    causes = find_causes(whole, findings)
    described = _manifests(whole, findings)
    biospecimens = biospecimens_by_participant(whole.lineage, read)
    return {
        "summary": dumps(
            _summary(about, json.loads(listing["summary"]), whole, findings, biospecimens)
            | {"crashed": len(crashes)}
        ),
        "codes": dumps(_by_code(findings)),
        "manifests": dumps(described),
        **{f"manifest/{one['id']}": dumps(one) for one in described},
        **{f"columns/{one.id}": dumps([column._asdict() for column in one.columns]) for one in read},
        "checks": dumps(_checks(whole, findings, crashes)),
        "crashed": dumps([crash.public() for crash in crashes]),
        "tracebacks": dumps([crash.trace for crash in crashes]),
        "titles": dumps([[one["id"], one["label"] or one["component"], one["path"]] for one in described]),
        "compared": dumps(_compared(described)),
        "fixes": dumps(facet_of_causes(causes)),
        "fixes.csv": csv_of_causes(clean(whole.id), causes),
        **_completeness(whole, known),
        **_timelines(whole),
        **_own(whole, findings, biospecimens),
        "folders": listing["folders"],
        "findings.csv": _csv(whole, findings),
        **_of_manifests(whole, findings),
        "network.sif": _network(whole),
    }


def _network(atlas: Atlas) -> bytes:
    """Write the lineage, without malformed ids of private manifests that may be names of persons."""
    hidden = {
        name
        for manifest in atlas.manifests
        if manifest.is_private
        for name in map(manifest.primary.one, manifest.primary.odd)
        if not is_nearly_id(name)
    }
    network = sif(atlas.lineage, atlas.manifests)
    if not hidden:
        return network
    shorts = {clean(manifest.component.abbreviation) for manifest in atlas.manifests}
    ends = {f"{short}_{name}" for short in shorts for name in hidden}
    lines = network.decode().split("\n")
    return "\n".join(line for line in lines if ends.isdisjoint(line.split("\tconnect\t"))).encode()


def _timelines(atlas: Atlas) -> dict[str, bytes]:
    """The timelines of all participants, and those of each group of them."""
    everybody = timeline(atlas.manifests)
    group = grouping(len(atlas.lineage.participants))
    groups: dict[str, list[dict[str, object]]] = {}
    for one in everybody:
        groups.setdefault(group(str(one["participant"])), []).append(one)
    return {
        "timeline": dumps(everybody),
        **{f"timeline/{name}": dumps(some) for name, some in sorted(groups.items())},
    }


def _own(
    atlas: Atlas, findings: Sequence[Finding], biospecimens: Mapping[str, Iterable[str]]
) -> dict[str, bytes]:
    """The findings on the records of participants, for each group of them that has some."""
    group = grouping(len(atlas.lineage.participants))
    groups = facets_of_own(own_findings(atlas, findings, biospecimens), group)
    return {f"own/{name}": dumps(some) for name, some in sorted(groups.items())}


def _summary(
    about: Mapping[str, str],
    listed: Mapping[str, Any],
    atlas: Atlas,
    findings: Sequence[Finding],
    biospecimens: Mapping[str, Iterable[str]],
) -> dict[str, object]:
    """The figures of the atlas; percent complete is 100 * filled / cells, over the cells of all manifests."""
    severities = Counter(finding.severity for finding in findings)
    return {
        **{key: clean(about.get(key, "")) for key in ("id", "synapse_id", "name", "liaison")},
        "files": listed["files"],
        "bytes": listed["bytes"],
        "types": listed["types"],
        "manifests": len(atlas.manifests),
        "records": sum(manifest.records for manifest in atlas.manifests),
        "filled": sum(manifest.filled for manifest in atlas.manifests),
        "cells": sum(manifest.cells for manifest in atlas.manifests),
        "participants": len(atlas.lineage.participants),
        "participants_with_biospecimens": sum(map(bool, biospecimens.values())),
        "biospecimens": len(atlas.lineage.biospecimens),
        "metadata": bool(atlas.manifests),
        "errors": severities["error"],
        "warnings": severities["warning"],
    }


def _by_code(findings: Sequence[Finding]) -> dict[str, list[int]]:
    """Numbers of errors and warnings of each check that found something."""
    counts = Counter((finding.code, finding.severity) for finding in findings)
    found = sorted({code for code, _ in counts})
    return {code: [counts[code, "error"], counts[code, "warning"]] for code in found}


def _manifests(atlas: Atlas, findings: Sequence[Finding]) -> list[dict[str, object]]:
    counts = Counter((finding.manifest, finding.severity) for finding in findings)
    return [_manifest(manifest, counts) for manifest in atlas.manifests]


def _manifest(manifest: Manifest, counts: Mapping[tuple[str, str], int]) -> dict[str, object]:
    component = manifest.component
    return {
        "id": manifest.id,
        "name": manifest.name,
        "path": manifest.path,
        "component": clean(component.name),
        "label": clean(component.label),
        "kind": component.kind,
        "group": component.group,
        "level": component.level,
        "records": manifest.records,
        "filled": manifest.filled,
        "cells": manifest.cells,
        "errors": counts.get((manifest.id, "error"), 0),
        "warnings": counts.get((manifest.id, "warning"), 0),
        "modified": manifest.modified,
    }


def _grouped(findings: Iterable[Finding], places: Mapping[str, int]) -> list[list[Finding]]:
    """Findings of one check, those of one manifest, column and kind of message together; most frequent first.

    Findings of the listing, each of which has an entity of its own, go together as well.
    """
    groups = alike(findings, lambda one: one.manifest if one.manifest in places else "")
    return sorted(groups, key=len, reverse=True)


def _checks(atlas: Atlas, findings: Sequence[Finding], crashes: Sequence[Crash]) -> list[dict[str, object]]:
    """Every check with its findings in groups, also those that passed; `crashed` if it raised."""
    crashed = {crash.code for crash in crashes}
    places = {manifest.id: place for place, manifest in enumerate(atlas.manifests)}
    by_code: dict[str, list[Finding]] = {check.CODE: [] for check in checks()}
    for finding in findings:
        by_code[finding.code].append(finding)
    rows: list[dict[str, object]] = []
    for check in checks():
        severities = Counter(finding.severity for finding in by_code[check.CODE])
        rows.append(
            {
                "code": check.CODE,
                "title": check.TITLE,
                "severity": check.SEVERITY,
                "errors": severities["error"],
                "warnings": severities["warning"],
                "crashed": check.CODE in crashed,
                "groups": [_group(group) for group in _grouped(by_code[check.CODE], places)],
            }
        )
    return rows


def _group(group: Sequence[Finding]) -> dict[str, object]:
    first = group[0]
    return {
        **in_common(group),
        "count": len(group),
        "rows": [finding.row for finding in group[:MOST_ROWS] if finding.row],
        "value": first.value,
        "values": [finding.value for finding in group[:MOST_ROWS]],
        "expected": first.expected,
    }


def _of_manifests(atlas: Atlas, findings: Sequence[Finding]) -> dict[str, bytes]:
    """For each manifest a facet with its findings in groups, by check; a download where there are some."""
    places = {manifest.id: place for place, manifest in enumerate(atlas.manifests)}
    by_manifest: dict[str, dict[str, list[Finding]]] = {manifest.id: {} for manifest in atlas.manifests}
    for finding in findings:
        if finding.manifest in places:
            by_manifest[finding.manifest].setdefault(finding.code, []).append(finding)
    groups = {
        manifest: [
            _long_group(group) for code in sorted(by_code) for group in _grouped(by_code[code], places)
        ]
        for manifest, by_code in by_manifest.items()
    }
    return {
        **{f"findings/{manifest}": dumps({"groups": found}) for manifest, found in groups.items()},
        **{
            f"findings/{manifest}.csv": _csv(atlas, chain.from_iterable(by_code.values()))
            for manifest, by_code in by_manifest.items()
            if by_code
        },
    }


def _long_group(group: Sequence[Finding]) -> dict[str, object]:
    first = group[0]
    return {
        "code": first.code,
        "severity": first.severity,
        "column": first.column,
        "message": message_of(first, len(group)),
        "expected": first.expected,
        "count": len(group),
        "rows": rows_of(group),
        "findings": [[finding.row, finding.value] for finding in group[:MOST_SHOWN]],
    }


def _csv(atlas: Atlas, findings: Iterable[Finding]) -> bytes:
    return csv_bytes(CSV_HEADER, [(clean(atlas.id), *finding) for finding in findings])


def _compared(described: Iterable[Mapping[str, Any]]) -> dict[str, list[object]]:
    """By component, what is set side by side with other atlases: how it is called, its group and level, its
    manifests, records, filled cells and cells.
    """
    found: dict[str, list[Any]] = {}
    for one in described:
        label = one["label"] or one["component"]
        row = found.setdefault(one["component"], [label, one["group"], one["level"], 0, 0, 0, 0])
        for place, figure in enumerate((1, one["records"], one["filled"], one["cells"]), 3):
            row[place] += figure
    return dict(found)


def _completeness(atlas: Atlas, known: Catalogue) -> dict[str, bytes]:
    """The matrices, and of each the full table."""
    matrices = completeness.matrices(atlas, known)
    return {
        "completeness": dumps([completeness.facet(matrix) for matrix in matrices]),
        **{f"completeness/{matrix.key}.csv": completeness.csv_of(matrix) for matrix in matrices},
    }
