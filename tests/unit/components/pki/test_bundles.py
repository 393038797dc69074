"""Bundles open with their pass phrase alone, on new systems and on old ones."""

from __future__ import annotations

import base64
import math
import re

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from components.pki import bundles, certificates, keys
from components.pki.names import distinguished_name
from components.pki.windows import Window
from tests.unit.components.pki import der
from tests.unit.components.pki.material import NOW, YEAR, issuer, key, needs_openssl, openssl

PHRASE = "correct horse, 电池"

PBES2, AES_256_CBC, HMAC_SHA256 = (
    "1.2.840.113549.1.5.13",
    "2.16.840.1.101.3.4.1.42",
    "1.2.840.113549.2.9",
)
SHA256, SHA1 = "2.16.840.1.101.3.4.2.1", "1.3.14.3.2.26"
PBE_SHA1_3DES = "1.2.840.113549.1.12.1.3"
PBE_SHA1_RC2_40 = "1.2.840.113549.1.12.1.6"
ALGORITHMS = {PBES2, AES_256_CBC, HMAC_SHA256, SHA256, SHA1, PBE_SHA1_3DES, PBE_SHA1_RC2_40}


def certificate():
    subject = distinguished_name({"common_name": "browser"})
    return certificates.issue_client(
        issuer(), subject, key().public_key(), Window.opening(NOW, YEAR)
    )


def made(encoding="modern", phrase=PHRASE, name="browser"):
    return bundles.make_bundle(
        name, key(), certificate(), issuer().certificate, pass_phrase=phrase, encoding=encoding
    )


def identifiers(data):
    """Algorithms in a PFX (RFC 7292, 4), also those within its OCTET STRINGs."""
    found = set()
    for tag, content in der.leaves(data):
        if tag == 0x06:
            found.add(der.object_identifier(content))
        elif tag == 0x04 and content[:1] == b"\x30":
            try:
                found |= identifiers(content)
            except (AssertionError, IndexError):
                continue  # Ciphertext that begins like a SEQUENCE.
    return found & ALGORITHMS


@pytest.mark.parametrize(
    ("encoding", "algorithms"),
    [
        ("modern", {PBES2, AES_256_CBC, HMAC_SHA256, SHA256}),
        ("legacy", {PBE_SHA1_3DES, SHA1}),
    ],
)
def test_each_encoding_uses_the_algorithms_of_its_time_and_no_other(encoding, algorithms):
    assert identifiers(base64.b64decode(made(encoding).pkcs12, validate=True)) == algorithms


@needs_openssl
@pytest.mark.parametrize(
    ("encoding", "mac", "bags"),
    [
        ("modern", "sha256", "PBES2, PBKDF2, AES-256-CBC, "),
        ("legacy", "sha1", "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 50000\n"),
    ],
)
def test_openssl_opens_both_encodings(tmp_path, encoding, mac, bags):
    phrase = tmp_path / "phrase"
    phrase.write_text(PHRASE + "\n")
    content = base64.b64decode(made(encoding).pkcs12)
    text = openssl("pkcs12", "-info", "-nodes", "-passin", f"file:{phrase}", text=content)
    assert f"MAC: {mac}, Iteration" in text
    assert f"PKCS7 Encrypted data: {bags}" in text
    assert f"Shrouded Keybag: {bags}" in text
    assert "friendlyName: browser" in text
    assert text.count("-----BEGIN CERTIFICATE-----") == 2


@needs_openssl
@pytest.mark.parametrize(
    ("pass_phrase", "rounds"),
    [(PHRASE, 20_000), (bundles.generate_pass_phrase(), 1000)],
    ids=["chosen", "generated"],
)
def test_a_pass_phrase_that_a_person_chose_is_slower_to_guess(tmp_path, pass_phrase, rounds):
    phrase = tmp_path / "phrase"
    phrase.write_text(pass_phrase)
    content = base64.b64decode(made("modern", phrase=pass_phrase).pkcs12)
    text = openssl("pkcs12", "-info", "-nodes", "-passin", f"file:{phrase}", text=content)
    assert text.count(f"AES-256-CBC, Iteration {rounds}, PRF hmacWithSHA256") == 2


@pytest.mark.parametrize("encoding", ["modern", "legacy"])
def test_a_bundle_holds_key_certificate_chain_and_name(encoding):
    bundle = made(encoding)
    opened = pkcs12.load_pkcs12(base64.b64decode(bundle.pkcs12), PHRASE.encode())
    assert opened.key.private_numbers() == key().private_numbers()
    assert certificates.pem(opened.cert.certificate) == bundle.certificate
    assert opened.cert.friendly_name == b"browser"
    assert [certificates.pem(found.certificate) for found in opened.additional_certs] == [
        bundle.chain
    ]
    assert bundle.chain == certificates.pem(issuer().certificate)


@pytest.mark.parametrize("encoding", ["modern", "legacy"])
def test_the_same_pass_phrase_opens_the_key_in_pem(encoding):
    bundle = made(encoding)
    assert bundle.pass_phrase == PHRASE
    assert keys.load(bundle.private_key, PHRASE).private_numbers() == key().private_numbers()


@pytest.mark.parametrize("encoding", ["modern", "legacy"])
@pytest.mark.parametrize("wrong", [None, b"", b"correct horse"])
def test_another_pass_phrase_opens_nothing(encoding, wrong):
    bundle = made(encoding)
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_pkcs12(base64.b64decode(bundle.pkcs12), wrong)
    with pytest.raises(ValueError, match="encrypted"):
        keys.load(bundle.private_key, wrong and wrong.decode())


def test_each_call_encrypts_anew():
    first, second = made(), made()
    assert first.pkcs12 != second.pkcs12
    assert first.private_key != second.private_key


def test_a_bundle_shows_no_secrets():
    bundle = made()
    for shown in (repr(bundle), str(bundle), f"{[bundle]}"):
        assert "PRIVATE KEY" not in shown
        assert PHRASE not in shown
        assert bundle.pkcs12[:40] not in shown
        assert "BEGIN CERTIFICATE" in shown


def test_its_properties_are_its_fields():
    bundle = made()
    properties = bundle.properties()
    assert set(properties) == {"pkcs12", "pass_phrase", "private_key", "certificate", "chain"}
    assert bundles.Bundle(**properties) == bundle


def test_pass_phrases_are_of_letters_that_look_unlike_each_other():
    assert not set("01ilo") & set(bundles.ALPHABET)
    assert len(set(bundles.ALPHABET)) == len(bundles.ALPHABET)
    for _ in range(100):
        assert re.fullmatch(
            rf"[{bundles.ALPHABET}]{{5}}(-[{bundles.ALPHABET}]{{5}}){{4}}",
            bundles.generate_pass_phrase(),
        )


def test_pass_phrases_use_the_whole_alphabet_and_do_not_repeat():
    # A letter is missing from 500 phrases once in 10 ** 176.
    phrases = [bundles.generate_pass_phrase() for _ in range(500)]
    assert len(set(phrases)) == 500
    assert set("".join(phrases)) == {*bundles.ALPHABET, "-"}


def test_a_pass_phrase_has_123_bits():
    letters = bundles.GROUPS * bundles.GROUP_LENGTH
    assert math.floor(letters * math.log2(len(bundles.ALPHABET))) == 123
