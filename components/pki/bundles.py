"""Bundles for clients: PKCS#12 (RFC 7292) and the same as PEM, under a pass phrase."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import asdict, dataclass, field
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    KeySerializationEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PBES,
    serialize_key_and_certificates,
)

from . import certificates, keys
from .keys import PrivateKey

BundleEncoding = Literal["modern", "legacy"]
"""modern: AES-256 and SHA-256. legacy: 3DES and SHA-1, for Windows Server 2016, macOS 14,
Android 15, Java 8u300 and what is older than these, which call a modern bundle's pass phrase
wrong."""

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Characters of generated pass phrases, without those that look alike on paper."""

GROUPS, GROUP_LENGTH = 5, 5

_GENERATED = re.compile("-".join([f"[{ALPHABET}]{{{GROUP_LENGTH}}}"] * GROUPS))

ROUNDS = 20_000
"""Rounds of PBKDF2 (RFC 8018, 5.2), which slow down guessing a pass phrase that a person chose."""

ROUNDS_OF_GENERATED = 1000
"""Rounds for a generated pass phrase, whose 123 bits cannot be guessed: the least that there may be
(NIST SP 800-132, 5.2), since with keys on elliptic curves these rounds are most of the work."""


@dataclass(frozen=True)
class Bundle:
    """A client's certificate, and its key unless the client keeps that to itself.

    Attributes:
        certificate: PEM.
        chain: PEM of the certificates above it.
        pkcs12: Base64 of DER.
        pass_phrase: Opens `pkcs12` and `private_key`.
        private_key: PKCS#8 PEM, encrypted.
    """

    certificate: str
    chain: str
    pkcs12: str | None = field(default=None, repr=False)
    pass_phrase: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)

    def properties(self) -> dict[str, str]:
        """The fields by name, those that are there."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def generate_pass_phrase() -> str:
    """A random pass phrase of 123 bits that can be read out and typed."""
    return "-".join(
        "".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS)
    )


def make_bundle(
    name: str,
    key: PrivateKey,
    certificate: x509.Certificate,
    authority: x509.Certificate,
    *,
    pass_phrase: str,
    encoding: BundleEncoding,
) -> Bundle:
    """Make a bundle; each call gives another ciphertext of the same."""
    content = encode_pkcs12(
        name, key, certificate, authority, pass_phrase=pass_phrase, encoding=encoding
    )
    return Bundle(
        pkcs12=base64.b64encode(content).decode(),
        pass_phrase=pass_phrase,
        private_key=keys.encrypted_pkcs8(key, pass_phrase),
        certificate=certificates.pem(certificate),
        chain=certificates.pem(authority),
    )


def encode_pkcs12(
    name: str,
    key: PrivateKey,
    certificate: x509.Certificate,
    authority: x509.Certificate,
    *,
    pass_phrase: str,
    encoding: BundleEncoding,
) -> bytes:
    """Encode key, certificate and the one above it as PKCS#12, DER."""
    return serialize_key_and_certificates(
        name.encode(), key, certificate, [authority], _encryption(pass_phrase, encoding)
    )


def _encryption(pass_phrase: str, encoding: BundleEncoding) -> KeySerializationEncryption:
    if encoding == "modern":
        generated = _GENERATED.fullmatch(pass_phrase)
        return (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(ROUNDS_OF_GENERATED if generated else ROUNDS)
            .key_cert_algorithm(PBES.PBESv2SHA256AndAES256CBC)
            .hmac_hash(hashes.SHA256())
            .build(pass_phrase.encode())
        )
    return (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(50_000)
        .key_cert_algorithm(PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303 - asked for by name, for old systems
        .build(pass_phrase.encode())
    )
