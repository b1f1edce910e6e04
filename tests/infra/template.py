"""The template as one of its shapes has it: conditions decided, references written as `${Name}`."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import Any

from cfnlint.decode import decode

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "infra" / "hdash.yaml"
CHOICES = {"Site": ("public", "private"), "Database": ("none", "mysql"), "Slack": ("yes", "no")}
SHAPES = [dict(zip(CHOICES, chosen, strict=True)) for chosen in itertools.product(*CHOICES.values())]
NOTHING = object()


@functools.cache
def whole() -> dict[str, Any]:
    read, problems = decode(str(PLACE))
    assert read is not None, problems
    return read


def resources(shape: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Give the resources of a shape by name, each as it is there."""
    read = whole()
    truths = {name: _holds(condition, shape) for name, condition in read["Conditions"].items()}
    return {
        name: _plain(resource, truths)
        for name, resource in read["Resources"].items()
        if truths.get(resource.get("Condition"), True)
    }


def of_type(shape: dict[str, str], kind: str) -> dict[str, dict[str, Any]]:
    """Give the properties of the resources of a type."""
    return {name: r.get("Properties", {}) for name, r in resources(shape).items() if r["Type"] == kind}


def statements(shape: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Give each statement of each policy, of whatever type, with the name of its resource."""
    return [(name, s) for name, resource in resources(shape).items() for s in _statements(resource)]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statements(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = listed(value["Statement"]) if "Statement" in value else []
        return own + [s for key, part in value.items() if key != "Statement" for s in _statements(part)]
    return [s for part in value for s in _statements(part)] if isinstance(value, list) else []


def _holds(condition: dict[str, Any], shape: dict[str, str]) -> bool:
    [(function, (reference, value))] = condition.items()
    assert function == "Fn::Equals"
    return shape[reference["Ref"]] == value


def _plain(value: Any, truths: dict[str, bool]) -> Any:
    if isinstance(value, list):
        parts = (_plain(part, truths) for part in value)
        return [part for part in parts if part is not NOTHING]
    if not isinstance(value, dict):
        return value
    match list(value.items()):
        case [("Fn::If", [condition, yes, no])]:
            return _plain(yes if truths[condition] else no, truths)
        case [("Ref", "AWS::NoValue")]:
            return NOTHING
        case [("Ref", name)]:
            return f"${{{name}}}"
        case [("Fn::GetAtt", name)]:
            return f"${{{name if isinstance(name, str) else '.'.join(name)}}}"
        case [("Fn::Sub", text)]:
            return text
    parts = ((str(key), _plain(part, truths)) for key, part in value.items())
    return {key: part for key, part in parts if part is not NOTHING}
