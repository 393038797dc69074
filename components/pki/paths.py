"""Whether a listener would accept a certificate: the path to its CA, built as OpenSSL builds it.

For certificates whose keys are elsewhere, so that no listener can be asked. HAProxy and Tengine ask
OpenSSL, with the CA's certificate as the only anchor and without a revocation list.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import NameOID

from . import certificates, name_constraints, purposes
from .names import common_name, same_name
from .windows import show_time


def refusal(
    leaf: x509.Certificate,
    between: Sequence[x509.Certificate],
    anchor: x509.Certificate,
    moment: datetime,
) -> str | None:
    """Why a client with this certificate would be refused; None if it would be let in.

    Args:
        leaf: The client's.
        between: Certificates that it sends along.
        anchor: The CA's certificate, as the listener has it.
        moment: Now.
    """
    try:
        with certificates.lenient():
            path = _path(leaf, between, anchor)
            _require_good(path, moment)
    except ValueError as error:
        return str(error)
    return None


def lockout(
    leaf: x509.Certificate, anchor: x509.Certificate, constraints: x509.NameConstraints | None
) -> str | None:
    """Why a CA's certificate would lock out a client that the CA has issued one; None: it does not.

    Args:
        leaf: The client's.
        anchor: The CA's certificate.
        constraints: Names that it is to permit; None: all.
    """
    with certificates.lenient():
        if reason := _mismatch(leaf, anchor):
            return reason
        try:
            own = common_name(leaf.subject)
            name_constraints.require_within(constraints, own, list(_names(leaf)))
        except ValueError as error:
            return str(error)
    return None


def _require_good(path: Sequence[x509.Certificate], moment: datetime) -> None:
    purposes.require_client(path[0])
    for certificate in path:
        _require_in_force(certificate, moment)
    for place, authority in enumerate(path[1:]):
        _require_authority(authority, path[1 : 1 + place])
    for place, certificate in enumerate(path):
        _require_within(certificate, path[place + 1 :], is_leaf=place == 0)


def _path(
    leaf: x509.Certificate, between: Sequence[x509.Certificate], anchor: x509.Certificate
) -> list[x509.Certificate]:
    """The certificate, those that lead from it to the anchor, and the anchor."""
    path, left = [leaf], list(between)
    while reason := _mismatch(path[-1], anchor):
        following = next((one for one in left if not _mismatch(path[-1], one)), None)
        if following is None:
            raise ValueError(reason)
        left.remove(following)
        path.append(following)
    path.append(anchor)
    for certificate, issuer in itertools.pairwise(path):
        if not certificates.bears_signature_of(certificate, issuer):
            raise ValueError(
                f"{_shown(certificate)} is signed by another key than that of {_shown(issuer)}"
            )
    return path


def _mismatch(certificate: x509.Certificate, issuer: x509.Certificate) -> str | None:
    """Why a certificate does not say that this one is its issuer's (RFC 5280, 4.2.1.1)."""
    if not same_name(certificate.issuer, issuer.subject):
        return f"it is issued by {certificate.issuer.rfc4514_string()}, and the CA is another"
    named = _extension(certificate, x509.AuthorityKeyIdentifier)
    if named is None:
        return None
    held = _extension(issuer, x509.SubjectKeyIdentifier)
    if named.key_identifier and held and named.key_identifier != held.digest:
        return (
            f"its authority key identifier is {named.key_identifier.hex()}, and the key identifier "
            f"in the CA's certificate is {held.digest.hex()}"
        )
    number = issuer.serial_number
    if named.authority_cert_serial_number not in {None, number}:
        return (
            "its authority key identifier names the CA's certificate with serial number "
            f"{certificates.whole_octets(named.authority_cert_serial_number or 0)}, and the CA's "
            f"certificate has {certificates.serial_number(issuer)}"
        )
    names = [
        name.value
        for name in named.authority_cert_issuer or ()
        if isinstance(name, x509.DirectoryName)
    ]
    if names and not same_name(names[0], issuer.issuer):
        return "its authority key identifier names another CA's certificate"
    return None


def _require_in_force(certificate: x509.Certificate, moment: datetime) -> None:
    if moment > certificate.not_valid_after_utc:
        end = show_time(certificate.not_valid_after_utc)
        raise ValueError(f"{_shown(certificate)} expired at {end}")
    if moment < certificate.not_valid_before_utc:
        begin = show_time(certificate.not_valid_before_utc)
        raise ValueError(f"{_shown(certificate)} is not valid before {begin}")


def _require_authority(authority: x509.Certificate, below: Sequence[x509.Certificate]) -> None:
    """Refuse a certificate that is no CA's, or one with too many CAs below it (4.2.1.9)."""
    try:
        purposes.require_authority(authority)
    except ValueError as error:
        raise ValueError(f"{_shown(authority)} may sign no client's certificate: {error}") from None
    counted = [one for one in below if not _is_self_issued(one)]
    if not certificates.allows_below(authority, len(counted)):
        raise ValueError(f"{_shown(authority)} lets no CA stand below it as far down as this")


def _require_within(
    certificate: x509.Certificate, above: Iterable[x509.Certificate], *, is_leaf: bool
) -> None:
    """Refuse a name that a CA above may not certify (4.2.1.10)."""
    if _is_self_issued(certificate) and not is_leaf:
        return
    names = list(_names(certificate))
    for authority in above:
        constraints = name_constraints.of(authority)
        own = common_name(certificate.subject) if is_leaf else None
        name_constraints.require_within(constraints, own, names)


def _names(certificate: x509.Certificate) -> Iterator[x509.GeneralName]:
    yield from _extension(certificate, x509.SubjectAlternativeName) or ()
    if certificate.subject.rdns:
        yield x509.DirectoryName(certificate.subject)
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        yield x509.RFC822Name(str(attribute.value))


def _is_self_issued(certificate: x509.Certificate) -> bool:
    return same_name(certificate.subject, certificate.issuer)


Kind = TypeVar("Kind", bound=x509.ExtensionType)


def _extension(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _shown(certificate: x509.Certificate) -> str:
    return f"the certificate of {certificate.subject.rfc4514_string() or 'nobody'}"
