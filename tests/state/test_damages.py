"""Files of a state that are damaged by chance: one line says what happened, and nothing is lost silently.

`DAMAGES` is the number of damages that are tried.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil

import pytest
from click.testing import CliRunner

from hdash_site import app, cli
from hdash_site.errors import HdashError
from tests import worlds

DAMAGES = int(os.environ.get("DAMAGES", "10"))

_ADVICE = re.compile(r"\b(delete|remove|clean)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    site, atlases = worlds.site_folder(folder / "site"), worlds.small(folder / "atlases")
    worlds.build(site, atlases.folder, today="2026-07-01")
    atlases.entity(atlases.projects[0]["id"], atlases.projects[0]["id"], "more.bam")
    atlases.save()
    worlds.build(site, atlases.folder, today="2026-07-02")
    return folder


def zeros(luck, data):
    start = luck.randrange(len(data))
    end = min(len(data), start + luck.choice((1, 16, 512, 4096, 20000)))
    return data[:start] + bytes(end - start) + data[end:]


def noise(luck, data):
    start = luck.randrange(len(data))
    end = min(len(data), start + luck.choice((1, 4, 64, 4096, 20000)))
    return data[:start] + luck.randbytes(end - start) + data[end:]


def letters(luck, data):
    """Other letters, which stay a text."""
    changed = bytearray(data)
    for _ in range(luck.choice((1, 10, 200))):
        changed[luck.randrange(len(changed))] = luck.choice(b'0aZ{}[]",:')
    return bytes(changed)


def cut(luck, data):
    return data[: luck.randrange(len(data))]


def longer(luck, data):
    return data + luck.randbytes(luck.choice((1, 4096)))


def swapped(luck, data):
    """Two pages in each other's place."""
    pages = [data[start : start + 4096] for start in range(0, len(data), 4096)]
    one, two = luck.randrange(len(pages)), luck.randrange(len(pages))
    pages[one], pages[two] = pages[two], pages[one]
    return b"".join(pages)


def with_logs(luck, site):
    """Leave the logs of a run that was killed."""
    import sqlite3
    from contextlib import closing

    file = site / "cache/state.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("UPDATE hdash_run SET outcome = 'done'")
        database.execute("UPDATE hdash_trace SET reason = 'never built'")
        left = {end: (file.parent / f"state.db{end}").read_bytes() for end in ("", "-wal", "-shm")}
    for end, data in left.items():
        (file.parent / f"state.db{end}").write_bytes(data)


def editions(site):
    with app.open_state(app.Options(site)) as store:
        return {source: store.editions(source) for source in store.sources()}


def run(*command):
    """Run a command; an error that is none of ours is raised."""
    done = CliRunner().invoke(cli.commands, command, standalone_mode=False)
    if isinstance(done.exception, HdashError):
        return done.exception.exit_code, str(done.exception)
    if done.exception:
        raise done.exception
    return done.return_value or 0, done.output


@pytest.mark.parametrize("seed", range(DAMAGES))
def test_a_damage_by_chance_is_said_and_loses_no_history_silently(built, tmp_path, seed):
    luck = random.Random(seed)
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    site, atlases = tmp_path / "site", tmp_path / "atlases"
    history = editions(site)
    if luck.random() < 0.3:
        with_logs(luck, site)
    files = [*(site / "cache").glob("state.db*[!0-9]"), site / "cache/blobs/cache.db"]
    file = luck.choice([path for path in files if path.stat().st_size])
    damage = luck.choice((zeros, noise, letters, cut, longer, swapped))
    for _ in range(luck.choice((1, 1, 3))):
        file.write_bytes(damage(luck, file.read_bytes()) or b"")
    note = f"{damage.__name__} in {file.name}"
    root = ("--root", str(site))
    commands = {
        "status": ("status", *root),
        "check": ("check", *root),
        "history": ("history", "list", *root, "--json"),
        "build": ("build", *root, "--source", str(atlases), "--jobs", "1"),
        "doctor": ("doctor", *root),
        "build again": ("build", *root, "--source", str(atlases), "--jobs", "1"),
    }
    said = {}
    for name, command in commands.items():
        said[name] = run(*command)
        code, text = said[name]
        assert code in (0, 1, 3), (note, name, said)
        for line in text.splitlines():
            assert not _ADVICE.search(line.replace("removed", "")), (note, name, line)
    if said["build again"][0] == 0:
        now = editions(site)
        told = json.dumps(said)
        for source, known in history.items():
            lost = set(known) - set(now.get(source, ()))
            assert not lost or "damaged" in told or "cannot be read" in told, (note, said)
        assert said["doctor"][0] == 0 or "copy" in said["doctor"][1], (note, said)
