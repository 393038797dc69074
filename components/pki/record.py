"""The record of the CA's and the servers' certificates, which outlives both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class RecordedCertificate:
    """A certificate of the CA or of a server; serial number and fingerprint are hex.

    Attributes:
        status: `valid` while it is in use; `superseded` where another has taken its place.
        key: Kind of its key, such as `RSA 2048`; None if an earlier version recorded it.
    """

    role: Literal["ca", "server"]
    name: str
    serial_number: str
    fingerprint_sha256: str
    not_before: datetime
    not_after: datetime
    subject: str = ""
    status: Literal["valid", "superseded"] = "valid"
    key: str | None = None


def record(
    before: Iterable[RecordedCertificate], present: Sequence[RecordedCertificate], now: datetime
) -> list[RecordedCertificate]:
    """Keep what was recorded, has not expired and is in use no more, and add what is in use."""
    in_use = {entry.fingerprint_sha256 for entry in present}
    past = [
        replace(entry, status="superseded")
        for entry in before
        if entry.fingerprint_sha256 not in in_use and entry.not_after >= now
    ]
    return [*past, *present]
