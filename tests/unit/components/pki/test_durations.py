"""Lengths of time are read from one strict form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.pki import durations

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@given(number=st.integers(1, 36_500), unit=st.sampled_from(sorted(UNITS)))
def test_a_number_and_a_unit_are_read(number, unit):
    assert durations.parse(f"{number}{unit}") == timedelta(seconds=number * UNITS[unit])


NO_LENGTHS = (
    *("", "d", "365", "0d", "01d", "-1d", "+1d", "1.5d", "1 d", " 1d", "1d ", "1d\n", "1D", "1w"),
    *("1d12h", "P1D", "1e3d", "\N{ARABIC-INDIC DIGIT ONE}d", "12345678d"),
)


@pytest.mark.parametrize("text", NO_LENGTHS)
def test_anything_else_is_refused_with_what_to_write(text):
    with pytest.raises(ValueError, match="365d, 12h, 30m or 90s") as refusal:
        durations.parse(text)
    assert repr(text) in str(refusal.value)


def test_no_length_goes_beyond_what_dates_can_express():
    assert datetime.now(UTC) + 2 * durations.parse("36500d")
    for text in ("36501d", "876001h", "9999999d"):
        with pytest.raises(ValueError, match="36500d"):
            durations.parse(text)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=1), "1s"),
        (timedelta(milliseconds=1), "1s"),
        (timedelta(days=46, hours=12), "4017600s"),
        (timedelta(seconds=9_999_999), "9999999s"),
        (timedelta(seconds=10_000_019), "166666m"),
        (durations.LONGEST, "876000h"),
    ],
)
def test_a_length_is_written_so_that_it_is_read_again(length, text):
    assert durations.write(length) == text
    assert durations.parse(text) <= max(length, timedelta(seconds=1))
    assert length - durations.parse(text) < timedelta(hours=1)
