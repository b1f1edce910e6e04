"""Measure builds against two floors of the same run, on two processors.

F: one `csv.reader` loop over every manifest and files.csv. P: `python -c "import peewee, diskcache, click"`.
`python -m benchmarks` measures at scale 1 (HTAN's size) and then how time and memory grow with the scale;
`python -m benchmarks 1` measures at one scale only.
"""

from __future__ import annotations

import csv
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parents[1]
PROGRAM = str(Path(sys.executable).with_name("hdash-site"))
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
LIMITS = {"clean": 15.0, "one manifest": 0.6, "one cell": 1.5, "one id": 4.0, "null": 3.0, "version": 0.5}
LIMIT_BYTES = 500 << 20
RUNS = 5
UNCOUNTED = ("Component", "Filename", "entityId")


class Cost(NamedTuple):
    """Seconds of wall time, and the most bytes that the processes of a command held together."""

    seconds: float
    bytes: int


def main() -> None:
    """Print a table; fail if a ratio is over its limit."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    scales = [float(given) for given in sys.argv[1:]] or list(SCALES)
    with tempfile.TemporaryDirectory(prefix="hdash-bench-", dir=os.environ.get("BENCH_DIR")) as folder:
        figures = {scale: measure(Path(folder) / f"at-{scale}", scale) for scale in scales}
    over = report(figures[1.0]) if 1.0 in figures else []
    if len(figures) > 2:
        over += growth(figures)
    if over:
        sys.exit("over the limit: " + ", ".join(over))


def measure(folder: Path, scale: float) -> dict[str, Cost]:
    """Make a collection of this scale and time everything that we promise something about."""
    folder.mkdir()
    atlases, site = folder / "atlases", folder / "site"
    hdash(folder, "sample", str(atlases), "--scale", str(scale))
    site.mkdir()
    for name in ("layouts", "content"):
        shutil.copytree(HERE / name, site / name)
    shutil.copy(HERE / "site.toml", site)
    build = ["build", "--root", str(site), "--source", str(atlases), "--jobs", "2", "--quiet"]
    figures = {"F": read_all(atlases)}
    python = [sys.executable, "-c", "import peewee, diskcache, click"]
    figures["clean"] = hdash(folder, *build)
    figures["F"] = min(figures["F"], read_all(atlases))
    hdash(folder, *build)
    figures["P"] = middle([run(python) for _ in range(2 * RUNS)])
    figures["null"] = middle([hdash(folder, *build) for _ in range(RUNS)])
    figures["version"] = middle([hdash(folder, "version") for _ in range(2 * RUNS)])
    figures["one manifest"] = middle([edited(folder, atlases, build, space) for _ in range(RUNS)])
    figures["one cell"] = middle([edited(folder, atlases, build, fill) for _ in range(RUNS)])
    figures["one id"] = middle([edited(folder, atlases, build, rename) for _ in range(RUNS)])
    print(
        f"scale {scale}: " + ", ".join(f"{name} {c.seconds:.3f} s" for name, c in figures.items()), flush=True
    )
    shutil.rmtree(folder)
    return figures


def read_all(atlases: Path) -> Cost:
    """Do what no program that reads the atlases can avoid."""
    started = time.perf_counter()
    csv.field_size_limit(sys.maxsize)
    for path in [atlases / "files.csv", *sorted((atlases / "manifests").iterdir())]:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            for _ in csv.reader(file):
                pass
    return Cost(time.perf_counter() - started, 0)


def edited(
    folder: Path, atlases: Path, build: list[str], change: Callable[[list[str], list[str]], None]
) -> Cost:
    """Change one row of a manifest of about 1,000 rows in the largest atlas, given its header, and build."""
    path = chosen(atlases)
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.reader(file))
    change(table[0], table[1])
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(table)
    return hdash(folder, *build)


def space(header: list[str], row: list[str]) -> None:
    """Change the bytes, and nothing that a page shows."""
    place = next(at for at, name in enumerate(header) if name.endswith("Component"))  # a mark may precede it
    row[place] += " "


def fill(header: list[str], row: list[str]) -> None:
    """Fill a cell that counts, or empty it again."""
    place = next(at for at, name in enumerate(header) if "ID" not in name and name not in UNCOUNTED)
    row[place] = "" if row[place] else "7"


def rename(header: list[str], row: list[str]) -> None:
    """Give a data file another id, or its own again: the lineage of the atlas is another one then."""
    place = header.index("HTAN Data File ID")
    row[place] = row[place].removesuffix("77") if row[place].endswith("77") else f"{row[place]}77"


def chosen(atlases: Path) -> Path:
    """Give the manifest of the largest atlas whose number of rows is nearest to 1,000."""
    manifests: dict[str, list[tuple[str, str]]] = {}
    with (atlases / "files.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["name"].startswith("synapse_storage_manifest_"):
                manifests.setdefault(row["projectId"], []).append((row["id"], row["name"]))
    sizes = {project: sum(size(atlases, entity) for entity, _ in some) for project, some in manifests.items()}
    largest = manifests[max(sizes, key=lambda project: sizes[project])]
    held = [atlases / "manifests" / f"{entity}.csv" for entity, _ in largest]
    return min((path for path in held if path.exists()), key=lambda path: abs(rows(path) - 1000))


def size(atlases: Path, entity: str) -> int:
    path = atlases / "manifests" / f"{entity}.csv"
    return path.stat().st_size if path.exists() else 0


def rows(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def hdash(folder: Path, *arguments: str) -> Cost:
    return run([PROGRAM, *arguments], cwd=folder)


def run(command: list[str], cwd: Path | None = None) -> Cost:
    """Run a command to its end; 3 is an atlas that failed, which a sample may have."""
    started = time.perf_counter()
    # What is installed has its bytecode beside it, so a program run from its source is let write it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, env=environment)
    most = 0
    while True:
        try:
            code = process.wait(timeout=0.02)
            break
        except subprocess.TimeoutExpired:
            most = max(most, memory(process.pid))
    seconds = time.perf_counter() - started
    if code not in (0, 3):
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    return Cost(seconds, most)


def memory(process: int) -> int:
    """Give the bytes that a process and all that it started hold now; shared pages count once."""
    total, waiting = 0, [process]
    while waiting:
        number = waiting.pop()
        try:
            lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
            total += 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            for thread in Path(f"/proc/{number}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
        except (OSError, StopIteration):
            continue
    return total


def middle(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(cost.seconds for cost in costs), max(cost.bytes for cost in costs))


def report(figures: dict[str, Cost]) -> list[str]:
    """Print the ratios at scale 1; give the names of those over their limit."""
    floors = {name: "P" if name in ("null", "version") else "F" for name in LIMITS}
    over: list[str] = []
    print(f"\nF = {figures['F'].seconds:.2f} s, P = {figures['P'].seconds * 1000:.0f} ms")
    for name, floor in floors.items():
        ratio = figures[name].seconds / figures[floor].seconds
        print(f"{name:14} {ratio:6.2f} {floor}   at most {LIMITS[name]} {floor}")
        over += [name] if ratio > LIMITS[name] else []
    held = figures["clean"].bytes
    print(f"{'clean, memory':14} {held >> 20:6} MiB at most {LIMIT_BYTES >> 20} MiB")
    return over + (["memory"] if held > LIMIT_BYTES else [])


def growth(figures: dict[float, dict[str, Cost]]) -> list[str]:
    """Print the exponent b of cost = a * scale^b, fitted to all scales: 1 is linear."""
    print("\ngrowth with the scale " + " ".join(f"{scale:g}" for scale in figures))
    over: list[str] = []
    for name in ("F", "clean", "null"):
        for what in ("seconds", "bytes") if name != "F" else ("seconds",):
            values = [getattr(figure[name], what) for figure in figures.values()]
            power = slope([math.log(scale) for scale in figures], [math.log(value) for value in values])
            shown = " ".join(f"{v:.2f} s" if what == "seconds" else f"{v >> 20} MiB" for v in values)
            print(f"{name:6} {what:8} exponent {power:.2f}   {shown}")
            over += [f"growth of {name} {what}"] if name != "F" and power > 1.05 else []
    return over


def slope(xs: list[float], ys: list[float]) -> float:
    return statistics.linear_regression(xs, ys).slope


if __name__ == "__main__":
    main()
