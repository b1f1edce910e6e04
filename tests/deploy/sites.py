"""Sites made of a few linked pages, a ledger in memory, and what a reader of a bucket would meet."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re

from hdash_site import serving
from hdash_site.artifact import Published, Waiting
from hdash_site.deploy import s3
from hdash_site.deploy.plan import STATUS_FILE


class Ledger:
    """What the state keeps of mirrors, in memory."""

    def __init__(self):
        self.rows: dict[str, dict[str, Published]] = {}
        self.deletions: dict[str, dict[str, Waiting]] = {}

    def published(self, mirror):
        return dict(self.rows.get(mirror, {}))

    def claim(self, mirror, files):
        self.rows.setdefault(mirror, {}).update(files)

    def disown(self, mirror, paths):
        for path in list(paths):
            self.rows.get(mirror, {}).pop(path, None)

    def waiting(self, mirror):
        return dict(self.deletions.get(mirror, {}))

    def wait(self, mirror, files):
        self.deletions.setdefault(mirror, {}).update(files)

    def stop_waiting(self, mirror, paths):
        for path in list(paths):
            self.deletions.get(mirror, {}).pop(path, None)


def wanted(site: dict[str, bytes], routes=(), redirects=None) -> s3.Wanted:
    def noting(waiting):
        status = json.dumps(json.loads(site[STATUS_FILE]) | {"deletions_waiting": waiting}).encode()
        return wanted(site | {STATUS_FILE: status}, routes, redirects)

    digests = {path: hashlib.sha256(data).hexdigest() for path, data in site.items()}
    moved = redirects or {}
    ways = {path: serving.serving(path, routes, moved.get(path, "")) for path in site}
    return s3.Wanted(digests, ways, site.__getitem__, noting)


def page(*links: str, text: str = "") -> bytes:
    style = '<link rel="stylesheet" href="/assets/site.css">'
    return (style + "".join(f'<a href="/{link}">x</a>' for link in links) + text).encode()


def site(pages: int, version: int = 0, assets: str = "1") -> dict[str, bytes]:
    """A site like ours: a home page that lists atlases, atlases that list manifests, all with one style."""
    style = f"assets/site.{assets}.css"

    def made(*links: str, text: str = "") -> bytes:
        return page(*links, text=text).replace(b"assets/site.css", style.encode())

    atlases = [f"hta{number}/" for number in range(1 + pages // 5)]
    files = {style: b"body {}" * 300, "icon.svg": b"<svg/>"}
    files["index.html"] = made(*atlases, text=f"version {version}")
    for atlas in atlases:
        manifests = [f"{atlas}m{number}/" for number in range(4)]
        files[f"{atlas}index.html"] = made("", *manifests, text=f"version {version}")
        for manifest in manifests:
            files[f"{manifest}index.html"] = made("", atlas, text=manifest)
    files["sitemap.xml"] = b"<urlset/>"
    return files | {STATUS_FILE: f'{{"built": "{version}"}}'.encode()}


def links_to_nothing(objects: dict[str, bytes], begin: set[str]) -> set[tuple[str, str]]:
    """Do as `broken` does for a site of ours, whose links are relative.

    `status.json` may be missing: it says that all else is there, so it comes last.
    """
    rooted = {}
    for path, data in objects.items():
        if path.endswith(".html"):
            found = re.findall(rb'(?:href|src)="([^"#:?]+)["#?]', data)
            targets = [posixpath.normpath(posixpath.join("/", path, "..", one.decode())) for one in found]
            ends = ["/" if one.endswith(b"/") else "" for one in found]
            rooted[path] = page(*(f"{a.lstrip('/')}{b}" for a, b in zip(targets, ends, strict=True)))
            rooted[path] = rooted[path].replace(page(), b"")
        else:
            rooted[path] = data
    return {(path, target) for path, target in broken(rooted, begin) if target != STATUS_FILE}


def broken(objects: dict[str, bytes], begin: set[str]) -> set[tuple[str, str]]:
    """Give each page with what it leads to and is not there: any asset of any page, and any link of a page
    that a reader comes to who begins at one of the pages in `begin`.
    """
    found: set[tuple[str, str]] = set()
    links: dict[str, list[str]] = {}
    for path, data in objects.items():
        if path.endswith(".html"):
            targets = [target.decode() for target in re.findall(rb'href="/([^"]*)"', data)]
            links[path] = [
                f"{one.rstrip('/')}/index.html".lstrip("/") if _is_folder(one) else one for one in targets
            ]
            found |= {(path, one) for one in links[path] if one.startswith("assets/") and one not in objects}
    waiting, seen = [path for path in begin if path in links], set(begin)
    while waiting:
        path = waiting.pop()
        for target in links.get(path, ()):
            if target not in objects:
                found.add((path, target))
            elif target not in seen:
                seen.add(target)
                waiting.append(target)
    return found


def _is_folder(link: str) -> bool:
    return link.endswith("/") or not link
