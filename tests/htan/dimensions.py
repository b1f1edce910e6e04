"""Atlases that are extreme in one dimension, for tests of the growth of work and of results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from hdash_site.htan import demographics, descents, listing, parsing, report, timeline

from .helpers import PROJECT, csv_of, entity, listing_of

ABOUT: Final = json.dumps({"id": "HTA1", "synapse_id": PROJECT, "name": "Atlas", "liaison": "Somebody"})
SAMPLE: Final = ("Component", "HTAN Biospecimen ID", "HTAN Parent ID", "Adjacent Biospecimen IDs")
DATA_FILE: Final = ("Component", "HTAN Data File ID", "HTAN Parent Data File ID", "entityId")


class Input(NamedTuple):
    """What a source has of an atlas: its listing, and the bytes of its manifests by entity ID."""

    listing: bytes
    manifests: Mapping[str, bytes]

    @property
    def size(self) -> int:
        return len(self.listing) + sum(map(len, self.manifests.values()))


Dimension = Callable[[int], Input]
"""Returns an atlas that has as much of the dimension as the argument says."""


def atlas_of(*manifests: tuple[str, bytes], more: Iterable[Sequence[str]] = ()) -> Input:
    """Return an atlas with these manifests (annotation and bytes), and with more rows in its listing."""
    rows: list[list[str]] = []
    data: dict[str, bytes] = {}
    for number, (component, manifest) in enumerate(manifests, 1):
        folder, name = f"syn{10**8 + number}", f"syn{number + 10}"
        rows.append(entity(folder, f"folder_{number}", "folder"))
        rows.append(entity(name, "synapse_storage_manifest_x.csv", parent=folder, Component=component))
        data[name] = manifest
    return Input(listing_of(*rows, *map(list, more)), data)


def facets(given: Input) -> dict[str, dict[str, bytes]]:
    """Return the facets of all recipes, by recipe."""
    listed = listing.facets(given.listing, PROJECT, ())
    used = [one["id"] for one in json.loads(listed["manifests"])]
    read = {name: parsing.facets(given.manifests[name]) for name in used if name in given.manifests}
    reported = report.facets(ABOUT, listed, read, {}, "{}")
    ids = {name: {"ids": some["ids"]} for name, some in read.items()}
    descended = descents.facets("HTA1", listed["manifests"], ids, "[]")
    people = json.loads(descended["demographics"])
    return {
        "listing": listed,
        **{f"manifest/{name}": some for name, some in read.items()},
        "report": reported,
        "descent": descended,
        "strays": descents.strays_of([descended["strays"]]),
        "demographics": demographics.facets(
            [given.manifests[name] for name in people["manifests"]], people["people"]
        ),
    }


def _files(count: int, parent: Callable[[int], str], name: Callable[[int], str] | None = None) -> bytes:
    """Return a manifest of data files of level 2."""
    name = name or (lambda number: f"HTA1_1_{number}")
    rows = [["ScRNA-seqLevel2", name(one), parent(one), f"syn{10**9 + one}"] for one in range(count)]
    return csv_of(list(DATA_FILE), *rows)


def _samples(count: int, parent: Callable[[int], str], adjacent: Callable[[int], str] | None = None) -> bytes:
    adjacent = adjacent or (lambda _: "")
    rows = [["Biospecimen", f"HTA1_1_{one}", parent(one), adjacent(one)] for one in range(count)]
    return csv_of(list(SAMPLE), *rows)


def _people(count: int, name: Callable[[int], str] = "HTA1_{}".format) -> bytes:
    return csv_of(
        ["Component", "HTAN Participant ID", "Gender"],
        *(["Demographics", name(one), "female"] for one in range(count)),
    )


def _of_files(data: bytes) -> Input:
    return atlas_of(("ScRNA-seqLevel2", data))


def _of_samples(data: bytes, *more: tuple[str, bytes]) -> Input:
    return atlas_of(("Biospecimen", data), *more)


def _wide(count: int, name: Callable[[int], str], cell: str = "") -> Input:
    """Return an atlas of one record with so many columns of its own."""
    names = [name(one) for one in range(count)]
    return _of_files(
        csv_of([*DATA_FILE, *names], ["ScRNA-seqLevel2", "HTA1_1_1", "HTA1_1_2", "syn500", *[cell] * count])
    )


def _wide_clinical(count: int, name: Callable[[int], str], cell: str = "x") -> Input:
    names = [name(one) for one in range(count)]
    rows = [["Demographics", f"HTA1_{one}", *[cell] * count] for one in range(3)]
    return atlas_of(("Demographics", csv_of(["Component", "HTAN Participant ID", *names], *rows)))


def _folders(count: int, parent: Callable[[int], str], name: Callable[[int], str] = "f{}".format) -> Input:
    rows = [entity(f"syn{10**6 + one}", name(one), "folder", parent(one)) for one in range(count)]
    files = [entity(f"syn{10**7 + one}", "a.bam", parent=f"syn{10**6 + one}") for one in range(count)]
    return atlas_of(more=[*rows, *files])


def _listed(count: int, name: Callable[[int], str], kind: str = "file", entity_id: str = "") -> Input:
    return atlas_of(more=[entity(entity_id or f"syn{10**7 + one}", name(one), kind) for one in range(count)])


def _below(one: int) -> str:
    return f"syn{10**6 + one - 1}" if one else PROJECT


def _manifests(count: int, component: Callable[[int], str], data: Callable[[int], bytes]) -> Input:
    return atlas_of(*((component(one), data(one)) for one in range(count)))


def _versions(count: int) -> Input:
    rows = [
        entity(
            f"syn{10**7 + one}",
            f"synapse_storage_manifest_{one}.csv",
            Component="Biospecimen",
            modifiedOn=str(one),
            dataFileHandleId=str(count - one),
        )
        for one in range(count)
    ]
    return atlas_of(more=rows)


def _therapies(count: int, person: Callable[[int], str]) -> Input:
    header = ["Component", "HTAN Participant ID", timeline.LABEL[0], timeline.START[0], timeline.END[0]]
    rows = [
        ["Therapy", person(one), "Chemotherapy", str(one % 30_000), str(one % 30_000)] for one in range(count)
    ]
    return atlas_of(("Therapy", csv_of(header, *rows)))


def _sampled(count: int, parent: Callable[[int], str]) -> Input:
    header = [*SAMPLE, "Acquisition Method Type", "Collection Days from Index"]
    rows = [["Biospecimen", f"HTA1_1_{one}", parent(one), "", "Biopsy", "3"] for one in range(count)]
    return atlas_of(("Biospecimen", csv_of(header, *rows)), ("Demographics", _people(5)))


def _line(count: int, text: str) -> Input:
    return _of_files(
        f"{','.join(DATA_FILE)}\nScRNA-seqLevel2,HTA1_1_1,HTA1_1_2,syn500\n".encode() + text.encode() * count
    )


def _several(count: int, each: int) -> str:
    """Return ids of a cell."""
    return ", ".join(f"HTA1_1_{each * one}" for one in range(count))


DIMENSIONS: Final[Mapping[str, Dimension]] = {
    "rows": lambda n: _of_files(_files(n, lambda one: f"HTA1_1_{one + 1}")),
    "columns": lambda n: _wide(n, "Own {}".format),
    "columns of digits": lambda n: _wide(n, str),
    "columns with values": lambda n: _wide(n, "Own {}".format, "x"),
    "columns named by pandas": lambda n: _wide(n, "Own.{}".format),
    "columns named by R": lambda n: _wide(n, "Own...{}".format),
    "columns with sides": lambda n: _wide(n, lambda one: f"Gender {one}_{'xy'[one % 2]}"),
    "columns with two names": lambda n: _wide(n, lambda one: f"Own {one}\u200b {one}  {one}"),
    "columns without a name": lambda n: _wide(n, lambda _: "", "x"),
    "columns without a name by tools": lambda n: _wide(n, "Unnamed: {}".format, "x"),
    "repeated columns": lambda n: _wide(n, lambda one: f"Own {one // 2}", "x"),
    "one column repeated": lambda n: _wide(n, lambda _: "Own", "x"),
    "id columns": lambda n: _wide(n, "HTAN {} ID".format, "HTA1_1_1"),
    "id column in many spellings": (
        lambda n: _wide(n, lambda one: "HTAN Data File ID" + " " * (one % 999), "x")
    ),
    "unknown columns of clinical manifests": lambda n: _wide_clinical(n, "Own {}".format),
    "known columns of clinical manifests": lambda n: _wide_clinical(n, "Gender {}".format, "female"),
    "columns with dates": lambda n: _wide_clinical(n, "Gender {}".format, "1950-03-14"),
    "blank lines": lambda n: _line(n, "\n"),
    "blank lines with carriage returns": lambda n: _line(n, "\r\n"),
    "old line ends": lambda n: _line(n, "\r"),
    "lines of blanks": lambda n: _line(n, "  \n"),
    "lines of commas": lambda n: _line(n, ",,,\n"),
    "blank lines between rows": lambda n: _line(n, "\nScRNA-seqLevel2,,,\n"),
    "commas in a line": lambda n: _line(n, ","),
    "letters in a line": lambda n: _line(n, "x"),
    "quotes in a line": lambda n: _line(n, '"'),
    "stray quotes": lambda n: _line(n, 'ScRNA-seqLevel2,"HTA1_1_1,x,y\n'),
    "stray quotes in quotes": lambda n: _line(n, 'ScRNA-seqLevel2,"a" b,"c,"d\n'),
    "quotes that open and close cells": lambda n: _line(n, '","\n'),
    "line breaks in a cell": lambda n: _line(1, 'ScRNA-seqLevel2,"' + "x,y,\n" * n + '",x,y\n'),
    "short rows": lambda n: _line(n, "ScRNA-seqLevel2,HTA1_1_1\n"),
    "long rows": lambda n: _line(n, "ScRNA-seqLevel2,HTA1_1_1,x,y,z,z\n"),
    "rows of all lengths": lambda n: _line(1, "".join("," * one + "x\n" for one in range(n))),
    "length of a cell": lambda n: _wide(1, "Own {}".format, "x" * n),
    "length of a cell of digits": lambda n: _wide(1, "Own {}".format, "1" * n),
    "length of a cell of blanks": lambda n: _wide(1, "Own {}".format, " " * n + "x"),
    "length of a column name": lambda n: _wide(1, lambda _: "Own " + "a.1" * n),
    "length of a component": lambda n: _line(1, "x " * n + ",HTA1_1_1,,\n"),
    "length of the annotation": lambda n: atlas_of(("x-" * n, _files(5, lambda _: ""))),
    "components": (lambda n: _line(1, "".join(f"C{one},HTA1_1_{one},HTA1_1_1,syn1\n" for one in range(n)))),
    "bad ids": lambda n: _of_files(_files(n, lambda _: "", lambda one: f"HTA1-1-{one}")),
    "bad parents": lambda n: _of_files(_files(n, lambda one: f"HTA1-1-{one}")),
    "bad ids and bad parents": lambda n: _of_files(_files(n, "HTA1-1-{}".format, "HTA1-1-{}".format)),
    "one bad parent": lambda n: _of_files(_files(n, lambda _: "HTA1-1-1")),
    "bad ids of samples": lambda n: _of_samples(_samples(n, "HTA1-1-{}".format, "HTA1-1-{}".format)),
    "bad ids of participants": lambda n: atlas_of(("Demographics", _people(n, "HTA1-{}".format))),
    "missing ids": lambda n: _of_files(_files(n, lambda _: "", lambda _: "")),
    "foreign ids": lambda n: _of_files(_files(n, "HTA2_1_{}".format, "HTA2_1_{}".format)),
    "ids of many atlases": (lambda n: _of_files(_files(n, lambda _: "", lambda one: f"HTA{one}_1_{one}"))),
    "duplicate ids": lambda n: _of_files(_files(n, lambda _: "", lambda one: f"HTA1_1_{one // 2}")),
    "one duplicate id": (lambda n: _of_files(_files(n, lambda one: f"HTA1_1_{one}", lambda _: "HTA1_1_1"))),
    "length of an id": (
        lambda n: _of_files(_files(2, lambda _: "HTA1_1_" + "1" * n, lambda one: f"HTA1_1_{one}" + "1" * n))
    ),
    "length of a bad id": (
        lambda n: _of_files(_files(2, lambda _: "HTA1_1_" + "x" * n, lambda _: "HTA1_" * n))
    ),
    "length of a participant id": (
        lambda n: atlas_of(("Demographics", _people(2, lambda one: f"HTA1_{one}" + "1" * n)))
    ),
    "lengths of ids": lambda n: _of_files(_files(n, lambda _: "", lambda one: "HTA1_1_" + "1" * one)),
    "parents in a cell": lambda n: _of_files(_files(2, lambda _: _several(n, 1))),
    "parents that many files share": lambda n: _of_files(_files(n, lambda _: _several(100, 1))),
    "files at the end of a chain": lambda n: _manifests(
        40,
        lambda one: f"Odd{one}",
        lambda one: (
            _files(n, lambda row: f"HTA1_1_{row + 1}")
            if not one
            else _files(1, lambda _: "HTA1_1_1", lambda _: f"HTA1_2_{one}")
        ),
    ),
    "unknown components with samples": lambda n: atlas_of(
        ("Biospecimen", _samples(n, lambda _: "HTA1_1")),
        *(
            (f"Odd{one}", _files(1, lambda _: "HTA1_1_1", f"HTA1_2_{one}{{}}".format))
            for one in range(n // 20)
        ),
    ),
    "bad parents in a cell": (
        lambda n: _of_files(_files(2, lambda _: ", ".join(f"HTA1-{one}" for one in range(n))))
    ),
    "parents in a cell, of all": lambda n: _of_files(_files(n, lambda _: _several(n, 1))),
    "adjacent samples in a cell": (
        lambda n: _of_samples(_samples(2, lambda _: "HTA1_1", lambda _: _several(n, 1)))
    ),
    "words in a cell": lambda n: _of_files(_files(2, lambda _: "x " * n)),
    "chain of files": lambda n: _of_files(_files(n, lambda one: f"HTA1_1_{one + 1}")),
    "chain of samples": (
        lambda n: _of_samples(
            _samples(n, lambda one: f"HTA1_1_{one - 1}" if one else "HTA1_1"), ("Demographics", _people(3))
        )
    ),
    "chain of samples of many participants": (
        lambda n: _of_samples(
            _samples(n, lambda one: f"HTA1_{one}, HTA1_1_{one + 1}"), ("Demographics", _people(n))
        )
    ),
    "samples of many participants": (
        lambda n: _of_samples(
            _samples(n, lambda _: ",".join(f"HTA1_{one}" for one in range(n))), ("Demographics", _people(n))
        )
    ),
    "cycle of files": lambda n: _of_files(_files(n, lambda one: f"HTA1_1_{(one + 1) % n}")),
    "cycle of samples": lambda n: _of_samples(_samples(n, lambda one: f"HTA1_1_{(one + 1) % n}")),
    "children of a file": lambda n: _of_files(_files(n, lambda _: "HTA1_1_0")),
    "children of a sample": (
        lambda n: _of_samples(
            _samples(n, lambda one: "HTA1_1_0" if one else "HTA1_0"), ("Demographics", _people(3))
        )
    ),
    "own parents": lambda n: _of_files(_files(n, lambda one: f"HTA1_1_{one}")),
    "unknown adjacent samples": (
        lambda n: _of_samples(_samples(n, lambda _: "HTA1_1", lambda one: f"HTA1_2_{one}"))
    ),
    "participants": lambda n: atlas_of(("Demographics", _people(n))),
    "participants that are in no Demographics": (
        lambda n: atlas_of(("Demographics", _people(1)), ("Diagnosis", _people(n)))
    ),
    "rows of a participant": lambda n: atlas_of(("Demographics", _people(n, lambda _: "HTA1_1"))),
    "therapies of a participant": lambda n: _therapies(n, lambda _: "HTA1_1"),
    "therapies": lambda n: _therapies(n, "HTA1_{}".format),
    "events at one time": lambda n: _sampled(n, lambda _: "HTA1_1"),
    "entity ids that are none": (
        lambda n: _line(1, "".join(f"ScRNA-seqLevel2,HTA1_1_{one},,x{one}\n" for one in range(n)))
    ),
    "duplicate entity ids": (
        lambda n: _line(1, "".join(f"ScRNA-seqLevel2,HTA1_1_{one},,syn77\n" for one in range(n)))
    ),
    "length of an entity id": lambda n: _line(1, f"ScRNA-seqLevel2,HTA1_1_1,,syn{'7' * n}\n"),
    "rows of the listing": lambda n: _listed(n, "file_{}.bam".format),
    "bad names in the listing": lambda n: _listed(n, "file {}.bam".format),
    "names that differ by case": (
        lambda n: _listed(
            n,
            lambda one: "".join(
                letter.upper() if one >> bit & 1 else letter for bit, letter in enumerate("abcdefghijklmnop")
            ),
        )
    ),
    "length of a name": lambda n: _listed(2, lambda one: "x " * n + str(one)),
    "endings of names": lambda n: _listed(n, "file.{}".format),
    "odd types in the listing": lambda n: _listed(n, "f{}".format, "table"),
    "repeated rows of the listing": lambda n: _listed(n, "f{}".format, "file", "syn77"),
    "rows without a folder": (
        lambda n: atlas_of(more=[entity(f"syn{10**7 + one}", "a", parent=f"syn{one}") for one in range(n)])
    ),
    "files in archives": (
        lambda n: atlas_of(
            more=[
                entity("syn5", "archive", "folder"),
                *(entity(f"syn{10**7 + one}", "a", parent="syn5") for one in range(n)),
            ]
        )
    ),
    "archives": lambda n: _folders(n, lambda _: PROJECT, lambda _: "archive"),
    "folders of a level": lambda n: _folders(n, lambda _: PROJECT),
    "badly named folders": lambda n: _folders(n, lambda _: PROJECT, "f {}".format),
    "depth of folders": lambda n: _folders(n, _below),
    "depth of folders with long names": lambda n: _folders(n, _below, lambda _: "f" * 250),
    "depth of badly named folders": lambda n: _folders(n, _below, lambda _: "f " * 100),
    "cycle of folders": lambda n: _folders(n, lambda one: f"syn{10**6 + (one + 1) % n}"),
    "folders below a cycle": lambda n: _folders(n, lambda one: f"syn{10**6 + max(one - 1, 0)}"),
    "cycles of folders": lambda n: _folders(n, lambda one: f"syn{10**6 + (one ^ 1)}"),
    "manifests": (
        lambda n: _manifests(
            n,
            lambda _: "ScRNA-seqLevel2",
            lambda one: _files(2, "HTA1_1_{}".format, lambda row: f"HTA1_{one}_{row}"),
        )
    ),
    "manifests of unknown components": (
        lambda n: _manifests(n, "Odd{}".format, lambda _: csv_of(["Sign"], ["x"]))
    ),
    "manifests with one bad id": (
        lambda n: _manifests(n, lambda _: "Biospecimen", lambda _: _samples(3, lambda _: "HTA1-1"))
    ),
    "versions of a manifest": _versions,
    "manifests of samples": (
        lambda n: _manifests(
            n,
            lambda _: "Biospecimen",
            lambda one: csv_of(list(SAMPLE), ["Biospecimen", f"HTA1_1_{one}", "HTA1_1", ""]),
        )
    ),
    "manifests of participants": lambda n: _manifests(n, lambda _: "Diagnosis", lambda _: _people(3)),
}
