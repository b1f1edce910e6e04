"""The rules of the dashboard once more, slow and plain: what a sample's `truth.json` is held against.

Knows nothing of `hdash_site.htan`, and of how the sample is made only which component is of which kind.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

from hdash_site.sources.sample.facts import components, pilots

PARTICIPANT = re.compile(r"HTA([1-9][0-9]?)_(?:EXT)?[0-9]+")
RECORD = re.compile(r"HTA([1-9][0-9]?)_(?:EXT)?[0-9]+_[0-9]+")
SHORT_NAMES = {
    "BulkDNALevel1": "BulkWESLevel1",
    "BulkDNALevel2": "BulkWESLevel2",
    "BulkDNALevel3": "BulkWESLevel3",
    "ImagingLevel3": "ImagingLevel3Segmentation",
    "10XXeniumISS": "10XGenomicsXeniumISSExperiment",
}
NO_VALUES = {"", "na", "n/a", "nan", "null", "unknown", "not applicable", "not reported"}
BOOKKEEPING = {"", "Component", "entityId", "Id", "Uuid", "Filename", "eTag", "Adjacent Biospecimen IDs"}
TYPES = {
    "BAM": {"bam"},
    "FASTQ": {"fastq", "fasta", "fq"},
    "Image": {"tif", "tiff", "svs", "vsi", "png", "raw", "jpg", "scn", "s0001_e00"},
    "Matrix": {"csv", "tsv", "vcf", "fcs", "mtx", "txt", "h5ad", "h5", "xlsx"},
}


def truth(folder: Path) -> tuple[Counter[tuple], dict[str, dict]]:
    told = json.loads((folder / "truth.json").read_text("utf-8"))
    return Counter(tuple(finding.values()) for finding in told["findings"]), told["figures"]


def check(folder: Path) -> tuple[Counter[tuple], dict[str, dict]]:
    """What the checks find, and the figures of each atlas, in the form of `truth`."""
    projects = list(csv.DictReader((folder / "projects.csv").read_text("utf-8-sig").splitlines()))
    listings = defaultdict(list)
    with (folder / "files.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            listings[row["projectId"]].append(row)
    atlases = [_Atlas(p["atlas_id"], p["id"], listings[p["id"]], folder / "manifests") for p in projects]
    found = Counter(finding for atlas in atlases for finding in atlas.findings)
    return found, {atlas.id: atlas.figures for atlas in atlases}


class _Atlas:
    def __init__(self, atlas: str, project: str, rows: list[dict[str, str]], manifests: Path) -> None:
        self.id, self.project, self.folder = atlas, project, manifests
        self.findings: list[tuple] = []
        self.figures = dict.fromkeys(("files", "bytes", "manifests", "records", "filled", "cells"), 0)
        self.figures["types"] = {kind: {"files": 0, "bytes": 0} for kind in (*TYPES, "Other")}
        self.tables: list[tuple[str, str, list[str], list[tuple[int, dict[str, str]]]]] = []
        self.data_files: set[str] = set()
        self.described: set[str] = set()
        self.read_listing(rows)
        self.check_records()

    def found(self, code, severity, manifest="", component="", row=0, column="", value=""):
        value = value.replace("\n", "\\n")
        self.findings.append((self.id, code, severity, manifest, component, row, column, value))

    def read_listing(self, rows: list[dict[str, str]]) -> None:
        entities: dict[str, dict[str, str]] = {}
        for row in rows:
            if row["id"] in entities:
                self.found("H_LISTING", "error", row["id"], value=row["name"])
            else:
                entities[row["id"]] = row
        kept = [row for row in entities.values() if not self.is_left_out(row, entities)]
        self.data_files = {row["id"] for row in kept if row["type"] == "file"}
        submitted = defaultdict(list)
        for row in kept:
            if re.fullmatch(r"synapse_storage_manifest(_.*|\.csv)", row["name"]):
                submitted[row["parentId"]].append(row)
                continue
            if not re.fullmatch("[a-zA-Z0-9._-]+", row["name"]):
                self.found("H_FILE_NAMES", "warning", row["id"], "", 0, "name", self.path(row, entities))
            if row["type"] == "file":
                self.count_data_file(row)
        self.check_folders(entities)
        for group in submitted.values():
            self.choose_manifests(group)

    def is_left_out(self, row, entities) -> bool:
        root, trouble = self.root(row, entities)
        archived = (
            not trouble and root["type"] == "folder" and root["name"].lower() in ("archive", "archives")
        )
        return archived or row["name"] == ".DS_Store"

    def count_data_file(self, row) -> None:
        ending = row["name"].lower().removesuffix(".gz").rpartition(".")[2]
        kind = next((kind for kind, endings in TYPES.items() if ending in endings), "Other")
        types = self.figures["types"]
        types[kind]["files"] += 1
        types[kind]["bytes"] += int(row["dataFileSizeBytes"])
        self.figures["files"] += 1
        self.figures["bytes"] += int(row["dataFileSizeBytes"])

    def check_folders(self, entities) -> None:
        circles = set()
        for row in entities.values():
            root, trouble = self.root(row, entities)
            if trouble == "lost":
                self.found("H_LISTING", "error", row["id"], value=row["parentId"])
            elif trouble == "circle":
                circles.add(min(root))
        for circle in circles:
            self.found("H_LISTING", "error", circle, value=entities[circle]["name"])

    def choose_manifests(self, group) -> None:
        """Of one folder: of each component the newest, a legacy one only if it is the only one."""
        legacy = "synapse_storage_manifest.csv"
        if any(row["name"] != legacy for row in group):
            group = [row for row in group if row["name"] != legacy]
        self.figures["bytes"] += sum(int(row["dataFileSizeBytes"]) for row in group)
        by_component = defaultdict(list)
        for row in group:
            whole = row["name"].replace("_censored.csv", ".csv")
            if whole != row["name"] and whole in [other["name"] for other in group]:
                self.found("H_MANIFEST", "warning", row["id"], row["Component"], 0, "name", row["name"])
            else:
                by_component[row["Component"]].append(row)
        for rows in by_component.values():
            newest = max(rows, key=lambda row: int(row["modifiedOn"]))
            if newest["name"] == legacy:
                self.found("H_MANIFEST", "warning", newest["id"], newest["Component"], 0, "name", legacy)
            for row in rows:
                if int(row["dataFileHandleId"]) > int(newest["dataFileHandleId"]):
                    self.found("H_MANIFEST", "warning", row["id"], row["Component"])
            self.figures["manifests"] += 1
            self.read_manifest(newest["id"], newest["Component"])

    def root(self, row, entities):
        seen = []
        while row["parentId"] != self.project:
            seen.append(row["id"])
            if row["parentId"] in seen:
                return seen[seen.index(row["parentId"]) :], "circle"
            if row["parentId"] not in entities:
                return row, "lost"
            row = entities[row["parentId"]]
        return row, ""

    def path(self, row, entities):
        above = entities.get(row["parentId"])
        return f"{self.path(above, entities)}/{row['name']}" if above else row["name"]

    def read_manifest(self, entity: str, annotation: str) -> None:
        data = (self.folder / f"{entity}.csv").read_bytes()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.found("H_MANIFEST", "warning", entity, annotation, value=f"byte 0x{data[error.start]:02X}")
            text = data.decode("latin-1")
        if not text:
            self.found("H_MANIFEST", "error", entity, annotation, row=1)
            return
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        for name, count in Counter(name for name in header if name).items():
            if count > 1:
                self.found("H_MANIFEST", "error", entity, annotation, 1, name, name)
        records = []
        for number, row in enumerate(rows, 2):
            if not any(row):
                continue
            if len(row) != len(header):
                self.found("H_MANIFEST", "error", entity, annotation, number)
            cells = (row + [""] * len(header))[: len(header)]
            first = dict(zip(reversed(header), reversed(cells), strict=True))  # of a repeated column
            records.append((number, first))
        if not records:
            self.found("H_MANIFEST", "warning", entity, annotation)
        counted = [
            name
            for name in dict.fromkeys(header)
            if name not in BOOKKEEPING and not re.fullmatch(r"HTAN (.* )?ID|X\d+|Unnamed: \d+", name)
        ]
        self.figures["records"] += len(records)
        self.figures["cells"] += len(records) * len(counted)
        self.figures["filled"] += sum(
            r[name].strip().lower() not in NO_VALUES for _, r in records for name in counted
        )
        self.tables.append((entity, annotation, header, records))

    def check_records(self) -> None:
        own = defaultdict(set)  # kind -> primary ids
        self.counted = defaultdict(set)  # kind -> the well-formed ones
        self.named = set()  # (manifest, column, wrong id) that has its finding
        names = {SHORT_NAMES.get(component, component) for _, component, _, _ in self.tables}
        if "Demographics" not in names:
            self.found("H_DEM", "error", component="Demographics")
        if not names & {"Biospecimen", "SRRSBiospecimen"}:
            self.found("H_BIOSPEC", "error", component="Biospecimen")
        links = []
        for entity, written, header, records in self.tables:
            component = components().get(SHORT_NAMES.get(written, written))
            if component is None:
                self.found("H_CATEGORIES", "warning", entity, written, 0, "Component", written)
                component = pilots()[written]
            needed = self.needed(component)
            for name, column in needed.items():
                if column not in header and name != "second":
                    self.found("H_MANIFEST", "error", entity, written, 1, column)
            for row, record in records:
                here = (entity, written, row)
                self.check_entity(here, needed, record)
                name = self.check_own(here, needed, record, component, own)
                links.append((here, needed, record, component, name))
        known = own["clinical"] | own["biospecimen"] | own["assay"]
        for link in links:
            self.check_links(*link, known)
        self.check_demographics(links)
        self.figures["participants"] = len(self.counted["clinical"])
        self.figures["biospecimens"] = len(self.counted["biospecimen"])

    @staticmethod
    def needed(component) -> dict[str, str]:
        if component.kind == "clinical":
            return {"own": "HTAN Participant ID"}
        if component.kind == "biospecimen":
            return {"own": "HTAN Biospecimen ID", "parent": "HTAN Parent ID"}
        if component.name == "AccessoryManifest":
            return {"parent": "HTAN Parent Biospecimen ID"}
        found = {"own": "HTAN Data File ID", "parent": component.parent, "entity": "entityId"}
        asked = {"HTAN Parent Data File ID", "HTAN Parent Biospecimen ID"} - {component.parent}
        [second] = asked & {*component.required, *component.conditional} or [""]
        return found | ({"second": second} if second else {})

    def check_entity(self, here, needed, record) -> None:
        if "entity" not in needed or "entityId" not in record:
            return
        entity = record["entityId"]
        if entity not in self.data_files or entity in self.described:
            self.found("H_ENTITY_ID", "error", *here, "entityId", entity)
        self.described.add(entity)

    def check_own(self, here, needed, record, component, own) -> str:
        column = needed.get("own")
        if column not in record:
            return ""
        text = record[column]
        match = (PARTICIPANT if component.kind == "clinical" else RECORD).fullmatch(text)
        repeated = component.kind != "clinical" and text in own[component.kind]
        if not match or repeated:
            self.found("H_ID_SPEC", "error", *here, column, text)
        elif f"HTA{match[1]}" != self.id:
            self.found("H_ID_SPEC", "warning", *here, column, text)
        if text and "," not in text:
            own[component.kind].add(text)
            if (PARTICIPANT if component.kind == "clinical" else RECORD).fullmatch(text.strip()):
                self.counted[component.kind].add(text.strip())
        return text

    def check_links(self, here, needed, record, component, name, known) -> None:
        parent, second = needed.get("parent"), needed.get("second")
        adjacent = "Adjacent Biospecimen IDs" if component.kind == "biospecimen" else None
        self.check_parent(here, parent, record, component, record.get(second, ""))
        for column in (parent, second, adjacent):
            cell = record.get(column, "")
            for text in [] if cell.startswith("Not Applicable") else re.findall(r"[^,;\s]+", cell):
                well_formed = RECORD.fullmatch(text) or (
                    column == "HTAN Parent ID" and PARTICIPANT.fullmatch(text)
                )
                is_foreign = bool(well_formed) and not text.startswith(f"{self.id}_")
                if (not well_formed or is_foreign) and text not in known:
                    self.found_once("warning" if is_foreign else "error", here, column, text)
                if well_formed and (text == name or (text not in known and "EXT" not in text)):
                    self.found("H_LINKS", "error", *here, column, text)

    def check_parent(self, here, column, record, component, second: str) -> None:
        """A parent is missing, unless the component may lack it, or names the biospecimen instead."""
        if column not in record:
            return
        if record[column].startswith("Not Applicable"):
            excused = component.name in ("BulkRNA-seqLevel2", "BulkWESLevel2") or second
        else:
            excused = record[column] or (component.name == "RPPALevel2" and second)
        if not excused:
            self.found("H_ID_SPEC", "error", *here, column, record[column])

    def found_once(self, severity, here, column, text) -> None:
        """A wrong id that is primary nowhere is a finding for each manifest and column, at its first row."""
        if (here[0], column, text) not in self.named:
            self.named.add((here[0], column, text))
            self.found("H_ID_SPEC", severity, *here, column, text)

    def check_demographics(self, links) -> None:
        known = {name for (_, written, _), *_, name in links if written == "Demographics"}
        for here, needed, _, component, name in links:
            if known and component.kind == "clinical" and PARTICIPANT.fullmatch(name) and name not in known:
                self.found("H_NON_DEM", "error", *here, needed["own"], name)
