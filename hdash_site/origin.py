"""Where the atlases of a run come from: the source that the settings name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hdash_site import config as settings
from hdash_site.config import Config
from hdash_site.errors import ConfigError, OutputError
from hdash_site.options import Options, cache_folder
from hdash_site.snapshot import Project, Snapshot
from hdash_site.sources.crawl import Source
from hdash_site.sources.folder import Folder
from hdash_site.state.store import Store


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
        way_out = "set it to a personal access token with the scopes view and download"
        raise ConfigError("Synapse wants a token", "SYNAPSE_AUTH_TOKEN", way_out)
    projects = [Project(*(atlas.get(field, "") for field in Project._fields)) for atlas in config.atlases]
    projects = projects or store.registered()
    if not projects:
        way_out = "add [[atlas]] tables with id and synapse_id, or give 'hdash-site init' a projects.csv"
        raise ConfigError("no atlas is listed", settings.FILE, way_out)
    return Synapse(config.synapse, projects, login, cache_folder(options) / "scratch")


def kind_of(snapshots: Mapping[str, Snapshot]) -> str:
    """Give the kind of source that snapshots came from: their fingerprints begin with it."""
    return next((one.fingerprint.partition(" ")[0] for one in snapshots.values()), "")


def _sample(options: Options) -> Path:
    """Give the sample collection, made when there is none; edits to it stay until `clean`."""
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
