"""A folder as a mirror of the site: `public/`.

The folder is not trusted: what was altered or deleted by hand comes back. A file that we did not make is
left alone. Each file is replaced in one step, and no symbolic link below the folder is followed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from hdash_site import files
from hdash_site.artifact import Artifact, Published
from hdash_site.deploy import Deployed
from hdash_site.deploy.plan import FORMER_CHECK_FILE, STATUS_FILE, plan
from hdash_site.deploy.tree import FILE_MODE, Tree
from hdash_site.errors import OutputError
from hdash_site.files import Look, stat_of


class Ledger(Protocol):
    """What we know of the mirrors that we write to."""

    looks: files.Looks

    def published(self, mirror: str) -> dict[str, Published]: ...

    def claim(self, mirror: str, files: Mapping[str, Published]) -> None: ...

    def disown(self, mirror: str, paths: Iterable[str]) -> None: ...


_READABLE = 0o444
"""The permissions of a file that everybody may read."""


@dataclasses.dataclass
class Left:
    """What a process left in a folder: the digest of each file by path, and how the file looked then."""

    digests: dict[str, str] = dataclasses.field(default_factory=dict[str, str])
    looks: dict[str, Look] = dataclasses.field(default_factory=dict[str, Look])


def deploy(
    output: Path,
    want: Mapping[str, str],
    load: Callable[[str], bytes],
    ledger: Ledger,
    scratch: Path,
    left: Left | None = None,
) -> Deployed:
    """Make `output` hold what `want` says (digest by path); `load` gives the bytes of a path.

    `status.json` is written whenever it changed, and is in no list of files. `left` is filled.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with _tree(output, scratch) as tree:
            deployed = _deploy(output, want, load, ledger, tree, scratch)
    except OSError as error:
        raise _unwritable(output, error) from error
    if left:
        looks = {path: ledger.looks.of(f"{output}/{path}") for path in want}
        left.digests = dict(want)
        left.looks = {path: look for path, look in looks.items() if look}
    return deployed


def _unwritable(output: Path, error: OSError) -> OutputError:
    where = str(error.filename or output)
    problem = f"the site cannot be written ({(error.strerror or str(error)).lower()})"
    return OutputError(problem, where, "see that it is a folder that you may write to, on a disk with room")


def forward(
    output: Path,
    left: Left,
    want: Mapping[str, str],
    load: Callable[[str], bytes],
    ledger: Ledger,
    scratch: Path,
) -> Deployed:
    """Bring `output` from what we left there to what `want` says; other files are not looked at."""
    before = left.digests
    puts = sorted(path for path, digest in want.items() if before.get(path) != digest)
    deletes = sorted(before.keys() - want.keys())
    written = [
        (path, "it changed" if path in before else "it is new") for path in puts if path != STATUS_FILE
    ]
    mirror = str(output)
    try:
        ledger.claim(mirror, {path: Published(want[path]) for path in puts if path != STATUS_FILE})
        with _tree(output, scratch) as tree:
            _put(output, tree, puts, want, load, ledger)
            _delete(tree, deletes)
        ledger.disown(mirror, deletes)
    except OSError as error:
        raise _unwritable(output, error) from error
    looks = {path: ledger.looks.of(f"{output}/{path}") for path in puts}
    left.digests = dict(want)
    for path in (*puts, *deletes):
        left.looks.pop(path, None)
    left.looks |= {path: look for path, look in looks.items() if look}
    removed = [(path, "no page makes it") for path in deletes]
    return Deployed(written, len(want) - len(written), removed, [], notes=_of_links(output, tree))


def repair(output: Path, left: Left, load: Callable[[str], bytes], ledger: Ledger, scratch: Path) -> Deployed:
    """Write every file again that another program altered or deleted since we left it."""
    paths = _altered(output, left)
    if not paths:
        return Deployed([], 0, [], [])
    try:
        with _tree(output, scratch) as tree:
            _put(output, tree, paths, left.digests, load, ledger)
    except OSError as error:
        raise _unwritable(output, error) from error
    for path in paths:
        look = ledger.looks.of(f"{output}/{path}")
        if look:
            left.looks[path] = look
    note = f"{output} was altered by another program: {_files_in_words(len(paths))} written again"
    written = [(path, "it was altered") for path in paths if path != STATUS_FILE]
    return Deployed(written, 0, [], [], notes=[note, *_of_links(output, tree)])


def _files_in_words(count: int) -> str:
    return f"{count} file{'s' * (count != 1)}"


def _tree(output: Path, scratch: Path) -> Tree:
    """Open the folder of the site, which is made again if it was deleted."""
    files.make_folder(output)
    scratch.mkdir(parents=True, exist_ok=True)
    return Tree(output, scratch)


def _of_links(output: Path, tree: Tree) -> list[str]:
    """Return a line for each symbolic link that was replaced."""
    return [
        f"{output}/{path}: this was a symbolic link; the site has a file or folder of its own there now, and"
        " what the link led to is unchanged"
        for path in tree.links
    ]


def _altered(output: Path, left: Left) -> list[str]:
    """Return the files that are not what we left, in order; a link counts as altered wherever it leads."""
    top = str(output)
    folders: dict[str, bool] = {"": True}

    def is_folder(name: str) -> bool:
        known = folders.get(name)
        if known is None:
            parent = name.rpartition("/")[0]
            known = folders[name] = is_folder(parent) and _is_folder(f"{top}/{name}")
        return known

    altered: list[str] = []
    for path, digest in left.digests.items():
        if not is_folder(path.rpartition("/")[0]):
            altered.append(path)
            continue
        name = f"{top}/{path}"
        try:
            found = os.lstat(name)
        except OSError:
            altered.append(path)
            continue
        look = left.looks.get(path)
        if look and look.digest == digest and look.still_holds(stat_of(found)):
            continue
        seen = time.time_ns()
        if stat.S_IMODE(found.st_mode) == FILE_MODE and _digest(name, found) == digest:
            left.looks[path] = Look(stat_of(found), seen, digest)
        else:
            altered.append(path)
    return sorted(altered)


def _is_folder(name: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(name).st_mode)
    except OSError:
        return False


def _digest(name: str, found: os.stat_result) -> str:
    """Return the digest of a regular file; of nothing else, which could be a pipe that never ends."""
    if not stat.S_ISREG(found.st_mode):
        return ""
    try:
        with open(name, "rb", opener=_no_link) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _no_link(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def empty(output: Path, ledger: Ledger, scratch: Path) -> None:
    """Delete what is ours in `output`; leave what is not."""
    ours = ledger.published(str(output))
    try:
        if output.is_dir():
            with _tree(output, scratch) as tree:
                _delete(tree, [*ours, STATUS_FILE])
    except OSError as error:
        raise _unwritable(output, error) from error
    ledger.disown(str(output), ours)


def _deploy(
    output: Path,
    want: Mapping[str, str],
    load: Callable[[str], bytes],
    ledger: Ledger,
    tree: Tree,
    scratch: Path,
) -> Deployed:
    mirror = str(output)
    wanted = {path: Artifact(digest) for path, digest in want.items() if path != STATUS_FILE}
    ours = {path: known.artifact for path, known in ledger.published(mirror).items()}
    have = _files(output)
    _tidy(tree, have, scratch)

    def content(path: str) -> str:
        name, found = f"{mirror}/{path}", have[path]
        if not stat.S_ISREG(found.st_mode):
            return ""
        if found.st_mode & _READABLE != _READABLE:
            look = ledger.looks.of(name)
            # Some disks have no permissions: where they are as we left them, no better ones can be had.
            if look is None or not look.still_holds(stat_of(found)):
                return ""
        return ledger.looks.digest(name, found)

    replaced = _former_check_file(output, have, want)
    planned = plan(have, wanted, ours, content, {STATUS_FILE})
    puts = [action for action in planned.actions if action.verb == "put"]
    deletes = [action for action in planned.actions if action.verb == "delete"]
    # Ours from here on, even if we are cut off before it is written.
    ledger.claim(mirror, {action.path: Published(want[action.path]) for action in puts})
    _put(output, tree, [action.path for action in puts], want, load, ledger)
    _delete(tree, [action.path for action in deletes])
    ledger.disown(mirror, [path for path in ours if path not in want])
    _delete(tree, replaced)
    if STATUS_FILE in want:
        _put_status(tree, output / STATUS_FILE, have.get(STATUS_FILE), load(STATUS_FILE))
    links = set(tree.links)
    return Deployed(
        [(action.path, action.reason) for action in puts],
        planned.kept,
        [*((action.path, action.reason) for action in deletes), *replaced.items()],
        [path for path in planned.foreign if path not in links],
        notes=_of_links(output, tree),
    )


def _put_status(tree: Tree, path: Path, there: os.stat_result | None, data: bytes) -> None:
    if there is None or not stat.S_ISREG(there.st_mode) or path.read_bytes() != data:
        tree.put(STATUS_FILE, data)


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


def _tidy(tree: Tree, have: dict[str, os.stat_result], scratch: Path) -> None:
    """Delete the unfinished files of a run that was cut off."""
    for path in scratch.iterdir():
        path.unlink()
    for path in [path for path in have if path.rpartition("/")[2].startswith(files.UNFINISHED)]:
        tree.remove(path)
        del have[path]


def _put(
    output: Path,
    tree: Tree,
    paths: Iterable[str],
    want: Mapping[str, str],
    load: Callable[[str], bytes],
    ledger: Ledger,
) -> None:
    written = {path: tree.put(path, load(path)) for path in paths}
    for path, written_as in written.items():
        ledger.looks.note(f"{output}/{path}", want[path], written_as)


def _delete(tree: Tree, paths: Iterable[str]) -> None:
    for path in paths:
        tree.remove(path)


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
