"""Pages of participants and the index of ids: what they hold, and what an edit makes anew of them."""

from __future__ import annotations

import json
import re

from tests import worlds


def written(result):
    return sorted(path for path, _ in result.deployed.written)


def text_of(page):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page))


def test_a_participant_has_a_page_with_what_is_known_and_what_comes_from_it(site):
    site.built()
    page = text_of(site.page("hta1/participants/hta1_1"))
    for words in (
        "Gender female",
        "Biospecimens 1",
        "Data files 1",
        "Level 1: 1",
        "Level 2: none",
        "As a list",
    ):
        assert words in page, words
    page = text_of(site.page("hta1/participants/hta1_2"))
    assert "Nothing comes from this participant yet." in page
    assert "Timeline" not in page
    assert "HTA1_1 1 1 scRNA-seq" in text_of(site.page("hta1/participants"))
    assert "Biospecimen 1 1 0 0 0 0% 1 (100%)" in text_of(site.page("hta1/lineage"))


def test_a_participants_page_says_what_to_fix_on_its_rows_if_there_is_something(site):
    entity = next(one for one, data in site.atlases.manifests.items() if b"HTAN Parent ID" in data)
    site.built()
    assert "What to fix" not in text_of(site.page("hta1/participants/hta1_1"))
    data = site.atlases.manifests[entity]
    site.atlases.manifests[entity] = data + data.splitlines(keepends=True)[1]
    site.atlases.save()
    result = site.build()
    assert "hta1/participants/hta1_1/index.html" in written(result)
    page = site.page("hta1/participants/hta1_1")
    assert "Duplicate ID: an earlier record has it" in page
    for address in (f"../../manifests/{entity}/#H_ID_SPEC", "../../../checks/h_id_spec/", "../../fix/"):
        assert f'href="{address}"' in page
    assert "What to fix" not in text_of(site.page("hta1/participants/hta1_2"))
    site.atlases.manifests[entity] = data
    site.atlases.save()
    site.build()
    assert "What to fix" not in text_of(site.page("hta1/participants/hta1_1"))


def test_what_is_wrong_with_others_makes_no_participants_page_anew(site):
    project = site.atlases.projects[0]["id"]
    folder = site.atlases.entity(project, project, "p", "folder")
    people = worlds.demographics(*(f"HTA1_{n}" for n in range(1, 200)))
    entity = site.atlases.manifest(project, folder, "Demographics", people)
    folder = site.atlases.entity(project, project, "s", "folder")
    samples = [(f"HTA1_{n}_9", f"HTA1_{n}") for n in range(1, 200)]
    entity = site.atlases.manifest(project, folder, "Biospecimen", worlds.biospecimens(*samples))
    site.atlases.save()
    site.built()
    site.atlases.manifests[entity] += b"Biospecimen,HTA1_77_9,HTA1_77,12,Biopsy,Colon NOS\n"
    site.atlases.save()
    result = site.build()
    assert len([event for event in result.ran if event.key.kind == "people"]) == 1
    found = [path for path in written(result) if path.startswith("hta1/participants")]
    assert found == ["hta1/participants/hta1_77/index.html"]


def test_a_level_below_what_there_is_is_missing(site):
    project = site.atlases.projects[0]["id"]
    rows = [
        {
            "Component": "ScRNA-seqLevel3",
            "HTAN Data File ID": "HTA1_1_3001",
            "HTAN Parent Data File ID": "HTA1_1_1001",
            "entityId": "syn1",
        }
    ]
    site.atlases.manifest(
        project, site.atlases.entity(project, project, "l3", "folder"), "ScRNA-seqLevel3", rows
    )
    site.atlases.save()
    site.built()
    assert "Level 1: 1 Level 2: missing Level 3: 1 Level 4: none" in text_of(
        site.page("hta1/participants/hta1_1")
    )


def test_imaging_begins_at_level_2_so_level_1_is_not_missing(site):
    project = site.atlases.projects[0]["id"]
    chain = (
        ("ImagingLevel2", "HTAN Parent Biospecimen ID", "HTA1_1_2001", "HTA1_1_1"),
        ("ImagingLevel4", "HTAN Parent Data File ID", "HTA1_1_4001", "HTA1_1_2001"),
    )
    for component, column, name, parent in chain:
        rows = [{"Component": component, "HTAN Data File ID": name, column: parent, "entityId": "syn1"}]
        folder = site.atlases.entity(project, project, component, "folder")
        site.atlases.manifest(project, folder, component, rows)
    site.atlases.save()
    site.built()
    page = text_of(site.page("hta1/participants/hta1_1"))
    assert "Imaging Level 1: none Level 2: 1 Level 3: missing Level 4: 1" in page


def test_malformed_ids_get_no_pages_and_the_atlas_page_counts_participants_without_a_record(site):
    before = site_of(site)
    project = site.atlases.projects[0]["id"]
    odd = worlds.demographics(*(f"HTA1_{n}x" for n in range(300)), "HTA1_8")
    folder = site.atlases.entity(project, project, "odd", "folder")
    site.atlases.manifest(project, folder, "Demographics", odd)
    site.atlases.save()
    added = site_of(site) - before
    assert {path for path in added if "participants" in path} == {"hta1/participants/hta1_8/index.html"}
    page = text_of(site.page("hta1"))
    assert "3 participants have no record in these components." in page


def site_of(site):
    site.built()
    public = site.folder / "public"
    return {str(path.relative_to(public)) for path in public.rglob("*") if path.is_file()}


def test_more_than_a_thousand_participants_are_on_several_lists(site):
    project = site.atlases.projects[0]["id"]
    people = worlds.demographics(*(f"HTA1_{n}" for n in range(1, 1500)))
    site.atlases.manifest(
        project, site.atlases.entity(project, project, "p", "folder"), "Demographics", people
    )
    site.atlases.save()
    ran = site.built()
    assert len([key for key in ran if key.startswith("people:HTA1/")]) == 128
    first, second = site.page("hta1/participants"), site.page("hta1/participants/page-2")
    assert (first.count("<tr>"), second.count("<tr>")) == (1001, 500)
    assert 'href="../../../hta1/participants/hta1_1499/"' in second
    assert site.has("hta1/participants/hta1_1499/index.html")
    # A cell that is no id makes one group and one page anew.
    entity = max(site.atlases.manifests)
    data = site.atlases.manifests[entity]
    site.atlases.manifests[entity] = data.replace(b"HTA1_700,female", b"HTA1_700,male")
    site.atlases.save()
    result = site.build()
    ran = {str(event.key) for event in result.ran}
    assert len([key for key in ran if key.startswith("people:")]) == 1
    found = [path for path in written(result) if path.startswith(("hta1/participants", "find/"))]
    assert found == ["hta1/participants/hta1_700/index.html"]


def test_a_sample_more_makes_anew_its_shard_and_its_participants_page_and_no_other(site):
    site.atlases = worlds.small(site.atlases.folder, "HTA1", "HTA2")
    site.built()
    entity = next(one for one, data in site.atlases.manifests.items() if b"HTA2_1_1,HTA2_1" in data)
    site.atlases.manifests[entity] += b"Biospecimen,HTA2_2_9,HTA2_2,12,Biopsy,Colon NOS\n"
    site.atlases.save()
    result = site.build()
    new = [path for path in written(result) if path.startswith(("find/", "hta1/", "hta2/participants"))]
    assert new == [
        "find/hta2/-.json",
        "find/hta2/directory.json",
        "hta2/participants/hta2_2/index.html",
        "hta2/participants/index.html",
    ]
    shard = json.loads((site.folder / "public/find/hta2/-.json").read_text())
    assert [row[0] for row in shard["ids"]] == ["1", "1_1", "1_1001", "2", "2_9"]
