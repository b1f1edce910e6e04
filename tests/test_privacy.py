"""The site is public: nothing that was planted in clinical manifests is in any byte of it."""

from __future__ import annotations

import csv
import io
import re

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hdash_site.htan.components import catalogue
from tests import worlds

CLINICAL = tuple(component.name for component in catalogue() if component.kind == "clinical")
KNOWN = (
    *(
        "Gender",
        "Race",
        "Vital Status",
        "Days to Birth",
        "Age at Diagnosis",
        "Year Of Birth",
        "Treatment Type",
    ),
    *("Days to Treatment Start", "Days to Treatment End", "Timepoint Label", "Country of Residence"),
    *("Cause of Death", "Primary Diagnosis", "Therapeutic Agents", "HTAN Biospecimen ID", "Filename", "Id"),
)
"""Columns of the data model; of the first three, and of the type of treatment, values are published."""
NAMES = (
    *("MRN", "Patient Name", "Date of Birth", "X18", "MRN.1", "Unnamed: 3", "Gender_x", "...7", "", "Zip"),
)


class Planter:
    """Draws manifests, and keeps what was planted in them and must not be published."""

    def __init__(self, draw):
        self.draw = draw
        self.canaries: set[str] = set()
        self.number = 0

    def chosen(self, *values):
        return self.draw(st.sampled_from(values))

    def canary(self):
        """A name, a number of a record, a date, or an age above 89 years."""
        self.number += 1
        number = self.number
        year, month, day = 1901 + number % 97, 1 + number * 5 % 12, 13 + number * 7 % 16
        text = self.chosen(
            f"Qvist{number}, Zoe",
            f"Qvist{number} <b>Zoe</b>",
            f"77{number:05}31",
            f"{year}-{month:02}-{day}",
            f"{month}/{day}/{year}",
            f"{day} {('Jan', 'May', 'Sep')[number % 3]} {year}",
            f"{32_850 + number * 17}",
            f"{32_850 + number * 17}.0",
        )
        self.canaries.add(text)
        return text

    def name_of_column(self):
        """A name that the data model does not know; half of them say something."""
        name = self.chosen(*NAMES)
        self.number += 1
        if name and self.draw(st.booleans()):
            name = f"{name} Qvist{self.number}"
            self.canaries.add(name)
        return name

    def manifest(self, component, people):
        known = self.draw(st.lists(st.sampled_from(KNOWN), unique=True, max_size=6))
        header = ["Component", "HTAN Participant ID", *known]
        for _ in range(self.draw(st.integers(0, 3))):
            header.insert(self.draw(st.integers(0, len(header))), self.name_of_column())
        rows = [[self.cell(name, component, who) for name in header] for who in people]
        for row in rows:
            if self.draw(st.integers(0, 5)) == 0:  # a comma too many moves what comes after it
                row.insert(self.draw(st.integers(0, len(row))), self.canary())
        damage = self.chosen("", "", "", "no header", "semicolons")
        stream = io.StringIO()
        delimiter = ";" if damage == "semicolons" else ","
        csv.writer(stream, delimiter=delimiter).writerows(rows if damage == "no header" else [header, *rows])
        return stream.getvalue().encode()

    def cell(self, column, component, who):
        if column in ("Component", "HTAN Participant ID"):
            if column == "Component":
                return component
            return who if who == "HTA1_1" or self.draw(st.booleans()) else self.canary()
        if column == "Gender" and self.draw(st.booleans()):
            return "female"
        return self.canary() if self.draw(st.integers(0, 3)) else self.chosen("", "unknown", "NA")


@st.composite
def planted(draw):
    """Manifests by component, and what must not be in the site."""
    planter = Planter(draw)
    names = draw(st.lists(st.sampled_from(CLINICAL), min_size=5, max_size=9))
    names = ["Demographics", "Therapy", "Diagnosis", *names, *draw(st.sampled_from([[], ["OurPilot"]]))]
    return [
        (name, planter.manifest(name, ("HTA1_1", "HTA1_2", "HTA1_3"))) for name in names
    ], planter.canaries


def leaks(public, canaries):
    """Return which of these texts are in the site, escaped or not, each with a file that holds it."""
    found: dict[str, str] = {}
    patterns = {
        canary: re.compile(rf"(?<![0-9A-Za-z]){re.escape(canary)}(?![0-9A-Za-z])") for canary in canaries
    }
    for path in sorted(public.rglob("*")):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            plain = (
                text.replace("&lt;", "<").replace("&gt;", ">").replace("\\u003c", "<").replace("\\u003e", ">")
            )
            for canary, pattern in patterns.items():
                if canary in plain and pattern.search(plain):
                    found[canary] = path.relative_to(public).as_posix()
    return found


def plant(folder, manifests):
    atlases = worlds.small(folder / "atlases", "HTA1")
    project = atlases.projects[0]["id"]
    for number, (component, data) in enumerate(manifests):
        place = atlases.entity(project, project, f"planted_{number}", "folder")
        atlases.manifest(project, place, component, data)
    atlases.save()
    return atlases


def test_nothing_private_of_any_clinical_component_is_published(tmp_path_factory):
    """Column names, values, dates, ages and first rows without a header, in every file of the site."""

    @settings(
        max_examples=max(1, settings().max_examples // 25),
        database=None,
        phases=[Phase.reuse, Phase.generate],
    )
    @given(planted())
    def tried(drawn):
        manifests, canaries = drawn
        folder = tmp_path_factory.mktemp("private")
        site = worlds.site_folder(folder / "site")
        atlases = plant(folder, manifests)
        result = worlds.build(site, atlases.folder)
        assert result.problems == []
        assert "female" in (site / "public/hta1/participants/hta1_1/index.html").read_text()
        assert leaks(site / "public", canaries) == {}

    tried()


def test_of_each_clinical_component_an_unknown_column_and_a_date_are_reported_and_not_shown(tmp_path):
    rows = [
        ["Component", "HTAN Participant ID", "Patient Qvist", "Vital Status"],
        ["", "HTA1_1", "Zoe Qvist", "1950-03-14"],
    ]
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    site = worlds.site_folder(tmp_path / "site")
    manifests = [(component, stream.getvalue().encode()) for component in CLINICAL]
    worlds.build(site, plant(tmp_path, manifests).folder)
    with (site / "public/hta1/findings.csv").open(newline="", encoding="utf-8") as file:
        found = [row for row in csv.DictReader(file) if row["code"] == "H_PRIVACY"]
    for component in CLINICAL:
        mine = [row for row in found if row["component"] == component]
        assert {(row["column"], row["row"], row["value"], row["kind"]) for row in mine} == {
            ("column 3", "1", "", "unknown-column"),
            ("Vital Status", "2", "(not shown)", "calendar-date"),
        }, component
    assert leaks(site / "public", {"Patient Qvist", "Zoe Qvist", "1950-03-14"}) == {}


def test_what_is_planted_in_an_edit_is_published_by_no_build_and_an_edit_is_as_a_clean_build(tmp_path):
    site = worlds.site_folder(tmp_path / "site")
    atlases = worlds.small(tmp_path / "atlases", "HTA1")
    worlds.build(site, atlases.folder)
    entity = next(one for one, data in atlases.manifests.items() if b"Demographics" in data)
    header = b"Component,HTAN Participant ID,Gender,MRN Qvist\n"
    for data in (
        header + b"Demographics,HTA1_1,female,7731\nDemographics,HTA1_2,Zoe Qvist,1950-03-14\n",
        b"Demographics,HTA1_1,Zoe Qvist,1950-03-14\nDemographics,HTA1_2,female,7731\n",
        header + b"Demographics,HTA1_1,female,7731\n",
    ):
        atlases.manifests[entity] = data
        atlases.save()
        worlds.build(site, atlases.folder)
        assert leaks(site / "public", {"Zoe Qvist", "MRN Qvist", "7731", "1950-03-14"}) == {}
        clean = worlds.clean_tree(site, atlases.folder)
        history = ("changes/", "index.html")
        assert {
            path: data for path, data in worlds.tree(site / "public").items() if not path.startswith(history)
        } == {path: data for path, data in clean.items() if not path.startswith(history)}
