"""Keys of the certificates that are uploaded to the load balancer: the CA's and the servers'.

Source: Alibaba Cloud's CLB documentation, "Certificate requirements". Another load balancer takes
others, which is why nothing else here knows of these sizes.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa

from . import keys

SIZES = (2048, 4096)
"""Modulus lengths that the load balancer takes and that are not too short for today."""

SIZE_WORDS = " or ".join(map(str, SIZES))
"""Sizes of keys in words, for messages."""

WHY = (
    "the load balancer, to which this certificate is uploaded, takes RSA keys of "
    f"{SIZE_WORDS} bits and no elliptic curves; only clients' keys, which it never gets, may be "
    "others"
)


def require_size(bits: int) -> None:
    """Refuse a modulus length.

    Raises:
        ValueError: The load balancer does not take it.
    """
    if bits not in SIZES:
        raise ValueError(f"key_bits is {bits}, and {WHY}")


def load(pem: str) -> rsa.RSAPrivateKey:
    """Read the unencrypted private key of a certificate that is to be uploaded.

    Raises:
        ValueError: It is no RSA private key.
    """
    key = keys.load(pem)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("this is not an RSA key, and the load balancer takes no other")  # noqa: TRY004 - the value is wrong, not its Python type
    return key
