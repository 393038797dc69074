"""The database of `openssl ca`, as OpenSSL writes it and as people spoil it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.openssl_database import entries

DATABASE = (
    "V\t271124121929Z\t\tFACE\tunknown\t/C=CN/O=Example Ltd/CN=client\n"
    "R\t271124121929Z\t261124121930Z,keyCompromise\tFACF\tunknown\t/C=CN/CN=Some One\n"
    "E\t251124121929Z\t\tFAD0\tunknown\t/CN=gone\n"
    "R\t20510101000000Z\t261124121930Z\t01\tunknown\t/O=No common name\n"
)


def line(status="V", end="271124121929Z", revocation="", serial="01", subject="/CN=a"):
    return "\t".join((status, end, revocation, serial, "unknown", subject))


def test_each_line_is_an_entry_but_what_has_expired():
    client, someone, nameless = entries(DATABASE)
    assert (client.name, client.serial_number, client.status) == ("client", "face", "valid")
    assert client.subject == "CN=client,O=Example Ltd,C=CN"
    assert (client.not_after, client.not_before) == ("2027-11-24T12:19:29Z", "")
    assert (someone.name, someone.status) == ("Some-One", "revoked")
    assert (someone.revoked_at, someone.reason) == ("2026-11-24T12:19:30Z", "keyCompromise")
    assert (nameless.name, nameless.not_after) == ("01", "2051-01-01T00:00:00Z")
    assert nameless.reason == "unspecified"
    assert all(entry.imported for entry in (client, someone, nameless))


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("261124121930Z", "unspecified"),
        ("261124121930Z,CAkeyTime,20260101000000Z", "cACompromise"),
        ("261124121930Z,keyTime,20260101000000Z", "keyCompromise"),
        ("261124121930Z,holdInstruction,1.2.840.10040.2.1", "certificateHold"),
        ("261124121930Z,superseded", "superseded"),
    ],
)
def test_reasons_are_those_of_the_revocation_list(written, reason):
    (entry,) = entries(line("R", revocation=written))
    assert entry.reason == reason


@pytest.mark.parametrize(("year", "full"), [("49", "2049"), ("50", "1950"), ("99", "1999")])
def test_two_digits_of_a_year_are_read_as_in_a_certificate(year, full):
    (entry,) = entries(line(end=f"{year}0101000000Z"))
    assert entry.not_after.startswith(full)


@pytest.mark.parametrize(
    ("subject", "name", "shown"),
    [
        ("/CN=a/b/O=x", "a-b", "O=x,CN=a/b"),
        (r"/CN=M\xC3\xBCller", "M-ller", "CN=Müller"),
        (r"/CN=M\xFCller", "M-ller", "CN=Müller"),
        ("/CN=a, b", "a-b", r"CN=a\, b"),
        ("/CN=.", "01", "CN=."),
        ("/2.5.4.5=7/CN=a", "a", "CN=a,2.5.4.5=7"),
    ],
)
def test_a_subject_is_read_as_openssl_writes_it(subject, name, shown):
    (entry,) = entries(line(subject=subject))
    assert (entry.name, entry.subject) == (name, shown)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("V 271124121929Z  FACE unknown /CN=a", "line 1 is none of `openssl ca`"),
        (line("X"), "the first is V, R or E"),
        (line(serial="0x1"), "serial number '0x1' is not hex"),
        (line(serial="1" * 41), "is not hex"),
        (line(end="271324121929Z"), "is no time such as"),
        (line("R"), "status R does not go with ''"),
        (line("V", revocation="261124121930Z"), "status V does not go with"),
        (line("R", revocation="261124121930Z,bored"), "'bored' is no reason"),
        (line(serial="0a") + "\n" + line(serial="0A"), "0a stands in it twice"),
        (line() + "\n\n" + line("?"), "line 3 is none of"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text, reason):
    with pytest.raises(ValueError, match=reason):
        entries(text)


def test_an_empty_database_has_none():
    assert entries("") == entries("\n\n") == []


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        found = entries(text)
    except ValueError:
        return
    assert all(entry.imported for entry in found)
