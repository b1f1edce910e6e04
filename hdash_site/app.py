"""What each command does: the composition root, where settings, state and a run are put together."""

from __future__ import annotations

import dataclasses
import gc
import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from hdash_site import config as settings
from hdash_site import publish
from hdash_site.config import Config
from hdash_site.continuity import Guard, check_bucket, check_folder, guard
from hdash_site.deploy import Deployed
from hdash_site.engine.model import Key
from hdash_site.errors import AwsError, ConfigError, HdashError, OutputError, StateError
from hdash_site.options import Options, cache_folder, output_folder, remote_state, state_place
from hdash_site.origin import check_token, refuse_built_sample, refuse_sample, unwritable
from hdash_site.pages.site import drafts, remembered
from hdash_site.publish import Artifacts, Deploying, Publish
from hdash_site.run import DONE, Kept, Result, Run, Tell, from_before, now, silent
from hdash_site.sources.crawl import Crawled
from hdash_site.state.store import Stamp, Store, opened, stamp
from hdash_site.state.where import STATE, Remote, said


def build(options: Options, tell: Tell = silent) -> Result:
    """Crawl, build, and put the site in its folder. Raises `HdashError` if nothing can be done."""
    config = crawling(options)
    _keep_apart(config, options)
    check = partial(check_folder, _guard(options), options)
    return _run(config, options, tell, lambda store: publish.to_folder(options, store, tell), check)


class Desk:
    """Builds one after the other in one process: each is told what was saved, and does what hangs on that.

    What may have been missed, or went wrong, costs a build like any other.
    """

    def __init__(self) -> None:
        self._kept = Kept()
        self._left: dict[str, str] = {}
        self._stamp: Stamp | None = None
        self._config: Config | None = None

    def build(
        self,
        options: Options,
        saved: Iterable[Path],
        first: Sequence[str] = (),
        shown: Callable[[Deployed], None] = lambda _: None,
    ) -> Result:
        """Build; files in `first` before others, and `shown` is told of them. Raises `HdashError`."""
        self._kept.saved.update(saved)
        if len(self._kept.saved) > MANY_SAVED:
            self._forget()
        config = crawling(options, silently=self._config is not None)
        _keep_apart(config, options)
        if config != self._config:
            self._kept.saved.add(config.root / settings.FILE)
        self._config = config
        before = _guard(options) if self._kept.site is None else None
        try:
            with open_state(options, since=self._stamp) as store:
                if before:
                    _guarded(store, partial(check_folder, before, options))
                if not store.untouched:
                    self._forget()
                anew = self._kept.site is None
                self._kept.first, self._kept.shown = first, shown
                publish_it = publish.to_folder(options, store, silent, self._left)
                result = _noted(config, options, store, silent, publish_it, self._kept)
        except BaseException:
            self._forget()
            raise
        self._stamp = stamp(state_place(options)) if remote_of(options) is None else None
        if anew:
            # What is kept by the hundred thousand need not be searched for garbage again and again.
            gc.freeze()
        return result

    def _forget(self) -> None:
        self._kept, self._stamp = Kept(), None
        self._left.clear()


SAMPLE_USED = (
    "no source of atlases is set: using the sample, which is made-up data;"
    " set SYNAPSE_AUTH_TOKEN, or source.kind in site.toml"
)

MANY_SAVED = 100
"""Files of which so many are saved at once may be more than a system tells of."""


def night(config: Config, options: Options, how: Deploying, tell: Tell) -> Result:
    """Crawl, build, and bring the site to its bucket; to its folder, if no bucket is named."""
    check_token(config, os.environ)
    refuse_sample(config)
    if publish.place() is None:
        return build(options, tell)
    deadline = options.deadline
    how = how._replace(night=True)

    def out_of_time() -> bool:
        return bool(deadline and deadline.left() < 0)

    unchecked: list[AwsError] = []
    check = partial(check_bucket, _guard(options), options, config)

    def check_early(store: Store) -> None:
        try:
            check(store)
        except AwsError as error:
            unchecked.append(error)  # what is crawled and made is kept, whatever the bucket says today

    def to_bucket(store: Store) -> Publish:
        publish_it = publish.to_bucket(config, store, how, tell, out_of_time)

        def publish_checked(find: Callable[[], Artifacts]) -> Deployed:
            if unchecked:
                check(store)
            return publish_it(find)

        return publish_checked

    return _run(config, options, tell, to_bucket, check_early)


def deploy(options: Options, how: Deploying, tell: Tell = silent) -> Deployed:
    """Bring the bucket to the site as it was built last. Raises `HdashError`."""
    config = config_of(options)
    check_token(config, os.environ)
    check = partial(check_bucket, _guard(options), options, config)
    with open_state(options) as store:
        refuse_built_sample(config, store.snapshots())
        _refuse_drafts(store)
        if not (how.dry and options.new_history):  # a dry run records nothing
            _guarded(store, check)

        def find() -> Artifacts:
            files = remembered(store)
            if not files:
                raise StateError("there is no finished site to deploy", way_out="build it first")
            load = publish.loader(files, lambda file: store.load(file.digest))
            return Artifacts(files, load, publish.status_of(store))

        return publish.to_bucket(config, store, how, tell)(find)


def _refuse_drafts(store: Store) -> None:
    hidden = drafts(store)
    if hidden:
        problem = "the preview made this site, and shows what is not to be on it"
        raise StateError(problem, f"content/{hidden[0]}", "build it first: hdash-site build")


def crawl_only(options: Options, tell: Tell = silent) -> Crawled:
    """Bring the snapshots up to date, and nothing else."""
    config = crawling(options)
    with open_state(options) as store:
        crawled = Run(config, options, store, tell).crawl()
        store.commit()
        return crawled


def pull(options: Options, folder: Path) -> list[tuple[str, int]]:
    """Write the last snapshots as a folder of atlases; give each atlas with its number of manifests."""
    from hdash_site.sources import pulled

    with open_state(options) as store:
        crawled = from_before(store.snapshots(), options.atlases)
        return pulled.write(folder, list(crawled.snapshots.values()), store.load)


def why(options: Options, path: str) -> list[tuple[Key, str]]:
    """Give the chain of reasons why a file of the site was made last: itself, then what had changed."""
    with open_state(options) as store:
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
        raise unwritable(folder, error) from error


def list_checks() -> list[tuple[str, str, str]]:
    """Give code, severity and title of each check."""
    from hdash_site.htan.checks import checks

    return [(check.CODE, check.SEVERITY, check.TITLE) for check in checks()]


def _run(
    config: Config,
    options: Options,
    tell: Tell,
    to: Callable[[Store], Publish],
    check: Callable[[Store], None],
) -> Result:
    """Run over the state, and note in its ledger what came of it, unless nothing did.

    `check` raises if the state is not that of the published site.
    """
    problems: list[str] = []
    with open_state(options, problems.append) as store:
        _guarded(store, check)
        result = _noted(config, options, store, tell, to(store))
    return result._replace(problems=[*problems, *result.problems])


def _guard(options: Options) -> Guard:
    return guard(options, place_of(options))


def _guarded(store: Store, check: Callable[[Store], None]) -> None:
    """Make a check; where it refuses, the state stays as it was found."""
    try:
        check(store)
    except ConfigError:
        store.leave()
        raise


def _noted(
    config: Config, options: Options, store: Store, tell: Tell, publish_it: Publish, kept: Kept | None = None
) -> Result:
    started = now()
    try:
        result = Run(config, options, store, tell, publish_it, kept).result()
    except HdashError as error:
        store.note_run(started, now(), "failed", {"problem": str(error)})
        raise
    if result.ran or result.deployed.written or result.deployed.removed or result.exit_code:
        store.note_run(started, now(), "done" if result.exit_code == DONE else "in part", result.counts())
    return result


def warn(problem: str) -> None:
    """Print a problem that stops nothing."""
    sys.stderr.write(f"hdash-site: {problem}\n")


@contextmanager
def open_state(
    options: Options, tell: Callable[[str], None] = warn, since: Stamp | None = None
) -> Generator[Store, None, None]:
    """Open the state for one run; `tell` is told what of it was lost, when all is done."""
    problems: list[str] = []
    try:
        with opened(cache_folder(options), state_place(options), remote_of(options), since) as store:
            problems = store.problems
            yield store
    except HdashError:
        for problem in problems:
            warn(problem)
        raise
    for problem in problems:
        tell(problem)


def remote_of(options: Options) -> Remote | None:
    """Give where in S3 the state is kept, if it is."""
    if not os.environ.get(STATE):
        return None  # then no settings are needed
    config = config_of(options)
    return remote_state(config.lease, config.patience)


def place_of(options: Options) -> str:
    """Give where the state is, in words."""
    return said(state_place(options), remote_of(options))


def crawling(options: Options, *, silently: bool = False) -> Config:
    """Return the settings of a command that may crawl.

    If it uses the sample because no source is set, print a line that says so, unless `silently`.
    """
    config = config_of(options)
    if not options.offline:
        check_token(config, os.environ)
        if config.source_kind == "sample" and not config.source_is_set and not silently:
            warn(SAMPLE_USED)
    return config


def config_of(options: Options) -> Config:
    config = dataclasses.replace(settings.read(options.root, os.environ), drafts=options.drafts)
    if options.source:
        return dataclasses.replace(
            config, source_kind="folder", source_is_set=True, source_path=options.source
        )
    return config


def _cause(store: Store, key: Key, reason: str) -> Key | None:
    """Give the task that a reason names."""
    trace = store.trace(key)
    for read, _ in trace.reads if trace else ():
        whole = Key(read.kind, read.name)
        if reason == f"{read} changed" and store.trace(whole):
            return whole
    return None


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
