"""A client's certificate that is entered is a client's: OpenSSL, as the listener, would take it."""

from __future__ import annotations

import itertools

import pytest

from components.arguments.errors import SettingsError
from components.pki import brought_along, certificates, keys
from configuration.settings import parse
from tests.unit.components.pki import odd
from tests.unit.components.pki.material import key, needs_openssl, openssl

FILE = "Pulumi.test.yaml"
ELSEWHERE = {"alicloud_certificate_id": "12345"}


def entered(client, *, ca=None, server=ELSEWHERE, **others):
    """A configuration with a CA without its key, and a client's certificate."""
    return {
        "certificate_authority": {"certificate": ca or odd.authority()},
        "server": server,
        "clients": {"old": {"certificate": client}, **others},
    }


def taken(client, **options):
    settings = parse(entered(client, **options), file=FILE, secret_keys=["server"])
    return settings.clients["old"].certificate


def refusal(client, **options):
    with pytest.raises(SettingsError) as caught:
        taken(client, **options)
    return str(caught.value)


CLIENT_PURPOSE = odd.purposes(odd.CLIENT_AUTH)

USAGES = [(), (0x80,), (0x08,), (0x20,), (0x40,), (0x06,), (0xA0,)]
PURPOSES = [
    (),
    (odd.CLIENT_AUTH,),
    (odd.SERVER_AUTH,),
    (odd.SERVER_AUTH, odd.CLIENT_AUTH),
    (odd.ANY_PURPOSE,),
]
NETSCAPE = [(), (0x80,), (0x40,), (0xC0,)]


@needs_openssl
@pytest.mark.parametrize("usage", USAGES, ids=lambda bits: f"usage {bits}")
@pytest.mark.parametrize("netscape", NETSCAPE, ids=lambda bits: f"Netscape {bits}")
def test_openssl_judges_the_same(usage, netscape, tmp_path):
    (tmp_path / "ca.pem").write_text(odd.authority())
    for found in PURPOSES:
        extensions = [
            odd.basic_constraints(ca=False),
            *(odd.key_usage(bits) for bits in usage),
            *([odd.purposes(*found)] if found else []),
            *(odd.netscape_type(bits) for bits in netscape),
        ]
        client = odd.certificate(extensions=extensions)
        (tmp_path / "client.pem").write_text(client)
        assert is_taken(client) == accepts(tmp_path), found


def is_taken(client):
    try:
        return bool(brought_along.client_certificate(client))
    except ValueError:
        return False


def accepts(folder):
    arguments = ["-purpose", "sslclient", "-CAfile", str(folder / "ca.pem")]
    try:
        openssl("verify", *arguments, str(folder / "client.pem"))
    except AssertionError:
        return False
    return True


@needs_openssl
def test_an_extension_that_openssl_does_not_know_is_refused_where_it_is_critical(tmp_path):
    (tmp_path / "ca.pem").write_text(odd.authority())
    for critical in (True, False):
        unknown = odd.extension("2a030405", odd.tlv(5), critical=critical)
        client = odd.certificate(extensions=[CLIENT_PURPOSE, unknown])
        (tmp_path / "client.pem").write_text(client)
        assert is_taken(client) == accepts(tmp_path) == (not critical)


EXTENSIONS = {
    "subject key identifier": ("551d0e", odd.tlv(4, b"12345678")),
    "authority key identifier": ("551d23", odd.sequence()),
    "issuer alternative name": ("551d12", odd.sequence(odd.tlv(0x82, b"a.example"))),
    "subject alternative name": ("551d11", odd.sequence(odd.tlv(0x82, b"a.example"))),
    "certificate policies": ("551d20", odd.sequence(odd.sequence(odd.tlv(6, b"\x2a\x03")))),
    "distribution points": ("551d1f", odd.sequence(odd.sequence())),
    "inhibit any policy": ("551d36", odd.integer(1)),
    "authority information access": (
        "2b06010505070101",
        odd.sequence(
            odd.sequence(odd.tlv(6, bytes.fromhex("2b06010505073001")), odd.tlv(0x86, b"http://a"))
        ),
    ),
    "TLS feature": ("2b06010505070118", odd.sequence(odd.integer(5))),
    "OCSP no check": ("2b0601050507300105", odd.tlv(5)),
}
"""By title: the OID, and a value that every reader takes."""


@needs_openssl
@pytest.mark.parametrize("title", EXTENSIONS)
def test_what_openssl_heeds_is_taken_where_it_is_critical(title, tmp_path):
    oid, value = EXTENSIONS[title]
    for critical in (True, False):
        extension = odd.extension(oid, value, critical=critical)
        (tmp_path / "ca.pem").write_text(odd.authority())
        client = odd.certificate(extensions=[CLIENT_PURPOSE, extension])
        (tmp_path / "client.pem").write_text(client)
        assert is_taken(client) == accepts(tmp_path), critical
        ca = odd.authority(extensions=[odd.basic_constraints(ca=True), extension])
        (tmp_path / "client.pem").write_text(odd.certificate(extensions=[CLIENT_PURPOSE]))
        (tmp_path / "ca.pem").write_text(ca)
        assert is_taken_as_a_ca(ca) == accepts(tmp_path), critical


def is_taken_as_a_ca(pem):
    try:
        return bool(brought_along.authority_certificate(pem))
    except ValueError:
        return False


@needs_openssl
@pytest.mark.parametrize("usage", [(), (0x04,), (0x06,), (0x80,)], ids=lambda bits: f"usage {bits}")
def test_openssl_judges_a_ca_the_same(usage, tmp_path):
    (tmp_path / "client.pem").write_text(odd.certificate(extensions=[CLIENT_PURPOSE]))
    for found in PURPOSES:
        extensions = [
            odd.basic_constraints(ca=True),
            *(odd.key_usage(bits) for bits in usage),
            *([odd.purposes(*found)] if found else []),
        ]
        ca = odd.authority(extensions=extensions)
        (tmp_path / "ca.pem").write_text(ca)
        assert is_taken_as_a_ca(ca) == accepts(tmp_path), found


@pytest.mark.parametrize(
    ("extension", "sentence"),
    [
        (
            odd.purposes(odd.SERVER_AUTH),
            "its extended key usage is serverAuth, without clientAuth, so the listener would "
            "refuse every client of this CA: have it issued anew without it, with "
            "the same key and name",
        ),
        (
            odd.extension("2a030405", odd.tlv(5), critical=True),
            "it has the critical extension 1.2.3.4.5, which the listener does not know, so it "
            "would refuse every client of this CA: have it issued anew without it, with "
            "the same key and name",
        ),
        (odd.key_usage(0x80), "it is not a CA's: its key usage is without keyCertSign"),
    ],
    ids=["purpose", "critical", "usage"],
)
def test_a_ca_under_which_nobody_would_be_let_in_is_refused(extension, sentence):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the sentence is looked at
        brought_along.authority_certificate(
            odd.authority(extensions=[odd.basic_constraints(ca=True), extension])
        )
    assert sentence in str(refused.value)


def test_a_servers_certificate_is_refused_with_the_listeners_reason():
    sentence = refusal(odd.certificate(extensions=[odd.purposes(odd.SERVER_AUTH)]))
    assert sentence == (
        f"{FILE}: clients.old.certificate: it is not for clients: its extended key usage is "
        "serverAuth, without clientAuth, so the listener would refuse it"
    )


def test_the_cas_own_certificate_is_refused():
    assert "it is a CA's (basic constraints CA:TRUE)" in refusal(odd.authority())
    first = odd.authority(extensions=[])  # Of version 1, which says nothing of what it is.
    assert "it is the CA's own: give the client's" in refusal(first, ca=first)


def test_the_servers_own_certificate_is_refused():
    own = odd.certificate()
    pem = certificates.pem(certificates.load(own))
    pair = {"certificate": pem, "private_key": keys.pkcs1(key())}
    sentence = "clients.old.certificate is the certificate of server: give the client's"
    assert sentence in refusal(own, server=pair)


def test_a_certificate_is_one_clients_alone():
    own = odd.certificate()
    sentence = refusal(own, new={"certificate": own})
    assert "clients.old and clients.new have the same serial number, 07" in sentence


def test_one_certificate_is_taken_and_not_the_first_of_two():
    assert "there are 2 certificates, and a client has one" in refusal(
        odd.certificate() + odd.authority()
    )


def test_text_around_it_is_left_out_once_and_for_all():
    own = odd.certificate()
    plain = taken(own)
    assert taken(f"Certificate:\n    Data:\n\n{own}\n\n") == plain
    assert taken(plain) == plain


def test_the_signature_counts_and_not_the_name():
    forged = odd.certificate(signer=key("other"))
    assert "it is not signed by the CA of certificate_authority.certificate" in refusal(forged)
    renamed = odd.certificate(issuer=odd.named("Another CA"))
    assert "it is signed by the CA's key, and names another issuer (CN=Another CA)" in refusal(
        renamed
    )


SPELLINGS = [
    (odd.UTF8, b"Old CA"),
    (odd.PRINTABLE, b"old ca"),
    (odd.IA5, b"OLD  CA "),
    (odd.BMP, "Old CA".encode("utf-16-be")),
    (odd.UTF8, b"OldCA"),
    (odd.UTF8, "Öld CA".encode()),
    (odd.UTF8, "öld CA".encode()),
]


@needs_openssl
def test_openssl_compares_names_the_same(tmp_path):
    for issuer, subject in itertools.product(SPELLINGS, repeat=2):
        names = [odd.name([odd.attribute(3, text, tag)]) for tag, text in (issuer, subject)]
        (tmp_path / "ca.pem").write_text(odd.authority(subject=names[1]))
        client = odd.certificate(issuer=names[0], extensions=[CLIENT_PURPOSE])
        (tmp_path / "client.pem").write_text(client)
        try:
            brought_along.require_issued_by(client, odd.authority(subject=names[1]))
            found = True
        except ValueError:
            found = False
        assert found == accepts(tmp_path), (issuer, subject)


UNUSABLE = {
    "SM2": "its key is an SM2 key",
    "X25519": "its key is X25519, with which no client can sign in TLS",
    "DSA": "its key is DSA 1024, with which nobody can sign in TLS 1.3",
    "Ed25519": "its key is Ed25519, which Chromium and Firefox cannot import",
    "secp256k1": "its key is ECDSA secp256k1, a curve with which Java cannot sign",
    "RSA-1024": "its key is RSA 1024, which is too short to be safe",
    "RSA-16384": "its key is RSA 16384, and Go's TLS reads no RSA key",
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_key_that_is_weak_or_that_clients_cannot_use_is_refused(kind):
    sentence = refusal(odd.certificate(public_key=odd.other_key(kind)))
    assert UNUSABLE[kind] in sentence


@pytest.mark.parametrize("kind", ["P-256", "P-521", "RSA-2048"])
def test_keys_with_which_clients_sign_are_taken(kind):
    assert taken(odd.certificate(public_key=odd.other_key(kind)))


def test_a_negative_serial_number_is_refused_since_no_list_could_name_it():
    assert "its serial number is negative" in refusal(odd.certificate(serial=-5))


@pytest.mark.parametrize(
    ("dates", "sentence"),
    [
        ({"beginning": (odd.GENERALIZED_TIME, b"19491231235959Z")}, "no certificate is that old"),
        ({"beginning": (odd.GENERALIZED_TIME, b"00000101000000Z")}, "its dates are none"),
        ({"end": (odd.UTC_TIME, b"200101000000Z")}, "its validity ends before it begins"),
    ],
)
def test_dates_that_cannot_be_reckoned_with_are_refused(dates, sentence):
    assert f"{sentence}" in refusal(odd.certificate(**dates))
    assert refusal(odd.certificate(**dates)).endswith(": have the certificate issued anew")


LATIN_1 = "Müller GmbH".encode("latin-1")


@pytest.mark.parametrize(
    ("tag", "title"), [(odd.T61, "T61String"), (odd.UTF8, "UTF8String"), (odd.IA5, "IA5String")]
)
def test_a_text_that_is_not_in_its_types_encoding_is_named(tag, title):
    subject = odd.name([odd.attribute(10, LATIN_1, tag)], [odd.attribute(3, b"Old CA")])
    sentence = refusal(odd.certificate(), ca=odd.authority(subject=subject))
    assert (
        "certificate_authority.certificate: the organization in its subject ('Müller GmbH') is not "
        f"in the encoding that its type, {title}, says"
    ) in sentence
    issued = odd.certificate(issuer=subject)
    assert "clients.old.certificate: the organization in its issuer ('Müller GmbH')" in refusal(
        issued
    )


def test_what_the_library_warns_of_is_taken_without_a_word():
    # pytest makes an error of each warning that a user would see.
    text = odd.policy_with_text(0x1A, "Größe".encode())
    ca = odd.authority(serial=0, extensions=[odd.basic_constraints(ca=True), text])
    client = odd.certificate(serial=0, extensions=[text])
    assert taken(client, ca=ca)
    assert certificates.serial_number(certificates.load(ca)) == "00"
