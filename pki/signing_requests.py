"""Certificate signing requests (PKCS#10, RFC 2986): of clients that keep their keys."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from pki import keys


def normal(pem: str) -> str:
    """A request that can be granted, without text around it."""
    return x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.PEM).decode()


def public_key(pem: str) -> rsa.RSAPublicKey:
    """The key that a request asks a certificate for.

    Names and extensions of the request are not looked at: the CA decides on these.

    Args:
        pem: One request.

    Raises:
        ValueError: It cannot be granted; the message says why and what can.
    """
    if "PRIVATE KEY-----" in pem:
        raise ValueError(
            "there is a private key beside the request, where it is no secret: take it out, and "
            "make another key and request if others could read this one"
        )
    try:
        request = x509.load_pem_x509_csr(pem.encode())
    except (ValueError, x509.InvalidVersion):
        raise ValueError(
            "this is no signing request in PEM: give the content of the file that begins with "
            "-----BEGIN CERTIFICATE REQUEST-----"
        ) from None
    try:
        key = request.public_key()
        signed = request.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise ValueError("its key or its signature is of a kind that is not supported") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError(  # noqa: TRY004 - the value is wrong, not its Python type
            "its key is not RSA, and the load balancer's documentation names no other kind for "
            "certificates: make the request with an RSA key of 2048 or 4096 bits"
        )
    keys.require_size(key.key_size)
    if not signed:
        raise ValueError(
            "its signature is not that of its key, so whoever sent it may not hold the key: have "
            "it made anew"
        )
    return key
