"""An atlas as last crawled whole: what the crawl leaves and the build begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Project(NamedTuple):
    """An atlas and the Synapse project that holds it. Every field is a stranger's text."""

    id: str
    synapse_id: str
    name: str
    liaison: str


class Fetched(NamedTuple):
    """A manifest as fetched: the version of it, and the digest of its bytes or why there are none."""

    version: str
    digest: str
    error: str = ""


class Snapshot(NamedTuple):
    """`listing`: digest of the rows of the file view, as `htan.listing` wants them.

    `fingerprint` is the source's: equal means that the listing need not be asked for. `notice` says since
    when the atlas cannot be crawled; empty if the last crawl went well.
    """

    project: Project
    fingerprint: str
    listing: str
    manifests: Mapping[str, Fetched]
    notice: str = ""
