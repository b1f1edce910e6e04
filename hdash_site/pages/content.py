"""Articles: front matter (`pages.matter`), a body in markdown (`pages.markup`), and the files beside it."""

from __future__ import annotations

import importlib
import io
import json
import re
import urllib.parse
from collections.abc import Callable, Container
from pathlib import PurePosixPath
from typing import Any

from hdash_site.errors import ContentError
from hdash_site.pages import figures, markup, shortcodes
from hdash_site.pages import matter as front_matter
from hdash_site.pages.effort import TooMuch
from hdash_site.pages.names import slug

_LARGEST = 4_000_000
"""Bytes of an article: several books."""

_HEADS = re.compile(rb"\x89PNG\r\n|GIF8[79]a|\xff\xd8\xff|RIFF....WEBP", re.DOTALL)
"""How the pictures of `PICTURES` begin, whatever their names; readers of other formats can take long."""

_HEADER = 4_000_000
"""Bytes of a picture in which its size is looked for: a JPEG has profiles and previews before it."""

PICTURES = frozenset((".gif", ".jpeg", ".jpg", ".png", ".webp"))
RESOURCES = PICTURES | {".csv", ".json", ".pdf", ".tsv", ".txt"}
"""What is published from the folder of an article. An SVG can hold scripts: it belongs to the layouts."""

WHOLE, CALLS = b"whole", b"calls"
"""States of a body: there is no error in it; it has shortcodes, which can have errors."""

_RESOURCE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")


def parts(
    path: str,
    data: bytes | None,
    measured: Callable[[str], markup.Size | None] = lambda _: None,
    *,
    raw_html: bool = False,
) -> dict[str, bytes]:
    """Give the parts of an article; no data: it cannot be read. `measured` gives a picture's size.

    They are `front-matter` (JSON), `contents`, its headings (JSON), and what `shortcodes.parts` gives.
    `problem` says what is wrong; what can be understood of the front matter is there all the same. `state` is
    `WHOLE` or `CALLS`; an article without it cannot be made.
    """
    found: dict[str, bytes] = {}
    try:
        if data is None:
            raise ContentError("cannot be read", f"content/{path}", "give it a plain name, readable by you")
        if len(data) > _LARGEST:
            problem = (
                f"the article has {figures.size(len(data))}; at most {figures.size(_LARGEST)} are allowed"
            )
            raise ContentError(problem, f"content/{path}", "divide it into several articles")
        matter, body, line = front_matter.split(path, data)
        found["front-matter"] = json.dumps(matter).encode()
        made: list[markup.Html] = []

        def convert(text: str) -> str:
            made.append(_converted(path, line, text, measured, raw_html))
            return made[-1].html

        found |= shortcodes.parts(f"content/{path}", data, body, convert)
        contents = shortcodes.unmarked(json.dumps(made[-1].contents, ensure_ascii=False))
        return found | {"contents": contents.encode(), "state": CALLS if "calls" in found else WHOLE}
    except ContentError as error:
        return found | {"problem": json.dumps(error.args).encode()}


def pictures(path: str, data: bytes | None, *, raw_html: bool = False) -> list[str]:
    """Return the paths of the pictures whose sizes `parts` asks for, below `content/`."""
    asked: dict[str, None] = {}

    def note(picture: str) -> markup.Size | None:
        asked[picture] = None
        return (1, 1)

    parts(path, data, note, raw_html=raw_html)
    return list(asked)


class _NoPicture(Exception):
    """A picture that an article shows is not there; what to do about it."""

    def __init__(self, target: str, way_out: str) -> None:
        super().__init__(target, way_out)
        self.target, self.way_out = target, way_out


def _converted(
    path: str, line: int, body: str, measured: Callable[[str], markup.Size | None], raw_html: bool
) -> markup.Html:
    place = f"content/{path}, line {line}"
    try:
        return markup.converted(body, lambda target: _picture(path, target, measured), raw_html=raw_html)
    except _NoPicture as missing:
        line += body.count("\n", 0, max(0, body.find(missing.target)))
        problem = f"there is no picture {missing.target!r}"
        raise ContentError(problem, f"content/{path}, line {line}", missing.way_out) from None
    except TooMuch as much:
        line += _line_with(much.text, body)
        raise ContentError(much.reason.problem, f"content/{path}, line {line}", much.reason.way_out) from None
    except (ContentError, MemoryError):  # of a picture; where memory is limited
        raise
    except Exception as error:  # its extensions fail on some texts, each in a way of its own
        said = "it is nested too deep" if isinstance(error, RecursionError) else type(error).__name__
        way_out = "write it in a simpler way from there on"
        raise ContentError(f"the markdown cannot be understood ({said})", place, way_out) from error


def _line_with(part: str, body: str) -> int:
    """Count the lines of a body before a part of it as markdown knows it; 0 if that cannot be told."""
    # Markdown has replaced what it has understood so far by marks of its own.
    pieces = re.split(r"[\n\x02\x03]", part)
    at = body.find(max(pieces, key=len)[:60])
    return body.count("\n", 0, max(0, at))


def _picture(path: str, target: str, measured: Callable[[str], markup.Size | None]) -> markup.Size | None:
    """Give the size of a picture in the folder of an article; None: it is elsewhere. Raises `_NoPicture`."""
    plain = urllib.parse.unquote(target).removeprefix("./")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|[/#?]|\.\./|$", plain):
        return None
    folder, _, name = path.rpartition("/")
    if not has_folder(path):
        raise _NoPicture(
            target, f"move the article to {path.removesuffix('.md')}/index.md, the picture beside it"
        )
    if not is_resource(plain) or PurePosixPath(plain).suffix not in PICTURES:
        kinds = ", ".join(sorted(PICTURES))
        raise _NoPicture(target, f"give it a name of letters, digits, - and _, with one of {kinds}")
    size = measured(f"{folder}/{plain}") if name == "index.md" or "/" not in plain else None
    if size is None:
        raise _NoPicture(target, f"put it into content/{folder}/, or correct the name")
    return size


def section_of(path: str) -> str:
    """Give the folder whose section lists an article; empty if none does. An `_index.md` is in its own."""
    folder, _, name = path.rpartition("/")
    return folder.rpartition("/")[0] if name == "index.md" else folder


def has_folder(path: str) -> bool:
    """Tell whether an article can have files of its own beside it."""
    return path.rpartition("/")[2] in ("index.md", "_index.md")


def is_resource(path: str) -> bool:
    """Tell whether a file may be published from the folder of an article, by its name."""
    return bool(_RESOURCE.fullmatch(path)) and PurePosixPath(path).suffix in RESOURCES


def bundle_of(path: str, articles: Container[str]) -> str:
    """Give the article in whose folder a file lies: an `index.md` above it, or an `_index.md` beside it."""
    for folder in PurePosixPath(path).parents:
        if f"{folder}/index.md" in articles:
            return f"{folder}/index.md"
        if f"{folder}/_index.md" in articles and folder == PurePosixPath(path).parent:
            return f"{folder}/_index.md"
    return ""


def size(data: bytes | None) -> dict[str, bytes]:
    """Give the `size` of a picture (JSON); nothing if it is none."""
    if data is None or not _HEADS.match(data):
        return {}
    imagesize: Any = importlib.import_module("imagesize")  # has no types

    try:
        width, height = imagesize.get(io.BytesIO(data[:_HEADER]))
    except Exception:  # its readers of formats fail on broken pictures, each in a way of its own
        return {}
    return {"size": json.dumps([width, height]).encode()} if width > 0 and height > 0 else {}


def address(path: str, matter: dict[str, Any]) -> str:
    """Give the address of an article.

    `about.md` is at `about/`, `notes/_index.md` at `notes/`, `notes/trip/index.md` at `notes/trip/`.
    """
    *folders, name = path.removesuffix(".md").split("/")
    if name == "index" and folders:
        name = folders.pop()
    last = [] if name == "_index" else [slug(matter.get("slug") or name)]
    return "".join(f"{part}/" for part in [*map(slug, folders), *last])
