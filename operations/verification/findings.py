"""The result of a check, and the words that several kinds of check have for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from operations.verification.report import Status

SHOWN = 3
"""How many of many are named in a detail."""


class Finding(NamedTuple):
    """Result of one check."""

    status: Status
    detail: str

    @classmethod
    def passed_if(cls, good: bool, detail: str) -> Finding:
        """Passed, or else failed, with the same detail."""
        return cls("passed" if good else "failed", detail)


def some(items: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    listed = list(items)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
