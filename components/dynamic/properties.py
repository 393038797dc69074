"""Helpers of all dynamic providers: the clock, unknown values, numbers and failures."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from ..pki import certificates, clock
from ..pki.windows import FIRST_ISSUE

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
"""Words for properties in `BECAUSE`, where their names say nothing to its reader."""


def now() -> datetime:
    """The time by which certificates are issued; SLB_MUTUAL_TLS_CLOCK_OFFSET moves it."""
    return datetime.now(UTC) + clock.offset(os.environ)


def is_unknown(value: Any) -> bool:
    """Whether a value is not known in this preview, or holds one that is not."""
    if isinstance(value, Mapping):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(is_unknown(item) for item in value)
    # On the wire it is a text; the SDK makes an object of it on the way to a provider.
    return isinstance(value, Unknown) or (isinstance(value, str) and value == UNKNOWN)


def pack(value: Any) -> str:
    """A large output as one JSON text.

    The engine copies and logs every value within a property by itself, and again at each level
    above it: with a thousand clients that is most of what it does.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unpack(value: Any) -> Any:
    """An output that was packed; the first version kept the same as objects."""
    return json.loads(value) if isinstance(value, str) else value


def end_of(*authorities: Any) -> datetime | None:
    """When the first of these CA certificates (PEM) that is known in this preview ends."""
    known = (text for text in authorities if text is not None and not is_unknown(text))
    try:
        return next((certificates.load(text).not_valid_after_utc for text in known), None)
    except ValueError:
        return None  # What is wrong with the CA, whoever issues says.


_REPLACED: dict[str, str] = {}
"""Why resources are replaced, by the digest of their new inputs."""


def keep_reason_of_replacement(
    olds: Properties, news: Properties, checked: CheckResult, because: str | None
) -> CheckResult:
    """Result of a check, with the reason of a replacement in place of `FIRST_ISSUE`.

    The engine checks what it replaces a second time, as if there had been nothing before. So the
    first check's reason is kept for the second: both are asked of the same process.

    Args:
        olds: Old inputs; empty at the second check.
        news: New inputs as the program has them.
        checked: Result of the check.
        because: Why it is another resource; None if it is not, and somebody asks for another.
    """
    if is_unknown(news):
        return checked
    content = json.dumps(news, sort_keys=True, default=str)
    digest = hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()
    if olds:
        _REPLACED[digest] = because or "replaced on request"
    elif checked.inputs.get(BECAUSE) == FIRST_ISSUE:
        reason = _REPLACED.pop(digest, FIRST_ISSUE)
        return CheckResult({**checked.inputs, BECAUSE: reason}, checked.failures)
    return checked


CA_ID = "ca_id"
"""Input of what a CA signs: the id of the CA's resource."""


def is_replaced(news: Properties) -> bool:
    """Whether this preview makes another CA, also one whose name and day, and so key id, are same.

    A renewal leaves the id as it is. Of a new resource, and so of one in place of another, it is
    not known yet.
    """
    return is_unknown(news.get(CA_ID))


def list_differences(olds: Properties, news: Properties, names: Iterable[str]) -> list[str]:
    """Names of the properties that differ; a missing one is like any other value."""
    return [name for name in names if olds.get(name) != news.get(name)]


def explain_change(olds: Properties, news: Properties, names: Iterable[str]) -> str | None:
    """Says which properties differ from those of before; None if none does, or there is no before.

    What is unknown in this preview was known before, and stays so unless it changes.
    """
    known = [name for name in names if not is_unknown(news.get(name))]
    words = [WORDS.get(name, name) for name in list_differences(olds, news, known)]
    return f"{', '.join(words)} changed" if olds and words else None


def failures_of(place: str, check: Callable[[], Any]) -> list[CheckFailure]:
    """Run a check that raises ValueError for a mistake at `place`; return what it found."""
    try:
        check()
    except ValueError as error:
        return [CheckFailure(place, str(error))]
    return []
