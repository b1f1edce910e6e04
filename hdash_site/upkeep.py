"""What is done to a site besides building it: prepare its state, ask it, forget it, clean up."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hdash_site import archetype, editions, notify, publish
from hdash_site import config as settings
from hdash_site.app import config_of, crawling, open_state, place_of, remote_of, warn
from hdash_site.config import TOKENS, InForce
from hdash_site.deploy import folder as mirror
from hdash_site.engine.model import Key
from hdash_site.errors import ConfigError, SourceError
from hdash_site.options import Options, cache_folder, output_folder, present, state_place
from hdash_site.origin import source_of
from hdash_site.pages.history import name_of
from hdash_site.secrets import SECRETS
from hdash_site.snapshot import Project, Snapshot
from hdash_site.sources.crawl import atlases_of
from hdash_site.sources.folder import projects_of
from hdash_site.state import where
from hdash_site.state.store import Counts, Store, glanced
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
    """Begin an article as its archetype says, dated today in the local time zone; give its path."""
    config_of(options)
    return archetype.write(options.root, path, present().astimezone().date())


def reset(options: Options) -> None:
    """Forget what was crawled and built, so that the next build does all of it anew."""
    config_of(options)
    with open_state(options) as store:
        store.reset()


class Edition(NamedTuple):
    """An edition of the history; `source` identifies the source of its atlases, `name` its page."""

    source: str
    name: str
    edition: Mapping[str, Any]

    @property
    def when(self) -> str:
        return self.edition["when"]

    def __str__(self) -> str:
        return f"{self.source or editions.UNKNOWN}/{self.when}"


def history(options: Options) -> list[Edition]:
    """Return all editions, by source, oldest first. Waits for no other run."""
    config_of(options)
    with glanced(cache_folder(options), state_place(options), remote_of(options)) as store:
        if store is None:
            return []
        return [
            Edition(source, name_of(one["when"]), one)
            for source in store.sources()
            for one in editions.read(store, source).editions
        ]


def edition(options: Options, wanted: str) -> Edition:
    """Return the edition that `wanted` names, which is its time, the name of its page, or how these begin.

    Where two sources have such an edition, the source and a slash come before it. Raises `ConfigError`.
    """
    known = history(options)
    source, slash, start = wanted.rpartition("/")
    found = [
        one
        for one in known
        if (not slash or source == (one.source or editions.UNKNOWN))
        and (one.when.startswith(start) or one.name.startswith(start))
    ]
    exact = [one for one in found if start in (one.when, one.name)]
    match exact or found:
        case [one]:
            return one
        case []:
            problem, way_out = f'there is no edition "{wanted}"', "see 'hdash-site history list'"
        case several:
            problem = f'"{wanted}" names {len(several)} editions'
            named = ", ".join(map(str, several[:_NAMED]))
            way_out = f"name one of them in full: {named}{', …' if len(several) > _NAMED else ''}"
    raise ConfigError(problem, "EDITION", way_out)


_NAMED = 5
"""Editions that a message names."""


def drop_edition(options: Options, chosen: Edition) -> None:
    """Drop an edition and recompute the differences of those after it."""
    with open_state(options) as store:
        editions.drop(store, chosen.source, chosen.when)


class Loss(NamedTuple):
    """What `clean` would delete: the place of the state, what it holds, and how many files of the site."""

    place: str
    held: Counts
    output: str
    files: int


def loss(options: Options) -> Loss | None:
    """Return what `clean` would delete; None if there is no state."""
    config_of(options)
    output = str(output_folder(options))
    with glanced(cache_folder(options), state_place(options), remote_of(options)) as store:
        if store is None:
            return None
        return Loss(place_of(options), store.counts(), output, len(store.published(output)))


def clean(options: Options) -> list[str]:
    """Delete the state with its history, blobs, samples, and the files of the site that are ours."""
    cache, output, at = cache_folder(options), output_folder(options), state_place(options)
    config_of(options)
    gone: list[str] = []
    remote = remote_of(options)
    with open_state(options) as store:
        mirror.empty(output, store)
        store.forget()
        gone.append(str(output))
    if remote:
        gone.append(f"the state in {remote.place}")
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
