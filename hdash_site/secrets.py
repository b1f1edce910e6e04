"""Which variables of the environment are secrets, and the last line of defence against telling one.

Nothing that we write should hold one in the first place; a line that does, for whatever reason, is told
without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

SECRETS = (
    "HDASH_DB_PASSWORD",
    "HDASH_DB_URL",
    "S3_ACCESS_KEY_ID",
    "S3_SECRET_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "SLACK_WEBHOOK_URL",
    "SYNAPSE_AUTH_TOKEN",
    "SYNAPSE_PASSWORD",
)

_SHORT = 6
"""What is shorter stands in ordinary words too, and would be struck out of them."""


def hidden(text: str, environ: Mapping[str, str]) -> str:
    """Give a text with the values of all secrets struck out."""
    for name in SECRETS:
        for value in _values(name, environ.get(name, "").strip()):
            if len(value) >= _SHORT:
                text = text.replace(value, "…")
    return text


def plain(text: str, environ: Mapping[str, str]) -> str:
    """Return a text without secrets and without characters that a terminal obeys: strangers write names."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return hidden(shown, environ)


def _values(name: str, value: str) -> list[str]:
    """Give what of a variable is secret: of the address of a database, its password alone."""
    if name != "HDASH_DB_URL" or "://" not in value:
        return [value]
    login, at, _ = value.partition("://")[2].rpartition("@")
    password = login.partition(":")[2] if at else ""
    return [password, unquote(password)]
