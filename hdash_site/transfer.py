"""Move a state: to a file and back, and from one database to another."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import NamedTuple

from hdash_site.app import config_of, remote_of, warn
from hdash_site.errors import ConfigError, DamagedError, OutputError
from hdash_site.options import Options, cache_folder, state_place
from hdash_site.state import archive, models, where
from hdash_site.state.checkup import integrity
from hdash_site.state.copies import beside as copies_beside
from hdash_site.state.copies import put_in_place
from hdash_site.state.store import Store, is_store, opened
from hdash_site.state.where import Remote, Where, said

HERE = "here"
"""The address of the state that the settings and the environment name."""

Confirm = Callable[[str], None]
"""Called with what a move replaces; raises to stop it."""

_WORDS = {
    "hdash_edition": ("edition", "editions"),
    "hdash_snapshot": ("atlas", "atlases"),
    "hdash_run": ("run", "runs"),
    "hdash_trace": ("trace", "traces"),
    "hdash_atlas": ("registered atlas", "registered atlases"),
    "hdash_publication": ("published file", "published files"),
    "hdash_deletion": ("pending deletion", "pending deletions"),
}


class Moved(NamedTuple):
    """What a move carried: rows by table, the number of blobs, and from where to where."""

    rows: Mapping[str, int]
    blobs: int
    source: str
    target: str


class _Side(NamedTuple):
    """A state to move from or to; its blobs are below `cache`."""

    cache: Path
    at: Where
    remote: Remote | None

    def __str__(self) -> str:
        return said(self.at, self.remote)


def export(options: Options, file: Path, *, blobs: bool) -> Moved:
    """Write the state into a file that is not there yet."""
    if file.exists():
        raise ConfigError("the file exists already", str(file), "give the path of a new file")
    with _source(HERE, options, blobs=blobs) as (side, store):
        unfinished = file.with_name(f"{file.name}.unfinished")
        names = store.named() if blobs else ()
        try:
            with unfinished.open("wb") as stream:
                rows, carried = archive.write(stream, models.database.obj, names, store.load)
            unfinished.rename(file)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            way_out = "give a path in a folder that you may write to, on a disk with room"
            raise OutputError(
                f"the state cannot be written ({error.strerror})", str(file), way_out
            ) from error
        return Moved(rows, carried, str(side), str(file))


def import_(options: Options, file: Path, *, replace: bool, confirm: Confirm) -> Moved:
    """Read the state from a file that `export` wrote."""
    with _temporary() as folder, archive.staged(file, folder) as staged:
        rows = archive.counts(staged)
        with _target(HERE, options, replace=replace, confirm=confirm, blobs=True) as (side, store):
            carried = sum(1 for _ in map(store.keep, archive.blobs(file)))
            target = models.database.obj
            store.replace_rows(lambda: archive.copy(staged, target))
    return Moved(rows, carried, str(file), str(side))


def copy(
    options: Options, source: str, target: str, *, blobs: bool, replace: bool, confirm: Confirm
) -> Moved:
    """Copy the state from one address to another; both are locked until it is done."""
    ends = [_side(address, name, options) for address, name in ((source, "FROM"), (target, "TO"))]
    if _identity(ends[0]) == _identity(ends[1]):
        raise ConfigError("FROM and TO are the same state", str(ends[0]), "give two addresses")
    with contextlib.ExitStack() as stack:
        side, old = stack.enter_context(_source(source, options, blobs=blobs))
        rows_there = models.database.obj
        digests = old.named() if blobs else ()  # read now: the database of the next state takes its place
        other, new = stack.enter_context(
            _target(target, options, replace=replace, confirm=confirm, blobs=blobs)
        )
        carried = 0
        for digest in digests:
            data = old.load(digest)
            if data is not None:
                new.keep(data)
                carried += 1
        rows_here = models.database.obj
        new.replace_rows(lambda: archive.copy(rows_there, rows_here))
        return Moved(archive.counts(rows_here), carried, str(side), str(other))


def counted(rows: Mapping[str, int]) -> str:
    """Say in words what the tables of a state hold."""
    parts = [f"{rows[table]} {words[rows[table] != 1]}" for table, words in _WORDS.items() if rows.get(table)]
    return ", ".join(parts) or "no history"


@contextlib.contextmanager
def _source(address: str, options: Options, *, blobs: bool) -> Generator[tuple[_Side, Store], None, None]:
    side = _side(address, "FROM", options)
    if side.remote is None and side.at.kind == "sqlite" and not is_store(Path(side.at.name)):
        raise ConfigError("there is no state here", str(side), "give the address of an existing state")
    with _opened(side, blobs=blobs) as store:
        if not _held(archive.counts(models.database.obj)):
            raise ConfigError("this state is empty", str(side), "give the address of a state with a history")
        yield side, store


@contextlib.contextmanager
def _target(
    address: str, options: Options, *, replace: bool, confirm: Confirm, blobs: bool
) -> Generator[tuple[_Side, Store], None, None]:
    side = _side(address, "TO", options)
    file = Path(side.at.name)
    if side.remote is None and side.at.kind == "sqlite" and file.exists() and not is_store(file):
        raise ConfigError("this file is not a state", str(side), "give the path of a new file or of a state")
    with _opened(side, blobs=blobs) as store:
        there = _held(archive.counts(models.database.obj))
        if there and not replace:
            way_out = "give another address, or replace it with --replace"
            raise ConfigError(f"this place already holds a state ({counted(there)})", str(side), way_out)
        if there:
            confirm(f"{side}: this replaces {counted(there)}.")
        yield side, store


@contextlib.contextmanager
def _opened(side: _Side, *, blobs: bool) -> Generator[Store, None, None]:
    """Open a side; without `blobs` its cache is left alone."""
    problems: list[str] = []
    with _temporary() as folder:
        at = side.at if side.at.name else where.file(folder)
        try:
            with opened(side.cache if blobs else folder, at, side.remote, fetch=blobs) as store:
                problems = store.problems
                yield store
        finally:
            for problem in problems:
                warn(problem)


def _held(rows: Mapping[str, int]) -> dict[str, int]:
    """Leave out what a state has before its first run."""
    return {table: number for table, number in rows.items() if table != "hdash_fact"}


def _side(address: str, argument: str, options: Options) -> _Side:
    cache = cache_folder(options)
    if address == HERE:
        return _Side(cache, state_place(options), remote_of(options))
    config = config_of(options)
    found = where.address(address, argument, os.environ, config.lease, config.patience)
    if isinstance(found, Where):
        beside = Path(found.name).absolute().parent if found.kind == "sqlite" else cache
        return _Side(beside, found, None)
    return _Side(cache, Where("sqlite", ""), found)  # its file is a temporary one


def _identity(side: _Side) -> tuple[str, str]:
    path = str(Path(side.at.name).resolve()) if side.at.kind == "sqlite" else str(side.at)
    return ("", str(side.remote.place)) if side.remote and side.at.kind == "sqlite" else (path, "")


@contextlib.contextmanager
def _temporary() -> Generator[Path, None, None]:
    with tempfile.TemporaryDirectory(prefix="hdash-") as folder:
        yield Path(folder)


def copies(options: Options) -> dict[str, str]:
    """Return the copies that were kept of the state, by name, and where each is."""
    side = _side(HERE, "", options)
    if side.at.kind == "sqlite" and not side.remote:
        return copies_beside(side.at)  # a damaged state has copies, too
    with _opened(side, blobs=False) as store:
        return store.copies(side.at)


def restore(options: Options, name: str, confirm: Confirm) -> str:
    """Replace the state by a copy; return where the state is, and what became of a damaged one."""
    side = _side(HERE, "", options)
    try:
        with _opened(side, blobs=False) as store:
            there = store.copies(side.at)
            _check_named(name, there, side)
            if side.at.kind == "sqlite" and not side.remote and integrity(side.at):
                raise DamagedError("the state database is damaged", str(side))
            held = counted(_held(archive.counts(models.database.obj)))
            confirm(
                f"{side}: this replaces {held} by {there[name]}, without what was added since."
                " To keep that, run hdash-site state export first."
            )
            store.restore(side.at, name)
    except DamagedError:
        if side.remote:
            raise
        there = copies_beside(side.at)
        _check_named(name, there, side)
        confirm(f"{side}: this replaces the damaged state by {there[name]}, without what was added since.")
        return f"{side} (the damaged file is now {put_in_place(side.at, name)})"
    return str(side)


def _check_named(name: str, there: Mapping[str, str], side: _Side) -> None:
    if name not in there:
        known = ", ".join(there) or "there is none"
        raise ConfigError(f'there is no copy "{name}"', str(side), f"give the name of a copy: {known}")
