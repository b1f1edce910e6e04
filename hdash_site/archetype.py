"""A new article from its archetype: `archetypes/<section>.md` of the site, or `default.md` there, or ours.

In an archetype `{{ title }}` stands for a title made from the name of the file, `{{ date }}` for today.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from hdash_site.errors import ContentError

FOLDER = "archetypes"

DEFAULT = """\
+++
title = "{{ title }}"
date = {{ date }}
draft = true
+++

"""


def write(root: Path, typed: Path, today: datetime.date) -> Path:
    """Write a new article, and the folders that it needs; give its path. Raises `ContentError`.

    `typed`: where the person wants it, from the folder that they are in or from that of the site.
    """
    content = (root / "content").resolve()
    path = next((full for full in (_full(Path(), typed), _full(root, typed)) if _below(full, content)), None)
    if path is None or path == content:
        raise ContentError("articles are in content/", str(typed), f"write content/{_way(typed)}")
    within = path.relative_to(content)
    if path.suffix != ".md" or path.stem.startswith("."):
        raise ContentError("an article is a file that ends in .md", str(typed), "write news/july.md, say")
    if not all(_is_plain(part) for part in within.parts):
        way_out = "write letters, digits, blanks, - and _, and no name that begins with a dot"
        raise ContentError("that is no name for an article", str(typed), way_out)
    words = {"title": _title(within), "date": today.isoformat()}
    text = re.sub(r"\{\{ *(title|date) *\}\}", lambda found: words[found[1]], _archetype(root, within))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise ContentError("there is something already", str(typed), "name another file") from None
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise ContentError(f"it cannot be written ({said})", str(typed), "name another file") from None
    return path


def _full(start: Path, typed: Path) -> Path:
    """Give a path with its symbolic links followed, so that none leads out of the content."""
    try:
        return (start / typed).resolve()
    except (OSError, RuntimeError, ValueError):
        raise ContentError("that is no path", str(typed), "name another file") from None


def _below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


def _way(typed: Path) -> str:
    """Give what the person may have meant, below the content."""
    parts = [part for part in typed.parts if part not in ("..", "content", typed.anchor)]
    return "/".join(parts) or "news/july.md"


def _is_plain(name: str) -> bool:
    return bool(re.fullmatch(r"[\w-][\w .,'&()-]*", name)) and not name.endswith((" ", "."))


def _title(within: Path) -> str:
    """Make a title of the name of the file; of its folder, if the file is one that stands for that."""
    name = within.parent.name if within.stem in ("_index", "index") and within.parent.name else within.stem
    words = " ".join(re.split(r"[\s_-]+", name)).strip()
    return words[:1].upper() + words[1:] or name


def _archetype(root: Path, within: Path) -> str:
    names = [f"{within.parts[0]}.md"] if len(within.parts) > 1 else []
    for name in (*names, "default.md"):
        path = root / FOLDER / name
        try:
            return path.read_bytes().decode("utf-8-sig")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, UnicodeDecodeError):
            way_out = "save it as UTF-8, readable by you"
            raise ContentError("the archetype cannot be read", f"{FOLDER}/{name}", way_out) from None
    return DEFAULT
