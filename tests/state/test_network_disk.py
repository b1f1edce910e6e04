"""A disk on which SQLite can map no shared memory, as network disks are: the message says what to use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests import worlds

_NO_SHARED_MEMORY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int refused(int file) {
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = file < 0 ? -1 : readlink(name, path, sizeof path - 1);
    if (length < 4) return 0;
    path[length] = 0;
    return strcmp(path + length - 4, "-shm") == 0 && strstr(path, REFUSED) != NULL;
}

void *mmap(void *start, size_t length, int protection, int flags, int file, off_t offset) {
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "mmap");
    if (refused(file)) { errno = ENODEV; return MAP_FAILED; }
    return real(start, length, protection, flags, file, offset);
}

void *mmap64(void *start, size_t length, int protection, int flags, int file, off_t offset) {
    return mmap(start, length, protection, flags, file, offset);
}
"""


@pytest.fixture
def without_shared_memory(tmp_path):
    """Make the environment of a program that can map no file for which SQLite shares memory."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("no compiler, or no way to take the place of mmap")

    def make(part):
        source, library = tmp_path / "refuse.c", tmp_path / f"refuse-{part.strip('/')}.so"
        source.write_text(_NO_SHARED_MEMORY)
        define = f'-DREFUSED="{part}"'
        options = ["-shared", "-fPIC", define, str(source), "-o", str(library), "-ldl"]
        subprocess.run([compiler, *options], check=True)
        return {**os.environ, "LD_PRELOAD": str(library)}

    return make


@pytest.mark.parametrize(
    ("part", "what"), [("/state.db", "state.db: the state database"), ("/blobs/", "blobs: the blob cache")]
)
def test_a_disk_without_shared_memory_is_named_with_what_to_use_instead(
    tmp_path, without_shared_memory, part, what
):
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases")
    command = [
        sys.executable,
        "-m",
        "hdash_site",
        "build",
        "--root",
        str(site),
        "--source",
        str(atlases.folder),
    ]
    environment = without_shared_memory(part)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert f"{what} is on a disk without the locks or shared memory that SQLite needs" in done.stderr
    assert (
        "use a folder on a local disk with --cache, or keep the state in MySQL or PostgreSQL" in done.stderr
    )
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
