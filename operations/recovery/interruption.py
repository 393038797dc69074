"""Judgement by a stack's state and history whether the last `up` ended well."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any


def in_order_until(
    deployment: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> datetime | None:
    """Time until which the stack was in order, if the last `up` did not end well; else None.

    Args:
        deployment: Of `pulumi stack export`; empty for a new stack.
        history: Of `pulumi stack history --json`, the newest first.
    """
    resources = deployment.get("resources") or []
    updates = [one for one in history if one["kind"] in {"update", "destroy"}]
    failed = list(takewhile(lambda one: one["result"] != "succeeded", updates))
    half_made = any(one.get("initErrors") for one in resources)
    if not (failed or half_made or deployment.get("pending_operations")):
        return None
    if len(failed) < len(updates):
        return datetime.fromisoformat(updates[len(failed)]["endTime"])
    # It never was: not before the first resource of the first attempt, or the state itself.
    times = [one["created"] for one in resources if "created" in one]
    times += [one["startTime"] for one in failed]
    return min(moment(one) for one in times or [deployment["manifest"]["time"]])


def unfinished(deployment: Mapping[str, Any]) -> list[str]:
    """Types of the resources that an `up` began to make, change or remove, and did not finish."""
    resources = deployment.get("resources") or []
    pending = deployment.get("pending_operations") or []
    found = [
        *(one["type"] for one in resources if one.get("initErrors")),
        *(one["resource"]["type"] for one in pending),
    ]
    return sorted(set(found))


def moment(value: str | int) -> datetime:
    """Read a time of the API or the state: RFC 3339, of nanoseconds too, or milliseconds."""
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC)
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
