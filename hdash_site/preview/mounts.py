"""File systems that do not report every change: shared with another machine, or with the host of this one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from hdash_site.pages.folders import is_within

TABLE = Path("/proc/self/mounts")

_SILENT = frozenset(
    (
        *("9p", "drvfs", "virtiofs", "vboxsf", "vmhgfs", "prl_fs", "osxfs", "grpcfuse", "fakeowner"),
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda"),
        *("ceph", "lustre", "gfs2", "ocfs2", "beegfs", "gpfs", "glusterfs", "pvfs2"),
    )
)
"""Shares of WSL, Docker Desktop and virtual machines; network disks; disks of clusters."""

_LOCAL_FUSE = ("fuse.overlayfs", "fuse.fuse-overlayfs", "fuse.gocryptfs", "fuse.encfs")
"""Programs that serve files of this machine alone; any other may bring files from elsewhere."""


def silent_kind(paths: Iterable[str]) -> str:
    """Return the kind of the first file system among those of `paths` that may not report changes."""
    try:
        table = TABLE.read_text(errors="surrogateescape")
    except OSError:
        return ""  # this system has no such table
    return next(filter(_is_silent, (kind_of(path, table) for path in paths)), "")


def kind_of(path: str, table: str) -> str:
    """Return the kind of the file system of a real path, as a table of mounts tells."""
    best, kind = "", ""
    for line in table.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mount = _unescaped(fields[1]).rstrip("/")
        # Of two on one folder the later one covers the earlier one.
        if is_within(path, mount) and len(mount) >= len(best):
            best, kind = mount, fields[2]
    return kind


def _is_silent(kind: str) -> bool:
    return kind in _SILENT or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)
