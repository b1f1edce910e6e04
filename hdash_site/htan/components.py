"""The catalogue of components: what each kind of metadata manifest is, and how its rows link.

The components are data (`data/components.toml`, in the order of the HTAN data model); `site.toml` adds
or overrides some. The class-name rule is the only code.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

from hdash_site.htan.columns import PARENT_DATA_FILE_ID
from hdash_site.htan.privacy import is_age

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Kind = Literal["clinical", "biospecimen", "assay"]
Group = Literal["", "clinical", "clinical-tier3", "single-cell", "bulk", "imaging", "other"]

KINDS: Final = get_args(Kind)
GROUPS: Final = get_args(Group)


@dataclass(frozen=True, slots=True)
class Component:
    """One kind of manifest. The fields are described at the top of `data/components.toml`."""

    name: str
    label: str
    kind: Kind
    group: Group = ""
    level: int = 0
    abbreviation: str = ""
    primary_id: str = ""
    parent_id: str = ""
    adjacent_id: str = ""
    second_parent_id: str = ""
    aliases: tuple[str, ...] = ()
    parent_may_be_not_applicable: bool = False
    parent_may_be_missing: bool = False
    check_primary: bool = True
    entity_id_required: bool = False
    publish: tuple[str, ...] = ()

    @property
    def id_columns(self) -> tuple[str, ...]:
        """The id columns that it names: primary, parents, adjacent."""
        columns = (self.primary_id, self.parent_id, self.second_parent_id, self.adjacent_id)
        return tuple(column for column in columns if column)

    @property
    def is_root(self) -> bool:
        """Whether the chain of levels can begin here: its files need not come from other files."""
        return self.parent_id not in ("", PARENT_DATA_FILE_ID) or self.parent_may_be_missing


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All components, in the model's order."""

    components: tuple[Component, ...]
    _names: dict[str, int] = field(repr=False)

    def __iter__(self) -> Iterator[Component]:
        return iter(self.components)

    def __len__(self) -> int:
        return len(self.components)

    def find(self, name: str) -> Component | None:
        """The component of this name, alias, or label; None if there is none."""
        place = self._names.get(name)
        if place is None:
            place = self._names.get(class_name(name))
        return None if place is None else self.components[place]

    def order(self, component: Component) -> int:
        """Where the component stands in the model; the ones that it does not know come last."""
        return self._names.get(component.name, len(self.components))

    def id_columns(self) -> tuple[str, ...]:
        """Every id column that some component names, each once."""
        return tuple(dict.fromkeys(column for component in self for column in component.id_columns))


def class_name(label: str) -> str:
    """The name that manifests and annotations write for a label of the data model.

    Blanks go, words begin with a capital, hyphens stay: `scRNA-seq Level 1` is `ScRNA-seqLevel1`.
    """
    return "".join(word[:1].upper() + word[1:] for word in label.split())


def catalogue(extra: Sequence[Mapping[str, object]] = ()) -> Catalogue:
    """The built-in components and those of the site's `[[component]]` tables.

    A table whose name is known overrides the keys that it gives; another adds a component at the end.
    Raises ValueError for a key or a value that is not a component's.
    """
    if not extra:
        return _built_in()
    known = {component.name: component for component in _built_in()}
    for table in extra:
        name = _checked(table).get("name")
        if not isinstance(name, str) or not name.strip():
            raise ValueError('A [[component]] has no name; give it one, like name = "ImagingLevel5".')
        base = _built_in().find(name)
        component = _component(table, known.get(base.name if base else name))
        known[component.name] = component
    return _catalogue(tuple(known.values()))


@cache
def _built_in() -> Catalogue:
    text = files(__package__ or "").joinpath("data/components.toml").read_text(encoding="utf-8")
    return _catalogue(tuple(_component(table, None) for table in tomllib.loads(text)["component"]))


def _catalogue(components: tuple[Component, ...]) -> Catalogue:
    """Index the components. A name comes before an alias, and an alias before a label."""
    names = {component.name: place for place, component in enumerate(components)}
    for place, component in enumerate(components):
        for alias in component.aliases:
            names.setdefault(alias, place)
    for place, component in enumerate(components):
        names.setdefault(class_name(component.label), place)
    return Catalogue(components, names)


def _component(table: Mapping[str, object], base: Component | None) -> Component:
    values = dict(cast("Mapping[str, Any]", table))
    values |= {name: tuple(values[name]) for name in ("aliases", "publish") if name in values}
    if base is not None:
        return replace(base, **{**values, "name": base.name})
    if "kind" not in values:
        raise ValueError(f"The component {values['name']} has no kind; it is one of {_either(KINDS)}.")
    values.setdefault("label", values["name"])
    values.setdefault("entity_id_required", values["kind"] == "assay")
    values.setdefault("group", _GROUP_OF[values["kind"]])
    values.setdefault("abbreviation", values["name"])
    return Component(**values)


_TYPES: Final[dict[str, tuple[type, str]]] = {
    "str": (str, "text"),
    "int": (int, "a whole number"),
    "bool": (bool, "true or false"),
    "tuple[str, ...]": (list, "a list of texts"),
    "Kind": (str, "text"),
    "Group": (str, "text"),
}
_GROUP_OF: Final[dict[Kind, Group]] = {"clinical": "clinical", "biospecimen": "", "assay": "other"}
_CHOICES: Final[dict[str, tuple[str, ...]]] = {"kind": KINDS, "group": GROUPS}


def _checked(table: Mapping[str, object]) -> Mapping[str, object]:
    """Return the site's table, or raise ValueError with what is wrong and what would be right."""
    types = {item.name: str(item.type) for item in fields(Component)}
    name = table.get("name", "without a name")
    for key, value in table.items():
        if key not in types:
            raise ValueError(f"The component {name} has an unknown key {key}; keys are {', '.join(types)}.")
        right, words = _TYPES[types[key]]
        if not _is(value, right):
            raise ValueError(f"The component {name} has {key} = {value!r}; it must be {words}.")
        if key in _CHOICES and value not in _CHOICES[key]:
            choices = _either(_CHOICES[key])
            raise ValueError(f"The component {name} has {key} = {value!r}; it is one of {choices}.")
    private = list(filter(is_age, cast("list[str]", table.get("publish", []))))
    if private:
        raise ValueError(
            f"The component {name} publishes {private[0]!r}; ages, days, years and dates of a participant "
            "are never published. Remove this column from publish."
        )
    return table


def _is(value: object, right: type) -> bool:
    """Whether a TOML value is of this type; a list is one of texts. (A bool is no int here.)"""
    if right is list and isinstance(value, list):
        return all(isinstance(item, str) for item in cast("list[object]", value))
    return type(value) is right


def _either(words: tuple[str, ...]) -> str:
    return ", ".join(word for word in words if word)
