"""Certificates say what a CA, a server and a client may do, and nothing more."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from components.pki import certificates, keys, profiles
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.windows import Window
from tests.unit.components.pki import der
from tests.unit.components.pki.material import (
    CA_SUBJECT,
    NOW,
    YEAR,
    issuer,
    key,
    needs_openssl,
    openssl,
    with_bit_strings,
    with_long_countries,
)

DNS, IPS = ["www.example.com", "*.example.net", "bücher.example"], ["203.0.113.10", "2001:db8::1"]
WINDOW = Window.opening(NOW, YEAR)


def server(by=None, window=WINDOW):
    return certificates.issue_server(
        by or issuer(),
        distinguished_name({"common_name": "www.example.com"}),
        key().public_key(),
        window,
        certificates.alternative_names(DNS, IPS),
    )


def client(by=None, window=WINDOW, email=None):
    subject = distinguished_name({"common_name": "browser"})
    return certificates.issue_client(by or issuer(), subject, key().public_key(), window, email)


MADE = {"ca": lambda: issuer().certificate, "server": server, "client": client}


def described(certificate):
    """OpenSSL's description, without the white space in which its versions differ."""
    text = openssl("x509", "-noout", "-text", text=certificates.pem(certificate))
    return re.sub(r"\s+", " ", text).replace(" = ", "=")


def hexadecimal(identifier):
    return identifier.hex(":").upper()


@needs_openssl
def test_openssl_reads_a_ca_that_may_sign_leaves_alone():
    text = described(issuer().certificate)
    assert "Version: 3 (0x2)" in text
    assert "X509v3 Basic Constraints: critical CA:TRUE, pathlen:0 " in text
    assert "X509v3 Key Usage: critical Certificate Sign, CRL Sign " in text
    assert "Extended Key Usage" not in text
    assert "Subject Alternative Name" not in text
    assert "Issuer: C=CN, O=Example Ltd, CN=Example CA" in text
    assert "Subject: C=CN, O=Example Ltd, CN=Example CA" in text


@needs_openssl
def test_openssl_reads_a_server_with_its_names():
    text = described(server())
    assert "X509v3 Basic Constraints: critical CA:FALSE " in text
    assert "X509v3 Key Usage: critical Digital Signature, Key Encipherment X509v3" in text
    assert "X509v3 Extended Key Usage: TLS Web Server Authentication X509v3" in text
    assert (
        "X509v3 Subject Alternative Name: DNS:www.example.com, DNS:*.example.net, "
        "DNS:xn--bcher-kva.example, IP Address:203.0.113.10, IP Address:2001:DB8:0:0:0:0:0:1 "
    ) in text
    assert "Not Before: Mar 14 00:00:00 2026 GMT Not After : Mar 13 23:59:59 2027 GMT" in text


@needs_openssl
def test_openssl_reads_a_client_that_is_no_server():
    text = described(client(email="browser@example.com"))
    assert "X509v3 Basic Constraints: critical CA:FALSE " in text
    assert "X509v3 Key Usage: critical Digital Signature X509v3" in text
    assert "X509v3 Extended Key Usage: TLS Web Client Authentication X509v3" in text
    assert "X509v3 Subject Alternative Name: email:browser@example.com " in text
    assert "Subject: CN=browser Subject" in text


@needs_openssl
@pytest.mark.parametrize("kind", MADE)
def test_openssl_reads_the_identifiers_of_both_keys(kind):
    text, own = described(MADE[kind]()), "ca" if kind == "ca" else "leaf"
    digests = {
        name: hexadecimal(x509.SubjectKeyIdentifier.from_public_key(key(name).public_key()).digest)
        for name in ("ca", "leaf")
    }
    assert f"X509v3 Subject Key Identifier: {digests[own]} " in text
    assert re.search(f"X509v3 Authority Key Identifier: (keyid:)?{digests['ca']} (?!DirName)", text)
    assert "Signature Algorithm: sha256WithRSAEncryption" in text


@needs_openssl
@pytest.mark.parametrize(
    ("kind", "purpose", "accepted"),
    [
        ("server", "sslserver", True),
        ("client", "sslclient", True),
        ("server", "sslclient", False),
        ("client", "sslserver", False),
        ("client", "smimesign", False),
    ],
)
def test_openssl_verifies_each_kind_for_its_own_purpose_alone(tmp_path, kind, purpose, accepted):
    (tmp_path / "ca").write_text(certificates.pem(issuer().certificate))
    (tmp_path / "leaf").write_text(certificates.pem(MADE[kind]()))
    at = str(int(NOW.timestamp()))
    ask = ("verify", "-x509_strict", "-attime", at, "-purpose", purpose)
    files = ("-CAfile", str(tmp_path / "ca"), str(tmp_path / "leaf"))
    if accepted:
        assert openssl(*ask, *files).endswith(": OK\n")
    else:
        with pytest.raises(AssertionError, match="certificate purpose"):
            openssl(*ask, *files)


def policy(at=NOW, ca=None):
    store = verification.Store([ca or issuer().certificate])
    return verification.PolicyBuilder().store(store).time(at)


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("www.example.com"),
        x509.DNSName("any.example.net"),
        x509.DNSName("xn--bcher-kva.example"),
        *(x509.IPAddress(ip_address(address)) for address in IPS),
    ],
)
def test_a_server_is_verified_under_each_of_its_names(name):
    made = server()
    chain = policy().build_server_verifier(name).verify(made, [])
    assert chain == [made, issuer().certificate]


def test_a_server_is_not_verified_under_another_name():
    verifier = policy().build_server_verifier(x509.DNSName("www.example.org"))
    with pytest.raises(verification.VerificationError):
        verifier.verify(server(), [])


def test_a_client_is_verified_from_its_first_second_to_its_last():
    browser = client(email="browser@example.com")
    for moment in (WINDOW.not_before, NOW, WINDOW.not_after):
        verified = policy(moment).build_client_verifier().verify(browser, [])
        assert verified.subjects == [x509.RFC822Name("browser@example.com")]
    for moment in (
        WINDOW.not_before - timedelta(seconds=1),
        WINDOW.not_after + timedelta(seconds=1),
    ):
        with pytest.raises(verification.VerificationError):
            policy(moment).build_client_verifier().verify(browser, [])


def test_what_a_ca_signed_is_verified_under_its_renewed_certificate():
    later = NOW + YEAR / 2
    renewed = issuer(since=later).certificate
    assert renewed != issuer().certificate
    browser = client(email="browser@example.com")
    verified = policy(later, renewed).build_client_verifier().verify(browser, [])
    assert verified.chain == [browser, renewed]


def test_a_leaf_ends_with_its_ca_and_not_later():
    short = issuer(timedelta(days=90))
    assert short.certificate.not_valid_after_utc < WINDOW.not_after
    for leaf in (server(short), client(short)):
        assert leaf.not_valid_after_utc == short.certificate.not_valid_after_utc
        assert leaf.not_valid_before_utc == WINDOW.not_before


def test_serial_numbers_are_positive_long_and_each_used_once():
    subject = distinguished_name(CA_SUBJECT)
    authorities = [certificates.issue_authority(subject, key("ca"), WINDOW) for _ in range(5)]
    made = [*authorities, *(server() for _ in range(5)), *(client() for _ in range(5))]
    numbers = {certificate.serial_number for certificate in made}
    assert len(numbers) == len(made)
    # Of 159 random bits, the first 95 are all zero once in 2 ** 95.
    assert all(64 <= number.bit_length() <= 159 and number > 0 for number in numbers)


@pytest.mark.parametrize(("number", "shown"), [(1, "01"), (0xABC, "0abc"), (0x10AB, "10ab")])
def test_a_serial_number_is_shown_as_whole_bytes(number, shown):
    class Certificate:
        serial_number = number

    assert certificates.serial_number(Certificate()) == shown


@needs_openssl
def test_openssl_shows_the_same_serial_number_and_fingerprints():
    made = client()
    pem = certificates.pem(made)
    serial = openssl("x509", "-noout", "-serial", text=pem).strip().removeprefix("serial=")
    assert certificates.serial_number(made) == serial.lower()
    shown = openssl("x509", "-noout", "-fingerprint", "-sha256", text=pem).strip()
    digits = shown.partition("=")[2].replace(":", "").lower()
    assert certificates.fingerprint_sha256(made) == digits
    public = openssl("x509", "-noout", "-pubkey", text=pem)
    assert public == openssl("pkey", "-pubout", text=keys.pkcs1(key()))


def test_the_digest_of_the_public_key_outlives_a_renewal():
    renewed = issuer(since=NOW + YEAR).certificate
    digest = certificates.public_key_sha256
    assert digest(renewed) == digest(issuer().certificate) != digest(client())


def test_a_leafs_issuer_is_the_cas_name_byte_for_byte():
    issuer_of_leaf, subject_of_ca = 3, 5
    of_leaf = der.path(client().tbs_certificate_bytes, 0, issuer_of_leaf)
    of_ca = der.path(issuer().certificate.tbs_certificate_bytes, 0, subject_of_ca)
    assert of_leaf == of_ca == der.path(distinguished_name(CA_SUBJECT).public_bytes(), 0)


def test_a_certificate_is_read_again_and_anything_else_refused_unquoted():
    made = client()
    assert certificates.load(certificates.pem(made)) == made
    for text in ("", "secret text", certificates.pem(made)[:300]):
        with pytest.raises(ValueError, match=r"^this is no certificate in PEM$"):
            certificates.load(text)


def test_a_name_that_cannot_be_read_is_found_as_the_certificate_is_read():
    broken = with_bit_strings(certificates.pem(client()))
    with pytest.raises(
        ValueError, match=r"^the common name in its subject is of a type that is no text$"
    ):
        certificates.load_chain(broken)


def test_a_name_longer_than_its_upper_bound_is_taken_without_a_word():
    # pytest makes an error of each warning that a user would see.
    read = certificates.load(with_long_countries(certificates.pem(client())))
    [country] = read.subject.get_attributes_for_oid(x509.NameOID.COUNTRY_NAME)
    assert country.value == "browser"
    assert read.issuer != client().issuer


def test_each_profile_names_one_use():
    assert profiles.AUTHORITY.extended_key_usage == ()
    assert profiles.SERVER.extended_key_usage == (ExtendedKeyUsageOID.SERVER_AUTH,)
    assert profiles.CLIENT.extended_key_usage == (ExtendedKeyUsageOID.CLIENT_AUTH,)


def signed(by, hash_algorithm=None, padding_=None):
    """A client's certificate as somebody else's software may have signed it."""
    name = distinguished_name({"common_name": "phone"})
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by.certificate.subject)
        .public_key(key().public_key())
        .serial_number(7)
        .not_valid_before(WINDOW.not_before)
        .not_valid_after(WINDOW.not_after)
    )
    return builder.sign(by.private_key, hash_algorithm or hashes.SHA256(), rsa_padding=padding_)


PSS = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)


@pytest.mark.parametrize(
    ("hash_algorithm", "form"),
    [(hashes.SHA256(), None), (hashes.SHA512(), None), (hashes.SHA256(), PSS)],
    ids=["sha256", "sha512", "pss"],
)
def test_who_signed_a_certificate_is_found_out(hash_algorithm, form):
    made = signed(issuer(), hash_algorithm, form)
    assert certificates.signed_by(made, issuer().certificate)
    same_name = Issuer(issuer().certificate, key("another"))
    assert not certificates.signed_by(signed(same_name, hash_algorithm, form), issuer().certificate)
    other_name = certificates.issue_authority(
        distinguished_name({"common_name": "Other CA"}), key("ca"), WINDOW
    )
    assert not certificates.signed_by(made, other_name)


def test_a_ca_without_an_rsa_key_signed_nothing_that_is_taken():
    curve = ec.generate_private_key(ec.SECP256R1())
    name = issuer().certificate.subject
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(curve.public_key())
        .serial_number(7)
        .not_valid_before(WINDOW.not_before)
        .not_valid_after(WINDOW.not_after)
        .sign(curve, hashes.SHA256())
    )
    assert not certificates.signed_by(signed(issuer()), made)
    # Signed by elliptic curve and bearing the CA's name.
    assert not certificates.signed_by(made, issuer().certificate)


def test_an_issuer_without_its_key_issues_nothing():
    with pytest.raises(ValueError, match="private key is not here, so nothing can be issued"):
        client(Issuer(issuer().certificate, None))


@needs_openssl
def test_openssl_verifies_a_leaf_through_the_cross_certificate_and_without(tmp_path):
    """RFC 4210, 4.4: the next CA's key under the present one's signature."""
    own, window = issuer(), Window.opening(NOW, YEAR)
    present = certificates.issue_authority(
        own.certificate.subject, key("ca"), window, path_length=1
    )
    name = distinguished_name({"common_name": "Next CA"})
    following = certificates.issue_authority(name, key("next"), window)
    by_present = Issuer(present, key("ca"))
    crossed = certificates.cross_sign(by_present, name, key("next").public_key(), window)
    leaf = certificates.pem(client(Issuer(crossed, key("next"))))
    roots = {"present": present, "following": following, "old": own.certificate}
    for file, certificate in {**roots, "crossed": crossed}.items():
        (tmp_path / file).write_text(certificates.pem(certificate))
    verify = ("verify", "-purpose", "sslclient", "-attime", f"{NOW.timestamp():.0f}")
    between = ("-untrusted", str(tmp_path / "crossed"))
    openssl(*verify, *between, "-CAfile", str(tmp_path / "present"), text=leaf)
    openssl(*verify, "-CAfile", str(tmp_path / "following"), text=leaf)
    # Before the present CA's certificate was issued anew, its path length allowed none between.
    with pytest.raises(AssertionError, match="path length constraint exceeded"):
        openssl(*verify, *between, "-CAfile", str(tmp_path / "old"), text=leaf)
