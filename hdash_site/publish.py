"""Where the finished site goes: into its folder, or into the bucket that the environment names."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple, Protocol

from hdash_site import aws, serving, site_status
from hdash_site import bucket as buckets
from hdash_site.bucket import Bucket, Place
from hdash_site.config import Config
from hdash_site.deploy import Deployed, cloudfront, folder
from hdash_site.deploy.plan import STATUS_FILE
from hdash_site.deploy.waiting import Limit
from hdash_site.engine.model import digest
from hdash_site.errors import AwsError, ConfigError, OutputError
from hdash_site.options import Options, cache_folder, output_folder, present
from hdash_site.pages.site import File
from hdash_site.state.store import Store

BUCKET, PREFIX = "S3_BUCKET_NAME", "S3_PREFIX"

VARIABLES = {
    BUCKET: "The bucket that the site goes to.",
    PREFIX: "Where in the bucket it goes, if not to the top: `dashboard/`.",
    **aws.VARIABLES,
    cloudfront.DISTRIBUTION: "The CloudFront distribution before the bucket: it is told which pages changed.",
}
"""What may be set for a deployment, and what for."""


class Artifacts(NamedTuple):
    """The finished site: its files by path, how to come by the bytes of one, and `status.json`."""

    files: Mapping[str, File]
    load: Callable[[str], bytes]
    status: bytes

    def digests(self) -> dict[str, str]:
        return {path: file.digest for path, file in self.files.items()} | {STATUS_FILE: digest(self.status)}

    def bytes_of(self, path: str) -> bytes:
        return self.status if path == STATUS_FILE else self.load(path)

    def noting(self, waiting: int) -> Artifacts:
        """Return the same site with a `status.json` that says how many deletions wait."""
        return self._replace(status=site_status.noting(self.status, waiting))


class Publish(Protocol):
    """Bring one mirror to what the site is now; `find` gives that, which may take a moment."""

    def __call__(self, find: Callable[[], Artifacts]) -> Deployed: ...


class Tell(Protocol):
    """See `run.Tell`."""

    def __call__(self, phase: str, what: str, done: int = 0, total: int = 0) -> None: ...


class Deploying(NamedTuple):
    """What a deployment to a bucket is asked to do (`holdings.How`, `waiting.Limit`)."""

    most: str = "20%"
    trust: bool = False
    dry: bool = False
    adopt: bool = False
    pending: bool = False
    night: bool = False


IDENTITY = "site"
"""The fact that identifies our site in a bucket."""


def status_of(store: Store) -> bytes:
    """Return `status.json` of the site as the state remembers it, with no deletion that waits."""
    failures = site_status.failures_of(store.fact(site_status.FAILURES))
    return site_status.compose(store.fact(site_status.BUILT), store.snapshots().values(), failures)


def to_folder(options: Options, store: Store, tell: Tell, before: dict[str, str] | None = None) -> Publish:
    """`before`, if there is something in it, is what we left there: it becomes what we leave now."""
    output = output_folder(options)

    def publish(find: Callable[[], Artifacts]) -> Deployed:
        artifacts = find()
        tell("deploy", str(output))
        scratch = cache_folder(options) / "scratch"
        want = artifacts.digests()
        if before:
            deployed = folder.forward(output, before, want, artifacts.bytes_of, store, scratch)
        else:
            deployed = folder.deploy(output, want, artifacts.bytes_of, store, scratch)
        if before is not None:
            before.clear()
            before.update(want)
        return deployed

    return publish


def place() -> Place | None:
    """Give the bucket that the environment names, if it names one. Raises `ConfigError`."""
    name = os.environ.get(BUCKET, "").strip()
    return buckets.place(name, os.environ.get(PREFIX, ""), BUCKET) if name else None


def to_bucket(
    config: Config,
    store: Store,
    how: Deploying,
    tell: Tell,
    out_of_time: Callable[[], bool] = lambda: False,
) -> Publish:
    """Raises `ConfigError` if the environment names no bucket, or nothing that can be one."""
    from hdash_site.deploy import s3

    where = place()
    if where is None:
        raise ConfigError("no bucket is named", BUCKET, "set it to the bucket that the site goes to")
    if not re.fullmatch(r"\d+%?", how.most) or how.most == "%":
        raise ConfigError(
            f'"{how.most}" is no limit', "--max-delete", "write a number, or a share such as 20%"
        )
    access = aws.access(os.environ, config.patience, config.uploads)
    bucket = Bucket(where, access)
    distribution = os.environ.get(cloudfront.DISTRIBUTION, "").strip()

    def wanted(artifacts: Artifacts) -> s3.Wanted:
        servings = {
            path: serving.serving(path, config.routes, _redirect(where, artifacts.files.get(path)))
            for path in [*artifacts.files, STATUS_FILE]
        }

        def noting(waiting: int) -> s3.Wanted:
            return wanted(artifacts.noting(waiting))

        return s3.Wanted(artifacts.digests(), servings, artifacts.bytes_of, noting)

    def invalidate() -> None:
        if distribution and not how.dry:
            client = aws.client("cloudfront", access)
            cloudfront.invalidate(client, access, store, distribution, where.prefix)

    def publish(find: Callable[[], Artifacts]) -> Deployed:
        tell("deploy", str(where))
        ways = s3.How(
            _identity(store, dry=how.dry),
            present().isoformat(timespec="seconds"),
            config.uploads,
            Limit(how.most, config.delete_after_nights, how.night, how.pending),
            how.trust,
            how.adopt,
            how.dry,
            out_of_time,
        )
        announce = partial(cloudfront.remember, store, distribution) if distribution else _tell_nobody
        told = partial(tell, "deploy")
        try:
            deployed = s3.deploy(bucket, lambda: wanted(find()), store, ways, told, announce)
        except OutputError:
            # Some files may stay unwritten for many nights; readers see the others.
            with contextlib.suppress(AwsError):
                invalidate()
            raise
        invalidate()
        missing = where.prefix and not config.base_url
        return deployed._replace(notes=[*deployed.notes, NO_ADDRESS]) if missing else deployed

    return publish


NO_ADDRESS = (
    "site.toml: base_url is not set, but S3_PREFIX is: 404.html, which is shown at any address, looks for its"
    " styles and links at the top of the host. Set base_url to the public address of the site and build it"
)


def _tell_nobody(paths: Iterable[str]) -> None:
    pass


def _identity(store: Store, *, dry: bool) -> str:
    """Return the identity of our site; it is made at the first deployment, and kept with the state."""
    site = store.fact(IDENTITY)
    if not site:
        site = secrets.token_hex(16)
        if not dry:
            store.set_fact(IDENTITY, site)
    return site


def loader(files: Mapping[str, File], load: Callable[[File], bytes | None]) -> Callable[[str], bytes]:
    """Give what gives the bytes of a path, or says that they are lost."""

    def bytes_of(path: str) -> bytes:
        data = load(files[path])
        if data is None:
            raise OutputError("its bytes are lost and cannot be made today", path, "build again")
        return data

    return bytes_of


def _redirect(where: Place, file: File | None) -> str:
    """Give where S3 is to lead a reader: it wants a path from the top of the bucket, or a whole address."""
    target = file.redirect if file else ""
    return target if not target or "://" in target else cloudfront.encoded(f"/{where.prefix}") + target
