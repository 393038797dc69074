"""Certificates and keys of any content are read or refused with a ValueError that shows no key."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import strategies as st

from components.pki import brought_along, certificates, keys, openssl_database, signing_requests
from tests.conformance import specimens
from tests.fuzz.cases import ROUNDS, armoured, documents, given, old_habits, spoilt, texts, tried

KEY = specimens.key("server").private_bytes(
    Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)
PKCS8 = specimens.key("server").private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
LEAF = specimens.server("ascii").certificate.public_bytes(Encoding.DER)
CA = specimens.issuer().certificate.public_bytes(Encoding.DER)
REQUEST = (
    x509.CertificateSigningRequestBuilder()
    .subject_name(specimens.issuer().certificate.subject)
    .sign(specimens.key("client"), hashes.SHA256())
    .public_bytes(Encoding.DER)
)
NOW = datetime.now(UTC)

FEWER = max(20, ROUNDS // 5)
"""OpenSSL tests the primes of each key that is read, which takes a tenth of a second."""

LABELS = (
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "CERTIFICATE REQUEST",
    "X509 CRL",
    "RSA PRIVATE KEY",
    "PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "PUBLIC KEY",
    "",
)


def certificate_readers(text):
    yield lambda: brought_along.certificate_chain(text, NOW)
    yield lambda: certificates.load(text)


def key_readers(text):
    yield lambda: brought_along.private_key(text)
    yield lambda: keys.load(text)
    yield lambda: keys.load(text, "pass phrase")


def judge(readers, text):
    """Every reader takes the text or says in a ValueError why not."""
    for read in readers(text):
        tried["PEM"] += 1
        try:
            with old_habits():
                assert read()
        except ValueError as error:
            message = str(error)
            assert message
            body = "".join(text.split())[60:]
            assert not any(body[n : n + 24] in message for n in range(0, len(body) - 24, 24))


@given(st.one_of(spoilt(LEAF), spoilt(CA)))
def test_certificates_with_bytes_changed(der):
    text = armoured("CERTIFICATE", der)
    judge(certificate_readers, text)
    judge(certificate_readers, armoured("CERTIFICATE", LEAF) + text)


@given(st.one_of(spoilt(KEY), spoilt(PKCS8)), st.sampled_from(LABELS), rounds=FEWER)
def test_keys_with_bytes_changed(der, label):
    for chosen in (label, "RSA PRIVATE KEY", "PRIVATE KEY"):
        judge(key_readers, armoured(chosen, der))


@given(st.sampled_from(LABELS), st.one_of(st.just(LEAF), st.just(KEY), st.binary(max_size=200)))
def test_any_label_around_any_bytes(label, der):
    text = armoured(label, der)
    judge(certificate_readers, text)
    judge(key_readers, text)


@given(texts, texts, rounds=FEWER)
def test_any_text_before_and_after(before, after):
    for text in (before, before + armoured("CERTIFICATE", LEAF) + after):
        judge(certificate_readers, text)
    for text in (before, before + armoured("PRIVATE KEY", PKCS8) + after):
        judge(key_readers, text)


@given(spoilt(armoured("CERTIFICATE", LEAF).encode()))
def test_armour_with_bytes_changed(content):
    judge(certificate_readers, content.decode("latin-1"))


def test_a_version_that_there_is_not():
    # The version of a certificate and of a request, and a key's algorithm, each without a meaning.
    for der, place in ((LEAF, 12), (CA, 12)):
        assert der[place] == 2
        judge(certificate_readers, armoured("CERTIFICATE", der[:place] + b"\1" + der[place + 1 :]))
    version = REQUEST.index(b"\x02\x01\x00") + 2
    judge(
        request_readers,
        armoured("CERTIFICATE REQUEST", REQUEST[:version] + b"\5" + REQUEST[version + 1 :]),
    )
    algorithm = PKCS8.index(bytes.fromhex("2a864886f70d010101"))
    judge(key_readers, armoured("PRIVATE KEY", PKCS8[:algorithm] + b"\0" + PKCS8[algorithm + 1 :]))


@pytest.mark.parametrize(
    "generate",
    [
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: ec.generate_private_key(ec.SECP521R1()),
        ed25519.Ed25519PrivateKey.generate,
        x25519.X25519PrivateKey.generate,
        lambda: dsa.generate_private_key(2048),
    ],
    ids=["P-256", "P-521", "Ed25519", "X25519", "DSA"],
)
def test_keys_of_other_kinds(generate):
    encoded = generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ValueError, match=r"RSA|kind"):
        brought_along.private_key(encoded)
    judge(key_readers, encoded)


@given(
    st.one_of(spoilt(LEAF), st.just(LEAF)),
    st.one_of(spoilt(PKCS8), st.just(PKCS8)),
    rounds=FEWER,
)
def test_pairs_that_do_not_match(leaf, key):
    pair = armoured("CERTIFICATE", leaf), armoured("PRIVATE KEY", key)
    tried["PEM"] += 1
    try:
        with old_habits():
            brought_along.require_match(*pair)
    except ValueError as error:
        message = str(error)
        assert "PRIVATE KEY" not in message


@given(documents)
def test_subjects_of_any_content(value):
    from components.pki.names import ATTRIBUTES, distinguished_name

    tried["names"] += 1
    for field in ATTRIBUTES:
        try:
            distinguished_name({"common_name": "a", field: value if isinstance(value, str) else ""})
        except ValueError as error:
            message = str(error)
            assert field in message


def request_readers(text):
    yield lambda: signing_requests.public_key(text)


@given(spoilt(REQUEST), st.sampled_from(LABELS))
def test_signing_requests_with_bytes_changed(der, label):
    for chosen in ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", label):
        judge(request_readers, armoured(chosen, der))


@given(texts, texts)
def test_any_text_around_a_signing_request(before, after):
    judge(request_readers, before + armoured("CERTIFICATE REQUEST", REQUEST) + after)


LINE = "V\t271123235959Z\t\t0A1B\tunknown\t/C=CN/O=Example/CN=browser"
REVOKED = "R\t271123235959Z\t261123235959Z,keyCompromise\t0A1C\tunknown\t/CN=partner"


@given(spoilt(f"{LINE}\n{REVOKED}\n".encode()))
def test_an_openssl_database_that_was_edited(content):
    tried["OpenSSL's database"] += 1
    try:
        assert openssl_database.entries(content.decode("latin-1")) is not None
    except ValueError as error:
        message = str(error)
        assert re.match(r"line \d+|serial number", message)
