"""A site with one small atlas, for tests of what editors write."""

from __future__ import annotations

import struct
import zlib

from hdash_site import review
from hdash_site.options import Options
from tests import worlds


def png(width, height, shade=0):
    """A picture of one colour."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([shade]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    )


class Site:
    """Files are written by their path below the site; `page` reads what came of it."""

    def __init__(self, folder):
        self.folder = worlds.site_folder(folder / "site")
        self.atlases = worlds.small(folder / "atlases", "HTA1")

    def write(self, path, text):
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)

    def article(self, path, body="Words.", matter=""):
        self.write(f"content/{path}", f'+++\ntitle = "Title of {path}"\n{matter}\n+++\n{body}\n')

    def build(self, **more):
        return worlds.build(self.folder, self.atlases.folder, **more)

    def built(self, **more):
        """Build what must be in order; give the names of the recipes that ran."""
        result = self.build(**more)
        assert result.problems == []
        return {str(event.key) for event in result.ran}

    def review(self):
        return review.review(Options(self.folder, self.atlases.folder))

    def problems(self):
        return "\n".join(self.build().problems)

    def page(self, path):
        return (self.folder / "public" / path / "index.html").read_text()

    def has(self, path):
        return (self.folder / "public" / path).exists()
