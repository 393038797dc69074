"""Certificates and keys as CLB takes them, and as it refuses them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(size: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """A key of a size; the same for the same number."""
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(key: Key, name: str = "app.example.com") -> str:
    """A self-signed certificate, PEM."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
        .decode()
    )


def private_key(
    key: Key,
    form: PrivateFormat = PrivateFormat.TraditionalOpenSSL,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    """PEM: PKCS#1 for RSA unless said otherwise."""
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


def encrypted(key: Key, form: PrivateFormat) -> str:
    return private_key(key, form, BestAvailableEncryption(b"pass phrase"))
