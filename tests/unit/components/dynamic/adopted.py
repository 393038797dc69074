"""CAs that others made, of every kind that is brought along, and what such a CA has issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from components.pki import certificates, der, keys
from tests.unit.components.dynamic.programs import AUTHORITY
from tests.unit.components.pki.material import NOW

OLD_CA = {"common_name": "Old CA", "organization": "Example Ltd"}
NAME = x509.Name(
    [
        # As nothing here writes it: another order, other types of text, a field of its own.
        x509.NameAttribute(NameOID.COMMON_NAME, "Old CA", _ASN1Type.PrintableString),
        x509.NameAttribute(NameOID.SERIAL_NUMBER, "17"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Ltd", _ASN1Type.BMPString),
    ]
)
SERIAL = 23067
LIFE = timedelta(days=3000)


@dataclass(frozen=True)
class Old:
    """How the certificate of a CA is that others made."""

    path_length: int | None = None
    version_1: bool = False
    identifier: bytes | None = b"of its own"
    serial_number: int = SERIAL
    names_itself: bool = False
    """Whether its own AKI has its issuer and serial number, as easy-rsa writes it."""
    extra: tuple[x509.ExtensionType, ...] = ()


KINDS = {
    "without a path length": Old(),
    "path length 0": Old(path_length=0),
    "path length 1": Old(path_length=1),
    "path length 2": Old(path_length=2),
    "easy-rsa": Old(names_itself=True),
    "the tutorial's, of version 1": Old(version_1=True, identifier=None),
    "without an identifier": Old(identifier=None),
    "serial number 0": Old(serial_number=0),
    "serial number of 21 octets": Old(serial_number=1 << 160),
    "negative serial number": Old(serial_number=-129),
    "constrained": Old(extra=(x509.NameConstraints(None, [x509.DNSName("bad.example")]),)),
    "constrained to hosts": Old(
        extra=(x509.NameConstraints([x509.UniformResourceIdentifier("a.example")], None),)
    ),
}


def made(
    kind: Old, key: rsa.RSAPrivateKey, life: timedelta = LIFE, moment: datetime = NOW
) -> x509.Certificate:
    """The certificate, which began a week before `moment`."""
    start = moment.replace(microsecond=0) - timedelta(days=7)
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + life)
    )
    if not kind.version_1:
        limits = x509.BasicConstraints(ca=True, path_length=kind.path_length)
        builder = builder.add_extension(limits, critical=False)
        if kind.identifier:
            builder = builder.add_extension(x509.SubjectKeyIdentifier(kind.identifier), False)
        if kind.names_itself:
            builder = builder.add_extension(_naming(kind), critical=False)
        for extension in kind.extra:
            builder = builder.add_extension(extension, critical=True)
    return _renumbered(builder.sign(key, hashes.SHA256()), key, kind.serial_number, kind.version_1)


def adopting(pem: str, key: rsa.RSAPrivateKey, **changes: Any) -> dict[str, Any]:
    """Inputs of a CA that was brought along with its key."""
    return {
        **AUTHORITY,
        "subject": OLD_CA,
        "adopted_certificate": pem,
        "adopted_private_key": keys.pkcs1(key),
        **changes,
    }


def leaves(
    kind: Old, key: rsa.RSAPrivateKey, holder: rsa.RSAPrivateKey, moment: datetime = NOW
) -> dict[str, x509.Certificate]:
    """A client's certificate for each way in which it may name its issuer."""
    ways = {
        "by key": _naming(kind, serial=False),
        "by issuer and serial number": _naming(kind, identifier=False),
        "by both": _naming(kind),
        "by name alone": None,
    }
    return {way: _leaf(kind, key, holder, issuer, moment) for way, issuer in ways.items()}


def _leaf(
    kind: Old,
    key: rsa.RSAPrivateKey,
    holder: rsa.RSAPrivateKey,
    issuer: x509.AuthorityKeyIdentifier | None,
    moment: datetime,
) -> x509.Certificate:
    start = moment.replace(microsecond=0) - timedelta(days=6)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "laptop")]))
        .issuer_name(NAME)
        .public_key(holder.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=825))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    if issuer is not None and (issuer.key_identifier or issuer.authority_cert_issuer):
        builder = builder.add_extension(issuer, critical=False)
    made = builder.sign(key, hashes.SHA256())
    if issuer is not None and issuer.authority_cert_issuer:
        # The library takes no odd serial number there either.
        return _renumbered_identifier(made, key, kind.serial_number)
    return made


def _naming(
    kind: Old, *, identifier: bool = True, serial: bool = True
) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier(
        kind.identifier if identifier else None,
        [x509.DirectoryName(NAME)] if serial else None,
        PLACEHOLDER if serial else None,
    )


PLACEHOLDER = 0x7A7B7C7D7E7F


def _signed(tbs: bytes, algorithm: bytes, key: rsa.RSAPrivateKey) -> x509.Certificate:
    signature = key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())
    bits = der.element(der.BIT_STRING, b"\0", signature)
    with certificates.lenient():
        return x509.load_der_x509_certificate(der.sequence([tbs, algorithm, bits]))


def _renumbered(
    certificate: x509.Certificate, key: rsa.RSAPrivateKey, serial: int, version_1: bool
) -> x509.Certificate:
    """The same under a serial number that the library issues none with, or as version 1."""
    parts = der.inner(certificate.tbs_certificate_bytes)
    version, _, *rest = parts
    if version_1:
        version, rest = b"", rest[:5]
    made = _signed(der.sequence([version, der.integer(serial), *rest]), rest[0], key)
    return _renumbered_identifier(made, key, serial)


def _renumbered_identifier(
    certificate: x509.Certificate, key: rsa.RSAPrivateKey, serial: int
) -> x509.Certificate:
    """The same with this serial number in the authority key identifier, [2] of it."""
    tbs = certificate.tbs_certificate_bytes
    old = der.element(0x82, der.content(der.integer(PLACEHOLDER)))
    if old not in tbs:
        return certificate
    *rest, held = der.inner(tbs)
    extensions = []
    for extension in der.inner(der.content(held)):
        if old not in extension:
            extensions.append(extension)
            continue
        oid, value = der.inner(extension)
        fields = der.inner(der.content(value))
        fields[-1] = der.element(0x82, der.content(der.integer(serial)))
        extensions.append(der.sequence([oid, der.element(0x04, der.sequence(fields))]))
    held = der.element(0xA3, der.sequence(extensions))
    return _signed(der.sequence([*rest, held]), rest[2], key)


def pem(certificate: x509.Certificate) -> str:
    return certificates.pem(certificate)
