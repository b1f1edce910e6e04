"""The fix list of an atlas: what a submitter sees, and which pages a fix makes anew."""

from __future__ import annotations

import csv
import io

from tests import worlds


def with_faults(site):
    project = site.atlases.projects[0]["id"]
    folder = site.atlases.entity(project, project, "lost", "folder")
    files = [site.atlases.entity(project, folder, f"{n}.fastq") for n in range(3)]
    rows = worlds.reads(*((f"HTA1_1_9{n:04}", "HTA1_1_77", file) for n, file in enumerate(files)))
    entity = site.atlases.manifest(project, folder, "ScRNA-seqLevel1", rows)
    site.atlases.save()
    return entity


def test_the_list_names_the_place_the_rows_and_the_way_out(site):
    entity = with_faults(site)
    site.built()
    page = site.page("hta1/fix")
    assert "The parent does not exist in the atlas" in page
    assert '<a href="../../checks/h_links/"><code>H_LINKS</code></a>' in page
    assert f'<a href="../../hta1/manifests/{entity}/#H_LINKS"><bdi>ScRNA-seqLevel1</bdi></a>' in page
    assert f'<a href="https://www.synapse.org/Synapse:{entity}" rel="noreferrer">{entity}</a>' in page
    assert '<td data-label="Rows">2–4</td>' in page
    assert "a biospecimen id, like HTA3_8001_1" in page


def test_an_atlas_without_findings_has_a_list_that_says_so(site):
    site.built()
    assert "There is nothing to fix." in site.page("hta1/fix")
    assert not list((site.folder / "public").glob("hta1/manifests/*/findings.csv"))


def test_a_manifest_with_findings_offers_them_as_a_table(site):
    entity = with_faults(site)
    site.built()
    page = site.page(f"hta1/manifests/{entity}")
    assert '<a class="button" href="findings.csv" download>' in page
    assert "rows 2–4" in page
    text = (site.folder / f"public/hta1/manifests/{entity}/findings.csv").read_text()
    assert [row["row"] for row in csv.DictReader(io.StringIO(text))] == ["2", "3", "4"]


def test_more_causes_than_fit_a_page_go_to_further_pages(site, monkeypatch):
    from hdash_site.pages.kinds import fix

    monkeypatch.setattr(fix, "A_PAGE", 1)
    with_faults(site)
    site.atlases.entity(site.atlases.projects[0]["id"], site.atlases.projects[0]["id"], "a b.bam")
    site.atlases.save()
    site.built()
    first, second = site.page("hta1/fix"), site.page("hta1/fix/2")
    assert ("H_LINKS" in first, "H_FILE_NAMES" in first) == (True, False)
    assert ("H_LINKS" in second, "H_FILE_NAMES" in second) == (False, True)
    assert '<a href="../../hta1/fix/2/">2</a>' in first
    assert '<a href="../../../hta1/fix/">1</a>' in second


def test_a_finding_fixed_in_one_manifest_makes_anew_only_what_shows_it(site):
    entity, other = with_faults(site), with_faults(site)
    site.built()
    site.atlases.manifests[entity] = site.atlases.manifests[entity].replace(b"HTA1_1_77", b"HTA1_1_1")
    site.atlases.save()
    result = site.build()
    assert {path for path, _ in result.deployed.written} == {
        "index.html",
        "index.json",
        "compare/index.html",
        "checks/index.html",
        "checks/h_links/index.html",
        "notes/live-figures/index.html",
        "hta1/index.html",
        "hta1/atlas.json",
        "hta1/findings.csv",
        "hta1/fix/index.html",
        "hta1/fix/fixes.csv",
        "hta1/network.sif",
        f"hta1/manifests/{entity}/index.html",
        # The participant that the files lead to again, and the place of its ids in the index.
        "find/hta1/-.json",
        "hta1/lineage/index.html",
        "hta1/participants/index.html",
        "hta1/participants/hta1_1/index.html",
        "changes/index.html",
        "changes/feed.xml",
        next(path for path, _ in result.deployed.written if path.startswith("changes/2")),
    }
    assert [path for path, _ in result.deployed.removed] == [f"hta1/manifests/{entity}/findings.csv"]
    assert f"page:manifest/HTA1/{other}" not in {str(event.key) for event in result.ran}


def test_a_cell_that_no_check_looks_at_leaves_the_fix_list_alone(site):
    with_faults(site)
    site.built()
    [entity] = [row["id"] for row in site.atlases.files if row["Component"] == "Demographics"]
    site.atlases.manifests[entity] = site.atlases.manifests[entity].replace(b"female", b"male", 1)
    site.atlases.save()
    assert "page:fix/HTA1" not in site.built()
