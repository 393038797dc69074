"""Certificate signing requests (PKCS#10, RFC 2986): of clients that keep their keys."""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from . import client_keys
from .keys import PublicKey


def normal(pem: str) -> str:
    """A request that can be granted, without text around it."""
    return x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.PEM).decode()


def public_key(pem: str) -> PublicKey:
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
    count = len(re.findall("-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----", pem))
    if count > 1:
        raise ValueError(
            f"there are {count} requests, and a client has one certificate: give each to the "
            "client that has its key"
        )
    if not count and "-----BEGIN CERTIFICATE-----" in pem:
        raise ValueError(
            "this is a certificate and no signing request: give the content of the file that "
            "begins with -----BEGIN CERTIFICATE REQUEST-----, or the certificate as certificate"
        )
    try:
        request = x509.load_pem_x509_csr(pem.encode())
    except (ValueError, x509.InvalidVersion):
        raise ValueError(
            "this is no signing request in PEM: give the content of the file that begins with "
            "-----BEGIN CERTIFICATE REQUEST-----"
        ) from None
    key = client_keys.of_request(request)
    try:
        digest = request.signature_hash_algorithm
        signed = request.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise ValueError(
            "its signature's algorithm is not supported: have it made anew with SHA-256, e.g. by "
            "`openssl req -new -sha256`"
        ) from None
    weak = isinstance(digest, hashes.SHA1 | hashes.MD5)
    # The library looks at some of these, such as PSS over SHA-1, and refuses to look at others.
    if weak and (signed or _signed_over_a_weak_digest(request, key)):
        raise ValueError(
            f"it is signed over {'SHA-1' if isinstance(digest, hashes.SHA1) else 'MD5'}, which is "
            "not safe any more; the signature is its key's: have it made anew with SHA-256, e.g. "
            "by `openssl req -new -sha256`"
        )
    if not signed:
        raise ValueError(
            "its signature is not that of its key, so whoever sent it may not hold the key: have "
            "it made anew"
        )
    return key


def _signed_over_a_weak_digest(request: x509.CertificateSigningRequest, key: PublicKey) -> bool:
    """Whether a signature that the library refuses to look at is the key's all the same."""
    digest = request.signature_hash_algorithm
    if not isinstance(digest, hashes.SHA1 | hashes.MD5):
        return False
    try:
        signature, content = request.signature, request.tbs_certrequest_bytes
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, content, padding.PKCS1v15(), digest)
        else:
            key.verify(signature, content, ec.ECDSA(digest))
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
