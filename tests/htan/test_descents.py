from __future__ import annotations

import json

from hdash_site.htan import descents, listing, parsing
from hdash_site.htan.people import A_GROUP, address, grouping

from .helpers import LEVEL_1, PEOPLE, PROJECT, SAMPLES, SOUND, decoded, entity, listing_of, table


def descents_of(*tables: bytes, atlas: str = "HTA1", components: str = "[]") -> dict[str, bytes]:
    """The facets of an atlas with these manifests, syn11, syn12, ...; each in a folder of its own."""
    rows: list[list[str]] = []
    read: dict[str, dict[str, bytes]] = {}
    for number, data in enumerate(tables, 1):
        rows.append(entity(f"syn{100 + number}", f"folder_{number}", "folder"))
        rows.append(
            entity(f"syn{10 + number}", "synapse_storage_manifest_x.csv", parent=f"syn{100 + number}")
        )
        read[f"syn{10 + number}"] = {"ids": parsing.facets(data, components)["ids"]}
    listed = listing.facets(listing_of(*rows), PROJECT, ())["manifests"]
    return descents.facets(atlas, listed, read, components)


def person(found: dict[str, bytes], name: str) -> dict[str, object]:
    groups = [decoded(found, f"group/{group}") for group in decoded(found, "groups")]
    [one] = [one for group in groups for one in group["people"] if one["id"] == name]
    return one


def labels(found: dict[str, bytes]) -> dict[int, str]:
    groups = [decoded(found, f"group/{group}") for group in decoded(found, "groups")]
    return {code: row[0] for group in groups for code, row in group["components"]}


def test_a_participant_has_its_biospecimens_and_files_by_component() -> None:
    found = descents_of(*SOUND)
    assert decoded(found, "people") == [
        {
            "id": "HTA1_1",
            "address": "hta1_1",
            "biospecimens": 2,
            "files": 3,
            "more": False,
            "assays": ["scRNA-seq"],
        },
        {"id": "HTA1_2", "address": "hta1_2", "biospecimens": 1, "files": 0, "more": False, "assays": []},
    ]
    one, named = person(found, "HTA1_1"), labels(found)
    assert [(named[code], count) for code, count in one["components"]] == [
        ("Biospecimen", 2),
        ("scRNA-seq Level 1", 2),
        ("scRNA-seq Level 2", 1),
    ]
    assert [
        (name, above, [(named[code], n) for code, n in made]) for name, _, above, made in one["samples"]
    ] == [
        ("HTA1_1_1", "HTA1_1", [("scRNA-seq Level 1", 1)]),
        ("HTA1_1_2", "HTA1_1_1", [("scRNA-seq Level 1", 1)]),
    ]
    assert [(entity, named[code], count) for entity, code, count in one["manifests"]] == [
        ("syn11", "Demographics", 0),
        ("syn12", "Biospecimen", 2),
        ("syn13", "scRNA-seq Level 1", 2),
        ("syn14", "scRNA-seq Level 2", 1),
    ]
    assert [(named.get(above, "-"), named[below], count) for above, below, count in one["links"]] == [
        ("-", "Biospecimen", 1),
        ("Biospecimen", "Biospecimen", 1),
        ("Biospecimen", "scRNA-seq Level 1", 2),
        ("scRNA-seq Level 1", "scRNA-seq Level 2", 2),
    ]


def test_the_steps_say_where_the_way_back_breaks() -> None:
    samples = table(
        "Biospecimen",
        "HTAN Biospecimen ID|HTAN Parent ID",
        "HTA1_1_1|HTA1_1",
        "HTA1_1_2|HTA1_9",
        "HTA1_1_3|HTA1_EXT4",
        "HTA1_1_4|",
        "HTA1_1_4|HTA1_1_4",
        "HTA1_1_5|HTA1_1, HTA1_9",
    )
    files = table(
        "BulkWESLevel2",
        "HTAN Data File ID|HTAN Parent Data File ID|HTAN Parent Biospecimen ID",
        "HTA1_1_301|Not Applicable|HTA1_1_1",
        "HTA1_1_302|Not Applicable|",
        "HTA1_1_303|HTA1_1_999|",
    )
    rows = decoded(descents_of(PEOPLE, samples, files), "steps")
    assert [(table and table[0], *counts) for table, *counts in rows] == [
        (None, 2, 0, 0, 0, 0, 1),
        ("Biospecimen", 5, 2, 1, 1, 1, 1),
        ("Bulk WES Level 2", 3, 1, 1, 1, 0, 0),
    ]


def test_a_malformed_id_is_no_step_and_breaks_the_way_of_what_names_it() -> None:
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_x|HTA1_1", "HTA1_1_2|HTA1_1_x"
    )
    found = descents_of(PEOPLE, samples)
    assert [counts for _, *counts in decoded(found, "steps")] == [[2, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0]]
    assert [one["biospecimens"] for one in decoded(found, "people")] == [0, 0]


def test_a_file_with_two_parents_comes_from_both_and_is_counted_once() -> None:
    columns = "HTAN Data File ID|HTAN Parent Data File ID|HTAN Parent Biospecimen ID"
    rows = ("HTA1_1_301|HTA1_1_101|HTA1_1_1", "HTA1_1_302||HTA1_1_1", "HTA1_1_303|HTA1_1_999|HTA1_1_998")
    found = descents_of(*SOUND, table("RPPALevel2", columns, *rows))
    assert decoded(found, "people")[0]["files"] == 5
    [shard] = [json.loads(text) for text in decoded(found, "shards").values()]
    codes = {row[0]: int(code) for code, row in shard["components"].items()}
    above = {row[0]: row[3] for row in shard["ids"]}["1_301"]
    assert above == [
        codes["scRNA-seq Level 1"],
        "~101",
        codes["Biospecimen"],
        "~1",
        codes["Demographics"],
        "",
    ]
    rppa = [counts for row, *counts in decoded(found, "steps") if row and row[0] == "RPPA Level 2"]
    assert rppa == [[3, 2, 0, 1, 0, 0]]


def test_what_is_no_id_changes_nothing() -> None:
    more = PEOPLE.replace(b"female", b"male")
    assert descents_of(more, SAMPLES, LEVEL_1) == descents_of(PEOPLE, SAMPLES, LEVEL_1)


def test_a_component_that_comes_changes_no_record_of_others() -> None:
    odd = table("Zzz", "HTAN Data File ID|HTAN Parent Biospecimen ID", "HTA1_2_900|HTA1_2_1")
    odder = table("Aaa", "HTAN Participant ID", "HTA1_77")
    rows = [
        {
            tuple(map(str, row[2:]))
            for text in decoded(found, "shards").values()
            for row in json.loads(text)["ids"]
        }
        for found in (descents_of(*SOUND, odd), descents_of(*SOUND, odd, odder))
    ]
    assert rows[0] < rows[1]


def test_addresses_are_those_of_the_ids_or_a_digest_of_what_is_none() -> None:
    assert address("HTA3_8001") == "hta3_8001"
    assert address("HTA12_EXT7") == "hta12_ext7"
    strange = ["hta3_8001", "../x", "", "HTA3_8001 ", "HTA1_" + "9" * 300, "<b>", "HTA3_\u0661"]
    found = {address(name) for name in strange}
    assert len(found) == len(strange)
    assert all(one.startswith("x-") and len(one) == 18 for one in found)


def test_groups_are_stable_and_their_number_grows_by_doubling() -> None:
    names = [f"HTA1_{n}" for n in range(1000)]
    group = grouping(1000)
    sizes = [sum(group(name) == one for name in names) for one in {group(name) for name in names}]
    assert len(sizes) == 64
    assert max(sizes) < 3 * A_GROUP
    assert {grouping(n)("HTA1_1") for n in range(A_GROUP + 1)} == {"0"}
    assert [grouping(520)(name) for name in names] == [group(name) for name in names]


def test_a_participant_moves_no_other_to_another_group() -> None:
    people = table("Demographics", "HTAN Participant ID|Gender", *(f"HTA1_{n}|x" for n in range(1, 101)))
    samples = table("Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_7_1|HTA1_7")
    before, after = descents_of(people), descents_of(people, samples)
    moved = [name for name in after if name.startswith("group/") and before[name] != after[name]]
    assert moved == [f"group/{grouping(100)('HTA1_7')}"]
