"""Measure previews: `python -m benchmarks.preview [articles...]`, 100, 1,000 and 10,000 if none are given.

From the save of a body until the new page is served, the middle of seven, beside `hugo server` on the same
articles if that is on the path. Sites are made anew under `BENCH_DIR`, or in a temporary folder.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

from benchmarks.articles import NAME, PLACES, as_hugo, as_ours
from hdash_site.options import Options
from hdash_site.preview.serve import Serving, previewing

SAVES = 7
LOOK = 0.01
"""Seconds between two looks: who looks all the time takes the processor from what is measured."""

PAGE = f"/news/{NAME}/"
LEVEL = 2.0
"""How much longer a save may take on the largest site than on the smallest."""


def main() -> None:
    """Print a table; fail if hugo is quicker, or if a save takes longer on a larger site."""
    counts = [int(count) for count in sys.argv[1:]] or [100, 1_000, 10_000]
    ours: dict[int, float] = {}
    over: list[str] = []
    with tempfile.TemporaryDirectory(prefix="hdash-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        for count in counts:
            folder = Path(name) / str(count)
            as_ours(folder / "site", count, "--scale", "0.01")
            with shown(folder / "site") as place:
                ours[count] = saves(folder / "site", place)
            print(f"ours  {count:6,} articles  {ours[count]:6.3f} s", flush=True)
            if shutil.which("hugo"):
                as_hugo(folder / "hugo", count)
                with hugo(folder / "hugo") as place:
                    other = saves(folder / "hugo", place)
                print(f"hugo  {count:6,} articles  {other:6.3f} s  {other / ours[count]:5.2f}x", flush=True)
                over += [f"{count:,} articles: hugo is quicker"] if other < ours[count] else []
    ratio = ours[max(counts)] / ours[min(counts)]
    print(f"{max(counts):,} articles take {ratio:.2f} times what {min(counts):,} take")
    over += ["not level"] if ratio > LEVEL else []
    if over:
        sys.exit("over the limit: " + ", ".join(over))


@contextlib.contextmanager
def shown(site: Path) -> Generator[str, None, None]:
    over = threading.Event()
    with previewing(Options(site), Serving(port=0), lambda _: None) as preview:

        def work() -> None:
            while not over.is_set():
                preview.step(0.05)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield preview.address.removeprefix("http://").rstrip("/")
        finally:
            over.set()
            thread.join()


@contextlib.contextmanager
def hugo(root: Path) -> Generator[str, None, None]:
    command = ["hugo", "server", "--port", "1413", "--renderToMemory=false"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: "Page 7" in fetched("127.0.0.1:1413"), 300)
            yield "127.0.0.1:1413"
        finally:
            server.kill()


def saves(site: Path, place: str) -> float:
    """Give the middle of the seconds that saves take until they are served."""
    path = site / PLACES["ours"]
    body, taken = path.read_text(), list[float]()
    for _ in range(SAVES):
        time.sleep(0.5)
        mark = f"Mark {time.time_ns()}"
        began = time.perf_counter()
        path.write_text(f"{body}\n{mark}\n")
        until(lambda mark=mark: mark in fetched(place), 60)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            sys.exit(f"nothing came within {seconds} s")
        time.sleep(LOOK)


def fetched(place: str) -> str:
    try:
        connection = http.client.HTTPConnection(place, timeout=10)
        connection.request("GET", PAGE)
        text = connection.getresponse().read().decode()
        connection.close()
    except (OSError, http.client.HTTPException):  # not there yet, or only half of it
        return ""
    return text


if __name__ == "__main__":
    main()
