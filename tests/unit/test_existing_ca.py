"""A CA, requests and certificates that are brought along are checked with the configuration."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from components.arguments.errors import SettingsError
from components.pki import certificates, keys
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.windows import Window, show_time
from configuration.settings import parse
from tests.unit.components.pki import odd

FILE = "Pulumi.test.yaml"
NOW = datetime.now(UTC).replace(microsecond=0)
WINDOW = Window(NOW - timedelta(days=1), NOW + timedelta(days=3650))
SUBJECT = {"common_name": "Old CA", "organization": "Example Ltd", "country": "CN"}


@functools.cache
def made(which, bits):
    assert which
    return keys.generate(bits)


def key(which="ca", bits=2048):
    """One for each name and size."""
    return made(which, bits)


def ca(**changes):
    """PEM of the CA's own certificate."""
    values = {"subject": distinguished_name(SUBJECT), "key": key(), "window": WINDOW, **changes}
    made = certificates.issue_authority(values["subject"], values["key"], values["window"])
    return certificates.pem(made)


@functools.cache
def leaf(name="phone", signer="ca"):
    """PEM of a client's certificate, by the CA or by another of its name."""
    own = certificates.load(ca(key=key(signer)))
    subject = distinguished_name({"common_name": name})
    return certificates.pem(
        certificates.issue_client(
            Issuer(own, key(signer)), subject, key("leaf").public_key(), WINDOW
        )
    )


@functools.cache
def request():
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key("leaf"), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def authority(**changes):
    own = {"certificate": ca(), "private_key": keys.pkcs1(key()), **changes}
    return {name: value for name, value in own.items() if value is not None}


def read(values, secret_keys=("certificate_authority",)):
    return parse(values, file=FILE, secret_keys=secret_keys)


def mistake(values, **options):
    with pytest.raises(SettingsError) as caught:
        read(values, **options)
    return str(caught.value)


@pytest.mark.parametrize("private_key", [keys.pkcs1(key()), None], ids=["with key", "without"])
def test_a_ca_that_is_not_valid_yet_is_refused(private_key):
    begin = NOW + timedelta(days=40)
    early = ca(window=Window(begin, begin + timedelta(days=3650)))
    found = mistake(
        {"certificate_authority": authority(certificate=early, private_key=private_key)}
    )
    assert f"certificate_authority: the certificate is not valid before {show_time(begin)}" in found
    assert "correct this machine's clock" in found


def test_an_existing_ca_is_taken_with_its_name():
    found = read({"certificate_authority": authority(index="", crl_number=7)})
    taken = found.certificate_authority
    assert (taken.adopted, taken.can_issue) == (True, True)
    assert taken.distinguished_name("unused") == SUBJECT
    assert keys.pkcs1(key()) not in repr(found)


def test_text_around_its_certificate_is_left_out():
    own = ca()
    found = read({"certificate_authority": authority(certificate=f"Certificate:\n  x\n{own}")})
    assert found.certificate_authority.certificate == own


def test_an_expired_ca_with_its_key_can_be_renewed_and_is_taken():
    past = Window(NOW - timedelta(days=9), NOW - timedelta(days=1))
    assert read({"certificate_authority": authority(certificate=ca(window=past))})


def test_a_ca_that_may_sign_no_lists_is_taken_with_a_word():
    may_not = odd.authority(extensions=[odd.basic_constraints(ca=True), odd.key_usage(0x04)])
    own = {"certificate": may_not, "private_key": keys.pkcs1(odd.key("ca"))}
    (remark,) = read({"certificate_authority": own}).remarks()
    assert "its key usage is without cRLSign" in remark
    assert not list(read({"certificate_authority": {**own, "next_generation": 2}}).remarks())
    assert not list(read({"certificate_authority": authority()}).remarks())


def intermediate():
    own = Issuer(certificates.load(ca()), key())
    subject = distinguished_name({"common_name": "Below"})
    made = certificates.cross_sign(own, subject, key("other").public_key(), WINDOW)
    return certificates.pem(made)


def self_signed(private):
    """A certificate that has no extension."""
    name = distinguished_name(SUBJECT)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(WINDOW.not_before)
        .not_valid_after(WINDOW.not_after)
        .sign(private, hashes.SHA256())
    )
    return certificates.pem(built)


def of_elliptic_curve():
    return self_signed(ec.generate_private_key(ec.SECP256R1()))


def self_signed_leaf():
    return self_signed(key("leaf"))


def of_the_same_name():
    """A CA's next key under its name, signed by the one before: not the root."""
    own = Issuer(certificates.load(ca()), key())
    made = certificates.cross_sign(own, own.certificate.subject, key("other").public_key(), WINDOW)
    return certificates.pem(made)


def of_a_pss_key():
    """Key of `openssl genpkey -algorithm RSA-PSS`: OpenSSL refuses its PKCS#1 v1.5 signatures."""
    plain, alone = "300d06092a864886f70d0101010500", "300b06092a864886f70d01010a"
    info = odd.other_key("RSA-2048").replace(bytes.fromhex(plain), bytes.fromhex(alone))
    own = info[:2] + (len(info) - 4).to_bytes(2, "big") + info[4:]
    subject, extensions = odd.named("Old CA"), [odd.basic_constraints(ca=True)]
    return odd.certificate(subject=subject, public_key=own, extensions=extensions)


def signed_over_an_unknown_digest():
    """RIPEMD-160, which OpenSSL takes of a root."""
    der = certificates.load(ca()).public_bytes(Encoding.DER)
    sha256 = odd.SHA256_WITH_RSA
    # In place of an OID of 9 octets one of 6, and of no parameters three octets of some.
    ripemd = bytes.fromhex("300d06062b24030301020403000000")
    assert len(ripemd) == len(sha256)
    return odd.armoured("CERTIFICATE", der.replace(sha256, ripemd))


REFUSED = {
    "nothing": (lambda: {"certificate": "a"}, "this is no certificate in PEM"),
    "two": (lambda: {"certificate": ca() + ca()}, "there are 2 certificates"),
    "intermediate": (lambda: {"certificate": intermediate()}, "give the root CA's"),
    "same name": (lambda: {"certificate": of_the_same_name()}, "is signed by another key"),
    "curve": (lambda: {"certificate": of_elliptic_curve()}, "elliptic curves neither"),
    "3072": (
        lambda: {"certificate": ca(key=key("3072", 3072))},
        "RSA key has 3072 bits, a size that the load balancer does not take",
    ),
    "1024": (
        lambda: {"certificate": ca(key=rsa.generate_private_key(65537, 1024))},
        "too short to be safe",
    ),
    "PSS key": (lambda: {"certificate": of_a_pss_key()}, "an RSA key for RSASSA-PSS alone"),
    "unknown signature": (
        lambda: {"certificate": signed_over_an_unknown_digest()},
        "its signature's algorithm (1.3.36.3.3.1.2) is not supported: have it issued anew",
    ),
    "two keys": (
        lambda: {"private_key": keys.pkcs1(key()) + keys.pkcs1(key("other"))},
        "there are 2 private keys",
    ),
    "leaf": (lambda: {"certificate": self_signed_leaf()}, "it is not a CA's"),
    "key beside it": (lambda: {"certificate": ca() + keys.pkcs1(key())}, "take it out"),
    "another's key": (
        lambda: {"private_key": keys.pkcs1(key("other"))},
        "private_key is not the key of certificate",
    ),
    "subject": (lambda: {"subject": {"common_name": "x"}}, "subject and certificate are both set"),
    "index": (lambda: {"index": "V 1 2"}, "line 1 is none of `openssl ca`"),
    "key alone": (lambda: {"certificate": None}, "private_key belongs to a CA"),
    "index alone": (
        lambda: {"certificate": None, "private_key": None, "index": ""},
        "index belongs to a CA that was made elsewhere",
    ),
    "rotation without the key": (
        lambda: {"private_key": None, "next_generation": 2},
        "next_generation needs the present CA's private_key",
    ),
    "backwards": (lambda: {"generation": 3, "next_generation": 3}, "prepare 4"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_ca_that_cannot_go_on_is_refused_with_the_reason(case):
    make, reason = REFUSED[case]
    text = mistake({"certificate_authority": authority(**make())})
    assert text.startswith("Pulumi.test.yaml: certificate_authority")
    assert reason in text
    assert "PRIVATE KEY-----\n" not in text


def test_once_it_was_rotated_its_key_is_needed_no_more():
    own = authority(private_key=None, generation=2, next_generation=3)
    taken = read({"certificate_authority": own}, secret_keys=()).certificate_authority
    assert (taken.adopted, taken.can_issue) == (False, True)
    assert taken.distinguished_name("unused") == SUBJECT


def test_its_key_in_the_clear_is_refused():
    text = mistake({"certificate_authority": authority()}, secret_keys=())
    assert "certificate_authority.private_key is a secret in the clear" in text


def test_an_expired_ca_without_its_key_is_refused():
    past = Window(NOW - timedelta(days=9), NOW - timedelta(days=1))
    values = {"certificate": ca(window=past), "private_key": None}
    assert "expired at" in mistake({"certificate_authority": authority(**values)})


ALONE = {"certificate_authority": {"certificate": ca()}}
ELSEWHERE = {"server": {"alicloud_certificate_id": "12345"}}


def test_a_certificate_alone_will_do_where_nothing_is_issued():
    clients = {"phone": {"certificate": leaf()}, "gone": {"revoked": "superseded"}}
    found = read({**ALONE, **ELSEWHERE, "clients": clients}, secret_keys=())
    assert not found.certificate_authority.can_issue


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({**ALONE, **ELSEWHERE, "clients": {"a": {}}}, "clients.a is to be issued a certificate"),
        (ALONE, "the server's certificate is to come from the private CA"),
        (
            {"clients": {"a": {"certificate": leaf()}}},
            "clients.a.certificate is of a CA that was made elsewhere",
        ),
        (
            {
                "certificate_authority": authority(),
                "clients": {"a": {"certificate": leaf(signer="other")}},
            },
            "clients.a.certificate: it is not signed by the CA",
        ),
        (
            {
                "certificate_authority": authority(generation=2),
                "clients": {"a": {"certificate": leaf()}},
            },
            "and the CA in force is not",
        ),
    ],
)
def test_what_needs_the_cas_key_is_refused_without_it(values, reason):
    assert reason in mistake(values)


@pytest.mark.parametrize(
    "name", ["key_bits", "key_algorithm", "key_curve", "bundle_encoding", "pass_phrase"]
)
def test_what_only_a_key_made_here_has_is_refused_beside_a_request(name):
    value = {
        "key_bits": 2048,
        "key_algorithm": "ECDSA",
        "key_curve": "P-256",
        "bundle_encoding": "modern",
        "pass_phrase": "x",
    }[name]
    text = mistake(
        {"clients": {"a": {"signing_request": request(), name: value}}}, secret_keys=["clients"]
    )
    assert f"clients.a: {name} has no effect beside signing_request" in text


@pytest.mark.parametrize("name", ["subject", "validity", "renew_before"])
def test_what_a_certificate_says_itself_is_refused_beside_it(name):
    value = {"common_name": "x"} if name == "subject" else "30d"
    text = mistake({"clients": {"a": {"certificate": leaf(), name: value}}})
    assert f"{name} has no effect beside certificate" in text


def test_a_request_and_a_certificate_do_not_go_together():
    text = mistake({"clients": {"a": {"certificate": leaf(), "signing_request": request()}}})
    assert "signing_request and certificate are both set" in text


def test_a_request_goes_with_a_subject_and_a_validity_of_its_own():
    own = {"signing_request": request(), "validity": "90d", "subject": {"email": "a@example.com"}}
    assert read({"clients": {"a": own}}).clients["a"].signing_request == request()


def test_text_around_a_request_is_left_out():
    own = {"signing_request": f"Certificate Request:\n  Data: x\n{request()}"}
    assert read({"clients": {"a": own}}).clients["a"].signing_request == request()


def test_what_nobody_here_renews_is_not_due_before_it_ends():
    found = read({**ALONE, **ELSEWHERE, "clients": {"phone": {"certificate": leaf()}}})
    assert found.renewal()["clients"] == {}
    issuing = {"certificate_authority": authority(), "clients": {"own": {}}}
    assert read(issuing).renewal()["clients"] == {"own": "30d"}


def test_the_dates_of_what_clients_bring_along_are_their_own():
    soon = {"validity": "365d", "renew_before": "30d"}
    values = {**ELSEWHERE, "certificate_authority": {**ALONE["certificate_authority"], **soon}}
    assert read({**values, "clients": {"phone": {"certificate": leaf()}}})
    asked = {"certificate_authority": {**authority(), **soon}, "clients": {"own": {}}}
    assert "clients.own is valid longer than" in mistake({**asked, **ELSEWHERE})


def test_a_client_certificate_is_taken_whatever_became_of_it_since():
    past = Window(NOW - timedelta(days=9), NOW - timedelta(days=1))
    own = Issuer(certificates.load(ca()), key())
    subject = distinguished_name({"common_name": "phone"})
    ended = certificates.pem(
        certificates.issue_client(own, subject, key("leaf").public_key(), past)
    )
    clients = {"phone": {"certificate": ended}, "gone": {"revoked": "keyCompromise"}}
    assert read({"certificate_authority": authority(), "clients": clients})


def test_a_private_key_beside_a_clients_certificate_is_refused_and_not_quoted():
    secret = keys.pkcs1(key("leaf"))
    clients = {"phone": {"certificate": leaf() + secret}}
    text = mistake({"certificate_authority": authority(), "clients": clients})
    assert "clients.phone.certificate: there is a private key beside the certificate" in text
    assert secret[40:80] not in text


LINE = "V\t351231235959Z\t\t0A\tunknown\t/CN={}\n"
PERMITTED = {"name_constraints": {"permitted": {"domains": ["example.com"]}}}


def named_by_another_serial_number():
    """A client's certificate whose AKI names a certificate of the CA that is not the one given."""
    made = certificates.load(leaf())
    number = certificates.load(ca()).serial_number + 1
    builder = (
        x509.CertificateBuilder()
        .subject_name(made.subject)
        .issuer_name(made.issuer)
        .public_key(made.public_key())
        .serial_number(made.serial_number)
        .not_valid_before(WINDOW.not_before)
        .not_valid_after(WINDOW.not_after)
        .add_extension(
            x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(made.issuer)], number), False
        )
    )
    return certificates.pem(builder.sign(key(), hashes.SHA256()))


LOCKED_OUT = {
    "an entered certificate, by constraints": (
        PERMITTED,
        {"phone": {"certificate": leaf("phone.example.org")}},
        "clients.phone: the common name phone.example.org, which is read as a DNS name where there "
        "is no other, is outside of the CA's permitted domains (example.com)",
    ),
    "a line of the index, by constraints": (
        {**PERMITTED, "index": LINE.format("alice.smith") + LINE.format("bob").replace("0A", "0B")},
        {},
        "alice.smith of certificate_authority.index: the common name alice.smith, which is read as "
        "a DNS name where there is no other, is outside",
    ),
    "an entered certificate, by the serial number that it names": (
        {},
        {"phone": {"certificate": named_by_another_serial_number()}},
        "clients.phone: its authority key identifier names the CA's certificate with serial number",
    ),
}


@pytest.mark.parametrize(
    ("changes", "clients", "sentence"), LOCKED_OUT.values(), ids=LOCKED_OUT.keys()
)
def test_nobody_is_locked_out_without_a_yes(changes, clients, sentence):
    values = {
        "certificate_authority": authority(**changes),
        "clients": clients,
        "server": {"domains": ["www.example.com"]},
    }
    said = mistake(values)
    assert sentence in said
    assert "'slb-mutual-tls:certificate_authority.accept_lockout' true" in said
    assert "bob" not in said
    settings = read({**values, "certificate_authority": authority(**changes, accept_lockout=True)})
    (remark,) = settings.remarks()
    assert "the listener will refuse this certificate, since" in remark
