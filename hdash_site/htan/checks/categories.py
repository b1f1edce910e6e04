"""Every manifest has a component that the dashboard knows.

**Passes** when the component of each manifest (its `Component` annotation in Synapse or, without one, the
most frequent value of its Component column) is in the HTAN data model or in the settings of this site.

**Example**: the annotation says `Scrnaseq_L1`; the component is `ScRNA-seqLevel1`. The page of the data
model of this site lists all names.

**What to do**: correct the annotation, or ask the DCC to add the component (a `[[component]]` table in
`site.toml`, no code). Until then the manifest is shown and counted, and it is checked by the id columns
that it has.

**Compared with the dashboard before**: there an unknown component was an error, and so were real ones such
as scDNA-seq, GeoMx and Xenium. Now the whole data model is known, and what is unknown is one warning a
component, not one a manifest.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from hdash_site.htan.findings import Finding, Severity
from hdash_site.htan.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hdash_site.htan.atlas import Atlas

CODE: Final = "H_CATEGORIES"
TITLE: Final = "Every component is known"
SEVERITY: Final[Severity] = "warning"


def check(atlas: Atlas) -> Iterator[Finding]:
    left_out = atlas.exempt.get(CODE, frozenset())
    first = {
        manifest.component.name: manifest
        for manifest in reversed(atlas.manifests)
        if not manifest.is_known and manifest.component.name and manifest.id not in left_out
    }
    counts = Counter(manifest.component.name for manifest in atlas.manifests)
    for name, manifest in reversed(first.items()):
        same = counts[name] - 1
        others = f" ({same} more of its manifests)" if same else ""
        message = f"The component is not in the HTAN data model; correct it, or have it added{others}."
        yield Finding(
            CODE,
            SEVERITY,
            manifest.id,
            shown(name),
            0,
            "Component",
            shown(name),
            "a component of the data model",
            message,
            "unknown-component",
        )
