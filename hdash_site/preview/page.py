"""What the server adds to a page, and how it tells one state of a page from another."""

from __future__ import annotations

import hashlib
import html
import re
from typing import NamedTuple

OURS = "/_hdash/"
"""Where what is the preview's own is found; no page of a site is there."""

_STYLE = re.compile(rb"""<link\b[^>]*\brel=["']?stylesheet\b[^>]*>""", re.IGNORECASE)
_HREF = re.compile(rb"""\bhref=(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_POLICY = re.compile(
    rb"""(<meta\b[^>]*\bhttp-equiv=["']?content-security-policy\b[^>]*\bcontent=")([^"]*)(")""", re.IGNORECASE
)
_HEAD_ENDS = re.compile(rb"</head\s*>", re.IGNORECASE)


class Marks(NamedTuple):
    """`whole` tells any two states of a page apart; `frame` those that differ in more than style sheets."""

    whole: str
    frame: str


def marks(status: int, data: bytes) -> Marks:
    frame = _STYLE.sub(b"<link>", data)
    return Marks(_mark(status, data), _mark(status, frame))


def styles(data: bytes) -> list[str]:
    """Give the addresses of the style sheets of a page, in its order."""
    hrefs = (_HREF.search(link) for link in _STYLE.findall(data))
    return [html.unescape(b"".join(filter(None, href.groups())).decode()) if href else "" for href in hrefs]


def live(data: bytes, seen: Marks, boot: str, number: int) -> bytes:
    """Give a page with the script that keeps it up to date; it knows the state that it is of."""
    tag = (
        f'<script src="{OURS}live.js" data-whole="{seen.whole}" data-frame="{seen.frame}"'
        f' data-boot="{boot}" data-number="{number}" defer></script>'
    ).encode()
    data = _POLICY.sub(lambda found: found[1] + _allowing(found[2].decode()).encode() + found[3], data)
    end = _HEAD_ENDS.search(data)
    at = end.start() if end else len(data)
    return data[:at] + tag + data[at:]


def _allowing(policy: str) -> str:
    """Let a policy allow scripts of the same server, which may ask it; a quote in it is written as it was."""
    directives = [directive.split() for directive in policy.split(";") if directive.strip()]
    given = {directive[0].lower(): directive for directive in directives}
    fallback = given.get("default-src", [])[1:]
    for name in ("script-src", "connect-src"):
        if name in given or fallback:
            sources = given[name][1:] if name in given else fallback
            if "'self'" not in sources:
                kept = [source for source in sources if source != "'none'"]
                given[name] = [name, "'self'", *kept]
    return "; ".join(" ".join(directive) for directive in given.values())


def _mark(status: int, data: bytes) -> str:
    return hashlib.sha256(b"%d " % status + data).hexdigest()[:20]
