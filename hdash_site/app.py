"""The composition root: settings in; state, source, build and mirror put together; a `Result` out."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import time
from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, Protocol

from hdash_site import config as settings
from hdash_site import files
from hdash_site.config import Config
from hdash_site.deploy import folder as mirror
from hdash_site.engine.build import Build
from hdash_site.engine.model import Digest, Event, Failed, Key, Ran
from hdash_site.engine.work import Workers
from hdash_site.errors import ConfigError, HdashError, LockedError, OutputError, StateError
from hdash_site.pages import rules
from hdash_site.pages.inputs import inputs
from hdash_site.pages.site import Site, findings, site
from hdash_site.snapshot import Project, Snapshot
from hdash_site.sources.crawl import Asked, Crawled, Source, crawl, recovered
from hdash_site.sources.folder import Folder
from hdash_site.state.store import Store, opened

DONE, FAILED, USAGE, SOME_ATLAS_FAILED = 0, 1, 2, 3
"""Exit codes."""


class Tell(Protocol):
    """Called with a phase ("crawl", "build", "deploy"), what is at hand, and how much of how much is done.

    `total` is 0 where nobody knows.
    """

    def __call__(self, phase: str, what: str, done: int = 0, total: int = 0) -> None: ...


def silent(phase: str, what: str, done: int = 0, total: int = 0) -> None:
    """Tell nobody."""


class Options(NamedTuple):
    """What a run is asked to do. `output` and `cache` are in `root` unless given.

    `offline`: crawl nothing, build from the last snapshots. `strict`: an atlas that failed is a failure of
    the run. `accept_loss`: believe that an atlas lost most of its files.
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
    config = _config(options)
    _keep_apart(config, options)
    with opened(cache_folder(options)) as store:
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
    with opened(cache_folder(options)) as store:
        crawled = _Run(_config(options), options, store, tell).crawl()
        store.commit()
        return crawled


def pull(options: Options, folder: Path) -> list[tuple[str, int]]:
    """Write the last snapshots as a folder of atlases; give each atlas with its number of manifests."""
    from hdash_site.sources import pulled

    with opened(cache_folder(options)) as store:
        crawled = _from_before(store.snapshots(), options.atlases)
        _known(options.atlases, crawled)
        return pulled.write(folder, list(crawled.snapshots.values()), store.load)


def why(options: Options, path: str) -> list[tuple[Key, str]]:
    """Give the chain of reasons why a file of the site was made last: itself, then what had changed."""
    with opened(cache_folder(options)) as store:
        key = store.maker(path) or store.maker((PurePosixPath(path) / "index.html").as_posix())
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

    try:
        if folder.exists() and any(folder.iterdir()):
            raise OutputError("the folder is not empty", str(folder), "name another one, or empty it")
        sample.write(folder, seed=seed, scale=scale, atlases=atlases)
    except OSError as error:
        raise _unwritable(folder, error) from error


def list_checks() -> list[tuple[str, str, str]]:
    """Give code, severity and title of each check."""
    from hdash_site.htan.checks import checks

    return [(check.CODE, check.SEVERITY, check.TITLE) for check in checks()]


def output_folder(options: Options) -> Path:
    return (options.output or options.root / "public").absolute()


def cache_folder(options: Options) -> Path:
    return (options.cache or options.root / "cache").absolute()


def clean(options: Options) -> list[Path]:
    """Delete what can be made again: state, blobs, samples, and the files of the site that are ours."""
    import shutil

    cache, output = cache_folder(options), output_folder(options)
    settings.read(options.root, os.environ)
    gone: list[Path] = []
    if not (cache / "state.db").exists():
        return gone  # nothing here is ours
    try:
        with opened(cache) as store:
            mirror.empty(output, store)
        gone.append(output)
    except LockedError:
        raise
    except StateError:
        pass  # with the state the list of our files is lost: they stay
    made = [
        path for path in sorted(cache.iterdir()) if path.name in _MADE or path.name.startswith("state.db")
    ]
    if not (cache / "sample/truth.json").exists():
        made = [path for path in made if path.name != "sample"]
    for path in made:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return gone + made


_MADE = ("blobs", "scratch", "sample")


def _config(options: Options) -> Config:
    config = settings.read(options.root, os.environ)
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
        self._source: Source | None = None

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
        partly = self._options.offline and self._options.atlases
        if self._ran and not self._broken and not partly:
            self._store.sweep(built.asked_for)
        return self._summed_up(crawled, built, deployed, found)

    def crawl(self) -> Crawled:
        last = self._store.snapshots()
        only = self._options.atlases
        if self._options.offline:
            crawled = self._crawled = _from_before(last, only)
            _known(only, crawled)
            return crawled
        self._source = _source(self._config, self._options, self._store)
        # A folder is what it is; in Synapse a permission may be gone.
        believed = self._options.accept_loss or self._config.source_kind != "synapse"
        asked = Asked(_now(), only, believed)
        crawled = crawl(self._source, last, self._store.blobs, asked, functools.partial(self._tell, "crawl"))
        _known(only, crawled)
        if list(crawled.snapshots.items()) != list(last.items()):
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
            if self._source:
                data = recovered(self._source, self._crawled.snapshots, digest)
            if data is None:
                way_out = "build again" if self._source else "build once without --offline"
                raise StateError("crawled bytes are lost, and cannot be had again now", digest, way_out)
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
        lines = crawled.problems()
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
        if failed and self._options.strict:
            return FAILED
        return SOME_ATLAS_FAILED if failed else DONE

    @contextmanager
    def _phase(self, name: str) -> Generator[None, None, None]:
        started = time.perf_counter()
        yield
        self._seconds[name] = round(time.perf_counter() - started, 3)


def _source(config: Config, options: Options, store: Store) -> Source:
    match config.source_kind:
        case "folder":
            return Folder(config.source_path, store.looks)
        case "sample":
            return Folder(_sample(options), store.looks)
        case _:
            return _synapse(config, options)


def _synapse(config: Config, options: Options) -> Source:
    from hdash_site.sources.synapse import Synapse

    login = settings.login(os.environ)
    if login is None:
        way_out = "set it to a personal access token with the scopes view and download"
        raise ConfigError("Synapse wants a token", "SYNAPSE_AUTH_TOKEN", way_out)
    if not config.atlases:
        raise ConfigError("no atlas is listed", settings.FILE, "add [[atlas]] tables with id and synapse_id")
    fields = ("id", "synapse_id", "name", "liaison")
    projects = [Project(*(atlas.get(field, "") for field in fields)) for atlas in config.atlases]
    return Synapse(config.synapse, projects, login, cache_folder(options) / "scratch")


def _known(only: Collection[str], crawled: Crawled) -> None:
    """Raise `ConfigError` if an atlas is asked for that there is not."""
    unknown = [atlas for atlas in only if atlas not in crawled.snapshots and atlas not in crawled.failed]
    if unknown:
        raise ConfigError(f'there is no atlas "{unknown[0]}"', "--atlas", "give the id of one that is listed")


def _from_before(last: Mapping[str, Snapshot], only: Collection[str]) -> Crawled:
    """Give the last snapshots as the crawl of today."""
    if not last:
        raise StateError("nothing was crawled yet", way_out="build once without --offline")
    return Crawled({atlas: old for atlas, old in last.items() if not only or atlas in only}, {})


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
            raise _unwritable(folder, error) from error
    return folder


def _unwritable(folder: Path, error: OSError) -> OutputError:
    way_out = "name a folder that you may write to, on a disk with room"
    return OutputError(f"the sample cannot be written ({error.strerror})", str(folder), way_out)


def _keep_apart(config: Config, options: Options) -> None:
    """Refuse to write the site where it is made from, or what it is made from where the site is."""
    output = output_folder(options).resolve()
    inputs = [config.root / "content", config.root / "layouts", cache_folder(options)]
    if config.source_kind == "folder":
        inputs.append(config.source_path / "manifests")
    for folder in (path.resolve() for path in inputs):
        if output.is_relative_to(folder) or folder.is_relative_to(output):
            problem = f"the site cannot stand in one place with {folder}, which it is made from"
            raise ConfigError(problem, f"--output {output}", "name another folder")


def _line(event: Failed) -> str:
    from concurrent.futures import BrokenExecutor

    if isinstance(event.error, HdashError):
        return str(event.error)
    if isinstance(event.error, BrokenExecutor):
        return "a process at work died, perhaps for lack of memory; build again, with --jobs 1 if need be"
    return f"{event.key}: {type(event.error).__name__}: {' '.join(str(event.error).split())}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
