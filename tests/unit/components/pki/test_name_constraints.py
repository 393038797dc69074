"""A constrained CA issues for permitted names alone, and refuses what OpenSSL would refuse."""

from __future__ import annotations

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.pki import certificates, name_constraints
from components.pki.certificates import Issuer
from components.pki.name_constraints import extension, require_within
from components.pki.names import distinguished_name
from components.pki.windows import Window
from tests.unit.components.pki import der
from tests.unit.components.pki.material import CA_SUBJECT, NOW, YEAR, key, needs_openssl, openssl

WINDOW = Window.opening(NOW, YEAR)
CONSTRAINTS = {
    "permitted": {
        "domains": ["example.com", "例え.jp"],
        "email_domains": ["example.com", ".example.net"],
        "ip_ranges": ["203.0.113.0/24", "2001:db8::/32"],
    },
    "excluded": {
        "domains": ["secret.example.com"],
        "email_domains": ["lab.example.net"],
        "ip_ranges": ["203.0.113.128/25"],
    },
}
PERMITTED = [
    {"domains": ["example.com", "WWW.example.com", "*.a.example.com", "a.xn--r8jz45g.jp"]},
    {"addresses": ["203.0.113.10", "2001:db8::10"]},
    {"email": "a@example.com"},
    {"email": "a@EXAMPLE.com"},
    {"email": "a@deep.sub.example.net"},
    {"common_name": "browser"},
    {"common_name": "browser 1.0"},
    {"common_name": "a.example.com"},
    {"common_name": "www.example.org", "domains": ["www.example.com"]},
]
REFUSED = [
    (
        {"domains": ["www.example.com", "www.example.org"]},
        "the DNS name www.example.org is outside of the CA's permitted domains "
        r"\(example.com, xn--r8jz45g.jp\)",
    ),
    ({"domains": ["badexample.com"]}, "the DNS name badexample.com is outside of"),
    ({"domains": ["*.co.uk"]}, r"the DNS name \*.co.uk is outside of"),
    (
        {"domains": ["a.secret.example.com"]},
        "the DNS name a.secret.example.com is within the CA's excluded domains "
        r"\(secret.example.com\)",
    ),
    ({"domains": ["SECRET.example.com"]}, "the DNS name secret.example.com is within"),
    ({"addresses": ["198.51.100.1"]}, "the IP address 198.51.100.1 is outside of"),
    ({"addresses": ["203.0.113.129"]}, "the IP address 203.0.113.129 is within"),
    ({"addresses": ["2001:db9::1"]}, "the IP address 2001:db9::1 is outside of"),
    ({"email": "a@sub.example.com"}, "the e-mail address a@sub.example.com is outside of"),
    ({"email": "a@example.net"}, "the e-mail address a@example.net is outside of"),
    ({"email": "a@lab.example.net"}, "the e-mail address a@lab.example.net is within"),
    (
        {"common_name": "alice.smith"},
        "the common name alice.smith, which is read as a DNS name where there is no other, is "
        "outside of",
    ),
    (
        {"common_name": "203.0.113.10", "addresses": ["203.0.113.10"]},
        "the common name 203.0.113.10, which is read as a DNS name",
    ),
    ({"common_name": "a_b.secret.example.com"}, "the common name a_b.secret.example.com, "),
]


def authority(constraints):
    name = distinguished_name(CA_SUBJECT)
    made = certificates.issue_authority(name, key("ca"), WINDOW, constraints=extension(constraints))
    return Issuer(made, key("ca"))


def names_of(domains=(), addresses=(), email=None, common_name=""):
    names = certificates.alternative_names(domains, addresses)
    return common_name, [*names, *certificates.mailbox_names(email)]


def leaf(issuer, common_name, names):
    subject = distinguished_name({"common_name": common_name or "Example"})
    public = key().public_key()
    return certificates.issue_server(issuer, subject, public, WINDOW, names)


def verified(tmp_path, constraints, certificate):
    (tmp_path / "ca").write_text(certificates.pem(authority(constraints).certificate))
    (tmp_path / "leaf").write_text(certificates.pem(certificate))
    files = ("-CAfile", str(tmp_path / "ca"), str(tmp_path / "leaf"))
    at = str(int(NOW.timestamp()))
    return openssl("verify", "-x509_strict", "-attime", at, *files)


@needs_openssl
@pytest.mark.parametrize("asked", PERMITTED, ids=str)
def test_what_is_permitted_is_issued_and_accepted(tmp_path, asked):
    common_name, names = names_of(**asked)
    made = leaf(authority(CONSTRAINTS), common_name, names)
    assert verified(tmp_path, CONSTRAINTS, made).endswith(": OK\n")


@needs_openssl
@pytest.mark.parametrize(("asked", "reason"), REFUSED, ids=str)
def test_what_is_refused_would_not_be_accepted(tmp_path, asked, reason):
    common_name, names = names_of(**asked)
    with pytest.raises(ValueError, match=f"^{reason}"):
        leaf(authority(CONSTRAINTS), common_name, names)
    # As a CA without constraints would sign it: the same name and key.
    made = leaf(authority({}), common_name, names)
    with pytest.raises(AssertionError, match=r"(permitted|excluded) subtree violation"):
        verified(tmp_path, CONSTRAINTS, made)


@needs_openssl
@pytest.mark.parametrize(
    ("asked", "accepted"), [({"email": "a@example.com"}, True), ({"email": "a@example.org"}, False)]
)
def test_they_reach_what_the_next_ca_issues_in_a_rotation(tmp_path, asked, accepted):
    name, held = distinguished_name(CA_SUBJECT), extension(CONSTRAINTS)
    made = certificates.issue_authority(name, key("ca"), WINDOW, path_length=1, constraints=held)
    other = distinguished_name({"common_name": "next.example.org"})
    public = key("next").public_key()
    crossed = certificates.cross_sign(Issuer(made, key("ca")), other, public, WINDOW)
    assert name_constraints.of(crossed) == held
    own = certificates.issue_authority(other, key("next"), WINDOW)
    for issuer in (Issuer(crossed, key("next")), Issuer(own, key("next"))):
        try:
            below = leaf(issuer, *names_of(**asked))
        except ValueError:
            assert (issuer.certificate, accepted) == (crossed, False)
            continue
        for which, text in (("ca", made), ("next", crossed), ("leaf", below)):
            (tmp_path / which).write_text(certificates.pem(text))
        fixed = ("-x509_strict", "-attime", str(int(NOW.timestamp())))
        chain = ("-CAfile", str(tmp_path / "ca"), "-untrusted", str(tmp_path / "next"))
        if accepted:
            openssl("verify", *fixed, *chain, str(tmp_path / "leaf"))
        else:
            with pytest.raises(AssertionError, match="permitted subtree violation"):
                openssl("verify", *fixed, *chain, str(tmp_path / "leaf"))


def test_a_wildcard_that_stands_for_an_excluded_name_is_refused():
    # Go refuses these since 1.25.5; OpenSSL 3.0 does not.
    with pytest.raises(ValueError, match="is within the CA's excluded domains"):
        require_within(extension(CONSTRAINTS), None, names_of(["*.example.com"])[1])


def test_a_form_of_name_without_constraints_is_free():
    constraints = extension({"permitted": {"domains": ["example.com"]}})
    names = names_of(addresses=["198.51.100.1"], email="a@example.org")[1]
    require_within(constraints, "Example", names)
    require_within(None, "www.example.org", names)


def test_what_an_existing_ca_may_say_besides_is_understood():
    permitted = [x509.DNSName(".example.com"), x509.RFC822Name("a@example.com")]
    constraints = x509.NameConstraints(permitted, None)
    require_within(constraints, None, names_of(["www.example.com"], email="a@example.com")[1])
    for refused in (names_of(["example.com"]), names_of(email="b@example.com")):
        with pytest.raises(ValueError, match="is outside of"):
            require_within(constraints, None, refused[1])


def test_the_extension_is_critical_and_has_every_subtree():
    held = authority(CONSTRAINTS).certificate.extensions
    found = held.get_extension_for_class(x509.NameConstraints)
    assert found.critical
    mailbox, dns, address = 1, 2, 7
    content = der.path(found.value.public_bytes(), 0)
    sides = [
        [(tag & 0x1F, value) for _, tree in der.elements(side) for tag, value in der.elements(tree)]
        for _, side in der.elements(content)
    ]
    assert sides[0] == [
        (dns, b"example.com"),
        (dns, b"xn--r8jz45g.jp"),
        (mailbox, b"example.com"),
        (mailbox, b".example.net"),
        (address, bytes([203, 0, 113, 0, 255, 255, 255, 0])),
        (address, bytes.fromhex("20010db8" + "00" * 12 + "ffffffff" + "00" * 12)),
    ]
    assert sides[1] == [
        (dns, b"secret.example.com"),
        (mailbox, b"lab.example.net"),
        (address, bytes([203, 0, 113, 128, 255, 255, 255, 128])),
    ]


def test_without_constraints_there_is_no_extension():
    assert extension({}) is extension({"permitted": {}}) is None
    assert name_constraints.of(authority({}).certificate) is None


@pytest.mark.parametrize(
    ("check", "text", "reason"),
    [
        (name_constraints.domain, "*.example.com", "for that domain and all below it"),
        (name_constraints.domain, ".example.com", "for that domain and all below it"),
        (name_constraints.domain, "a b", "is no DNS name"),
        (name_constraints.email_domain, "a@example.com", "for the addresses at that host"),
        (name_constraints.email_domain, "*.example.com", "for the addresses at that host"),
        (name_constraints.ip_range, "203.0.113.1/24", "has host bits set: write a block such as"),
        (name_constraints.ip_range, "example.com", "write a block such as"),
    ],
)
def test_what_is_no_subtree_is_refused(check, text, reason):
    with pytest.raises(ValueError, match=reason):
        check(text)


@pytest.mark.parametrize(
    ("check", "text", "kept"),
    [
        (name_constraints.domain, "BÜCHER.example", "xn--bcher-kva.example"),
        (name_constraints.email_domain, ".Example.com", ".example.com"),
        (name_constraints.ip_range, "203.0.113.10", "203.0.113.10/32"),
        (name_constraints.ip_range, "2001:0DB8::/32", "2001:db8::/32"),
    ],
)
def test_a_subtree_has_one_form(check, text, kept):
    assert check(text) == kept


DOMAINS = ["example", "a.example", "b.a.example", "ba.example", "c.test"]
RANGES = ["192.0.2.0/24", "192.0.2.128/25", "0.0.0.0/0", "2001:db8::/32"]
sides = st.fixed_dictionaries(
    {},
    optional={
        "domains": st.sets(st.sampled_from(DOMAINS), min_size=1),
        "email_domains": st.sets(
            st.sampled_from([*DOMAINS, *(f".{domain}" for domain in DOMAINS)]), min_size=1
        ),
        "ip_ranges": st.sets(st.sampled_from(RANGES), min_size=1),
    },
)


@needs_openssl
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    constraints=st.fixed_dictionaries({"permitted": sides, "excluded": sides}),
    domains=st.lists(st.sampled_from([*DOMAINS, "*.a.example", "*.d.example"]), max_size=2),
    email=st.none() | st.sampled_from([f"x@{domain}" for domain in DOMAINS]),
    addresses=st.lists(st.sampled_from(["192.0.2.1", "192.0.2.200", "2001:db9::1"]), max_size=1),
    common_name=st.sampled_from(["Example", "a.example", "b.a.example", "192.0.2.1"]),
)
def test_openssl_is_of_the_same_opinion(
    tmp_path, constraints, domains, email, addresses, common_name
):
    names = names_of(domains, addresses, email)[1]
    try:
        require_within(extension(constraints), common_name, names)
        refused = False
    except ValueError:
        refused = True
    made = leaf(authority({}), common_name, names)
    try:
        verified(tmp_path, constraints, made)
        said = "OK"
    except AssertionError as error:
        said = str(error)
    accepted = said == "OK"
    assert accepted or "subtree violation" in said
    # Of a wildcard that stands for an excluded name, OpenSSL thinks otherwise, and Go does not.
    wildcard = "*.a.example" in domains and "b.a.example" in constraints["excluded"].get(
        "domains", ()
    )
    assert accepted is not refused or (wildcard and refused)
