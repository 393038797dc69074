"""Purposes of certificates, judged as the load balancer's listener judges them.

The listener is Tengine, and so OpenSSL: its purpose `sslclient` (openssl-verification-options(1),
"Certificate Extensions").
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from .names import same_name

NETSCAPE_TYPE = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
"""Netscape's certificate type, which OpenSSL's how-tos of old still write."""

_NETSCAPE_CLIENT = 0x80

_SIGNS_IN_TLS = (
    rsa.RSAPublicKey,
    ec.EllipticCurvePublicKey,
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
)

_KNOWN_TO_OPENSSL = {
    NETSCAPE_TYPE,
    x509.ObjectIdentifier("1.3.6.1.5.5.7.1.14"),  # A proxy certificate's.
    x509.KeyUsage.oid,
    x509.SubjectAlternativeName.oid,
    x509.BasicConstraints.oid,
    x509.NameConstraints.oid,
    x509.CRLDistributionPoints.oid,
    x509.CertificatePolicies.oid,
    ExtensionOID.POLICY_MAPPINGS,
    x509.PolicyConstraints.oid,
    x509.ExtendedKeyUsage.oid,
    x509.InhibitAnyPolicy.oid,
    x509.OCSPNoCheck.oid,
}
"""Extensions that OpenSSL heeds where they are critical (crypto/x509/v3_purp.c,
`X509_supported_extension`). The library knows others, such as key identifiers."""


def require_client(certificate: x509.Certificate) -> None:
    """Refuse a certificate that the listener would not take from a client.

    Raises:
        ValueError: With the extension or the key that rules it out.
    """
    values = {extension.oid: extension.value for extension in certificate.extensions}
    constraints = values.get(x509.BasicConstraints.oid)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        raise ValueError("it is a CA's (basic constraints CA:TRUE) and not a client's")
    purposes = values.get(x509.ExtendedKeyUsage.oid)
    # Any purpose does not count as this one: OpenSSL refuses it, too.
    if isinstance(purposes, x509.ExtendedKeyUsage) and (
        ExtendedKeyUsageOID.CLIENT_AUTH not in purposes
    ):
        raise ValueError(
            f"it is not for clients: its extended key usage is {_listed(purposes)}, without "
            "clientAuth, so the listener would refuse it"
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
    if unknown := _unknown_but_critical(certificate):
        raise ValueError(
            f"it has the critical extension {unknown}, which the listener does not know, so it "
            "would refuse the certificate"
        )
    if not isinstance(certificate.public_key(), _SIGNS_IN_TLS):
        raise ValueError("its key is of a kind with which no client can sign in TLS")  # noqa: TRY004 - not its Python type


def require_authority(certificate: x509.Certificate) -> None:
    """Refuse a CA's certificate under which the listener would take no client's.

    Raises:
        ValueError: With the extension that rules it out.
    """
    found = {extension.oid: extension.value for extension in certificate.extensions}
    constraints = found.get(x509.BasicConstraints.oid)
    usage = found.get(x509.KeyUsage.oid)
    purposes = found.get(x509.ExtendedKeyUsage.oid)
    is_ca = isinstance(constraints, x509.BasicConstraints) and constraints.ca
    # Version 1 has no extensions, and a self-signed certificate of it counts as a CA's.
    is_root_of_version_1 = certificate.version is x509.Version.v1 and same_name(
        certificate.subject, certificate.issuer
    )
    if not is_ca and not is_root_of_version_1:
        raise ValueError("it is not a CA's: its basic constraints do not say CA:TRUE")
    if isinstance(usage, x509.KeyUsage) and not usage.key_cert_sign:
        raise ValueError("it is not a CA's: its key usage is without keyCertSign")
    if isinstance(purposes, x509.ExtendedKeyUsage) and (
        ExtendedKeyUsageOID.CLIENT_AUTH not in purposes
    ):
        raise ValueError(
            f"its extended key usage is {_listed(purposes)}, without clientAuth, so the listener "
            "would refuse every client of this CA: have it issued anew without it, with the same "
            "key and name"
        )
    if unknown := _unknown_but_critical(certificate):
        raise ValueError(
            f"it has the critical extension {unknown}, which the listener does not know, so it "
            "would refuse every client of this CA: have it issued anew without it, with the same "
            "key and name"
        )


def signs_lists(certificate: x509.Certificate) -> bool:
    """Whether a CA's key usage lets it sign revocation lists (RFC 5280, 6.3.3 (f))."""
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _unknown_but_critical(certificate: x509.Certificate) -> str | None:
    """The OID of an extension for which OpenSSL refuses a certificate (RFC 5280, 4.2)."""
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _KNOWN_TO_OPENSSL:
            return str(extension.oid.dotted_string)
    return None


def _listed(purposes: x509.ExtendedKeyUsage) -> str:
    return ", ".join(_PURPOSES.get(oid, oid.dotted_string) for oid in purposes)


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
