"""Bad input, one mistake at a time: the sentence that it must give, its exit code, and a site that is built.

What each mistake says is pinned in `<mistake>/says.txt`; `make golden` writes them anew.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import worlds

HERE = Path(__file__).parent
DEMOGRAPHICS, BIOSPECIMENS, READS = range(3)


class Place:
    """A faultless site and its atlases, for a mistake to be made in."""

    def __init__(self, folder: Path) -> None:
        self.site = worlds.site_folder(folder / "site")
        self.atlases = worlds.small(folder / "atlases", "HTA1", "HTA2")

    def manifest(self, number: int, data: bytes) -> None:
        self.atlases.manifests[sorted(self.atlases.manifests)[number]] = data

    def data(self, number: int) -> bytes:
        return self.atlases.manifests[sorted(self.atlases.manifests)[number]]

    def project(self) -> str:
        return self.atlases.projects[0]["id"]

    def folders(self) -> list[dict[str, str]]:
        return [row for row in self.atlases.files if row["type"] == "folder"]

    def toml(self, text: str) -> None:
        (self.site / "site.toml").write_text(text)

    def article(self, name: str, text: str) -> None:
        (self.site / "content" / name).write_text(text)


def manifest_latin1(place: Place) -> None:
    place.manifest(DEMOGRAPHICS, place.data(DEMOGRAPHICS).replace(b"female", b"f\xe9male"))


def manifest_with_a_bom(place: Place) -> None:
    place.manifest(DEMOGRAPHICS, b"\xef\xbb\xbf" + place.data(DEMOGRAPHICS))


def manifest_with_nul_bytes(place: Place) -> None:
    place.manifest(DEMOGRAPHICS, place.data(DEMOGRAPHICS).replace(b"female", b"fem\0ale"))


def manifest_without_a_byte(place: Place) -> None:
    place.manifest(DEMOGRAPHICS, b"")


def manifest_without_a_header(place: Place) -> None:
    place.manifest(DEMOGRAPHICS, b"\n\nDemographics,HTA1_1,female\n")


def manifest_without_a_row(place: Place) -> None:
    place.manifest(READS, place.data(READS).splitlines(keepends=True)[0])


def manifest_repeats_a_column(place: Place) -> None:
    place.manifest(
        DEMOGRAPHICS, b"Component,HTAN Participant ID,Gender,Gender\nDemographics,HTA1_1,a,b\n,HTA1_2,a,b\n"
    )


def manifest_lacks_a_column(place: Place) -> None:
    place.manifest(BIOSPECIMENS, b"Component,HTAN Biospecimen ID\nBiospecimen,HTA1_1_1\n")


def manifest_with_ragged_rows(place: Place) -> None:
    rows = b"Component,HTAN Participant ID,Gender\nDemographics,HTA1_1\nDemographics,HTA1_2,female,too,much\n"
    place.manifest(DEMOGRAPHICS, rows)


def manifest_that_is_no_csv(place: Place) -> None:
    place.manifest(DEMOGRAPHICS, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4)


def manifest_that_is_a_web_page(place: Place) -> None:
    place.manifest(DEMOGRAPHICS, b"<!DOCTYPE html>\n<html><body>Not found</body></html>\n")


def manifest_of_200_megabytes(place: Place) -> None:
    place.manifest(
        DEMOGRAPHICS, place.data(DEMOGRAPHICS) + b"Demographics,HTA1_2,female\n" * ((200 << 20) // 26)
    )


def manifest_that_is_not_there(place: Place) -> None:
    place.atlases.manifests.pop(sorted(place.atlases.manifests)[DEMOGRAPHICS])


def manifest_with_an_open_quote(place: Place) -> None:
    place.manifest(DEMOGRAPHICS, place.data(DEMOGRAPHICS).replace(b"female", b'"female', 1))


def component_that_nobody_knows(place: Place) -> None:
    rows = [{"Component": "Astrology", "HTAN Participant ID": "HTA1_1", "Sign": "Leo"}]
    place.atlases.manifest(place.project(), place.project(), "Astrology", rows)


def listing_with_a_folder_cycle(place: Place) -> None:
    one, two = place.folders()[:2]
    one["parentId"], two["parentId"] = two["id"], one["id"]


def listing_with_a_missing_parent(place: Place) -> None:
    place.atlases.entity(place.project(), "syn99999999", "lost.bam")


def listing_with_a_duplicate_id(place: Place) -> None:
    place.atlases.files.append(place.atlases.files[0] | {"name": "again"})


def atlas_without_rows(place: Place) -> None:
    place.atlases.atlas("HTA3")


def atlas_with_a_slash(place: Place) -> None:
    place.atlases.atlas("HTA/3")


def atlas_that_is_called_as_our_own_pages(place: Place) -> None:
    place.atlases.atlas("Checks")
    place.atlases.atlas("assets")


def atlas_listed_twice(place: Place) -> None:
    place.atlases.projects.append(place.atlases.projects[0] | {"id": "syn77777777"})


def atlas_without_a_synapse_id(place: Place) -> None:
    place.atlases.projects[1]["id"] = "the second one"


def article_without_an_end_of_front_matter(place: Place) -> None:
    place.article("broken.md", '+++\ntitle = "Broken"\nWords.\n')


def article_with_front_matter_that_is_not_toml(place: Place) -> None:
    place.article("broken.md", "+++\ntitle = Broken\n+++\nWords.\n")


def article_with_an_unknown_key(place: Place) -> None:
    place.article("broken.md", '+++\ntitle = "Broken"\nauthr = "me"\n+++\nWords.\n')


def article_without_a_title(place: Place) -> None:
    place.article("broken.md", "+++\nweight = 1\n+++\nWords.\n")


def article_that_is_not_utf8(place: Place) -> None:
    (place.site / "content/broken.md").write_bytes(b'+++\ntitle = "Br\xe9ken"\n+++\nWords.\n')


def article_with_a_name_that_is_not_utf8(place: Place) -> None:
    place.article(os.fsdecode(b"br\xe9ken.md"), '+++\ntitle = "Broken"\n+++\nWords.\n')


def shortcode_without_an_end(place: Place) -> None:
    place.article("broken.md", '+++\ntitle = "Broken"\n+++\nWords: {{< figure atlas="HTA1"\n')


def shortcode_that_nobody_knows(place: Place) -> None:
    place.article("broken.md", '+++\ntitle = "Broken"\n+++\n\n{{< figures atlas="HTA1" >}}\n')


def shortcode_with_an_unknown_argument(place: Place) -> None:
    place.article("broken.md", '+++\ntitle = "Broken"\n+++\n{{< total fields="files" >}}\n')


def shortcode_of_an_atlas_that_is_missing(place: Place) -> None:
    place.article("broken.md", '+++\ntitle = "Broken"\n+++\n{{< figure atlas="HTA7" field="files" >}}\n')


def shortcode_that_refers_to_no_page(place: Place) -> None:
    place.article("broken.md", '+++\ntitle = "Broken"\n+++\nSee {{< ref to="abuot.md" >}}.\n')


def shortcode_that_is_no_part_of_a_sentence(place: Place) -> None:
    place.article("broken.md", '+++\ntitle = "Broken"\n+++\nHere: {{< atlases >}}\n')


def shortcode_whose_layout_raises(place: Place) -> None:
    path = place.site / "layouts/shortcodes/total.mako"
    path.write_text(path.read_text() + "\n${1 // 0}\n")


def two_pages_with_one_address(place: Place) -> None:
    place.article("one.md", '+++\ntitle = "One"\nslug = "same"\n+++\nWords.\n')
    place.article("two.md", '+++\ntitle = "Two"\nslug = "same"\n+++\nWords.\n')


def layout_that_raises(place: Place) -> None:
    path = place.site / "layouts/check.mako"
    path.write_text(path.read_text() + "\n${1 // 0}\n")


def layout_that_is_not_mako(place: Place) -> None:
    path = place.site / "layouts/check.mako"
    path.write_text(path.read_text() + "\n% if True:\n")


def layout_that_is_missing(place: Place) -> None:
    (place.site / "layouts/check.mako").unlink()


def asset_that_is_missing(place: Place) -> None:
    (place.site / "layouts/assets/site.css").unlink()


def setting_with_a_wrong_key(place: Place) -> None:
    place.toml('titel = "Test site"\n')


def setting_with_a_wrong_type(place: Place) -> None:
    place.toml("title = 5\n")


def setting_of_a_lease_that_ends_at_once(place: Place) -> None:
    place.toml("[state]\nlease = 1\n")


def setting_of_a_limit_without_time(place: Place) -> None:
    place.toml("[limits]\nseconds = 0\n")


def setting_of_a_limit_with_a_unit(place: Place) -> None:
    place.toml('[limits]\nmemory = "1 GiB"\n')


def setting_that_is_not_toml(place: Place) -> None:
    place.toml('title = "Test site\n')


def setting_of_a_component_with_a_wrong_key(place: Place) -> None:
    place.toml('[[component]]\nname = "New"\nknd = "assay"\n')


def setting_of_an_unknown_source(place: Place) -> None:
    place.toml('[source]\nkind = "dropbox"\n')


def menu_entry_without_a_url(place: Place) -> None:
    place.toml('[[menu]]\nname = "Nowhere"\n')


def no_site_here(place: Place) -> None:
    (place.site / "site.toml").unlink()


def no_files_csv(place: Place) -> None:
    (place.atlases.folder / "files.csv").unlink()


def files_csv_without_a_column(place: Place) -> None:
    (place.atlases.folder / "files.csv").write_text("id,name,type\nsyn1,a,file\n")


def no_atlas_folder(place: Place) -> None:
    place.atlases.folder.rename(place.atlases.folder.with_name("elsewhere"))


AFTER_SAVE = {no_files_csv, files_csv_without_a_column, no_atlas_folder}
FATAL = AFTER_SAVE | {
    asset_that_is_missing,
    setting_with_a_wrong_key,
    setting_with_a_wrong_type,
    setting_of_a_lease_that_ends_at_once,
    setting_of_a_limit_without_time,
    setting_of_a_limit_with_a_unit,
    setting_that_is_not_toml,
    setting_of_a_component_with_a_wrong_key,
    setting_of_an_unknown_source,
    menu_entry_without_a_url,
    no_site_here,
}
"""Mistakes after which there is nothing to build."""

MISTAKES = {
    name: function
    for name, function in list(globals().items())
    if callable(function) and getattr(function, "__annotations__", {}).get("place") == "Place"
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_one_line_and_the_rest_is_built(name, tmp_path):
    place = Place(tmp_path)
    if MISTAKES[name] in AFTER_SAVE:
        MISTAKES[name](place)
    else:
        MISTAKES[name](place)
        place.atlases.save()
    says = said(place, tmp_path)
    assert "Traceback" not in says
    pinned(HERE / name / "says.txt", says)
    if MISTAKES[name] not in FATAL:
        assert (place.site / "public/hta1/index.html").exists()


def said(place: Place, folder: Path) -> str:
    command = [sys.executable, "-m", "hdash_site", "build", "--quiet", "--jobs", "1"]
    command += ["--root", str(place.site), "--source", str(place.atlases.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [f"exit code {done.returncode}", *done.stdout.splitlines(), *done.stderr.splitlines()]
    for path in sorted((place.site / "public").glob("*/findings.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                where = [f"{row[key]}" for key in ("code", "severity", "component") if row[key]]
                where += [f"{key} {row[key]}" for key in ("row", "column", "value") if row[key]]
                lines.append(f"{', '.join(where)}: {row['message']}")
    return "\n".join(lines).replace(str(folder), "") + "\n"


def pinned(path: Path, text: str) -> None:
    """Compare with what is pinned, or pin it."""
    if os.environ.get("GOLDEN") == "rewrite":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"nothing is pinned in {path}; run make golden"
    assert text == path.read_text()


def test_every_pinned_mistake_is_still_made():
    assert {path.parent.name for path in HERE.glob("*/says.txt")} == set(MISTAKES)
