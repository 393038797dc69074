"""What a client may show to get in without being let in: certificates, chains and keys.

Each is wrong in one way and right in all others, so that a refusal is for that one reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from components.pki import certificates, profiles
from components.pki.certificates import Issuer
from components.pki.keys import Curve, Ecdsa
from components.pki.names import distinguished_name
from components.pki.profiles import Profile
from tests.conformance import specimens
from tests.hostile.forging import (
    Key,
    anchor,
    authority,
    common_name,
    der,
    for_purposes,
    issue,
    key,
    oversized_key,
    same_name,
    under_the_name_of_ecdsa,
    weakly_signed,
    with_another_point,
    with_usage,
)

UNKNOWN = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")
"""An extension that nobody knows."""


@dataclass(frozen=True)
class Shown:
    """A chain in DER, leaf first, and the key that the client signs with; no chain: no certificate.

    `anchor` says which CA the listener trusts: the project's, or one that limits no path length.
    With `claims_p_256`, the client passes its key for one on P-256.
    """

    chain: tuple[bytes, ...]
    key: Key | None = None
    anchor: str = "project"
    claims_p_256: bool = False

    @property
    def key_pem(self) -> str:
        if self.key is None:
            return ""
        encoded = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return encoded.decode()


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
    window = specimens.opening_now(specimens.ClientDefaultsArguments())
    return certificates.issue_client(_project(), subject, key("client").public_key(), window)


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


def _of(own: Key, signer: Key | None = None, *, claims_p_256: bool = False) -> Shown:
    """A client with a key of its own, that signs with it or with another."""
    return Shown(der(issue(_project(), holder=own)), signer or own, claims_p_256=claims_p_256)


def _elliptic(curve: Curve = "P-256") -> Key:
    return Ecdsa(curve).generate()


def _off_the_curve() -> bytes:
    """A point of P-256 with another y."""
    point = _elliptic().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return point[:-1] + bytes([point[-1] ^ 1])


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
    "Elliptic-curve key (P-256)": lambda: _of(_elliptic()),
    "Elliptic-curve key (P-384)": lambda: _of(_elliptic("P-384")),
    "Elliptic-curve key (P-521)": lambda: _of(_elliptic("P-521")),
    "RSA key of 3072 bits": lambda: _of(key("long", 3072)),
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
    "RSA key of 8676 bits": lambda: _of(oversized_key()),
    "Curve that TLS does not have (P-224)": lambda: _of(
        ec.generate_private_key(ec.SECP224R1()), claims_p_256=True
    ),
    # Forged or broken.
    "A client's certificate, another key": lambda: Shown(der(_issued()), key("thief")),
    "A client's certificate of an RSA key, signed with a key on P-256": lambda: Shown(
        der(_issued()), _elliptic()
    ),
    "Elliptic-curve key, another one of the curve": lambda: _of(_elliptic(), _elliptic()),
    "Elliptic-curve key, signed with one on P-384": lambda: _of(_elliptic(), _elliptic("P-384")),
    "Elliptic-curve key, signed with an RSA key": lambda: _of(_elliptic(), key("thief")),
    "Point that is not on its curve": lambda: Shown(
        (with_another_point(_off_the_curve()),), _elliptic()
    ),
    "Point at infinity": lambda: Shown((with_another_point(b"\0"),), _elliptic()),
    "Signed with RSA under the name of ECDSA": lambda: Shown(
        (under_the_name_of_ecdsa(),), key("client")
    ),
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
