"""Small atlases in memory: manifests as lists of rows, a listing with one folder for each, their report."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from hdash_site.htan import listing, parsing, report
from hdash_site.htan.entities import COLUMNS, survey
from hdash_site.htan.findings import Finding

PROJECT = "syn1"


def csv_of(*rows: list[str]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def table(component: str, columns: str, *rows: str) -> bytes:
    """A manifest: columns and rows as texts with a bar between cells; the Component column is added."""
    header = ["Component", *columns.split("|")]
    return csv_of(header, *([component, *row.split("|")] for row in rows))


def entity(synapse_id: str, name: str, kind: str = "file", parent: str = PROJECT, **more: str) -> list[str]:
    given = {"id": synapse_id, "name": name, "type": kind, "parentId": parent, **more}
    return [given.get(column, "") for column in COLUMNS]


def listing_of(*entities: list[str]) -> bytes:
    return csv_of(list(COLUMNS), *entities)


def newest(data: bytes) -> list[tuple[str, str]]:
    """Id and md5 of the manifests that a crawl would fetch."""
    return [one[:2] for one in survey(io.BytesIO(data)).manifests]


def listed(*entities: list[str], archives: tuple[str, ...] = ()) -> dict[str, Any]:
    """The facets of a listing, decoded."""
    facets = listing.facets(listing_of(*entities), PROJECT, archives)
    return {name: json.loads(data) for name, data in facets.items()}


def listing_findings(*entities: list[str]) -> list[Finding]:
    return [Finding(*row) for row in listed(*entities)["findings"]]


def read(data: bytes, components: str = "[]") -> dict[str, Any]:
    """The facets of a manifest, decoded."""
    return {name: json.loads(facet) for name, facet in parsing.facets(data, components).items()}


def report_of(
    *tables: bytes | str | tuple[str, bytes],
    atlas: str = "HTA1",
    more: tuple[list[str], ...] = (),
    archives: tuple[str, ...] = (),
    unlisted: tuple[str, ...] = (),
    **rules: Any,
) -> dict[str, bytes]:
    """The report of an atlas with these manifests, syn11, syn12, ...; each in a folder of its own.

    A text is the reason why a manifest could not be fetched; a pair begins with its annotation. The folder
    syn9 holds a file for each Synapse ID from syn200 on in the manifests, except those that are `unlisted`.
    """
    rows = [entity("syn9", "empty", "folder")]
    read: dict[str, dict[str, bytes]] = {}
    failures: dict[str, str] = {}
    for number, given in enumerate(tables, 1):
        annotation, data = given if isinstance(given, tuple) else ("", given)
        name = f"syn{10 + number}"
        rows.append(entity(f"syn{100 + number}", f"folder_{number}", "folder"))
        rows.append(
            entity(name, "synapse_storage_manifest_x.csv", parent=f"syn{100 + number}", Component=annotation)
        )
        if isinstance(data, str):
            failures[name] = data
        else:
            read[name] = parsing.facets(data, json.dumps(rules.get("components", [])))
    named = {entity for data in tables for entity in _entities(data[1] if isinstance(data, tuple) else data)}
    named -= {*unlisted, *(row[0] for row in more)}
    rows += [entity(name, f"{name}.bam", parent="syn9") for name in sorted(named)]
    facets = listing.facets(listing_of(*rows, *more), PROJECT, archives)
    about = {"id": atlas, "synapse_id": PROJECT, "name": "Atlas", "liaison": "Somebody"}
    return report.facets(json.dumps(about), facets, read, failures, json.dumps(rules))


def _entities(manifest: bytes | str) -> set[str]:
    text = manifest if isinstance(manifest, str) else manifest.decode("latin-1")
    return set(re.findall(r"\bsyn(?:[2-9][0-9]{2}|[0-9]{4,})\b", text))


def decoded(facets: dict[str, bytes], name: str) -> Any:
    return json.loads(facets[name])


def findings(*tables: bytes | str | tuple[str, bytes], code: str, **more: Any) -> list[Finding]:
    """What one check finds, read from the report's download."""
    rows = csv.reader(io.StringIO(report_of(*tables, **more)["findings.csv"].decode()))
    next(rows)
    found = [Finding(*row[1:5], int(row[5]), *row[6:-1], int(row[-1])) for row in rows]
    return [one for one in found if one.code == code]


def places(found: list[Finding]) -> list[tuple[str, int, str, str]]:
    return [(one.manifest, one.row, one.column, one.value) for one in found]


PEOPLE = table("Demographics", "HTAN Participant ID|Gender", "HTA1_1|female", "HTA1_2|male")
SAMPLES = table(
    "Biospecimen",
    "HTAN Biospecimen ID|HTAN Parent ID|Adjacent Biospecimen IDs",
    "HTA1_1_1|HTA1_1|",
    "HTA1_1_2|HTA1_1_1|HTA1_1_1",
    "HTA1_2_1|HTA1_2|",
)
LEVEL_1 = table(
    "ScRNA-seqLevel1",
    "HTAN Data File ID|HTAN Parent Biospecimen ID|entityId",
    "HTA1_1_101|HTA1_1_1|syn501",
    "HTA1_1_102|HTA1_1_2|syn502",
)
LEVEL_2 = table(
    "ScRNA-seqLevel2",
    "HTAN Data File ID|HTAN Parent Data File ID|entityId",
    "HTA1_1_201|HTA1_1_101, HTA1_1_102|syn503",
)
SOUND = (PEOPLE, SAMPLES, LEVEL_1, LEVEL_2)
"""An atlas in which nothing is wrong."""
