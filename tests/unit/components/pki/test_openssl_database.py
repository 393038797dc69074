"""The database of `openssl ca`, as OpenSSL writes it and as people spoil it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from components.pki import certificates, keys
from components.pki.names import distinguished_name
from components.pki.openssl_database import entries
from components.pki.windows import Window, read_time, show_time
from tests.unit.components.pki.material import NOW, YEAR, issuer, key, needs_openssl, openssl

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
    assert (client.not_after, client.not_before) == (read_time("2027-11-24T12:19:29Z"), None)
    assert (someone.name, someone.status) == ("Some-One", "revoked")
    assert someone.revoked_at == read_time("2026-11-24T12:19:30Z")
    assert someone.reason == "keyCompromise"
    assert (nameless.name, nameless.not_after) == ("01", read_time("2051-01-01T00:00:00Z"))
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
        # apps/lib/apps.c, `unpack_revinfo`, does not tell capital letters from small ones.
        ("261124121930Z,keycompromise", "keyCompromise"),
        ("261124121930Z,CERTIFICATEHOLD", "certificateHold"),
    ],
)
def test_reasons_are_those_of_the_revocation_list(written, reason):
    (entry,) = entries(line("R", revocation=written))
    assert entry.reason == reason


@pytest.mark.parametrize(("year", "full"), [("49", "2049"), ("50", "1950"), ("99", "1999")])
def test_two_digits_of_a_year_are_read_as_in_a_certificate(year, full):
    (entry,) = entries(line(end=f"{year}0101000000Z"))
    assert show_time(entry.not_after).startswith(full)


@pytest.mark.parametrize(
    ("subject", "name", "shown"),
    [
        ("/CN=a/b/O=x", "a-b", "O=x,CN=a/b"),
        (r"/CN=M\xC3\xBCller", "M-ller", "CN=Müller"),
        (r"/CN=M\xFCller", "M-ller", "CN=Müller"),
        ("/CN=a, b", "a-b", r"CN=a\, b"),
        ("/CN=.", "01", "CN=."),
        (r"/CN=a\/O=b/O=x", "a-O-b", "O=x,CN=a/O=b"),
        (r"/CN=a\+O=b/O=x", "a-O-b", r"O=x,CN=a\+O=b"),
        ("/CN=a+UID=7/O=x", "a", "O=x,UID=7,CN=a"),
        ("/CN=#1", "1", r"CN=\#1"),
        ("/CN= a ", "a", r"CN=\ a\ "),
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
        (line(serial="0x1"), "its serial number, the fourth field, is not hex"),
        (line(serial="-01"), "is not hex"),
        (line(end="271324121929Z"), "is no time such as"),
        # Without seconds: X.509 allows it, RFC 5280, 4.1.2.5.1 does not, and Python splits 59.
        (line(end="2712312359Z"), "is no time such as"),
        (line("R", revocation="19400101000000Z"), "is no time such as"),
        (line("R", revocation="00010101000000Z"), "is no time such as"),
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


def test_comments_are_passed_over_and_lines_end_where_openssl_ends_them():
    text = "# by hand\r\n" + line(subject="/CN=a\u2028b\x0bc") + "\r\n\r\n"
    assert [entry.name for entry in entries(text)] == ["a-b-c"]


def test_a_mark_before_a_tab_makes_it_a_part_of_the_field():
    (entry,) = entries(line(subject="/CN=a\\\tb/O=x"))
    assert entry.name == "a-b"


def test_an_empty_database_has_none():
    assert entries("") == entries("\n\n") == []


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        found = entries(text)
    except ValueError:
        return
    assert all(entry.imported for entry in found)


CONFIGURATION = """
[ca]
default_ca = foo
[foo]
database = {folder}/index.txt
certificate = {folder}/ca.crt
private_key = {folder}/ca.key
default_md = sha256
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Has OpenSSL enter a certificate of a name, and gives the line that it wrote."""
    folder = tmp_path_factory.mktemp("database")
    (folder / "openssl.conf").write_text(CONFIGURATION.format(folder=folder))
    (folder / "ca.crt").write_text(certificates.pem(issuer().certificate))
    (folder / "ca.key").write_text(keys.pkcs1(key("ca")))

    def entered(certificate):
        (folder / "index.txt").write_text("")
        (folder / "own.crt").write_text(certificates.pem(certificate))
        command = ("ca", "-valid", str(folder / "own.crt"), "-config")
        openssl(*command, str(folder / "openssl.conf"))
        return (folder / "index.txt").read_text()

    return entered


@needs_openssl
@pytest.mark.parametrize(
    "common_name",
    [
        "browser",
        "Müller",
        "杭州",
        "a/b",
        "a, b + c; <d>",
        'quote " sign',
        "sharp # and = sign",
        "😀",
    ],
)
@pytest.mark.parametrize("years", [1, 30], ids=["two digits", "four digits"])
def test_what_openssl_writes_is_read(database, common_name, years):
    subject = {"common_name": common_name, "organization": "Example Ltd", "country": "CN"}
    window = Window(NOW.replace(microsecond=0), NOW.replace(microsecond=0) + years * YEAR)
    by = issuer(validity=40 * YEAR)
    made = certificates.issue_client(by, distinguished_name(subject), key().public_key(), window)
    (found,) = entries(database(made))
    assert found.subject == made.subject.rfc4514_string()
    assert found.serial_number == certificates.serial_number(made)
    assert found.not_after == window.not_after.replace(microsecond=0)
    assert found.status == "valid"


moments = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
values = st.text(st.characters(min_codepoint=32, exclude_categories=["C"]), min_size=1, max_size=20)


def written(moment):
    """As UTCTime until 2049 and as GeneralizedTime from then on (RFC 5280, 4.1.2.5)."""
    return moment.strftime("%y%m%d%H%M%SZ" if moment.year < 2050 else "%Y%m%d%H%M%SZ")


def escaped(value):
    """As OpenSSL 3 shows it: what is not printable ASCII, byte by byte."""
    octets = value.encode()
    plain = "".join(chr(one) if 32 <= one < 127 else f"\\x{one:02X}" for one in octets)
    return re.sub(r"([/+])", r"\\\1", plain)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 2**159),
            moments,
            st.none() | st.tuples(moments, st.sampled_from(["", "keyCompromise", "superseded"])),
            values.filter(lambda value: "\\" not in value),
        ),
        unique_by=lambda record: record[0],
    )
)
def test_every_line_is_read_as_it_was_meant(records):
    text = ""
    for serial, end, revoked, common_name in records:
        fields = ["R" if revoked else "V", written(end), "", f"{serial:X}", "unknown", ""]
        if revoked:
            fields[2] = written(revoked[0]) + (f",{revoked[1]}" if revoked[1] else "")
        fields[5] = f"/C=CN/CN={escaped(common_name)}"
        text += "\t".join(fields) + "\n"
    found = entries(text)
    assert len(found) == len(records)
    for entry, (serial, end, revoked, common_name) in zip(found, records, strict=True):
        assert int(entry.serial_number, 16) == serial
        assert show_time(entry.not_after) == show_time(end)
        assert (entry.revoked_at is None) == (not revoked)
        if revoked:
            assert show_time(entry.revoked_at) == show_time(revoked[0])
        assert entry.reason == ((revoked[1] or "unspecified") if revoked else None)
        name = x509.Name.from_rfc4514_string(entry.subject)
        assert [one.value for one in name] == ["CN", common_name]


def test_a_mark_of_the_byte_order_before_the_first_line_is_passed_over():
    assert entries("\ufeff" + DATABASE) == entries(DATABASE)
