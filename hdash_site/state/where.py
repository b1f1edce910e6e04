"""Where the state is: a file of SQLite unless the environment names a MySQL or PostgreSQL database.

Either `HDASH_DB_URL`, or the variables of a MySQL database one by one. No value of theirs is ever told back:
a password may have slipped into any of them. And where a copy of it is kept for runs that begin with an empty
disk: in S3, if the environment says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hdash_site.errors import ConfigError

if TYPE_CHECKING:
    from hdash_site.aws import Access
    from hdash_site.bucket import Place

URL, TLS = "HDASH_DB_URL", "HDASH_DB_TLS"
HOST, PORT = "HDASH_DB_HOST", "HDASH_DB_PORT_NUMBER"
USER, PASSWORD, NAME = "HDASH_DB_USER", "HDASH_DB_PASSWORD", "HDASH_DB_NAME"

STATE = "HDASH_STATE_URL"
SITE_BUCKET = "S3_BUCKET_NAME"

_DATABASE = {
    URL: "All in one: `mysql://user:password@host:port/name`, `postgresql://…`, or `sqlite:///path`.",
    HOST: "The host of a MySQL or MariaDB database.",
    USER: "Its user.",
    PASSWORD: "The password, if there is one.",
    NAME: "The name of the database.",
    PORT: "Its port; 3306 if it is not set.",
    TLS: "`require`: encrypted only; `verify`: and the certificate must be in order.",
}
VARIABLES = {
    **_DATABASE,
    STATE: "Where in S3 the state is kept between runs that begin with an empty disk: `s3://bucket/prefix`.",
}
"""What may be set, and what for."""

BESIDE = ("-snapshot", "-new", "-copy")
"""Ends of names of files beside that of a state in S3: what it began as, one that comes, one that goes."""

_FORM = "write mysql://user:password@host:port/name, with %XX for special characters"
_KINDS = {
    "mysql": "mysql",
    "mariadb": "mysql",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "sqlite": "sqlite",
}
_PORTS = {"mysql": 3306, "postgresql": 5432}


@dataclass(frozen=True, slots=True)
class Where:
    """`kind`: sqlite, mysql or postgresql. `name`: of the database, or the path of the file."""

    kind: str
    name: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    tls: str = ""

    def __str__(self) -> str:
        if self.kind == "sqlite":
            return self.name
        return f"{self.kind}://{self.user}@{self.host}:{self.port}/{self.name}"


class Remote(NamedTuple):
    """A state in S3. `lease`: seconds for which its lock holds without being renewed."""

    place: Place
    access: Access
    lease: float


def said(at: Where, remote: Remote | None) -> str:
    """Give where a state is, in words."""
    if remote is None:
        return str(at)
    return str(remote.place) if at.kind == "sqlite" else f"{at} and {remote.place}"


def file(cache: Path) -> Where:
    """Give the file that holds the state if no database is named."""
    return Where("sqlite", str(cache / "state.db"))


def read(environ: Mapping[str, str], cache: Path) -> Where:
    """Read the variables; one that is empty counts as not set. Raises `ConfigError`."""
    given = {name: environ[name] for name in _DATABASE if environ.get(name)}
    for name, value in given.items():
        if not value.isprintable():
            raise ConfigError("it holds a control character", name, "set it anew")
    tls = given.pop(TLS, "")
    if tls not in ("", "require", "verify"):
        raise ConfigError("it says neither require nor verify", TLS, "write one of them, or unset it")
    if URL in given:
        others = sorted(set(given) - {URL})
        if others:
            raise ConfigError(f"{URL} is set as well", others[0], "unset one of them")
        return _from_url(given[URL], tls)
    if given:
        return _from_parts(given, tls)
    if tls:
        raise ConfigError("it is set, and no database is", TLS, f"set {URL}, or unset it")
    return file(cache)


def remote(environ: Mapping[str, str], lease: float, patience: float = 60.0) -> Remote | None:
    """Read where in S3 the state is; None if it is not there. Raises `ConfigError`.

    `patience`: seconds for which a request that fails is tried again.
    """
    given = environ.get(STATE, "").strip()
    return _in_bucket(given, STATE, environ, lease, patience) if given else None


def _in_bucket(
    given: str, variable: str, environ: Mapping[str, str], lease: float, patience: float
) -> Remote:
    """Read an address in S3 that a variable or an option holds."""
    from hdash_site import aws, bucket

    scheme, slashes, path = given.partition("://")
    if scheme != "s3" or not slashes:
        raise ConfigError("this is no place in S3", variable, "write s3://bucket/prefix")
    name, _, prefix = path.partition("/")
    place = bucket.place(name, prefix, variable)
    if place.bucket == environ.get(SITE_BUCKET, "").strip():
        # Whoever reads the site could read the state, and a sync of the site could delete it.
        raise ConfigError(
            f"it is in the bucket of the website ({SITE_BUCKET})", variable, "use another bucket"
        )
    return Remote(place, aws.access(environ, patience), lease)


ADDRESS = "write here, a file, sqlite:///path, mysql://…, postgresql://…, s3://bucket/prefix, or env:VARIABLE"


def address(
    given: str, argument: str, environ: Mapping[str, str], lease: float, patience: float
) -> Where | Remote:
    """Read an address of a state that `argument` of a command line holds. Raises `ConfigError`.

    `env:VARIABLE` takes the address from the environment: what is on a command line, other users can read.
    """
    if given.startswith("env:"):
        argument = given[4:]
        given = environ.get(argument, "").strip()
        if not given:
            raise ConfigError("this variable is not set", argument, "set it to the address of a state")
    if given.startswith("s3://"):
        return _in_bucket(given, argument, environ, lease, patience)
    if "://" not in given:
        if not given or not given.isprintable():
            raise ConfigError("this is no address of a state", argument, ADDRESS)
        return Where("sqlite", given)
    tls = "" if given.startswith("sqlite:") else environ.get(TLS, "")
    try:
        return _from_url(given, tls)
    except ConfigError as error:
        raise ConfigError(error.problem, argument, ADDRESS) from None


def _from_parts(given: Mapping[str, str], tls: str) -> Where:
    for name in (HOST, USER, NAME):
        if name not in given:
            others = ", ".join(sorted(given))
            raise ConfigError(f"it is not set, but {others} is", name, "set it, or unset the others")
    port = given.get(PORT, "3306")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ConfigError("this is no port", PORT, "write a number from 1 to 65535")
    return Where("mysql", given[NAME], given[HOST], int(port), given[USER], given.get(PASSWORD, ""), tls)


def _from_url(url: str, tls: str) -> Where:
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError("this is no address of a database", URL, _FORM) from None
    kind = _KINDS.get(parts.scheme)
    if kind is None or "://" not in url:
        raise ConfigError("it begins with no kind of database that we know", URL, _FORM)
    if parts.query or parts.fragment or url[-1] in "?#":
        raise ConfigError("it holds a ? or a #", URL, f"{_FORM}; TLS is asked for with {TLS}")
    path = unquote(parts.path)[1:]
    if not path or not path.isprintable():
        raise ConfigError("it names no database", URL, _FORM)
    if kind == "sqlite":
        if parts.netloc or tls:
            problem = "a file has no host, user or TLS"
            raise ConfigError(problem, URL, f"write sqlite:///path, and unset {TLS}")
        return Where(kind, path)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not parts.hostname or not user or port == 0 or "/" in path:
        raise ConfigError("it lacks a host, a user or the name of a database", URL, _FORM)
    if not (user + password).isprintable():
        raise ConfigError("it holds a control character", URL, _FORM)
    return Where(kind, path, parts.hostname, port or _PORTS[kind], user, password, tls)
