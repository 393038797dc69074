"""Authorities of any kind and what they sign: right but for what a caller asks for."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki import profiles
from pki.certificates import Issuer
from pki.profiles import Profile
from tests.conformance import specimens

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_OIDS = {
    "sha256": bytes.fromhex("06092a864886f70d01010b"),
    "sha1": bytes.fromhex("06092a864886f70d010105"),
    "md5": bytes.fromhex("06092a864886f70d010104"),
}
"""DER of the signature algorithms of RFC 8017, appendix C, all of one length."""

_DIGEST_INFOS = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "md5": bytes.fromhex("3020300c06082a864886f70d020505000410"),
}
"""RFC 8017, 9.2, note 1."""


@functools.cache
def key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key for each name."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@functools.cache
def anchor(name: str) -> Issuer:
    """A CA that a listener trusts."""
    if name == "project":
        return specimens.issuer()
    return authority("Unlimited CA", path_length=None)


def authority(
    name: str,
    signer: Issuer | None = None,
    *,
    path_length: int | None = None,
    days: tuple[int, int] = (-1, 300),
    usage: Sequence[str] = ("key_cert_sign", "crl_sign"),
    flag: bool = True,
    purposes: Sequence[x509.ObjectIdentifier] = (),
    extra: Sequence[x509.ExtensionType] = (),
) -> Issuer:
    """A CA; self-signed unless a signer is given."""
    constraints = x509.BasicConstraints(ca=flag, path_length=path_length)
    own = key(name)
    made = issue(
        signer,
        subject=common_name(name),
        holder=own,
        profile=Profile(constraints, tuple(usage), tuple(purposes)),
        days=days,
        extra=[(extension, True) for extension in extra],
    )
    return Issuer(made, own)


def issue(
    signer: Issuer | None,
    *,
    subject: x509.Name | None = None,
    holder: Key | None = None,
    profile: Profile = profiles.CLIENT,
    days: tuple[int, int] = (-1, 30),
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    identifier: x509.AuthorityKeyIdentifier | None = None,
) -> x509.Certificate:
    """A certificate, a client's unless the profile says otherwise; self-signed without a signer.

    Args:
        signer: Whose name and key sign.
        subject: Whose it is.
        holder: Its key.
        profile: What it may be used for.
        days: From when to when, counted from now.
        extra: More extensions, each with whether it is critical.
        identifier: The authority key identifier in place of the signer's; none without a signer.
    """
    holder = holder or key("client")
    subject = subject or common_name("browser")
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(holder.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(holder.public_key()), False)
    )
    if signer and not identifier:
        public = signer.certificate.public_key()
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    if identifier:
        builder = builder.add_extension(identifier, False)
    for extension, critical in [*profiles.extensions(profile, holder.public_key()), *extra]:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer.private_key if signer else holder, hashes.SHA256())


def common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def der(*chain: x509.Certificate) -> tuple[bytes, ...]:
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in chain)


def for_purposes(*purposes: x509.ObjectIdentifier) -> Profile:
    """A client's profile but for these purposes; none: the extension is absent."""
    client = profiles.CLIENT
    return Profile(client.basic_constraints, client.key_usage, purposes)


def with_usage(*usages: str) -> Profile:
    """A client's profile but for its key usage."""
    client = profiles.CLIENT
    return Profile(client.basic_constraints, usages, client.extended_key_usage)


def weakly_signed(digest: str) -> bytes:
    """A client's certificate signed over SHA-1 or MD5, which libraries refuse to make."""
    signer = anchor("project")
    good = issue(signer)
    (strong,) = der(good)
    assert strong.count(_OIDS["sha256"]) == 2
    tbs = good.tbs_certificate_bytes.replace(_OIDS["sha256"], _OIDS[digest])
    info = _DIGEST_INFOS[digest] + hashlib.new(digest, tbs).digest()
    numbers = signer.private_key.private_numbers()
    modulus = numbers.public_numbers.n
    size = signer.private_key.key_size // 8
    padded = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
    signature = pow(int.from_bytes(padded, "big"), numbers.d, modulus).to_bytes(size, "big")
    return strong.replace(_OIDS["sha256"], _OIDS[digest])[:-size] + signature


def same_name(*, identifiers: bool) -> Issuer:
    """Another CA with the project's CA's name, and with its key identifiers if so asked."""
    real = anchor("project").certificate
    own = key("impostor")
    held = real.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    subject = real.subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(own.public_key())
        .serial_number(real.serial_number)
        .not_valid_before(real.not_valid_before_utc)
        .not_valid_after(real.not_valid_after_utc)
    )
    for extension, critical in profiles.extensions(profiles.AUTHORITY, own.public_key()):
        builder = builder.add_extension(extension, critical)
    if identifiers:
        claimed = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(held)
        builder = builder.add_extension(held, False).add_extension(claimed, False)
    return Issuer(builder.sign(own, hashes.SHA256()), own)
