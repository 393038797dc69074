"""Keys are written in the forms that their readers take, and errors do not quote them."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from components.pki import keys, uploaded_keys
from tests.unit.components.pki import der
from tests.unit.components.pki.material import key, needs_openssl, openssl

PHRASE = "correct horse, 电池"


def content(pem):
    return base64.b64decode("".join(pem.splitlines()[1:-1]))


@pytest.mark.parametrize("bits", [2048])
def test_a_new_key_has_the_size_asked_for_and_the_usual_exponent(bits):
    new = keys.generate(bits)
    assert (new.key_size, new.public_key().public_numbers().e) == (bits, 65537)


@pytest.mark.parametrize("bits", [2048, 4096])
def test_the_load_balancers_sizes_are_allowed(bits):
    uploaded_keys.require_size(bits)


@pytest.mark.parametrize("bits", [0, 1024, 2047, 3072, 8192])
def test_other_sizes_are_refused(bits):
    with pytest.raises(ValueError, match=rf"key_bits is {bits}, .* 2048 or 4096 bits"):
        uploaded_keys.require_size(bits)


def test_pkcs_1_holds_the_numbers_of_the_key():
    pem = keys.pkcs1(key())
    assert pem.startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    assert pem.endswith("\n-----END RSA PRIVATE KEY-----\n")
    numbers = [int.from_bytes(part, "big") for _, part in der.leaves(content(pem))]
    private = key().private_numbers()
    public = private.public_numbers
    assert numbers[:6] == [0, public.n, public.e, private.d, private.p, private.q]


def test_a_key_is_read_from_both_of_its_forms():
    assert keys.load(keys.pkcs1(key())).private_numbers() == key().private_numbers()
    encrypted = keys.encrypted_pkcs8(key(), PHRASE)
    assert keys.load(encrypted, PHRASE).private_numbers() == key().private_numbers()


def test_an_encrypted_key_is_pkcs_8_under_pbes_2():
    pem = keys.encrypted_pkcs8(key(), PHRASE)
    assert pem.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    oids = {der.object_identifier(part) for tag, part in der.leaves(content(pem)) if tag == 0x06}
    pbes2, pbkdf2, hmac_sha256, aes_256_cbc = (
        "1.2.840.113549.1.5.13",
        "1.2.840.113549.1.5.12",
        "1.2.840.113549.2.9",
        "2.16.840.1.101.3.4.1.42",
    )
    assert oids == {pbes2, pbkdf2, hmac_sha256, aes_256_cbc}


@needs_openssl
def test_openssl_reads_both_forms(tmp_path):
    phrase = tmp_path / "phrase"
    phrase.write_text(PHRASE + "\n")
    modulus = f"Modulus={key().private_numbers().public_numbers.n:X}\n"
    read = ("rsa", "-noout", "-modulus")
    assert openssl(*read, text=keys.pkcs1(key())) == modulus
    encrypted = keys.encrypted_pkcs8(key(), PHRASE)
    assert openssl(*read, "-passin", f"file:{phrase}", text=encrypted) == modulus


def other_kind(private):
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "make", [lambda: ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate]
)
def test_a_key_that_the_load_balancer_does_not_take_is_refused(make):
    with pytest.raises(ValueError, match=r"not an RSA key|neither RSA nor ECDSA"):
        uploaded_keys.load(other_kind(make()))


KINDS = [keys.Rsa(2048), keys.Ecdsa("P-256"), keys.Ecdsa("P-384"), keys.Ecdsa("P-521")]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_new_key_is_of_the_kind_asked_for_and_read_from_its_pem(kind):
    made = kind.generate()
    assert keys.kind_of(made.public_key()) == kind
    read = keys.load(keys.encrypted_pkcs8(made, PHRASE), PHRASE)
    assert read.private_numbers() == made.private_numbers()
    assert keys.kind_of_properties(kind.properties()) == kind


@needs_openssl
@pytest.mark.parametrize(
    ("kind", "curve"), [(keys.Ecdsa("P-256"), "prime256v1"), (keys.Ecdsa("P-384"), "secp384r1")]
)
def test_openssl_reads_a_key_on_a_curve_by_its_name(kind, curve, tmp_path):
    phrase = tmp_path / "phrase"
    phrase.write_text(PHRASE + "\n")
    encrypted = keys.encrypted_pkcs8(kind.generate(), PHRASE)
    read = openssl("pkey", "-noout", "-text_pub", "-passin", f"file:{phrase}", text=encrypted)
    assert f"ASN1 OID: {curve}" in read
    assert f"NIST CURVE: {kind.curve}" in read


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"key_algorithm": "ECDSA"},
        {"key_algorithm": "ECDSA", "key_bits": 2048},
        {"key_curve": "P-256"},
        {"key_algorithm": "ECDSA", "key_curve": "P-192"},
        {"key_algorithm": "SM2", "key_bits": 256},
    ],
    ids=str,
)
def test_properties_that_name_no_kind_are_refused(properties):
    with pytest.raises(ValueError, match="RSA of a number of bits"):
        keys.kind_of_properties(properties)


NAMES = {
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "ECDSA secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "X25519": x25519.X25519PrivateKey.generate,
    "ECDSA P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_has_a_name_for_people(name):
    assert keys.describe(NAMES[name]().public_key()) == name


def test_a_signature_by_a_key_on_a_curve_is_over_sha_256():
    private = ec.generate_private_key(ec.SECP256R1())
    signature = keys.sign(private, b"content")
    private.public_key().verify(signature, b"content", ec.ECDSA(hashes.SHA256()))


BROKEN = {
    "empty": (lambda: "", None),
    "no PEM": (lambda: "secret text", None),
    "cut short": (lambda: keys.pkcs1(key())[:800], None),
    "a line missing": (lambda: without_line(keys.pkcs1(key()), 3), None),
    "another label": (lambda: keys.pkcs1(key()).replace("RSA PRIVATE", "EC PRIVATE"), None),
    "wrong pass phrase": (lambda: keys.encrypted_pkcs8(key(), PHRASE), "wrong phrase"),
    "no pass phrase": (lambda: keys.encrypted_pkcs8(key(), PHRASE), None),
    "a pass phrase for an open key": (lambda: keys.pkcs1(key()), "needless phrase"),
}


def without_line(text, index):
    lines = text.splitlines(keepends=True)
    return "".join(lines[:index] + lines[index + 1 :])


@pytest.mark.parametrize(("make", "phrase"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_not_quoted(make, phrase):
    pem = make()
    with pytest.raises(ValueError, match="no private key in PEM, or it is encrypted") as error:
        keys.load(pem, phrase)
    assert error.value.__suppress_context__
    assert error.value.__cause__ is None
    assert not [line for line in pem.splitlines() if line in str(error.value)]
    assert phrase is None or phrase not in str(error.value)
