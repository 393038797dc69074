"""Time left is told by how much of the work is begun."""

from __future__ import annotations

import pytest

from toolchain.progress import Estimate, write_duration


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_nothing_is_said_of_the_rest_before_some_is_done(clock):
    estimate = Estimate({"a": 1, "b": 99}, clock)
    clock.now += 10
    assert estimate.describe_after("a") == "compiling"


def test_the_rest_takes_as_long_as_it_is_large(clock):
    estimate = Estimate({"small": 25, "large": 75}, clock)
    clock.now += 100
    assert estimate.describe_after("small") == "compiling, about 5 min left"
    assert estimate.describe_after("of another build") == "compiling, about 5 min left"


def test_one_slow_part_moves_it_by_a_fifth(clock):
    estimate = Estimate(dict.fromkeys("abcd", 1), clock)
    clock.now += 100
    assert estimate.describe_after("a") == "compiling, about 5 min left"  # 300 s
    clock.now += 1000
    # It said 300 s, which are over; by what is done, 1,100 s more.
    # 0.8 * -700 + 0.2 * 1100
    assert estimate.describe_after("b") == "compiling, less than a minute left"


def test_it_ends_with_nothing_left(clock):
    estimate = Estimate({"a": 1}, clock)
    clock.now += 100
    assert estimate.describe_after("a") == "compiling, less than a minute left"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "less than a minute"), (59, "less than a minute"), (61, "about 1 min")],
)
def test_a_length_of_time_is_told_roughly(seconds, text):
    assert write_duration(seconds) == text
