"""The data for scripts says what the pages show, as docs/data.md has it, and nothing that would do harm."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests import worlds
from tests.browser import hostile

DOCS = (Path(__file__).parents[2] / "docs/data.md").read_text()


def data(site, path):
    return json.loads((site.folder / "public" / path).read_bytes())


def test_the_index_has_every_atlas_and_leads_to_its_data(site):
    site.built()
    index = data(site, "index.json")
    assert (index["version"], index["title"], index["sample"]) == (2, "Test site", False)
    [atlas] = index["atlases"]
    assert (atlas["id"], atlas["files"], atlas["errors"]) == ("HTA1", 1, 0)
    assert site.has(f"{atlas['page']}index.html")
    assert data(site, atlas["data"])["atlas"].items() <= atlas.items()


def test_the_data_of_an_atlas_says_where_its_findings_are_and_leads_to_its_files(site):
    project = site.atlases.projects[0]["id"]
    folder = site.atlases.entity(project, project, "lost", "folder")
    files = [site.atlases.entity(project, folder, f"{n}.bam") for n in range(3)]
    rows = worlds.reads(*((f"HTA1_1_9{n}", "HTA1_1_77", file) for n, file in enumerate(files)))
    entity = site.atlases.manifest(project, folder, "ScRNA-seqLevel1", rows)
    site.atlases.save()
    site.built()
    atlas = data(site, "hta1/atlas.json")
    [cause] = atlas["fixes"]
    assert (cause["code"], cause["count"]) == ("H_LINKS", 3)
    assert [(one["entity"], one["rows"], one["more_rows"]) for one in cause["where"]] == [
        (entity, [[2, 4]], 0)
    ]
    assert {one["code"]: one["errors"] for one in atlas["checks"]}["H_LINKS"] == 3
    files = [*atlas["downloads"].values(), *(one["table"] for one in atlas["completeness"])]
    files += [one["page"] + "index.html" for one in atlas["manifests"]]
    assert len(files) > 6
    assert all(site.has(f"hta1/{path}") for path in files)


def test_every_field_is_documented(site):
    project = site.atlases.projects[0]["id"]
    site.atlases.entity(project, project, "a b.bam")
    site.atlases.save()
    site.built()
    known = set(re.findall(r"`(\w+)`", DOCS))
    index, atlas = data(site, "index.json"), data(site, "hta1/atlas.json")
    named = {
        *index,
        *index["atlases"][0],
        *atlas,
        *atlas["atlas"],
        *atlas["manifests"][0],
        *atlas["checks"][0],
    }
    named |= {*atlas["fixes"][0], *atlas["fixes"][0]["where"][0], *atlas["completeness"][0]}
    named |= {*atlas["completeness"][0]["columns"][0], *atlas["folders"]}
    assert named - known == set()


def test_hostile_text_is_data_in_ascii_without_a_tag(tmp_path):
    hostile.collection(tmp_path / "atlases")
    site = worlds.site_folder(tmp_path / "site")
    worlds.build(site, tmp_path / "atlases")
    paths = [site / "public/index.json", *site.glob("public/*/atlas.json")]
    assert len(paths) == len(hostile.TEXTS) + 1
    for path in paths:
        text = path.read_bytes()
        assert not re.search(rb"[<>&\x00-\x09\x0b-\x1f\x7f-\xff]", text), path
        json.loads(text)
    names = [atlas["name"] for atlas in json.loads(paths[0].read_bytes())["atlases"]]
    assert "<script>alert(1)</script> name" in names


def test_the_data_of_an_atlas_stands_if_another_atlas_changes(tmp_path):
    atlases = worlds.small(tmp_path / "atlases", "HTA1", "HTA2")
    site = worlds.site_folder(tmp_path / "site")
    worlds.build(site, atlases.folder)
    project = atlases.projects[1]["id"]
    atlases.entity(project, project, "new.bam")
    atlases.save()
    ran = {str(event.key) for event in worlds.build(site, atlases.folder).ran}
    assert {"page:dataset/", "page:dataset/HTA2"} <= ran
    assert "page:dataset/HTA1" not in ran
