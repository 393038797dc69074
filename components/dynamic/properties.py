"""What all dynamic providers need: the clock, unknown values, numbers and failures."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pulumi.dynamic import CheckFailure
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from pki import durations
from pki.windows import Window

Properties = Mapping[str, Any]
"""A resource's inputs or outputs as the engine hands them over: secrets in the clear, numbers as
floats, and `Unknown` for what a preview cannot know yet."""

WINDOW = ("not_before", "not_after")
"""Properties that check adds: the first and the last moment of validity, RFC 3339."""

CLOCK_OFFSET = "SLB_MUTUAL_TLS_CLOCK_OFFSET"
"""Environment variable, e.g. 60d: a preview then shows what will be due that far from now."""


def now() -> datetime:
    """The time by which certificates are issued and renewed."""
    offset = os.environ.get(CLOCK_OFFSET)
    present = datetime.now(UTC)
    return present + durations.parse(offset) if offset else present


def is_unknown(value: Any) -> bool:
    """Whether a value is not known in this preview, or holds one that is not."""
    if isinstance(value, Mapping):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(is_unknown(item) for item in value)
    # On the wire it is a text; the SDK makes an object of it on the way to a provider.
    return isinstance(value, Unknown) or (isinstance(value, str) and value == UNKNOWN)


def window(olds: Properties, news: Properties, moment: datetime, *, restart: bool) -> Window:
    """The validity window that is in force: the old one until it is due or asked to change.

    Args:
        olds: Old inputs, with the window that was chosen then; empty for a new certificate.
        news: New inputs, with `validity` and `renew_before`.
        moment: Now.
        restart: The certificate is issued anew for another reason, so that its time begins anew.

    Raises:
        ValueError: A length of time is wrong, or the two do not go together.
    """
    validity = durations.parse(news["validity"])
    renew_before = durations.parse(news["renew_before"])
    if renew_before >= validity:
        raise ValueError(
            f"renew_before is {news['renew_before']} and validity is {news['validity']}: make "
            "renew_before shorter than validity, else the certificate is always due for renewal"
        )
    opening = Window.opening(moment, validity)
    if restart or "not_after" not in olds or olds.get("validity") != news["validity"]:
        return opening
    old = Window.of_properties(olds["not_before"], olds["not_after"])
    return old.succeeded(opening, moment, renew_before)


def failure(place: str, check: Callable[[], Any]) -> list[CheckFailure]:
    """Run a check that raises ValueError for a mistake at `place`; return what it found."""
    try:
        check()
    except ValueError as error:
        return [CheckFailure(place, str(error))]
    return []
