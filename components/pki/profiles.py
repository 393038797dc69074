"""Profiles: what each kind of certificate may be used for (RFC 5280, 4.2.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from .keys import PublicKey


@dataclass(frozen=True)
class Profile:
    """The extensions that a kind of certificate has whatever it says about its subject.

    Subject and authority key identifiers (4.2.1.1, 4.2.1.2) come with every one.
    """

    basic_constraints: x509.BasicConstraints
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[x509.ObjectIdentifier, ...] = ()


AUTHORITY = Profile(
    # The CA signs clients and servers directly; nobody below it may sign further.
    basic_constraints=x509.BasicConstraints(ca=True, path_length=0),
    key_usage=("key_cert_sign", "crl_sign"),
)
SERVER = Profile(
    basic_constraints=x509.BasicConstraints(ca=False, path_length=None),
    # keyEncipherment: an RSA key under a policy that still has RSA key exchange (TLS 1.2 and less).
    key_usage=("digital_signature", "key_encipherment"),
    extended_key_usage=(ExtendedKeyUsageOID.SERVER_AUTH,),
)
CLIENT = Profile(
    basic_constraints=x509.BasicConstraints(ca=False, path_length=None),
    key_usage=("digital_signature",),
    extended_key_usage=(ExtendedKeyUsageOID.CLIENT_AUTH,),
)


def authority(path_length: int | None) -> Profile:
    """The profile of a CA with that many CAs below it: one, while a rotation is under way.

    None sets no limit, as CAs that were made elsewhere often do.
    """
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    return replace(AUTHORITY, basic_constraints=constraints)


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


_NOT_ELLIPTIC = frozenset({"key_encipherment", "data_encipherment"})
"""RFC 8813, 3: keys on elliptic curves encipher nothing, and must not be said to."""


def extensions(profile: Profile, key: PublicKey) -> list[tuple[x509.ExtensionType, bool]]:
    """The profile's extensions for a key, each with whether it is critical."""
    excluded = _NOT_ELLIPTIC if isinstance(key, ec.EllipticCurvePublicKey) else frozenset[str]()
    wanted = set(profile.key_usage) - excluded
    usage = x509.KeyUsage(**{name: name in wanted for name in _USAGES})
    pairs: list[tuple[x509.ExtensionType, bool]] = [
        (profile.basic_constraints, True),
        (usage, True),
    ]
    if profile.extended_key_usage:
        pairs.append((x509.ExtendedKeyUsage(profile.extended_key_usage), False))
    return pairs
