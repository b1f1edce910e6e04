"""The preview serves the files of the site, to browsers on this machine, and nothing and nobody else."""

from __future__ import annotations

import os

import pytest

from hdash_site.preview.web import LOOPBACK

FOREIGN = (
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1.evil:{port}",
    "",
    "a b",
)


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("target", ["/", "/_hdash/events", "/_hdash/look?page=/"])
def test_a_foreign_host_is_refused(still, host, target):
    port = still.address.rstrip("/").rpartition(":")[2]
    status, _, body = still.request(target, Host=host.format(port=port))
    assert (status, b"HTAN" in body) == (403, False)


@pytest.mark.parametrize("name", LOOPBACK)
def test_this_machine_is_answered_under_each_of_its_names(still, name):
    port = still.address.rstrip("/").rpartition(":")[2]
    host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    assert still.request("/", Host=host, Origin=f"http://{host}")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    ],
    ids=str,
)
def test_another_site_is_refused(still, headers):
    assert still.request("/about/", **headers)[0] == 403


def test_a_link_from_another_site_is_followed(still):
    assert (
        still.request("/about/", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})[0] == 200
    )


@pytest.mark.parametrize(
    "target",
    [
        "/../site.toml", "/about/../../site.toml", "/%2e%2e/site.toml", "/..%2fsite.toml",
        "/%2E%2E%5Csite.toml", "/%252e%252e/site.toml", "/about%2findex.html", "/about%00",
        "/about//index.html", "//evil.example/", "/.hidden", "/\\about", "/%ff", "about/",
        "http://evil.example/about/", "*", "/public/../about/",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_site(still, target):
    still.save("public/.hidden", "secret")
    status, _, body = still.request(target)
    assert status in (400, 404)
    assert not any(word in body for word in (b'Test site"', b"secret", b"What the figures"))


def test_symbolic_links_out_of_the_site_are_not_followed(still):
    public = still.site / "public"
    (public / "out").symlink_to(still.site)
    (public / "out.toml").symlink_to(still.site / "site.toml")
    (public / "loop").symlink_to("loop")
    (public / "within.html").symlink_to("about/index.html")
    os.mkfifo(public / "pipe")
    for target in ("/out", "/out/", "/out/site.toml", "/out.toml", "/loop", "/loop/", "/pipe"):
        status, _, body = still.request(target)
        assert (status, b"base_url" in body) == (404, False), target
    assert still.request("/within.html")[0] == 200


def test_there_is_no_list_of_files_and_no_way_to_write(still):
    assert still.request("/assets/")[0] == 404
    status, headers, _ = still.request("/about")
    assert (status, headers["Location"]) == (302, "/about/")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"):
        assert still.request("/about/", method)[0] == 501


def test_files_are_served_as_what_they_are_and_kept_by_nobody(still):
    for pattern, kind in (
        ("about/index.html", "text/html; charset=utf-8"),
        ("assets/site.*.css", "text/css; charset=utf-8"),
        ("assets/site.*.js", "text/javascript; charset=utf-8"),
        ("assets/*.svg", "image/svg+xml"),
        ("sitemap.xml", "application/xml"),
    ):
        [path] = (still.site / "public").glob(pattern)
        target = f"/{path.relative_to(still.site / 'public').as_posix()}"
        status, headers, body = still.request(target)
        assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, kind, "no-store")
        assert body == path.read_bytes() or path.suffix == ".html"
        assert still.request(target, "HEAD")[1]["Content-Length"] == headers["Content-Length"]


def test_what_is_missing_is_said_by_the_sites_own_page(still):
    status, _, body = still.request("/nowhere/")
    assert status == 404
    assert b"There is no such page" in body
    assert b"/_hdash/live.js" in body
