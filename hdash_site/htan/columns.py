"""Columns of manifests that rules speak of, by the names that the data model gives them."""

from __future__ import annotations

from typing import Final

COMPONENT: Final = "Component"
ENTITY_ID: Final = "entityId"
PARTICIPANT_ID: Final = "HTAN Participant ID"
BIOSPECIMEN_ID: Final = "HTAN Biospecimen ID"
DATA_FILE_ID: Final = "HTAN Data File ID"
PARENT_ID: Final = "HTAN Parent ID"
PARENT_DATA_FILE_ID: Final = "HTAN Parent Data File ID"
PARENT_BIOSPECIMEN_ID: Final = "HTAN Parent Biospecimen ID"
ADJACENT_IDS: Final = "Adjacent Biospecimen IDs"
