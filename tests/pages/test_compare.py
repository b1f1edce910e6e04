"""The atlases side by side: records, findings and completeness of each component and check."""

from __future__ import annotations

import re

from tests import worlds


def rows(page, section):
    """The rows of a table of the page, as lists of texts."""
    table = page.partition(f'<section id="{section}"')[2].partition("</table>")[0]
    found = re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found]
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in cells]


def build(folder):
    atlases = worlds.small(folder / "atlases", "HTA1", "HTA2")
    project = atlases.projects[1]["id"]
    other = atlases.entity(project, project, "other", "folder")  # one manifest counts in each folder
    atlases.manifest(project, project, "Therapy", [{"HTAN Participant ID": "HTA2_9", "A": "x", "B": ""}])
    atlases.manifest(project, other, "Nonsense", [{"HTAN Participant ID": "HTA2_1", "A": ""}])
    atlases.save()
    site = worlds.site_folder(folder / "site")
    worlds.build(site, atlases.folder)
    return site, atlases


def test_each_component_of_some_atlas_has_a_row_in_the_order_of_the_catalogue(tmp_path):
    site, _ = build(tmp_path)
    found = rows((site / "public/compare/index.html").read_text(), "components")
    assert found == [
        ["Demographics", "clinical", "–", "2", "2"],
        ["Therapy", "clinical", "–", "–", "1"],
        ["Biospecimen", "–", "–", "1", "1"],
        ["scRNA-seq Level 1", "single-cell", "1", "1", "1"],
        ["Nonsense", "clinical", "–", "–", "1"],
        ["All", "", "", "4", "6"],
    ]


def test_findings_lead_to_their_check_on_the_page_of_the_atlas(tmp_path):
    site, _ = build(tmp_path)
    page = (site / "public/compare/index.html").read_text()
    assert {row[0]: row[1:] for row in rows(page, "checks")}["H_NON_DEM"] == ["0", "1"]
    assert '<a href="../hta2/#H_NON_DEM">1</a>' in page


def test_completeness_is_the_share_of_filled_cells(tmp_path):
    site, _ = build(tmp_path)
    found = {
        row[0]: row[1:] for row in rows((site / "public/compare/index.html").read_text(), "completeness")
    }
    assert found["Therapy"] == ["–", "50.0%"]
    assert found["Demographics"] == ["100%", "100%"]


def test_what_the_comparison_does_not_show_leaves_it_alone(tmp_path):
    site, atlases = build(tmp_path)
    project = atlases.projects[0]["id"]
    atlases.entity(project, project, "new.bam")
    atlases.save()
    ran = {str(event.key) for event in worlds.build(site, atlases.folder).ran}
    assert "page:home/" in ran
    assert "page:compare/" not in ran
