"""One run over an open state: crawl, build, deploy; a `Result` out."""

from __future__ import annotations

import dataclasses
import functools
import json
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence, Set
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from hdash_site import editions, site_status
from hdash_site.config import Config
from hdash_site.deploy import Deployed
from hdash_site.engine.build import Build
from hdash_site.engine.memory import Memory
from hdash_site.engine.model import Broken, Digest, Event, Failed, Key, OutOfTime, Overrun, Ran
from hdash_site.engine.processes import ProcessDied
from hdash_site.engine.work import Workers
from hdash_site.errors import ConfigError, HdashError, OutputError, StateError
from hdash_site.files import Looks
from hdash_site.htan.changes import findings_moved
from hdash_site.lost import mended
from hdash_site.options import Options, moment, present
from hdash_site.origin import identity, identity_of_snapshots, kind_of, source_of
from hdash_site.pages import rules
from hdash_site.pages.folders import Links, left_out, no_links, touched
from hdash_site.pages.history import History
from hdash_site.pages.inputs import inputs
from hdash_site.pages.site import File, Site, findings, note_failures, site, some
from hdash_site.publish import Artifacts, Publish, loader, status_of
from hdash_site.site_status import WAITING, Failure
from hdash_site.snapshot import Snapshot
from hdash_site.sources.crawl import Asked, Crawled, Source, crawl, recovered
from hdash_site.state.store import Store

DONE, FAILED, USAGE, SOME_ATLAS_FAILED = 0, 1, 2, 3
"""Exit codes."""


class Tell(Protocol):
    """Called with a phase ("crawl", "build", "deploy"), what is at hand, and how much of how much is done.

    `total` is 0 where nobody knows.
    """

    def __call__(self, phase: str, what: str, done: int = 0, total: int = 0) -> None: ...


def silent(phase: str, what: str, done: int = 0, total: int = 0) -> None:
    """Tell nobody."""


class Result(NamedTuple):
    """What a run did. Files come with the reason; `problems` are whole lines; `seconds` is by phase.

    New and fixed findings are counted by code, since the build before; `failed_since` is by atlas, and so is
    `unverified`: when an atlas that could not be verified now was verified last, empty if it never was.
    `makers` are the tasks that made the files that were written.
    """

    exit_code: int
    changed: list[str]
    same: list[str]
    failed: list[str]
    ran: list[Ran]
    deployed: Deployed
    findings: dict[str, dict[str, int]]
    new_findings: Counter[str]
    fixed_findings: Counter[str]
    failed_since: dict[str, str]
    unverified: dict[str, str]
    problems: list[str]
    seconds: dict[str, float]
    makers: Mapping[str, Key]
    tracebacks: list[str]
    """Of checks and recipes that raised an error that is none of ours."""

    def counts(self) -> dict[str, Any]:
        """Give the summary for programs."""
        return {
            "atlases": {
                "changed": len(self.changed),
                "same": len(self.same),
                "unverified": len(self.unverified),
                "failed": len(self.failed),
            },
            "recipes_run": len(self.ran),
            "recipes_cut_off": sum(ran.cut_off for ran in self.ran),
            "files_written": len(self.deployed.written),
            "files_kept": self.deployed.kept,
            "files_removed": len(self.deployed.removed),
            WAITING: len(self.deployed.waiting),
            "findings": self.findings,
            "findings_new": dict(self.new_findings),
            "findings_fixed": dict(self.fixed_findings),
            "seconds": self.seconds,
        }


CRAWL_SHARE, BUILD_SHARE = 0.6, 0.85
"""Shares of the time of a run after which the crawl, and then the build, gives up on what is missing."""


ALONE_SECONDS = 0.05
"""Heavy work after which threads help: less is done sooner by one thread, which can fork a process."""


@dataclasses.dataclass
class Kept:
    """What a run leaves to the next one in the same process, which is told what was `saved` since.

    It is worth something only while no other run writes to the state.
    """

    memory: Memory = dataclasses.field(default_factory=Memory)
    saved: set[Path] = dataclasses.field(default_factory=set[Path])
    crawled: Crawled | None = None
    history: History | None = None
    workers: Workers | None = None
    site: Site | None = None
    links: Links = dataclasses.field(default_factory=no_links)
    today: str = ""
    first: Sequence[str] = ()
    """Files that somebody looks at: they are brought up to date before the others."""
    shown: Callable[[Deployed], None] = lambda _: None
    """Called when they are."""
    publish_early: Publish | None = None
    """Publishes them."""


class Run:
    """One run over an open state; `kept` is what the one before left, if it is to leave something too."""

    def __init__(
        self,
        config: Config,
        options: Options,
        store: Store,
        tell: Tell,
        publish: Publish | None = None,
        kept: Kept | None = None,
    ) -> None:
        self._config, self._options, self._store, self._tell = config, options, store, tell
        self._publish, self._kept = publish, kept
        self._ran: list[Ran] = []
        self._broken: list[Failed] = []
        self._seconds: dict[str, float] = {}
        self._crashed: dict[str, list[Mapping[str, Any]]] = {}
        self._tracebacks: list[str] = []
        self._links = kept.links if kept else no_links()
        self._source: Source | None = None
        self._moment = moment(options)
        self._today = self._moment[:10]
        self._origin = identity_of_snapshots(config, store) if options.offline else identity(config)
        self._history = (kept and kept.history) or self._known_history()

    def _known_history(self) -> History:
        editions.adopt(self._store, self._origin, kind_of(self._store.snapshots()))
        return History(self._store.editions(self._origin))

    def result(self) -> Result:
        with self._phase("crawl"):
            crawled = self.crawl()
        before = {atlas: self._facets_of(atlas) for atlas in crawled.snapshots}
        lost = frozenset[Digest]() if self._kept and self._kept.site else self._mended(crawled)
        with self._phase("build"), self._building(crawled, lost) as building:
            self._report(building, crawled)
            early = self._early(building, self._kept) if self._kept else None
            last = self._kept.site if self._kept else None
            built = site(building, self._store, last)
            found = findings(building, list(crawled.snapshots))
            if not built.files:
                raise self._nothing(built)
            new, fixed = self._moved(before)
            note_failures(self._store, built, last)
            self._note_status()
            # What was made is kept, however publishing it ends.
            self._store.commit()
            with self._phase("deploy"):
                assert self._publish is not None
                deployed = self._deploy(building, built.files, self._publish)
                if early:
                    deployed = _joined(early, deployed)
        self._seconds["build"] = round(self._seconds["build"] - self._seconds["deploy"], 3)
        self._store.commit()
        again = self._kept and self._kept.site
        if self._ran and not self._broken and not again:
            self._store.sweep(building.made())
        self._store.note_blobs()
        if self._kept:
            self._kept.crawled, self._kept.site, self._kept.today = crawled, built, self._today
            self._kept.history = self._history
            self._kept.saved.clear()
        return self._summed_up(crawled, built, deployed, found, new, fixed)

    def crawl(self) -> Crawled:
        only = self._options.atlases
        if self._options.offline:
            known = self._kept and self._kept.crawled
            crawled = self._crawled = known or from_before(self._store.snapshots())
            check_known(only, crawled)
            self._config = dataclasses.replace(self._config, source_kind=kind_of(crawled.snapshots))
            return crawled
        # Snapshots of another source are no earlier state of these atlases, even where the ids are the same.
        same_source = identity_of_snapshots(self._config, self._store) == self._origin
        last = self._store.snapshots() if same_source else {}
        self._source = source_of(self._in_time(), self._options, self._store)
        # A folder is what it is; in Synapse a permission may be gone.
        accept_loss = self._options.accept_loss or self._config.source_kind != "synapse"
        # To the millisecond: that an atlas was not verified shows by two times that differ.
        asked = Asked(present().isoformat(timespec="milliseconds"), only, accept_loss)
        crawled = crawl(self._source, last, self._store.blobs, asked, functools.partial(self._tell, "crawl"))
        check_known(only, crawled)
        self._store.save_snapshots(crawled.snapshots.values(), self._origin)
        never_read = {
            atlas: str(why) for atlas, why in crawled.failed.items() if atlas not in crawled.snapshots
        }
        self._note_failures(
            never_read, lambda atlas: atlas in crawled.snapshots or (only and atlas not in only)
        )
        self._crawled = crawled
        return crawled

    def _note_failures(self, reasons: Mapping[str, str], still: Callable[[str], object]) -> None:
        """Record failures that no snapshot knows of, beside those of before that are `still` to be told."""
        before = site_status.failures_of(self._store.fact(site_status.FAILURES))
        kept = {atlas: failure for atlas, failure in before.items() if still(atlas)}
        since = {atlas: failure.since for atlas, failure in before.items()}
        found = {atlas: Failure(since.get(atlas, self._moment), why) for atlas, why in reasons.items()}
        if kept | found != before:
            self._store.set_fact(site_status.FAILURES, site_status.fact_of(kept | found))

    def _note_status(self) -> None:
        """Record what `status.json` says of this build.

        A preview that does not crawl leaves the file as it is, so that tabs are not told of it.
        """
        unmade = {atlas: _reason(why.error) for atlas, why in self._unreported.items()}
        for event in filter(_is_of_atlases, self._broken):
            unmade = dict.fromkeys(self._atlases_of([event]), _reason(event.error)) | unmade
        self._note_failures(unmade, lambda atlas: atlas not in self._crawled.snapshots)
        is_preview = self._kept is not None and self._options.offline
        if not self._store.fact(site_status.BUILT) or (self._ran and not is_preview):
            self._store.set_fact(site_status.BUILT, self._moment)

    def _in_time(self) -> Config:
        """Give the settings with a crawl that leaves time for what comes after it."""
        deadline, synapse = self._options.deadline, self._config.synapse
        if deadline is None:
            return self._config
        left = max(1.0, min(synapse.deadline, deadline.left(CRAWL_SHARE)))
        return dataclasses.replace(self._config, synapse=dataclasses.replace(synapse, deadline=left))

    @contextmanager
    def _building(self, crawled: Crawled, lost: Set[Digest]) -> Generator[Build, None, None]:
        jobs = self._options.jobs
        deadline = self._options.deadline
        kept = self._kept
        # To look at the few files that were saved takes less than to remember all looks.
        looks = Looks(dict) if kept else self._store.looks.recall()
        load, today, last = self._loaded, self._today, self._store
        answers = inputs(
            self._config, crawled.snapshots, load, today, self._history, looks, last, self._links
        )
        with self._workers() as workers:
            build = Build(
                rules.tasks(rules.code()),
                answers,
                self._store,
                workers,
                self._told,
                helpers=jobs + 1 if jobs > 1 else 0,  # so that work is ready when a process is
                alone=ALONE_SECONDS,
                forced=self._options.forced,
                memory=kept.memory if kept else None,
                changed=self._changed(kept) if kept else (),
                until=deadline.at(BUILD_SHARE) if deadline else None,
                lost=lost,
            )
            with closing(build.schedule):
                try:
                    yield build
                except BaseException:
                    workers.close()  # nobody needs the answers that threads wait for
                    raise

    @contextmanager
    def _workers(self) -> Generator[Workers, None, None]:
        """Give workers that end with the build; in a preview of one job those of the build before."""
        kept, jobs = self._kept, self._options.jobs
        if kept is None or jobs > 1:
            # Threads of a preview are at work: no process is forked from there.
            with closing(Workers(jobs, rules.HEAVY, may_fork=kept is None)) as workers:
                yield workers
            return
        kept.workers = kept.workers or Workers(jobs, rules.HEAVY)
        yield kept.workers

    def _report(self, building: Build, crawled: Crawled) -> None:
        """Bring the reports, whose figures the history takes in before a page asks for it.

        Only a crawl makes history: what is built from old snapshots, as a preview is, adds nothing to it.
        """
        reports = building.bring(Key("report", atlas) for atlas in crawled.snapshots)
        for key, parts in reports.items():
            if not isinstance(parts, Broken) and editions.crashed(parts):
                self._crashed[key.name] = json.loads(building.value(key._replace(part="crashed")) or b"[]")
                traces = building.value(key._replace(part="tracebacks")) or b"[]"
                self._tracebacks += [f"{key.name}: {trace}" for trace in json.loads(traces)]
        self._unreported = {key.name: parts for key, parts in reports.items() if isinstance(parts, Broken)}
        if not self._options.offline:
            begun = editions.Begun(self._origin, self._history.last, self._moment)
            new = editions.add(building, reports, crawled.snapshots, self._store, begun)
            if new:
                self._history.add(*new)

    def _changed(self, kept: Kept) -> set[Key]:
        """Give the inputs that may be others than in the run before."""
        known = kept.memory.known
        days = {key for key in known if key.kind == "begun"} if kept.today != self._today else set[Key]()
        return days | touched(self._config.root, kept.saved, known, self._links)

    def _facets_of(self, atlas: str) -> Mapping[str, Digest]:
        key = Key("report", atlas)
        trace = self._kept.memory.traces.get(key) if self._kept else None
        return (trace.parts if trace else self._store.parts(key)) or {}

    def _moved(self, before: Mapping[str, Mapping[str, Digest]]) -> tuple[Counter[str], Counter[str]]:
        """Count the findings that are new since the build before, and those that are fixed.

        Those of a check that raised before or now are not counted.
        """
        new: Counter[str] = Counter()
        fixed: Counter[str] = Counter()
        for atlas, parts in before.items():
            digest, now = parts.get("findings.csv", ""), self._facets_of(atlas)
            if now.get("findings.csv", "") != digest:
                # Bytes that the cache lost are not made again for this: they count as not known.
                old, data = self._store.load(digest) if digest else b"", self._store.load(now["findings.csv"])
                if old is not None and data is not None:
                    crashed = {crash["code"] for crash in (*self._crashes(parts), *self._crashes(now))}
                    some, gone = findings_moved(old, data, crashed)
                    new += some
                    fixed += gone
        return new, fixed

    def _crashes(self, parts: Mapping[str, Digest]) -> list[Mapping[str, Any]]:
        """Return the checks of a report that raised; none of a report of an earlier version."""
        if "crashed" not in parts or not editions.crashed(parts):
            return []
        return json.loads(self._store.load(parts["crashed"]) or b"[]")

    def _early(self, building: Build, kept: Kept) -> Deployed | None:
        """Make and publish what somebody looks at."""
        files = some(building, kept.first, kept.site) if kept.site else None
        if files is None or kept.publish_early is None:
            return None
        deployed = self._deploy(building, files, kept.publish_early)
        kept.shown(deployed)
        return deployed

    def _deploy(self, building: Build, files: Mapping[str, File], publish: Publish) -> Deployed:
        def load(file: File) -> bytes | None:
            # By digest first: a page that failed today still has the files of its last good day.
            try:
                return self._store.load(file.digest) or building.value(file.key)
            except Broken as broken:
                why = _line(Failed(broken.key, broken.error))
                raise OutputError(
                    f"its bytes are lost and cannot be made now: {why}", file.key.part
                ) from None

        artifacts = Artifacts(files, loader(files, load), status_of(self._store))
        return publish(lambda: artifacts)

    def _loaded(self, digest: Digest) -> bytes:
        """Give crawled bytes, from the source once more if the cache lost them."""
        data = self._store.load(digest)
        if data is None:
            if self._source:
                snapshots = self._crawled.snapshots.values()
                data = next(recovered(self._source, snapshots, {digest}), None)
            if data is None:
                way_out = "build again" if self._source else "build once without --offline"
                raise StateError("crawled bytes are lost, and cannot be had again now", digest, way_out)
            self._store.keep(data)
        return data

    def _mended(self, crawled: Crawled) -> Set[Digest]:
        """Get lost bytes back from the folder of the site and from the source; return what is still lost."""
        lost = self._store.lost()
        return mended(self._store, lost, self._options, crawled.snapshots.values(), self._source)

    def _told(self, event: Event) -> None:
        self._tell("build", str(event.key))
        if isinstance(event, Ran):
            self._ran.append(event)
            self._store.explain(event.key, event.reason)
        else:
            self._broken.append(event)
            if not isinstance(event.error, HdashError | ProcessDied | OutOfTime | Overrun):
                self._tracebacks.append(f"{event.key}: {''.join(traceback.format_exception(event.error))}")

    def _nothing(self, built: Site) -> HdashError:
        said = self._problems(built.problems)
        return OutputError(said[0] if said else "there is no page to make", str(self._options.root))

    def _problems(self, others: Iterable[str]) -> list[str]:
        # One fault in a layout fails many pages: it is told once.
        late = self._atlases_of(event for event in self._broken if isinstance(event.error, OutOfTime))
        lines = [_line(event) for event in self._broken if not isinstance(event.error, OutOfTime)]
        return list(dict.fromkeys([*lines, *([_late_line(late)] if late else []), *others]))

    def _atlases_of(self, events: Iterable[Failed]) -> list[str]:
        """Return the atlases whose pages lack something because of these failures, in the source's order."""
        atlases = self._crawled.snapshots
        found = {atlas for event in events for atlas in rules.atlases_of(event.key, atlases)}
        return [atlas for atlas in atlases if atlas in found]

    def _summed_up(
        self,
        crawled: Crawled,
        built: Site,
        deployed: Deployed,
        found: dict[str, dict[str, int]],
        new: Counter[str],
        fixed: Counter[str],
    ) -> Result:
        changed = {ran.key.name for ran in self._ran if ran.key.kind == "report" and not ran.cut_off}
        unmade = {*self._atlases_of(filter(_is_of_atlases, self._broken)), *self._unreported}
        broken = [atlas for atlas in crawled.snapshots if atlas in unmade]
        read = [atlas for atlas in crawled.snapshots if atlas not in crawled.failed]
        failed = [*crawled.failed, *(atlas for atlas in broken if atlas not in crawled.failed)]
        unfollowed = list(map(str, left_out(self._config.root, self._links)))
        lines = crawled.problems() + [
            crash_line(atlas, crash) for atlas, crashes in self._crashed.items() for crash in crashes
        ]
        unverified = {atlas: one.verified for atlas, one in crawled.snapshots.items() if one.is_unverified}
        return Result(
            exit_code=self._exit_code(built, [*failed, *self._crashed]),
            changed=[atlas for atlas in read if atlas in changed],
            same=[atlas for atlas in read if not {atlas} & {*changed, *broken, *unverified}],
            failed=failed,
            ran=self._ran,
            deployed=deployed,
            findings=found,
            new_findings=new,
            fixed_findings=fixed,
            failed_since={atlas: one.failed_since for atlas, one in crawled.snapshots.items()},
            unverified=unverified,
            problems=lines + self._problems(built.problems) + unfollowed,
            seconds=self._seconds,
            makers={path: built.files[path].key for path, _ in deployed.written if path in built.files},
            tracebacks=self._tracebacks,
        )

    def _exit_code(self, built: Site, failed: Collection[str]) -> int:
        pages = [event for event in self._broken if not _is_of_atlases(event)]
        return FAILED if pages or built.problems else exit_code(failed, strict=self._options.strict)

    @contextmanager
    def _phase(self, name: str) -> Generator[None, None, None]:
        started = time.perf_counter()
        yield
        self._seconds[name] = round(time.perf_counter() - started, 3)


def exit_code(failed: Collection[object], *, strict: bool = False) -> int:
    """Give the exit code of a command that could not read some atlases, if there are any."""
    if not failed:
        return DONE
    return FAILED if strict else SOME_ATLAS_FAILED


def check_known(only: Collection[str], crawled: Crawled) -> None:
    """Raise `ConfigError` if an atlas is asked for that there is not."""
    unknown = [atlas for atlas in only if atlas not in crawled.snapshots and atlas not in crawled.failed]
    if unknown:
        raise ConfigError(f'there is no atlas "{unknown[0]}"', "--atlas", "give the id of one that is listed")


def from_before(last: Mapping[str, Snapshot]) -> Crawled:
    """Return the last snapshots of all atlases as a crawl. Raises `StateError` if there are none."""
    if not last:
        raise StateError("nothing was crawled yet", way_out="build once without --offline")
    return Crawled({**last}, {}, {})


def _joined(early: Deployed, deployed: Deployed) -> Deployed:
    """Return what two deployments of one run did, each file once."""
    seen = {path for path, _ in early.written}
    written = [*early.written, *(entry for entry in deployed.written if entry[0] not in seen)]
    return deployed._replace(written=written, notes=[*early.notes, *deployed.notes])


def crash_line(atlas: str, crash: Mapping[str, Any]) -> str:
    """Say that a check raised: a fault of this program, which only its maintainers can mend."""
    where = f"{crash['error']} in {crash['file']}, line {crash['line']}"
    return (
        f"atlas {atlas}: check {crash['code']} could not be completed ({where}), so its findings are missing;"
        " report this to the maintainers of hdash-site (--debug shows the traceback)"
    )


def _is_of_atlases(event: Failed) -> bool:
    """Tell whether a failure is of atlases, which lack pages then, and not of a layout or an article."""
    ended = isinstance(event.error, (OutOfTime, Overrun, ProcessDied))
    return event.key.kind in rules.OF_ATLASES or (ended and event.key.kind in rules.DEFERRABLE)


_LATE = "there was no time left before the deadline"


def _late_line(atlases: Collection[str]) -> str:
    way_out = "the last pages stay, and the next run makes new ones"
    return str(StateError(_LATE, ", ".join(atlases), way_out))


def _reason(error: Exception) -> str:
    """Return why an atlas has no new pages, for everybody: words of an unexpected error may quote a cell."""
    if isinstance(error, OutOfTime):
        return _LATE
    if isinstance(error, ProcessDied):
        return "a worker process died, perhaps for lack of memory"
    if isinstance(error, HdashError | Overrun):
        return str(error)
    return f"an error in the software of this site ({type(error).__name__})"


def _line(event: Failed) -> str:
    if isinstance(event.error, HdashError):
        return str(event.error)
    if isinstance(event.error, Overrun):
        setting = "seconds" if event.error.resource == "time" else "memory"
        way_out = f"raise limits.{setting} in site.toml, or split the largest manifests of the atlas"
        return str(StateError(f"it was given up: {event.error}", str(event.key), way_out))
    if isinstance(event.error, ProcessDied):
        return "a process at work died, perhaps for lack of memory; build again, with --jobs 1 if need be"
    return f"{event.key}: {type(event.error).__name__}: {' '.join(str(event.error).split())}"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
