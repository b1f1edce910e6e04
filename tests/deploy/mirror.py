"""A site that goes to a bucket in the tests."""

from __future__ import annotations

import secrets

from hdash_site import aws
from hdash_site.bucket import Bucket, Place
from hdash_site.deploy import s3 as mirror
from hdash_site.deploy.waiting import Limit
from tests.deploy.sites import Ledger, wanted
from tests.remote.s3 import KEY, SECRET

NOW = "2026-11-27T06:00:00+00:00"


class Mirror:
    """A bucket, its ledger, and what a deployment to it does."""

    def __init__(self, s3, name, prefix="", patience=1.0) -> None:
        self.s3, self.name, self.prefix = s3, name, prefix
        self.ledger = Ledger()
        self.site = secrets.token_hex(16)
        access = aws.Access(s3.url, KEY, SECRET, patience=patience)
        self.bucket = Bucket(Place(name, prefix), access)

    def deploy(self, files, *, routes=(), redirects=None, most="20%", night=False, pending=False, **how):
        self.s3.counted()
        asked = wanted(files, routes, redirects)
        ways = mirror.How(self.site, NOW, 4, Limit(most, 3, night, pending), **how)
        return mirror.deploy(self.bucket, lambda: asked, self.ledger, ways, lambda *told: None)

    def lose_state(self):
        """Forget everything, the identity as well."""
        self.ledger, self.site = Ledger(), secrets.token_hex(16)

    def stored(self):
        found = self.s3.objects(self.name)
        return {key[len(self.prefix) :]: one for key, one in found.items() if key.startswith(self.prefix)}

    def data(self):
        return {key: stored.data for key, stored in self.stored().items()}
