"""What every test may use."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import HealthCheck, settings

from hdash_site.state.orm import peewee
from tests import databases
from tests.remote.s3.fixtures import new_bucket, s3, s3_server  # noqa: F401

settings.register_profile(
    "props",
    max_examples=int(os.environ.get("PROPS", "200")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
settings.load_profile("props")


@pytest.fixture(autouse=True)
def _no_colour(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture(autouse=True, scope="session")
def _no_services():
    """Forget the services of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("HDASH_", "S3_", "AWS_", "SYNAPSE_", "SLACK_", "CLOUDFRONT_")):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_moment():
    """Let all builds be of one time, which the history keeps, so that those of one state have one result."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", str(MOMENT))
        yield


MOMENT = 1_782_900_000
"""2026-07-01T10:00:00+00:00."""


@pytest.fixture(scope="session")
def server():
    """Make a database on a server when a test first needs it; without that server the test is skipped."""
    made = []

    def make(kind):
        if kind in made:
            return
        try:
            databases.create(kind)
        except peewee.PeeweeException as error:
            answer = f"no {kind} server at {databases.SERVERS[kind]}: {error}"
            pytest.fail(answer) if os.environ.get("CI") else pytest.skip(answer)
        made.append(kind)

    yield make
    for kind in made:
        databases.drop(kind)


@pytest.fixture(params=databases.KINDS)
def at(request, server, tmp_path):
    """Where a state is, on each kind of database in turn; empty at first."""
    if request.param != "sqlite":
        server(request.param)
    return databases.at(request.param, tmp_path)


@pytest.fixture(params=databases.KINDS[1:])
def on_a_server(request, server, tmp_path):
    server(request.param)
    return databases.at(request.param, tmp_path)


CANARY = b"canary"
"""Every secret that a test sets holds it, in some case: nothing that a run writes may."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail a test in which a secret was printed, or left in a file, however the test itself went."""
    report = yield
    if call.when == "teardown":
        return report
    said = "".join(text for name, text in report.sections if name.startswith("Captured"))
    found = ["what was printed"] if CANARY in said.lower().encode("utf-8", "replace") else []
    if call.when == "call":
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        found += [str(path) for path in _with_canary(folder)] if folder else []
    if found and report.outcome != "failed":
        report.outcome = "failed"
        report.longrepr = f"a secret is in {', '.join(found)}"
    return report


def _with_canary(folder):
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with contextlib.suppress(OSError), path.open("rb") as file:
                if any(CANARY in block.lower() for block in iter(lambda: file.read(1 << 22), b"")):
                    yield path
