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

from benchmarks.__main__ import hdash
from hdash_site.options import Options
from hdash_site.preview.serve import Serving, previewing

SAVES = 7
PAGE = "/news/p00007/"
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
            made(folder / "site", count)
            with shown(folder / "site") as place:
                ours[count] = saves(folder / "site", place)
            print(f"ours  {count:6,} articles  {ours[count]:6.3f} s", flush=True)
            if shutil.which("hugo"):
                as_hugo(folder / "site", folder / "hugo")
                with hugo(folder / "hugo") as place:
                    other = saves(folder / "hugo", place)
                print(f"hugo  {count:6,} articles  {other:6.3f} s  {other / ours[count]:5.2f}x", flush=True)
                over += [f"{count:,} articles: hugo is quicker"] if other < ours[count] else []
    ratio = ours[max(counts)] / ours[min(counts)]
    print(f"{max(counts):,} articles take {ratio:.2f} times what {min(counts):,} take")
    over += ["not level"] if ratio > LEVEL else []
    if over:
        sys.exit("over the limit: " + ", ".join(over))


def made(site: Path, count: int) -> None:
    """Write a site of so many articles of one section beside small sample atlases."""
    shutil.copytree(Path(__file__).parents[1] / "layouts", site / "layouts")
    (site / "content/news").mkdir(parents=True)
    (site / "site.toml").write_text('[source]\nkind = "folder"\npath = "../atlases"\n')
    hdash(site, "sample", str(site / "../atlases"), "--scale", "0.01")
    words = ("Words of a page that *somebody* reads. " * 15 + "\n\n") * 5
    for number in range(count):
        matter = f'title = "Page {number}"\ndate = 2026-01-{number % 28 + 1:02}\ntags = ["t{number % 10}"]'
        (site / f"content/news/p{number:05}.md").write_text(f"+++\n{matter}\n+++\n## One\n\n{words}")


def as_hugo(site: Path, root: Path) -> None:
    """Write the same articles as a site for hugo, with layouts that show the same of them."""
    shutil.copytree(site / "content", root / "content")
    layouts = root / "layouts/_default"
    layouts.mkdir(parents=True)
    (root / "hugo.toml").write_text('baseURL = "/"\ntitle = "News"\n')
    (layouts / "baseof.html").write_text(
        '<html><head><title>{{ .Title }}</title></head><body>{{ block "main" . }}{{ end }}</body></html>'
    )
    beside = '{{ with .%s }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}'
    (layouts / "single.html").write_text(
        '{{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}'
        + beside % "PrevInSection"
        + beside % "NextInSection"
        + "{{ end }}"
    )
    (layouts / "list.html").write_text(
        '{{ define "main" }}<h1>{{ .Title }}</h1>'
        '{{ range .Pages }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}{{ end }}'
    )


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
    path = site / "content/news/p00007.md"
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
        time.sleep(0.002)


def fetched(place: str) -> str:
    try:
        connection = http.client.HTTPConnection(place, timeout=10)
        connection.request("GET", PAGE)
        text = connection.getresponse().read().decode()
        connection.close()
    except OSError:
        return ""
    return text


if __name__ == "__main__":
    main()
