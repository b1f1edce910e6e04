from __future__ import annotations

import pytest

from hdash_site.htan.components import GROUPS, KINDS, catalogue, class_name


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("scRNA-seq Level 1", "ScRNA-seqLevel1"),
        (
            "10x Visium Spatial Transcriptomics - RNA-seq Level 1",
            "10xVisiumSpatialTranscriptomics-RNA-seqLevel1",
        ),
        ("HI-C-seq Level 1", "HI-C-seqLevel1"),
        ("Follow Up", "FollowUp"),
        ("SRRS Imaging Level 2", "SRRSImagingLevel2"),
    ],
)
def test_a_class_name_has_no_blanks_and_keeps_its_hyphens(label: str, name: str) -> None:
    assert class_name(label) == name
    assert class_name(name) == name
    assert catalogue().find(label) is catalogue().find(name) is not None


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("BulkDNALevel1", "BulkWESLevel1"),
        ("BulkDNALevel2", "BulkWESLevel2"),
        ("BulkDNALevel3", "BulkWESLevel3"),
        ("ImagingLevel3", "ImagingLevel3Segmentation"),
        ("10XXeniumISS", "10XGenomicsXeniumISSExperiment"),
        ("NeuroblastomaAndGliomaTier3", "NeuroblastomaandGliomaTier3"),
    ],
)
def test_short_names_of_the_inventory_are_aliases(alias: str, name: str) -> None:
    found = catalogue().find(alias)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "name",
    [
        "ImagingLevel3Channels",
        "NeuroblastomaandGliomaTier3",
        "BulkWESLevel4",
        "BulkRNA-seqLevel4",
        "BulkMethylation-seqLevel4",
        "HI-C-seqLevel4",
        "RPPALevel1",
    ],
)
def test_names_that_occur_beside_the_model_are_known(name: str) -> None:
    found = catalogue().find(name)
    assert found is not None
    assert found.name == name


def test_names_and_aliases_and_abbreviations_are_unique() -> None:
    names = [name for component in catalogue() for name in (component.name, *component.aliases)]
    abbreviations = [component.abbreviation for component in catalogue()]
    assert len(names) == len(set(names))
    assert len(abbreviations) == len(set(abbreviations))
    assert all(abbreviations)


def test_kinds_and_groups_fit_together() -> None:
    groups = {kind: {one.group for one in catalogue() if one.kind == kind} for kind in KINDS}
    assert groups == {
        "clinical": {"clinical", "clinical-tier3"},
        "biospecimen": {""},
        "assay": set(GROUPS) - {"clinical", "clinical-tier3"},
    }
    assert sum(one.group == "clinical-tier3" for one in catalogue()) == 10


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("Demographics", ("HTAN Participant ID",)),
        ("SRRSClinicalDataTier2", ("HTAN Participant ID",)),
        ("Biospecimen", ("HTAN Biospecimen ID", "HTAN Parent ID", "Adjacent Biospecimen IDs")),
        ("SRRSBiospecimen", ("HTAN Biospecimen ID", "HTAN Parent ID", "Adjacent Biospecimen IDs")),
        ("AccessoryManifest", ("Accessory Synapse ID", "HTAN Parent Biospecimen ID")),
        ("ScRNA-seqLevel1", ("HTAN Data File ID", "HTAN Parent Biospecimen ID")),
        ("ImagingLevel2", ("HTAN Data File ID", "HTAN Parent Biospecimen ID")),
        ("SRRSImagingLevel2", ("HTAN Data File ID", "HTAN Parent Biospecimen ID")),
        (
            "10xVisiumSpatialTranscriptomics-RNA-seqLevel2",
            ("HTAN Data File ID", "HTAN Parent Biospecimen ID", "HTAN Parent Data File ID"),
        ),
        (
            "10xVisiumSpatialTranscriptomics-AuxiliaryFiles",
            ("HTAN Data File ID", "HTAN Parent Biospecimen ID", "HTAN Parent Data File ID"),
        ),
        ("OtherAssay", ("HTAN Data File ID", "HTAN Parent Biospecimen ID")),
        ("ExSeqMinimal", ("HTAN Data File ID", "HTAN Parent Biospecimen ID")),
        ("10XGenomicsXeniumISSExperiment", ("HTAN Data File ID", "HTAN Parent Biospecimen ID")),
        (
            "NanoStringGeoMxDSPSpatialTranscriptomicsLevel3",
            ("HTAN Data File ID", "HTAN Parent Biospecimen ID"),
        ),
        ("ScRNA-seqLevel2", ("HTAN Data File ID", "HTAN Parent Data File ID")),
        ("ImagingLevel3Segmentation", ("HTAN Data File ID", "HTAN Parent Data File ID")),
        ("RPPALevel2", ("HTAN Data File ID", "HTAN Parent Data File ID", "HTAN Parent Biospecimen ID")),
        ("PublicationManifest", ()),
    ],
)
def test_id_columns_are_those_of_the_table(name: str, ids: tuple[str, ...]) -> None:
    found = catalogue().find(name)
    assert found is not None
    assert found.id_columns == ids


def test_an_unknown_name_is_not_found() -> None:
    assert catalogue().find("DataFlow") is None
    assert catalogue().find("") is None


def test_a_site_adds_a_component_at_the_end() -> None:
    site = catalogue([{"name": "Holotomography", "kind": "assay", "primary_id": "HTAN Data File ID"}])
    added = site.find("Holotomography")
    assert added is not None
    assert (added.label, added.group, added.entity_id_required) == ("Holotomography", "other", True)
    assert site.order(added) == len(site) - 1 == len(catalogue())


def test_a_site_overrides_only_the_keys_that_it_gives() -> None:
    before = catalogue().find("ImagingLevel2")
    after = catalogue([{"name": "ImagingLevel2", "label": "Imaging (2)"}]).find("ImagingLevel2")
    assert before is not None
    assert after is not None
    assert after.label == "Imaging (2)"
    assert (after.kind, after.group, after.id_columns) == (before.kind, before.group, before.id_columns)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"kind": "assay"}, "has no name"),
        ({"name": "X"}, "The component X has no kind; it is one of clinical, biospecimen, assay."),
        ({"name": "X", "kind": "essay"}, "has kind = 'essay'; it is one of clinical, biospecimen, assay."),
        ({"name": "X", "kind": "assay", "colour": "red"}, "has an unknown key colour; keys are name, label,"),
        ({"name": "X", "kind": "assay", "level": "2"}, "has level = '2'; it must be a whole number."),
        ({"name": "X", "kind": "assay", "level": True}, "it must be a whole number."),
        ({"name": "X", "kind": "assay", "aliases": ["Y", 1]}, "it must be a list of texts."),
        ({"name": "X", "kind": "assay", "check_primary": "no"}, "it must be true or false."),
    ],
)
def test_a_wrong_table_is_refused_with_a_sentence(table: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        catalogue([table])
    assert sentence in str(refused.value)
