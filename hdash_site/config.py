"""`site.toml` as a frozen `Config`; `SETTINGS` is the one place that says what may be set, and what for."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from hdash_site.errors import ConfigError

FILE = "site.toml"
SOURCES = ("sample", "folder", "synapse")


class Setting(NamedTuple):
    """`name` is dotted; `kind` is the TOML type in words; `default` is what holds when it is not set."""

    name: str
    kind: str
    default: Any
    meaning: str


SETTINGS = (
    Setting("title", "text", "HTAN Dashboard", "The name of the site, on every page."),
    Setting(
        "base_url", "text", "", "Where the site will stand, for `sitemap.xml`: `https://example.org/hdash/`."
    ),
    Setting("source.kind", "text", "sample", "Where atlases come from: `sample`, `folder` or `synapse`."),
    Setting(
        "source.path", "text", "", 'The folder of the atlases, relative to the site; for `kind = "folder"`.'
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
        "menu",
        "list of tables",
        [],
        "Entries of the menu: `name`, `url`, and `weight` (a number) to sort by.",
    ),
    Setting(
        "component",
        "list of tables",
        [],
        "Components to add to the catalogue, or to change there, by `name`.",
    ),
)

_KINDS: Mapping[str, type] = {
    "text": str,
    "list of texts": list,
    "list of tables": list,
    "table of lists": dict,
}


@dataclass(frozen=True, slots=True)
class Config:
    """What the user asks for. `root` is the folder of `site.toml`; all paths start there."""

    root: Path
    title: str
    base_url: str
    source_kind: str
    source_path: Path
    archives: tuple[str, ...]
    without_demographics: tuple[str, ...]
    exempt: Mapping[str, tuple[str, ...]]
    menu: tuple[Mapping[str, Any], ...]
    components: tuple[Mapping[str, Any], ...]


def read(root: Path) -> Config:
    """Read `site.toml` under `root`; without one all defaults hold. Raises `ConfigError`."""
    path = root / FILE
    try:
        text = path.read_bytes().decode("utf-8-sig")
        given = tomllib.loads(text)
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
    values = _settings(given, str(path))
    return _config(root, values, str(path))


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
    _check_components(values["component"], place)
    _check_codes(values["checks.exempt"], f"{place}, checks.exempt")
    for number, entry in enumerate(values["menu"], 1):
        _check_menu(entry, f"{place}, [[menu]] number {number}")
    return Config(
        root=root,
        title=values["title"],
        base_url=values["base_url"],
        source_kind=kind,
        source_path=root / values["source.path"],
        archives=tuple(values["listing.archives"]),
        without_demographics=tuple(values["checks.without_demographics"]),
        exempt={code: tuple(ids) for code, ids in values["checks.exempt"].items()},
        menu=tuple(values["menu"]),
        components=tuple(values["component"]),
    )


def _settings(given: Mapping[str, Any], place: str) -> dict[str, Any]:
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
    return values


def _checked(known: Mapping[str, Setting], name: str, value: Any, place: str) -> Any:
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        way_out = f'do you mean "{near[0]}"?' if near else f"settings are: {', '.join(known)}"
        raise ConfigError("there is no such setting", f"{place}, {name}", way_out)
    kind = known[name].kind
    if not isinstance(value, _KINDS[kind]) or not _items_fit(kind, value):
        raise ConfigError(f"this must be a {kind}", f"{place}, {name}", f"it is {value!r} now")
    return value


def _items_fit(kind: str, value: Any) -> bool:
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
        from hdash_site.htan.checks import checks

        codes = [check.CODE for check in checks()]
        for code in given:
            if code not in codes:
                raise ConfigError(f'there is no check "{code}"', place, f"checks are: {', '.join(codes)}")


def _check_menu(entry: Mapping[str, Any], place: str) -> None:
    unknown = sorted(set(entry) - {"name", "url", "weight"})
    if unknown:
        raise ConfigError(f'"{unknown[0]}" says nothing here', place, "an entry has name, url and weight")
    if not all(isinstance(entry.get(key), str) for key in ("name", "url")):
        raise ConfigError("an entry needs a name and a url, both texts", place, "add what is missing")
    if not isinstance(entry.get("weight", 0), int):
        raise ConfigError("weight must be a whole number", place, f"it is {entry['weight']!r} now")
