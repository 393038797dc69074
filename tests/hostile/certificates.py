"""What a client may show to get in without being let in: certificates, chains and keys.

Each is wrong in one way and right in all others, so that a refusal is for that one reason.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
from cryptography.x509.oid import NameOID

from pki import certificates, profiles
from pki.certificates import Issuer
from pki.names import distinguished_name
from pki.profiles import Profile
from tests.conformance import specimens

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

UNKNOWN = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")
"""An extension that nobody knows."""

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


@dataclass(frozen=True)
class Shown:
    """A chain in DER, leaf first, and the key that the client signs with; no chain: no certificate.

    `anchor` says which CA the listener trusts: the project's, or one that limits no path length.
    """

    chain: tuple[bytes, ...]
    key: Key | None = None
    anchor: str = "project"

    @property
    def key_pem(self) -> str:
        if self.key is None:
            return ""
        encoded = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return encoded.decode()


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
    for extension, critical in [*profiles.extensions(profile), *extra]:
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
    for extension, critical in profiles.extensions(profiles.AUTHORITY):
        builder = builder.add_extension(extension, critical)
    if identifiers:
        claimed = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(held)
        builder = builder.add_extension(held, False).add_extension(claimed, False)
    return Issuer(builder.sign(own, hashes.SHA256()), own)


def _impostors_client(*, identifiers: bool) -> x509.Certificate:
    claimed = None
    if identifiers:
        real = anchor("project").certificate
        held = real.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        claimed = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(held)
    return issue(same_name(identifiers=identifiers), identifier=claimed)


def _client(signer: str = "project", **options: object) -> Shown:
    """A client's certificate by itself, different in these ways."""
    made = issue(anchor(signer), **options)  # type: ignore[arg-type]
    return Shown(der(made), key("client"), signer)


def _project() -> Issuer:
    return anchor("project")


def _unlimited() -> Issuer:
    return anchor("unlimited")


def _issued() -> x509.Certificate:
    """What the project's register issues."""
    subject = distinguished_name({"common_name": "browser"})
    window = specimens.opening_now(specimens.ClientDefaults())
    return certificates.client(_project(), subject, key("client").public_key(), window)


def _under(*between: Issuer, leaf: x509.Certificate | None = None) -> Shown:
    """A client below intermediate CAs, the one that signs it first."""
    made = leaf or issue(between[0])
    chain = der(made, *(one.certificate for one in between))
    return Shown(chain, key("client"), "unlimited")


def _below_a_client() -> Shown:
    middle = issue(_unlimited(), holder=key("middle"), subject=common_name("partner"))
    return _under(Issuer(middle, key("middle")))


def _below_a_client_of_the_project() -> Shown:
    middle = issue(_project(), holder=key("middle"), subject=common_name("partner"))
    made = issue(Issuer(middle, key("middle")))
    return Shown(der(made, middle), key("client"))


def _below_an_intermediate_of_the_project() -> Shown:
    middle = authority("Intermediate CA", _project())
    return Shown(der(issue(middle), middle.certificate), key("client"))


def _deep(levels: int) -> Shown:
    issuers = [_unlimited()]
    for level in range(levels):
        issuers.append(authority(f"Level {level}", issuers[-1]))
    return _under(*reversed(issuers[1:]))


def _path_length_of_an_intermediate() -> Shown:
    upper = authority("Upper CA", _unlimited(), path_length=0)
    lower = authority("Lower CA", upper)
    return _under(lower, upper)


def _constrained(permitted: x509.GeneralName, claimed: x509.GeneralName) -> Shown:
    constraints = x509.NameConstraints(permitted_subtrees=[permitted], excluded_subtrees=None)
    middle = authority("Constrained CA", _unlimited(), extra=[constraints])
    names = x509.SubjectAlternativeName([claimed])
    return _under(middle, leaf=issue(middle, extra=[(names, False)]))


def _elliptic() -> Shown:
    own = ec.generate_private_key(ec.SECP256R1())
    return Shown(der(issue(_project(), holder=own)), own)


def _self_signed(subject: x509.Name, profile: Profile = profiles.CLIENT) -> Shown:
    return Shown(der(issue(None, subject=subject, profile=profile)), key("client"))


def _cut(bytes_left: int) -> Shown:
    return Shown((der(_issued())[0][:bytes_left],), key("client"))


def _flipped() -> Shown:
    (good,) = der(_issued())
    return Shown((good[:-1] + bytes([good[-1] ^ 1]),), key("client"))


def _renamed() -> Shown:
    (good,) = der(_issued())
    assert good.count(b"browser") == 1
    return Shown((good.replace(b"browser", b"partner"),), key("client"))


def _stuffed(copies: int) -> Shown:
    return Shown(der(_issued(), *[_project().certificate] * copies), key("client"))


CASES: dict[str, Callable[[], Shown]] = {
    # Who shall get in, or shall not be kept out by what is harmless.
    "A client of the CA": lambda: Shown(der(_issued()), key("client")),
    "The same, with the CA's certificate after it": lambda: Shown(
        der(_issued(), _project().certificate), key("client")
    ),
    "The same, three times over": lambda: Shown(der(*[_issued()] * 3), key("client")),
    "The same, with a stranger's certificate after it": lambda: Shown(
        der(_issued(), authority("Stranger CA").certificate), key("client")
    ),
    "A client that the revocation list names": lambda: Shown(der(_issued()), key("client")),
    "Elliptic-curve key (P-256)": _elliptic,
    "Unknown extension, not critical": lambda: _client(
        extra=[(x509.UnrecognizedExtension(UNKNOWN, b"\x05\x00"), False)]
    ),
    "No extended key usage": lambda: _client(profile=for_purposes()),
    # No certificate of the CA at all.
    "No certificate": lambda: Shown(()),
    "Self-signed": lambda: _self_signed(common_name("browser")),
    "Self-signed, under the CA's name": lambda: _self_signed(_project().certificate.subject),
    "Another CA's": lambda: Shown(der(issue(authority("Stranger CA"))), key("client")),
    "Another CA's, and that CA": lambda: Shown(
        der(issue(authority("Stranger CA")), authority("Stranger CA").certificate), key("client")
    ),
    "Another CA's of the same name": lambda: Shown(
        der(_impostors_client(identifiers=False)), key("client")
    ),
    "Another CA's of the same name and key identifiers": lambda: Shown(
        der(_impostors_client(identifiers=True)), key("client")
    ),
    "Another CA's of the same name and key identifiers, and that CA": lambda: Shown(
        der(_impostors_client(identifiers=True), same_name(identifiers=True).certificate),
        key("client"),
    ),
    # The CA's signature, and something else wrong.
    "Expired": lambda: _client(days=(-10, -1)),
    "Not yet valid": lambda: _client(days=(1, 10)),
    "Extended key usage: servers": lambda: _client(profile=profiles.SERVER),
    "Extended key usage: code signing": lambda: _client(profile=for_purposes(Purpose.CODE_SIGNING)),
    "Extended key usage: any": lambda: _client(
        profile=for_purposes(Purpose.ANY_EXTENDED_KEY_USAGE)
    ),
    "Key usage: encipherment alone": lambda: _client(profile=with_usage("key_encipherment")),
    "CA flag as leaf": lambda: _client(
        profile=Profile(
            x509.BasicConstraints(ca=True, path_length=None),
            ("digital_signature", "key_cert_sign"),
            (Purpose.CLIENT_AUTH,),
        )
    ),
    "The CA itself, with its key": lambda: Shown(
        der(_project().certificate), _project().private_key
    ),
    "Unknown extension, critical": lambda: _client(
        extra=[(x509.UnrecognizedExtension(UNKNOWN, b"\x05\x00"), True)]
    ),
    "Signed over SHA-1": lambda: Shown((weakly_signed("sha1"),), key("client")),
    "Signed over MD5": lambda: Shown((weakly_signed("md5"),), key("client")),
    "RSA key of 1024 bits": lambda: Shown(
        der(issue(_project(), holder=key("short", 1024))), key("short", 1024)
    ),
    # Forged or broken.
    "A client's certificate, another key": lambda: Shown(der(_issued()), key("thief")),
    "Signature flipped by a bit": _flipped,
    "Renamed after signing": _renamed,
    "DER cut in half": lambda: _cut(len(der(_issued())[0]) // 2),
    "DER with a byte too many": lambda: Shown((der(_issued())[0] + b"\x00",), key("client")),
    "Random bytes": lambda: Shown((hashlib.sha512(b"garbage").digest() * 12,), key("client")),
    "An empty certificate": lambda: Shown((b"",), key("client")),
    "PEM in place of DER": lambda: Shown((_issued().public_bytes(Encoding.PEM),), key("client")),
    "Chain of 151 certificates": lambda: _stuffed(150),
    "Chain of 401 certificates": lambda: _stuffed(400),
    # Chains.
    "Signed by a client": _below_a_client_of_the_project,
    "Below an intermediate CA, which the CA's path length forbids": (
        _below_an_intermediate_of_the_project
    ),
    "Unlimited CA: below an intermediate CA": lambda: _under(
        authority("Intermediate CA", _unlimited())
    ),
    "Unlimited CA: below four intermediate CAs": lambda: _deep(4),
    "Unlimited CA: the intermediate CA is not sent": lambda: Shown(
        der(issue(authority("Intermediate CA", _unlimited()))), key("client"), "unlimited"
    ),
    "Unlimited CA: signed by a client": _below_a_client,
    "Unlimited CA: path length of an intermediate CA exceeded": _path_length_of_an_intermediate,
    "Unlimited CA: intermediate CA expired": lambda: _under(
        authority("Intermediate CA", _unlimited(), days=(-10, -1))
    ),
    "Unlimited CA: intermediate CA may not sign certificates": lambda: _under(
        authority("Intermediate CA", _unlimited(), usage=("crl_sign",))
    ),
    "Unlimited CA: intermediate CA without the CA flag": lambda: _under(
        authority("Intermediate CA", _unlimited(), flag=False)
    ),
    "Unlimited CA: intermediate CA is for servers": lambda: _under(
        authority("Intermediate CA", _unlimited(), purposes=(Purpose.SERVER_AUTH,))
    ),
    "Unlimited CA: DNS name outside the name constraints": lambda: _constrained(
        x509.DNSName("example.com"), x509.DNSName("www.example.net")
    ),
    "Unlimited CA: mailbox outside the name constraints": lambda: _constrained(
        x509.RFC822Name("example.com"), x509.RFC822Name("browser@example.net")
    ),
    "Unlimited CA: DNS name within the name constraints": lambda: _constrained(
        x509.DNSName("example.com"), x509.DNSName("www.example.com")
    ),
    "Unlimited CA: a client of the project's CA": lambda: Shown(
        der(_issued()), key("client"), "unlimited"
    ),
}
"""By the words that docs/hostile-clients.md has for them."""
