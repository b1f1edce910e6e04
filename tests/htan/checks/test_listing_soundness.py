from __future__ import annotations

from ..helpers import SOUND, entity, findings, places


def test_what_is_wrong_with_the_listing_is_reported_with_the_atlas() -> None:
    more = (entity("syn5", "a.bam", parent="syn99"), entity("syn6", "loop", "folder", "syn6"))
    assert places(findings(*SOUND, code="H_LISTING", more=more)) == [
        ("syn5", 0, "", "syn99"),
        ("syn6", 0, "", "loop"),
    ]


def test_a_sound_listing_passes() -> None:
    assert findings(*SOUND, code="H_LISTING") == []
