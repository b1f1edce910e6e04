"""Styles, scripts and pictures of the site, with a digest in the name: they can be cached for ever."""

from __future__ import annotations

import functools
from pathlib import PurePosixPath
from urllib.parse import quote

from hdash_site.engine.model import Context, Key, digest
from hdash_site.errors import LayoutError


def asset_url(context: Context, name: str) -> str:
    """Give the address of an asset below the site: `assets/site.1f8a0c22d7e1.css` for `site.css`."""
    return _url(name, asset(context, name))


@functools.lru_cache(64)
def _url(name: str, data: bytes) -> str:
    path = PurePosixPath(name)
    return quote(f"assets/{path.with_name(f'{path.stem}.{digest(data)[:12]}{path.suffix}')}")


def asset(context: Context, name: str) -> bytes:
    data = context.find(Key("asset", name))
    if data is None:
        way_out = "write it, or correct the name where it is used"
        raise LayoutError("there is no such asset", f"layouts/assets/{name}", way_out)
    return data
