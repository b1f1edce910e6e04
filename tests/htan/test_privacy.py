"""What of a clinical manifest is published: the names of columns, values, ids, dates."""

from __future__ import annotations

import pytest

from hdash_site.htan.components import catalogue
from hdash_site.htan.privacy import has_date, is_nearly_id, known_columns, may_publish

from .helpers import PEOPLE, SAMPLES, csv_of, decoded, findings, report_of, table

DEMOGRAPHICS = catalogue().find("Demographics")
COLUMNS = "HTAN Participant ID|Gender|MRN|Treatment Outcome"


def columns_of(report: dict[str, bytes], manifest: str = "syn11") -> list[str]:
    return [column["name"] for column in decoded(report, f"columns/{manifest}")]


def test_a_column_that_nobody_knows_is_named_by_its_position_and_is_an_error() -> None:
    people = table("Demographics", COLUMNS, "HTA1_1|female|483920|ok")
    assert columns_of(report_of(people)) == ["Component", *COLUMNS.replace("MRN", "column 4").split("|")]
    [found] = findings(people, SAMPLES, code="H_PRIVACY")
    assert (found.severity, found.row, found.column, found.value) == ("error", 1, "column 4", "")
    assert found.kind == "unknown-column"


def test_no_file_of_the_report_holds_a_name_or_a_value_that_is_not_published() -> None:
    people = csv_of(
        ["Component", "HTAN Participant ID", "Patient Name", "Gender", "Patient Name", "MRN.1", "X18"],
        ["Demographics", "HTA1_1", "John Smith", "female", "Jane Doe", "483920", "a"],
        ["Demographics", "HTA1_2", "Jane Doe", "John Smith", "", "", "", "483920"],
    )
    text = b"\n".join(report_of(people, SAMPLES).values())
    for secret in (b"John", b"Smith", b"Jane", b"Patient Name", b"MRN", b"X18", b"483920"):
        assert secret not in text, secret


def test_a_missing_header_row_is_an_error_and_the_first_record_is_not_shown() -> None:
    people = ("Demographics", csv_of(["Demographics", "HTA1_1", "Smith, John", "1950-03-14", "white"]))
    report = report_of(people, SAMPLES)
    assert columns_of(report) == ["column 1", "column 2", "column 3", "column 4", "column 5"]
    assert b"Smith" not in b"".join(report.values())
    assert [one.kind for one in findings(people, SAMPLES, code="H_PRIVACY")] == ["no-header"]


@pytest.mark.parametrize("component", ["", "SpatialPilot", "Biospecimen"])
def test_a_header_row_that_is_data_is_not_shown_where_the_component_is_unknown_or_a_sample(component) -> None:
    report = report_of((component, csv_of(["HTA1_1_1", "John Smith", "1950-03-14"])))
    assert columns_of(report) == ["column 1", "column 2", "column 3"]
    assert b"Smith" not in b"".join(report.values())


def test_columns_of_an_assay_keep_their_names_and_values() -> None:
    data = table("ScRNA-seqLevel1", "HTAN Data File ID|HTAN Parent Biospecimen ID|X18", "reads 7|HTA1_1_1|x")
    assert columns_of(report_of(data))[-1] == "X18"
    assert [one.value for one in findings(data, PEOPLE, code="H_ID_SPEC")] == ["reads 7"]


def test_at_most_twenty_columns_of_a_manifest_are_named_and_the_others_are_counted() -> None:
    names = "|".join(f"Secret {number}x" for number in range(30))
    found = findings(table("Therapy", f"HTAN Participant ID|{names}"), PEOPLE, code="H_PRIVACY")
    named = {one.column for one in found if one.kind == "unknown-column"}
    assert named == {f"column {position}" for position in range(3, 23)}
    assert [one.message for one in found if one.kind == "more-unknown-columns"] == [
        "The manifest has more such columns (10)."
    ]
    assert len(found) == 21


def test_calendar_dates_are_an_error_with_rows_and_are_not_shown() -> None:
    rows = ("HTA1_1|Alive since 3/14/1950", "|", "HTA1_2|yes", "HTA1_3|14 March 1950", "HTA1_4|1950-03-14")
    therapy = table("Therapy", "HTAN Participant ID|Treatment Outcome", *rows)
    [found] = findings(therapy, PEOPLE, code="H_PRIVACY")
    assert (found.row, found.column, found.value) == (2, "Treatment Outcome", "(not shown)")
    assert found.kind == "calendar-date"
    assert "(2 more rows)" in found.message


def test_dates_are_found_in_any_column_that_is_no_bookkeeping_and_in_ragged_rows() -> None:
    header = ["Component", "HTAN Participant ID", "Gender", "Race", "entityId"]
    rows = [
        ["Therapy", "HTA1_1"],
        ["Therapy", "HTA1_1", "14.03.1950"],
        ["Therapy", "HTA1_1", "", "", "syn19500314"],
    ]
    found = findings(csv_of(header, *rows), PEOPLE, code="H_PRIVACY")
    assert [(one.row, one.column) for one in found] == [(3, "Gender")]


@pytest.mark.parametrize(
    "text",
    [
        *("1950-03-14", "1950/3/14", "1950.03.14", "19500314", "1950-03-14T10:00:00Z", "1950-03"),
        *("3/14/1950", "03-14-1950", "14.3.1950", "14.03.50", "3/14/50", "03/1950", "born 3/14/1950."),
        *(
            "14 March 1950",
            "14th of Mar 1950"[:4] + " Mar 1950",
            "March 14, 1950",
            "14-Mar-50",
            "14-MAR-1950",
        ),
        *("Sept 1950", "Mar 1950", "14Mar1950", "Dec-1950", "x" * 500 + " 2019-12-31"),
    ],
)
def test_a_calendar_date_is_one_in_whatever_form(text) -> None:
    assert has_date(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "26946",
            "26946.0",
            "-32849",
            "1946",
            "2",
            "T2N1M0",
            "C34.1",
            "8140/3",
            "3+4",
            "HTA1_1950",
            "10%",
        ),
        *(
            "1-Mar",
            "SEPT2",
            "Stage IIA",
            "Grade 2/3",
            "1/2/3",
            "7th",
            "2D Conventional",
            "syn19500314",
            "Mayo 12",
        ),
    ],
)
def test_what_is_no_calendar_date(text) -> None:
    assert not has_date(text)


def test_of_malformed_ids_only_what_looks_like_an_id_is_shown() -> None:
    shown = ("HTA1_", "hta1-1", "HTA1_EXT", "HTA1_1__2", r"HTA1_1\n", "HTA1_1<U+200B>", "HTA200_1_B1x"[:-1])
    hidden = (
        "John Smith",
        "HTA1_John",
        "HTA1_1, Smith",
        "HTA1_1950-03-14",
        "483-92-0000",
        "H",
        "HTA1_" + "1" * 60,
    )
    assert [value for value in (*shown, *hidden) if is_nearly_id(value)] == list(shown)
    rows = ("HTA1_|x", "John Smith|x", "n/a|x")
    found = findings(table("Demographics", "HTAN Participant ID|Gender", *rows), SAMPLES, code="H_ID_SPEC")
    assert [one.value for one in found if one.row > 1] == ["HTA1_", "(not shown)", "n/a"]


def test_a_person_who_is_named_in_place_of_an_id_is_in_no_download() -> None:
    people = table("Demographics", "HTAN Participant ID|Gender", "John Smith|male", "HTA1_1|male")
    samples = table(
        "Biospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_1", "HTA1_1_2|John Smith"
    )
    assert b"Smith" not in report_of(people, samples)["network.sif"]


def test_ages_days_and_dates_are_never_published_even_if_the_site_asks_for_it() -> None:
    for column in ("Age at Diagnosis", "Days to Birth", "Year Of Birth", "Date of Death"):
        with pytest.raises(ValueError, match="never published"):
            catalogue([{"name": "Demographics", "publish": [column]}])


def test_a_value_that_the_data_model_does_not_allow_is_not_published() -> None:
    assert DEMOGRAPHICS is not None
    assert may_publish(DEMOGRAPHICS, "Gender", "Female")
    assert may_publish(DEMOGRAPHICS, "Race", "white; Not Reported")
    assert not may_publish(DEMOGRAPHICS, "Gender", "John Smith")
    assert not may_publish(DEMOGRAPHICS, "Country of Residence", "Iceland")


def test_the_timeline_shows_no_label_that_may_be_data_and_no_age_above_89_years() -> None:
    columns = "HTAN Participant ID|Treatment Type|Days to Treatment Start|Days to Treatment End"
    rows = (
        "HTA1_1|John Smith|0|0",
        "HTA1_1|Surgery|33333|33333",
        "HTA1_1|Surgery|100|120",
        "John|Surgery|1|1",
    )
    [person] = decoded(report_of(table("Therapy", columns, *rows)), "timeline")
    assert person["participant"] == "HTA1_1"
    assert [(event["label"], event["start"]) for event in person["events"]] == [
        ("(not shown)", 0),
        ("Surgery", 100),
    ]


def test_every_column_that_the_catalogue_names_may_be_named() -> None:
    known = known_columns(catalogue())
    assert {"htan participant id", "gender", "treatment type 1", "entityid", "year of birth"} <= known
    assert not {"mrn", "patient name", "date of birth", "demographics", "female", "white"} & known


def test_a_site_can_add_a_column_to_what_is_known_and_published() -> None:
    added = [{"name": "Demographics", "publish": ["Cohort"]}]
    people = table("Demographics", "HTAN Participant ID|Cohort", "HTA1_1|A")
    assert columns_of(report_of(people, components=added))[-1] == "Cohort"
    assert findings(people, SAMPLES, code="H_PRIVACY", components=added) == []


def test_a_cell_that_is_no_name_of_a_component_is_not_taken_for_one() -> None:
    for name in ("John Smith", "1950-03-14", "483920"):
        people = table(name, "HTAN Participant ID|Gender", "HTA1_1|female")
        assert name.encode() not in b"".join(report_of(people, SAMPLES).values())
    [row] = decoded(report_of(table("SpatialPilot-7", "HTAN Participant ID", "HTA1_1")), "manifests")
    assert row["component"] == "SpatialPilot-7"


def test_the_near_name_of_a_column_is_shown() -> None:
    header = ["Component", "HTAN Participant ID", "Gender", "Gender"]
    [found] = findings(csv_of(header, ["Demographics", "HTA1_1", "", ""]), SAMPLES, code="H_MANIFEST")
    assert (found.column, found.value) == ("Gender", "Gender")
    header[2:] = ["MRN", "MRN"]
    [found] = findings(csv_of(header, ["Demographics", "HTA1_1", "", ""]), SAMPLES, code="H_MANIFEST")
    assert (found.column, found.value) == ("column 3", "column 3")
