"""The image: made without an engine, small, without what it does not need, and content with little.

It is built by buildah from a base made here, since no registry is asked, and run as Fargate runs it: not as
root, on a root that nothing can be written to, with the volumes that it names.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.infra import base, template

ROOT = Path(__file__).parents[2]
CANARY = "canary-3f1c9a77d2"
MEBIBYTE = 1 << 20


class Image(NamedTuple):
    """The built image: its root as a folder, its settings, and the bytes that it adds to its base."""

    root: str
    settings: dict[str, Any]
    described: str
    added: int

    def files(self) -> dict[str, Path]:
        """Give each file by its path in the image, without what came with the base."""
        of_base = ("/usr/", "/lib", "/bin/", "/etc/")
        found = {
            str(path).removeprefix(self.root): path for path in Path(self.root).rglob("*") if path.is_file()
        }
        return {place: path for place, path in found.items() if not place.startswith(of_base)}

    def run(
        self,
        folder: Path,
        *arguments: str,
        entry: list[str] | None = None,
        environ: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess:
        """Run the image in namespaces of its own; its volumes are in a folder.

        With `environ`, on this machine's network, where the servers of the tests are; without, on none.
        """
        steps = [f"mount --bind {self.root} {self.root}", f"mount -o remount,bind,ro {self.root}"]
        for volume in self.settings["Volumes"]:
            kept = folder / volume.strip("/").replace("/", "-")
            if not kept.exists():  # A volume starts as the folder of the image that it covers.
                subprocess.run(["cp", "-a", f"{self.root}{volume}", kept], check=True)
            steps.append(f"mount --bind {kept} {self.root}{volume}")
        steps += [f"mount -t proc proc {self.root}/proc", f"mount -t tmpfs tmpfs {self.root}/dev"]
        for device in ("null", "zero", "urandom"):
            place = f"{self.root}/dev/{device}"
            steps.append(f"touch {place}; mount --bind /dev/{device} {place}")
        steps += [f"mkdir -m 1777 {self.root}/dev/shm", 'exec chroot "$@"']
        network = ["--net"] if environ is None else []
        variables = [*self.settings["Env"], *(f"{name}={value}" for name, value in (environ or {}).items())]
        command = [
            *("unshare", "--mount", "--pid", "--fork", *network, "sh", "-ec", "\n".join(steps), "sh"),
            *(f"--userspec={self.settings['User']}", self.root, "env", "-i", *variables),
            *("sh", "-c", f'cd {self.settings["WorkingDir"]} && exec "$@"', "sh"),
            *(entry or self.settings["Entrypoint"]),
            *arguments,
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """Build it once, also if several processes run the tests."""
    missing = [program for program in ("buildah", "unshare", "ldd") if not shutil.which(program)]
    if missing or os.geteuid() != 0:
        reason = f"{' and '.join(missing)} missing" if missing else "only root can"
        pytest.skip(f"the image is not built: {reason}")
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared
    told = shared / "image.json"
    with (shared / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            told.write_text(json.dumps(built(shared / "image")))
    return Image(*json.loads(told.read_text()))


def built(folder: Path) -> Image:
    """Build the base, and on it the image."""
    base.make(folder / "base")
    storage = f"buildah --root {folder}/storage --runroot {folder}/run"

    def buildah(*arguments: str) -> str:
        command = [*storage.split(), "--storage-driver", "vfs", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\nENV PATH=/usr/local/bin:/bin\n")
    buildah("bud", "--tag", "base", "--file", f"{folder}/Dockerfile", f"{folder}/base")
    planted(folder / "context")
    done = subprocess.run(
        ["make", "build_buildah", f"BUILDAH={storage}", "BUILD_OPTIONS=--build-arg BASE=localhost/base"],
        cwd=folder / "context",
        env=os.environ | {"SYNAPSE_AUTH_TOKEN": CANARY, "SLACK_WEBHOOK_URL": CANARY},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    described = buildah("inspect", "--type", "image", "localhost/hdash-site")
    # Its folder is taken out, and what building it left behind goes: half a gigabyte.
    root = Path(buildah("mount", buildah("from", "localhost/hdash-site"))).rename(folder / "root")
    shutil.rmtree(folder / "storage")
    settings = json.loads(described)["Docker"]["config"]
    return Image(str(root), settings, described, size(root) - size(folder / "base"))


def size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def planted(context: Path) -> None:
    """Copy the project as it stands in version control, and lay secrets where they lie about."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, context / name)
    for name in (
        ".env",
        "cache/state.db",
        "public/index.html",
        ".git/config",
        "content/.env",
        "secrets.toml",
    ):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(f"TOKEN={CANARY}\n")


def test_it_builds_the_sample_site_as_nobody_on_a_root_that_cannot_be_written(image, tmp_path):
    done = image.run(tmp_path, "build")
    assert done.returncode == 0, done.stderr
    assert "14 changed, 0 same, 0 failed" in done.stdout
    assert (tmp_path / "site-public" / "index.html").stat().st_uid == 10001
    again = image.run(tmp_path, "build")
    assert "0 changed, 14 same, 0 failed" in again.stdout
    without_dot = [
        path for path in (tmp_path / "site-public").rglob("*") if path.is_file() and "." not in path.name
    ]
    assert not without_dot, "the function of CloudFront takes these for folders"


def test_its_night_needs_only_what_its_role_allows_and_ends_with_the_line_that_is_watched(
    image, tmp_path, s3
):
    s3.allowed = {
        action
        for name, statement in template.statements({"Site": "public", "Database": "none", "Slack": "no"})
        if name == "TaskRole" and "Principal" not in statement
        for action in template.listed(statement["Action"])
    }
    site, state = s3.bucket("site-of-the-image"), s3.bucket("state-of-the-image")
    environ = s3.environ(site) | {"HDASH_STATE_URL": f"s3://{state}/state"}
    # The image holds no atlases and the test no token: a copy of its site says that it publishes the sample.
    steps = (
        "import os, shutil, sys",
        "[shutil.copytree(name, f'cache/site/{name}') for name in ('layouts', 'content')]",
        """open('cache/site/site.toml', 'w').write('[source]\\nkind = "sample"\\n')""",
        "os.execvp('hdash-site', ['hdash-site', *sys.argv[1:], '--root', 'cache/site'])",
    )
    python = ["python", "-c", "\n".join(steps)]
    done = image.run(tmp_path, *image.settings["Cmd"], environ=environ, entry=python)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["event"], last["exit_code"]) == ("done", 0)
    assert {"index.html", "404.html"} <= set(s3.keys(site))


def test_it_writes_nowhere_else(image, tmp_path):
    code = "import os; print(os.getuid(), os.getgid()); open('/site/written', 'w')"
    done = image.run(tmp_path, "-c", code, entry=["python"])
    assert done.stdout == "10001 10001\n"
    assert "Read-only file system" in done.stderr


def test_it_starts_from_compiled_code(image, tmp_path):
    done = image.run(tmp_path, "-v", "-c", "import hdash_site.app, json, ssl, boto3", entry=["python"])
    assert done.returncode == 0
    assert re.findall(r"^# code object from '.*/__pycache__/ssl\..*\.pyc'$", done.stderr, re.MULTILINE)
    assert not re.findall(r"^# code object from /.*\.py$", done.stderr, re.MULTILINE), "compiled at the start"


def test_whatever_a_night_may_need_can_be_loaded(image, tmp_path):
    modules = "synapseclient, boto3, pymysql, psycopg, cryptography, hdash_site.sources.synapse"
    done = image.run(tmp_path, "-W", "error", "-c", f"import {modules}", entry=["python"])
    assert (done.returncode, done.stderr) == (0, "")


def test_its_settings_are_those_of_the_nightly_run(image):
    settings = image.settings
    assert settings["Entrypoint"] == ["hdash-site"]
    assert settings["Cmd"] == ["nightly", "--json", "--deadline", "50m"]
    assert re.fullmatch("[1-9][0-9]*:[1-9][0-9]*", settings["User"])
    assert settings["Volumes"].keys() == {"/site/cache", "/site/public", "/tmp"}


def test_it_holds_the_site_and_the_program_and_nothing_else(image):
    files = image.files()
    outside = {place for place in files if not place.startswith(("/opt/venv/", "/site/"))}
    assert not outside
    in_site = {place.split("/")[2] for place in files if place.startswith("/site/")}
    assert in_site == {"site.toml", "layouts", "content"}
    packages = {place.split("/")[6] for place in files if place.startswith("/opt/venv/lib/")}
    assert "hdash_site" in packages
    assert not packages & {"pip", "hatchling", "pytest", "moto", "cfnlint", "playwright", "tests"}
    assert not [place for place in files if "/.git" in place or place.endswith("/.env")]
    assert not list(Path(image.root).glob("usr/local/lib/python3*/site-packages/pip*"))
    programs = {path.name for path in Path(image.root, "opt/venv/bin").iterdir()}
    assert not programs & {"pip", "pip3", "hatchling", "gcc", "make"}


def test_no_secret_of_the_machine_that_built_it_is_inside(image):
    assert CANARY not in image.described
    holding = [place for place, path in image.files().items() if CANARY.encode() in path.read_bytes()]
    assert not holding


def test_it_is_small(image, capsys):
    with capsys.disabled():
        print(f"\nthe image adds {image.added / MEBIBYTE:.0f} MiB to its base")
    assert image.added < 200 * MEBIBYTE
