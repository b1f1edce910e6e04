"""What a reader's first visit weighs at HTAN's size, after 400 builds that each changed every atlas:
`python -m benchmarks.weight`.

A page weighs what is fetched to show it: itself and its assets, compressed. The titles of the search are
fetched by those who search.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.__main__ import HERE, hdash
from tests.pages.test_editions import given

BUILDS = 400
LIMITS_KB = {
    "home": 80,
    "atlas": 150,
    "fix list": 150,
    "comparison": 150,
    "changes": 80,
    "a change": 80,
    "participant": 150,
    "search": 100,
}


def main() -> None:
    """Print a table; fail if something is over its limit."""
    with tempfile.TemporaryDirectory(prefix="hdash-weight-") as name:
        folder = Path(name)
        for part in ("layouts", "content"):
            shutil.copytree(HERE / part, folder / part)
        shutil.copy(HERE / "site.toml", folder)
        hdash(folder, "sample", "atlases", "--scale", "1.0")
        given(folder / "cache", BUILDS)
        hdash(folder, "build", "--root", str(folder), "--source", "atlases", "--quiet", "--jobs", "2")
        weights = weigh(folder / "public")
    for what, weight in weights.items():
        print(f"{what:12} {weight:6.1f} kB of {LIMITS_KB[what]} kB")
    over = [what for what, weight in weights.items() if weight > LIMITS_KB[what]]
    if over:
        sys.exit("over the limit: " + ", ".join(over))


def weigh(public: Path) -> dict[str, float]:
    """Give kilobytes; of several pages of a kind, of the heaviest."""
    return {
        "home": first_load(public / "index.html"),
        "atlas": max(
            first_load(path.parent.parent / "index.html") for path in public.glob("*/fix/index.html")
        ),
        "fix list": max(map(first_load, public.glob("*/fix/index.html"))),
        "comparison": first_load(public / "compare/index.html"),
        "changes": max(
            map(first_load, [public / "changes/index.html", *public.glob("changes/page-*/index.html")])
        ),
        "a change": max(map(first_load, public.glob("changes/2*/index.html"))),
        "participant": max(map(first_load, public.glob("*/participants/*/index.html"))),
        "search": compressed(public / "search/titles.json"),
    }


def first_load(page: Path) -> float:
    links = re.findall(r'(?:src|href)="([^"]*assets/[^"]*)"', page.read_text())
    return compressed(page) + sum(compressed(page.parent / link) for link in set(links))


def compressed(path: Path) -> float:
    return len(gzip.compress(path.read_bytes())) / 1000


if __name__ == "__main__":
    main()
