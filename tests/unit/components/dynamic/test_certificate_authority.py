"""The CA: one key for one identity, a certificate that is renewed with it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from cryptography import x509
from pulumi.runtime.rpc import UNKNOWN

from components.dynamic.certificate_authority import Provider
from components.pki import certificates, keys
from tests.unit.components.dynamic.engine import Kept, wire
from tests.unit.components.dynamic.programs import AUTHORITY
from tests.unit.components.pki.material import NOW

OUTPUTS = {
    *AUTHORITY,
    "generation",
    "key_id",
    "not_before",
    "not_after",
    "certificate",
    "private_key",
    "fingerprint_sha256",
    "serial_number",
    "public_key_sha256",
    "expired_probe",
    "withdrawn_certificates",
}
SAME_AFTER_RENEWAL = ("private_key", "public_key_sha256", "key_id", "expired_probe", "subject")


def checked(news, olds=None):
    return Provider().check(olds or {}, wire({**AUTHORITY, **news}))


def test_a_new_ca_has_every_output(ca, made_keys):
    assert set(ca.outputs) == OUTPUTS
    assert ca.id == ca.outputs["public_key_sha256"]
    ca_and_probe = [2048, 2048]
    assert made_keys == ca_and_probe


def test_its_outputs_describe_its_certificate(ca):
    outs, certificate = ca.outputs, certificates.load(ca.outputs["certificate"])
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.rfc4514_string() == "CN=Example CA,C=CN"
    assert int(outs["serial_number"], 16) == certificate.serial_number
    assert outs["fingerprint_sha256"] == certificates.fingerprint_sha256(certificate)
    assert outs["public_key_sha256"] == certificates.public_key_sha256(certificate)
    assert outs["not_before"] == certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert outs["not_after"] == certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert outs["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert keys.load(outs["private_key"]).public_key() == certificate.public_key()


def test_the_probe_is_a_client_of_this_ca_that_has_expired(ca):
    probe = ca.outputs["expired_probe"]
    certificate = certificates.load(probe["certificate"])
    certificate.verify_directly_issued_by(certificates.load(ca.outputs["certificate"]))
    assert keys.load(probe["private_key"]).public_key() == certificate.public_key()
    assert certificate.not_valid_before_utc < certificate.not_valid_after_utc
    assert NOW - certificate.not_valid_after_utc >= timedelta(minutes=4)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_probe_of_a_short_lived_ca_has_expired_too():
    kept = Kept(Provider())
    kept.up({**AUTHORITY, "validity": "2h", "renew_before": "1h"})
    certificate = certificates.load(kept.outputs["expired_probe"]["certificate"])
    assert certificate.not_valid_after_utc < NOW


def test_nothing_happens_without_a_change(ca, made_keys, clock):
    before = dict(ca.outputs)
    clock("2919d")
    assert ca.up(AUTHORITY) == "same"
    assert ca.outputs == before
    assert len(made_keys) == 2


def test_a_due_ca_is_renewed_with_its_key_name_id_and_probe(ca, made_keys, clock):
    before = dict(ca.outputs)
    clock("2920d")
    assert not ca.preview(AUTHORITY).replaces
    assert ca.up(AUTHORITY) == "update"
    assert set(ca.outputs) == OUTPUTS
    assert {name: ca.outputs[name] for name in SAME_AFTER_RENEWAL} == {
        name: before[name] for name in SAME_AFTER_RENEWAL
    }
    for name in ("certificate", "serial_number", "fingerprint_sha256", "not_before", "not_after"):
        assert ca.outputs[name] != before[name]
    assert ca.id == before["public_key_sha256"]
    assert len(made_keys) == 2
    assert ca.up(AUTHORITY) == "same"


@pytest.mark.parametrize(
    "change",
    [
        {"subject": {"common_name": "Other CA", "country": "CN"}},
        {"subject": {"common_name": "Example CA"}},
        {"key_bits": 4096},
    ],
)
def test_another_identity_is_another_ca(ca, change):
    before = dict(ca.outputs)
    news = {**AUTHORITY, **change}
    assert ca.preview(news).replaces == list(change)
    assert ca.up(news) == "replace"
    for name in ("private_key", "key_id", "public_key_sha256", "expired_probe"):
        assert ca.outputs[name] != before[name]
    assert ca.up(news) == "same"


def test_another_identity_shows_another_key_and_term_before_it_is_made(ca, clock):
    clock("10d")
    found = checked({"key_bits": 4096}, wire(ca.inputs)).inputs
    assert found["key_id"] != ca.inputs["key_id"]
    assert found["not_before"] == "2026-03-24T00:00:00Z"
    assert found.pop("issued_because") == "key_bits changed"
    # As the engine checks a replacement once more.
    again = checked({"key_bits": 4096}).inputs
    assert again.pop("issued_because") == "key_bits changed"
    assert again == found
    assert checked({"key_bits": 4096}).inputs["issued_because"] == "first issue"


def test_a_ca_that_is_replaced_by_hand_says_so(ca):
    checked({}, wire(ca.inputs))
    assert checked({}).inputs["issued_because"] == "replaced on request"


def test_a_ca_that_is_not_valid_yet_is_renewed_with_its_key(ca, clock):
    before = dict(ca.outputs)
    clock("-2d")
    assert ca.up(AUTHORITY) == "update"
    assert ca.inputs["issued_because"].startswith("not valid before 2026-03-14T00:00:00Z: ")
    assert ca.outputs["not_before"] == "2026-03-12T00:00:00Z"
    for name in SAME_AFTER_RENEWAL:
        assert ca.outputs[name] == before[name]
    assert ca.up(AUTHORITY) == "same"
    clock("2d")
    assert ca.up(AUTHORITY) == "same"


def test_another_renew_before_alone_changes_nothing(ca):
    assert ca.up({**AUTHORITY, "renew_before": "400d"}) == "same"


def test_another_validity_renews_from_today(ca, clock):
    before = dict(ca.outputs)
    clock("10d")
    assert ca.up({**AUTHORITY, "validity": "1000d"}) == "update"
    assert ca.outputs["not_before"] == "2026-03-24T00:00:00Z"
    assert ca.outputs["not_after"] == "2028-12-17T23:59:59Z"
    assert ca.outputs["private_key"] == before["private_key"]


def test_the_keys_id_is_known_before_the_key():
    (first, second) = (checked({}).inputs["key_id"] for _ in range(2))
    assert first == second
    assert re.fullmatch("[0-9a-f]{16}", first)


def test_the_keys_id_depends_on_subject_size_and_day_alone(clock):
    same = [{"validity": "1000d"}, {"renew_before": "1d"}]
    here = {checked(change).inputs["key_id"] for change in [{}, *same]}
    reordered = AUTHORITY | {"subject": {"country": "CN", "common_name": "Example CA"}}
    for news in (AUTHORITY, reordered):
        here.add(Provider().check({}, news).inputs["key_id"])
    assert len(here) == 1
    others = [{"key_bits": 4096}, {"subject": {"common_name": "Other CA"}}]
    found = {checked(change).inputs["key_id"] for change in others}
    clock("1d")
    found.add(checked({}).inputs["key_id"])
    assert len(found | here) == 4


def test_numbers_come_as_floats_and_count_as_what_they_were(ca, made_keys):
    assert isinstance(wire(AUTHORITY)["key_bits"], float)
    found = checked({}).inputs["key_bits"]
    assert isinstance(found, int)
    assert Provider().diff("", wire(ca.outputs), ca.inputs).changes is False
    assert all(isinstance(bits, int) for bits in made_keys)


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"subject": {}}, "subject", "the subject is empty"),
        ({"subject": {"common_name": "x", "country": "China"}}, "subject", "two capital letters"),
        ({"key_bits": 1024}, "key_bits", "2048 or 4096"),
        (
            {"name_constraints": {"permitted": {"domains": ["a b"]}}},
            "name_constraints",
            "is no DNS name",
        ),
        ({"validity": "10y"}, "validity", "no length of time"),
        ({"renew_before": "3650d"}, "validity", "shorter than validity"),
    ],
)
def test_a_mistake_is_a_failure_at_its_place(change, place, reason):
    (failure,) = checked(change).failures
    assert failure.property == place
    assert reason in failure.reason


def test_all_mistakes_are_told_at_once():
    found = checked({"subject": {}, "key_bits": 1024, "validity": "10y"}).failures
    assert [failure.property for failure in found] == ["subject", "key_bits", "validity"]


@pytest.mark.parametrize("name", [*AUTHORITY, "common_name"])
def test_an_unknown_input_waits_for_the_update(ca, name, made_keys):
    if name in AUTHORITY:
        news = wire({**AUTHORITY, name: UNKNOWN})
    else:
        news = wire({**AUTHORITY, "subject": {"common_name": UNKNOWN}})
    result = ca.provider.check(wire(ca.inputs), news)
    assert (result.inputs, result.failures) == (news, [])
    assert ca.provider.diff(ca.id, wire(ca.outputs), news).changes is True
    assert len(made_keys) == 2


def test_deleting_it_and_reading_it_touch_nothing(ca):
    provider, outs = ca.provider, wire(ca.outputs)
    assert provider.delete(ca.id, outs) is None
    assert outs == ca.outputs
    read = provider.read(ca.id, outs)
    assert (read.id, read.outs, read.inputs) == (ca.id, ca.outputs, None)
