"""The editions of the history as inputs of pages, cut so that a page that is made once stays as it is.

history:<name>            an edition (`htan.history`); its name is its address below `changes/`
history:#index            the names of all, the oldest first
history:#newest           what lists show of the newest, the newest first
history:#page/<number>    what they show of the first fifty, of the second fifty, and so on
history:#recent           the figures of the newest editions, of all atlases, for lines of them
history:#recent/<atlas>   the same of one atlas
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hdash_site.engine.model import Given, digest
from hdash_site.pages.figures import plural, size

LISTED = 50
"""Editions on a page that lists them."""

DRAWN = 90
"""Editions that a line goes over."""


def name_of(moment: str) -> str:
    """Give the name of the edition of a moment, which is safe in a path."""
    return "".join(sign if sign.isdigit() else "-" for sign in moment[:19])


class History:
    """All editions, the oldest first, each with its moment. One can be added as long as nobody asked."""

    def __init__(self, editions: Iterable[tuple[str, str]]) -> None:
        self._editions = {name_of(moment): text for moment, text in editions}

    @property
    def last(self) -> str:
        """The newest edition; empty if there is none."""
        return next(reversed(self._editions.values()), "")

    def add(self, moment: str, edition: str) -> None:
        self._editions[name_of(moment)] = edition

    def answer(self, name: str, part: str) -> Given | None:
        """Give an input of the kind `history`."""
        if name:
            return _given([self._editions[name]], lambda some: some[0]) if name in self._editions else None
        kind, _, rest = part.partition("/")
        texts = list(self._editions.values())
        match kind:
            case "index":
                return _given(list(self._editions), json.dumps)
            case "newest":
                return _given(texts[-LISTED:], _briefs)
            case "page" if rest.isdecimal():
                return _given(texts[LISTED * (int(rest) - 1) : LISTED * int(rest)], _briefs)
            case "recent":
                return _given(texts[-DRAWN:], functools.partial(_figures, rest))
            case _:
                return None


def _given(texts: Sequence[str], value: Callable[[Sequence[str]], str]) -> Given:
    """Give an input by the digest of what it is made of; it is made if anybody wants it."""
    return Given(digest("\n".join(texts).encode()), lambda: value(texts).encode())


def _briefs(texts: Sequence[str]) -> str:
    return json.dumps([brief(json.loads(text)) for text in reversed(texts)])


def brief(edition: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a list shows of an edition."""
    changes = edition["changes"]

    def count(name: str) -> int:
        return sum(len(some.get(name, ())) for some in changes.values())

    def findings(name: str) -> int:
        return sum(sum(some.get(name, {}).values()) for some in changes.values())

    return {
        "name": name_of(edition["when"]),
        "when": edition["when"],
        "first": not edition["before"],
        "held": len(edition["atlases"]),
        "totals": edition["totals"],
        "risen": edition["risen"],
        "atlases": list(changes),
        "arrived": edition["arrived"],
        "gone": edition["gone"],
        **{name: count(name) for name in ("added", "removed", "replaced")},
        **{name: findings(name) for name in ("new", "fixed")},
    }


def sentence(one: Mapping[str, Any]) -> str:
    """Say in words what a list shows of an edition."""
    if one["first"]:
        totals = one["totals"]
        held = [
            plural(one["held"], "atlas", "atlases"),
            *(plural(totals[f"{what}s"], what) for what in _SAID),
        ]
        return f"The history begins, with {', '.join(held)}."
    risen = one["risen"]
    parts = [
        *(f"{atlas} is new" for atlas in one["arrived"]),
        *(f"{atlas} is gone" for atlas in one["gone"]),
        *(
            _more(risen[f"{what}s"], plural(abs(risen[f"{what}s"]), what))
            for what in _SAID
            if f"{what}s" in risen
        ),
    ]
    if "bytes" in risen:
        parts.append(_more(risen["bytes"], size(abs(risen["bytes"]))))
    parts += [f"{plural(one[how], 'manifest')} {how}" for how in ("added", "replaced", "removed") if one[how]]
    if one["new"]:
        parts.append(plural(one["new"], "new finding"))
    if one["fixed"]:
        parts.append(f"{plural(one['fixed'], 'finding')} fixed")
    return f"{_some(one['atlases'])}: {', '.join(parts) or 'other figures'}."


_SAID = ("file", "record")
"""What is counted in a sentence."""

_NAMED = 5
"""Atlases that it names."""


def _more(risen: int, amount: str) -> str:
    return f"{amount} {'more' if risen > 0 else 'less' if amount.endswith('B') else 'fewer'}"


def _some(atlases: Sequence[str]) -> str:
    more = len(atlases) - _NAMED
    named = ", ".join(atlases[:_NAMED])
    return f"{named} and {more:,} more" if more > 0 else named


def _figures(atlas: str, texts: Sequence[str]) -> str:
    editions = [json.loads(text) for text in texts]
    points = [
        (edition["when"], edition["atlases"][atlas]["figures"] if atlas else edition["totals"])
        for edition in editions
        if not atlas or atlas in edition["atlases"]
    ]
    return json.dumps(points)
