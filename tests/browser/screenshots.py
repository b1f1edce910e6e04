"""Pictures of each kind of page, light, dark and as on a phone: `make screenshots` writes screenshots/."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from hdash_site.pages.site import remembered
from hdash_site.state.store import opened
from tests import worlds
from tests.browser.conftest import ARGUMENTS, CHROMIUM, NIGHTS, edit, served

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
}
TALLEST = 2600
"""Pixels of a page that a picture shows."""


def main() -> None:
    folder = Path("screenshots")
    folder.mkdir(exist_ok=True)
    wanted = set(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="hdash-pictures-") as place, sync_playwright() as playwright:
        site = worlds.site_folder(Path(place) / "site")
        (site / "site.toml").write_text('title = "HTAN Dashboard"\n')
        worlds.app.build(worlds.app.Options(site, today=NIGHTS[0]))
        edit(site / "cache/sample")
        worlds.app.build(worlds.app.Options(site, today=NIGHTS[1]))
        pages = one_of_each_kind(site)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with served(site / "public") as base:
            for look, settings in LOOKS.items():
                page = browser.new_context(**settings, reduced_motion="reduce").new_page()
                for kind, path in pages.items():
                    if not wanted or kind in wanted:
                        page.goto(base + path)
                        page.wait_for_load_state("networkidle")
                        size = {"x": 0, "y": 0, "width": settings["viewport"]["width"]}
                        height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
                        page.screenshot(
                            path=folder / f"{kind}-{look}.png", full_page=True, clip=size | {"height": height}
                        )
        browser.close()
    print(f"the pictures are in {folder.resolve()}")


def one_of_each_kind(site: Path) -> dict[str, str]:
    """The page of each kind that has the most in it."""
    found: dict[str, tuple[int, str]] = {}
    with opened(site / "cache") as store:
        for path, file in remembered(store).items():
            data = (site / "public" / path).read_bytes()
            if path.endswith(".html") and not re.search(rb"<meta http-equiv=.refresh", data):
                kind = file.key.name.partition("/")[0]
                found[kind] = max(found.get(kind, (0, "")), (len(data), path))
    pages = {kind: path for kind, (_, path) in found.items()}
    # These two kinds have pages of two sorts, and the first night is not one to look at.
    person = pages.pop("participants")
    night = re.sub(r"\D", "-", NIGHTS[1][:19])
    return pages | {
        "participant": person,
        "participants": str(Path(person).parents[1] / "index.html"),
        "edition": f"changes/{night}/index.html",
    }


if __name__ == "__main__":
    main()
