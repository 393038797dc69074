"""The register issues what is asked for, revokes what is gone and forgets nothing still valid."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from components.pki import certificates, keys
from components.pki.register import Register, to_bundle, to_issue
from components.pki.windows import Window, show_time
from tests.unit.components.pki.material import NOW, YEAR, issuer
from tests.unit.components.pki.requests import BROWSER, LATER, MONTH, carried_out, request, the_key

pytestmark = pytest.mark.usefixtures("asked_for")


def statuses(register, name):
    return [entry.status for entry in register.issued if entry.name == name]


def test_a_new_client_is_issued_a_certificate(asked_for):
    register = carried_out({"browser": request(key=keys.Rsa(4096)), "phone": request("phone")})
    assert asked_for == [4096, 2048]
    assert [entry.name for entry in register.issued] == ["browser", "phone"]
    entry, bundle = register.latest()["browser"], register.bundles["browser"]
    certificate = certificates.load(bundle.certificate)
    certificate.verify_directly_issued_by(issuer().certificate)
    assert (entry.status, entry.revoked_at, entry.reason) == ("valid", None, None)
    assert entry.subject == "CN=browser"
    assert int(entry.serial_number, 16) == certificate.serial_number
    assert entry.fingerprint_sha256 == certificates.fingerprint_sha256(certificate)
    assert show_time(entry.not_before) == "2026-03-14T00:00:00Z"
    assert show_time(entry.not_after) == "2027-03-13T23:59:59Z"


def test_each_client_has_its_own_key_and_pass_phrase():
    register = carried_out({name: request(name) for name in "abcd"})
    assert len({bundle.pass_phrase for bundle in register.bundles.values()}) == 4
    assert len({the_key(bundle).d for bundle in register.bundles.values()}) == 4
    assert {entry.name: entry.subject for entry in register.issued} == {
        name: f"CN={name}" for name in "abcd"
    }


def test_a_client_may_bring_pass_phrase_and_e_mail_address():
    subject = {"common_name": "browser", "email": "browser@example.com"}
    register = carried_out({"browser": request(subject=subject, pass_phrase="correct horse")})
    bundle = register.bundles["browser"]
    assert bundle.pass_phrase == "correct horse"
    names = certificates.mailbox_names("browser@example.com")
    held = certificates.load(bundle.certificate).extensions
    assert list(held.get_extension_for_class(x509.SubjectAlternativeName).value) == names


def test_the_same_requests_again_change_nothing(asked_for):
    before = carried_out(BROWSER)
    assert carried_out(BROWSER, before, now=LATER) == before
    assert (to_issue(before, BROWSER), to_bundle(before, BROWSER)) == (set(), set())
    assert len(asked_for) == 1


CHANGES = {
    "window": {"window": Window.opening(LATER, YEAR)},
    "subject": {"subject": {"common_name": "other"}},
    "email": {"subject": {"common_name": "browser", "email": "b@example.com"}},
    "size of the key": {"key": keys.Rsa(4096)},
    "algorithm of the key": {"key": keys.Ecdsa("P-256")},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_content_issues_anew_and_supersedes(change):
    before = carried_out({**BROWSER, "phone": request("phone")})
    requests = {
        "browser": replace(BROWSER["browser"], **CHANGES[change]),
        "phone": request("phone"),
    }
    assert to_issue(before, requests) == {"browser"}
    after = carried_out(requests, before, now=LATER)
    assert statuses(after, "browser") == ["superseded", "valid"]
    assert statuses(after, "phone") == ["valid"]
    old, new = (entry for entry in after.issued if entry.name == "browser")
    assert old == replace(before.latest()["browser"], status="superseded")
    assert new.serial_number != old.serial_number
    assert the_key(after.bundles["browser"]) != the_key(before.bundles["browser"])
    assert after.bundles["phone"] == before.bundles["phone"]


def test_a_second_renewal_leaves_two_superseded():
    register = Register()
    for months in range(3):
        now = NOW + months * MONTH
        register = carried_out({"browser": request(since=now)}, register, now=now)
    assert statuses(register, "browser") == ["superseded", "superseded", "valid"]


def test_a_removed_client_is_revoked_with_all_it_holds():
    once = carried_out({**BROWSER, "phone": request("phone")})
    twice = carried_out({"browser": request(since=LATER), "phone": request("phone")}, once)
    after = carried_out({"phone": request("phone")}, twice, now=LATER)
    assert statuses(after, "browser") == ["revoked", "revoked"]
    assert statuses(after, "phone") == ["valid"]
    for entry in after.issued:
        if entry.name == "browser":
            assert show_time(entry.revoked_at) == show_time(LATER)
            assert entry.reason == "cessationOfOperation"
    assert set(after.bundles) == set(after.requests) == {"phone"}
    assert after.latest()["browser"].status == "revoked"


def test_what_is_revoked_keeps_its_time():
    removed = carried_out({}, carried_out(BROWSER), now=LATER)
    assert carried_out({}, removed, now=LATER + MONTH) == removed


def test_a_client_that_is_removed_twice_keeps_the_time_of_the_first():
    returned = carried_out(BROWSER, carried_out({}, carried_out(BROWSER)))
    after = carried_out({}, returned, now=LATER)
    assert [show_time(entry.revoked_at) for entry in after.issued] == [
        show_time(NOW),
        show_time(LATER),
    ]


def test_a_client_that_returns_is_issued_anew_and_the_old_one_stays_revoked():
    first = carried_out(BROWSER)
    removed = carried_out({}, first)
    assert to_issue(removed, BROWSER) == {"browser"}
    after = carried_out(BROWSER, removed, now=LATER)
    assert statuses(after, "browser") == ["revoked", "valid"]
    assert after.issued[0] == removed.issued[0]
    assert after.bundles["browser"].certificate != first.bundles["browser"].certificate
    assert the_key(after.bundles["browser"]) != the_key(first.bundles["browser"])
    assert after.latest()["browser"].status == "valid"


def test_an_expired_certificate_is_dropped_and_one_in_its_last_second_is_not():
    before = carried_out(BROWSER)
    end = before.issued[0].not_after
    removed = carried_out({}, before)
    assert statuses(carried_out({}, removed, now=end), "browser") == ["revoked"]
    assert carried_out({}, removed, now=end + timedelta(seconds=1)) == Register()


def test_a_renewal_after_expiry_leaves_the_new_certificate_alone():
    late = NOW + 2 * YEAR
    after = carried_out({"browser": request(since=late)}, carried_out(BROWSER), now=late)
    assert statuses(after, "browser") == ["valid"]


def test_another_key_of_the_ca_issues_all_anew_once(asked_for):
    before = carried_out({**BROWSER, "phone": request("phone", bundle_encoding="legacy")})
    requests = {**BROWSER, "phone": request("phone", bundle_encoding="modern")}
    after = carried_out(requests, before, now=LATER, rekeyed=True)
    assert len(asked_for) == 4
    for name in requests:
        assert statuses(after, name) == ["superseded", "valid"]
        assert after.bundles[name].certificate != before.bundles[name].certificate


def test_a_rekeyed_ca_revokes_a_removed_client_too():
    before = carried_out({**BROWSER, "phone": request("phone")})
    after = carried_out({"phone": request("phone")}, before, rekeyed=True)
    assert statuses(after, "browser") == ["revoked"]
    assert statuses(after, "phone") == ["superseded", "valid"]


def test_a_certificate_ends_with_its_ca_and_is_not_due_for_that():
    short = issuer(timedelta(days=90))
    register = carried_out(BROWSER, by=short)
    assert register.issued[0].not_after == short.certificate.not_valid_after_utc
    assert to_issue(register, BROWSER) == set()


def test_neither_a_request_nor_a_register_shows_secrets():
    register = carried_out({"browser": request(pass_phrase="correct horse")})
    bundle = register.bundles["browser"]
    shown = repr(register)
    assert "CN=browser" in shown
    assert "correct horse" not in shown
    assert "PRIVATE KEY" not in shown
    assert bundle.pkcs12[:40] not in shown
