"""Edits among very many pages: as exact and minimal as among few. `PAGES=20000` for as many as that."""

from __future__ import annotations

import os

import pytest

from tests import worlds
from tests.test_whole_program import World, step

PAGES = int(os.environ.get("PAGES", "120"))
ATLASES = 6


def change_a_cell(data: bytes, person: str) -> bytes:
    return data.replace(f"{person},female".encode(), f"{person},male".encode())


def name_a_sample_twice(data: bytes, person: str) -> bytes:
    return data + f"Biospecimen,{person}_1,{person},12,Biopsy,Colon NOS\n".encode()


def move_a_sample(data: bytes, person: str) -> bytes:
    return data.replace(f"{person}_1,{person},".encode(), f"{person}_1,{person[:-1]},".encode())


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A world of so many participants with a page each, and what was left by its first build."""
    world = World(tmp_path_factory.mktemp("many"))
    world.atlases = worlds.Collection(world.atlases.folder)
    for number in range(ATLASES):
        atlas = f"HTA{number + 1}"
        project = world.atlases.atlas(atlas)
        names = [f"{atlas}_{person}" for person in range(1, PAGES // ATLASES + 1)]
        samples = [(f"{name}_1", name) for name in names]
        for component, rows in (
            ("Demographics", worlds.demographics(*names)),
            ("Biospecimen", worlds.biospecimens(*samples)),
        ):
            folder = world.atlases.entity(project, project, component, "folder")
            world.atlases.manifest(project, folder, component, rows)
    world.atlases.save()
    world.found = step(world, None, {})
    return world


@pytest.mark.parametrize(
    ("component", "edit", "others"),
    [
        ("Demographics", change_a_cell, []),
        ("Biospecimen", name_a_sample_twice, []),
        (
            "Biospecimen",
            move_a_sample,
            ["hta1/participants/hta1_1/index.html", "hta1/participants/index.html"],
        ),
    ],
)
def test_an_edit_makes_the_pages_of_those_whom_it_concerns_and_no_other(many, component, edit, others):
    before = many.found
    assert sum(path.endswith("index.html") for path in before) > PAGES
    entity = next(row["id"] for row in many.atlases.files if row["Component"] == component)
    many.atlases.manifests[entity] = edit(many.atlases.manifests[entity], "HTA1_12")
    many.atlases.save()
    after = many.found = step(many, edit.__name__, before)
    written = sorted(path for path, data in after.items() if before.get(path) != data)
    people = [path for path in written if "/participants/" in path]
    assert people == sorted(["hta1/participants/hta1_12/index.html", *others])
    assert not [path for path in written if path.startswith(("hta2/", "find/hta2/"))]
    # On the timeline, all move up where somebody has no event any more.
    assert len([path for path in written if "/timeline/" not in path]) < 40
    print(f"{len(before):,} files, {len(written)} written after {edit.__name__}: {', '.join(written)}")
