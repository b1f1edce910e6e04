"""Work grows as the input does, whatever the input is full of."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import pytest

from .dimensions import DIMENSIONS, Dimension, Input, atlas_of, facets

pytestmark = pytest.mark.alone

ENOUGH = 0.015
"""Seconds of processor time that can be measured."""
MOST_BYTES = 2 * 2**20
"""Of an input that is measured before it is made four times as much."""
STEEPEST = 2.0
"""How much faster than the input the work may grow, where the input becomes four times as much. Work that is
quadratic grows four times as fast.
"""


def seconds(work: Callable[[Input], object], given: Input) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        work(given)
        return time.process_time() - start
    finally:
        gc.enable()


def steepness(dimension: Dimension, work: Callable[[Input], object] = facets, amount: int = 16) -> float:
    """Return how much faster than the input the work grows: 1 if it is linear. Begins with this amount."""
    small = dimension(amount)
    while (taken := seconds(work, small)) < ENOUGH and small.size < MOST_BYTES:
        amount *= 2
        small = dimension(amount)
    large = dimension(4 * amount)
    taken = max(taken, ENOUGH)
    found = 0.0
    for _ in range(3):  # another process may disturb a measurement
        found = seconds(work, large) / taken / (large.size / small.size)
        if found < STEEPEST:
            break
        taken = max(ENOUGH, seconds(work, small))
    return found


@pytest.mark.parametrize("name", DIMENSIONS)
def test_four_times_the_input_is_not_much_more_than_four_times_the_work(name: str) -> None:
    facets(DIMENSIONS["rows"](5))  # what is read once is read
    # Of what is derived from an id, some hundreds are counted: with more than these the work is linear.
    begin = 1024 if name.startswith("chain") else 16
    assert steepness(DIMENSIONS[name], amount=begin) < STEEPEST


def test_work_that_grows_with_the_square_of_the_input_is_seen() -> None:
    def quadratic(given: Input) -> object:
        lines = given.listing.splitlines()
        return sum(one == other for one in lines for other in lines)

    def rows(amount: int) -> Input:
        return atlas_of(more=[[str(one)] for one in range(amount)])

    assert steepness(rows, quadratic) > STEEPEST
