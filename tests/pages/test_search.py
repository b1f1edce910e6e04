"""The search looks through titles and addresses, and stands while nothing but figures changes."""

from __future__ import annotations

import gzip
import json

from tests import worlds


def titles(site):
    return json.loads((site.folder / "public/search/titles.json").read_bytes())["titles"]


def test_every_address_that_the_search_gives_is_there(site):
    site.built()
    found = titles(site)
    assert len(found) > 90
    for _, url, _ in found:
        path, _, anchor = url.partition("#")
        page = site.page(path)
        assert not anchor or f'id="{anchor}"' in page, url


def test_figures_leave_the_search_alone_and_names_do_not(site):
    site.built()
    before = {path: path.read_bytes() for path in (site.folder / "public/search").iterdir()}
    [entity] = [row["id"] for row in site.atlases.files if row["Component"] == "Demographics"]
    more = worlds.as_csv(worlds.demographics("HTA1_1", "HTA1_2", "HTA1_3"))
    site.atlases.manifests[entity] = more
    site.atlases.save()
    ran = site.built()
    assert "page:atlas/HTA1" in ran
    assert {path: path.read_bytes() for path in (site.folder / "public/search").iterdir()} == before
    site.atlases.projects[0]["name"] = "Renamed"
    site.atlases.save()
    assert "page:search/" in site.built()
    assert ["HTA1", "hta1/", "atlas Renamed"] in titles(site)


def test_the_titles_of_two_thousand_manifests_weigh_less_than_100_kilobytes(site):
    project = site.atlases.projects[0]["id"]
    for number in range(2000):
        folder = site.atlases.entity(project, project, f"imaging_level_2_batch_{number}", "folder")
        site.atlases.entity(
            project, folder, "synapse_storage_manifest_imaginglevel2.csv", Component="ImagingLevel2"
        )
    site.atlases.save()
    site.build()
    assert len(titles(site)) > 2000
    assert len(gzip.compress((site.folder / "public/search/titles.json").read_bytes())) < 100_000
