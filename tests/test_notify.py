"""The message of the night: what it says, and that Slack can harm no run."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hdash_site import notify
from hdash_site.deploy import Deployed
from hdash_site.run import Result

DONE = Result(
    exit_code=0,
    changed=[],
    same=["HTA1", "HTA2"],
    failed=[],
    ran=[],
    deployed=Deployed([("status.json", "it changed")], 10, [], []),
    findings={},
    new_findings=Counter(),
    fixed_findings=Counter(),
    failed_since={},
    unverified={},
    problems=[],
    seconds={},
    makers={},
    tracebacks=[],
)


@contextlib.contextmanager
def slack(status=200, pause=0.0):
    """A webhook; gives its address and what it is told."""
    told = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            over.wait(pause)
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.end_headers()

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/services/T0/B0/canary-secret", told
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def test_a_night_without_a_change_says_so():
    assert notify.success("Site", DONE) == "*Site*: nothing changed in 2 atlases."


def test_a_night_says_what_changed_what_is_new_and_fixed_and_what_was_not_read():
    written = [("hta1/index.html", "it changed"), ("index.html", "it changed"), ("hta1/a.csv", "it is new")]
    night = DONE._replace(
        changed=["HTA1"],
        same=["HTA2"],
        failed=["HTA9"],
        deployed=Deployed(written, 10, [("old/index.html", "no page makes it")], []),
        new_findings=Counter({"H_LINKS": 1200, "H_DEM": 1}),
        fixed_findings=Counter({"H_ID_SPEC": 3}),
        failed_since={"HTA9": "2026-11-20T04:00:00+00:00", "HTA1": ""},
        problems=["atlas HTA9 was not read: Synapse says no"],
    )
    assert notify.success("HTAN Dashboard", night, "https://dash.example.org/").splitlines() == [
        "*HTAN Dashboard*: 1 atlas changed (HTA1), 2 pages written, 1 file removed.",
        "Findings: 1,201 new (H_DEM 1, H_LINKS 1,200), 3 fixed (H_ID_SPEC 3).",
        "Not read: HTA9 since 2026-11-20.",
        "atlas HTA9 was not read: Synapse says no",
        "<https://dash.example.org/|Open the dashboard>",
    ]


def test_a_night_names_the_atlases_that_were_not_verified_and_does_not_count_them_as_unchanged():
    verified = {"HTA3": "2026-11-25T04:00:00.000+00:00", "HTA4": ""}
    night = DONE._replace(same=[], unverified=verified)
    assert notify.success("Site", night).splitlines() == [
        "*Site*: no page changed.",
        "Not verified: HTA3 (last verified 2026-11-25), HTA4.",
    ]


def test_notes_of_the_deployment_come_first_however_many_problems_there_are():
    deployed = Deployed([], 10, [], [], [("a.html", "waits to be deleted")], ["1 deletion waits"])
    night = DONE._replace(deployed=deployed, problems=["p"] * 50)
    assert notify.success("Site", night).splitlines()[1] == "1 deletion waits"


def test_strangers_text_stays_text_and_a_crowd_is_counted():
    night = DONE._replace(
        changed=[f"<!channel> & {number}\n" for number in range(15)], problems=["x" * 3000] * 12
    )
    said = notify.success("Site", night)
    assert "<" not in said
    assert "&lt;!channel&gt; &amp; 0, " in said
    assert "5 more)" in said
    assert "2 more problems are in the log." in said
    assert max(map(len, said.splitlines())) < 1100


def test_a_failure_is_one_line():
    assert notify.failure("Site", "a: b\nc") == "*Site*: the nightly run failed: a: b c"


def test_the_message_arrives(monkeypatch):
    with slack() as (address, told):
        monkeypatch.setenv("SLACK_WEBHOOK_URL", address)
        assert notify.tell("hello") == ""
        assert told == [{"text": "hello"}]


def test_a_secret_in_a_message_does_not_leave(monkeypatch):
    with slack() as (address, told):
        monkeypatch.setenv("SLACK_WEBHOOK_URL", address)
        monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", "canary-token")
        notify.tell(f"it said canary-token to {address}")
        assert told == [{"text": "it said … to …"}]


def test_a_webhook_that_refuses_is_one_line_without_its_address(monkeypatch):
    with slack(404) as (address, _):
        monkeypatch.setenv("SLACK_WEBHOOK_URL", address)
        assert notify.tell("hello") == "Slack was not told: it answered 404"


def test_a_webhook_that_is_not_there_or_is_no_address_is_one_line(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for address in (f"http://127.0.0.1:{port}/canary", "file:///etc/canary", "http://canary\n/x", "canary"):
        monkeypatch.setenv("SLACK_WEBHOOK_URL", address)
        said = notify.tell("hello")
        assert said
        assert "canary" not in said
        assert "\n" not in said


def test_a_webhook_that_is_slow_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(notify, "LIMIT_SECONDS", 0.3)
    with slack(pause=5) as (address, _):
        monkeypatch.setenv("SLACK_WEBHOOK_URL", address)
        began = time.monotonic()
        assert notify.tell("hello").startswith("Slack was not told: it")
        assert time.monotonic() - began < 1


def test_a_webhook_that_answers_byte_by_byte_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(notify, "LIMIT_SECONDS", 0.5)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not over.wait(0.1):
                    connection.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        monkeypatch.setenv("SLACK_WEBHOOK_URL", f"http://127.0.0.1:{server.getsockname()[1]}/canary")
        began = time.monotonic()
        assert notify.tell("hello") == "Slack was not told: it did not answer in time"
        assert time.monotonic() - began < 2
        over.set()
        dripping.join()


@pytest.mark.parametrize(
    ("given", "found"),
    [("https://a.example/x", "https://a.example/x"), ("x", ""), ("https://a|b", ""), ("", "")],
)
def test_the_link_is_an_address_or_left_out(monkeypatch, given, found):
    monkeypatch.setenv("S3_WEB_SITE_URL", given)
    assert notify.web_site() == found
