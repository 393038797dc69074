"""Authorities of any kind and what they sign: right but for what a caller asks for."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from components.pki import der as encoding
from components.pki import keys, profiles
from components.pki.certificates import Issuer
from components.pki.keys import Ecdsa
from components.pki.profiles import Profile
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


def signed_over(tbs: bytes, algorithm: bytes) -> bytes:
    """A certificate of other content, to which the project's CA sets its signature all the same.

    Args:
        tbs: The content (RFC 5280, 4.1.1.1).
        algorithm: What the certificate says the signature is.
    """
    signature = keys.sign(anchor("project").private_key, tbs)
    bits = encoding.element(encoding.BIT_STRING, b"\0", signature)
    return encoding.sequence([tbs, algorithm, bits])


SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


def with_another_point(point: bytes) -> bytes:
    """A client's certificate whose key on P-256 is this point, be it on the curve or not."""
    own = Ecdsa("P-256").generate()
    good = issue(anchor("project"), holder=own).tbs_certificate_bytes
    held = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    kind = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
    parts = encoding.inner(good)
    (place,) = (number for number, part in enumerate(parts) if held in part and kind in part)
    bits = encoding.element(encoding.BIT_STRING, b"\0", point)
    parts[place] = encoding.sequence([kind, bits])
    return signed_over(encoding.sequence(parts), SHA256_WITH_RSA)


def under_the_name_of_ecdsa() -> bytes:
    """A client's certificate that says that its signature is ECDSA's; it is the CA's, by RSA."""
    parts = encoding.inner(issue(anchor("project")).tbs_certificate_bytes)
    place = parts.index(SHA256_WITH_RSA)
    parts[place] = ECDSA_WITH_SHA256
    return signed_over(encoding.sequence(parts), ECDSA_WITH_SHA256)


@functools.cache
def oversized_key() -> rsa.RSAPrivateKey:
    """A key of 8676 bits, of two Mersenne primes: one of chance takes minutes to make."""
    p, q, e = 2**4423 - 1, 2**4253 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    own = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return own.private_key()


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
