"""The message of the night to Slack: what changed, or in one line what failed.

Slack is told, not asked: whatever happens there ends after ten seconds, and fails no run.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping, Sequence

from hdash_site.run import Result
from hdash_site.secrets import hidden

WEBHOOK, WEB_SITE = "SLACK_WEBHOOK_URL", "S3_WEB_SITE_URL"

VARIABLES = {
    WEBHOOK: "The address of an incoming webhook of Slack: it is told each night what changed.",
    WEB_SITE: "Where readers find the site, for the link in that message.",
}
"""What may be set, and what for."""

LIMIT_SECONDS = 10.0

NAMED = 10
"""Atlases that are named; the others are counted."""

LONGEST = 1000
"""Characters of a line that goes into a message."""


def success(title: str, result: Result, site: str = "") -> str:
    """Say what changed in a night."""
    lines = [f"*{_safe(title)}*: {_changed(result)}."]
    new, fixed = sum(result.new_findings.values()), sum(result.fixed_findings.values())
    if new or fixed:
        said = [
            _codes(f"{new:,} new", result.new_findings),
            _codes(f"{fixed:,} fixed", result.fixed_findings),
        ]
        lines.append(f"Findings: {', '.join(said)}.")
    if result.failed:
        since = [_since(atlas, result.failed_since) for atlas in result.failed]
        lines.append(f"Not read: {_named(since)}.")
    lines += [_line(note) for note in result.deployed.notes]
    if result.unverified:
        as_of = [_as_of(atlas, verified) for atlas, verified in result.unverified.items()]
        lines.append(f"Not verified: {_named(as_of)}.")
    lines += [_line(problem) for problem in result.problems[:NAMED]]
    if len(result.problems) > NAMED:
        lines.append(f"{len(result.problems) - NAMED} more problems are in the log.")
    return "\n".join([*lines, *_link(site)])


def failure(title: str, problem: str) -> str:
    """Say in one line that a night failed, and why."""
    return f"*{_safe(title)}*: the nightly run failed: {_line(problem)}"


def trial(title: str, site: str = "") -> str:
    """Say that this is a test."""
    return "\n".join([f"*{_safe(title)}*: this is a test message.", *_link(site)])


def web_site() -> str:
    """Give the address of the site; empty if it is not set, or is none."""
    address = os.environ.get(WEB_SITE, "").strip()
    return address if re.fullmatch(r"https?://[^\s|<>]+", address) else ""


def tell(text: str) -> str:
    """Send a message to the webhook that the environment names; give what went wrong, or nothing."""
    address = os.environ.get(WEBHOOK, "").strip()
    if not address:
        return f"{WEBHOOK}: it is not set; set it to the address of an incoming webhook"
    if not re.fullmatch(r"https?://[!-~]+", address):
        return f"{WEBHOOK}: this is no address; set it to that of an incoming webhook"
    said = ["it did not answer in time"]
    # Time-outs of sockets begin anew with every byte: only a thread that nobody waits for is bounded.
    sender = threading.Thread(target=_send, args=(address, text, said), daemon=True)
    sender.start()
    sender.join(LIMIT_SECONDS)
    return f"Slack was not told: {said[0]}" if said[0] else ""


def _send(address: str, text: str, said: list[str]) -> None:
    import urllib.error
    import urllib.request

    data = json.dumps({"text": hidden(text, os.environ)}).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:  # noqa: S310
            answer.read(100)
        said[0] = ""
    except urllib.error.HTTPError as error:
        said[0] = f"it answered {error.code}"
        error.close()
    except Exception as error:  # its text may hold the address, which is a secret
        said[0] = f"it cannot be reached ({type(error).__name__})"


def _link(site: str) -> list[str]:
    return [f"<{_safe(site)}|Open the dashboard>"] if site else []


def _changed(result: Result) -> str:
    pages = [path for path, _ in result.deployed.written if path.endswith(".html")]
    parts: list[str] = []
    if result.changed:
        parts.append(
            f"{_counted(len(result.changed), 'atlas', 'atlases')} changed ({_named(result.changed)})"
        )
    if pages:
        parts.append(f"{_counted(len(pages), 'page', 'pages')} written")
    if result.deployed.removed:
        parts.append(f"{_counted(len(result.deployed.removed), 'file', 'files')} removed")
    same = _counted(len(result.same), "atlas", "atlases")
    return ", ".join(parts) or (f"nothing changed in {same}" if result.same else "no page changed")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _codes(said: str, codes: Mapping[str, int]) -> str:
    named = ", ".join(f"{code} {count:,}" for code, count in sorted(codes.items()))
    return f"{said} ({named})" if named else said


def _since(atlas: str, since: Mapping[str, str]) -> str:
    return f"{atlas} since {since[atlas][:10]}" if since.get(atlas) else atlas


def _as_of(atlas: str, verified: str) -> str:
    return f"{atlas} (last verified {verified[:10]})" if verified else atlas


def _named(names: Sequence[str]) -> str:
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*map(_line, names[:NAMED]), *more])


def _line(text: str) -> str:
    """Bring a stranger's text into one line that Slack takes for text."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return _safe(line if len(line) <= LONGEST else f"{line[:LONGEST]}…")


def _safe(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
