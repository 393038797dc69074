"""RSA keys and the texts that carry them."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

SIZES = (2048, 4096)
"""Modulus lengths that the load balancer takes and that are not too short for today."""

SIZE_WORDS = " or ".join(map(str, SIZES))
"""The same for messages."""


def require_size(bits: int) -> None:
    """Refuse a modulus length.

    Raises:
        ValueError: The load balancer does not take it.
    """
    if bits not in SIZES:
        raise ValueError(
            f"key_bits is {bits}: the load balancer takes RSA keys of {SIZE_WORDS} bits"
        )


def generate(bits: int) -> rsa.RSAPrivateKey:
    """Make a key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def load(pem: str, pass_phrase: str | None = None) -> rsa.RSAPrivateKey:
    """Read a private key.

    Raises:
        ValueError: It is no RSA private key, or the pass phrase is not its own.
    """
    try:
        key = load_pem_private_key(pem.encode(), pass_phrase.encode() if pass_phrase else None)
    except (ValueError, TypeError):
        # The library's message may quote what it could not read.
        raise ValueError("this is no private key in PEM, or it is encrypted") from None
    except UnsupportedAlgorithm:
        raise ValueError("this is a key of a kind that the load balancer does not take") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("this is not an RSA key, and the load balancer takes no other")  # noqa: TRY004 - the value is wrong, not its Python type
    return key


def pkcs1(key: rsa.RSAPrivateKey) -> str:
    """Unencrypted PKCS#1 PEM (RFC 8017, A.1.2): the only form the load balancer takes."""
    form = PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def encrypted_pkcs8(key: rsa.RSAPrivateKey, pass_phrase: str) -> str:
    """PKCS#8 PEM under a pass phrase (RFC 8018, PBES2)."""
    encryption = BestAvailableEncryption(pass_phrase.encode())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()
