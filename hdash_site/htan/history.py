"""The history of the figures. An edition is what the atlases held when a build found them changed.

An edition is JSON of `when` (UTC, ISO 8601), `before` (when the one before was; empty if it is the first),
`totals` and `risen` (figures of all atlases, and by how much those that changed did), `atlases`, `arrived`
and `gone` (ids), and `changes`. Once made it stays as it is, and holds all that its page shows.

`atlases`, by id: `figures`, and `checks`, by code: errors, warnings, and since when there are any.
`uncompared` are atlases whose figures alone could be compared, because what the edition before was made of is
not known; the key is left out if there are none.
`changes`, by id, where there are some: `risen`; `added` and `removed` (manifests: entity, component),
`replaced` (the same, and the entity that it was before), `components` that appear for the first time,
`new` and `fixed` (numbers of findings by code).

A basis is what the next edition is compared with: by atlas id, its manifests, the components that it ever
had, its findings, and the `form` of these. Findings of another form cannot be compared: the next edition then
counts no finding of that atlas as new or fixed. Findings are, by code and by group, a mark for each in one
text; or how many there are, if not all of the group were kept one by one.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from hdash_site.htan.changes import counted, group_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIGURES: Final = (
    "files",
    "bytes",
    "manifests",
    "records",
    "participants",
    "participants_with_biospecimens",
    "biospecimens",
    "filled",
    "cells",
    "errors",
    "warnings",
)
"""The figures of a summary that are kept; they can be added up."""

UNCOMPARED: Final = "uncompared"

_MARK: Final = 8
"""Bytes of the mark of a finding."""
_FORM: Final = 3
"""The form of the findings. Version 0.1.0, whose bases have no form, also digested the words of a finding and
knew no groups.
"""


_Groups: TypeAlias = "Mapping[str, str | int]"


class Report(NamedTuple):
    """What an edition takes from a report.

    `summary`, `codes`, `manifests` are its facets of that name; `findings` is `findings.csv`; `digests` are
    those of the bytes of the manifests, by entity; `mark` is equal only if all of these are.
    """

    summary: Mapping[str, Any]
    codes: Mapping[str, Sequence[int]]
    manifests: Sequence[Mapping[str, Any]]
    findings: bytes
    digests: Mapping[str, str]
    mark: str


def edition(
    before: Mapping[str, Any] | None,
    basis: Mapping[str, Any],
    reports: Mapping[str, Report | None],
    when: str,
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Give the edition that comes after `before`, or None if nothing changed, and the basis of the next one.

    `reports` are those of all atlases; None stands for one whose figures are those of `before`, as they are
    if there is no report of it today.
    """
    known: Mapping[str, Any] = before["atlases"] if before else {}
    atlases: dict[str, Any] = {}
    bases: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for atlas, report in reports.items():
        if report:
            old = basis.get(atlas)
            bases[atlas] = _basis(report, old)
            atlases[atlas] = _figures(report, known.get(atlas), when)
            changes[atlas] = _moved(old, bases[atlas]) if atlas in known and old else {}
        elif atlas in known:
            atlases[atlas] = known[atlas]
            if atlas in basis:
                bases[atlas] = basis[atlas]
    gone = [atlas for atlas in known if atlas not in atlases]
    for atlas in (*atlases, *gone):
        risen = _risen(known.get(atlas), atlases.get(atlas))
        changes[atlas] = changes.get(atlas, {}) | ({"risen": risen} if risen else {})
    changes = {atlas: some for atlas, some in changes.items() if some} if before else {}
    arrived = [atlas for atlas in atlases if atlas not in known] if before else []
    if not (changes or arrived or gone if before else atlases):
        return None, bases
    totals = _total(atlases)
    made = {
        "when": when,
        "before": before["when"] if before else "",
        "totals": totals,
        "risen": _differences(before["totals"], totals) if before else {},
        "atlases": atlases,
        "arrived": arrived,
        "gone": gone,
        "changes": changes,
    }
    uncompared = [atlas for atlas in reports if atlas in known and reports[atlas] and atlas not in basis]
    return made | ({UNCOMPARED: uncompared} if uncompared else {}), bases


def _figures(report: Report, known: Mapping[str, Any] | None, when: str) -> dict[str, Any]:
    since: dict[str, str] = {code: counts[2] for code, counts in known["checks"].items()} if known else {}
    return {
        "figures": {name: report.summary[name] for name in FIGURES},
        "checks": {code: [*counts, since.get(code, when)] for code, counts in report.codes.items()},
    }


def _total(atlases: Mapping[str, Any]) -> dict[str, int]:
    return {name: sum(one["figures"][name] for one in atlases.values()) for name in FIGURES}


def _risen(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, int]:
    return _differences(old["figures"] if old else {}, new["figures"] if new else {})


def _differences(old: Mapping[str, int], new: Mapping[str, int]) -> dict[str, int]:
    risen = {name: new.get(name, 0) - old.get(name, 0) for name in FIGURES}
    return {name: number for name, number in risen.items() if number}


def _basis(report: Report, old: Mapping[str, Any] | None) -> dict[str, Any]:
    manifests = {
        one["id"]: [
            report.digests.get(one["id"], ""),
            one["label"] or one["component"],
            one["path"].rpartition("/")[0],
        ]
        for one in report.manifests
    }
    components = {component for _, component, _ in manifests.values()}
    return {
        "mark": report.mark,
        "manifests": manifests,
        "components": sorted(components.union(old["components"] if old else ())),
        "form": _FORM,
        "findings": _findings(report.findings),
    }


def _findings(data: bytes) -> dict[str, dict[str, str | int]]:
    """Return, by code and group, the marks of all findings in one text, or the number of findings.

    A mark is a digest of what a finding is.
    """
    kept, crowded = counted(data)
    marks: dict[tuple[str, ...], list[bytes]] = {}
    for finding, count in kept.items():
        text = "\0".join(finding[1:]).encode("utf-8", "surrogatepass")
        mark = hashlib.blake2b(text, digest_size=_MARK).digest()
        marks.setdefault(group_of(finding), []).extend([mark] * count)
    groups: dict[tuple[str, ...], str | int] = {
        **{group: base64.b64encode(b"".join(sorted(some))).decode() for group, some in marks.items()},
        **crowded,
    }
    found: dict[str, dict[str, str | int]] = {}
    for (code, *group), some in sorted(groups.items()):
        found.setdefault(code, {})["/".join(reversed(group))] = some
    return found


def _moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    fresh = [name for name in new["components"] if name not in set(old["components"])]
    is_comparable = old.get("form") == new.get("form")
    some = {
        **_manifests(old["manifests"], new["manifests"]),
        "components": fresh,
        "new": _more(old["findings"], new["findings"]) if is_comparable else {},
        "fixed": _more(new["findings"], old["findings"]) if is_comparable else {},
    }
    return {name: what for name, what in some.items() if what}


def _manifests(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    """Compare manifests: one with other bytes, or in the place of another of its component, replaces it."""
    replaced = [
        [entity, component, entity]
        for entity, (digest, component, _) in new.items()
        if entity in old and old[entity][0] != digest
    ]
    left: dict[tuple[str, str], list[str]] = {}
    for entity, (_, component, folder) in old.items():
        if entity not in new:
            left.setdefault((component, folder), []).append(entity)
    added: list[list[str]] = []
    for entity, (_, component, folder) in new.items():
        if entity not in old:
            former = left.get((component, folder))
            if former:
                replaced.append([entity, component, former.pop(0)])
            else:
                added.append([entity, component])
    removed = [[entity, component] for (component, _), some in left.items() for entity in some]
    return {"added": added, "removed": removed, "replaced": replaced}


def _more(old: Mapping[str, _Groups], new: Mapping[str, _Groups]) -> dict[str, int]:
    """Count, by code, the findings that are in `new` alone."""
    counts = {
        code: sum(_more_of_group(old.get(code, {}).get(name, ""), group) for name, group in groups.items())
        for code, groups in new.items()
    }
    return {code: count for code, count in counts.items() if count}


def _more_of_group(old: str | int, new: str | int) -> int:
    """Count the findings that are in `new` alone; where not all are known, how many more there are."""
    if isinstance(old, str) and isinstance(new, str):
        return (_counts(new) - _counts(old)).total()
    return max(0, _number(new) - _number(old))


def _number(group: str | int) -> int:
    return group if isinstance(group, int) else _counts(group).total()


def _counts(marks: str) -> Counter[bytes]:
    data = base64.b64decode(marks)
    return Counter(data[at : at + _MARK] for at in range(0, len(data), _MARK))


def without(
    editions: Sequence[Mapping[str, Any]], bases: Mapping[str, Mapping[str, Any]], dropped: int
) -> tuple[list[Mapping[str, Any]], dict[str, Mapping[str, Any]]]:
    """Return editions and bases as they would be if the edition at index `dropped` had never been made.

    `editions` are all of a source, oldest first; `bases` are by the time of an edition, and known for some.
    The edition after the dropped one is compared with the one before it, and left out as well if nothing
    differs.
    """
    before = editions[dropped - 1] if dropped else None
    rest = [*editions[dropped + 1 :]]
    kept = {when: basis for when, basis in bases.items() if when != editions[dropped]["when"]}
    if rest:
        after = rest.pop(0)
        joined = _joined(before, editions[dropped], after, kept)
        if before and not (joined["changes"] or joined["arrived"] or joined["gone"]):
            basis = kept.pop(after["when"], None)
            if basis:
                kept.setdefault(before["when"], basis)
            rest[:1] = [{**edition, "before": before["when"]} for edition in rest[:1]]
        else:
            rest.insert(0, joined)
    chain = [*editions[:dropped]]
    for edition in rest:
        chain.append(_dated(chain[-1] if chain else None, edition))
    for older, newer in pairwise(edition["when"] for edition in chain):
        if older in kept and newer in kept:
            kept[newer] = {
                atlas: _with_components(basis, kept[older].get(atlas)) for atlas, basis in kept[newer].items()
            }
    return chain, kept


def _joined(
    before: Mapping[str, Any] | None,
    dropped: Mapping[str, Any],
    after: Mapping[str, Any],
    bases: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the edition `after` as compared with the edition before the dropped one."""
    joined = {name: value for name, value in after.items() if name != UNCOMPARED}
    if before is None:
        return joined | {"before": "", "risen": {}, "arrived": [], "gone": [], "changes": {}}
    known, held = before["atlases"], after["atlases"]
    old, new = bases.get(before["when"], {}), bases.get(after["when"], {})
    gone = [atlas for atlas in known if atlas not in held]
    changes: dict[str, Any] = {}
    uncompared: list[str] = []
    for atlas in (*held, *gone):
        some: dict[str, Any] = {}
        if atlas in known and atlas in held:
            if atlas in old and atlas in new:
                some = _moved(old[atlas], _with_components(new[atlas], old[atlas]))
            elif atlas in dropped["atlases"]:
                some = _composed(dropped["changes"].get(atlas, {}), after["changes"].get(atlas, {}))
            else:
                uncompared.append(atlas)
            blind = {*dropped.get(UNCOMPARED, ()), *after.get(UNCOMPARED, ())}
            uncompared += [atlas] * (atlas in blind and not (atlas in old and atlas in new))
        risen = _risen(known.get(atlas), held.get(atlas))
        some = some | ({"risen": risen} if risen else {})
        if some:
            changes[atlas] = some
    joined |= {
        "before": before["when"],
        "risen": _differences(before["totals"], after["totals"]),
        "arrived": [atlas for atlas in held if atlas not in known],
        "gone": gone,
        "changes": changes,
    }
    return joined | ({UNCOMPARED: uncompared} if uncompared else {})


def _dated(before: Mapping[str, Any] | None, edition: Mapping[str, Any]) -> dict[str, Any]:
    """Return an edition whose checks have findings since the time that the edition before it says."""
    known: Mapping[str, Any] = before["atlases"] if before else {}
    atlases: dict[str, Any] = {}
    for atlas, held in edition["atlases"].items():
        since = {code: counts[2] for code, counts in known[atlas]["checks"].items()} if atlas in known else {}
        checks = {
            code: [*counts[:2], since.get(code, edition["when"])] for code, counts in held["checks"].items()
        }
        atlases[atlas] = {**held, "checks": checks}
    return {**edition, "atlases": atlases}


def _with_components(basis: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a basis that knows the components of its own manifests and of the basis before it."""
    components = {component for _, component, _ in basis["manifests"].values()}
    return {**basis, "components": sorted(components.union(old["components"] if old else ()))}


def _composed(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return what two changes of an atlas, one after the other, come to.

    What was added and then removed cancels out, and so does what was removed and came back, though a manifest
    may have come back with other bytes. Only numbers of findings are known: as many as were new in the first
    and fixed in the second, or the other way round, are taken for the same findings.
    """
    manifests = _composed_manifests(first, second)
    shown = {one[1] for how in ("added", "replaced") for one in manifests[how]}
    came = {one[1] for how in ("added", "replaced") for one in first.get(how, ())}
    fresh = [name for name in first.get("components", ()) if name in shown or name not in came]
    new, fixed = Counter[str](), Counter[str]()
    for one, other in ((first, second), (second, first)):
        new += Counter(one.get("new", {})) - Counter(other.get("fixed", {}))
        fixed += Counter(one.get("fixed", {})) - Counter(other.get("new", {}))
    some = {
        **manifests,
        "components": sorted({*fresh, *second.get("components", ())}),
        "new": dict(sorted(new.items())),
        "fixed": dict(sorted(fixed.items())),
    }
    return {name: what for name, what in some.items() if what}


def _composed_manifests(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    """Compose changes of manifests; `placed` holds component and former entity of each that was placed."""
    placed = {entity: (component, former) for entity, component, former in _placed(first)}
    heirs = {former: entity for entity, _, former in _placed(first) if former not in ("", entity)}
    gone: dict[str, str] = dict(first.get("removed", ()))

    def take_back(entity: str) -> bool:
        """Tell whether the first change had removed or replaced this entity, which comes back."""
        heir = heirs.pop(entity, "")
        if heir in placed:
            placed[heir] = placed[heir][0], ""
        return gone.pop(entity, None) is not None or bool(heir)

    for entity, component, former in _placed(second):
        origin = placed.pop(former)[1] if former in placed else former
        if entity != former and (origin == entity or take_back(entity)):
            if origin not in ("", entity):
                gone[origin] = component
        else:
            placed[entity] = component, origin
    for entity, component in second.get("removed", ()):
        origin = placed.pop(entity)[1] if entity in placed else entity
        if origin:
            gone[origin] = component
    return {
        "added": [[entity, component] for entity, (component, former) in placed.items() if not former],
        "removed": [[entity, component] for entity, component in gone.items()],
        "replaced": [[entity, component, former] for entity, (component, former) in placed.items() if former],
    }


def _placed(changes: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return entity, component and former entity ("" if added) of the manifests added or replaced."""
    added = [(entity, component, "") for entity, component in changes.get("added", ())]
    return [*added, *((one[0], one[1], one[2]) for one in changes.get("replaced", ()))]


FEW_ATLASES: Final = 2
"""In so many atlases all manifests must have been exchanged at once before the source counts as another."""


def foreign(editions: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the indices of editions that another source made than the newest.

    Version 0.1.0 kept the editions of all sources in one history. Where the source changed, no atlas kept any
    manifest. Stretches between such changes have the same source if they have a manifest in common.
    """
    stretches: list[int] = []
    seen: list[set[str]] = []
    for index, edition in enumerate(editions):
        before = editions[index - 1] if index else None
        if before is None or _exchanged(before, edition):
            seen.append(set())
        stretches.append(len(seen) - 1)
        for some in edition["changes"].values():
            placed = _placed(some)
            seen[-1].update(entity for entity, _, _ in placed)
            if before:
                seen[stretches[index - 1]].update(former for _, _, former in placed if former)
                seen[stretches[index - 1]].update(entity for entity, _ in some.get("removed", ()))
    own, ids = {len(seen) - 1}, set(seen[-1]) if seen else set[str]()
    for stretch in reversed(range(len(seen))):
        if not ids.isdisjoint(seen[stretch]):
            own.add(stretch)
            ids |= seen[stretch]
    return [index for index, stretch in enumerate(stretches) if stretch not in own]


def _exchanged(before: Mapping[str, Any], edition: Mapping[str, Any]) -> bool:
    """Tell whether no atlas kept any of the manifests that it had in the edition before."""
    old, new = before["atlases"], edition["atlases"]
    common = [atlas for atlas in new if atlas in old]
    if not common:
        return bool(old and new)
    filled = [
        atlas for atlas in common if old[atlas]["figures"]["manifests"] and new[atlas]["figures"]["manifests"]
    ]
    return len(filled) >= FEW_ATLASES and all(
        sum(former != entity for entity, _, former in _placed(edition["changes"].get(atlas, {})))
        >= new[atlas]["figures"]["manifests"]
        for atlas in filled
    )
