"""The edits of a day with a build after each: it leaves what a clean build would."""

from __future__ import annotations

import os
import random

import pytest

from tests import edits, worlds

SEEDS = int(os.environ.get("SEEDS", "1"))
"""In how many orders the edits are made."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_build_after_each_edit_is_a_clean_one(tmp_path, seed):
    site, atlases = edits.site(tmp_path / "site"), worlds.small(tmp_path / "atlases", "HTA1").folder
    names = sorted(edits.EDITS)
    random.Random(seed).shuffle(names)
    worlds.build(site, atlases)
    for name in names:
        before = worlds.tree(site / "public")
        edits.EDITS[name].save(site)
        result = worlds.build(site, atlases)
        clean = worlds.clean_tree(site, atlases)
        assert result.problems == [], name
        assert worlds.tree(site / "public") == clean, name
        assert clean != before, name
