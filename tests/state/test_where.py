"""Where the state is, read from the environment; what is wrong there is said without a password."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from hdash_site.errors import ConfigError
from hdash_site.state import where
from hdash_site.state.where import Where

CANARY = "canary-7f3a"
CACHE = Path("/site/cache")
MYSQL = {
    "HDASH_DB_HOST": "db",
    "HDASH_DB_USER": "hdash",
    "HDASH_DB_PASSWORD": CANARY,
    "HDASH_DB_NAME": "state",
}


def test_without_a_variable_it_is_a_file_in_the_cache():
    assert where.read({"PATH": "/bin"}, CACHE) == Where("sqlite", "/site/cache/state.db")


def test_an_empty_variable_is_not_set():
    assert where.read(dict.fromkeys(where.VARIABLES, ""), CACHE).kind == "sqlite"


def test_the_variables_one_by_one_mean_mysql():
    expected = Where("mysql", "state", "db", 3306, "hdash", CANARY)
    assert where.read(MYSQL, CACHE) == expected
    assert where.read(MYSQL | {"HDASH_DB_PORT_NUMBER": "3307"}, CACHE).port == 3307
    assert where.read(MYSQL | {"HDASH_DB_TLS": "verify"}, CACHE).tls == "verify"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://u:p@h:1/n", Where("mysql", "n", "h", 1, "u", "p")),
        ("mariadb://u@h/n", Where("mysql", "n", "h", 3306, "u")),
        ("postgresql://u:p%40%2F%3A%F0%9F%94%91@h/n", Where("postgresql", "n", "h", 5432, "u", "p@/:🔑")),
        ("postgres://u@[::1]/a%20b", Where("postgresql", "a b", "::1", 5432, "u")),
        ("sqlite:///state.db", Where("sqlite", "state.db")),
        ("sqlite:////var/state.db", Where("sqlite", "/var/state.db")),
    ],
)
def test_a_url_says_it_all(url, expected):
    assert where.read({"HDASH_DB_URL": url}, CACHE) == expected


WRONG = [
    ({"HDASH_DB_HOST": "db", "HDASH_DB_PASSWORD": CANARY}, "HDASH_DB_USER"),
    ({"HDASH_DB_HOST": "db", "HDASH_DB_PASSWORD": CANARY, "HDASH_DB_USER": "u"}, "HDASH_DB_NAME"),
    ({"HDASH_DB_PASSWORD": CANARY}, "HDASH_DB_HOST"),
    (MYSQL | {"HDASH_DB_PORT_NUMBER": CANARY}, "HDASH_DB_PORT_NUMBER"),
    (MYSQL | {"HDASH_DB_PORT_NUMBER": "65536"}, "HDASH_DB_PORT_NUMBER"),
    (MYSQL | {"HDASH_DB_PORT_NUMBER": "²"}, "HDASH_DB_PORT_NUMBER"),
    (MYSQL | {"HDASH_DB_TLS": CANARY}, "HDASH_DB_TLS"),
    ({"HDASH_DB_TLS": "require"}, "HDASH_DB_TLS"),
    (MYSQL | {"HDASH_DB_PASSWORD": f"{CANARY}\n"}, "HDASH_DB_PASSWORD"),
    (MYSQL | {"HDASH_DB_URL": "mysql://u@h/n"}, "HDASH_DB_HOST"),
    ({"HDASH_DB_URL": "mysql://u@h/n", "HDASH_DB_PASSWORD": CANARY}, "HDASH_DB_PASSWORD"),
] + [
    ({"HDASH_DB_URL": url}, "HDASH_DB_URL")
    for url in (
        CANARY,
        f"u:{CANARY}@h/n",
        f"oracle://u:{CANARY}@h/n",
        f"mysql:u:{CANARY}@h/n",
        f"mysql://u:{CANARY}@h",
        f"mysql://u:{CANARY}@h/",
        f"mysql://:{CANARY}@h/n",
        f"mysql://u:{CANARY}@/n",
        f"mysql://u:{CANARY}@h:port/n",
        f"mysql://u:{CANARY}@h:0/n",
        f"mysql://u:{CANARY}@h:65536/n",
        f"mysql://u:{CANARY}#@h/n",
        f"mysql://u:{CANARY}/@h/n",
        f"mysql://u:{CANARY}@[h/n",
        f"mysql://u:{CANARY}%00@h/n",
        f"mysql://u:{CANARY}@h/n?ssl={CANARY}",
        f"postgresql://u:{CANARY}@h/n/m",
        f"sqlite://{CANARY}/n",
        "sqlite:///",
    )
]


@pytest.mark.parametrize(("environ", "variable"), WRONG)
def test_what_is_wrong_is_one_line_with_the_variable_and_no_password(environ, variable):
    with pytest.raises(ConfigError) as caught:
        where.read(environ, CACHE)
    said = str(caught.value)
    assert said.startswith(f"{variable}: ")
    assert "; " in said
    assert "\n" not in said
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in repr(caught.value)
    assert caught.value.exit_code == 2


def test_a_place_that_is_printed_has_no_password():
    place = where.read(MYSQL, CACHE)
    assert CANARY not in repr(place)
    assert str(place) == "mysql://hdash@db:3306/state"


def test_a_state_in_s3_is_a_bucket_and_a_prefix():
    environ = {"HDASH_STATE_URL": "s3://state-of-hdash/night//ly/", "S3_BUCKET_NAME": "site-of-hdash"}
    found = where.remote(environ | {"S3_ENDPOINT_URL": "https://host"}, 60)
    assert found
    assert (str(found.place), found.access.endpoint, found.lease) == (
        "s3://state-of-hdash/night/ly/", "https://host", 60
    )  # fmt: skip
    bare = where.remote({"HDASH_STATE_URL": "s3://state-of-hdash"}, 60)
    assert bare
    assert str(bare.place) == "s3://state-of-hdash/"
    assert where.remote({"HDASH_STATE_URL": " "}, 60) is None
    assert where.read(environ, CACHE).kind == "sqlite", "it names no database"


def test_where_the_state_is_in_words():
    remote = where.remote({"HDASH_STATE_URL": "s3://state-of-hdash/a"}, 60)
    file, server = where.file(CACHE), where.read(MYSQL, CACHE)
    assert where.said(file, None) == "/site/cache/state.db"
    assert where.said(file, remote) == "s3://state-of-hdash/a/"
    assert where.said(server, remote) == "mysql://hdash@db:3306/state and s3://state-of-hdash/a/"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (CANARY, "no place in S3"),
        (f"https://bucket/{CANARY}", "no place in S3"),
        (f"s3:{CANARY}", "no place in S3"),
        (f"s3://user:{CANARY}@bucket/x", "no name of a bucket"),
        ("s3://", "no name of a bucket"),
        (f"s3://bucket/../{CANARY}", "no prefix"),
        ("s3://the-site/state", "in the bucket of the website (S3_BUCKET_NAME); use another bucket"),
    ],
)
def test_a_place_in_s3_that_cannot_be_is_refused_without_being_told_back(url, said):
    with pytest.raises(ConfigError) as caught:
        where.remote({"HDASH_STATE_URL": url, "S3_BUCKET_NAME": "the-site"}, 60)
    assert str(caught.value).startswith("HDASH_STATE_URL: ")
    assert said in str(caught.value)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
