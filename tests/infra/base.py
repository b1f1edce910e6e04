"""A base for the image where no registry is reached: this machine's Python, a shell, and what they load."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

COMMANDS = ("sh", "env", "install")
# What wheels may count on (the "manylinux" policy); Python itself loads not all of it.
LIBRARIES = ("pthread.so.0", "dl.so.2", "rt.so.1", "util.so.1", "resolv.so.2", "gcc_s.so.1", "stdc++.so.6")
# As the official image, without what only tests and other programs need.
LEFT_OUT = shutil.ignore_patterns(
    "site-packages", "test", "tests", "idlelib", "turtledemo", "tkinter", "lib2to3", "config-*", "__pycache__"
)
# Where programs look for certificates, if nothing says otherwise.
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def make(root: Path) -> None:
    """Lay the base out in a folder."""
    for folder in ("bin", "lib", "etc/ssl/certs", "usr/local/bin", "usr/local/lib", "proc", "dev", "site"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/pip.conf").write_text(_settings_of_pip())
    shutil.copy(CERTIFICATES, root / "etc/ssl/certs")
    programs = [_copied(Path(shutil.which(command) or ""), root / "bin" / command) for command in COMMANDS]
    programs += _python(root / "usr/local")
    for library in _libraries(programs):
        # The loader is named by its whole path; it looks for all others in lib.
        place = root / library.relative_to("/") if "ld-linux" in library.name else root / "lib" / library.name
        place.parent.mkdir(exist_ok=True)
        shutil.copy(library, place)


def _python(prefix: Path) -> list[Path]:
    """Copy the interpreter, the standard library and pip; give what loads libraries."""
    version = f"python{sysconfig.get_python_version()}"
    standard = prefix / "lib" / version
    shutil.copytree(sysconfig.get_path("stdlib"), standard, ignore=LEFT_OUT)
    for part in importlib.metadata.files("pip") or ():
        place = standard / "site-packages" / part
        if ".." not in part.parts and part.suffix != ".pyc":
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(part.locate(), place)
    program = _copied(Path(sys._base_executable), prefix / "bin" / version)
    (prefix / "bin/python").symlink_to(version)
    pip = prefix / "bin/pip"
    pip.write_text('#!/bin/sh\nexec python -m pip "$@"\n')
    pip.chmod(0o755)
    return [program, *standard.rglob("*.so")]


def _copied(program: Path, place: Path) -> Path:
    shutil.copy(program.resolve(), place)
    return place


def _libraries(programs: list[Path]) -> set[Path]:
    """Give the shared libraries that programs load, and the loader, by the names that they are asked by."""
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True).stdout
    loaded = {Path(place) for place in re.findall(r"(/\S+) \(0x", said)}
    system = next(place.parent for place in loaded if place.name == "libc.so.6")
    return loaded | {system / f"lib{name}" for name in LIBRARIES}


def _settings_of_pip() -> str:
    """Give pip's settings on this machine as a file: a mirror, a certificate."""
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    wanted = re.findall(
        r"^(?:global|:env:)\.(cert|index-url|default-timeout|proxy)='(.*)'$", said, re.MULTILINE
    )
    return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in dict(wanted).items())
