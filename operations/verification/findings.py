"""The result of a check, and the words that several kinds of check have for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from operations.verification.report import Status

SHOWN = 3
"""Number of names that a detail lists before it counts the rest."""


class Finding(NamedTuple):
    """Result of one check."""

    status: Status
    detail: str

    @classmethod
    def passed_if(cls, good: bool, detail: str) -> Finding:
        """Finding that is passed or failed, with the same detail in either case."""
        return cls("passed" if good else "failed", detail)


def some(items: Iterable[str]) -> str:
    """List the first few, and how many more there are."""
    listed = list(items)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
