from __future__ import annotations

import pytest

from hdash_site.htan.files import file_type, is_counted, is_value


@pytest.mark.parametrize(
    ("names", "type_"),
    [
        ("a.bam a.BAM a.b.bam", "BAM"),
        ("a.fastq.gz a.fasta a.fq a.fq.GZ a.FASTQ", "FASTQ"),
        ("a.tif a.TIF a.tiff a.ome.tif a.svs a.vsi a.png a.raw a.jpg a.scn a.s0001_e00 a.S0001_E00", "Image"),
        ("a.csv a.tsv a.vcf.gz a.fcs a.mtx a.txt a.h5ad a.h5 a.xlsx", "Matrix"),
        ("plain.gz README bam a.pdf a.bam.bai .gz a.gz.gz a. .", "Other"),
    ],
)
def test_a_file_is_typed_by_its_extension_in_any_case_without_gz(names: str, type_: str) -> None:
    assert {name: file_type(name) for name in names.split()} == dict.fromkeys(names.split(), type_)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "  ",
        "na",
        "NA",
        "N/A",
        "n/a",
        "NaN",
        "null",
        "Unknown",
        " unknown ",
        "NOT APPLICABLE",
        "Not Reported",
    ],
)
def test_cells_without_a_value(cell: str) -> None:
    assert not is_value(cell)


@pytest.mark.parametrize(
    "cell", ["None", "none", "0", "no", "-", "unknown primary", "Not Applicable - cells", "False"]
)
def test_cells_with_a_value(cell: str) -> None:
    assert is_value(cell)


@pytest.mark.parametrize(
    "columns",
    [
        "Component|entityId|Id|Uuid|Filename|eTag|Adjacent Biospecimen IDs",
        "HTAN Participant ID|HTAN Biospecimen ID|HTAN Parent ID|HTAN Data File ID|HTAN Parent Data File ID",
        "HTAN Parent Biospecimen ID|HTAN Parent Channel Metadata ID|HTAN Center ID",
        "|Unnamed: 3|Unnamed: 0.1|Unnamed..0|X|X18|X.1|...18|Column1|__EMPTY_2",
    ],
)
def test_id_and_bookkeeping_columns_do_not_count(columns: str) -> None:
    assert not any(map(is_counted, columns.split("|")))


@pytest.mark.parametrize(
    "column",
    ["Gender", "Source HTAN Biospecimen ID", "Run ID", "id", "HTAN Grant", "X18 dose", "File Format"],
)
def test_other_columns_count(column: str) -> None:
    assert is_counted(column)
