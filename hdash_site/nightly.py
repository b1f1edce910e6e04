"""The night: crawl, build, deploy, notify, in one process, whatever happens in between."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

from hdash_site import app, notify, publish
from hdash_site.app import Deploying
from hdash_site.config import DEFAULT_TITLE
from hdash_site.errors import HdashError, unexpected
from hdash_site.options import Options
from hdash_site.run import FAILED, Result, Tell
from hdash_site.secrets import hidden


class Night(NamedTuple):
    """`result` is None if the run failed as a whole, for `problem`; `untold`: why Slack was not told."""

    exit_code: int
    result: Result | None
    problem: str = ""
    untold: str = ""


def nightly(options: Options, how: Deploying, tell: Tell) -> Night:
    """Bring the site to its mirror: the bucket that the environment names, or else its folder."""
    title = DEFAULT_TITLE
    try:
        with _stopped_politely():
            config = app.config_of(options)
            title = config.title
            publish.place()  # a name that is none is told before the crawl, not after it
            result = app.night(config, options, how, tell)
    except HdashError as error:
        return _failed(title, str(error), error.exit_code)
    except KeyboardInterrupt:
        return _failed(title, "it was stopped", FAILED)
    except Exception as error:
        return _failed(title, unexpected(error), FAILED)
    message = notify.success(title, result, notify.web_site())
    return Night(result.exit_code, result, untold=_tell(message))


def _failed(title: str, problem: str, exit_code: int) -> Night:
    line = hidden(problem, os.environ)
    return Night(exit_code, None, line, _tell(notify.failure(title, line)))


def _tell(message: str) -> str:
    return notify.tell(message) if os.environ.get(notify.WEBHOOK) else ""


@contextmanager
def _stopped_politely() -> Generator[None, None, None]:
    """Let a task that is told to end finish its sentence: its lock is given back, and its state kept."""

    def stop(number: int, frame: object) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
