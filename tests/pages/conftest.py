from __future__ import annotations

import pytest

from tests.pages.sites import Site


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)
