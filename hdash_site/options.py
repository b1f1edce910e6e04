"""What a run is asked to do, and the places that follow from it."""

from __future__ import annotations

import datetime
import os
import re
import time
from pathlib import Path
from typing import NamedTuple

from hdash_site.errors import ConfigError
from hdash_site.state import where
from hdash_site.state.where import Remote, Where


class Deadline(NamedTuple):
    """When a run must be done; `began` is a reading of `time.monotonic`, `seconds` what it has from there."""

    began: float
    seconds: float

    def left(self, share: float = 1.0) -> float:
        """Give the seconds until a share of the whole time is used up; negative if it is."""
        return self.began + share * self.seconds - time.monotonic()


class Options(NamedTuple):
    """What a run is asked to do. `output` and `cache` are in `root` unless given.

    `offline`: crawl nothing, build from the last snapshots. `strict`: an atlas that failed is a failure of
    the run. `accept_loss`: accept that an atlas lost more than a tenth of its entities. `deadline`: when to
    be done. `drafts`: show articles that are not on the site yet, or not any more, as the preview does.
    `today`: the day for which the site is made, as in "2026-11-24", or its second, as in
    "2026-11-24T03:00:00+00:00"; the present if empty. `new_history`: go on although the published site has
    editions that the state does not know.
    """

    root: Path
    source: Path | None = None
    output: Path | None = None
    cache: Path | None = None
    jobs: int = 1
    atlases: tuple[str, ...] = ()
    forced: bool = False
    offline: bool = False
    strict: bool = False
    accept_loss: bool = False
    deadline: Deadline | None = None
    today: str = ""
    drafts: bool = False
    new_history: bool = False


EPOCH = "SOURCE_DATE_EPOCH"
"""The variable of reproducible builds: the time for which they are made, in seconds since 1970."""


def moment(options: Options) -> str:
    """Give the time for which the site is made, to the second (UTC, ISO 8601). Raises `ConfigError`."""
    if options.today:
        return options.today if "T" in options.today else f"{options.today}T00:00:00+00:00"
    return present().isoformat(timespec="seconds")


def present() -> datetime.datetime:
    """Return the time that goes into files: `SOURCE_DATE_EPOCH` if it is set. Raises `ConfigError`."""
    epoch = os.environ.get(EPOCH)
    if not epoch:
        return datetime.datetime.now(datetime.UTC)
    try:
        if re.fullmatch("[0-9]+", epoch):
            return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise ConfigError(f"it is {epoch!r}", EPOCH, "set it to seconds since 1970, or to nothing")


def output_folder(options: Options) -> Path:
    return (options.output or options.root / "public").absolute()


def cache_folder(options: Options) -> Path:
    return (options.cache or options.root / "cache").absolute()


def state_place(options: Options) -> Where:
    """Give where the state is, as the environment says. Raises `ConfigError`."""
    return where.read(os.environ, cache_folder(options))


def remote_state(lease: float, patience: float) -> Remote | None:
    """Give where in S3 the state is kept, if it is (`where.remote`). Raises `ConfigError`."""
    return where.remote(os.environ, lease, patience)
