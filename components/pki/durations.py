"""Lengths of time as configuration writes them: 365d, 12h, 30m, 90s."""

from __future__ import annotations

import re
from datetime import timedelta

from .mistakes import WrongValueError

LONGEST = timedelta(days=36_500)
"""Far beyond any certificate, and within what dates can express."""

MOST = 9_999_999
"""Units of a length of time, at most."""

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse(text: str) -> timedelta:
    """Return the length of time that a text such as `365d` stands for.

    Raises:
        ValueError: It stands for none; the message says what would.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,6})([dhms])", text)
    if match is None:
        raise WrongValueError.of(
            text,
            " is no length of time: write a whole number and a unit, such as 365d, 12h, 30m or 90s",
        )
    length = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if length > LONGEST:
        raise WrongValueError.of(text, f" is too long: write at most {LONGEST.days}d")
    return length


def write(length: timedelta) -> str:
    """The text that stands for a length of time, in the smallest unit in which `parse` takes it.

    Down to a whole number of that; of less than a second, one.
    """
    counts = ((length // timedelta(**{name: 1}), unit) for unit, name in reversed(_UNITS.items()))
    count, unit = next((count, unit) for count, unit in counts if count <= MOST)
    return f"{max(count, 1)}{unit}"
