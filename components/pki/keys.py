"""Private keys: their kinds, and the texts that carry them.

Which of them the load balancer takes is in `uploaded_keys`, and which a client may have in
`client_keys`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

Algorithm = Literal["RSA", "ECDSA"]
"""Algorithm of a key, named as its signatures are."""

Curve = Literal["P-256", "P-384", "P-521"]
"""The curves of FIPS 186-5 that TLS has (RFC 8446, 4.2.3), from the weakest to the strongest."""

CURVES: tuple[Curve, ...] = get_args(Curve)

_CURVES: Mapping[Curve, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}


@dataclass(frozen=True)
class Rsa:
    """RSA keys of one length."""

    bits: int

    def __str__(self) -> str:
        """Name of the kind for people."""
        return f"RSA {self.bits}"

    def properties(self) -> dict[str, Any]:
        """Properties of a resource that stand for the kind."""
        return {"key_bits": self.bits}

    def generate(self) -> PrivateKey:
        """Make a key."""
        return generate(self.bits)


@dataclass(frozen=True)
class Ecdsa:
    """Keys on one elliptic curve."""

    curve: Curve

    def __str__(self) -> str:
        """Name of the kind for people."""
        return f"ECDSA {self.curve}"

    def properties(self) -> dict[str, Any]:
        """Properties of a resource that stand for the kind."""
        return {"key_algorithm": "ECDSA", "key_curve": self.curve}

    def generate(self) -> PrivateKey:
        """Make a key."""
        return ec.generate_private_key(_CURVES[self.curve])


Kind = Rsa | Ecdsa
"""A key's algorithm with its size."""

PROPERTIES = ("key_algorithm", "key_bits", "key_curve")
"""Names of the properties that a kind is written as."""


def kind_of_properties(properties: Mapping[str, Any]) -> Kind:
    """The kind that a resource's properties name; they are RSA's unless they say otherwise.

    Raises:
        ValueError: They name none.
    """
    algorithm = properties.get("key_algorithm") or "RSA"
    curve, bits = properties.get("key_curve"), properties.get("key_bits")
    if algorithm == "ECDSA" and curve in CURVES:
        return Ecdsa(curve)
    if algorithm == "RSA" and bits is not None:
        return Rsa(int(bits))
    raise ValueError(
        "a key is RSA of a number of bits (key_bits), or ECDSA (key_algorithm) on a curve "
        f"(key_curve): {', '.join(CURVES)}"
    )


def kind_of(key: object) -> Kind:
    """The kind of a public key.

    Raises:
        ValueError: It is of none that is known here.
    """
    if isinstance(key, rsa.RSAPublicKey):
        return Rsa(key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey):
        for name, curve in _CURVES.items():
            if key.curve.name == curve.name:
                return Ecdsa(name)
    raise ValueError(f"its key is of the kind {describe(key)}")


def describe(key: object) -> str:
    """Name of any public key's kind, such as `RSA 2048`, `ECDSA P-256` or `Ed25519`."""
    match key:
        case rsa.RSAPublicKey():
            return str(Rsa(key.key_size))
        case ec.EllipticCurvePublicKey():
            names: dict[str, str] = {curve.name: name for name, curve in _CURVES.items()}
            return f"ECDSA {names.get(key.curve.name, key.curve.name)}"
        case dsa.DSAPublicKey():
            return f"DSA {key.key_size}"
        case ed25519.Ed25519PublicKey():
            return "Ed25519"
        case ed448.Ed448PublicKey():
            return "Ed448"
        case _:
            return type(key).__name__.removesuffix("PublicKey")


def generate(bits: int) -> rsa.RSAPrivateKey:
    """Make an RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def sign(key: PrivateKey, content: bytes) -> bytes:
    """Sign over SHA-256, as the CA's certificates are signed."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(content, ec.ECDSA(hashes.SHA256()))


def load(pem: str, pass_phrase: str | None = None) -> PrivateKey:
    """Read a private key.

    Raises:
        ValueError: It is no private key of a kind that is known here, or the pass phrase is not
            its own.
    """
    try:
        key = load_pem_private_key(pem.encode(), pass_phrase.encode() if pass_phrase else None)
    except (ValueError, TypeError):
        # The library's message may quote what it could not read.
        raise ValueError("this is no private key in PEM, or it is encrypted") from None
    except UnsupportedAlgorithm:
        raise ValueError("this is a key of a kind that is not supported") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("this is a key of a kind that is neither RSA nor ECDSA")  # noqa: TRY004 - the value is wrong, not its Python type
    return key


def pkcs1(key: rsa.RSAPrivateKey) -> str:
    """Unencrypted PKCS#1 PEM (RFC 8017, A.1.2): the only form the load balancer takes."""
    form = PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def encrypted_pkcs8(key: PrivateKey, pass_phrase: str) -> str:
    """PKCS#8 PEM under a pass phrase (RFC 8018, PBES2)."""
    encryption = BestAvailableEncryption(pass_phrase.encode())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()
