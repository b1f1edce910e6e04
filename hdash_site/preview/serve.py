"""The preview as a whole: builds when something was saved, and tells the open tabs."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from hdash_site import app
from hdash_site.config import FILE
from hdash_site.deploy import Deployed
from hdash_site.engine.model import Key
from hdash_site.errors import HdashError, LockedError, StateError, unexpected
from hdash_site.options import Options, cache_folder, output_folder, state_place
from hdash_site.preview.faults import fault
from hdash_site.preview.news import Board
from hdash_site.preview.watch import Changes, watching
from hdash_site.preview.web import Server, listen
from hdash_site.run import FAILED, Result
from hdash_site.state.previews import announced
from hdash_site.state.store import glanced

LOCKED_WAIT = 0.05
"""Seconds after which a state is asked for again that another run holds."""

LOCKED_TOLD = 5.0
"""Seconds after which it is told that another run holds the state; a save in two previews takes less."""


class Serving(NamedTuple):
    """Where the preview is served: `port` None is the first free one; `hosts` are names that it answers to.

    `crawl`: ask the source first. `navigate`: lead open tabs to the article that was saved. `poll`: look at
    all files every second, instead of having the system report changes.
    """

    bind: str = "127.0.0.1"
    port: int | None = None
    hosts: tuple[str, ...] = ()
    crawl: bool = False
    navigate: bool = False
    poll: bool = False


class Built(NamedTuple):
    """What came of one build. `result` is None if it failed as a whole; `seconds` is what it took."""

    result: Result | None
    problems: list[str]
    seconds: float


def serve(
    options: Options, how: Serving, ready: Callable[[str], None], tell: Callable[[Built], None]
) -> None:
    """Serve until Ctrl-C; `ready` is told the address when all stands, `tell` what came of each build."""
    with previewing(options, how, tell) as preview:
        ready(preview.address)
        while True:
            # A wait without an end cannot always be interrupted: Ctrl-C may reach another thread first.
            preview.step(0.25)


@contextlib.contextmanager
def previewing(
    options: Options, how: Serving, tell: Callable[[Built], None]
) -> Generator[Preview, None, None]:
    """Build, and serve what came of it. Raises `HdashError` if there is no site, or no port."""
    options = options._replace(root=options.root.absolute(), drafts=True)
    if not (options.root / FILE).exists():
        app.config_of(options)  # it says so
    board = Board()
    with (
        contextlib.ExitStack() as stack,
        listen(how.bind, how.port, output_folder(options), how.hosts, board, app.warn) as server,
        watching(options.root, app.warn, poll=how.poll, ours=_ours(options)) as changes,
    ):
        preview = Preview(options, how, server, changes, tell)
        preview.build(())
        stack.enter_context(announced(cache_folder(options), preview.address))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield preview
        finally:
            board.close()
            server.shutdown()
            thread.join()


class Preview:
    """A preview at work."""

    def __init__(
        self, options: Options, how: Serving, server: Server, changes: Changes, tell: Callable[[Built], None]
    ) -> None:
        host = f"[{how.bind}]" if ":" in how.bind else how.bind
        self.address = f"http://{host}:{server.server_port}/"
        self._options = options
        self._how = how
        self._board = server.board
        self._changes = changes
        self._tell = tell
        self._crawls = how.crawl or options.source is not None
        self._has_built = False
        self._early = set[str]()
        self._desk = app.Desk()

    def step(self, timeout: float | None = None) -> None:
        """Wait until something is saved, for `timeout` seconds at most, and build."""
        saved = self._changes.settled(timeout)
        if saved:
            self.build(saved)

    def build(self, saved: Collection[Path]) -> None:
        """Build, and tell the open tabs; whatever is wrong is told, and never raised."""
        began = time.perf_counter()
        self._early = set[str]()
        result, problems = self._result(saved)
        # What is wrong with half of a save is not told: the build that follows at once knows better.
        half = bool(problems) and self._changes.pending()
        self._tell(Built(result, [] if half else problems, time.perf_counter() - began))
        faults = [fault(self._options.root, problem) for problem in problems]
        if half:
            faults = list(self._board.last().faults)
        changed = [path for path in self._desk.changed if path not in self._early] if result else []
        page = (
            _saved_page(result.makers, saved, self._options.root / "content")
            if result and self._how.navigate
            else ""
        )
        if changed or page or faults != list(self._board.last().faults):
            self._board.post(faults, changed, page)

    def _post_early(self, deployed: Deployed) -> None:
        """Tell of what tabs show as soon as it is there; the rest follows."""
        if deployed.written and not self._how.navigate:
            self._early = {path for path, _ in deployed.written}
            self._board.post(self._board.last().faults, self._early)

    def _result(self, saved: Collection[Path]) -> tuple[Result | None, list[str]]:
        """Give what came of a build, and what is wrong with what was written, in lines."""
        try:
            result = self._unlocked(saved)
        except HdashError as error:
            return None, [str(error)]
        except Exception as error:
            return None, [unexpected(error)]
        return result, result.problems if result.exit_code == FAILED else []

    def _unlocked(self, saved: Collection[Path]) -> Result:
        """Build as soon as no other run holds the state."""
        told, began = False, time.monotonic()
        while True:
            try:
                return self._healed(saved)
            except LockedError as error:
                if not told and time.monotonic() > began + LOCKED_TOLD:
                    app.warn(str(error))
                    told = True
                time.sleep(LOCKED_WAIT)

    def _healed(self, saved: Collection[Path]) -> Result:
        """Build; ask the source once more if another program deleted what was crawled."""
        try:
            return self._build(saved)
        except LockedError:
            raise
        except StateError:
            if not self._has_built or _crawled(self._options):
                raise
            app.warn("the state was deleted by another program: crawling and building everything again")
            self._has_built = False
            return self._build(saved)

    def _build(self, saved: Collection[Path]) -> Result:
        options = self._options
        if not self._crawls and (self._has_built or _crawled(options)):
            # A processor is enough for what a save calls for.
            options = options._replace(offline=True, jobs=1)
        elif not self._how.crawl and app.config_of(options).source_kind == "synapse":
            raise StateError("nothing was crawled yet", way_out="give --crawl, which asks Synapse first")
        result = self._desk.build(options, saved, self._board.looked_at(), self._post_early)
        self._crawls, self._has_built = False, True
        return result


def _ours(options: Options) -> list[Path]:
    """Return the folders that builds write to."""
    return [output_folder(options), cache_folder(options)]


def _crawled(options: Options) -> bool:
    """Tell whether there are atlases from before to build from."""
    with glanced(cache_folder(options), state_place(options), app.remote_of(options)) as store:
        return bool(store and store.snapshots())


def _saved_page(makers: Mapping[str, Key], saved: Collection[Path], content: Path) -> str:
    """Give the address of the article that was saved, if it looks different now; of several, the first."""
    names = {path.relative_to(content).as_posix() for path in saved if path.is_relative_to(content)}
    pages = (path for path, key in sorted(makers.items()) if key.name.partition("/")[2] in names)
    page = next((path for path in pages if path.endswith("/index.html")), "")
    return f"/{quote(page.removesuffix('index.html'))}" if page else ""
