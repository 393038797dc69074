"""A client that keeps its certificate gets it in another bundle, and the same key with it."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from components.pki import certificates
from components.pki.register import to_bundle, to_issue
from tests.unit.components.pki.material import issuer
from tests.unit.components.pki.requests import BROWSER, LATER, carried_out, request, the_key

pytestmark = pytest.mark.usefixtures("asked_for")

REBUNDLED = {
    "encoding": {"bundle_encoding": "legacy"},
    "pass phrase": {"pass_phrase": "correct horse"},
    "both": {"bundle_encoding": "legacy", "pass_phrase": "correct horse"},
}


@pytest.mark.parametrize("change", REBUNDLED)
def test_another_bundle_keeps_certificate_key_and_entry(change, asked_for):
    before = carried_out(BROWSER)
    requests = {"browser": replace(BROWSER["browser"], **REBUNDLED[change])}
    assert (to_issue(before, requests), to_bundle(before, requests)) == (set(), {"browser"})
    after = carried_out(requests, before, now=LATER)
    old, new = before.bundles["browser"], after.bundles["browser"]
    assert new.pkcs12 != old.pkcs12
    assert (new.certificate, new.chain) == (old.certificate, old.chain)
    assert the_key(new) == the_key(old)
    assert new.pass_phrase == REBUNDLED[change].get("pass_phrase", old.pass_phrase)
    opened = pkcs12.load_pkcs12(base64.b64decode(new.pkcs12), new.pass_phrase.encode())
    assert opened.key.private_numbers() == the_key(old)
    assert after.issued == before.issued
    assert len(asked_for) == 1
    assert to_bundle(after, requests) == set()


def test_a_pass_phrase_no_longer_asked_for_is_kept():
    before = carried_out({"browser": request(pass_phrase="correct horse")})
    assert to_bundle(before, BROWSER) == set()
    assert carried_out(BROWSER, before).bundles == before.bundles


def test_a_renewed_certificate_comes_with_another_pass_phrase_unless_one_is_configured():
    before = carried_out({**BROWSER, "phone": request("phone", pass_phrase="correct horse")})
    requests = {
        "browser": request(since=LATER),
        "phone": request("phone", since=LATER, pass_phrase="correct horse"),
    }
    after = carried_out(requests, before, now=LATER)
    assert after.bundles["browser"].pass_phrase != before.bundles["browser"].pass_phrase
    assert after.bundles["phone"].pass_phrase == "correct horse"


def test_a_bundle_made_anew_has_the_ca_of_its_time():
    before = carried_out(BROWSER)
    requests = {"browser": replace(BROWSER["browser"], bundle_encoding="legacy")}
    after = carried_out(requests, before, by=issuer(since=LATER), now=LATER)
    assert after.bundles["browser"].chain == certificates.pem(issuer().certificate)
