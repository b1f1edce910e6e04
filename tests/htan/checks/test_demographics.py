from __future__ import annotations

from ..helpers import PEOPLE, SAMPLES, findings


def test_an_atlas_without_demographics_is_an_error() -> None:
    (found,) = findings(SAMPLES, code="H_DEM")
    assert (found.severity, found.manifest, found.component) == ("error", "", "Demographics")


def test_one_demographics_manifest_passes() -> None:
    assert findings(PEOPLE, code="H_DEM") == []


def test_the_setting_of_an_atlas_switches_it_off() -> None:
    assert findings(SAMPLES, code="H_DEM", demographics=False) == []
