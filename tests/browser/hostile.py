"""Atlases whose every field holds what strangers might write to harm a reader, or a spreadsheet."""

from __future__ import annotations

from pathlib import Path

from tests import worlds

TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "</script><b>x",
    "</style><i>x",
    "]]><u>x",
    "${7*7}",
    "<%",
    "% if",
    "## x",
    "\u202ecod.exe",
    "\u2066bidi\u2069 &amp; <bdi>",
    "a\0b\x1b[31m\x07c\x7fd",
    '=HYPERLINK("http://evil")',
    "+1",
    "-1",
    "@SUM(1)",
    "../../x",
    "a/b\\c",
)
UNSEEN = {ord(character): f"<U+{ord(character):04X}>" for character in "\u202e\u2066\u2069\0\x1b\x07\x7f"}
LITERALS = ("script>alert", "onerror=", "${7*7}", "HYPERLINK")


def seen(text: str) -> str:
    """The text as a reader must see it."""
    return text.translate(UNSEEN)


def collection(folder: Path) -> worlds.Collection:
    """An atlas a text, which holds it in every field."""
    atlases = worlds.Collection(folder)
    for number, text in enumerate(TEXTS):
        add(atlases, text, number)
    atlases.save()
    return atlases


def add(atlases: worlds.Collection, text: str, number: int) -> None:
    project = atlases.atlas(text, name=f"{text} name", liaison=f"{text} liaison")
    person = f"HTA{number + 1}_1"
    folder = atlases.entity(project, project, text, "folder")
    atlases.entity(project, folder, text, Component=text)
    atlases.entity(project, folder, "../../x", Component=text)
    atlases.entity(project, project, f"{text} archive", "folder")
    atlases.entity(project, atlases.entity(project, project, "Archive", "folder"), text)

    def manifest(component: str, rows: list[dict[str, str]], annotation: str = "") -> None:
        place = atlases.entity(project, folder, f"{text} {component}", "folder")
        rows = [{"Component": component} | row for row in rows]
        atlases.manifest(project, place, annotation or component, rows, name="synapse_storage_manifest_x.csv")

    manifest(
        "Demographics",
        [
            {"HTAN Participant ID": person, "Gender": text, text: text},
            {"HTAN Participant ID": text, "Gender": text, text: ""},
        ],
    )
    manifest(
        "Therapy",
        [
            {
                "HTAN Participant ID": person,
                "Treatment Type": text,
                "Days to Treatment Start": "0",
                "Days to Treatment End": "9",
            }
        ],
    )
    manifest(
        "Biospecimen",
        [
            {
                "HTAN Biospecimen ID": own,
                "HTAN Parent ID": parent,
                "Adjacent Biospecimen IDs": text,
                "Acquisition Method Type": text,
                "Collection Days from Index": "5",
                "Site of Resection or Biopsy": text,
                "Specimen Laterality": text,
            }
            for own, parent in ((f"{person}_1", person), (text, text))
        ],
    )
    manifest(
        "ScRNA-seqLevel1",
        [
            {
                "Filename": text,
                "HTAN Parent Biospecimen ID": parent,
                "HTAN Data File ID": own,
                "entityId": text,
                text: text,
            }
            for own, parent in ((f"{person}_1001", f"{person}_1"), (text, text))
        ],
    )
    manifest(text, [{"HTAN Participant ID": text, "HTAN Parent ID": text, text: text}], annotation=text)
    broken = atlases.entity(project, folder, f"{text} broken", "folder")
    atlases.manifest(project, broken, text, f"{text}\n".encode() * 3)
    atlases.manifests.pop(atlases.manifest(project, project, "Exposure", [{"a": text}]))
