"""Who has an address: the page that had it, as long as it claims it, whatever pages come and go."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from hdash_site.engine.model import Key
from hdash_site.pages.inputs import last_build
from hdash_site.pages.names import folded, slug
from hdash_site.pages.route import Route
from hdash_site.pages.rules import refused

NAMES = ["sea", "Sea", "land", "größe", "GRÖSSE", "Größe", "日本", "c", "C++"]
PAGES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(NAMES), max_size=6)


class State:
    """What the last build left."""

    def __init__(self):
        self.values = {}

    def parts(self, key):
        return {name: name for name in self.values} if key == Key("routes") else None

    def load(self, name):
        return self.values.get(name)


class Asking:
    """A recipe at work; `asked` are its reads with their answers."""

    def __init__(self, state):
        self.answer, self.asked = last_build(state), {}

    def read(self, key):
        self.asked[key] = self.answer(key).load()
        return self.asked[key]


def build(state, pages):
    """Build pages that claim these addresses; gives who has each, what is wrong, and what was read."""
    routes = [Route("article", page, f"{slug(name)}/", page, page) for page, name in sorted(pages.items())]
    # An alias is written as it is.
    routes += [
        Route("redirect", page, f"{name}/", page, page) for page, name in pages.items() if name == "Sea"
    ]
    asking = Asking(state)
    wrong = refused(asking, routes)
    state.values = {"": json.dumps(routes).encode(), "refused": json.dumps(list(wrong)).encode()}
    state.values |= {route.name: json.dumps([route, wrong.get(route.name, "")]).encode() for route in routes}
    owners = {folded(route.file): route.name for route in routes if route.name not in wrong}
    return owners, {route.name: folded(route.file) for route in routes}, wrong, asking.asked


@given(st.lists(PAGES, min_size=1, max_size=6))
def test_a_page_keeps_its_address_as_long_as_it_claims_it(days):
    state, before = State(), {}
    for pages in days:
        owners, claims, wrong, asked = build(state, pages)
        assert set(owners) == set(claims.values()), "each address has an owner"
        assert len(owners) + len(wrong) == len(claims), "and only one"
        for address, owner in before.items():
            assert owners.get(address) == owner or claims.get(owner) != address
        again = build(state, pages)
        assert again == (owners, claims, wrong, asked), "a second build reads the same answers"
        before = owners


@given(PAGES)
def test_without_a_build_before_the_order_of_the_pages_decides(pages):
    first, *_ = build(State(), pages)
    second, *_ = build(State(), dict(reversed(pages.items())))
    assert first == second
