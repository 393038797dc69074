"""Whole certificates and lists, read again by an ASN.1 library that had no part in writing them.

pyasn1 decodes by RFC 5280's own module. That what it encodes again is the same shows that it is DER
(X.690, 10), of which each value has one form.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.der import decoder, encoder
from pyasn1.type import char, useful
from pyasn1_alt_modules import rfc5280

from components.pki import certificates, name_constraints, revocation_list
from components.pki.certificates import Issuer
from components.pki.names import ATTRIBUTES, distinguished_name
from components.pki.revocation_list import REASONS, Revoked
from components.pki.windows import BACKDATE, Window, show_time
from tests.unit.components.pki.material import key
from tests.unit.components.pki.test_alternative_names import addresses, dns_names
from tests.unit.components.pki.test_names import subjects

examples = settings(max_examples=40)

SECOND = timedelta(seconds=1)
LAST_OF_UTC_TIME = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Later dates are GeneralizedTime (RFC 5280, 4.1.2.5)."""

moments = st.datetimes(datetime(1999, 1, 1), datetime(2120, 1, 1), timezones=st.just(UTC))
lengths = st.integers(60, 36_500 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
windows = st.builds(Window.opening, moments, lengths)
atoms = st.from_regex("[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,30}", fullmatch=True)
hosts = dns_names.filter(lambda name: "*" not in name)
mailboxes = st.none() | st.builds("{}@{}".format, atoms, hosts)
A_LABELS = {
    "bücher": "xn--bcher-kva",
    "例え": "xn--r8jz45g",
    "почта": "xn--80a1acny",
    "καλημέρα": "xn--ixahbwnhi5b",
    "例子": "xn--fsqu00a",
    "测试": "xn--0zwm56d",
}
"""By the IDNA 2008 implementation of the package `idna`."""

unicode_names = st.builds(
    ".".join, st.lists(st.sampled_from(["www", *A_LABELS]), min_size=2, max_size=4)
)
networks = st.builds(
    lambda address, length: ipaddress.ip_network((address, length), strict=False),
    st.ip_addresses(v=4),
    st.integers(0, 32),
) | st.builds(
    lambda address, length: ipaddress.ip_network((address, length), strict=False),
    st.ip_addresses(v=6).filter(lambda address: address.scope_id is None),
    st.integers(0, 128),
)

OIDS = {str(oid.dotted_string): field for field, oid in ATTRIBUTES.items()}
BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE = "2.5.29.19", "2.5.29.15", "2.5.29.37"
ALTERNATIVE_NAMES, CONSTRAINTS = "2.5.29.17", "2.5.29.30"
SUBJECT_KEY, AUTHORITY_KEY = "2.5.29.14", "2.5.29.35"
CRL_NUMBER, REASON = "2.5.29.20", "2.5.29.21"
ALWAYS = {BASIC_CONSTRAINTS, KEY_USAGE, SUBJECT_KEY, AUTHORITY_KEY}


def decoded(der, kind):
    value, rest = decoder.decode(der, asn1Spec=kind)
    assert rest == b""
    assert encoder.encode(value) == der
    return value


def certificate_of(made):
    return decoded(made.public_bytes(Encoding.DER), rfc5280.Certificate())["tbsCertificate"]


def fields_of(name):
    """A name's fields as the configuration has them, in order."""
    found = []
    for names in name["rdnSequence"]:
        (one,) = names
        kind = rfc5280.certificateAttributesMap[one["type"]]
        value, rest = decoder.decode(one["value"], asn1Spec=kind.clone())
        assert rest == b""
        text = value if isinstance(value, rfc5280.X520countryName) else value.getComponent()
        found.append((OIDS[str(one["type"])], str(text)))
    return found


def time_of(choice):
    """A moment, of which the form of its time is the right one."""
    time = choice.getComponent()
    moment = time.asDateTime
    assert isinstance(time, useful.UTCTime) == (moment <= LAST_OF_UTC_TIME)
    assert str(time).endswith("Z")
    return moment


def window_of(certificate):
    validity = certificate["validity"]
    return Window(time_of(validity["notBefore"]), time_of(validity["notAfter"]))


def extensions_of(holder, field="extensions"):
    """Extensions as criticality and value, by object identifier; each is there once."""
    held = [(str(one["extnID"]), one) for one in holder[field]]
    found = {
        oid: (
            bool(one["critical"]),
            decoded(bytes(one["extnValue"]), rfc5280.certificateExtensionsMap[one["extnID"]]),
        )
        for oid, one in held
    }
    assert len(found) == len(held)
    return found


def names_of(general_names):
    return [(name.getName(), value_of(name.getComponent())) for name in general_names]


def value_of(value):
    return str(value) if isinstance(value, char.IA5String) else bytes(value)


def named(subject):
    return [(field, subject[field]) for field in ATTRIBUTES if field in subject]


def authority(subject, window, constraints=None):
    name = distinguished_name(subject)
    made = certificates.issue_authority(name, key("ca"), window, constraints=constraints)
    return Issuer(made, key("ca"))


@examples
@given(subject=subjects, window=windows)
def test_a_ca_says_what_was_configured(subject, window):
    read = certificate_of(authority(subject, window).certificate)
    assert fields_of(read["subject"]) == fields_of(read["issuer"]) == named(subject)
    assert window_of(read) == window
    assert int(read["version"]) == 2  # That is version 3.
    assert 0 < int(read["serialNumber"]) < 2**159
    extensions = extensions_of(read)
    assert extensions.keys() == ALWAYS
    critical, basic = extensions[BASIC_CONSTRAINTS]
    assert (critical, bool(basic["cA"]), int(basic["pathLenConstraint"])) == (True, True, 0)
    own = bytes(extensions[SUBJECT_KEY][1])
    assert bytes(extensions[AUTHORITY_KEY][1]["keyIdentifier"]) == own


@examples
@given(
    ca=subjects,
    domains=st.lists(dns_names | unicode_names, max_size=5),
    ips=st.lists(addresses, max_size=5),
    window=windows,
)
def test_a_server_says_what_was_configured_and_who_issued_it(ca, domains, ips, window):
    issuer = authority(ca, Window(window.not_before, window.not_after + timedelta(days=1)))
    names = certificates.alternative_names(domains, [str(ip) for ip in ips])
    subject = distinguished_name({"common_name": "www.example.com"})
    made = certificates.issue_server(issuer, subject, key().public_key(), window, names)
    read = certificate_of(made)
    assert fields_of(read["issuer"]) == named(ca)
    assert fields_of(read["subject"]) == [("common_name", "www.example.com")]
    assert window_of(read) == window
    extensions = extensions_of(read)
    assert extensions.keys() == ALWAYS | {EXTENDED_KEY_USAGE} | (
        {ALTERNATIVE_NAMES} if names else set()
    )
    assert not extensions[BASIC_CONSTRAINTS][1]["cA"]
    assert [str(usage) for usage in extensions[EXTENDED_KEY_USAGE][1]] == ["1.3.6.1.5.5.7.3.1"]
    if names:
        critical, held = extensions[ALTERNATIVE_NAMES]
        encoded = [
            ".".join(A_LABELS.get(label, label.lower()) for label in name.split("."))
            for name in domains
        ]
        assert names_of(held) == [
            *(("dNSName", name) for name in dict.fromkeys(encoded)),
            *(("iPAddress", ip.packed) for ip in dict.fromkeys(ips)),
        ]
        assert not critical


@examples
@given(subject=subjects, email=mailboxes, window=windows, left=lengths)
def test_a_client_says_what_was_configured_and_ends_with_its_ca(subject, email, window, left):
    ca = Window(window.not_before, max(window.not_before, window.not_before + left - SECOND))
    issuer = authority({"common_name": "Example CA"}, ca)
    name = distinguished_name(subject)
    read = certificate_of(
        certificates.issue_client(issuer, name, key().public_key(), window, email)
    )
    assert fields_of(read["subject"]) == named(subject)
    assert window_of(read) == Window(window.not_before, min(window.not_after, ca.not_after))
    extensions = extensions_of(read)
    assert [str(usage) for usage in extensions[EXTENDED_KEY_USAGE][1]] == ["1.3.6.1.5.5.7.3.2"]
    held = names_of(extensions[ALTERNATIVE_NAMES][1]) if email else []
    assert held == ([("rfc822Name", email)] if email else [])


constraint_sides = st.fixed_dictionaries(
    {},
    optional={
        "domains": st.lists(hosts, min_size=1, max_size=3),
        "email_domains": st.lists(hosts | hosts.map(".{}".format), min_size=1, max_size=3),
        "ip_ranges": st.lists(networks.map(str), min_size=1, max_size=3),
    },
)


@examples
@given(permitted=constraint_sides, excluded=constraint_sides, window=windows)
def test_name_constraints_say_what_was_configured(permitted, excluded, window):
    held = name_constraints.extension({"permitted": permitted, "excluded": excluded})
    issuer = authority({"common_name": "Example CA"}, window, held)
    extensions = extensions_of(certificate_of(issuer.certificate))
    if not permitted and not excluded:
        assert CONSTRAINTS not in extensions
        return
    critical, read = extensions[CONSTRAINTS]
    assert critical
    for side, asked in (("permittedSubtrees", permitted), ("excludedSubtrees", excluded)):
        bases = [subtree["base"] for subtree in read[side]] if read[side].isValue else []
        ranges = map(ipaddress.ip_network, asked.get("ip_ranges", ()))
        assert names_of(bases) == [
            *(("dNSName", name.lower()) for name in asked.get("domains", ())),
            *(("rfc822Name", name.lower()) for name in asked.get("email_domains", ())),
            *(("iPAddress", one.network_address.packed + one.netmask.packed) for one in ranges),
        ]


entries = st.dictionaries(
    st.integers(1, 2**159 - 1),
    st.tuples(st.integers(0, 86_400 * 400), st.sampled_from(REASONS)),
    max_size=5,
)
"""By serial number: how many seconds before the list's end, and why."""


@examples
@given(ca=subjects, number=st.integers(1, 2**53), window=windows, revoked=entries)
def test_a_revocation_list_says_who_was_revoked_when_and_why(ca, number, window, revoked):
    issuer = authority(ca, window)
    dated = {
        serial: (window.not_after - timedelta(seconds=seconds), reason)
        for serial, (seconds, reason) in revoked.items()
    }
    listed = [
        Revoked(certificates.whole_octets(serial), show_time(moment), reason)
        for serial, (moment, reason) in dated.items()
    ]
    made = revocation_list.issue(issuer, number, window, listed)
    read = decoded(made.public_bytes(Encoding.DER), rfc5280.CertificateList())["tbsCertList"]
    assert fields_of(read["issuer"]) == named(ca)
    latest = max([window.not_before, *(moment for moment, _ in dated.values())])
    assert time_of(read["thisUpdate"]) == latest
    assert time_of(read["nextUpdate"]) == window.not_after + SECOND
    assert int(extensions_of(read, "crlExtensions")[CRL_NUMBER][1]) == number
    found = {
        int(one["userCertificate"]): (
            time_of(one["revocationDate"]),
            str(extensions_of(one, "crlEntryExtensions")[REASON][1].prettyPrint()),
        )
        for one in (read["revokedCertificates"] if dated else ())
    }
    assert found == dated


@examples
@given(now=moments, validity=lengths)
def test_a_certificate_is_valid_when_it_is_issued_and_for_slow_clocks(now, validity):
    read = window_of(
        certificate_of(authority({"common_name": "x"}, Window.opening(now, validity)).certificate)
    )
    assert read.not_before <= now - BACKDATE
    assert now < read.not_after + timedelta(minutes=1)
