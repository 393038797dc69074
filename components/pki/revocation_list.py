"""Certificate revocation lists (RFC 5280, 5).

The load balancer reads none: this one is for the backends, partners and auditors who do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

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


@dataclass(frozen=True)
class Listed:
    """A certificate that lists name; serial number and key id in hex, reason as in `Revoked`.

    `beyond` says that a regularly scheduled list named it after it had ended.
    """

    serial_number: str
    revoked_at: datetime
    reason: str
    not_after: datetime
    authority_key_id: str = ""
    beyond: bool = False


@dataclass(frozen=True)
class ListHistory:
    """History of a CA's lists, on which the next one builds.

    Attributes:
        number: CRL number of the last list; 0 if there was none.
        listed: Certificates that the last list named.
        issuers: Names of CAs by the identifiers of their keys, as far as there were lists of
            theirs.
        due: When the next list is issued whatever happens; None if no list was.
    """

    number: int = 0
    listed: tuple[Listed, ...] = ()
    issuers: Mapping[str, str] = field(default_factory=dict)
    due: datetime | None = None


@dataclass(frozen=True)
class ListOrder:
    """Order of a list.

    Attributes:
        window: Time from thisUpdate, at the earliest, until the last second before nextUpdate.
        renew_before: How long before its end a list is issued whatever happens.
        first_number: Least CRL number: that after the lists of a CA that was brought along.
    """

    window: Window
    renew_before: timedelta
    first_number: int = 1


def issue_next(
    history: ListHistory,
    issuers: Mapping[str, Issuer],
    revoked: Iterable[Listed],
    order: ListOrder,
    now: datetime,
) -> tuple[dict[str, x509.CertificateRevocationList], ListHistory]:
    """Issue the list after the last one, for each CA.

    Args:
        history: History of the lists until now.
        issuers: The CAs; of the first are certificates that do not say which key signed them.
        revoked: Certificates that the register has as revoked.
        order: Dates and the least number.
        now: The time, which no revocation is later than.

    Returns:
        The lists, by the names that the CAs were given, and the history with them.
    """
    number = max(history.number + 1, order.first_number)
    names = dict(history.issuers) | {
        _key_of(issuer): issuer_name(issuer) for issuer in issuers.values()
    }
    regular = history.due is not None and now >= history.due
    following = order.window.not_after - order.renew_before
    listed = _name_beyond(history.listed, revoked, order.window if regular else None)
    lists = {}
    for place, issuer in issuers.items():
        unsaid = {""} if place == next(iter(issuers)) else set[str]()
        own = {key for key, name in names.items() if name == names[_key_of(issuer)]}
        entries = [
            Revoked(each.serial_number, show_time(min(each.revoked_at, now)), each.reason)
            for each in listed
            if each.authority_key_id in own | unsaid
        ]
        lists[place] = issue(issuer, number, order.window, entries)
    due = following if regular or history.due is None else history.due
    return lists, ListHistory(number, listed, names, due)


def _name_beyond(
    before: Iterable[Listed], revoked: Iterable[Listed], regular: Window | None
) -> tuple[Listed, ...]:
    """Entries of lists: who is revoked, and who was when the certificate ended.

    RFC 5280, 3.3: an entry must not be removed until it appears on one regularly scheduled list
    that is issued beyond the revoked certificate's validity. The register forgets it as it ends.

    Args:
        before: Certificates that the last list named.
        revoked: Certificates that the register has as revoked.
        regular: The window of this list, if it is a regular one.
    """
    named = {_place(each): each for each in before if not each.beyond}
    named |= {_place(each): each for each in revoked}
    return tuple(
        replace(each, beyond=True) if regular and regular.not_before > each.not_after else each
        for each in named.values()
    )


def _place(listed: Listed) -> tuple[str, str]:
    """Key that tells an entry from all others."""
    return listed.authority_key_id, listed.serial_number


def _key_of(issuer: Issuer) -> str:
    return certificates.key_identifier(issuer.certificate).digest.hex()


def history_of(lists: Iterable[x509.CertificateRevocationList], now: datetime) -> ListHistory:
    """The history that lists tell by themselves: earlier versions remembered nothing else."""
    listed: list[Listed] = []
    issuers = {}
    for each in lists:
        key = key_id(each)
        issuers[key] = issuer_name(each)
        # What the register still has says better when it ends; what it has not has ended.
        listed += (
            Listed(entry.serial_number, read_time(entry.revoked_at), entry.reason, now, key)
            for entry in entries(each)
        )
    return ListHistory(listed=tuple(listed), issuers=issuers)


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
    readable = (entry for entry in revoked if not entry.serial_number.startswith("-"))
    named = sorted(readable, key=lambda entry: (entry.revoked_at, entry.serial_number))
    issued_at = max([window.not_before, *(read_time(entry.revoked_at) for entry in named)])
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
        revocation_list = x509.load_pem_x509_crl(text.encode())
        _ = [entries(revocation_list), key_id(revocation_list)]
    except (
        ValueError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
    ):
        raise ValueError("it is no revocation list in PEM") from None
    return revocation_list


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
    identifier = revocation_list.extensions.get_extension_for_class(kind).value.key_identifier
    return (identifier or b"").hex()


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
