"""The path check of an atlas names what is left out: archives, files by their names, manifests."""

from __future__ import annotations

from hdash_site.pages.kinds import atlas as atlas_page
from tests import worlds


def submit(site, name, modified, *people, component="Demographics"):
    """A manifest in the folder of the first Demographics manifest."""
    project = site.atlases.projects[0]["id"]
    folder = next(row["parentId"] for row in site.atlases.files if row["Component"] == "Demographics")
    data = worlds.demographics(*people)
    return site.atlases.manifest(project, folder, component, data, name=name, modifiedOn=str(modified))


def path_check(site):
    page = site.page("hta1")
    return page[page.index('<section id="paths"') : page.index('<section id="network"')]


def test_manifests_that_are_not_used_are_named_with_what_is_used_instead(site):
    whole = next(row["id"] for row in site.atlases.files if row["Component"] == "Demographics")
    censored = submit(site, "synapse_storage_manifest_demographics_censored.csv", 1_800_000_000_000, "HTA1_1")
    old = submit(site, "synapse_storage_manifest_<old>.csv", 1_600_000_000_000, "HTA1_9")
    legacy = submit(site, "synapse_storage_manifest.csv", 1_900_000_000_000, "HTA1_8")
    site.atlases.save()
    site.built()
    text = path_check(site)
    rows = [
        row for row in text.split("<tr>") if "used instead" not in row and f">{whole}</a></td></tr>" in row
    ]
    assert len(rows) == 3
    for entity, why in ((censored, "censored version"), (old, "older"), (legacy, "legacy name")):
        [row] = [row for row in rows if f">{entity}</a>" in row]
        assert f"<td>{why}</td>" in row
    assert "clinical/synapse_storage_manifest_&lt;old&gt;.csv" in text
    assert "HTA1_9" not in site.page("hta1/participants")


def test_archives_and_files_that_are_left_out_for_their_names_are_counted(site):
    project = site.atlases.projects[0]["id"]
    archive = site.atlases.entity(project, project, "Archive", "folder")
    for name in ("a.bam", "synapse_storage_manifest_x.csv"):
        site.atlases.entity(project, archive, name)
    site.atlases.entity(project, project, ".DS_Store")
    site.atlases.save()
    site.built()
    text = path_check(site)
    assert "<bdi>Archive</bdi>" in text
    assert f">{archive}</a>, 2 files)" in text
    assert "<code>.DS_Store</code> (1 file)." in text
    assert "Manifests that are not used" not in text


def test_many_manifests_that_are_not_used_are_counted_and_the_first_of_them_shown(site, monkeypatch):
    monkeypatch.setattr(atlas_page, "SUPERSEDED_SHOWN", 3)
    for number in range(5):
        submit(site, f"synapse_storage_manifest_{number}.csv", number, "HTA1_9")
    site.atlases.save()
    site.built()
    text = path_check(site)
    assert text.count("<td>older</td>") == 3
    assert '2 more are in <a href="atlas.json">' in text
