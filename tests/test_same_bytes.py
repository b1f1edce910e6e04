"""Two builds of the same inputs are the same bytes, whenever and wherever they are made."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests import worlds

PLACES = (
    {"TZ": "Pacific/Kiritimati", "LANG": "C", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "America/Adak", "LANG": "de_DE.UTF-8", "LC_ALL": "", "PYTHONHASHSEED": "2"},
)
EPOCH = "1782900000"


def built(folder, **environ):
    """Build the sample as a process of its own does, from an empty cache; give every file."""
    site = worlds.site_folder(folder / "site")
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = [sys.executable, "-m", "hdash_site", "build", "--quiet", "--jobs", "1", "--root", str(site)]
    subprocess.run(command, env=environment | environ, check=True, capture_output=True)
    return {
        path.relative_to(site / "public").as_posix(): path.read_bytes()
        for path in (site / "public").rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return built(tmp_path_factory.mktemp("first"), SOURCE_DATE_EPOCH=EPOCH, **PLACES[0])


def different(one, other):
    return {path for path in one.keys() | other.keys() if one.get(path) != other.get(path)}


def test_with_a_fixed_time_two_clean_builds_are_equal_in_every_byte(first, tmp_path):
    time.sleep(1.1)
    second = built(tmp_path, SOURCE_DATE_EPOCH=EPOCH, **PLACES[1])
    assert different(first, second) == set()
    assert b'"built":"2026-07-01T10:00:00Z"' in second["status.json"]
    assert "changes/2026-07-01-10-00-00/index.html" in second


def test_without_a_fixed_time_only_the_history_and_status_json_differ(first, tmp_path):
    second = built(tmp_path, **PLACES[1])
    others = {path for path in different(first, second) if not path.startswith("changes/")}
    assert others <= {"status.json", "index.html", "sitemap.xml", "search/index.html", "search/titles.json"}
    assert "status.json" in others
