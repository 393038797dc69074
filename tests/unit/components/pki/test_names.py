"""Distinguished names say what was configured, in the tutorial's order."""

from __future__ import annotations

import unicodedata

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from components.pki.names import ATTRIBUTES, distinguished_name, fields
from tests.unit.components.pki import der

OIDS = {
    "2.5.4.6": "country",
    "2.5.4.8": "province",
    "2.5.4.7": "locality",
    "2.5.4.10": "organization",
    "2.5.4.11": "organizational_unit",
    "2.5.4.3": "common_name",
}
"""RFC 5280, appendix A.1; the order is that of OpenSSL's own questions."""

LIMITS = dict.fromkeys(OIDS.values(), 64) | {"country": 2, "province": 128, "locality": 128}

UTF8_STRING, PRINTABLE_STRING = 0x0C, 0x13

FULL = {
    "common_name": "Example CA",
    "organizational_unit": "Platform",
    "organization": "Example Ltd",
    "locality": "杭州",
    "province": "Zhejiang",
    "country": "CN",
}


def parsed(encoded):
    """Field, tag and text of each relative distinguished name."""
    names = [content for _, content in der.elements(der.path(encoded, 0))]
    found = []
    for name in names:
        (_, oid), (tag, text) = der.leaves(name)
        found.append((OIDS[der.object_identifier(oid)], tag, text.decode()))
    return found


def texts(subject):
    return [(field, text) for field, _, text in parsed(distinguished_name(subject).public_bytes())]


def printable(length):
    def acceptable(text):
        return text == text.strip() and text.isprintable() and len(text.encode()) <= length

    letters = st.characters(exclude_categories=["C", "Zl", "Zp"], include_characters=" ")
    return st.text(letters, min_size=1, max_size=length // 4 or 1).filter(acceptable)


subjects = st.fixed_dictionaries(
    {},
    optional={
        "country": st.sampled_from(["CN", "SG", "DE"]),
        **{field: printable(size) for field, size in LIMITS.items() if field != "country"},
    },
).filter(bool)


@given(subject=subjects)
def test_every_field_is_read_again_as_it_was_given_and_in_order(subject):
    assert texts(subject) == [
        (field, subject[field]) for field in OIDS.values() if field in subject
    ]


def test_the_order_is_that_of_the_encoding_whatever_the_configurations():
    assert texts(FULL) == [(field, FULL[field]) for field in OIDS.values()]
    assert list(ATTRIBUTES) == list(OIDS.values())


def test_a_country_is_a_printable_string_and_the_rest_is_utf_8():
    tags = {field: tag for field, tag, _ in parsed(distinguished_name(FULL).public_bytes())}
    assert tags.pop("country") == PRINTABLE_STRING
    assert set(tags.values()) == {UTF8_STRING}


@pytest.mark.parametrize("country", ["cn", "C", "CHN", "C1", "ÄÖ", "中国", "C ", "86"])
def test_a_country_is_two_capital_letters(country):
    with pytest.raises(ValueError, match=r"country is .*two capital letters"):
        distinguished_name({"common_name": "x", "country": country})


@pytest.mark.parametrize(("field", "longest"), LIMITS.items())
def test_no_field_is_longer_than_its_upper_bound(field, longest):
    if field == "country":
        return
    assert texts({field: "x" * longest}) == [(field, "x" * longest)]
    message = rf"{field} has {longest + 1} characters, of which {longest} fit"
    with pytest.raises(ValueError, match=message):
        distinguished_name({field: "x" * (longest + 1)})


def test_an_organization_is_counted_in_characters():
    assert texts({"organization": "杭" * 64}) == [("organization", "杭" * 64)]


def test_a_common_name_is_counted_in_bytes():
    assert texts({"common_name": "杭" * 21}) == [("common_name", "杭" * 21)]
    with pytest.raises(ValueError, match="common_name takes 66 bytes in UTF-8, of which 64 fit"):
        distinguished_name({"common_name": "杭" * 22})


@pytest.mark.parametrize(
    "value",
    [
        " x",
        "x ",
        "x\n",
        "a\nb",
        "a\x00b",
        "\t",
        "\u00a0x",
        "a\u202eb",
        "\u200b",
        "a\u2028b",
        "\ud800",
    ],
)
def test_what_a_reader_could_not_see_is_refused(value):
    with pytest.raises(ValueError, match="organization has control characters, or spaces") as error:
        distinguished_name({"organization": value})
    assert value not in str(error.value)


def test_names_that_look_alike_stay_apart():
    composed = unicodedata.normalize("NFC", "Müller")
    assert texts({"common_name": composed}) != texts(
        {"common_name": unicodedata.normalize("NFD", composed)}
    )


@pytest.mark.parametrize("subject", [{}, {"common_name": ""}, {"email": "ca@example.com"}])
def test_a_subject_without_content_is_refused(subject):
    with pytest.raises(ValueError, match="the subject is empty: set at least common_name"):
        distinguished_name(subject)


def test_empty_fields_and_an_e_mail_address_are_left_out():
    subject = {"common_name": "x", "locality": "", "email": "x@example.com"}
    assert texts(subject) == [("common_name", "x")]


@given(subjects)
def test_the_fields_of_a_name_are_what_it_was_made_of(subject):
    assert fields(distinguished_name(subject)) == subject


def test_the_fields_of_a_name_from_elsewhere_are_such_as_a_new_name_can_have():
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "cn"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "first"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "second"),
            x509.NameAttribute(NameOID.EMAIL_ADDRESS, "ca@example.com"),
        ]
    )
    assert fields(name) == {"country": "CN", "organizational_unit": "first"}
    assert fields(x509.Name([])) == {}
