"""What an import costs: a command imports what it needs, and nothing heavy besides."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import hdash_site
from tests import worlds

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(hdash_site.__path__, "hdash_site.")
    if module.name != "hdash_site.__main__"
)


def imported_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", MODULES)
def test_each_module_can_be_imported_alone(module):
    imported_by(f"import {module}")


def test_the_commands_import_nothing_heavy():
    heavy = {
        "synapseclient",
        "boto3",
        "mako",
        "markdown",
        "watchdog",
        "peewee",
        "pymysql",
        "psycopg",
        "diskcache",
        "rich",
        "sqlite3",
    }
    assert not imported_by("import hdash_site.cli") & heavy


def test_mako_does_not_bring_what_would_highlight_its_own_errors():
    assert "pygments" not in imported_by("import hdash_site.pages.layouts")


def test_the_build_imports_neither_mako_nor_markdown_before_a_page_needs_them():
    assert not imported_by("import hdash_site.app") & {
        "mako",
        "markdown",
        "rich",
        "concurrent.futures.process",
        "pymysql",
        "psycopg",
        "hdash_site.state.servers",
    }


def test_a_build_whose_state_is_not_in_s3_imports_nothing_for_that(tmp_path):
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases").folder
    build = f"app.build(app.Options(Path({str(site)!r}), Path({str(atlases)!r})))"
    imported = imported_by(f"from pathlib import Path\nfrom hdash_site import app\n{build}")
    assert "hdash_site.state.store" in imported
    assert not imported & {"boto3", "tenacity", "hdash_site.state.remote", "hdash_site.state.lease"}


def test_the_domain_imports_the_standard_library_only():
    ours = imported_by("import hdash_site.htan.report") - imported_by("")
    assert {name.partition(".")[0] for name in ours} <= {*sys.stdlib_module_names, "hdash_site"}
