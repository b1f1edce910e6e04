"""What a release makes anew: a change of any code that a recipe reaches, and nothing else."""

from __future__ import annotations

import ast
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from hdash_site.pages import rules
from tests import worlds

PACKAGE = Path(rules.__file__).parents[1]
MUTATIONS = int(os.environ.get("MUTATIONS", "3"))
"""How many changes of a constant are tried in whole builds."""


def reached_from(*roots: str) -> set[str]:
    """Files of the package that these modules import, themselves and through others, in functions too."""
    graph = grimp.build_graph("hdash_site", cache_dir=None)
    seen = {module for module in graph.modules if module.startswith(roots)}
    waiting = list(seen)
    while waiting:
        imported = graph.find_modules_directly_imported_by(waiting.pop()) - seen
        # Importing a module runs the packages that it lies in.
        imported |= {name.rpartition(".")[0] for name in imported} - seen - {""}
        seen |= imported
        waiting += imported
    return {file_of(module) for module in seen}


def file_of(module: str) -> str:
    path = Path(*module.split(".")[1:])
    whole = path / "__init__.py"
    return (whole if (PACKAGE / whole).exists() else path.with_suffix(".py")).as_posix()


REACHED = sorted(reached_from("hdash_site.pages"))


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    copy = tmp_path_factory.mktemp("package") / "hdash_site"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.mark.parametrize("name", REACHED)
def test_a_change_in_any_module_that_pages_reach_is_a_change_of_all_pages(package, name):
    before = rules.code.__wrapped__(package)
    text = (package / name).read_text()
    (package / name).write_text(f"{text}\n_OTHER = 1\n")
    after = rules.code.__wrapped__(package)
    (package / name).write_text(text)
    assert after.pages != before.pages
    assert after.domain != before.domain or not name.startswith("htan/")


def test_a_change_of_data_that_the_domain_reads_is_a_change_of_all_pages(package):
    before = rules.code.__wrapped__(package)
    (package / "htan/data/files.toml").write_text("# other words\n")
    after = rules.code.__wrapped__(package)
    assert after.pages != before.pages
    assert after.domain != before.domain


def test_code_that_only_commands_reach_makes_no_page_anew(package):
    before = rules.code.__wrapped__(package)
    others = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).as_posix() not in REACHED
    ]
    assert {"cli.py", "state/store.py", "deploy/s3.py", "engine/work.py"} <= {*others}
    for name in (name for name in others if not name.startswith("htan/")):
        text = (package / name).read_text()
        (package / name).write_text(f"{text}\n_OTHER = 1\n")
    assert rules.code.__wrapped__(package) == before


def test_what_the_recipes_of_the_domain_reach_is_in_their_digest():
    """Functions of `pages.rules` import pages, but those that make values of the domain import `htan`."""
    imported = {file_of(name) for name in imports_at_the_top("pages/rules.py")}
    reached = {"pages/rules.py", *imported}
    for name in imported:
        reached |= {file_of(one) for one in imports_at_the_top(name)}
    reached = {name for name in reached if not name.startswith("htan/")}
    assert reached <= {*rules.DOMAIN_CODE}


def imports_at_the_top(name: str) -> set[str]:
    tree = ast.parse((PACKAGE / name).read_text())
    return {
        node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("hdash_site")
    }


def run(package: Path, site: Path, atlases: Path, *more: str) -> tuple[int, str, dict[str, bytes]]:
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "SOURCE_DATE_EPOCH": "1790000000"}
    command = [sys.executable, "-m", "hdash_site", "build", "--root", str(site), "--source", str(atlases)]
    done = subprocess.run(
        [*command, "--jobs", "1", "--quiet", *more],
        capture_output=True,
        text=True,
        env=environment,
        cwd=package.parent,
    )
    output = site / "public"
    if "--output" in more:
        output = Path(more[more.index("--output") + 1])
    return done.returncode, done.stderr, worlds.tree(output) if output.exists() else {}


def mutate(path: Path, luck: random.Random) -> str:
    """Change one constant that some code uses: a number becomes another one, a text gets a letter."""
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    fixed = {
        id(node.value)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)  # docstrings
    }
    nodes = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
        and id(node) not in fixed
        and isinstance(node.value, str | int)
        and not isinstance(node.value, bool)
        and node.lineno == node.end_lineno
        and re.fullmatch(r"\"[\w ,.;:-]+\"|\d+", literal(lines, node))
    ]
    if not nodes:
        return ""
    node = luck.choice(nodes)
    line = lines[node.lineno - 1].encode()
    old = literal(lines, node)
    new = f'{old[:-1]}q"' if old.startswith('"') else str(int(old) + 1)
    changed = line[: node.col_offset] + new.encode() + line[node.end_col_offset or 0 :]
    lines[node.lineno - 1] = changed.decode()
    path.write_text("".join(lines))
    return f"{path.name}:{node.lineno}: {old} -> {new}"


def literal(lines: list[str], node: ast.Constant) -> str:
    return lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode()


@pytest.mark.parametrize("seed", range(MUTATIONS))
def test_a_release_with_another_constant_leaves_what_a_clean_build_would(tmp_path, seed):
    package = tmp_path / "package" / "hdash_site"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases").folder
    code, errors, _ = run(package, site, atlases)
    assert code == 0, errors
    luck = random.Random(seed)
    for _ in range(3):
        name = luck.choice(REACHED)
        saved = (package / name).read_text()
        changed = mutate(package / name, luck)
        if not changed:
            continue
        clean = run(
            package, site, atlases, "--output", str(tmp_path / "clean"), "--cache", str(tmp_path / "new")
        )
        if clean[0] == 0:  # else the change broke the program
            code, errors, after = run(package, site, atlases)
            assert (code, errors) == (0, ""), changed
            assert without_history(after) == without_history(clean[2]), changed
        shutil.rmtree(tmp_path / "clean", ignore_errors=True)
        shutil.rmtree(tmp_path / "new", ignore_errors=True)
        (package / name).write_text(saved)


def without_history(tree: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out what says when the history began: a state that is a night older has an edition more."""
    return {path: data for path, data in tree.items() if not path.startswith("changes/")}
