"""What is done to a site besides building it: prepare its state, ask it, forget it, clean up."""

from __future__ import annotations

import datetime
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hdash_site import archetype, notify, publish
from hdash_site import config as settings
from hdash_site.app import config_of, crawling, open_state, remote_of, warn
from hdash_site.config import TOKENS, InForce
from hdash_site.deploy import folder as mirror
from hdash_site.engine.model import Key
from hdash_site.errors import LockedError, SourceError, StateError
from hdash_site.options import Options, cache_folder, output_folder, state_place
from hdash_site.origin import source_of
from hdash_site.secrets import SECRETS
from hdash_site.snapshot import Project, Snapshot
from hdash_site.sources.crawl import atlases_of
from hdash_site.sources.folder import projects_of
from hdash_site.state import where
from hdash_site.state.store import Store, glanced
from hdash_site.state.where import BESIDE

_MADE = ("blobs", "scratch", "sample")


class Standing(NamedTuple):
    """An atlas as the state knows it; `findings` counts errors and warnings, None if it has no report yet."""

    atlas: str
    snapshot: Snapshot
    findings: tuple[int, int] | None


def init(options: Options, projects: Path | None) -> list[tuple[Project, SourceError | None]]:
    """Make the tables of the state if there are none; give each atlas, and why it cannot be read.

    `projects`: a file like `projects.csv`, whose atlases are registered: they are crawled from Synapse where
    `site.toml` lists none.
    """
    config = crawling(options)
    with open_state(options) as store:
        if projects:
            store.register(projects_of(projects))
        source = source_of(config, options, store)
        listed, failed = atlases_of(source)
        source.fingerprints([project for project in listed if project.id not in failed], {})
        return [(project, failed.get(project.id)) for project in listed]


def status(options: Options) -> list[Standing]:
    """Give what the state knows of each atlas; asks nobody else, and waits for nobody."""
    config_of(options)
    with glanced(cache_folder(options), state_place(options), remote_of(options)) as store:
        if store is None:
            return []
        for problem in store.problems:
            warn(problem)
        return [
            Standing(atlas, snapshot, _findings(store, atlas))
            for atlas, snapshot in store.snapshots().items()
        ]


VARIABLES = (
    *where.VARIABLES,
    *publish.VARIABLES,
    *notify.VARIABLES,
    *TOKENS,
    "SYNAPSE_USER",
)
"""The variables of the environment that say something here."""


def in_force(options: Options) -> list[InForce]:
    """Give every setting as it holds, with what it comes from: folders, `site.toml`, environment."""
    folders = (
        ("root", options.root.absolute(), options.root != Path()),
        ("output", output_folder(options), options.output),
        ("cache", cache_folder(options), options.cache),
    )
    found = [InForce(name, str(path), f"--{name}" if given else "default") for name, path, given in folders]
    named = {"source.kind": "folder", "source.path": str(options.source)} if options.source else {}
    for setting in settings.in_force(options.root, os.environ):
        if setting.name in named:
            found.append(InForce(setting.name, named[setting.name], "--source"))
        else:
            found.append(setting)
    return found + _variables(os.environ)


def _variables(environ: Mapping[str, str]) -> list[InForce]:
    """Give the variables that are set. Of one that is a secret, or that a password may have slipped into,
    nothing but that is told.
    """
    found: list[InForce] = []
    for name in VARIABLES:
        value = environ.get(name, "")
        secret = name in SECRETS or name.startswith("HDASH_DB_") or "@" in value
        if value:
            found.append(InForce(name, "set" if secret else value, "environment"))
    return found


def new_article(options: Options, path: Path) -> Path:
    """Begin an article as its archetype says, dated today by the clock of this desk; give its path."""
    config_of(options)
    return archetype.write(options.root, path, datetime.datetime.now().astimezone().date())


def reset(options: Options) -> None:
    """Forget what was crawled and built, so that the next build does all of it anew."""
    config_of(options)
    with open_state(options) as store:
        store.reset()


def clean(options: Options) -> list[str]:
    """Delete the state with its history, blobs, samples, and the files of the site that are ours."""
    cache, output, at = cache_folder(options), output_folder(options), state_place(options)
    config_of(options)
    gone: list[str] = []
    remote = remote_of(options)
    if at.kind == "sqlite" and not remote and not Path(at.name).exists():
        return gone  # nothing here is ours
    try:
        with open_state(options) as store:
            mirror.empty(output, store)
            store.forget()
            gone.append(str(output))
        if remote:
            gone.append(f"the state in {remote.place}")
    except LockedError:
        raise
    except StateError:
        # A file that is no state any more can go; which files of the site are ours, nobody knows then.
        if at.kind != "sqlite":
            raise
    paths = [cache / name for name in _MADE]
    if not (cache / "sample/truth.json").exists():
        paths.remove(cache / "sample")  # somebody else's
    if at.kind == "sqlite":
        paths += [Path(at.name + end) for end in ("", "-shm", "-wal", *BESIDE)]
    else:
        gone.append(f"our rows in {at}")
    for path in paths:
        if path.exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            gone.append(str(path))
    return gone


def _findings(store: Store, atlas: str) -> tuple[int, int] | None:
    trace = store.trace(Key("report", atlas))
    data = store.load(trace.parts["codes"]) if trace else None
    if data is None:
        return None
    counts: list[tuple[int, int]] = list(json.loads(data).values())
    return sum(errors for errors, _ in counts), sum(warnings for _, warnings in counts)
