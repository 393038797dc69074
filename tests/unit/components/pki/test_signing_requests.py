"""Signing requests: whose key it is, and what is refused before anything is made."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from components.pki import keys, signing_requests
from tests.unit.components.pki import odd
from tests.unit.components.pki.material import key

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "what the client calls itself")])


def request(private_key=None) -> bytes:
    """DER of a request that is signed with the key it is for."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    return builder.sign(private_key or key(), hashes.SHA256()).public_bytes(Encoding.DER)


def pem(der: bytes) -> str:
    return x509.load_der_x509_csr(der).public_bytes(Encoding.PEM).decode()


def test_the_key_is_that_of_the_request():
    assert signing_requests.public_key(pem(request())) == key().public_key()


def test_a_request_that_another_key_signed_is_refused():
    der = bytearray(request())
    der[-1] ^= 1
    with pytest.raises(ValueError, match="its signature is not that of its key"):
        signing_requests.public_key(pem(bytes(der)))


@pytest.mark.parametrize("text", ["", "a request", "-----BEGIN CERTIFICATE REQUEST-----\nAA\n"])
def test_what_is_no_request_is_refused(text):
    with pytest.raises(ValueError, match="no signing request in PEM"):
        signing_requests.public_key(text)


def test_a_private_key_beside_it_is_refused_and_not_quoted():
    secret = keys.pkcs1(key())
    with pytest.raises(ValueError, match="take it out") as refused:
        signing_requests.public_key(secret + pem(request()))
    assert secret[40:80] not in str(refused.value)


def signed(signer, algorithm=odd.SHA1_WITH_RSA, digest=None):
    """A request for `key()` over SHA-1 (or what is given), as IIS makes them."""
    info = odd.sequence(
        odd.integer(0), odd.named("phone"), odd.other_key("RSA-2048"), odd.tlv(0xA0)
    )
    signature = signer.sign(info, padding.PKCS1v15(), digest or hashes.SHA1())
    der = odd.sequence(info, algorithm, odd.tlv(3, b"\0" + signature))
    return odd.armoured("CERTIFICATE REQUEST", der)


def test_a_request_over_sha_1_is_refused_for_what_it_is():
    with pytest.raises(ValueError, match="it is signed over SHA-1, which is not safe any more"):
        signing_requests.public_key(signed(key()))
    with pytest.raises(ValueError, match="its signature is not that of its key"):
        signing_requests.public_key(signed(key("other")))


def test_a_request_over_sha_1_with_pss_is_one_too():
    salted = padding.PSS(padding.MGF1(hashes.SHA1()), 20)
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    info = builder.sign(key(), hashes.SHA256()).tbs_certrequest_bytes
    # RFC 4055, 3.1: no parameters are SHA-1 and a salt of 20 octets.
    algorithm = odd.sequence(bytes.fromhex("06092a864886f70d01010a"), odd.sequence())
    signature = key().sign(info, salted, hashes.SHA1())
    text = odd.armoured(
        "CERTIFICATE REQUEST", odd.sequence(info, algorithm, odd.tlv(3, b"\0" + signature))
    )
    with pytest.raises(ValueError, match="it is signed over SHA-1, which is not safe any more"):
        signing_requests.public_key(text)


def test_a_signature_of_an_unknown_kind_says_what_to_do():
    ripemd = bytes.fromhex("300a06062b2403030102" + "0500")
    with pytest.raises(ValueError, match="not supported: have it made anew with SHA-256"):
        signing_requests.public_key(signed(key(), algorithm=ripemd))


def test_two_requests_are_refused_and_the_first_is_not_taken():
    first = pem(request())
    with pytest.raises(ValueError, match="there are 2 requests"):
        signing_requests.public_key(first + first.replace("BEGIN C", "BEGIN NEW C"))


def test_a_certificate_is_not_called_a_broken_request():
    with pytest.raises(ValueError, match="this is a certificate and no signing request"):
        signing_requests.public_key(odd.certificate())
