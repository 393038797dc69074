"""Which keys a client may have: what is refused, and with which reason."""

from __future__ import annotations

import ssl
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from components.pki import certificates, client_keys, keys, profiles, register, signing_requests
from components.pki.keys import Ecdsa, Rsa
from components.pki.register import Register
from tests.unit.components.pki import odd
from tests.unit.components.pki.material import NOW, issuer, key, needs_openssl, openssl
from tests.unit.components.pki.requests import request

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partner")])
UNHASHED = (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)


def asked(private_key, digest=None) -> str:
    """A signing request for a key, by the key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    digest = None if isinstance(private_key, UNHASHED) else digest or hashes.SHA256()
    return builder.sign(private_key, digest).public_bytes(Encoding.PEM).decode()


TAKEN = {
    "RSA 2048": key,
    "RSA 3072": lambda: keys.generate(3072),
    "ECDSA P-256": Ecdsa("P-256").generate,
    "ECDSA P-384": Ecdsa("P-384").generate,
    "ECDSA P-521": Ecdsa("P-521").generate,
}


@pytest.mark.parametrize("kind", TAKEN)
def test_a_request_is_granted_for_each_kind_that_clients_have(kind):
    own = TAKEN[kind]()
    pem = asked(own)
    found = signing_requests.public_key(pem)
    assert (found, str(keys.kind_of(found))) == (own.public_key(), kind)
    wanted = request("partner", key=keys.kind_of(found), signing_request=pem)
    made = register.carry_out(Register(), {"partner": wanted}, issuer(), NOW)
    leaf = certificates.load(made.bundles["partner"].certificate)
    assert leaf.public_key() == own.public_key()
    leaf.verify_directly_issued_by(issuer().certificate)
    assert made.bundles["partner"].private_key is None
    assert made.issued[-1].key == kind


DAY = timedelta(days=1)

REFUSED = {
    "RSA 1024": (lambda: rsa.generate_private_key(65537, 1024), "too short to be safe"),
    "DSA 2048": (lambda: dsa.generate_private_key(2048), "nobody can sign in TLS 1.3"),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate, "Chromium and Firefox cannot import"),
    "Ed448": (ed448.Ed448PrivateKey.generate, "Chromium and Firefox cannot import"),
    "ECDSA secp256k1": (lambda: ec.generate_private_key(ec.SECP256K1()), "Java cannot sign"),
    "ECDSA secp224r1": (lambda: ec.generate_private_key(ec.SECP224R1()), "Java cannot sign"),
    "ECDSA brainpoolP256r1": (
        lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
        "the listener ends a handshake of TLS 1.2",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_is_named_with_its_reason_and_what_would_be_right(kind):
    make, reason = REFUSED[kind]
    with pytest.raises(ValueError, match=f"its key is {kind}, .*{reason}.*: take RSA of 2048"):
        signing_requests.public_key(asked(make()))


def test_an_oversized_rsa_key_is_refused():
    oversized = odd.certificate(public_key=odd.other_key("RSA-16384"))
    with pytest.raises(ValueError, match="Go's TLS reads no RSA key of more than 8192 bits"):
        client_keys.of_certificate(certificates.load(oversized))


@needs_openssl
def test_a_key_for_rsassa_pss_alone_is_refused_since_its_certificate_would_not_fit(tmp_path):
    out = tmp_path / "request"
    files = ("-nodes", "-keyout", str(tmp_path / "key"), "-out", str(out))
    openssl("req", "-new", "-newkey", "rsa-pss", "-subj", "/CN=partner", *files)
    with pytest.raises(ValueError, match="for RSASSA-PSS alone"):
        signing_requests.public_key(out.read_text())
    # OpenSSL's own word on the certificate that the library would make for the key.
    asked_for = x509.load_pem_x509_csr(out.read_bytes())
    builder = x509.CertificateBuilder(asked_for.subject, asked_for.subject, asked_for.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + DAY)
    made = builder.sign(key(), hashes.SHA256()).public_bytes(Encoding.PEM)
    (tmp_path / "leaf.crt").write_bytes(made)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLError, match=r"NO_CERTIFICATE_ASSIGNED|KEY_TYPE_MISMATCH"):
        context.load_cert_chain(tmp_path / "leaf.crt", tmp_path / "key")


def test_a_request_with_an_sm2_key_is_refused_for_what_it_is():
    info = odd.sequence(odd.integer(0), odd.named("phone"), odd.other_key("SM2"), odd.tlv(0xA0))
    over_sm3 = odd.sequence(odd.tlv(6, bytes.fromhex("2a811ccf55018375")))
    der = odd.sequence(info, over_sm3, odd.tlv(3, b"\0" + bytes(70)))
    with pytest.raises(ValueError, match="its key is an SM2 key, with which neither the local"):
        signing_requests.public_key(odd.armoured("CERTIFICATE REQUEST", der))


def test_a_request_on_a_curve_over_sha_1_is_refused_for_what_it_is():
    own = Ecdsa("P-256").generate()
    good = x509.load_pem_x509_csr(asked(own).encode())
    over_sha_1 = odd.sequence(odd.tlv(6, bytes.fromhex("2a8648ce3d0401")))
    signature = own.sign(good.tbs_certrequest_bytes, ec.ECDSA(hashes.SHA1()))
    der = odd.sequence(good.tbs_certrequest_bytes, over_sha_1, odd.tlv(3, b"\0" + signature))
    with pytest.raises(ValueError, match="it is signed over SHA-1"):
        signing_requests.public_key(odd.armoured("CERTIFICATE REQUEST", der))


@pytest.mark.parametrize("kind", client_keys.MADE_HERE, ids=str)
def test_kinds_for_new_keys(kind):
    client_keys.require_made_here(kind)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Rsa(1024), "key_bits is 1024, and a new key is RSA 2048, RSA 3072 or RSA 4096"),
        (Ecdsa("P-521"), "key_curve is P-521, and a new key is ECDSA P-256 or ECDSA P-384"),
    ],
    ids=str,
)
def test_other_kinds_for_new_keys_are_refused_with_those_there_are(kind, reason):
    with pytest.raises(ValueError, match=reason):
        client_keys.require_made_here(kind)


@pytest.mark.parametrize("profile", [profiles.CLIENT, profiles.SERVER], ids=["client", "server"])
def test_no_elliptic_curve_is_said_to_encipher(profile):
    """RFC 8813, 3: keyEncipherment and dataEncipherment must not be there beside id-ecPublicKey."""
    usages = {
        kind: {
            type(extension): extension
            for extension, _ in profiles.extensions(profile, kind.generate().public_key())
        }[x509.KeyUsage]
        for kind in (Rsa(2048), Ecdsa("P-256"))
    }
    assert usages[Ecdsa("P-256")].digital_signature
    assert not usages[Ecdsa("P-256")].key_encipherment
    assert usages[Rsa(2048)].key_encipherment == (profile is profiles.SERVER)
