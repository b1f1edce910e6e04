"""A folder as a mirror of the site: `public/`.

The folder is not trusted: what was altered or deleted by hand comes back. A file that we did not make is
left alone. Each file is replaced in one step.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from hdash_site import files
from hdash_site.artifact import Artifact, Published
from hdash_site.deploy import Deployed
from hdash_site.deploy.plan import FORMER_CHECK_FILE, STATUS_FILE, plan
from hdash_site.errors import OutputError


class Ledger(Protocol):
    """What we know of the mirrors that we write to."""

    looks: files.Looks

    def published(self, mirror: str) -> dict[str, Published]: ...

    def claim(self, mirror: str, files: Mapping[str, Published]) -> None: ...

    def disown(self, mirror: str, paths: Iterable[str]) -> None: ...


def deploy(
    output: Path,
    want: Mapping[str, str],
    load: Callable[[str], bytes],
    ledger: Ledger,
    scratch: Path,
) -> Deployed:
    """Make `output` hold what `want` says (digest by path); `load` gives the bytes of a path.

    `status.json` is written whenever it changed, and is in no list of files.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        files.make_folder(output)
        scratch.mkdir(parents=True, exist_ok=True)
        return _deploy(output, want, load, ledger, scratch)
    except OSError as error:
        raise _unwritable(output, error) from error


def _unwritable(output: Path, error: OSError) -> OutputError:
    way_out = "see that it is a folder that you may write to, on a disk with room"
    return OutputError(f"the site cannot be written ({error})", str(output), way_out)


def forward(
    output: Path,
    before: Mapping[str, str],
    want: Mapping[str, str],
    load: Callable[[str], bytes],
    ledger: Ledger,
    scratch: Path,
) -> Deployed:
    """Bring `output` from what we left there to what `want` says, and look at nothing else in it."""
    puts = sorted(path for path, digest in want.items() if before.get(path) != digest)
    deletes = sorted(before.keys() - want.keys())
    mirror = str(output)
    try:
        ledger.claim(mirror, {path: Published(want[path]) for path in puts if path != STATUS_FILE})
        _put(output, puts, want, load, ledger, scratch)
        _delete(output, deletes)
        ledger.disown(mirror, deletes)
    except OSError as error:
        raise _unwritable(output, error) from error
    written = [
        (path, "it changed" if path in before else "it is new") for path in puts if path != STATUS_FILE
    ]
    removed = [(path, "no page makes it") for path in deletes]
    return Deployed(written, len(want) - len(written), removed, [])


def empty(output: Path, ledger: Ledger) -> None:
    """Delete what is ours in `output`; leave what is not."""
    ours = ledger.published(str(output))
    _delete(output, [*ours, STATUS_FILE])
    ledger.disown(str(output), ours)


def _deploy(
    output: Path, want: Mapping[str, str], load: Callable[[str], bytes], ledger: Ledger, scratch: Path
) -> Deployed:
    mirror = str(output)
    wanted = {path: Artifact(digest) for path, digest in want.items() if path != STATUS_FILE}
    ours = {path: known.artifact for path, known in ledger.published(mirror).items()}
    have = _files(output)
    _tidy(output, have, scratch)
    replaced = _former_check_file(output, have, want)
    planned = plan(
        have, wanted, ours, lambda path: ledger.looks.digest(f"{mirror}/{path}", have[path]), {STATUS_FILE}
    )
    puts = [action for action in planned.actions if action.verb == "put"]
    deletes = [action for action in planned.actions if action.verb == "delete"]
    # Ours from here on, even if we are cut off before it is written.
    ledger.claim(mirror, {action.path: Published(want[action.path]) for action in puts})
    _put(output, [action.path for action in puts], want, load, ledger, scratch)
    _delete(output, [action.path for action in deletes])
    ledger.disown(mirror, [path for path in ours if path not in want])
    _delete(output, replaced)
    if STATUS_FILE in want:
        _put_status(output / STATUS_FILE, have.get(STATUS_FILE), load(STATUS_FILE), scratch)
    return Deployed(
        [(action.path, action.reason) for action in puts],
        planned.kept,
        [*((action.path, action.reason) for action in deletes), *replaced.items()],
        planned.foreign,
    )


def _put_status(path: Path, there: os.stat_result | None, data: bytes, scratch: Path) -> None:
    if there is None or not stat.S_ISREG(there.st_mode) or path.read_bytes() != data:
        files.replace(path, data, scratch)


def _former_check_file(
    output: Path, have: dict[str, os.stat_result], want: Collection[str]
) -> dict[str, str]:
    """Return the file that `status.json` replaced, with the reason to delete it, and take it from `have`.

    Version 0.1.0 did not record it as ours: its content says so.
    """
    there = have.get(FORMER_CHECK_FILE)
    if there is None or FORMER_CHECK_FILE in want or not stat.S_ISREG(there.st_mode) or there.st_size > 200:
        return {}
    if not re.fullmatch(
        rb'\{"checked": "[0-9T:.+-]*"(, "deletions_waiting": [0-9]+)?\}',
        (output / FORMER_CHECK_FILE).read_bytes(),
    ):
        return {}
    del have[FORMER_CHECK_FILE]
    return {FORMER_CHECK_FILE: f"{STATUS_FILE} replaced it"}


def _tidy(output: Path, have: dict[str, os.stat_result], scratch: Path) -> None:
    """Delete the unfinished files of a run that was cut off."""
    for path in scratch.iterdir():
        path.unlink()
    for path in [path for path in have if path.rpartition("/")[2].startswith(files.UNFINISHED)]:
        (output / path).unlink()
        del have[path]


def _put(
    output: Path,
    paths: Iterable[str],
    want: Mapping[str, str],
    load: Callable[[str], bytes],
    ledger: Ledger,
    scratch: Path,
) -> None:
    written = {path: files.replace(_safe(output, path), load(path), scratch) for path in paths}
    for path, left in written.items():
        ledger.looks.note(f"{output}/{path}", want[path], left)


def _delete(output: Path, paths: Iterable[str]) -> None:
    for path in paths:
        target = _safe(output, path)
        target.unlink(missing_ok=True)
        for folder in target.relative_to(output).parents[:-1]:
            with contextlib.suppress(OSError):  # another file is in it
                (output / folder).rmdir()


def _safe(output: Path, path: str) -> Path:
    """Refuse a path that leads out of the site. Names are made from slugs; this is the second lock."""
    if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
        raise OutputError("this path leads out of the site", path, "report it: it is a defect")
    return output / path


def _files(folder: Path) -> dict[str, os.stat_result]:
    """Give every file below a folder by its relative path, with its stat."""
    found: dict[str, os.stat_result] = {}
    waiting = [("", str(folder))]
    while waiting:
        prefix, path = waiting.pop()
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((f"{prefix}{entry.name}/", entry.path))
                else:
                    found[prefix + entry.name] = entry.stat(follow_symlinks=False)
    return found
