"""A file that the site consists of, and what we know of a copy of it that we published."""

from __future__ import annotations

from typing import NamedTuple


class Artifact(NamedTuple):
    """`digest`: sha-256 of the bytes; `headers`: what stands for how they are served, empty in a folder."""

    digest: str
    headers: str = ""


class Published(NamedTuple):
    """`etag`: what the mirror calls these bytes; empty in a folder, and as long as we cannot be sure."""

    digest: str
    headers: str = ""
    etag: str = ""

    @property
    def artifact(self) -> Artifact:
        return Artifact(self.digest, self.headers)
