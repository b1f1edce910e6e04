"""Clients that are many, slow or hostile: the preview goes on, and its terminal stays clean."""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.parse

import pytest

from hdash_site.console import show_rebuilt
from hdash_site.preview import connections, web
from hdash_site.preview.connections import Connections
from tests.serve.conftest import PATIENCE


@contextlib.contextmanager
def connected(desk, count, request=b""):
    """Open so many connections that send the same bytes, and close them at the end."""
    place = urllib.parse.urlsplit(desk.address)
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            one = socket.create_connection((place.hostname, place.port), timeout=PATIENCE)
            opened.append(stack.enter_context(one))
            with contextlib.suppress(OSError):
                one.sendall(request.replace(b"HOST", place.netloc.encode()))
        yield opened


EVENTS = b"GET /_hdash/events HTTP/1.1\r\nHost: HOST\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET", b"GET /about/ HTTP/1.1\r\nHost: HOST\r\nX-Slow: "])
def test_a_thousand_connections_that_ask_nothing_keep_nobody_out(still, capsys, sent):
    before = threading.active_count()
    with connected(still, 1000, sent):
        for _ in range(5):
            assert still.request("/about/")[0] == 200
        assert threading.active_count() <= before + connections.MOST + 2
    assert capsys.readouterr().err == ""


def test_more_tabs_than_there_is_room_for_are_refused_in_one_line_and_pages_are_served(desk, capsys):
    with desk.shown():
        with connected(desk, connections.MOST_STREAMS + 20, EVENTS) as opened:
            heads = [one.recv(12) for one in opened]
            assert heads.count(b"HTTP/1.1 200") == connections.MOST_STREAMS
            assert heads.count(b"HTTP/1.1 503") == 20
            assert desk.request("/about/")[0] == 200
            assert capsys.readouterr().err.count("\n") == 1

        def is_free():
            with connected(desk, 1, EVENTS) as [one]:
                return one.recv(12) == b"HTTP/1.1 200"

        desk.edit("content/about.md", "dashboard", "DASHBOARD")  # the news find out who is gone
        desk.wait(is_free)


def test_with_all_connections_at_work_a_new_one_is_refused_at_once(desk, monkeypatch, capsys):
    monkeypatch.setattr(connections, "MOST", 8)
    with desk.shown(), connected(desk, 8, EVENTS) as opened:
        assert {one.recv(12) for one in opened} == {b"HTTP/1.1 200"}
        with connected(desk, 3) as refused:
            assert {one.recv(12) for one in refused} == {b"HTTP/1.1 503"}
        assert capsys.readouterr().err.count("\n") == 1


def test_the_connection_that_is_idle_for_longest_gives_way(monkeypatch):
    monkeypatch.setattr(connections, "MOST", 2)
    pairs = [socket.socketpair() for _ in range(3)]
    ours = Connections()
    first, second, third = (pair[0] for pair in pairs)
    assert ours.admit(first)
    assert ours.admit(second)
    ours.begin(first)
    ours.end(first)
    reader = threading.Thread(target=lambda: (second.recv(1), ours.leave(second)))
    reader.start()
    assert ours.admit(third)
    reader.join()
    assert pairs[1][1].recv(1) == b""
    for pair in pairs:
        for one in pair:
            one.close()


@pytest.mark.parametrize(
    "target",
    [
        f"/{'x' * 300}", f"/{'x' * 300}/", f"/about/{'x' * 300}.html", "/" + "a/" * 3000,
        f"/{'%C3%A9' * 200}/",
        f"/{'x' * 60000}", "/a\x1b[31m", "/_hdash/look?page=/" + "x" * 300, "/_hdash/" + "x" * 300,
    ],
    ids=lambda target: f"{target[:12]!r} of {len(target)}",
)  # fmt: skip
def test_an_address_that_no_file_can_have_is_not_there(still, capsys, target):
    place = urllib.parse.urlsplit(still.address)
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as one:
        one.sendall(f"GET {target} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
        status = int(one.recv(12).split()[1])
    assert status == (200 if "look" in target else 404)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x1b]0;title\x07 / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\xff\xfe\r\n\r\n", b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 70000 + b"\r\n\r\n",
        b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: \x1b[31m\r\n\r\n",
    ],
    ids=lambda request: f"{request[:16]!r} of {len(request)}",
)  # fmt: skip
def test_what_is_no_request_is_refused_and_nothing_is_printed(still, capsys, request_):
    with connected(still, 1, request_) as [one], contextlib.suppress(ConnectionResetError):
        assert b" 200" not in one.recv(12)
    assert still.request("/about/")[0] == 200
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_browsers_that_hang_up_in_the_middle_are_not_mentioned(still, capsys):
    request = b"GET /index.json HTTP/1.1\r\nHost: HOST\r\n\r\n"
    for _ in range(20):
        with connected(still, 1, request) as [one]:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not an end
    assert still.request("/about/")[0] == 200
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_a_defect_is_one_line_without_a_traceback_and_without_escapes(desk, monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("\x1b[31mred\x07")

    with desk.shown():
        monkeypatch.setattr(web.Server, "find", broken)
        assert [desk.request("/about/")[0] for _ in range(3)] == [500] * 3
        said = capsys.readouterr().err
    assert (said.count("\n"), "Traceback" in said, "\x1b" in said, "\x07" in said) == (1, False, False, False)


def test_the_name_of_a_file_that_is_saved_cannot_steer_the_terminal(desk, capsys):
    built = desk.built
    with desk.shown():
        desk.save("content/\x1b[31mred\x07.md", "no front matter +++")
        desk.save("content/\x1b]0;title\x07/x.md", "+++\ntitle = \n+++\n")
        desk.wait(lambda: built[-1].problems)
        for one in built:
            show_rebuilt(one, quiet=False)
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "\x07" not in said.out + said.err
