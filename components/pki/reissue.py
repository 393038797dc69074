"""Issues anew the certificate of a CA that others made, so that what it issued goes on verifying.

What such a CA has issued is not here to be read, and may point at its certificate in three ways
(RFC 5280, 4.2.1.1): by the key identifier, by issuer and serial number, or by the name alone. So
key, names, key identifier and serial number stay, byte for byte, as they do where OpenSSL signs a
certificate anew (`openssl x509 -in ca.crt -signkey ca.key`).

Why the serial number stays, although RFC 5280, 4.1.2.2 has one certificate of a CA for each: a leaf
that names it is refused under a certificate with another one, by OpenSSL (error 20), and so by
HAProxy and Tengine, which is what the listener is. The price is paid by who keeps certificates by
issuer and serial number: NSS, so Firefox, does not import the new one beside the old one
(SEC_ERROR_REUSED_ISSUER_AND_SERIAL) until the old one is deleted. It goes on trusting by the old
one until that expires, as the listener does not send its CA's certificate.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from . import certificates, der, keys, name_constraints, profiles
from .keys import PrivateKey
from .windows import Window

_VERSION = 0xA0
_EXTENSIONS = 0xA3
_V3 = der.element(_VERSION, der.integer(2))
_BASIC_CONSTRAINTS = x509.BasicConstraints.oid.dotted_string
_NAME_CONSTRAINTS = x509.NameConstraints.oid.dotted_string


def reissue(
    previous: x509.Certificate,
    key: PrivateKey,
    window: Window,
    *,
    path_length: int | None,
    constraints: x509.NameConstraints | None,
) -> x509.Certificate:
    """Issue a CA's self-signed certificate with another validity, and leave the rest as it is.

    Args:
        previous: The certificate. One of version 1 becomes one of version 3 with what that needs.
        key: The CA's.
        window: The new validity.
        path_length: How many CAs may stand below it (RFC 5280, 4.2.1.9); None: any number.
        constraints: Names that it may certify; None: all.
    """
    fresh = _fresh(previous, key, window, path_length, constraints)
    old, new = _Parts(previous), _Parts(fresh)
    replaced = set(new.extensions) if previous.version is x509.Version.v1 else set()
    if certificates.path_length(previous) != path_length:
        replaced.add(_BASIC_CONSTRAINTS)
    if name_constraints.of(previous) != constraints:
        replaced.add(_NAME_CONSTRAINTS)
    kept = {oid: whole for oid, whole in old.extensions.items() if oid not in replaced}
    extensions = kept | {oid: new.extensions[oid] for oid in replaced if oid in new.extensions}
    to_be_signed = der.sequence(
        [
            _V3,
            old.serial_number,
            new.signature_algorithm,
            old.issuer,
            new.validity,
            old.subject,
            old.public_key,
            *old.unique_identifiers,
            der.element(_EXTENSIONS, der.sequence(extensions.values())),
        ]
    )
    signature = keys.sign(key, to_be_signed)
    bits = der.element(der.BIT_STRING, b"\0", signature)
    whole = der.sequence([to_be_signed, new.signature_algorithm, bits])
    return certificates.load_der(whole)


class _Parts:
    """A certificate's elements (RFC 5280, 4.1), and its extensions by OID."""

    def __init__(self, certificate: x509.Certificate) -> None:
        parts = der.inner(certificate.tbs_certificate_bytes)
        if parts[0][0] == _VERSION:
            del parts[0]
        (
            self.serial_number,
            self.signature_algorithm,
            self.issuer,
            self.validity,
            self.subject,
            self.public_key,
        ) = parts[:6]
        self.unique_identifiers = [part for part in parts[6:] if part[0] != _EXTENSIONS]
        held = [part for part in parts[6:] if part[0] == _EXTENSIONS]
        oids = [extension.oid.dotted_string for extension in certificate.extensions]
        wholes = der.inner(der.content(held[0])) if held else []
        self.extensions = dict(zip(oids, wholes, strict=True))


def _fresh(
    previous: x509.Certificate,
    key: PrivateKey,
    window: Window,
    path_length: int | None,
    constraints: x509.NameConstraints | None,
) -> x509.Certificate:
    """A certificate of which the parts are taken that change; names and serial number are not."""
    anonymous = x509.Name([])
    builder = (
        x509.CertificateBuilder()
        .subject_name(anonymous)
        .issuer_name(anonymous)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(window.not_before)
        .not_valid_after(window.not_after)
        .add_extension(certificates.key_identifier(previous), critical=False)
    )
    for extension, critical in profiles.extensions(
        profiles.authority(path_length), key.public_key()
    ):
        builder = builder.add_extension(extension, critical=critical)
    if constraints is not None:
        builder = builder.add_extension(constraints, critical=True)
    return builder.sign(key, hashes.SHA256())


def keeps_identity(reissued: x509.Certificate, previous: x509.Certificate) -> bool:
    """Whether whatever names the one, by key, name, identifier or serial number, names both."""
    one, other = _Parts(reissued), _Parts(previous)
    return (
        one.serial_number == other.serial_number
        and one.subject == other.subject
        and one.public_key == other.public_key
        and certificates.key_identifier(reissued) == certificates.key_identifier(previous)
    )
