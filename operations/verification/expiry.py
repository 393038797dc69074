"""Remaining validity of each certificate of a stack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from operations.outputs import StackOutputs

Role = Literal["ca", "server", "client"]


@dataclass(frozen=True, order=True)
class Expiry:
    """Expiry of a certificate; sorts by its time."""

    not_after: datetime
    role: Role
    name: str

    def days_left(self, now: datetime) -> int:
        """Whole days until `not_after`; negative from the moment it has passed."""
        return (self.not_after - now).days

    def has_expired(self, now: datetime) -> bool:
        """Tell whether `now` is past the last moment of validity (RFC 5280, 4.1.2.5)."""
        return now > self.not_after


def expiries(outputs: StackOutputs) -> list[Expiry]:
    """Every certificate in use, the first to expire first. Revoked clients are left out."""
    found = [Expiry(outputs.ca.not_valid_after_utc, "ca", "CA")]
    if outputs.server is not None:
        found.append(Expiry(outputs.server.not_valid_after_utc, "server", "server"))
    found += [
        Expiry(certificate.not_valid_after_utc, "server", domain)
        for domain, extension in outputs.domain_certificates.items()
        if (certificate := extension.parsed) is not None
    ]
    found += [
        Expiry(record.not_after, "client", name)
        for name, record in outputs.clients.items()
        if record.status != "revoked"
    ]
    return sorted(found)
