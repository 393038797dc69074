"""The variable that moves the clock by which certificates are judged, for previews alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from . import durations

CLOCK_OFFSET = "SLB_MUTUAL_TLS_CLOCK_OFFSET"
"""Environment variable, e.g. 60d: a preview then shows what will be due that far from now. With a
minus sign before it, the time is that far in the past."""


def offset(environ: Mapping[str, str]) -> timedelta:
    """How far from now certificates are judged; nothing if the variable is not set.

    Raises:
        ValueError: It is no length of time.
    """
    text = environ.get(CLOCK_OFFSET)
    if not text:
        return timedelta()
    try:
        length = durations.parse(text.removeprefix("-"))
    except ValueError as error:
        raise ValueError(f"{CLOCK_OFFSET} in the environment: {error}") from None
    return -length if text.startswith("-") else length


def require_present(environ: Mapping[str, str]) -> None:
    """Check that the clock is not moved, before anything is changed by it.

    Raises:
        ValueError: It is: certificates would be issued for another time.
    """
    if environ.get(CLOCK_OFFSET):
        raise ValueError(
            f"{CLOCK_OFFSET}={environ[CLOCK_OFFSET]} is set, by which certificates would be issued "
            "for another time than now: it is for previews alone (make preview, make review). "
            f"`unset {CLOCK_OFFSET}`, and try again."
        )
