from __future__ import annotations

import pytest

from ..helpers import PEOPLE, SAMPLES, findings, table


def test_an_atlas_without_biospecimens_is_an_error() -> None:
    (found,) = findings(PEOPLE, code="H_BIOSPEC")
    assert (found.severity, found.manifest) == ("error", "")


@pytest.mark.parametrize(
    "data", [SAMPLES, table("SRRSBiospecimen", "HTAN Biospecimen ID|HTAN Parent ID", "HTA1_1_1|HTA1_1")]
)
def test_both_kinds_of_biospecimen_manifest_pass(data: bytes) -> None:
    assert findings(data, code="H_BIOSPEC") == []
