"""Writes one atlas: its folders, manifests and files, and the truth about them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hdash_site.sources.sample import faults, manifests
from hdash_site.sources.sample.lineage import Lineage, lineage
from hdash_site.sources.sample.listing import Listing, Manifest
from hdash_site.sources.sample.truth import FIRST_RECORD, HEADER, Figures, Finding, Truth
from hdash_site.sources.sample.values import stream

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from hdash_site.sources.sample.listing import WriteRows
    from hdash_site.sources.sample.manifests import Draft, Place, Written
    from hdash_site.sources.sample.shape import Atlas, Sheet

_PLAIN_SHARE = 3  # for so many described files there is one that no manifest describes
_BAD_FILES = (
    "slide {n} (copy).svs",
    "Übersicht {n}.tif",
    "counts#{n}.csv",
    "R&D notes {n}.pdf",
    "final version {n}.h5ad",
)
_LEGACY = "synapse_storage_manifest.csv"
_PLAIN = ("_qc.html", "_metrics.csv", "_notes.pdf", ".log", "_thumbnail.png")


@dataclass(slots=True)
class Writer:
    """One atlas being written."""

    atlas: Atlas
    folder: Path
    seed: int
    scale: float
    plan: faults.Plan
    family: Lineage
    listing: Listing
    truth: Truth
    figures: Figures
    rng: Random
    roots: dict[str, str] = field(default_factory=dict[str, str])
    submitted: int = 0

    def found(
        self, code: str, severity: str, manifest: str = "", component: str = "", **place: str | int
    ) -> None:
        finding = Finding(self.atlas.id, code, severity, manifest, component)
        self.truth.findings.append(finding._replace(**place))


def write_atlas(atlas: Atlas, folder: Path, rows: WriteRows, truth: Truth, seed: int, scale: float) -> None:
    plan = faults.plan(atlas, seed, scale)
    figures = truth.figures[atlas.id] = Figures()
    writer = Writer(
        atlas=atlas,
        folder=folder,
        seed=seed,
        scale=scale,
        plan=plan,
        family=lineage(atlas, plan.spoilt),
        listing=Listing(atlas, seed, rows),
        truth=truth,
        figures=figures,
        rng=stream(seed, atlas.id, "folders"),
    )
    _missing_components(writer)
    for sheet in (*atlas.sheets, *plan.extra):
        _submit(writer, sheet)
    _documents(writer)
    _archive(writer)
    for kind in plan.listing:
        _LISTING[kind](writer)
    figures.listed(writer.listing.files, writer.listing.bytes)
    figures.participants, figures.biospecimens = plan.people(atlas, writer.family)


def _missing_components(writer: Writer) -> None:
    if not writer.atlas.count("Demographics"):
        writer.found("H_DEM", "error", component="Demographics")
    if not writer.atlas.count("biospecimen"):
        writer.found("H_BIOSPEC", "error", component="Biospecimen")


def _submit(writer: Writer, sheet: Sheet) -> None:
    """A folder with a manifest, the files that it describes, and what else lies there."""
    place = _place(writer, sheet)
    draft = manifests.draft(sheet, place, writer.family, writer.plan, writer.seed)
    path = writer.folder / "manifests" / f"{place.entity}.csv"
    written = manifests.write_manifest(draft, path, writer.listing)
    _list(writer, written, place, _LEGACY if draft.damage == "legacy name" else "")
    _note(writer, draft, written)
    if draft.damage == "newer content superseded" or (
        writer.rng.random() < 0.12 and draft.damage != "legacy name"
    ):
        _superseded(writer, draft, written)
    if draft.damage == "censored copy":
        _censored(writer, draft, written)
    if sheet.component.kind == "clinical" and not writer.plan.is_faulty(sheet) and sheet.rows % 5 == 1:
        _twin(writer, draft, written, path)
    _clutter(writer, sheet, place)


def _place(writer: Writer, sheet: Sheet) -> Place:
    name, listing = sheet.component.folder, writer.listing
    if name not in writer.roots:
        writer.roots[name] = listing.folder(name, writer.atlas.project, component="DataFlow")
    batch = f"batch_{sheet.ordinal:03d}"
    folder = listing.folder(batch, writer.roots[name])
    return manifests.Place(listing.entity(), folder, f"{name}/{batch}")


def _list(writer: Writer, written: Written, place: Place, name: str = "") -> None:
    """The manifest's own row, and the figures that it adds to."""
    writer.submitted += 1
    component = written.recipe.style.component
    name = name or f"synapse_storage_manifest_{component.lower()}.csv"
    day, handle = 500 + writer.submitted % 400, 2 * writer.submitted
    entity = Manifest(place.entity, name, component, written.size, written.md5, day, handle)
    writer.listing.manifest(entity, place.folder)
    figures = writer.figures
    figures.manifests += 1
    figures.records += written.records
    figures.filled += written.filled
    figures.cells += written.cells


def _note(writer: Writer, draft: Draft, written: Written) -> None:
    """What the checks must say of the manifest."""
    entity, component = draft.place.entity, written.recipe.style.component
    for spot, cell in written.typed:
        if spot.code:
            row, value = spot.row + FIRST_RECORD, cell.replace("\n", "\\n")
            writer.found(
                spot.code, spot.severity, entity, component, row=row, column=spot.column, value=value
            )
    damage, column = draft.damage, manifests.damaged_column(draft)
    if damage == "latin-1":
        writer.found("H_MANIFEST", "warning", entity, component, value=f"byte 0x{written.odd_byte:02X}")
    elif damage == "no records":
        writer.found("H_MANIFEST", "warning", entity, component)
    elif damage == "no bytes":
        writer.found("H_MANIFEST", "error", entity, component, row=HEADER)
    elif damage in ("long record", "short record"):
        writer.found("H_MANIFEST", "error", entity, component, row=manifests.RAGGED + FIRST_RECORD)
    elif damage == "unknown component":
        writer.found("H_CATEGORIES", "warning", entity, component, column="Component", value=component)
    elif damage == "legacy name":
        writer.found("H_MANIFEST", "warning", entity, component, column="name", value=_LEGACY)
    elif damage == "repeated column":
        writer.found("H_MANIFEST", "error", entity, component, row=HEADER, column=column, value=column)
    elif column:
        writer.found("H_MANIFEST", "error", entity, component, row=HEADER, column=column)


def _superseded(writer: Writer, draft: Draft, written: Written) -> None:
    """An older manifest in the same folder; every other one has lost its bytes."""
    listing, component = writer.listing, written.recipe.style.component
    entity = listing.entity()
    newer = draft.damage == "newer content superseded"
    data = f"Component,entityId\n{component},\n".encode()
    if writer.submitted % 2:
        (writer.folder / "manifests" / f"{entity}.csv").write_bytes(data)
    handle = 2 * writer.submitted + (1 if newer else -1)
    name = f"synapse_storage_manifest_{component.lower()}_old.csv"
    md5 = manifests.md5_of(data)
    listing.manifest(Manifest(entity, name, component, len(data), md5, 100, handle), draft.place.folder)
    if newer:
        writer.found("H_MANIFEST", "warning", entity, component)


def _censored(writer: Writer, draft: Draft, written: Written) -> None:
    """A newer manifest beside the whole one, with the cells of its records blanked."""
    listing, component = writer.listing, written.recipe.style.component
    entity = listing.entity()
    data = ("Component,entityId\n" + f"{component},\n" * written.records).encode()
    (writer.folder / "manifests" / f"{entity}.csv").write_bytes(data)
    name = f"synapse_storage_manifest_{component.lower()}_censored.csv"
    md5, day, handle = manifests.md5_of(data), 1_000, 2 * writer.submitted + 1
    listing.manifest(Manifest(entity, name, component, len(data), md5, day, handle), draft.place.folder)
    writer.found("H_MANIFEST", "warning", entity, component, column="name", value=name)


def _twin(writer: Writer, draft: Draft, written: Written, path: Path) -> None:
    """The same bytes submitted once more, elsewhere."""
    name = f"resubmitted_{draft.sheet.ordinal:03d}"
    folder = writer.listing.folder(name, writer.roots[draft.sheet.component.folder])
    entity = writer.listing.entity()
    shutil.copyfile(path, path.with_name(f"{entity}.csv"))
    _list(writer, written, draft.place._replace(entity=entity, folder=folder))


def _clutter(writer: Writer, sheet: Sheet, place: Place) -> None:
    """Files that no manifest describes, and some that do not count."""
    listing, rng = writer.listing, writer.rng
    if sheet.component.endings:
        stem = f"{sheet.atlas}_{sheet.component.folder}_{sheet.ordinal:03d}"
        numbers = range(sheet.rows // _PLAIN_SHARE)
        for low in range(0, len(numbers), 2_000):
            names = [f"{stem}_{n:05d}{_PLAIN[n % len(_PLAIN)]}" for n in numbers[low : low + 2_000]]
            listing.data(names, place.folder)
    if rng.random() < 0.1:
        listing.data([".DS_Store"], place.folder, left_out=True)
    if rng.random() < 0.1 and writer.plan.damage.get(sheet.key) != "legacy name":
        listing.data([_LEGACY], place.folder, component=sheet.component.name, left_out=True)


def _documents(writer: Writer) -> None:
    listing = writer.listing
    folder = listing.folder("documents", writer.atlas.project)
    listing.data(["README.md", "plain.gz", "protocol.PDF", "cohort.XLSX", "overview.TIF"], folder)
    listing.data(["consent.pdf"], listing.folder("archived_notes", writer.atlas.project))


def _archive(writer: Writer) -> None:
    """A root folder that is left out whatever is wrong in it."""
    listing = writer.listing
    name = ("archive", "Archive", "archives", "ARCHIVE")[int(writer.atlas.id[3:]) % 4]
    folder = listing.folder(name, writer.atlas.project)
    inner = listing.folder("2019 (first try)", folder)
    listing.data([f"old scan {n}.tif" for n in range(3)], inner, left_out=True)
    entity = listing.entity()
    data = b"\xff\xfe no manifest at all \x00"
    (writer.folder / "manifests" / f"{entity}.csv").write_bytes(data)
    manifest = Manifest(
        entity, "synapse_storage_manifest_old.csv", "Pilot", len(data), manifests.md5_of(data), 300, 1
    )
    listing.manifest(manifest, inner, left_out=True)


def _bad_file_names(writer: Writer) -> None:
    folder = writer.listing.folder("from_collaborators", writer.atlas.project)
    for n in range(max(1, round(6 * writer.scale))):
        name = _BAD_FILES[(n + len(writer.atlas.sheets)) % len(_BAD_FILES)].format(n=n)
        [entity] = writer.listing.data([name], folder)
        writer.found("H_FILE_NAMES", "warning", entity, column="name", value=f"from_collaborators/{name}")


def _bad_folder_name(writer: Writer) -> None:
    name = "Batch 7 (new)"
    folder = writer.listing.folder(name, writer.listing.folder("uploads", writer.atlas.project))
    writer.listing.data(["first.bam", "second.bam"], folder)
    writer.listing.data(["third.fastq.gz"], writer.listing.folder("inner", folder))
    writer.found("H_FILE_NAMES", "warning", folder, column="name", value=f"uploads/{name}")


def _lost_file(writer: Writer) -> None:
    nowhere = f"{writer.atlas.project}999"
    [entity] = writer.listing.data(["lost.bam"], nowhere)
    writer.found("H_LISTING", "error", entity, value=nowhere)


def _circle(writer: Writer) -> None:
    listing = writer.listing
    one, other = listing.entity(), listing.entity()
    # Found at the folder that is named as a parent first.
    listing.folder("right", one, entity=other)
    listing.folder("left", other, entity=one)
    writer.found("H_LISTING", "error", one, value="left")


def _same_id_twice(writer: Writer) -> None:
    folder = writer.listing.folder("duplicates", writer.atlas.project)
    [entity] = writer.listing.data(["original.tif"], folder)
    writer.listing.copy(entity, "copy.tif", folder)
    writer.found("H_LISTING", "error", entity, value="copy.tif")


_LISTING = {
    "file name": _bad_file_names,
    "folder name": _bad_folder_name,
    "no such folder": _lost_file,
    "folders in a circle": _circle,
    "same id twice": _same_id_twice,
}
