"""The README says what is true: its generated parts are what the program says; `make docs` writes them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hdash_site import app, cli, notify, publish
from hdash_site.config import SETTINGS
from hdash_site.pages import prose
from hdash_site.pages.matter import FRONT_MATTER
from hdash_site.state.where import VARIABLES
from tests import worlds

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PROGRAM = f"{sys.executable} -m hdash_site"


def commands() -> str:
    rows = [
        f"| `hdash-site {name}` | {command.get_short_help_str(200)} |" for name, command in each_command()
    ]
    return "| command | does |\n|---|---|\n" + "\n".join(sorted(rows))


def each_command():
    """Each command with its full name; those of a group in its place."""
    for name, command in cli.commands.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", one) for inner, one in command.commands.items())
        else:
            yield name, command


def settings() -> str:
    rows = [
        f"| `{s.name}` | {s.kind} | {'`' + repr(s.default) + '`' if s.default else ''} | {s.meaning} |"
        for s in SETTINGS
    ]
    return "| setting | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows)


def checks() -> str:
    rows = [f"| `{code}` | {severity} | {title} |" for code, severity, title in app.list_checks()]
    return "| check | reports | passes when |\n|---|---|---|\n" + "\n".join(rows)


def variables() -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in VARIABLES.items()]
    return "| variable | meaning |\n|---|---|\n" + "\n".join(rows)


def deploying() -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in (publish.VARIABLES | notify.VARIABLES).items()]
    return "| variable | meaning |\n|---|---|\n" + "\n".join(rows)


def front_matter() -> str:
    rows = [f"| `{key}` | {field.words} | {field.meaning} |" for key, field in FRONT_MATTER.items()]
    return "| key | type | meaning |\n|---|---|---|\n" + "\n".join(rows)


def shortcodes() -> str:
    rows: list[str] = []
    for path in sorted((ROOT / "layouts/shortcodes").glob("*.mako")):
        code = prose.declared(path.name, path.read_bytes())
        rows.append(f"| `{path.stem}` | {'block' if code.block else 'words'} | | {code.meaning} |")
        for key, argument in code.arguments.items():
            given = "must be given" if argument.default is None else f'`"{argument.default}"`'
            rows.append(f"| | `{key}` | {given} | {argument.meaning} |")
    fields = ", ".join(f"`{name}`" for name in prose.FIELDS)
    head = "| shortcode | gives, takes | if left out | meaning |\n|---|---|---|---|\n"
    return head + "\n".join(rows) + f"\n\nFields: {fields}."


def targets() -> str:
    done = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return "```\n" + done.stdout.rstrip() + "\n```"


@pytest.mark.parametrize(
    "part",
    [commands, settings, variables, deploying, checks, front_matter, shortcodes, targets],
    ids=lambda part: part.__name__,
)
def test_the_readme_holds_what_the_program_says(part):
    mark = re.compile(rf"(<!-- {part.__name__} -->\n).*?(<!-- end -->)", re.DOTALL)
    text = README.read_text()
    assert mark.search(text), f"the README has no place for {part.__name__}"
    true = mark.sub(lambda found: found[1] + part() + "\n" + found[2], text)
    if os.environ.get("GOLDEN") == "rewrite":
        README.write_text(true)
    assert README.read_text() == true, "run make docs"


def test_every_path_that_the_readme_names_exists():
    for path in re.findall(
        r"`((?:hdash_site|layouts|content|tests|benchmarks|docs)/[\w/.]*)`", README.read_text()
    ):
        assert (ROOT / path).exists(), path


def test_the_readmes_first_steps_say_what_the_readme_shows(tmp_path):
    """The steps of "Try it" in a copy of the site; `make site` is run as the commands behind it."""
    section = README.read_text().partition("## Try it")[2].partition("\n## ")[0]
    site = worlds.site_folder(tmp_path / "site")
    shutil.copy(ROOT / "site.toml", site)
    said = "the site is in " + str(site) + section.partition("/home/you/hdash-site")[2].partition("\n")[0]
    steps = {
        "make site": [f"{PROGRAM} build", f"echo '{said}'"],
        "sed": ["{}"],
        ".venv/bin/hdash-site": ["{}"],
    }
    for block in re.findall(r"```\n(\$ .*?)```", section, re.DOTALL):
        shown, printed = block.splitlines(), list[str]()
        for line in (line[2:] for line in shown if line.startswith("$ ")):
            [step] = [step for start, step in steps.items() if line.startswith(start)]
            for command in step:
                typed = command.format(line).replace(".venv/bin/hdash-site", PROGRAM)
                done = subprocess.run(typed, shell=True, cwd=site, capture_output=True, text=True, check=True)
                printed += ["$ " + line] * (command == step[0]) + done.stdout.splitlines()
        # A second make site tells where the site is once more; the README does not.
        if shown[1].startswith("atlases") and not any(line.startswith("the site") for line in shown):
            printed = [line for line in printed if not line.startswith("the site is in")]
        if os.environ.get("GOLDEN") == "rewrite" and sorted(masked(printed)) != sorted(masked(shown)):
            old = dict(zip(masked(shown), shown, strict=True))
            short = [re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}", r"\1…", line) for line in printed]
            shown = [old.get(masked([line])[0], line) for line in short]
            README.write_text(README.read_text().replace(block, "\n".join(shown) + "\n"))
        assert sorted(masked(printed)) == sorted(masked(shown))
        assert masked(printed)[-5:] == masked(shown)[-5:]


def masked(lines):
    """Without times, places and digests, which differ from machine to machine."""
    text = "\n".join(lines)
    text = re.sub(r"\d+\.\d\d s", "… s", text)
    text = re.sub(r"\b([0-9a-f]{8})(?:[0-9a-f]{56}|…)", r"\1…", text)
    return re.sub(r"/\S*(?=/public)", "…", text).splitlines()


def test_every_command_explains_itself():
    for name, command in each_command():
        assert command.help, name
        options = [option for option in command.params if isinstance(option, click.Option)]
        assert all(option.help or option.name == "help" for option in options), name


def test_the_help_of_each_command_is_printed():
    for name in ("", *cli.commands.commands, *(name for name, _ in each_command() if " " in name)):
        done = subprocess.run(
            [sys.executable, "-m", "hdash_site", *name.split(), "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith("Usage:")
