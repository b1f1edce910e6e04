"""Measure builds of articles beside other generators: `python -m benchmarks.batch [articles...]`.

1,000 and 10,000 articles of 600 words if none are given: a clean build, one of nothing new, and one after the
body of an article changed, with the most memory that each held. Generators that are on the path take part:
hugo, pelican, mkdocs, nikola, lektor, eleventy. Ratios are to ours, of the same run.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import articles
from benchmarks.__main__ import PROGRAM, Cost, middle, run

RUNS = 3
TOOLS = {
    "hugo": (articles.as_hugo, ["hugo", "--quiet"]),
    "pelican": (articles.as_pelican, ["pelican", "content", "-s", "pelicanconf.py", "-o", "output", "-q"]),
    "mkdocs": (articles.as_mkdocs, ["mkdocs", "build", "--quiet"]),
    "nikola": (articles.as_nikola, ["nikola", "build", "--quiet"]),
    "lektor": (articles.as_lektor, ["lektor", "--project", ".", "build", "-O", "out"]),
    "eleventy": (articles.as_eleventy, ["eleventy", "--input=content", "--output=out", "--quiet"]),
}


def main() -> None:
    """Print a table."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with tempfile.TemporaryDirectory(prefix="hdash-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        for count in [int(given) for given in sys.argv[1:]] or [1_000, 10_000]:
            folder = Path(name) / str(count)
            articles.as_ours(folder / "ours", count, "--scale", "0.001", "--atlases", "1")
            own = measure("ours", folder / "ours", [PROGRAM, "build", "--quiet"])
            told("ours", count, own, own)
            for tool, (write, command) in TOOLS.items():
                if shutil.which(tool):
                    write(folder / tool, count)
                    told(tool, count, measure(tool, folder / tool, command), own)
            shutil.rmtree(folder)


def measure(tool: str, root: Path, command: list[str]) -> dict[str, Cost]:
    """Build a site that was never built, then as it is, then after edits."""
    path = root / articles.PLACES[tool]
    body = path.read_text()
    costs = {"clean": run(command, root), "null": middle([run(command, root) for _ in range(RUNS)])}
    edits: list[Cost] = []
    for _ in range(RUNS):
        mark = f"Mark {time.time_ns()}"
        path.write_text(f"{body}\n{mark}\n")
        edits.append(run(command, root))
        if not any(
            mark in page.read_text(errors="replace")
            for page in root.rglob("*.html")
            if articles.NAME in str(page)
        ):
            sys.exit(f"{tool}: the edit is not on the page")
    return costs | {"edit": middle(edits)}


def told(tool: str, count: int, costs: dict[str, Cost], own: dict[str, Cost]) -> None:
    for what, cost in costs.items():
        ratio = cost.seconds / own[what].seconds
        print(
            f"{tool:8} {count:6,} {what:5} {cost.seconds:8.2f} s {ratio:7.2f}x {cost.bytes >> 20:5} MiB",
            flush=True,
        )


if __name__ == "__main__":
    main()
