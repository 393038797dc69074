"""Checks certificates and keys that were made elsewhere, before anything is created.

Source: Alibaba Cloud's CLB documentation, "Certificate requirements": PEM, leaf first and no empty
lines between certificates, RSA keys of 1024, 2048 or 4096 bits, the private key in PKCS#1.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import PublicKeyAlgorithmOID

from . import certificates, client_keys, encodings, keys, names, purposes, uploaded_keys
from .windows import show_time


def certificate_chain(pem: str, now: datetime) -> str:
    """Check a server's certificate with the intermediate ones that follow it.

    Args:
        pem: One certificate or several, the server's own first.
        now: When it has to be valid.

    Returns:
        The certificates as the load balancer takes them: without text or empty lines in between.

    Raises:
        ValueError: It cannot be served; the message says why and what can.
    """
    _require_public(pem)
    chain = _parsed(pem)
    for index, certificate in enumerate(chain):
        _require_in_force(certificate, _ordinal(index), now, needed=_is_needed(chain, index))
    for index, (certificate, issuer) in enumerate(itertools.pairwise(chain)):
        if not names.same_name(certificate.issuer, issuer.subject):
            raise ValueError(
                f"{_ordinal(index + 1)} is not the issuer of the one before it: put the server's "
                "own certificate first, and after each the one that issued it"
            )
        certificates.require_checkable(certificate)
        if not certificates.bears_signature_of(certificate, issuer):
            raise ValueError(
                f"{_ordinal(index + 1)} bears the name of the issuer of the one before it, which "
                "another key has signed, so no client would accept the chain: give the certificate "
                "that comes with the server's own"
            )
    _require_rsa(chain[0])
    return "".join(certificates.pem(certificate) for certificate in chain)


def authority_certificate(pem: str) -> str:
    """Check the certificate of a CA that goes on under this program.

    Args:
        pem: One self-signed certificate; of version 1 too, which the tutorial's commands make. It
            may have expired: whoever has the key can renew it.

    Returns:
        The certificate, without text around it.

    Raises:
        ValueError: The listener could not check clients against it; the message says why.
    """
    _require_public(pem)
    certificate, *others = _parsed(pem)
    if others:
        raise ValueError(
            f"there are {1 + len(others)} certificates, and the listener takes one: give that of "
            "the root CA alone"
        )
    if certificate.issuer != certificate.subject:
        raise ValueError(
            f"it is not self-signed, but issued by {certificate.issuer.rfc4514_string()}; whether "
            "the load balancer checks clients against an intermediate CA is not documented: give "
            "the root CA's"
        )
    _require_rsa(certificate)
    certificates.require_checkable(certificate)
    if not certificates.signed_by(certificate, certificate):
        raise ValueError(
            "it bears the same name as its issuer and is signed by another key: give the root "
            "CA's, which is self-signed"
        )
    purposes.require_authority(certificate)
    return certificates.pem(certificate)


def require_in_force(pem: str, now: datetime) -> None:
    """Check the dates of a certificate that nobody here can renew.

    Raises:
        ValueError: It has expired, or is not valid yet.
    """
    _require_in_force(certificates.load(pem), "the certificate", now)


def require_begun(pem: str, now: datetime) -> None:
    """Check that a CA's certificate is valid already: until it is, every client is refused.

    Raises:
        ValueError: It is not valid yet.
    """
    _require_begun(certificates.load(pem), "the certificate", now)


def client_certificate(pem: str) -> str:
    """Check a client's certificate that a CA issued before it was brought along.

    Args:
        pem: One certificate; it may have expired since it was entered.

    Returns:
        The certificate, without text around it.

    Raises:
        ValueError: The listener would not take it from a client; the message says why.
    """
    _require_public(pem)
    certificate, *others = _loaded(pem)
    if others:
        raise ValueError(
            f"there are {1 + len(others)} certificates, and a client has one: give the client's "
            "alone, without the CA's"
        )
    client_keys.of_certificate(certificate)
    _require_sound(certificate)
    purposes.require_client(certificate)
    if certificates.serial_number(certificate).startswith("-"):
        raise ValueError(
            "its serial number is negative (RFC 5280, 4.1.2.2 has none such), and a revocation "
            "list could not name it: leave it out, and give the client a new certificate"
        )
    return certificates.pem(certificate)


def require_issued_by(pem: str, authority: str) -> None:
    """Check that a CA has signed a client's certificate.

    Raises:
        ValueError: It has not, or bears another name than that of the certificate's issuer.
    """
    certificate, ca = certificates.load(pem), certificates.load(authority)
    if certificate == ca:
        raise ValueError("it is the CA's own: give the client's")
    certificates.require_checkable(certificate)
    signed = certificates.bears_signature_of(certificate, ca)
    named = names.same_name(certificate.issuer, ca.subject)
    issuer = certificate.issuer.rfc4514_string()
    if not signed and named:
        raise ValueError(
            f"it is not signed by the CA of certificate_authority.certificate, whose name it has "
            f"as its issuer ({issuer}), but by another key, so the listener would refuse it: give "
            "one that this CA has signed"
        )
    if not signed:
        raise ValueError(
            f"it is not signed by the CA of certificate_authority.certificate, but by {issuer}: "
            "give one of that CA"
        )
    if not named:
        raise ValueError(
            f"it is signed by the CA's key, and names another issuer ({issuer}) than the CA's "
            f"name, {ca.subject.rfc4514_string()}, so the listener would refuse it: give the CA's "
            "certificate with the name under which it issued this one"
        )


def private_key(pem: str) -> str:
    """Check a server's or a CA's private key.

    Args:
        pem: PKCS#1 or PKCS#8, unencrypted.

    Returns:
        The key in PKCS#1.

    Raises:
        ValueError: It cannot be used; the message says why and does not quote it.
    """
    # RFC 7468, 11; and RFC 1421, 4.6.1.1, which OpenSSL writes into a PKCS#1 file.
    if "BEGIN ENCRYPTED PRIVATE KEY" in pem or "Proc-Type: 4,ENCRYPTED" in pem:
        raise ValueError(
            "the key is encrypted, and the load balancer needs it in the clear: decrypt it with "
            "`openssl rsa`; the stack keeps it as a secret"
        )
    if "PRIVATE KEY-----" not in pem:
        raise ValueError(
            "this is no private key in PEM: give the content of the file that begins with "
            "-----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----"
        )
    if (count := pem.count("PRIVATE KEY-----") // 2) > 1:
        raise ValueError(f"there are {count} private keys: give the certificate's alone")
    return keys.pkcs1(uploaded_keys.load(pem))


def require_match(certificate: str, key: str) -> None:
    """Check that a key is that of a chain's first certificate.

    Raises:
        ValueError: It is not.
    """
    own = uploaded_keys.load(key).public_key()
    chain = _parsed(certificate)
    if _rsa_key(chain[0]) == own:
        return
    if any(_rsa_key(other) == own for other in chain[1:]):
        raise ValueError(
            "private_key is the key of a certificate further down in certificate: put the "
            "server's own first"
        )
    subject = chain[0].subject.rfc4514_string()
    raise ValueError(
        f"private_key is not the key of certificate ({subject}): give the two that were made "
        "together"
    )


def _require_public(pem: str) -> None:
    if "PRIVATE KEY-----" in pem:
        raise ValueError(
            "there is a private key beside the certificate, where it is no secret: take it out, "
            "make another key if others could read this one, and give it as private_key"
        )


def _parsed(pem: str) -> Sequence[x509.Certificate]:
    found = _loaded(pem)
    for certificate in found:
        _require_sound(certificate)
    return found


def _loaded(pem: str) -> Sequence[x509.Certificate]:
    try:
        return certificates.load_chain(pem)
    except ValueError as error:
        absent = str(error) == encodings.NO_CERTIFICATE
        way_on = (
            "give the content of the file that begins with -----BEGIN CERTIFICATE-----"
            if absent
            else "have the certificate issued anew"
        )
        raise ValueError(f"{error}: {way_on}") from None


def _require_sound(certificate: x509.Certificate) -> None:
    try:
        certificates.require_sound(certificate)
    except ValueError as error:
        raise ValueError(f"{error}: have the certificate issued anew") from None


def _ordinal(index: int) -> str:
    return "the certificate" if index == 0 else f"certificate {index + 1} of the chain"


def _is_needed(chain: Sequence[x509.Certificate], index: int) -> bool:
    """Whether clients need a certificate of a chain: a root's they have, if they trust it at all.

    The last one of three or more is a root, or another CA's signature of one, made for clients
    that did not know the root yet.
    """
    last = index == len(chain) - 1
    return not last or index == 0 or (index == 1 and chain[1].issuer != chain[1].subject)


def _require_in_force(
    certificate: x509.Certificate, which: str, now: datetime, *, needed: bool = True
) -> None:
    last = certificate.not_valid_after_utc
    if now > last:
        way_on = "give its successor" if needed else "clients do not need it, so leave it out"
        raise ValueError(f"{which} expired at {show_time(last)}: {way_on}")
    _require_begun(certificate, which, now)


def _require_begun(certificate: x509.Certificate, which: str, now: datetime) -> None:
    first = certificate.not_valid_before_utc
    if now < first:
        raise ValueError(
            f"{which} is not valid before {show_time(first)}: give one that is now, or correct "
            "this machine's clock if it is behind"
        )


def _require_rsa(certificate: x509.Certificate) -> None:
    key = _rsa_key(certificate)
    if key is None:
        raise ValueError(
            "the certificate's key is not RSA, and the load balancer takes no other, elliptic "
            f"curves neither: have one issued for an RSA key of {uploaded_keys.SIZE_WORDS} bits"
        )
    if certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        # Uploaded and signed with as a plain one, it would go with this certificate no more.
        raise ValueError(
            "the certificate's key is an RSA key for RSASSA-PSS alone (RFC 4055, 1.2), and the "
            "load balancer takes plain ones: have one issued for a plain RSA key"
        )
    if key.key_size not in uploaded_keys.SIZES:
        short = key.key_size < uploaded_keys.SIZES[0]
        reason = "too short to be safe" if short else "a size that the load balancer does not take"
        raise ValueError(
            f"the certificate's RSA key has {key.key_size} bits, {reason}: have one issued for a "
            f"key of {uploaded_keys.SIZE_WORDS} bits"
        )


def _rsa_key(certificate: x509.Certificate) -> rsa.RSAPublicKey | None:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return None
    return key if isinstance(key, rsa.RSAPublicKey) else None
