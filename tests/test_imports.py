"""What an import costs: a command imports what it needs, and nothing heavy besides."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import hdash_site

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


def test_the_domain_imports_the_standard_library_only():
    ours = imported_by("import hdash_site.htan.report") - imported_by("")
    assert {name.partition(".")[0] for name in ours} <= {*sys.stdlib_module_names, "hdash_site"}
