"""Keys that a client may have, whether it is made here or the client keeps it to itself.

The load balancer never gets a client's certificate: its listener sees it in the handshake, and no
document of CLB's restricts its key. What is refused here is weak, or of no use to what clients are:
each reason was tried, with the local listener (OpenSSL 3.0), Java 17, Go 1.26 and NSS, in which
Chromium and Firefox keep what they import.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from . import keys
from .keys import Ecdsa, Kind, PublicKey, Rsa

MADE_HERE: tuple[Kind, ...] = (
    Rsa(2048),
    Rsa(3072),
    Rsa(4096),
    Ecdsa("P-256"),
    Ecdsa("P-384"),
)
"""Kinds of key that are made for clients. P-521 is slower than these, and no safer for this use."""

LEAST_BITS = 2048
"""Length of an RSA key, at least: the 112 bits of security of OpenSSL's security level 2."""

MOST_BITS = 8192
"""Length of an RSA key, at most: Go's TLS reads no longer one (crypto/tls, `maxRSAKeyBits`)."""

WAY_ON = f"RSA of {LEAST_BITS} bits or more, or an elliptic curve: {', '.join(keys.CURVES)}"
"""Advice on which key to take."""

_SM2 = bytes.fromhex("06082a811ccf5501822d")
"""DER of the OID of its curve (GM/T 0006), which the library does not know."""

_RSASSA_PSS = bytes.fromhex("06092a864886f70d01010a")
"""DER of the OID of a key for RSASSA-PSS alone (RFC 4055, 1.2), which the library takes for any."""


def require_made_here(kind: Kind) -> None:
    """Refuse a kind that is not for new keys.

    Raises:
        ValueError: With those that are.
    """
    if kind in MADE_HERE:
        return
    given = f"key_bits is {kind.bits}" if isinstance(kind, Rsa) else f"key_curve is {kind.curve}"
    *others, last = (str(kind_here) for kind_here in MADE_HERE if isinstance(kind_here, type(kind)))
    raise ValueError(f"{given}, and a new key is {', '.join(others)} or {last}")


def of_certificate(certificate: x509.Certificate) -> PublicKey:
    """A client certificate's key, which the client can sign with in TLS.

    Raises:
        ValueError: With what its key is, and why it cannot be used.
    """
    return _usable(certificate, certificate.tbs_certificate_bytes)


def of_request(request: x509.CertificateSigningRequest) -> PublicKey:
    """A signing request's key, for which a client's certificate can be issued.

    Raises:
        ValueError: With what its key is, and why it cannot be used.
    """
    content = request.tbs_certrequest_bytes
    key = _usable(request, content)
    if _RSASSA_PSS in content:
        raise ValueError(
            "its key is an RSA key for RSASSA-PSS alone, and its certificate would be of a plain "
            "RSA key, which OpenSSL does not take for that key's: make the request with a plain one"
        )
    return key


def _usable(holder: x509.Certificate | x509.CertificateSigningRequest, content: bytes) -> PublicKey:
    try:
        key = holder.public_key()
    except (UnsupportedAlgorithm, ValueError):
        if _SM2 in content:
            raise ValueError(
                "its key is an SM2 key, with which neither the local listener nor Java nor a "
                f"browser can do TLS: take {WAY_ON}"
            ) from None
        raise ValueError(
            f"its key is of a kind that is not supported, or is spoilt: take {WAY_ON}"
        ) from None
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        if reason := _unusable(key):
            raise ValueError(f"its key is {keys.describe(key)}, {reason}: take {WAY_ON}")
        return key
    raise ValueError(f"its key is {keys.describe(key)}, {_reason(key)}: take {WAY_ON}")


def _unusable(key: PublicKey) -> str | None:
    """Why no client can use an RSA or ECDSA key, if so."""
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < LEAST_BITS:
            return "which is too short to be safe, and the listener refuses it as too weak"
        if key.key_size > MOST_BITS:
            return f"and Go's TLS reads no RSA key of more than {MOST_BITS} bits"
        return None
    try:
        keys.kind_of(key)
    except ValueError:
        return (
            "a curve with which Java cannot sign in TLS, and on which the listener ends a "
            "handshake of TLS 1.2"
        )
    return None


def _reason(key: object) -> str:
    """Why no client can use a key that is neither RSA nor ECDSA."""
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return "which Chromium and Firefox cannot import, as NSS takes no such key"
    if isinstance(key, dsa.DSAPublicKey):
        return "with which nobody can sign in TLS 1.3"
    return "with which no client can sign in TLS"
