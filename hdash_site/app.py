"""The composition root: settings in; state, source, build and mirror put together; a `Result` out."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import time
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from hdash_site import config as settings
from hdash_site import files
from hdash_site.config import Config
from hdash_site.deploy import folder as mirror
from hdash_site.engine.build import Build
from hdash_site.engine.model import Digest, Event, Failed, Key, Ran
from hdash_site.engine.work import Workers
from hdash_site.errors import ConfigError, HdashError, OutputError, StateError
from hdash_site.pages import rules
from hdash_site.pages.inputs import inputs
from hdash_site.pages.site import Site, findings, site
from hdash_site.sources.crawl import Crawled, Source, crawl, recovered
from hdash_site.sources.folder import Folder
from hdash_site.state import where
from hdash_site.state.store import Store, opened
from hdash_site.state.where import Where

DONE, FAILED, USAGE, SOME_ATLAS_FAILED = 0, 1, 2, 3
"""Exit codes."""

Tell = Callable[[str, str], None]
"""Called with a phase ("crawl", "build", "deploy") and what is at hand in it."""


def silent(phase: str, what: str) -> None:
    """Tell nobody."""


class Options(NamedTuple):
    """What a run is asked to do. `output` and `cache` are in `root` unless given."""

    root: Path
    source: Path | None = None
    output: Path | None = None
    cache: Path | None = None
    jobs: int = 1
    atlases: tuple[str, ...] = ()
    forced: bool = False


class Result(NamedTuple):
    """What a run did. Files come with the reason; `problems` are whole lines; `seconds` is by phase."""

    exit_code: int
    changed: list[str]
    same: list[str]
    failed: list[str]
    ran: list[Ran]
    deployed: mirror.Deployed
    findings: dict[str, dict[str, int]]
    problems: list[str]
    seconds: dict[str, float]

    def counts(self) -> dict[str, Any]:
        """Give the summary for programs."""
        return {
            "atlases": {"changed": len(self.changed), "same": len(self.same), "failed": len(self.failed)},
            "recipes_run": len(self.ran),
            "recipes_cut_off": sum(ran.cut_off for ran in self.ran),
            "files_written": len(self.deployed.written),
            "files_kept": self.deployed.kept,
            "files_removed": len(self.deployed.removed),
            "findings": self.findings,
            "seconds": self.seconds,
        }


def build(options: Options, tell: Tell = silent) -> Result:
    """Crawl, build, and put the site in its folder. Raises `HdashError` if nothing can be done."""
    config = config_of(options)
    with open_state(options) as store:
        started = _now()
        try:
            result = _Run(config, options, store, tell).result()
        except HdashError as error:
            store.note_run(started, _now(), "failed", {"problem": str(error)})
            raise
        if result.ran or result.deployed.written or result.deployed.removed or result.exit_code:
            store.note_run(
                started, _now(), "done" if result.exit_code == DONE else "in part", result.counts()
            )
        return result


def crawl_only(options: Options, tell: Tell = silent) -> Crawled:
    """Bring the snapshots up to date, and nothing else."""
    with open_state(options) as store:
        crawled = _Run(config_of(options), options, store, tell).crawl()
        store.commit()
        return crawled


def why(options: Options, path: str) -> list[tuple[Key, str]]:
    """Give the chain of reasons why a file of the site was made last: itself, then what had changed."""
    with open_state(options) as store:
        key = store.maker(path)
        if key is None:
            raise ConfigError(
                "no page makes this file", path, "give its path as it is in the folder of the site"
            )
        chain: list[tuple[Key, str]] = []
        while key is not None:
            chain.append((key, store.reason(key)))
            key = _cause(store, *chain[-1])
        return chain


def write_sample(folder: Path, seed: int, scale: float, atlases: int | None) -> None:
    """Write the sample collection into a folder that is not there yet, or empty."""
    from hdash_site.sources import sample

    if folder.exists() and any(folder.iterdir()):
        raise OutputError("the folder is not empty", str(folder), "name another one, or empty it")
    sample.write(folder, seed=seed, scale=scale, atlases=atlases)


def list_checks() -> list[tuple[str, str, str]]:
    """Give code, severity and title of each check."""
    from hdash_site.htan.checks import checks

    return [(check.CODE, check.SEVERITY, check.TITLE) for check in checks()]


def output_folder(options: Options) -> Path:
    return (options.output or options.root / "public").absolute()


def cache_folder(options: Options) -> Path:
    return (options.cache or options.root / "cache").absolute()


def state_place(options: Options) -> Where:
    """Give where the state is, as the environment says. Raises `ConfigError`."""
    return where.read(os.environ, cache_folder(options))


def open_state(options: Options) -> AbstractContextManager[Store]:
    """Open the state for one run."""
    return opened(cache_folder(options), state_place(options))


def config_of(options: Options) -> Config:
    config = settings.read(options.root)
    if options.source:
        return dataclasses.replace(config, source_kind="folder", source_path=options.source)
    return config


def _cause(store: Store, key: Key, reason: str) -> Key | None:
    """Give the task that a reason names."""
    trace = store.trace(key)
    for read, _ in trace.reads if trace else ():
        whole = Key(read.kind, read.name)
        if reason == f"{read} changed" and store.trace(whole):
            return whole
    return None


class _Run:
    """One run over an open state."""

    def __init__(self, config: Config, options: Options, store: Store, tell: Tell) -> None:
        self._config, self._options, self._store, self._tell = config, options, store, tell
        self._ran: list[Ran] = []
        self._broken: list[Failed] = []
        self._seconds: dict[str, float] = {}

    def result(self) -> Result:
        with self._phase("crawl"):
            crawled = self.crawl()
        with self._phase("build"), self._building(crawled) as building:
            built = site(building, self._store)
            found = findings(building, list(crawled.snapshots))
            if not built.files:
                raise self._nothing(built)
            with self._phase("deploy"):
                deployed = self._deploy(building, built)
        self._seconds["build"] = round(self._seconds["build"] - self._seconds["deploy"], 3)
        self._store.commit()
        if self._ran and not self._broken:
            self._store.sweep(built.asked_for)
        return self._summed_up(crawled, built, deployed, found)

    def crawl(self) -> Crawled:
        last = self._store.snapshots()
        only = self._options.atlases
        self._source: Source = source_of(self._config, self._options, self._store)
        crawled = crawl(self._source, last, self._store.blobs, only, functools.partial(self._tell, "crawl"))
        unknown = [atlas for atlas in only if atlas not in crawled.snapshots and atlas not in crawled.failed]
        if unknown:
            raise ConfigError(f'there is no atlas "{unknown[0]}"', "--atlas", "give an id of projects.csv")
        self._store.save_snapshots(crawled.snapshots.values())
        self._crawled = crawled
        return crawled

    @contextmanager
    def _building(self, crawled: Crawled) -> Generator[Build, None, None]:
        jobs = self._options.jobs
        with closing(Workers(jobs, rules.HEAVY)) as workers:
            build = Build(
                rules.tasks(rules.code()),
                inputs(self._config, crawled.snapshots, self._loaded),
                self._store,
                workers,
                self._told,
                helpers=jobs if jobs > 1 else 0,
                forced=self._options.forced,
            )
            with closing(build.schedule):
                yield build

    def _deploy(self, building: Build, built: Site) -> mirror.Deployed:
        output = output_folder(self._options)
        self._tell("deploy", str(output))

        def load(path: str) -> bytes:
            # By digest first: a page that failed today still has the files of its last good day.
            data = self._store.load(built.files[path].digest) or building.value(built.files[path].key)
            if data is None:
                raise OutputError(
                    "its bytes are lost and cannot be made today", path, "see the problems above"
                )
            return data

        want = {path: file.digest for path, file in built.files.items()}
        deployed = mirror.deploy(output, want, load, self._store, cache_folder(self._options) / "scratch")
        check = json.dumps({"checked": _now()}).encode()
        files.replace(output / mirror.CHECK_FILE, check, cache_folder(self._options) / "scratch")
        return deployed

    def _loaded(self, digest: Digest) -> bytes:
        """Give crawled bytes, from the source once more if the cache lost them."""
        data = self._store.load(digest)
        if data is None:
            data = recovered(self._source, self._crawled.snapshots, digest)
            if data is None:
                raise StateError(
                    "crawled bytes are lost, and the source has others now", digest, "build again"
                )
            self._store.keep(data)
        return data

    def _told(self, event: Event) -> None:
        self._tell("build", str(event.key))
        if isinstance(event, Ran):
            self._ran.append(event)
            self._store.explain(event.key, event.reason)
        else:
            self._broken.append(event)

    def _nothing(self, built: Site) -> HdashError:
        said = self._problems(built.problems)
        return OutputError(said[0] if said else "there is no page to make", str(self._options.root))

    def _problems(self, others: Iterable[str]) -> list[str]:
        # One fault in a layout fails many pages: it is told once.
        return list(dict.fromkeys([*(_line(event) for event in self._broken), *others]))

    def _summed_up(
        self, crawled: Crawled, built: Site, deployed: mirror.Deployed, found: dict[str, dict[str, int]]
    ) -> Result:
        changed = {ran.key.name for ran in self._ran if ran.key.kind == "report" and not ran.cut_off}
        broken = {event.key.name for event in self._broken if event.key.kind in ("report", "listing")}
        read = [atlas for atlas in crawled.snapshots if atlas not in crawled.failed]
        failed = [*crawled.failed, *sorted(broken)]
        lines = [f"atlas {atlas} was not read: {error}" for atlas, error in crawled.failed.items()]
        return Result(
            exit_code=self._exit_code(built, failed),
            changed=[atlas for atlas in read if atlas in changed],
            same=[atlas for atlas in read if atlas not in changed and atlas not in broken],
            failed=failed,
            ran=self._ran,
            deployed=deployed,
            findings=found,
            problems=lines + self._problems(built.problems),
            seconds=self._seconds,
        )

    def _exit_code(self, built: Site, failed: Collection[str]) -> int:
        pages = [event for event in self._broken if event.key.kind not in ("report", "listing", "manifest")]
        if pages or built.problems:
            return FAILED
        return SOME_ATLAS_FAILED if failed else DONE

    @contextmanager
    def _phase(self, name: str) -> Generator[None, None, None]:
        started = time.perf_counter()
        yield
        self._seconds[name] = round(time.perf_counter() - started, 3)


def source_of(config: Config, options: Options, store: Store) -> Source:
    match config.source_kind:
        case "folder":
            return Folder(config.source_path, store.looks)
        case "sample":
            return Folder(_sample(options), store.looks)
        case _:
            raise ConfigError(
                "this version reads no Synapse projects",
                f"{settings.FILE}, source.kind",
                "write sample or folder",
            )


def _sample(options: Options) -> Path:
    """Give the sample collection, made when there is none; edits to it stay until `clean`."""
    folder = cache_folder(options) / "sample"
    if not folder.exists():
        from hdash_site.sources import sample

        unfinished = folder.with_suffix(".unfinished")
        sample.write(unfinished)
        unfinished.rename(folder)
    return folder


def _line(event: Failed) -> str:
    if isinstance(event.error, HdashError):
        return str(event.error)
    return f"{event.key}: {type(event.error).__name__}: {' '.join(str(event.error).split())}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
