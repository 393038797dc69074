"""A server certificate from elsewhere is checked while the configuration is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from components.arguments.errors import SettingsError
from components.pki import dns_names
from configuration.settings import parse
from operations.errors import OperationError
from operations.stacks.environment import StackTarget
from tests.unit.components.pki.material import with_bit_strings

FILE = "Pulumi.test.yaml"
NOW = datetime.now(UTC)
KEY, OTHER_KEY = (rsa.generate_private_key(65537, 2048) for _ in range(2))


def certificate(key=KEY, *, subject="www.example.com", issuer=None, start=-1, end=90) -> str:
    """PEM of a certificate; its time begins and ends that many days from now."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or subject)])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW + timedelta(days=start))
        .not_valid_after(NOW + timedelta(days=end))
        .sign(OTHER_KEY, hashes.SHA256())
    )
    return built.public_bytes(Encoding.PEM).decode()


def private_key(key=KEY, form=PrivateFormat.PKCS8, encryption=None) -> str:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


LEAF = certificate(issuer="Intermediate")
INTERMEDIATE = certificate(OTHER_KEY, subject="Intermediate", issuer="Root")
PKCS8, PKCS1 = private_key(), private_key(form=PrivateFormat.TraditionalOpenSSL)


def read(chain: str, key: str):
    values = {"server": {"certificate": chain, "private_key": key}}
    return parse(values, file=FILE, secret_keys=["server"]).server


def mistake(chain: str, key: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(chain, key)
    return str(caught.value)


@pytest.mark.parametrize("given", [PKCS8, PKCS1], ids=["PKCS#8", "PKCS#1"])
def test_the_key_becomes_pkcs1(given):
    assert read(LEAF, given).private_key.get_secret_value() == PKCS1


def test_a_4096_bit_key_is_taken():
    key = rsa.generate_private_key(65537, 4096)
    assert read(certificate(key), private_key(key)).certificate == certificate(key)


def test_a_chain_loses_text_and_empty_lines():
    chain = f"Certificate:\n    Data:\n{LEAF}\n\nsubject=Intermediate\n{INTERMEDIATE}\n"
    assert read(chain, PKCS8).certificate == LEAF + INTERMEDIATE


def test_what_was_checked_passes_again():
    once = read(LEAF + INTERMEDIATE, PKCS8)
    assert read(once.certificate, once.private_key.get_secret_value()) == once


@pytest.mark.parametrize(
    ("chain", "sentence"),
    [
        (
            "./server.pem",
            "this is no certificate in PEM: give the content of the file that begins with "
            "-----BEGIN CERTIFICATE-----",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "this is no certificate in PEM: give the content of the file that begins with "
            "-----BEGIN CERTIFICATE-----",
        ),
        (
            LEAF + with_bit_strings(INTERMEDIATE),
            "the common name in its subject is of a type that is no text: have the certificate "
            "issued anew",
        ),
        (
            certificate(start=-9, end=-2),
            f"the certificate expired at {NOW - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}: give its "
            "successor",
        ),
        (
            certificate(start=2),
            f"the certificate is not valid before {NOW + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}: "
            "give one that is now, or correct this machine's clock if it is behind",
        ),
        (
            LEAF + certificate(OTHER_KEY, subject="Intermediate", issuer="Root", start=-9, end=-2),
            "certificate 2 of the chain expired at "
            f"{NOW - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}: give its successor",
        ),
        (
            certificate(ec.generate_private_key(ec.SECP256R1())),
            "the certificate's key is not RSA, and the load balancer takes no other, "
            "elliptic curves neither: have one issued for an RSA key of 2048 or 4096 bits",
        ),
        (
            certificate(rsa.generate_private_key(65537, 1024)),
            "the certificate's RSA key has 1024 bits, too short to be safe: have one issued for a "
            "key of 2048 or 4096 bits",
        ),
        (
            certificate(rsa.generate_private_key(65537, 3072)),
            "the certificate's RSA key has 3072 bits, a size that the load balancer does not "
            "take: have one issued for a key of 2048 or 4096 bits",
        ),
        (
            INTERMEDIATE + LEAF,
            "certificate 2 of the chain is not the issuer of the one before it: put the server's "
            "own certificate first, and after each the one that issued it",
        ),
        (
            LEAF + PKCS8,
            "there is a private key beside the certificate, where it is no secret: take it out, "
            "make another key if others could read this one, and give it as private_key",
        ),
    ],
    ids=[
        "a file's name",
        "no DER inside",
        "unreadable name",
        "expired",
        "not yet valid",
        "expired intermediate",
        "elliptic curve",
        "1024 bits",
        "3072 bits",
        "wrong order",
        "key beside it",
    ],
)
def test_a_certificate_that_cannot_be_served_is_refused(chain, sentence):
    assert mistake(chain, PKCS8) == f"{FILE}: server.certificate: {sentence}"


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (
            "./server.key",
            "this is no private key in PEM: give the content of the file that begins with "
            "-----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----",
        ),
        (
            PKCS8.replace("M", "N"),
            "this is no private key in PEM, or it is encrypted",
        ),
        (
            private_key(encryption=BestAvailableEncryption(b"secret")),
            "the key is encrypted, and the load balancer needs it in the clear: decrypt it with "
            "`openssl rsa`; the stack keeps it as a secret",
        ),
        (
            private_key(
                form=PrivateFormat.TraditionalOpenSSL,
                encryption=BestAvailableEncryption(b"secret"),
            ),
            "the key is encrypted, and the load balancer needs it in the clear: decrypt it with "
            "`openssl rsa`; the stack keeps it as a secret",
        ),
        (
            private_key(ec.generate_private_key(ec.SECP256R1())),
            "this is not an RSA key, and the load balancer takes no other",
        ),
    ],
    ids=["a file's name", "garbled", "encrypted PKCS#8", "encrypted PKCS#1", "elliptic curve"],
)
def test_a_key_that_cannot_be_used_is_refused_and_not_repeated(key, sentence):
    assert mistake(LEAF, key) == f"{FILE}: server.private_key: {sentence}"


def test_a_key_of_another_certificate_is_refused():
    assert mistake(LEAF, private_key(OTHER_KEY)) == (
        f"{FILE}: server: private_key is not the key of certificate (CN=www.example.com): give the "
        "two that were made together"
    )


def test_the_key_of_a_later_certificate_in_the_chain_is_refused():
    assert mistake(LEAF + INTERMEDIATE, private_key(OTHER_KEY)) == (
        f"{FILE}: server: private_key is the key of a certificate further down in certificate: put "
        "the server's own first"
    )


@pytest.mark.parametrize(
    "source",
    [{"certificate": LEAF, "private_key": PKCS8}, {"alicloud_certificate_id": "1234-cn"}],
    ids=["PEM", "id"],
)
def test_a_validity_that_only_issued_certificates_have_is_not_held_against_it(source):
    authority = {"validity": "365d", "renew_before": "30d"}
    few = {"validity": "30d", "renew_before": "10d"}
    values = {"certificate_authority": authority, "client_defaults": few}
    assert parse({**values, "server": source}, file=FILE, secret_keys=["server"])
    with pytest.raises(SettingsError, match="server is valid longer than"):
        parse(values, file=FILE)


def test_a_certificate_without_its_key_is_refused():
    with pytest.raises(SettingsError) as caught:
        parse({"server": {"certificate": LEAF}}, file=FILE)
    assert str(caught.value) == (
        f"{FILE}: server: certificate and private_key belong together, and private_key is missing: "
        "`pulumi config set --secret --path 'slb-mutual-tls:server.private_key'` takes it from "
        "standard input"
    )


def test_a_key_without_its_certificate_is_refused():
    with pytest.raises(SettingsError) as caught:
        parse({"server": {"private_key": PKCS8}}, file=FILE, secret_keys=["server"])
    assert str(caught.value) == (
        f"{FILE}: server: certificate and private_key belong together, and certificate is missing: "
        "`pulumi config set --path 'slb-mutual-tls:server.certificate'` takes it from standard "
        "input"
    )


def test_a_key_in_the_clear_is_refused_and_not_repeated():
    with pytest.raises(SettingsError) as caught:
        parse({"server": {"certificate": LEAF, "private_key": PKCS8}}, file=FILE)
    assert str(caught.value) == (
        f"{FILE}: server.private_key is a secret in the clear; give it by `pulumi config set "
        "--secret --path 'slb-mutual-tls:server.private_key'`"
    )


ENCRYPTED = {"secure": "v1:AAAA"}


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ({"clients": {"a": {"pass_phrase": ENCRYPTED}, "b": {"pass_phrase": "1234"}}}, ["b"]),
        ({"clients": {"a.b": {"pass_phrase": "x"}, "b": None, "c": {}}}, ['["a.b"]']),
        ({"clients": {"a": {"pass_phrase": ENCRYPTED}}, "server": ENCRYPTED}, []),
        ({"clients": {"secure": {"subject": {"common_name": "pass_phrase"}}}}, []),
        ({"clients": "pass_phrase", "server": ["private_key"], "unknown": {"a": "b"}}, []),
    ],
)
def test_a_secret_in_the_clear_beside_an_encrypted_one_is_seen_in_the_file(values, places):
    target = StackTarget(
        SimpleNamespace(name="dev"),
        {"config": {f"slb-mutual-tls:{key}": value for key, value in values.items()}},
        None,
    )
    if not places:
        target.require_no_secret_in_the_clear()
        return
    with pytest.raises(OperationError) as caught:
        target.require_no_secret_in_the_clear()
    lines = str(caught.value).splitlines()
    assert len(lines) == len(places)
    for line, place in zip(lines, places, strict=True):
        where = f"clients{place}" if place.startswith("[") else f"clients.{place}"
        told = f"Pulumi.dev.yaml: {where}.pass_phrase is a secret in the clear; give it by"
        assert line.startswith(told)


def test_two_sources_at_once_are_refused():
    values = {"certificate": LEAF, "private_key": PKCS8, "alicloud_certificate_id": "1234-cn"}
    with pytest.raises(SettingsError, match="certificate and alicloud_certificate_id are both set"):
        parse({"server": values}, file=FILE, secret_keys=["server"])


@pytest.mark.parametrize("domain", ["www.example.com", "WWW.example.com"])
def test_domains_beside_a_certificate_are_its_own(domain):
    server = {"certificate": LEAF, "private_key": PKCS8, "domains": [domain]}
    assert parse({"server": server}, file=FILE, secret_keys=["server"]).server.domains


@pytest.mark.parametrize("domain", ["example.com", "api.example.com", "*.example.com"])
def test_a_domain_that_a_certificate_does_not_have_is_refused(domain):
    server = {"certificate": LEAF, "private_key": PKCS8, "domains": [domain]}
    with pytest.raises(SettingsError, match=r"and certificate is for www\.example\.com, so"):
        parse({"server": server}, file=FILE, secret_keys=["server"])


@pytest.mark.parametrize("domain", ["shop.example.com", "*.example.com"])
def test_a_domain_whose_certificate_is_another_s_is_refused(domain):
    def parsed(name):
        extension = {"certificate": LEAF, "private_key": PKCS8}
        listener = {"domain_extensions": {name: extension}}
        return parse({"listener": listener}, file=FILE, secret_keys=["listener"])

    assert parsed("www.example.com").listener.domain_extensions
    with pytest.raises(SettingsError) as caught:
        parsed(domain)
    assert str(caught.value) == (
        f"{FILE}: listener.domain_extensions: the certificate of {domain} is for www.example.com, "
        "so clients would refuse it: give one for the domain"
    )


def test_a_wildcard_covers_one_label_and_no_more():
    assert dns_names.covers("*.example.com", "www.example.com")
    assert dns_names.covers("*.example.com", "*.example.com")
    assert not dns_names.covers("*.example.com", "a.b.example.com")
    assert not dns_names.covers("*.example.com", "example.com")


def test_a_signature_of_another_key_in_a_chain_is_refused():
    """The name alone is right: `certificate()` signs everything with OTHER_KEY."""
    impostor = certificate(KEY, subject="Intermediate", issuer="Root")
    assert "bears the name of the issuer of the one before it, which another key has signed" in (
        mistake(LEAF + impostor, PKCS8)
    )


def test_an_expired_certificate_at_the_end_that_no_client_needs_is_to_be_left_out():
    root = certificate(OTHER_KEY, subject="Root", issuer="Older root", start=-9, end=-2)
    sentence = mistake(LEAF + INTERMEDIATE + root, PKCS8)
    assert sentence.endswith("clients do not need it, so leave it out")
    assert "certificate 3 of the chain expired at" in sentence
