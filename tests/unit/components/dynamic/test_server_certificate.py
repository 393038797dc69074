"""The server's certificate: issued anew when its content, its window or the CA's key changes."""

from __future__ import annotations

import pytest
from cryptography import x509
from pulumi.runtime.rpc import UNKNOWN

from components.dynamic import certificate_authority
from components.dynamic.server_certificate import Provider
from components.pki import certificates, keys
from components.pki.windows import show_time
from tests.unit.components.dynamic.engine import Kept, wire
from tests.unit.components.dynamic.programs import AUTHORITY, SERVER, server

OUTPUTS = {
    *SERVER,
    "ca_key_id",
    "not_before",
    "not_after",
    "certificate",
    "private_key",
    "fingerprint_sha256",
    "serial_number",
    "ca_public_key_sha256",
}
CHANGES = [
    {"common_name": "example.com"},
    {"dns_names": ["www.example.com"]},
    {"ip_addresses": []},
    {"ip_addresses": ["203.0.113.11"]},
    {"key_bits": 4096},
]


@pytest.fixture
def kept(ca):
    """A server certificate that was issued today."""
    found = Kept(Provider())
    assert found.up(server(ca)) == "create"
    return found


def alternative_names(kept):
    extensions = certificates.load(kept.outputs["certificate"]).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def test_a_new_certificate_has_every_output_and_not_the_cas_key(kept, ca):
    assert set(kept.outputs) == OUTPUTS
    assert kept.id == kept.outputs["serial_number"]
    assert kept.outputs["private_key"] != ca.outputs["private_key"]


def test_its_outputs_describe_its_certificate(kept, ca):
    outs, certificate = kept.outputs, certificates.load(kept.outputs["certificate"])
    certificate.verify_directly_issued_by(certificates.load(ca.outputs["certificate"]))
    assert alternative_names(kept) == ["www.example.com", "xn--bcher-kva.example", "203.0.113.10"]
    assert certificate.subject.rfc4514_string() == "CN=www.example.com"
    assert int(outs["serial_number"], 16) == certificate.serial_number
    assert outs["fingerprint_sha256"] == certificates.fingerprint_sha256(certificate)
    assert outs["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert keys.load(outs["private_key"]).public_key() == certificate.public_key()
    assert (outs["not_before"], outs["not_after"]) == (
        "2026-03-14T00:00:00Z",
        "2027-03-13T23:59:59Z",
    )


def test_nothing_happens_without_a_change(kept, ca, clock):
    before = dict(kept.outputs)
    clock("334d")
    assert kept.up(server(ca)) == "same"
    assert kept.up(server(ca, renew_before="20d")) == "same"
    assert kept.outputs == before


@pytest.mark.parametrize("change", CHANGES)
def test_other_content_is_issued_at_once_for_a_whole_term(kept, ca, change, clock):
    before = dict(kept.outputs)
    clock("10d")
    found = kept.preview(server(ca, **change))
    assert (found.changes, found.replaces) == (True, None)
    assert kept.up(server(ca, **change)) == "update"
    assert set(kept.outputs) == OUTPUTS
    assert {name: kept.outputs[name] for name in change} == change
    assert kept.outputs["not_before"] == "2026-03-24T00:00:00Z"
    for name in ("certificate", "private_key", "serial_number"):
        assert kept.outputs[name] != before[name]
    assert kept.up(server(ca, **change)) == "same"


def test_a_due_certificate_is_renewed_with_another_key_under_the_same_id(kept, ca, clock):
    before, identifier = dict(kept.outputs), kept.id
    clock("335d")
    assert kept.up(server(ca)) == "update"
    assert set(kept.outputs) == OUTPUTS
    assert kept.outputs["not_before"] == "2027-02-12T00:00:00Z"
    assert kept.outputs["private_key"] != before["private_key"]
    assert kept.id == identifier
    assert kept.up(server(ca)) == "same"


def test_a_certificate_that_is_not_valid_yet_is_issued_anew(kept, ca, clock):
    clock("-2d")
    assert kept.preview(server(ca)).changes is True
    assert kept.up(server(ca)) == "update"
    assert kept.inputs["issued_because"].startswith("not valid before 2026-03-14T00:00:00Z: ")
    assert kept.outputs["not_before"] == "2026-03-12T00:00:00Z"
    assert kept.up(server(ca)) == "same"


@pytest.fixture
def short_ca():
    """A CA that ends before what it issues would."""
    found = Kept(certificate_authority.Provider())
    found.up({**AUTHORITY, "validity": "200d", "renew_before": "10d"})
    return found


def test_a_certificate_that_the_cas_end_cuts_says_so_and_is_not_due(short_ca, clock):
    cut = Kept(Provider())
    cut.up(server(short_ca))
    assert cut.inputs["not_after"] == cut.outputs["not_after"] == "2026-09-29T23:59:59Z"
    end = certificates.load(cut.outputs["certificate"]).not_valid_after_utc
    assert show_time(end) == cut.outputs["not_after"]
    clock("180d")
    assert cut.up(server(short_ca)) == "same"


def test_a_certificate_that_was_cut_is_due_once_its_ca_lasts_longer(short_ca, clock):
    cut = Kept(Provider())
    cut.up(server(short_ca))
    clock("190d")
    short_ca.up({**AUTHORITY, "validity": "400d", "renew_before": "10d"})
    assert cut.up(server(short_ca)) == "update"
    assert cut.inputs["issued_because"] == "renewal due since 2026-08-30T23:59:59Z"
    assert cut.outputs["not_after"] == "2027-09-19T23:59:59Z"
    assert cut.up(server(short_ca)) == "same"


def test_a_certificate_of_versions_that_wrote_a_later_end_stays_until_its_ca_lasts_longer(
    short_ca, clock
):
    cut = Kept(Provider())
    cut.up(server(short_ca))
    for kept in (cut.inputs, cut.outputs):
        kept["not_after"] = "2027-03-13T23:59:59Z"
    assert cut.preview(server(short_ca)).changes is False
    clock("10d")
    short_ca.up({**AUTHORITY, "validity": "400d", "renew_before": "10d"})
    assert cut.preview(server(short_ca)).changes is True


def test_nothing_is_issued_by_a_ca_that_has_ended(short_ca, clock):
    clock("201d")
    (failure,) = Provider().check({}, wire(server(short_ca))).failures
    assert failure.property == "validity"
    assert "the CA's certificate ends at 2026-09-29T23:59:59Z" in failure.reason


def test_another_validity_is_issued_anew(kept, ca):
    assert kept.up(server(ca, validity="90d")) == "update"
    assert kept.outputs["not_after"] == "2026-06-11T23:59:59Z"


def test_a_renewed_ca_changes_nothing(kept, ca, clock):
    clock("10d")
    assert ca.up({**AUTHORITY, "validity": "3000d"}) == "update"
    assert kept.up(server(ca)) == "same"


def test_another_ca_signs_anew(kept, ca):
    assert ca.up({**AUTHORITY, "subject": {"common_name": "Other CA"}}) == "replace"
    assert kept.up(server(ca)) == "update"
    authority = certificates.load(ca.outputs["certificate"])
    certificates.load(kept.outputs["certificate"]).verify_directly_issued_by(authority)
    assert kept.up(server(ca)) == "same"


def test_a_ca_replaced_by_hand_under_the_same_id_is_noticed(kept, ca):
    identifier = ca.outputs["key_id"]
    again = Kept(certificate_authority.Provider())
    again.up(AUTHORITY)
    assert again.outputs["key_id"] == identifier
    assert kept.up(server(again)) == "update"
    authority = certificates.load(again.outputs["certificate"])
    certificates.load(kept.outputs["certificate"]).verify_directly_issued_by(authority)
    assert kept.up(server(again)) == "same"


def test_numbers_come_as_floats_and_count_as_what_they_were(kept, ca, made_keys):
    found = kept.provider.check({}, wire(server(ca)))
    assert isinstance(found.inputs["key_bits"], int)
    assert isinstance(kept.outputs["key_bits"], float)
    assert all(isinstance(bits, int) for bits in made_keys)


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"common_name": "x" * 65}, "common_name", "of which 64 fit"),
        ({"dns_names": ["bad name"]}, "dns_names", "'bad name' is no DNS name"),
        ({"ip_addresses": ["300.1.1.1"]}, "dns_names", "'300.1.1.1'"),
        ({"key_bits": 3072}, "key_bits", "2048 or 4096"),
        ({"validity": "1y"}, "validity", "no length of time"),
        ({"renew_before": "365d"}, "validity", "shorter than validity"),
    ],
)
def test_a_mistake_is_a_failure_at_its_place(ca, change, place, reason):
    (failure,) = Provider().check({}, wire(server(ca, **change))).failures
    assert failure.property == place
    assert reason in failure.reason


def unknown(ca, name):
    value = [UNKNOWN] if name in {"dns_names", "ip_addresses"} else UNKNOWN
    return wire(server(ca, **{name: value}))


@pytest.mark.parametrize("name", [*SERVER, "ca_key_id"])
def test_an_unknown_input_shows_as_a_change(kept, ca, name, made_keys):
    made = len(made_keys)
    result = kept.provider.check(wire(kept.inputs), unknown(ca, name))
    assert result.failures == []
    assert kept.provider.diff(kept.id, wire(kept.outputs), result.inputs).changes is True
    assert len(made_keys) == made


@pytest.mark.parametrize("name", ["ca_certificate", "ca_private_key"])
def test_a_ca_that_waits_for_its_own_renewal_changes_nothing(kept, ca, name):
    result = kept.provider.check(wire(kept.inputs), unknown(ca, name))
    assert result.failures == []
    assert kept.provider.diff(kept.id, wire(kept.outputs), result.inputs).changes is False


@pytest.mark.parametrize("name", ["common_name", "ip_addresses", "ca_key_id"])
def test_an_unknown_input_alone_does_not_begin_another_term(kept, ca, name, clock):
    clock("10d")
    result = kept.provider.check(wire(kept.inputs), unknown(ca, name))
    assert result.inputs["not_before"] == kept.outputs["not_before"]


@pytest.mark.parametrize("name", [*SERVER, "ca_key_id", "ca_certificate", "ca_private_key"])
def test_a_first_preview_takes_any_unknown_input(ca, name):
    result = Provider().check({}, unknown(ca, name))
    assert result.failures == []
    assert ("not_after" in result.inputs) == (name not in {"key_bits", "validity", "renew_before"})


def test_deleting_it_and_reading_it_touch_nothing(kept):
    provider, outs = kept.provider, wire(kept.outputs)
    assert provider.delete(kept.id, outs) is None
    read = provider.read(kept.id, outs)
    assert (read.id, read.outs, read.inputs) == (kept.id, kept.outputs, None)


def constrained(ca, constraints, **changes):
    """What check finds in a certificate under a CA with name constraints."""
    news = wire(server(ca, name_constraints=constraints, **changes))
    return [(failure.property, failure.reason) for failure in Provider().check({}, news).failures]


DOMAINS = {"permitted": {"domains": ["example.com", "xn--bcher-kva.example"]}}
RANGES = {"permitted": {"ip_ranges": ["203.0.113.0/24"]}}


def test_names_that_the_ca_may_certify_are_taken(ca):
    assert constrained(ca, DOMAINS) == constrained(ca, RANGES) == []
    # The address is not known, and nothing depends on it.
    assert constrained(ca, DOMAINS, ip_addresses=[UNKNOWN]) == []


@pytest.mark.parametrize(
    ("constraints", "changes", "reason"),
    [
        (
            DOMAINS,
            {"dns_names": ["www.example.org"]},
            "the DNS name www.example.org is outside of the CA's permitted domains (example.com, "
            "xn--bcher-kva.example)",
        ),
        (
            RANGES,
            {"ip_addresses": ["198.51.100.1"]},
            "the IP address 198.51.100.1 is outside of the CA's permitted IP ranges "
            "(203.0.113.0/24)",
        ),
        (
            {"excluded": {"ip_ranges": ["203.0.113.0/24"]}},
            {},
            "the IP address 203.0.113.10 is within the CA's excluded IP ranges (203.0.113.0/24)",
        ),
        *(
            (
                {side: {"ip_ranges": ["203.0.113.0/24"]}},
                {"ip_addresses": [UNKNOWN]},
                "the load balancer's address is not known before it exists, so neither is whether "
                "ip_ranges permit it in the server's certificate: bring the stack up without "
                "ip_ranges, and set them then",
            )
            for side in ("permitted", "excluded")
        ),
    ],
)
def test_names_that_the_ca_may_not_certify_are_refused(ca, constraints, changes, reason):
    assert constrained(ca, constraints, **changes) == [("name_constraints", reason)]


def test_name_constraints_alone_issue_nothing_anew(kept, ca):
    before = dict(kept.outputs)
    assert kept.up(server(ca, name_constraints=DOMAINS)) == "same"
    assert kept.outputs == before
    assert kept.up(server(ca)) == "same"


def test_a_ca_that_may_not_certify_a_name_signs_nothing(ca):
    ca.up({**AUTHORITY, "name_constraints": {"permitted": {"domains": ["example.org"]}}})
    with pytest.raises(ValueError, match=r"the DNS name www\.example\.com is outside of"):
        Kept(Provider()).up(server(ca))
