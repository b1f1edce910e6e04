"""The facets that pages of ids and participants read: which ids there are, and who comes from whom.

They depend on the ids in the manifests alone, so that a corrected cell that is no id makes none of them anew.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from hdash_site.htan.components import catalogue
from hdash_site.htan.descent import descent
from hdash_site.htan.lineage import DEMOGRAPHICS, lineage
from hdash_site.htan.manifests import read_manifests
from hdash_site.htan.people import MOST_PAGES, codes_of, derived_of_participants, grouping, people
from hdash_site.htan.shards import Record, records, shards, table
from hdash_site.htan.steps import steps
from hdash_site.htan.text import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hdash_site.htan.components import Catalogue
    from hdash_site.htan.manifests import Manifest


def facets(
    atlas: str, listed: bytes, manifests: Mapping[str, Mapping[str, bytes]], components: str
) -> dict[str, bytes]:
    """Work out the lineage of an atlas.

    `listed` is the facet `manifests` of its listing, `manifests` the facet `ids` of each by entity id,
    `components` JSON of the site's `[[component]]` tables.

    `people`: a list of the participants; `groups` the names of their groups, `group/<name>` all about those
    of one; `demographics` how many there are, and the manifests to find their data in; `steps` the lineage in
    figures; `directory` and `shards`, by the names of their files, the index of its own ids, `strays` its
    other ids.
    """
    known = catalogue(json.loads(components))
    read = read_manifests(json.loads(listed), manifests, {}, known)
    codes, tables = _codes(read, known)
    graph = lineage(read)
    lines = descent(graph, read)
    derived = derived_of_participants(graph, lines)
    everybody = people(read, graph, lines, derived, codes)
    prefix = f"{atlas}_"
    found = records(atlas, read, graph, lines, derived, codes)
    own = [record for record in found if record.id.startswith(prefix)]
    strays = [record for record in found if not record.id.startswith(prefix)]
    directory, files = shards(own, prefix, tables)
    return {
        "people": dumps(_list(everybody, tables)),
        **_groups(everybody[:MOST_PAGES], grouping(len(everybody)), tables),
        "demographics": dumps(
            {
                "people": len(everybody),
                "manifests": [one.id for one in read if one.component.name == DEMOGRAPHICS and one.usable],
            }
        ),
        "steps": dumps([[tables.get(step.code), *step[1:]] for step in steps(read, graph, lines, codes)]),
        "directory": directory,
        "shards": dumps(files),
        "strays": dumps(
            {
                "ids": strays,
                "components": {code: tables[code] for record in strays for code in record.codes},
            }
        ),
    }


def strays_of(atlases: Iterable[bytes]) -> dict[str, bytes]:
    """Make `directory` and `shards` of the facets `strays` of all atlases."""
    found: list[Record] = []
    tables: dict[int, Sequence[Any]] = {}
    for data in atlases:
        strays = json.loads(data)
        tables.update({int(code): row for code, row in strays["components"].items()})
        found += [
            Record(name, tuple(manifest), tuple(codes), text) for name, manifest, codes, text in strays["ids"]
        ]
    directory, files = shards(found, "", tables)
    return {"directory": directory, "shards": dumps(files)}


def _codes(read: Sequence[Manifest], known: Catalogue) -> tuple[list[int], dict[int, list[Any]]]:
    """The code of each manifest's component, and what codes stand for.

    It is the place in the catalogue; of one that is not there, a larger number that follows from its name,
    so that no other component changes it.
    """
    order = [known.order(one.component) for one in read]
    codes = [
        place
        if place < len(known)
        else len(known) + zlib.crc32(one.component.name.encode("utf-8", "replace"))
        for one, place in zip(read, order, strict=True)
    ]
    return codes, dict(zip(codes, table([one.component for one in read], known), strict=True))


def _groups(
    with_page: Sequence[dict[str, Any]], group: Callable[[str], str], tables: Mapping[int, Sequence[Any]]
) -> dict[str, bytes]:
    """All about the participants of each group, with what the codes in it stand for."""
    by_group: dict[str, list[dict[str, Any]]] = {}
    for one in with_page:
        by_group.setdefault(group(one["id"]), []).append(one)
    parts = {"groups": dumps(sorted(by_group))}
    for name, some in by_group.items():
        codes = sorted({code for one in some for code in codes_of(one)})
        parts[f"group/{name}"] = dumps(
            {"people": some, "components": [[code, tables[code]] for code in codes]}
        )
    return parts


def _list(everybody: Sequence[dict[str, Any]], tables: Mapping[int, Sequence[Any]]) -> list[dict[str, Any]]:
    """What a list of participants tells of each: its figures, and the assays that were made."""
    return [
        {
            **{name: one[name] for name in ("id", "address", "biospecimens", "files", "more")},
            "assays": list(
                dict.fromkeys(tables[code][2] for code, _ in one["components"] if tables[code][1] == "assay")
            ),
        }
        for one in everybody
    ]
