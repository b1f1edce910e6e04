"""A site with one small atlas, for tests of what editors write."""

from __future__ import annotations

from tests import worlds


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

    def problems(self):
        return "\n".join(self.build().problems)

    def page(self, path):
        return (self.folder / "public" / path / "index.html").read_text()

    def has(self, path):
        return (self.folder / "public" / path).exists()
