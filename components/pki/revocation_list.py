"""Certificate revocation lists (RFC 5280, 5).

The load balancer reads none: this one is for the backends, partners and auditors who do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from . import certificates
from .certificates import Issuer
from .names import comparable
from .windows import Window, read_time, show_time

REASONS = tuple(
    reason.value
    for reason in x509.ReasonFlags
    # Neither revokes for good: the first is the absence of a reason, the last undoes a hold.
    if reason not in {x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl}
)
"""Reasons that may be given for a revocation (CRLReason, 5.3.1)."""


@dataclass(frozen=True)
class Revoked:
    """An entry: serial number in hex, time in RFC 3339, reason of `REASONS` or unspecified."""

    serial_number: str
    revoked_at: str
    reason: str


def issue(
    issuer: Issuer, number: int, window: Window, revoked: Iterable[Revoked]
) -> x509.CertificateRevocationList:
    """Issue a full list.

    Args:
        issuer: The CA.
        number: CRL number (5.2.3), greater than that of every list before.
        window: Until nextUpdate, from thisUpdate or, if somebody was revoked since, from then on:
            a list is not issued before its entries, and the later of two has the later date.
        revoked: The certificates that are revoked and have not expired.
    """
    held = certificates.key_identifier(issuer.certificate)
    # Nobody reads a list with a negative number, and none is let in any more.
    readable = (one for one in revoked if not one.serial_number.startswith("-"))
    named = sorted(readable, key=lambda one: (one.revoked_at, one.serial_number))
    issued_at = max([window.not_before, *(read_time(one.revoked_at) for one in named)])
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(issued_at)
        # One more second than the window's last: this is the first moment without a valid list.
        .next_update(window.not_after + timedelta(seconds=1))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(held), critical=False
        )
    )
    for entry in named:
        builder = builder.add_revoked_certificate(_entry(entry))
    return builder.sign(issuer.signing_key(), hashes.SHA256())


def load(text: str) -> x509.CertificateRevocationList:
    """Read a list in PEM.

    Raises:
        ValueError: It is none.
    """
    try:
        found = x509.load_pem_x509_crl(text.encode())
        _ = [entries(found), key_id(found)]
    except (
        ValueError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
    ):
        raise ValueError("it is no revocation list in PEM") from None
    return found


def entries(revocation_list: x509.CertificateRevocationList) -> list[Revoked]:
    """The entries of a list, in its order."""
    return [
        Revoked(
            certificates.whole_octets(entry.serial_number),
            show_time(entry.revocation_date_utc),
            _reason(entry),
        )
        for entry in revocation_list
    ]


def key_id(revocation_list: x509.CertificateRevocationList) -> str:
    """The identifier of the key that signed a list (5.2.1), hex."""
    kind = x509.AuthorityKeyIdentifier
    found = revocation_list.extensions.get_extension_for_class(kind).value.key_identifier
    return (found or b"").hex()


def issuer_name(whose: x509.CertificateRevocationList | Issuer) -> str:
    """The name of a list's issuer, or of who would sign one, to be compared."""
    named = whose.certificate.subject if isinstance(whose, Issuer) else whose.issuer
    return hashlib.sha256(comparable(named).encode()).hexdigest()


def pem(revocation_list: x509.CertificateRevocationList) -> str:
    """The list in PEM."""
    return revocation_list.public_bytes(Encoding.PEM).decode()


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        return str(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)
    except x509.ExtensionNotFound:
        return x509.ReasonFlags.unspecified.value


def _entry(revoked: Revoked) -> x509.RevokedCertificate:
    # By the constructor, since the builder's method takes neither 0 nor more than 20 octets, and
    # certificates that were issued elsewhere have both (RFC 5280, 4.1.2.2).
    builder = x509.RevokedCertificateBuilder(int(revoked.serial_number, 16)).revocation_date(
        read_time(revoked.revoked_at)
    )
    reason = x509.ReasonFlags(revoked.reason)
    # RFC 5280, 5.3.1: the absence of a reason is said by the absence of the extension.
    if reason is not x509.ReasonFlags.unspecified:
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    return builder.build()
