"""One named situation each: the edit, and exactly what runs."""

from __future__ import annotations

import threading
import time

import pytest

from hdash_site.engine.model import ABSENT, Cycle, Key, NotDeterministic, digest
from tests.engine.world import World


def upper(name):
    return lambda context: context.read(Key(name)).upper()


def joined(*names):
    return lambda context: b"+".join(context.read(Key(name)) for name in names)


@pytest.fixture(params=[0, 3], ids=["one thread", "four threads"])
def helpers(request):
    return request.param


def test_a_first_build_runs_every_recipe_that_is_asked_for_and_no_other(helpers):
    world = World(
        {"a": b"x"}, {"up": upper("a"), "page": joined("up"), "other": joined("up")}, helpers=helpers
    )
    outcome = world.build("page")
    assert outcome.values == {"page": b"X"}
    assert sorted(outcome.ran) == ["page", "up"]
    assert set(outcome.reasons.values()) == {"never built"}


def test_a_second_build_runs_nothing_and_reads_no_value(helpers):
    world = World({"a": b"x"}, {"up": upper("a"), "page": joined("up")}, helpers=helpers)
    world.build("page")
    world.store.loads = 0
    outcome = world.build("page")
    assert outcome.ran == []
    assert world.store.loads == 1  # the test's own look at the page


def test_a_value_that_comes_out_the_same_leaves_its_readers_standing(helpers):
    world = World({"a": b"x"}, {"up": upper("a"), "page": joined("up")}, helpers=helpers)
    world.build("page")
    world.inputs["a"] = b"X"
    outcome = world.build("page")
    assert outcome.ran == ["up"]
    assert outcome.cut_off == ["up"]
    assert outcome.reasons == {"up": "a: changed"}


def test_a_part_that_stays_the_same_leaves_its_readers_standing(helpers):
    def report(context):
        first, second = context.read(Key("a")).split()
        return {"first": first, "second": second}

    recipes = {
        "report": report,
        "one": lambda context: context.read(Key("report", "", "first")),
        "two": lambda context: context.read(Key("report", "", "second")),
    }
    world = World({"a": b"x y"}, recipes, helpers=helpers)
    world.build("one", "two")
    world.inputs["a"] = b"x z"
    outcome = world.build("one", "two")
    assert sorted(outcome.ran) == ["report", "two"]
    assert outcome.reasons["two"] == "report:#second changed"


def test_reads_are_compared_in_order_and_up_to_the_first_difference():
    # A page reads a flag, and the costly task only if the flag is set.
    def page(context):
        return context.read(Key("costly")) if context.read(Key("flag")) == b"1" else b"plain"

    world = World({"flag": b"1", "a": b"x"}, {"costly": upper("a"), "page": page})
    world.build("page")
    world.inputs.update(flag=b"0", a=b"y")
    outcome = world.build("page")
    assert outcome.values == {"page": b"plain"}
    assert outcome.ran == ["page"]


def test_a_read_that_found_nothing_is_a_read(helpers):
    def page(context):
        return context.find(Key("a")) or b"none"

    world = World({}, {"page": page}, helpers=helpers)
    assert world.build("page").values == {"page": b"none"}
    assert world.store.traces[Key("page")].reads == ((Key("a"), ABSENT),)
    assert world.build("page").ran == []
    world.inputs["a"] = b"x"
    assert world.build("page").values == {"page": b"x"}


def test_a_new_recipe_runs_again_though_nothing_it_reads_changed(helpers):
    world = World({"a": b"x"}, {"up": upper("a"), "page": joined("up")}, helpers=helpers)
    world.build("page")
    world.versions["up"] = "2"
    outcome = world.build("page")
    assert outcome.reasons == {"up": "recipe changed"}


def test_a_lost_value_is_made_again_only_when_somebody_wants_it(helpers):
    world = World({"a": b"x", "b": b"1"}, {"up": upper("a"), "page": joined("up", "b")}, helpers=helpers)
    world.build("page")
    page = world.store.traces[Key("page")].parts[""]
    world.store.values = {page: world.store.values[page]}
    assert world.build("page").ran == []
    world.inputs["b"] = b"2"
    outcome = world.build("page")
    assert outcome.values == {"page": b"X+2"}
    assert outcome.reasons["up"] == "its value was lost"


def test_a_value_that_is_said_to_be_lost_is_made_again_and_leaves_its_readers_standing(helpers):
    world = World({"a": b"x"}, {"up": upper("a"), "page": joined("up", "a")}, helpers=helpers)
    world.build("page")
    up = world.store.traces[Key("up")].parts[""]
    del world.store.values[up]
    events = []
    with world.building(events.append, lost={up}) as build:
        build.bring([Key("page")])
    assert [(event.key.kind, event.reason, event.cut_off) for event in events] == [
        ("up", "its value was lost", True)
    ]
    assert world.store.values[up] == b"X"


def test_a_lost_value_that_is_another_when_it_is_made_again_is_no_error():
    """The trace may be what was damaged: its digest names bytes that nobody has."""
    world = World({"a": b"x"}, {"page": upper("a")})
    world.build("page")
    key = Key("page")
    world.store.traces[key] = world.store.traces[key]._replace(parts={"": "0" * 64})
    with world.building(lost={"0" * 64}) as build:
        assert build.bring([key]) == {key: {"": digest(b"X")}}


def test_a_recipe_that_makes_another_value_from_the_same_reads_is_an_honest_error():
    counter = iter(range(9))
    world = World({"a": b"x"}, {"page": lambda context: context.read(Key("a")) + b"%d" % next(counter)})
    world.build("page")
    world.store.values.clear()
    build = world.build("page", forced=True)
    assert isinstance(build.failed["page"].error, NotDeterministic)


def test_a_recipe_that_raises_is_told_once_keeps_its_trace_and_stops_no_other(helpers):
    def fragile(context):
        if context.read(Key("a")) == b"bad":
            raise ValueError("no good")
        return b"fine"

    recipes = {
        "fragile": fragile,
        "page": joined("fragile"),
        "second": joined("fragile"),
        "other": upper("b"),
    }
    world = World({"a": b"x", "b": b"y"}, recipes, helpers=helpers)
    world.build("page", "second", "other")
    kept = dict(world.store.traces)
    world.inputs.update(a=b"bad", b=b"z")
    outcome = world.build("page", "second", "other")
    assert outcome.told == ["fragile"]
    assert sorted(outcome.failed) == ["page", "second"]
    assert outcome.values == {"other": b"Z"}
    assert world.store.traces[Key("fragile")] == kept[Key("fragile")]
    world.inputs["a"] = b"x"
    assert world.build("page", "second", "other").ran == []


def test_a_recipe_that_swallows_a_failure_is_not_recorded():
    def careless(context):
        try:
            return context.read(Key("broken"))
        except Exception:
            return b"never mind"

    def broken(context):
        raise ValueError

    world = World({}, {"careless": careless, "broken": broken})
    assert list(world.build("careless").failed) == ["careless"]
    assert world.store.traces == {}


def test_a_circle_of_reads_is_an_error_and_ends(helpers):
    world = World(
        {"a": b"x"}, {"one": joined("two"), "two": joined("one"), "page": upper("a")}, helpers=helpers
    )
    outcome = world.build("one", "two", "page")
    assert sorted(outcome.failed) == ["one", "two"]
    assert outcome.values == {"page": b"X"}
    assert any(isinstance(broken.error, Cycle) for broken in outcome.failed.values())


def test_a_circle_across_threads_is_found():
    both = threading.Barrier(2, timeout=60)

    def meet_then(name):
        def recipe(context):
            context.work(both.wait)
            return context.read(Key(name))

        return recipe

    world = World({}, {"one": meet_then("two"), "two": meet_then("one"), "start": lambda _: b""}, helpers=2)
    outcome = world.build("start", "one", "two")
    assert sorted(outcome.failed) == ["one", "two"]
    assert not both.broken
    assert any(isinstance(broken.error, Cycle) for broken in outcome.failed.values())


def test_the_heavy_work_of_many_reads_is_done_side_by_side():
    together = threading.Barrier(3, timeout=60)

    def slow(context):
        context.work(together.wait)
        return b"s"

    names = ["s1", "s2", "s3"]
    recipes = dict.fromkeys(names, slow)
    recipes["page"] = lambda context: b"".join(context.need([Key(name) for name in names]))
    world = World({}, recipes, helpers=2)
    assert world.build("page").values == {"page": b"sss"}
    assert [key.kind for key, _ in world.store.traces[Key("page")].reads] == names


def test_needed_keys_are_all_asked_for_though_one_fails():
    def bad(context):
        raise ValueError("no good")

    world = World({"a": b"x"}, {"bad": bad, "up": upper("a")})
    world.recipes["page"] = lambda context: b"".join(context.need([Key("bad"), Key("up")]))
    outcome = world.build("page")
    assert list(outcome.failed) == ["page"]
    assert outcome.ran == ["up"]


def test_an_input_is_looked_at_once_a_build():
    looks = []
    world = World({"a": b"x"}, {"one": upper("a"), "two": upper("a")})
    given = world.given
    world.given = lambda key: looks.append(key) or given(key)
    world.build("one", "two")
    assert looks == [Key("a")]


def test_a_forced_build_runs_all_that_is_asked_for_and_changes_nothing(helpers):
    world = World({"a": b"x"}, {"up": upper("a"), "page": joined("up"), "other": upper("a")}, helpers=helpers)
    world.build("page", "other")
    outcome = world.build("page", forced=True)
    assert sorted(outcome.ran) == ["page", "up"]
    assert sorted(outcome.cut_off) == ["page", "up"]


def test_threads_join_in_when_there_is_heavy_work_for_more_than_one():
    def counted(context):
        return b"%d" % context.work(threading.active_count)

    world = World({}, {"one": counted, "other": counted})
    before = threading.active_count()
    with world.building(helpers=3) as build:
        build.bring([Key("one")])
        assert threading.active_count() == before
        build.bring([Key("other")])
        assert threading.active_count() == before + 3
    assert threading.active_count() == before


def test_recipes_are_not_in_each_others_way():
    at_work = []

    def lonely(context):
        at_work.append(1)
        time.sleep(0.01)
        assert len(at_work) == 1
        at_work.pop()
        context.work(time.sleep, 0.01)
        return b""

    names = [f"s{number}" for number in range(10)]
    world = World({}, dict.fromkeys(names, lonely), helpers=3)
    assert not world.build(*names).failed
