"""An atlas as the checks see it: its manifests, who comes from whom, and what its listing said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hdash_site.htan.findings import Finding
    from hdash_site.htan.lineage import Lineage
    from hdash_site.htan.manifests import Manifest


class Entities(NamedTuple):
    """The Synapse IDs of the listing, packed: to read them costs time that only few atlases need."""

    files: str
    archived: str
    """Files in archive folders."""
    folders: str


NO_ENTITIES: Final = Entities("", "", "")


@dataclass(frozen=True, slots=True)
class Atlas:
    """What the checks look at."""

    id: str
    manifests: tuple[Manifest, ...]
    """In the catalogue's order, then by path."""
    lineage: Lineage
    listing: Sequence[Finding] = ()
    """What is wrong with the listing, for the checks that it belongs to."""
    entities: Entities = NO_ENTITIES
    demographics_expected: bool = True
    exempt: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """By check, Synapse ids of manifests that it leaves out."""

    def checked(self, code: str) -> list[tuple[int, Manifest]]:
        """The manifests that could be read and that a check looks at, each with its place."""
        left_out = self.exempt.get(code, frozenset())
        return [
            (place, manifest)
            for place, manifest in enumerate(self.manifests)
            if manifest.usable and manifest.id not in left_out
        ]
