from __future__ import annotations

import time

import pytest

from hdash_site.htan import ids

EXAMPLES = [
    (kind, text, True) for kind in ids.identifiers() for text in (*kind.valid, kind.example, kind.example_2)
] + [(kind, text, False) for kind in ids.identifiers() for text in kind.invalid]


@pytest.mark.parametrize(("kind", "text", "valid"), EXAMPLES)
def test_the_examples_in_the_data_hold(kind: ids.Identifier, text: str, valid: bool) -> None:
    assert kind.matches(text) is valid


@pytest.mark.parametrize("atlas", [*range(1, 100), *range(200, 230)])
def test_atlases_of_both_phases_are_known(atlas: int) -> None:
    participant, biospecimen, data_file = ids.identifiers()
    sample, file = ("B5", "D5") if atlas >= 200 else ("5", "5")
    assert participant.matches(f"HTA{atlas}_7")
    assert biospecimen.matches(f"HTA{atlas}_7_{sample}")
    assert data_file.matches(f"HTA{atlas}_EXT7_{file}")


@pytest.mark.parametrize("atlas", ["0", "00", "01", "100", "199", "230", "999", "1000", "2000", ""])
def test_other_atlas_numbers_are_malformed(atlas: str) -> None:
    assert not any(kind.matches(f"HTA{atlas}_7") for kind in ids.identifiers())
    assert not any(
        kind.matches(f"HTA{atlas}_7_{last}") for kind in ids.identifiers() for last in ("1", "B1", "D1")
    )


def test_matching_takes_linear_time() -> None:
    seconds: list[float] = []
    for size in (10**5, 10**6):
        text = "HTA1_" + "1" * size + "x"
        started = time.perf_counter()
        assert not any(kind.matches(text) for kind in ids.identifiers())
        seconds.append(time.perf_counter() - started)
    assert seconds[1] < 100 * seconds[0] + 0.1


def test_an_id_of_two_hundred_characters_is_still_an_id() -> None:
    biospecimen = ids.identifiers()[1]
    assert biospecimen.matches("HTA1_" + "1" * 193 + "_2")
    assert not biospecimen.matches("HTA1_" + "1" * 194 + "_2")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("HTA1_1_1", ["HTA1_1_1"]),
        ("HTA1_1_1,HTA1_1_2", ["HTA1_1_1", "HTA1_1_2"]),
        (" HTA1_1_1 ;  HTA1_1_2\n", ["HTA1_1_1", "HTA1_1_2"]),
        ("HTA1_1_1 HTA1_1_2", ["HTA1_1_1", "HTA1_1_2"]),
        (",;", []),
        ("", []),
        (" \t", []),
        ("unknown", []),
        ("Not Applicable", []),
        ("NA", []),
    ],
)
def test_ids_are_separated_by_commas_semicolons_or_blanks(cell: str, words: list[str]) -> None:
    assert ids.split(cell) == words


def test_a_cell_is_read_into_good_and_malformed_ids() -> None:
    cell = ids.read("HTA1_1_1, HTA1_1_x;HTA1_1_1", "HTAN Parent Biospecimen ID")
    assert (cell.good, cell.bad) == (("HTA1_1_1",), ("HTA1_1_x",))


def test_free_text_is_one_malformed_value() -> None:
    cell = ids.read("see the table", "HTAN Parent Biospecimen ID")
    assert (cell.good, cell.bad) == ((), ("see the table",))


def test_a_cell_of_a_million_words_is_one_malformed_value() -> None:
    cell = ids.read("HTA1_x " * 10**6, "HTAN Parent Biospecimen ID")
    assert not cell.good
    assert [len(word) for word in cell.bad] == [200]


@pytest.mark.parametrize(
    ("column", "text", "valid"),
    [
        ("HTAN Parent ID", "HTA1_1", True),
        ("HTAN Parent ID", "HTA1_1_1", True),
        ("HTAN Parent Biospecimen ID", "HTA1_1", False),
        ("HTAN Parent Data File ID", "HTA200_1_B1", False),
        ("HTAN Parent Biospecimen ID", "HTA200_1_B1", True),
        ("A Site's Own Parent", "HTA200_1_B1", True),
        ("A Site's Own Parent", "HTA200_1_D1", True),
        ("A Site's Own Parent", "lamp", False),
    ],
)
def test_a_column_says_which_ids_it_holds(column: str, text: str, valid: bool) -> None:
    assert (ids.well_formed(ids.of_column(column))(text) is not None) is valid


def test_what_is_expected_has_an_example() -> None:
    assert (
        ids.expected("HTAN Parent ID", "HTA1")
        == "a participant id, like HTA3_8001 or a biospecimen id, like HTA3_8001_1"
    )


@pytest.mark.parametrize("atlas", ["HTA200", "HTA209", "HTA229"])
def test_an_atlas_of_phase_2_is_told_the_form_of_phase_2(atlas: str) -> None:
    for kind in ids.identifiers():
        assert kind.matches(kind.example_2)
    assert ids.expected("HTAN Biospecimen ID", atlas) == "a biospecimen id, like HTA200_8001_B1"
    assert "HTA3" not in ids.expected("HTAN Parent ID", atlas) + ids.expected("HTAN Data File ID", atlas)


@pytest.mark.parametrize("atlas", ["HTA1", "HTA99", "HTA20", "HTA2000", "HTA230", "a/b", ""])
def test_any_other_atlas_is_told_the_form_of_phase_1(atlas: str) -> None:
    assert "HTA200" not in "".join(ids.expected(kind.columns[0], atlas) for kind in ids.identifiers())


def test_no_id_of_phase_2_is_longer_than_50_characters() -> None:
    _, biospecimen, _ = ids.identifiers()
    longest = f"HTA200_{'9' * 21}_B{'9' * 20}"
    assert (len(longest), biospecimen.matches(longest), biospecimen.matches(longest + "9")) == (
        50,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("HTA1_1_9001\u200b", "HTA1_1_9001<U+200B>"),
        ("HTA1_1\u00ad_9", "HTA1_1<U+00AD>_9"),
        ("\u041dTA1_1_1", "<U+041D>TA1_1_1"),
        ("HTA1_1_1\u00a0", "HTA1_1_1<U+00A0>"),
        ("HTA1_1_1\ufe0f", "HTA1_1_1<U+FE0F>"),
        ("\uff28TA1_1_1", "<U+FF28>TA1_1_1"),
        ("HTA1_1_1 ", "HTA1_1_1<U+0020>"),
        ("HTA1_1_1\u3164", "HTA1_1_1<U+3164>"),
    ],
)
def test_a_malformed_id_never_looks_like_a_good_one(cell: str, shown: str) -> None:
    read = ids.read(cell, "HTAN Data File ID")
    assert read.shown == shown
    assert set(read.bad) <= {shown}


@pytest.mark.parametrize(
    ("texts", "atlases"),
    [
        ("", ()),
        (",,", ()),
        ("HTA1_1,HTA1_2", ("HTA1",)),
        (",HTA1_1,,HTA1_2_HTA,", ("HTA1",)),
        ("HTA1_1,HTA12_2,HTA2_1", ("HTA1", "HTA2", "HTA12")),
        ("HTA12_1,HTA1_2", ("HTA1", "HTA12")),
    ],
)
def test_the_atlases_of_a_column_are_named_once(texts: str, atlases: tuple[str, ...]) -> None:
    assert ids.atlases(texts) == atlases
