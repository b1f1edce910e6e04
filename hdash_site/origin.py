"""Where the atlases of a run come from: the source that the settings name."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from hdash_site import config as settings
from hdash_site.config import TOKENS, Config
from hdash_site.errors import ConfigError, OutputError
from hdash_site.options import Options, cache_folder
from hdash_site.snapshot import Project, Snapshot
from hdash_site.sources.crawl import Source
from hdash_site.sources.folder import Folder
from hdash_site.state.store import SOURCE, Store


def source_of(config: Config, options: Options, store: Store) -> Source:
    match config.source_kind:
        case "folder":
            return Folder(config.source_path, store.looks, "folder")
        case "sample":
            return Folder(_sample(options), store.looks, "sample")
        case _:
            return _synapse(config, options, store)


def _synapse(config: Config, options: Options, store: Store) -> Source:
    from hdash_site.sources.synapse import Synapse

    login = settings.login(os.environ)
    if login is None:
        raise ConfigError("Synapse wants a token", "SYNAPSE_AUTH_TOKEN", _HOW_TO_LOG_IN)
    projects = [Project(*(atlas.get(field, "") for field in Project._fields)) for atlas in config.atlases]
    projects = projects or store.registered()
    if not projects:
        way_out = "add [[atlas]] tables with id and synapse_id, or give 'hdash-site init' a projects.csv"
        raise ConfigError("no atlas is listed", settings.FILE, way_out)
    return Synapse(config.synapse, projects, login, cache_folder(options) / "scratch")


_HOW_TO_LOG_IN = "set it to a personal access token with the scopes view and download"


def kind_of(snapshots: Mapping[str, Snapshot]) -> str:
    """Give the kind of source that snapshots came from: their fingerprints begin with it."""
    return next((one.fingerprint.partition(" ")[0] for one in snapshots.values()), "")


def identity(config: Config) -> str:
    """Return what identifies the source of the settings, to which a history belongs.

    In Synapse that is the endpoint and the view, so that an atlas can be added to `site.toml`. A folder is
    identified by its path from the site if it lies in the site, and by its absolute path if not.
    """
    match config.source_kind:
        case "synapse":
            return _identity("synapse", config.synapse.endpoint.rstrip("/"), config.synapse.view)
        case "folder":
            # Symbolic links are not followed: each night may put a new folder behind the same link.
            path, root = (Path(os.path.abspath(folder)) for folder in (config.source_path, config.root))  # noqa: PTH100
            return _identity(
                "folder", (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
            )
        case kind:
            return kind


def _identity(kind: str, *names: str) -> str:
    return f"{kind}-{hashlib.sha256(json.dumps(names).encode()).hexdigest()[:12]}"


def identity_of_snapshots(config: Config, store: Store) -> str:
    """Return what identifies the source of the snapshots in the state.

    Where only their kind is known, because version 0.1.0 crawled them, that is the source of the settings if
    it is of the same kind, and the kind alone if not.
    """
    kind = kind_of(store.snapshots())
    return store.fact(SOURCE) or (identity(config) if config.source_kind == kind else kind)


def check_token(config: Config, environ: Mapping[str, str]) -> None:
    """Raise `ConfigError` if the variable with the token of Synapse is set and empty, and no source is set.

    Whoever sets the variable wants the atlases of Synapse: the sample must not take their place.
    """
    empty = next((name for name in TOKENS if name in environ), "")
    if empty and config.source_kind == "sample" and not config.source_is_set:
        raise ConfigError(
            "this variable is set, but empty", empty, f"{_HOW_TO_LOG_IN}, or unset it to use the sample"
        )


def refuse_sample(config: Config) -> None:
    """Raise `ConfigError` if a night would publish the sample, and `site.toml` does not ask for that."""
    if config.source_kind == "sample" and not config.source_is_set:
        problem = "nightly does not publish the sample: no source of atlases is set"
        way_out = f'{_HOW_TO_LOG_IN}, or set source.kind in {settings.FILE} ("sample" publishes the sample)'
        raise ConfigError(problem, "SYNAPSE_AUTH_TOKEN", way_out)


def refuse_built_sample(config: Config, snapshots: Mapping[str, Snapshot]) -> None:
    """Raise `ConfigError` if a site was built from the sample, and `site.toml` does not ask for that."""
    asked_for = config.source_kind == "sample" and config.source_is_set
    if kind_of(snapshots) == "sample" and not asked_for:
        problem = "deploy does not publish the sample, from which this site was built"
        way_out = f'build the site from its atlases, or set source.kind to "sample" in {settings.FILE}'
        raise ConfigError(problem, way_out=way_out)


def _sample(options: Options) -> Path:
    """Give the sample collection, made when there is none; edits to it stay."""
    folder = cache_folder(options) / "sample"
    if not folder.exists():
        from hdash_site.sources import sample

        unfinished = folder.with_suffix(".unfinished")
        try:
            sample.write(unfinished)
            unfinished.rename(folder)
        except OSError as error:
            raise unwritable(folder, error) from error
    return folder


def unwritable(folder: Path, error: OSError) -> OutputError:
    way_out = "name a folder that you may write to, on a disk with room"
    return OutputError(f"the sample cannot be written ({error.strerror})", str(folder), way_out)
