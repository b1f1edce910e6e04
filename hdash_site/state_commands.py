"""The commands that move a state: `hdash-site state …`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hdash_site.errors import ConfigError

if TYPE_CHECKING:
    from hdash_site.transfer import Moved

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_root = click.option("--root", type=_FOLDER, default=".", help="Folder of site.toml (default: this folder).")
_cache = click.option("--cache", type=_FOLDER, help="Folder of the cache (default: cache/ in the site).")
_replace = click.option(
    "--replace", is_flag=True, help="Replace a state that is at the target already; asks."
)
_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_blobs = click.option(
    "--blobs",
    is_flag=True,
    help="Carry the cached bytes as well, so that the next build makes nothing again (default: rows only).",
)


@click.group()
def state() -> None:
    """Export, import, copy or restore the state: history, ledgers, traces, facts, pending deletions."""


@state.command("export")
@click.argument("file", type=_FILE)
@_root
@_cache
@_blobs
def export(file: Path, root: Path, cache: Path | None, blobs: bool) -> None:
    """Write the state into FILE, which can be imported into any kind of database."""
    from hdash_site import app, transfer

    _show(transfer.export(app.Options(root, cache=cache), file, blobs=blobs))


@state.command("import")
@click.argument("file", type=_FILE)
@_root
@_cache
@_replace
@_yes
def import_(file: Path, root: Path, cache: Path | None, replace: bool, yes: bool) -> None:
    """Read the state from FILE into the database that HDASH_DB_… and HDASH_STATE_URL name."""
    from hdash_site import app, transfer

    options = app.Options(root, cache=cache)
    _show(transfer.import_(options, file, replace=replace, confirm=_confirm(yes)))


@state.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@_root
@_cache
@_blobs
@_replace
@_yes
def copy(
    source: str, target: str, root: Path, cache: Path | None, blobs: bool, replace: bool, yes: bool
) -> None:
    """Copy the state from the address FROM to the address TO.

    An address is: here (the state that HDASH_DB_… and HDASH_STATE_URL name), the path of a SQLite file,
    sqlite:///path, mysql://user:password@host:port/name, postgresql://…, s3://bucket/prefix, or env:VARIABLE,
    a variable that holds such an address. Use env: for an address with a password, which other users of this
    machine could read on the command line.
    """
    from hdash_site import app, transfer

    options = app.Options(root, cache=cache)
    confirm = _confirm(yes)
    _show(transfer.copy(options, source, target, blobs=blobs, replace=replace, confirm=confirm))


@state.command("restore")
@click.argument("name", metavar="[COPY]", required=False)
@_root
@_cache
@_yes
def restore(name: str | None, root: Path, cache: Path | None, yes: bool) -> None:
    """Replace the state by a COPY of a day or from before a migration; without COPY, list the copies."""
    from hdash_site import app, transfer

    options = app.Options(root, cache=cache)
    if name is None:
        for known, place in transfer.copies(options).items():
            click.echo(f"{known}  {place}")
        return
    place = transfer.restore(options, name, _confirm(yes))
    older = name.startswith("before-")
    then = "use the older version from now on: this version migrates it again" if older else "build the site"
    click.echo(f"{place}: restored {name}; {then}")


def _confirm(yes: bool) -> Callable[[str], Any]:
    """Return a function that asks before something is replaced; without a terminal it refuses."""

    def confirm(question: str) -> None:
        if yes:
            return
        if not sys.stdin.isatty():
            raise ConfigError(f"{question.rstrip('.')}, and there is no terminal to ask", "", "add --yes")
        click.echo(question, err=True)
        click.confirm("Replace it?", abort=True, err=True)

    return confirm


def _show(moved: Moved) -> None:
    from hdash_site.transfer import counted

    blobs = f", {moved.blobs} blobs" if moved.blobs else ""
    click.echo(f"{moved.source} -> {moved.target}: copied {counted(moved.rows)}{blobs}")
