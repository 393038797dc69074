"""What all dynamic providers need: the clock, unknown values, numbers and failures."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pulumi.dynamic import CheckFailure
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from pki import durations
from pki.windows import Window, show_time

Properties = Mapping[str, Any]
"""A resource's inputs or outputs as the engine hands them over: secrets in the clear, numbers as
floats, and `Unknown` for what a preview cannot know yet."""

WINDOW = ("not_before", "not_after")
"""Properties that check adds: the first and the last moment of validity, RFC 3339."""

BECAUSE = "issued_because"
"""Property that check adds: for a preview's reader, why a certificate is issued."""

WORDS = {
    "adopted_key_sha256": "certificate",
    "ca_key_id": "the CA's key",
    "name_constraints": "name constraints",
    "next_ca_key_id": "the next CA's key",
    "revision": "who is revoked",
}
"""What properties are called in `BECAUSE`, where their names say nothing to its reader."""

CLOCK_OFFSET = "SLB_MUTUAL_TLS_CLOCK_OFFSET"
"""Environment variable, e.g. 60d: a preview then shows what will be due that far from now. With a
minus sign before it, the time is that far in the past."""


def now() -> datetime:
    """The time by which certificates are issued and renewed."""
    offset = os.environ.get(CLOCK_OFFSET)
    present = datetime.now(UTC)
    if not offset:
        return present
    length = durations.parse(offset.removeprefix("-"))
    return present - length if offset.startswith("-") else present + length


def is_unknown(value: Any) -> bool:
    """Whether a value is not known in this preview, or holds one that is not."""
    if isinstance(value, Mapping):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(is_unknown(item) for item in value)
    # On the wire it is a text; the SDK makes an object of it on the way to a provider.
    return isinstance(value, Unknown) or (isinstance(value, str) and value == UNKNOWN)


def packed(value: Any) -> str:
    """A large output as one JSON text.

    The engine copies and logs every value within a property by itself, and again at each level
    above it: with a thousand clients that is most of what it does.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unpacked(value: Any) -> Any:
    """An output that was packed; the first version kept the same as objects."""
    return json.loads(value) if isinstance(value, str) else value


def chosen(
    olds: Properties, news: Properties, moment: datetime, *, anew: str | None
) -> dict[str, str]:
    """The validity window that is in force and why it began: the old one until it is due.

    Args:
        olds: Old inputs, with the window that was chosen then; empty for a new certificate.
        news: New inputs, with `validity` and `renew_before`.
        moment: Now.
        anew: Why the certificate is issued anew at any rate, so that its time begins anew.

    Returns:
        `not_before`, `not_after` and `issued_because`, as properties. The last is missing where
        the window began before there were reasons.

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
    if "not_after" not in olds:
        return {**opening.properties(), BECAUSE: "first issue"}
    if anew or olds.get("validity") != news["validity"]:
        return {**opening.properties(), BECAUSE: anew or "validity changed"}
    old = Window.of_properties(olds["not_before"], olds["not_after"])
    if old.succeeded(opening, moment, renew_before) is opening:
        due = show_time(old.not_after - renew_before)
        return {**opening.properties(), BECAUSE: f"renewal due since {due}"}
    return {**old.properties(), **{name: olds[name] for name in (BECAUSE,) if name in olds}}


def differing(olds: Properties, news: Properties, names: Iterable[str]) -> list[str]:
    """Names of the properties that differ; a missing one is like any other value."""
    return [name for name in names if olds.get(name) != news.get(name)]


def changed(olds: Properties, news: Properties, names: Iterable[str]) -> str | None:
    """Says which properties differ from those of before; None if none does, or there is no before.

    What is unknown in this preview was known before, and stays so unless it changes.
    """
    known = [name for name in names if not is_unknown(news.get(name))]
    words = [WORDS.get(name, name) for name in differing(olds, news, known)]
    return f"{', '.join(words)} changed" if olds and words else None


def failure(place: str, check: Callable[[], Any]) -> list[CheckFailure]:
    """Run a check that raises ValueError for a mistake at `place`; return what it found."""
    try:
        check()
    except ValueError as error:
        return [CheckFailure(place, str(error))]
    return []
