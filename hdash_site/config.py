"""`site.toml` as a frozen `Config`; `SETTINGS` is the one place that says what may be set, and what for."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from hdash_site import serving
from hdash_site.artifact import address, is_address
from hdash_site.engine.model import Limits
from hdash_site.errors import ConfigError
from hdash_site.snapshot import SYNAPSE_ID, Project

FILE = "site.toml"
DEFAULT_TITLE = "HTAN Dashboard"
SOURCES = ("sample", "folder", "synapse")
TOKENS = ("SYNAPSE_AUTH_TOKEN", "SYNAPSE_PASSWORD")
"""The variables that may hold a personal access token of Synapse; the first one comes first."""


class Setting(NamedTuple):
    """`name` is dotted; `kind` is the TOML type in words; `default` is what holds when it is not set."""

    name: str
    kind: str
    default: Any
    meaning: str


SETTINGS = (
    Setting("title", "text", DEFAULT_TITLE, "The name of the site, on every page."),
    Setting(
        "base_url",
        "text",
        "",
        "Public address of the site, for `404.html`, feeds and `sitemap.xml`: `https://example.org/hdash/`.",
    ),
    Setting(
        "source.kind",
        "text",
        "",
        "Where atlases come from: `sample`, `folder` or `synapse`; unset, `synapse` if there is a token.",
    ),
    Setting(
        "source.path", "text", "", 'The folder of the atlases, relative to the site; for `kind = "folder"`.'
    ),
    Setting(
        "atlas",
        "list of tables",
        [],
        "The atlases in Synapse: `id`, `synapse_id` of the project, `name`, and `liaison` if there is one.",
    ),
    Setting("synapse.view", "text", "syn20446927", "The master file view."),
    Setting(
        "synapse.endpoint",
        "text",
        "https://repo-prod.prod.sagebase.org",
        "Where the services of Synapse are.",
    ),
    Setting("synapse.requests", "number", 3, "Requests to Synapse at once; it refuses more than three."),
    Setting("synapse.downloads", "number", 8, "Downloads of manifests at once."),
    Setting(
        "synapse.wait",
        "number",
        15,
        "Seconds between two queries of the view: it applies changes only after it was queried.",
    ),
    Setting(
        "synapse.view_deadline",
        "number",
        300,
        "Longest time to wait until the view shows the current state, in seconds. After that, atlases count"
        " as not verified.",
    ),
    Setting("synapse.patience", "number", 60, "Seconds for which a request that fails is tried again."),
    Setting("synapse.job_patience", "number", 600, "Seconds that a query of the view may take."),
    Setting("synapse.deadline", "number", 1800, "Seconds after which a crawl gives up on what is missing."),
    Setting(
        "state.lease",
        "number",
        120,
        "Seconds for which a run that was killed still holds a state in S3: 3 to 86400.",
    ),
    Setting(
        "listing.archives",
        "list of texts",
        [],
        "Root folders to leave out, besides `archive` and `archives`.",
    ),
    Setting(
        "checks.without_demographics", "list of texts", [], "Atlases that need no Demographics manifest."
    ),
    Setting(
        "checks.exempt",
        "table of lists",
        {},
        "By code of a check, the manifests (Synapse ids) that it skips.",
    ),
    Setting(
        "content.raw_html",
        "true or false",
        False,
        "Whether HTML in articles stays as it is written, scripts included; it is sanitised if not.",
    ),
    Setting(
        "limits.seconds",
        "number",
        60,
        "Processor time, in seconds, for one step over large input from outside (a manifest, a listing, the"
        " report of an atlas, an article, a data file). A step that needs more is ended.",
    ),
    Setting(
        "limits.memory",
        "number",
        1024,
        "Memory, in MiB, for one such step. A step that needs more is ended (Linux only).",
    ),
    Setting(
        "menu",
        "list of tables",
        [],
        "Entries of the menu: `name`, `url`, and `weight` (a number) to sort by.",
    ),
    Setting(
        "redirect",
        "list of tables",
        [],
        "Pages that moved: `from`, an old address below the site, and `to`, the new one, or one elsewhere.",
    ),
    Setting("deploy.uploads", "number", 16, "Files that are sent to a bucket at once."),
    Setting("deploy.patience", "number", 60, "Seconds for which a request that fails is tried again."),
    Setting(
        "deploy.delete_after_nights",
        "number",
        3,
        "Number of nightly runs for which deletions over `--max-delete` wait; 0: delete at once.",
    ),
    Setting(
        "deploy.route",
        "list of tables",
        [],
        "How the files whose path matches `pattern`, a regular expression, are served from a bucket:"
        " `content_type`, `cache_control`, `compress`.",
    ),
    Setting(
        "component",
        "list of tables",
        [],
        "Components to add to the catalogue, or to change there, by `name`.",
    ),
)

_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "text": str,
    "number": (int, float),
    "list of texts": list,
    "list of tables": list,
    "table of lists": dict,
    "true or false": bool,
}


class Login(NamedTuple):
    """Who asks Synapse: a personal access token, which says by itself whose it is, and perhaps a user."""

    token: str
    user: str = ""

    def __repr__(self) -> str:
        return f"Login(user={self.user!r})"


@dataclass(frozen=True, slots=True)
class SynapseSettings:
    """`endpoint` is the base address of the services; all times are in seconds."""

    view: str
    endpoint: str
    requests: int
    downloads: int
    wait: float
    view_deadline: float
    patience: float
    job_patience: float
    deadline: float


@dataclass(frozen=True, slots=True)
class Config:
    """What the user asks for. `root` is the folder of `site.toml`; all paths start there.

    `source_is_set`: whether `site.toml` or an option names the kind of source, which else follows from the
    token. `drafts`: show what is not on the site yet, or not any more; no setting, but what the preview does.
    """

    root: Path
    title: str
    base_url: str
    source_kind: str
    source_is_set: bool
    source_path: Path
    atlases: tuple[Mapping[str, str], ...]
    synapse: SynapseSettings
    lease: float
    archives: tuple[str, ...]
    without_demographics: tuple[str, ...]
    exempt: Mapping[str, tuple[str, ...]]
    raw_html: bool
    limits: Limits
    drafts: bool
    menu: tuple[Mapping[str, Any], ...]
    redirects: tuple[Mapping[str, str], ...]
    uploads: int
    patience: float
    delete_after_nights: int
    routes: tuple[Mapping[str, Any], ...]
    components: tuple[Mapping[str, Any], ...]


def login(environ: Mapping[str, str]) -> Login | None:
    """Give who asks Synapse: `SYNAPSE_AUTH_TOKEN`, or the older `SYNAPSE_PASSWORD` of a `SYNAPSE_USER`."""
    name = next((name for name in TOKENS if environ.get(name, "").strip()), "")
    if not name:
        return None
    user = environ.get("SYNAPSE_USER", "") if name == "SYNAPSE_PASSWORD" else ""
    return Login(environ[name].strip(), user.strip())


def read(root: Path, environ: Mapping[str, str]) -> Config:
    """Read `site.toml` under `root`, and `environ` for what it leaves open. Raises `ConfigError`."""
    place = str(root / FILE)
    given = _given(root / FILE)
    config = _config(root, _settings(given, place, environ), place)
    return replace(config, source_is_set=bool(given.get("source", {}).get("kind")))


class InForce(NamedTuple):
    """A setting, and what its value comes from: `default`, `site.toml`, a variable, or an option."""

    name: str
    value: Any
    origin: str


def in_force(root: Path, environ: Mapping[str, str]) -> list[InForce]:
    """Give each setting of `site.toml` as it holds. Raises `ConfigError`, as `read` does."""
    read(root, environ)
    given = _given(root / FILE)
    values = _settings(given, str(root / FILE), environ)
    return [InForce(name, value, _origin(name, value, given, environ)) for name, value in values.items()]


def _origin(name: str, value: Any, given: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    outer, _, inner = name.partition(".")
    table = given.get(outer)
    written = table.get(inner) if inner and table is not None else table
    if name == "source.kind" and not written:
        set_names = (name for name in TOKENS if environ.get(name, "").strip())
        return next(set_names) if value == "synapse" else "default"
    return "default" if written is None else FILE


def _given(path: Path) -> dict[str, Any]:
    """Give what a `site.toml` says, as it stands there."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            "there is no site here", str(path), "go to the folder of a site, or give --root"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is not TOML: {error}", str(path), "correct that line") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot be read ({error})", str(path), "save it as UTF-8, readable by you"
        ) from None


def _config(root: Path, values: Mapping[str, Any], place: str) -> Config:
    kind = values["source.kind"]
    if kind not in SOURCES:
        raise ConfigError(
            f'"{kind}" is no source', f"{place}, source.kind", f"write one of: {', '.join(SOURCES)}"
        )
    if kind == "folder" and not values["source.path"]:
        raise ConfigError(
            "a folder source needs a path", f"{place}, source.path", "name the folder of the atlases"
        )
    if not 3 <= values["state.lease"] <= 86_400:
        raise ConfigError(
            "this must be from 3 to 86400", f"{place}, state.lease", f"it is {values['state.lease']} now"
        )
    _check_components(values["component"], place)
    _check_codes(values["checks.exempt"], f"{place}, checks.exempt")
    for number, table in enumerate(values["atlas"], 1):
        _check_atlas(table, f"{place}, [[atlas]] number {number}")
    for number, entry in enumerate(values["menu"], 1):
        _check_menu(entry, f"{place}, [[menu]] number {number}")
    for number, table in enumerate(values["redirect"], 1):
        _check_redirect(table, f"{place}, [[redirect]] number {number}")
    _check_once([address(table["from"]) for table in values["redirect"]], f"{place}, [[redirect]]")
    for number, table in enumerate(values["deploy.route"], 1):
        _check_route(table, f"{place}, [[deploy.route]] number {number}")
    return Config(
        root=root,
        title=values["title"],
        base_url=_base_url(values["base_url"].strip(), place),
        source_kind=kind,
        source_is_set=False,
        source_path=root / values["source.path"],
        atlases=tuple(values["atlas"]),
        synapse=_synapse(values, place),
        lease=values["state.lease"],
        archives=tuple(values["listing.archives"]),
        without_demographics=tuple(values["checks.without_demographics"]),
        exempt={code: tuple(ids) for code, ids in values["checks.exempt"].items()},
        raw_html=values["content.raw_html"],
        limits=_limits(values, place),
        drafts=False,
        menu=tuple(values["menu"]),
        redirects=tuple(values["redirect"]),
        uploads=_whole(values, "deploy.uploads", place),
        patience=values["deploy.patience"],
        delete_after_nights=_whole(values, "deploy.delete_after_nights", place, least=0),
        routes=tuple(values["deploy.route"]),
        components=tuple(values["component"]),
    )


def _synapse(values: Mapping[str, Any], place: str) -> SynapseSettings:
    given = {name.partition(".")[2]: value for name, value in values.items() if name.startswith("synapse.")}
    if not SYNAPSE_ID.fullmatch(given["view"]):
        raise ConfigError(f'"{given["view"]}" is no view', f"{place}, synapse.view", "write syn and a number")
    if "@" in given["endpoint"]:  # it would be told in messages, and settings can be printed
        way_out = "take it out; who asks is said by SYNAPSE_AUTH_TOKEN"
        raise ConfigError("an address with a login in it is not taken", f"{place}, synapse.endpoint", way_out)
    if not re.match(r"https?://[^/]+", given["endpoint"]):
        raise ConfigError(
            f'"{given["endpoint"]}" is no address', f"{place}, synapse.endpoint", "begin with https://"
        )
    for name in ("requests", "downloads"):
        given[name] = _whole(values, f"synapse.{name}", place)
    return SynapseSettings(**given)


def _base_url(given: str, place: str) -> str:
    """Check the public address of the site; return it with a slash at its end, or empty if it is not set."""
    if not given:
        return ""
    try:
        parts = urlsplit(given)
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        valid = valid and parts.username is None and given.isprintable()
    except ValueError:
        valid = False
    if not valid or set(given) & set("?# "):
        way_out = "write an address such as https://example.org/hdash/, without a query"
        raise ConfigError(f'"{given}" is not an address of a site', f"{place}, base_url", way_out)
    return given.rstrip("/") + "/"


def _limits(values: Mapping[str, Any], place: str) -> Limits:
    seconds = values["limits.seconds"]
    if not 0.1 <= seconds <= 86_400:
        problem = "this must be from 0.1 to 86400 seconds"
        raise ConfigError(problem, f"{place}, limits.seconds", f"it is {seconds} now")
    return Limits(seconds, _whole(values, "limits.memory", place, least=16) << 20)


def _whole(values: Mapping[str, Any], name: str, place: str, least: int = 1) -> int:
    value = values[name]
    if value < least or value != int(value):
        problem = f"this must be a whole number, {least} or more"
        raise ConfigError(problem, f"{place}, {name}", f"it is {value} now")
    return int(value)


def _check_atlas(table: Mapping[str, Any], place: str) -> None:
    keys = Project._fields
    unknown = sorted(set(table) - set(keys))
    if unknown:
        raise ConfigError(f'"{unknown[0]}" says nothing here', place, f"an atlas has {', '.join(keys)}")
    if not all(isinstance(value, str) for value in table.values()):
        raise ConfigError("what an atlas has is text", place, "put it in quotes")
    if not table.get("id") or not table.get("synapse_id"):
        raise ConfigError("an atlas needs an id and a synapse_id", place, "add what is missing")


def _settings(given: Mapping[str, Any], place: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Give a value for each setting, by its dotted name; refuse what is none of them."""
    known = {setting.name: setting for setting in SETTINGS}
    tables = {name.partition(".")[0] for name in known if "." in name}
    values = {setting.name: setting.default for setting in SETTINGS}
    for name, value in given.items():
        if name not in tables:
            values[name] = _checked(known, name, value, place)
        elif isinstance(value, dict):
            inner = cast(dict[str, Any], value)
            values |= {
                f"{name}.{key}": _checked(known, f"{name}.{key}", item, place) for key, item in inner.items()
            }
        else:
            raise ConfigError(f"{name} must be a table", place, f"write [{name}] on a line of its own")
    values["source.kind"] = values["source.kind"] or ("synapse" if login(environ) else "sample")
    return values


def _checked(known: Mapping[str, Setting], name: str, value: Any, place: str) -> Any:
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        way_out = f'do you mean "{near[0]}"?' if near else f"settings are: {', '.join(known)}"
        raise ConfigError("there is no such setting", f"{place}, {name}", way_out)
    kind = known[name].kind
    misplaced = isinstance(value, bool) and kind != "true or false"
    if misplaced or not isinstance(value, _KINDS[kind]) or not _items_fit(kind, value):
        raise ConfigError(f"this must be a {kind}", f"{place}, {name}", f"it is {value!r} now")
    return value


def _items_fit(kind: str, value: Any) -> bool:
    if kind == "number":
        return 0 <= value < 10**9
    if kind == "list of texts":
        return all(isinstance(item, str) for item in value)
    if kind == "list of tables":
        return all(isinstance(item, dict) for item in value)
    if kind == "table of lists":
        return all(isinstance(item, list) and _items_fit("list of texts", item) for item in value.values())
    return True


def _check_components(tables: list[Mapping[str, Any]], place: str) -> None:
    if tables:
        from hdash_site.htan.components import catalogue

        try:
            catalogue(tables)
        except ValueError as error:
            raise ConfigError(
                str(error).rstrip("."), f"{place}, [[component]]", "correct that table"
            ) from None


def _check_codes(given: Iterable[str], place: str) -> None:
    if given:
        from hdash_site.htan.checks import codes

        known = codes()
        for code in given:
            if code not in known:
                raise ConfigError(f'there is no check "{code}"', place, f"checks are: {', '.join(known)}")


def _check_menu(entry: Mapping[str, Any], place: str) -> None:
    unknown = sorted(set(entry) - {"name", "url", "weight"})
    if unknown:
        raise ConfigError(f'"{unknown[0]}" says nothing here', place, "an entry has name, url and weight")
    if not all(isinstance(entry.get(key), str) for key in ("name", "url")):
        raise ConfigError("an entry needs a name and a url, both texts", place, "add what is missing")
    if not isinstance(entry.get("weight", 0), int):
        raise ConfigError("weight must be a whole number", place, f"it is {entry['weight']!r} now")


def _check_redirect(table: Mapping[str, Any], place: str) -> None:
    if set(table) != {"from", "to"} or not all(isinstance(value, str) for value in table.values()):
        raise ConfigError("a redirect has from and to, both texts", place, "correct that table")
    if not is_address(table["from"]):
        way_out = "write names of letters, digits, - and _ with slashes between them"
        raise ConfigError(f"{table['from']!r} is no address below the site", place, way_out)
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?|/?[\w./#%~-]*", table["to"]):
        raise ConfigError(f"{table['to']!r} is no address", place, "write one below the site, or https://…")


def _check_once(addresses: list[str], place: str) -> None:
    for url in addresses:
        if addresses.count(url) > 1:
            raise ConfigError(f"two lead on from {url}", place, "delete one of them")


def _check_route(table: Mapping[str, Any], place: str) -> None:
    try:
        serving.check(table)
    except ValueError as error:
        raise ConfigError(str(error), place, f"a route has {', '.join(serving.FIELDS)}") from None
