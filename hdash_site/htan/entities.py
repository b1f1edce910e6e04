"""The rows of a listing: their columns, what is written in them, and which manifests a crawl must fetch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from hdash_site.htan import sheet
from hdash_site.htan.files import vocabulary
from hdash_site.htan.text import natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COLUMNS: Final = (
    "id",
    "name",
    "type",
    "parentId",
    "currentVersion",
    "modifiedOn",
    "dataFileHandleId",
    "etag",
    "Component",
    "dataFileSizeBytes",
    "dataFileMD5Hex",
)
"""Those of the master file view that are used."""

FILE: Final = "file"
FOLDER: Final = "folder"


class Survey(NamedTuple):
    """What a crawl must know of a listing: its number of entities, and the manifests to fetch.

    A manifest is given as id, md5, file handle and etag, as typed.
    """

    entities: int
    manifests: list[tuple[str, str, str, str]]


def survey(listing: BinaryIO) -> Survey:
    """Count the rows and give of each folder the newest manifest, in memory that does not grow with them.

    Archives are not considered: what lies in them is fetched, and left out later.
    """
    rows = sheet.rows(listing, "utf-8", "replace")
    header = next(rows, list[str]())
    name = header.index("name") if "name" in header else 0
    prefix = vocabulary().manifest_prefix
    newest: dict[str, tuple[tuple[object, ...], tuple[str, str, str, str]]] = {}
    seen: set[str] = set()
    count = 0
    for chunk in sheet.chunks(rows):
        count += len(chunk)
        some = [row for row in chunk if len(row) > name and row[name].startswith(prefix)]
        for entity, _, kind, parent, _, when, handle, etag, _, _, md5 in in_order(header, some):
            if kind != FILE or not entity or entity in seen:
                continue
            seen.add(entity)
            ranked = rank(as_time(when), as_number(handle), entity)
            if parent not in newest or newest[parent][0] < ranked:
                newest[parent] = (ranked, (entity, md5, handle, etag))
    return Survey(count, [listed for _, listed in newest.values()])


def ids(listing: bytes) -> set[str]:
    """Return the ids of the entities that a listing holds."""
    rows = sheet.rows(listing, "utf-8", "replace")
    header = next(rows, list[str]())
    column = header.index("id") if "id" in header else 0
    return {row[column] for row in rows if len(row) > column and row[column]}


def in_order(header: list[str], rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """The rows with the columns of a listing, whatever the header's order is; missing cells are blank."""
    places = [header.index(name) if name in header else -1 for name in COLUMNS]
    for row in rows:
        if not sheet.is_blank(row):
            yield [row[place] if 0 <= place < len(row) else "" for place in places]


def rank(modified: int, handle: int, entity: str) -> tuple[object, ...]:
    """What orders the manifests of a folder: the newest is the greatest; of equals, the newer content."""
    return modified, handle, natural(entity)


def as_number(text: str) -> int:
    """A count or a time as typed (`13026`, `13026.0`, `1.61E+12`); what is none counts as 0."""
    try:
        read = float(text)
    except ValueError:
        return 0
    return int(read) if 0 <= read < 1e20 else 0


def as_time(text: str) -> int:
    """When it was modified, in milliseconds since 1970; 0 if that is not said."""
    found = as_number(text)
    if found:
        return found
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return 0
    return max(0, int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000))
