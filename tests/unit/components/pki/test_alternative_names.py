"""Subject alternative names hold what a client looks up, and refuse what it never would."""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from components.pki.certificates import alternative_names, mailbox_names
from tests.unit.components.pki import der

MAILBOX, DNS, ADDRESS = 0x81, 0x82, 0x87
"""Tags of a GeneralName (RFC 5280, 4.2.1.6)."""

labels = st.from_regex("[a-zA-Z0-9]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?", fullmatch=True).filter(
    lambda label: not label.lower().startswith("xn--")
)
dns_names = st.builds(
    lambda wildcard, labels, top: ".".join([*wildcard, *labels, top]),
    st.sampled_from([[], ["*"]]),
    st.lists(labels, min_size=1, max_size=4),
    st.from_regex("[a-zA-Z]{2,10}", fullmatch=True),
)
addresses = st.ip_addresses().filter(lambda ip: getattr(ip, "scope_id", None) is None)


def parsed(names):
    return list(der.elements(der.path(x509.SubjectAlternativeName(names).public_bytes(), 0)))


@given(dns=st.lists(dns_names, max_size=4), ips=st.lists(addresses, max_size=4))
def test_every_name_and_address_is_read_again(dns, ips):
    found = parsed(alternative_names(dns, [str(ip) for ip in ips]))
    assert found == [
        *((DNS, name.lower().encode()) for name in dict.fromkeys(map(str.lower, dns))),
        *((ADDRESS, ip.packed) for ip in dict.fromkeys(ips)),
    ]


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("bücher.example", b"xn--bcher-kva.example"),
        ("BÜCHER.example", b"xn--bcher-kva.example"),
        ("bu\u0308cher.example", b"xn--bcher-kva.example"),
        ("*.例子.测试", b"*.xn--fsqu00a.xn--0zwm56d"),
        ("xn--strae-oqa.example", b"xn--strae-oqa.example"),
        ("localhost", b"localhost"),
        ("a" * 63 + ".example", b"a" * 63 + b".example"),
    ],
)
def test_a_name_beyond_ascii_goes_in_as_its_a_label(name, encoded):
    assert parsed(alternative_names([name], [])) == [(DNS, encoded)]


@pytest.mark.parametrize("name", ["straße.example", "βόλος.example", "ü" * 64])
def test_a_name_that_browsers_would_look_up_in_another_form_is_refused(name):
    with pytest.raises(ValueError, match="write its A-label, which begins xn--"):
        alternative_names([name], [])


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("例子。example", "xn--fsqu00a.example"),
        ("\N{FULLWIDTH LATIN SMALL LETTER W}.example", "w"),
        ("a。example", "a.example"),
    ],
)
def test_a_name_in_another_spelling_is_refused_with_the_one_to_write(name, form):
    with pytest.raises(ValueError, match=f"write .*{form}$"):
        alternative_names([name], [])


@pytest.mark.parametrize("label", ["xn--a", "xn--zzzz99999", "xn--abc-"])
def test_what_only_looks_like_an_a_label_is_refused(label):
    with pytest.raises(ValueError, match="it begins as an A-label, and stands for no other text"):
        alternative_names([f"{label}.example"], [])


NOT_DNS = (
    *("", "*", ".", "a..b", ".example.com", "example.com.", "-a.example", "a-.example"),
    *("a b.example", "a_b.example", "w*.example.com", "www.*.com", "a\n.example", "example.com\n"),
    *("https://example.com", "example.com:443", "a" * 64 + ".example"),
    ".".join(["a" * 49] * 5 + ["exam"]),
)


@pytest.mark.parametrize("name", NOT_DNS)
def test_what_is_no_dns_name_is_refused(name):
    with pytest.raises(ValueError, match="is no DNS name") as error:
        alternative_names([name], [])
    assert repr(name) in str(error.value)


def test_the_longest_name_has_253_characters():
    name = ".".join(["a" * 49] * 5 + ["exa"])
    assert len(name) == 253
    assert parsed(alternative_names([name], [])) == [(DNS, name.encode())]


@pytest.mark.parametrize("name", ["203.0.113.10", "1.2", "example.123", "127.0x1", "a.0x"])
def test_an_address_is_no_dns_name(name):
    with pytest.raises(ValueError, match="ends in a number"):
        alternative_names([name], [])


@pytest.mark.parametrize("address", ["", "203.0.113", "203.0.113.010", "203.0.113.0/24", "a.b.c.d"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match="IPv4 or IPv6 address"):
        alternative_names([], [address])


def test_an_address_of_version_6_is_its_16_bytes():
    packed = ipaddress.ip_address("2001:db8::1").packed
    assert parsed(alternative_names([], ["2001:0DB8::1"])) == [(ADDRESS, packed)]


def test_each_name_is_in_once():
    names = ["www.example.com", "WWW.example.com", "bücher.example", "xn--bcher-kva.example"]
    addresses = ["2001:db8::1", "203.0.113.10", "2001:DB8:0::1", "203.0.113.10"]
    assert [tag for tag, _ in parsed(alternative_names(names, addresses))] == [
        *(DNS, DNS),
        *(ADDRESS, ADDRESS),
    ]


def test_an_e_mail_address_is_a_mailbox():
    assert parsed(mailbox_names("a.b+c@example.com")) == [(MAILBOX, b"a.b+c@example.com")]


@pytest.mark.parametrize("email", [None, ""])
def test_no_e_mail_address_makes_no_name(email):
    assert mailbox_names(email) == []


@pytest.mark.parametrize(
    "email",
    [
        "a",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "ü@example.com",
        "a@bücher.example",
        "A <a@b>",
        "a@b\n",
    ],
)
def test_what_is_no_mailbox_is_refused(email):
    with pytest.raises(
        ValueError, match=r"is no e-mail address in ASCII, such as name@example\.com"
    ):
        mailbox_names(email)
