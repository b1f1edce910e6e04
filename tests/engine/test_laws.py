"""The engine's laws over random worlds and edits, against a plain recursion that knows nothing of it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdash_site.engine.memory import Memory
from hdash_site.engine.model import MADE, NOT_MADE, OUTCOME, Absent, Failed, Key, Moved, Ran, digest
from tests.engine.world import World

INPUTS = [f"in{n}" for n in range(4)]
TASKS = [f"t{n}" for n in range(7)]


def recipe_of(program):
    """A program: a list of steps, each reading a key; some read on only if what they saw says so."""

    def recipe(context):
        seen = []
        for kind, part, condition in program["steps"]:
            if condition and (not seen or seen[-1][:1] < b"5"):
                continue
            if part == OUTCOME:
                seen.append(b"7" if context.made(Key(kind)) else b"3")
            else:
                seen.append(context.find(Key(kind, "", part)) or b"-")
        total = int(digest(b"|".join(seen) + program["salt"])[:8], 16)
        if program["fails"] and total % 4 == 0:
            raise ValueError("unlucky")
        return {"": b"%d" % (total % program["spread"]), "tail": b"%d" % (total % 2)}

    return recipe


@st.composite
def programs(draw, number):
    below = INPUTS + TASKS[:number]
    steps = draw(
        st.lists(
            st.tuples(st.sampled_from(below), st.sampled_from(["", "tail", OUTCOME]), st.booleans()),
            max_size=4,
        )
    )
    return {
        "steps": [(kind, part if kind in TASKS else "", condition) for kind, part, condition in steps],
        "salt": b"%d" % draw(st.integers(0, 3)),
        "spread": draw(st.sampled_from([1, 2, 10, 1000])),
        "fails": draw(st.integers(0, 9)) == 0,
    }


class Oracle:
    """Today's values by plain recursion, and which tasks it asks for."""

    def __init__(self, world):
        self.world, self.asked, self.values = world, set(), {}

    def parts(self, name):
        self.asked.add(name)
        if name not in self.values:
            try:
                self.values[name] = self.world.recipes[name](self)
            except Exception as error:
                self.values[name] = error
        if isinstance(self.values[name], Exception):
            raise ValueError(name)
        return self.values[name]

    def find(self, key):
        if key.kind in self.world.recipes:
            return self.parts(key.kind).get(key.part)
        return self.world.inputs.get(key.kind)

    def made(self, key):
        return expected(self, key.kind) is not None


def expected(oracle, name):
    try:
        return oracle.parts(name)
    except ValueError:
        return None


def differs(trace, oracle, world):
    """Whether a read of this trace has another digest now, going along the reads in order."""
    for key, old in trace.reads:
        if key.part == OUTCOME:
            if old != (MADE if oracle.made(key) else NOT_MADE):
                return True
            continue
        try:
            value = oracle.find(key)
        except ValueError:
            return True
        if (digest(value) if value is not None else "") != old:
            return True
    return False


EDITS = st.sampled_from(["input", "recipe", "nothing", "lose", "drop input", "version", "force"])


@settings(max_examples=400)
@given(data=st.data(), helpers=st.sampled_from([0, 0, 2]))
def test_laws_hold_after_any_sequence_of_edits(data, helpers):
    programs_now = [data.draw(programs(number)) for number in range(len(TASKS))]
    world = World({}, {}, helpers=helpers)
    for name in INPUTS:
        world.inputs[name] = b"%d" % data.draw(st.integers(0, 9))
    for name, program in zip(TASKS, programs_now, strict=True):
        world.recipes[name], world.versions[name] = recipe_of(program), repr(program)
    for _ in range(data.draw(st.integers(1, 6))):
        edit = data.draw(EDITS)
        apply(edit, world, data)
        wanted = data.draw(st.lists(st.sampled_from(TASKS), min_size=1, max_size=4, unique=True))
        check_one_build(world, wanted, edit)
        again = world.build(*wanted)
        assert again.ran == [], "a second build runs nothing"


def apply(edit, world, data):
    if edit == "input":
        world.inputs[data.draw(st.sampled_from(INPUTS))] = b"%d" % data.draw(st.integers(0, 9))
    elif edit == "drop input":
        world.inputs.pop(data.draw(st.sampled_from(INPUTS)), None)
    elif edit in ("recipe", "version"):
        number = data.draw(st.integers(0, len(TASKS) - 1))
        if edit == "recipe":
            program = data.draw(programs(number))
            world.recipes[TASKS[number]], world.versions[TASKS[number]] = recipe_of(program), repr(program)
        else:
            world.versions[TASKS[number]] += "'"
    elif edit == "lose":
        lost = random.Random(data.draw(st.integers(0, 99)))
        world.store.values = {
            name: value for name, value in world.store.values.items() if lost.random() < 0.5
        }


@settings(max_examples=400)
@given(data=st.data())
def test_laws_hold_for_builds_that_are_told_what_changed(data):
    programs_now = [data.draw(programs(number)) for number in range(len(TASKS))]
    world = World({}, {}, lasting=Memory())
    for name in INPUTS:
        world.inputs[name] = b"%d" % data.draw(st.integers(0, 9))
    for name, program in zip(TASKS, programs_now, strict=True):
        world.recipes[name], world.versions[name] = recipe_of(program), repr(program)
    changed, wanted = INPUTS, []
    for _ in range(data.draw(st.integers(1, 8))):
        if not wanted or data.draw(st.booleans()):
            wanted = data.draw(st.lists(st.sampled_from(TASKS), min_size=1, max_size=4, unique=True))
        check_one_build(world, wanted, changed=changed)
        before = dict(world.inputs)
        for _ in range(data.draw(st.integers(0, 3))):
            apply(data.draw(st.sampled_from(["input", "drop input", "lose"])), world, data)
        differ = {name for name in INPUTS if before.get(name) != world.inputs.get(name)}
        changed = sorted(differ | data.draw(st.sets(st.sampled_from(INPUTS))))


def test_an_input_that_changes_unsaid_is_never_taken_for_what_it_was():
    world = World({"a": b"1", "b": b"1"}, {}, lasting=Memory())
    world.recipes = {"t": lambda context: context.read(Key("a")) + context.read(Key("b"))}
    world.build("t")
    world.inputs = {"a": b"2", "b": b"2"}
    assert isinstance(world.build("t", changed=["a"]).failed["t"].error, Moved)
    assert world.build("t", changed=["a", "b"]).values == {"t": b"22"}


def check_one_build(world, wanted, edit="", changed=()):
    before, had = dict(world.store.traces), set(world.store.values)
    oracle = Oracle(world)
    truth = {name: expected(oracle, name) for name in wanted}
    asked = set(oracle.asked)
    outcome = world.build(*wanted, forced=edit == "force", changed=changed)
    for name in wanted:  # exact, and failed where the recursion fails
        if truth[name] is None:
            assert name in outcome.failed
        else:
            assert outcome.values[name] == truth[name][""]
            parts = {part: digest(value) for part, value in truth[name].items()}
            assert world.store.traces[Key(name)].parts == world.brought[Key(name)] == parts
    lost = any(value not in had for trace in before.values() for value in trace.parts.values())
    for event in outcome.events:  # minimal
        name, old = event.key.kind, before.get(event.key)
        assert name in asked
        stale = old is None or old.recipe != world.versions[name] or differs(old, oracle, world)
        assert stale or edit == "force" or (lost and event.reason == "its value was lost")
    for name, old in before.items():  # a failure keeps what was there
        if isinstance(oracle.values.get(name.kind), Exception):
            assert world.store.traces[name] == old
    assert len(outcome.ran) == len(set(outcome.ran)), "each recipe runs once"
    told = [event.key for event in outcome.events if isinstance(event, Failed)]
    assert len(told) == len(set(told)), "a failure is told once"
    assert all(event.reason for event in outcome.events if isinstance(event, Ran)), "each run has its reason"


@pytest.mark.parametrize("lasting", [None, Memory])
def test_who_asks_whether_a_task_is_made_does_not_fail_with_it_and_sees_when_it_is(lasting):
    world = World({}, {"task": lambda context: context.read(Key("in"))}, lasting=lasting and lasting())
    world.recipes["list"] = lambda context: b"%d" % context.made(Key("task"))
    world.recipes["page"] = lambda context: context.read(Key("list"))
    for data, listed in ((None, b"0"), (b"1", b"1"), (b"2", b"1"), (None, b"0")):
        world.inputs = {} if data is None else {"in": data}
        assert world.build("page", changed=["in"]).values == {"page": listed}
    assert world.build("page").ran == []


def test_the_oracle_sees_absent_inputs_like_the_engine():
    world = World({}, {"t0": lambda context: context.read(Key("in0"))})
    assert isinstance(world.build("t0").failed["t0"].error, Absent)
