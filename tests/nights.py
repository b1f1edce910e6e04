"""Nights of a site whose state is in S3: a fresh disk each time, a bucket that stays."""

from __future__ import annotations

import contextlib
import gzip
import json
from typing import NamedTuple

from hdash_site import app
from hdash_site.state.store import glanced
from tests import worlds

PREFIX = "nightly/state/"


class Nights:
    """Nights of one site, each on a fresh disk, whose state is in a bucket."""

    def __init__(self, folder, s3, bucket):
        self.folder, self.s3, self.bucket = folder, s3, bucket
        self.site = worlds.site_folder(folder / "site")
        self.atlases = worlds.small(self.site / "atlases")  # a collection is known by its place in the site
        self._number = 0

    def options(self, **more):
        """Give the options of a run on a fresh disk."""
        self._number += 1
        disk = self.folder / f"night-{self._number}"
        fresh = {"source": self.atlases.folder, "output": disk / "public", "cache": disk / "cache"}
        return app.Options(self.site, **(fresh | more))

    def build(self, options=None):
        options = options or self.options()
        self.s3.counted()
        return app.build(options), worlds.tree(options.output)

    def open(self, options=None):
        return app.open_state(options or self.options())

    @contextlib.contextmanager
    def look(self):
        """Look at the state that a run would have, with all its blobs, without what a run leaves."""
        options = self.options()
        with glanced(options.cache, app.state_place(options), app.remote_of(options)) as store:
            for digest in store.named() if store else ():
                store.load(digest)
            yield store

    def packs(self):
        """Give the index of each pack of the newest snapshot."""
        return json.loads(gzip.decompress(self.get(f"snapshots/{self.newest()['snapshot']}")))["packs"]

    def forget_lock(self):
        """Let so much time pass that the lock of a dead run is none."""
        self.put("lock", None)

    def rename(self, name):
        """Make an edit."""
        self.atlases.projects[0]["name"] = name
        self.atlases.save()

    def keys(self, folder=""):
        keys = self.s3.keys(self.bucket)
        return [key.removeprefix(PREFIX) for key in keys if key.startswith(PREFIX + folder)]

    def get(self, key):
        return self.s3.object(self.bucket, PREFIX + key).body

    def all(self):
        return {key: self.get(key) for key in self.keys()}

    def put(self, key, data):
        if data is None:
            self.s3.delete(self.bucket, PREFIX + key)
        else:
            self.s3.put(self.bucket, PREFIX + key, data)

    def pointer(self):
        return json.loads(self.get("pointer"))

    def newest(self):
        return self.pointer()["kept"][0]


class Begun(NamedTuple):
    """The objects after a first night, those after a second one, and the site and the recipes of each."""

    objects: list[dict[str, bytes]]
    trees: list[dict[str, bytes]]
    ran: list[int]
