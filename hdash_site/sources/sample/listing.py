"""The entities of an atlas as rows of the master file view, written as they come.

Synapse numbers, file handles and dates are counted up. How many files there are, and how large, is noted for
`truth.json`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from hdash_site.sources.sample.records import uuid
from hdash_site.sources.sample.values import stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hdash_site.sources.sample.shape import Atlas

COLUMNS = (
    "", "id", "name", "type", "currentVersion", "parentId", "benefactorId", "projectId", "createdBy",
    "createdOn", "modifiedOn", "modifiedBy", "dataFileHandleId", "etag", "allowedTeam", "fileFormat",
    "Component", "dataFileSizeBytes", "dataFileMD5Hex", "dataFileConcreteType", "dataFileBucket",
)  # fmt: skip
Row: TypeAlias = tuple[str | int, ...]
WriteRows: TypeAlias = "Callable[[Iterable[Row]], object]"
_TYPES = {
    "BAM": ("bam",),
    "FASTQ": ("fastq", "fasta", "fq"),
    "Image": ("tif", "tiff", "svs", "vsi", "png", "raw", "jpg", "scn", "s0001_e00"),
    "Matrix": ("csv", "tsv", "vcf", "fcs", "mtx", "txt", "h5ad", "h5", "xlsx"),
}
_TYPE_OF = {ending: name for name, endings in _TYPES.items() for ending in endings}
_S3 = "org.sagebionetworks.repo.model.file.S3FileHandle"
_FIRST_DAY = 1_580_000_000_000  # milliseconds: January 2020
_DAY = 86_400_000
_HANDLES = 10  # file handles an entity: those of data files end in 0, those of manifests in 1
# Median bytes of a data file by type.
_SIZES = {
    "BAM": 9_000_000_000,
    "FASTQ": 4_000_000_000,
    "Image": 700_000_000,
    "Matrix": 30_000_000,
    "Other": 200_000,
}


class Manifest(NamedTuple):
    """A manifest as the view sees it."""

    entity: str
    name: str
    component: str
    size: int
    md5: str
    day: int  # since the first day of the listing
    handle: int


class Listing:
    """Writes the rows of one atlas and counts what they say."""

    def __init__(self, atlas: Atlas, seed: int, write: WriteRows) -> None:
        self.atlas = atlas
        self.files: Counter[str] = Counter()  # by type, of those that are not left out
        self.bytes: Counter[str] = Counter()  # by type; "" for manifests
        self._write = write
        self._rng = stream(seed, atlas.id, "listing")
        self._last = atlas.first_entity

    def entity(self) -> str:
        self._last += 1
        return f"syn{self._last}"

    def folder(self, name: str, parent: str, *, entity: str = "", component: str = "") -> str:
        entity = entity or self.entity()
        etag, project = uuid(self._rng), self.atlas.project
        day = f"{(_FIRST_DAY + self._rng.randrange(400) * _DAY) / 1e12:.2f}E+12"  # as a spreadsheet leaves it
        self._write([(
            f"{entity[3:]}_1_{etag}", entity, name, "folder", 1, parent, project, project, 3_400_001,
            day, day, 3_400_002, "", etag, "", "", component, "", "", "", "",
        )])  # fmt: skip
        return entity

    def data(
        self, names: Sequence[str], parent: str, *, component: str = "", left_out: bool = False
    ) -> list[str]:
        """Write data files; return their Synapse ids."""
        first = self._last + 1
        self._last += len(names)
        entities = [f"syn{number}" for number in range(first, first + len(names))]
        types = [file_type(name) for name in names]
        sizes = [int(_SIZES[kind] * self._rng.lognormvariate(0, 0.8)) for kind in types]
        self._write(
            map(self._file, entities, names, types, sizes, [parent] * len(names), [component] * len(names))
        )
        if not left_out:
            self.files.update(types)
            for kind, size in zip(types, sizes, strict=True):
                self.bytes[kind] += size
        return entities

    def manifest(self, manifest: Manifest, parent: str, *, left_out: bool = False) -> None:
        etag, project = uuid(self._rng), self.atlas.project
        modified = _FIRST_DAY + manifest.day * _DAY
        handle = _HANDLES * (self.atlas.first_entity + manifest.handle) + 1
        self._write([(
            f"{manifest.entity[3:]}_2_{etag}", manifest.entity, manifest.name, "file", 2, parent, project,
            project, 3_400_001, _FIRST_DAY, modified, 3_400_002, handle, etag, "",
            "csv", manifest.component, manifest.size, manifest.md5, _S3, "sample-bucket",
        )])  # fmt: skip
        if not left_out:
            self.bytes[""] += manifest.size

    def copy(self, entity: str, name: str, parent: str) -> None:
        """A second row for an entity that is there already."""
        self._write([self._file(entity, name, "Other", 1, parent, "")])

    def _file(self, entity: str, name: str, kind: str, size: int, parent: str, component: str) -> Row:
        rng, project = self._rng, self.atlas.project
        bits = rng.getrandbits(160)
        md5 = f"{bits & (1 << 128) - 1:032x}"
        etag = f"{md5[16:24]}-{md5[4:8]}-4{md5[9:12]}-a{md5[13:16]}-{bits >> 112:012x}"
        created = _FIRST_DAY + (bits & 0xFFFFFFF) * 400
        number = entity[3:]
        return (
            f"{number}_1_{etag}", entity, name, "file", 1, parent, project, project, 3_400_001,
            created, created + (bits >> 130) % 90 * _DAY, 3_400_002, _HANDLES * int(number),
            etag, "", "" if kind == "Other" else kind.lower(), component, size, md5, _S3, "sample-bucket",
        )  # fmt: skip


def file_type(name: str) -> str:
    """By the last ending, in any case; a final `.gz` is ignored."""
    ending = name.lower().removesuffix(".gz").rpartition(".")[2]
    return _TYPE_OF.get(ending, "Other")
