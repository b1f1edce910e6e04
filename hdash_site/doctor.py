"""The checks of `hdash-site doctor`: what is wrong, what was repaired, and what a person has to do.

Each check is a function in `CHECKS`; a check of something else than the state is one more function there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hdash_site.app import config_of, open_state, place_of, remote_of
from hdash_site.errors import DamagedError, LockedError, StateError
from hdash_site.options import Options, cache_folder, output_folder, state_place
from hdash_site.pages.site import remembered
from hdash_site.state import checkup, copies
from hdash_site.state.store import Store
from hdash_site.state.where import Where

OK, REPAIRED, NEXT_BUILD, PROBLEM = "ok", "repaired", "next build", "problem"
"""What came of a check. `NEXT_BUILD`: the next build repairs it. `PROBLEM`: a person has to do something."""


class Checked(NamedTuple):
    """A check and what came of it."""

    name: str
    outcome: str
    text: str


class Case(NamedTuple):
    """What is checked: an open state and where it is."""

    options: Options
    store: Store
    at: Where


def doctor(options: Options) -> list[Checked]:
    """Check the state and repair what can be made again. Raises `LockedError` if a run is at work."""
    config_of(options)
    at = state_place(options)
    is_file = at.kind == "sqlite" and not remote_of(options)
    if is_file and not Path(at.name).exists():
        return [Checked("database", OK, f"there is no state in {place_of(options)} yet")]
    try:
        return _checked(options, at)
    except DamagedError as error:
        found = error
    aside = checkup.write_anew(at) if is_file else ""
    if not aside:
        return [Checked("database", PROBLEM, str(found))]
    done = "written anew without the damaged rows, which a build makes again"
    text = f"{at}: {done}; the damaged file is now {aside}"
    return [Checked("database", REPAIRED, text), *_checked(options, at)[1:]]


def _checked(options: Options, at: Where) -> list[Checked]:
    problems: list[str] = []
    try:
        with open_state(options, problems.append) as store:
            case = Case(options, store, at)
            checked = [Checked(name, *check(case)) for name, check in CHECKS.items()]
    except (DamagedError, LockedError):
        raise
    except StateError as error:
        return [Checked("database", PROBLEM, str(error))]
    return [*checked, *(Checked("cache", REPAIRED, problem) for problem in problems)]


def _database(case: Case) -> tuple[str, str]:
    damage = checkup.integrity(case.at)
    if damage and case.at.kind == "sqlite":
        raise DamagedError(f"the state database is damaged ({damage})", str(case.at), copies.offer(case.at))
    if damage:
        way_out = "repair the table with the tools of the server, or restore the database from a backup"
        return PROBLEM, f"{case.at}: {damage}; {way_out}"
    return OK, f"{place_of(case.options)} is whole"


def _tables(case: Case) -> tuple[str, str]:
    missing = checkup.missing_columns()
    if missing:
        way_out = copies.offer(case.at) or "restore the database from a backup"
        return PROBLEM, f"{case.at}: the tables lack {', '.join(missing)}; {way_out}"
    return OK, "the tables are those of this version"


def _rows(case: Case) -> tuple[str, str]:
    unreadable = checkup.unreadable_rows()
    remade = {table: keys for table, keys in unreadable.items() if table in checkup.REMADE}
    others = {table: keys for table, keys in unreadable.items() if table not in checkup.REMADE}
    said = ", ".join(f"{len(keys)} in {table}" for table, keys in sorted((others or remade).items()))
    if others:
        way_out = copies.offer(case.at) or "export what is readable, and restore the database from a backup"
        return PROBLEM, f"{case.at}: rows cannot be read: {said}; {way_out}"
    if remade:

        def drop() -> None:
            for table, keys in remade.items():
                checkup.drop(table, keys)

        case.store.replace_rows(drop)
        return REPAIRED, f"dropped rows that could not be read: {said}; the next build makes them again"
    counts = case.store.counts()
    return (
        OK,
        f"all rows can be read: {counts.editions} editions, {counts.atlases} atlases, {counts.runs} runs",
    )


def _blobs(case: Case) -> tuple[str, str]:
    dropped = case.store.blobs.drop_bad()
    if dropped:
        return REPAIRED, f"removed {dropped} cached values that were damaged or incomplete"
    return OK, f"all {case.store.blobs.count()} cached values are whole"


def _values(case: Case) -> tuple[str, str]:
    lost = case.store.mark_lost()
    if lost:
        return NEXT_BUILD, f"{lost} values are lost; the next build makes or downloads them again"
    return OK, "no value is lost"


def _unfinished(case: Case) -> tuple[str, str]:
    gone = [*checkup.unfinished_files(case.at, cache_folder(case.options) / "scratch")]
    for path in gone:
        path.unlink(missing_ok=True)
    if gone:
        return REPAIRED, f"removed {len(gone)} unfinished files of a run that was cut off"
    return OK, "no run left unfinished files"


def _copies(case: Case) -> tuple[str, str]:
    there = case.store.copies(case.at)
    damaged = checkup.damaged_copies(case.at) if case.at.kind == "sqlite" else []
    if damaged:
        way_out = "it cannot be restored: move it to another folder, and the next copy takes its place"
        return PROBLEM, f"{', '.join(damaged)}: the copy is damaged; {way_out}"
    if there and not case.store.counts().editions:
        return PROBLEM, f"{case.at}: the state has no history, but a copy of it may; {copies.offer(case.at)}"
    return OK, f"copies of the state: {', '.join(there) or 'none yet'}"


def _site(case: Case) -> tuple[str, str]:
    output = output_folder(case.options)
    files = remembered(case.store)
    other = [path for path, file in files.items() if _digest(output / path) != file.digest]
    if other and output.is_dir():
        return (
            NEXT_BUILD,
            f"{len(other)} files in {output} are missing or altered; the next build writes them",
        )
    return OK, f"all {len(files)} files of the site in {output} are as they were written"


def _digest(path: Path) -> str:
    try:
        if path.is_file():
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        pass
    return ""


CHECKS: dict[str, Callable[[Case], tuple[str, str]]] = {
    "database": _database,
    "tables": _tables,
    "rows": _rows,
    "blobs": _blobs,
    "values": _values,
    "files": _unfinished,
    "copies": _copies,
    "site": _site,
}
