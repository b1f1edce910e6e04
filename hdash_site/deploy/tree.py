"""Write and delete files below a folder. A symbolic link below it is never followed.

Each folder on the way is opened from its parent and refused if it is a link, so no other program can put a
link there between a check and the write.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path
from types import TracebackType

from hdash_site.errors import OutputError
from hdash_site.files import UNFINISHED, Stat, stat_of

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
FOLDER_MODE, FILE_MODE = 0o755, 0o644
"""Permissions of folders and files, whatever the umask is: a web server must be able to read them."""


class Tree:
    """The files below `top`, which may itself be a symbolic link to a folder.

    `scratch` is a folder for unfinished files. `links` are the paths at which a link was replaced.
    """

    def __init__(self, top: Path, scratch: Path) -> None:
        self.links: list[str] = []
        self._top = top
        self._names: list[str] = []
        self._folders = [os.open(top, _FOLDER)]
        """Open folders: `top`, and each of `_names` below it."""
        try:
            self._scratch = os.open(scratch, _FOLDER)
        except OSError:
            os.close(self._folders[0])
            raise

    def __enter__(self) -> Tree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for folder in (*self._folders, self._scratch):
            os.close(folder)

    def put(self, path: str, data: bytes) -> Stat:
        """Write a file in one step: a reader sees the old file or the new file, whole.

        Returns its stat, or one that equals no other if another program changed the file meanwhile.
        """
        *folders, name = names_of(path)
        try:
            parent = self._folder(folders, make=True)
            self._note_link(parent, name)
            try:
                return self._replace(self._scratch, parent, name, data)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                # The scratch folder is on another disk, where a rename does not reach.
                return self._replace(parent, parent, name, data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._top / path)) from error

    def remove(self, path: str) -> None:
        """Delete a file, and the folders above it that are empty then."""
        *folders, name = names_of(path)
        try:
            parent = self._folder(folders, make=False)
            os.unlink(name, dir_fd=parent)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return  # the file is gone, or something else that is not ours has its name
        while self._names:
            folder = self._leave()
            try:
                os.rmdir(folder, dir_fd=self._folders[-1])
            except OSError:  # another file is in it
                return

    def _folder(self, names: list[str], *, make: bool) -> int:
        """Open the folder with these names below the top."""
        while self._names != names[: len(self._names)]:
            self._leave()
        for name in names[len(self._names) :]:
            self._folders.append(self._entered(name, make=make))
            self._names.append(name)
        return self._folders[-1]

    def _entered(self, name: str, *, make: bool) -> int:
        parent = self._folders[-1]
        with contextlib.suppress(FileNotFoundError):
            try:
                return _checked(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent), make=make)
            except OSError as error:
                # Linux has the first of these errors for a link, macOS the second.
                if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                    raise
                if not make or not self._note_link(parent, name):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name) from error
                os.unlink(name, dir_fd=parent)
        if not make:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        os.mkdir(name, FOLDER_MODE, dir_fd=parent)
        return _checked(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent), make=True)

    def _leave(self) -> str:
        os.close(self._folders.pop())
        return self._names.pop()

    def _note_link(self, parent: int, name: str) -> bool:
        """Note that a symbolic link will be replaced, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISLNK(os.lstat(name, dir_fd=parent).st_mode):
                self.links.append("/".join([*self._names, name]))
                return True
        return False

    def _replace(self, aside: int, parent: int, name: str, data: bytes) -> Stat:
        """Write a file in the folder `aside`, and move it to its name in `parent`."""
        unfinished = f"{UNFINISHED}{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(unfinished, flags, 0o600, dir_fd=aside)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), FILE_MODE)
                inode = os.fstat(file.fileno()).st_ino
            os.replace(unfinished, name, src_dir_fd=aside, dst_dir_fd=parent)
        except BaseException:
            os.unlink(unfinished, dir_fd=aside)
            raise
        after = stat_of(os.lstat(name, dir_fd=parent))
        # The rename moves the change time alone; any other difference is the work of another program.
        return after if (after.size, after.inode) == (len(data), inode) else Stat(-1, 0, 0, 0)


def names_of(path: str) -> list[str]:
    """Split a path of the site. Raises `OutputError` for a path that leads out of the site.

    Paths are made from slugs; this is the second lock.
    """
    names = path.split("/")
    if any(name in ("", ".", "..") for name in names):
        raise OutputError("this path leads out of the site", path, "report it: it is a defect")
    return names


def _checked(folder: int, *, make: bool) -> int:
    """Let everybody read a folder that files are written into."""
    if make and os.fstat(folder).st_mode & FOLDER_MODE != FOLDER_MODE:
        with contextlib.suppress(PermissionError):  # the folder of another user, who lets us write into it
            os.fchmod(folder, FOLDER_MODE)
    return folder
