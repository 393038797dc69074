"""What a certificate may be used for, judged as the load balancer's listener judges it.

The listener is Tengine, and so OpenSSL: its purpose `sslclient` (openssl-verification-options(1),
"Certificate Extensions").
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

NETSCAPE_TYPE = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
"""Netscape's certificate type, which OpenSSL's how-tos of old still write."""

_NETSCAPE_CLIENT = 0x80

_SIGNS_IN_TLS = (
    rsa.RSAPublicKey,
    ec.EllipticCurvePublicKey,
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
)

_KNOWN_TO_OPENSSL = {NETSCAPE_TYPE, x509.ObjectIdentifier("1.3.6.1.5.5.7.1.14")}
"""Extensions that OpenSSL knows and the library does not: Netscape's, a proxy certificate's."""


def require_client(certificate: x509.Certificate) -> None:
    """Refuse a certificate that the listener would not take from a client.

    Raises:
        ValueError: With the extension or the key that rules it out.
    """
    found = {extension.oid: extension for extension in certificate.extensions}
    values = {oid: extension.value for oid, extension in found.items()}
    constraints = values.get(x509.BasicConstraints.oid)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        raise ValueError("it is a CA's (basic constraints CA:TRUE) and not a client's")
    purposes = values.get(x509.ExtendedKeyUsage.oid)
    # Any purpose does not count as this one: OpenSSL refuses it, too.
    if isinstance(purposes, x509.ExtendedKeyUsage) and (
        ExtendedKeyUsageOID.CLIENT_AUTH not in purposes
    ):
        others = ", ".join(_PURPOSES.get(oid, oid.dotted_string) for oid in purposes)
        raise ValueError(
            f"it is not for clients: its extended key usage is {others}, without clientAuth, so "
            "the listener would refuse it"
        )
    usage = values.get(x509.KeyUsage.oid)
    if isinstance(usage, x509.KeyUsage) and not (usage.digital_signature or usage.key_agreement):
        raise ValueError(
            "it is not for clients: its key usage has neither digitalSignature nor keyAgreement, "
            "so the listener would refuse it"
        )
    kind = values.get(NETSCAPE_TYPE)
    if isinstance(kind, x509.UnrecognizedExtension) and not _is_netscape_client(kind.value):
        raise ValueError(
            "it is not for clients: its Netscape certificate type is not client, so the listener "
            "would refuse it"
        )
    for oid, extension in found.items():
        unknown = isinstance(extension.value, x509.UnrecognizedExtension)
        if extension.critical and unknown and oid not in _KNOWN_TO_OPENSSL:
            raise ValueError(
                f"it has the critical extension {oid.dotted_string}, which the listener does not "
                "know, so it would refuse the certificate"
            )
    if not isinstance(certificate.public_key(), _SIGNS_IN_TLS):
        raise ValueError("its key is of a kind with which no client can sign in TLS")  # noqa: TRY004 - not its Python type


_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CODE_SIGNING: "codeSigning",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "emailProtection",
    ExtendedKeyUsageOID.TIME_STAMPING: "timeStamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
}


def _is_netscape_client(value: bytes) -> bool:
    """Whether a BIT STRING's first bit is set; after its head it says how many are unused."""
    return len(value) > 3 and bool(value[3] & _NETSCAPE_CLIENT)
