"""Measure a crawl of Synapse at HTAN's size: `python -m benchmarks.synapse [scale]`.

The service is the one of the tests, in a process of its own on the same two processors, with 20 ms a call
and the throttle of the real one. The import of the client, and the wait for the view, are what a run cannot
avoid: they are measured beside it, and taken off.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from benchmarks.__main__ import HERE, LIMIT_BYTES, RUNS, Cost, chosen, hdash, middle, run

WAIT = 2.0
LIMITS = {"first crawl and build": 30.0, "nothing changed": 2.0}
REQUESTS = {"first crawl and build": 120, "nothing changed": 12}
QUIET_BYTES = 50_000


def main() -> None:
    """Print a table; fail if something is over its limit."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    with tempfile.TemporaryDirectory(prefix="hdash-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        hdash(folder, "sample", str(folder / "atlases"), "--scale", str(scale))
        command = [sys.executable, "-m", "tests.remote.synapse", str(folder / "atlases"), "--latency", "20"]
        with subprocess.Popen([*command, "--throttle"], cwd=HERE, stdout=subprocess.PIPE) as service:
            try:
                assert service.stdout is not None
                over = measure(folder, json.loads(service.stdout.readline()))
            finally:
                service.terminate()
    if over:
        sys.exit("over the limit: " + ", ".join(over))


def measure(folder: Path, service: dict[str, str]) -> list[str]:
    site = site_of(folder, service)
    os.environ["SYNAPSE_AUTH_TOKEN"] = service["token"]
    build = ["build", "--root", str(site), "--jobs", "2", "--quiet"]
    client = middle([run([sys.executable, "-c", "import synapseclient"]) for _ in range(RUNS)]).seconds
    print(f"the import of the client takes {client:.2f} s, the wait for the view {WAIT:.2f} s")
    over: list[str] = []
    control(service, "clear")
    over += told("first crawl and build", hdash(folder, *build), 0.0, control(service, "log"))
    control(service, "clear")
    over += told("nothing changed", hdash(folder, *build), client + WAIT, control(service, "log"))
    entity = chosen(folder / "atlases").stem
    control(service, "edit", {"id": entity, "append": "x\n"})
    control(service, "clear")
    over += told("one manifest changed", hdash(folder, *build), client + WAIT, control(service, "log"))
    return over


def told(name: str, cost: Cost, floor: float, log: dict[str, int]) -> list[str]:
    """Print what a build took beyond its floor; give what is over its limit."""
    seconds = cost.seconds - floor
    print(
        f"{name:22} {seconds:6.2f} s  {cost.bytes >> 20:4} MiB  {log['api']:4} requests"
        f"  {log['objects']:4} downloads  {log['bytes']:11,} bytes",
        flush=True,
    )
    over = [name] if seconds > LIMITS.get(name, 1e9) or log["api"] > REQUESTS.get(name, 10**9) else []
    over += [f"memory of {name}"] if cost.bytes > LIMIT_BYTES else []
    return over + (
        [f"bytes of {name}"]
        if name in LIMITS and not log["objects"] > 0 and log["bytes"] > QUIET_BYTES
        else []
    )


def site_of(folder: Path, service: dict[str, str]) -> Path:
    site = folder / "site"
    for name in ("layouts", "content"):
        shutil.copytree(HERE / name, site / name)
    endpoint = service["repo_url"].removesuffix("/repo/v1")
    lines = ['[source]\nkind = "synapse"', f'[synapse]\nendpoint = "{endpoint}"\nwait = {WAIT}']
    with (folder / "atlases/projects.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            lines.append(f'[[atlas]]\nid = "{row["atlas_id"]}"\nsynapse_id = "{row["id"]}"')
            lines.append(f'name = "{row["name"]}"')
    (site / "site.toml").write_text("\n".join(lines) + "\n")
    return site


def control(service: dict[str, str], what: str, body: dict[str, str] | None = None) -> dict[str, int]:
    base = service["repo_url"].removesuffix("/repo/v1")
    data = json.dumps(body or {}).encode()
    with urllib.request.urlopen(f"{base}/control/{what}", data=data) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
