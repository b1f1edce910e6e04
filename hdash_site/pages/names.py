"""Names in addresses: made from file names, ids and tags, so that they are safe as part of a path.

An address depends on its own text alone: a page or a tag that is added never moves another one. Letters and
digits of all scripts are kept. Where letters alone would give two texts one name, a digest tells them apart.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import quote

MOST_BYTES = 200
"""Bytes of a name. A file system takes 255, and an ending must fit."""

_DIGEST = 8
_MARKED = re.compile(rf".+-[0-9a-f]{{{_DIGEST}}}", re.DOTALL)
_RESERVED = re.compile(r"con|prn|aux|nul|conin|conout|clock|(?:com|lpt)[0-9]")
"""Names that Windows keeps for devices."""

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0000-\U000e0fff]"
)
"""Letters and marks that no reader sees. Others without a width are format characters."""
_ACCENTED = re.compile("([^\u0300-\u036f])[\u0300-\u036f]+")
_ODD = re.compile(r"[^a-z0-9_]+")


def slug(text: str) -> str:
    """Return the name of a text in addresses, percent-encoded: small letters, digits, hyphens and _."""
    return quote(_named(text))


def _named(text: str) -> str:
    name = _letters(text)
    if not name or _RESERVED.fullmatch(name) or len(name.encode()) > MOST_BYTES:
        return marked(name, text)
    return name


def marked(name: str, text: str) -> str:
    """Return a name with a digest of the text that it was made from; it is cut if it is too long."""
    # The same text is written in two ways by different systems: a letter with its accent is one or two.
    data = unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
    kept = name.encode()[: MOST_BYTES - _DIGEST - 1].decode("utf-8", "ignore").rstrip("-")
    return f"{kept or 'x'}-{hashlib.sha256(data).hexdigest()[:_DIGEST]}"


def tag_key(tag: str) -> str:
    """Return what spellings of one tag have in common: neither case, accents of Latin or Greek, nor spaces.

    Marks of other scripts make other words: the Japanese for bus and pass differ in one.
    """
    text = unicodedata.normalize("NFKC", _seen(tag)).casefold()
    if not text.isascii():
        text = _ACCENTED.sub(_without_accents, unicodedata.normalize("NFD", text))
        text = unicodedata.normalize("NFKC", text).casefold()
    return "-".join(text.split())


def tag_address(tag: str) -> str:
    """Return the name of a tag in its address, percent-encoded; spellings of one tag share it.

    A tag that letters do not tell from another, such as C++ from C, has a digest in its name.
    """
    key = tag_key(tag)
    name = _named(key)
    # A name that looks as if it had a digest could be that of another tag.
    return quote(name if name == key and not _MARKED.fullmatch(name) else marked(_letters(key), key))


def folded(path: str) -> str:
    """Return what paths share that are one file where neither case nor the form of accents counts.

    So it is on macOS and Windows, where readers and editors keep copies of the site.
    """
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def _letters(text: str) -> str:
    """Return the letters and digits of a text in small letters, with a hyphen for what is between them."""
    if text.isascii():
        return _ODD.sub("-", text.lower()).strip("-")
    text = unicodedata.normalize("NFKC", _seen(text)).lower()
    kept: list[str] = []
    for character in unicodedata.normalize("NFKC", _seen(text)):
        category = unicodedata.category(character)
        if character == "_" or category[0] in "LN" or (category[0] == "M" and kept and kept[-1] != "-"):
            kept.append(character)
        elif kept and kept[-1] != "-":
            kept.append("-")
    return "".join(kept).rstrip("-")


def _seen(text: str) -> str:
    if text.isascii():
        return text
    return "".join(letter for letter in _UNSEEN.sub("", text) if unicodedata.category(letter) != "Cf")


def _without_accents(found: re.Match[str]) -> str:
    script = unicodedata.name(found[1], "").partition(" ")[0]
    return found[1] if script in ("LATIN", "GREEK") else found[0]
