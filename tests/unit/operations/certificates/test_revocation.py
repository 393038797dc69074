from __future__ import annotations

import pytest

from operations.certificates.revocation import changes, cut_off
from operations.errors import OperationError
from operations.outputs import parse
from operations.verification.identity import of_bundle

VALUES = {
    "config": {
        "slb-mutual-tls:clients": {
            "browser": {},
            "partner": None,
            "left": {"revoked": "superseded"},
        }
    }
}


def test_a_client_is_revoked_and_the_ca_gets_another_key():
    assert changes(VALUES, "partner", "keyCompromise") == {
        'slb-mutual-tls:clients["partner"].revoked': "keyCompromise",
        "slb-mutual-tls:certificate_authority.generation": 2,
    }


def test_generations_go_on_from_the_present_one():
    authority = {"slb-mutual-tls:certificate_authority": {"generation": 4}}
    values = {"config": {**VALUES["config"], **authority}}
    wanted = changes(values, "browser", "keyCompromise")
    assert wanted["slb-mutual-tls:certificate_authority.generation"] == 5


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody", "has no client 'nobody'; it has browser, left, partner"),
        ("left", r"Client left is revoked already \(superseded\)"),
    ],
)
def test_who_cannot_be_revoked_is_told_why(name, sentence):
    with pytest.raises(OperationError, match=sentence):
        changes(VALUES, name, "keyCompromise")


def test_a_client_that_still_gets_in_is_not_cut_off(document, serve, listener):
    found = parse(document(serve(listener()).port))
    check = cut_off(found, "partner", of_bundle(found.client_bundles["partner"]))
    assert check.title == "What partner had is refused"
    assert check.status == "failed"


def test_what_a_client_had_of_another_ca_is_refused(document, serve, listener, pki):
    found = parse(document(serve(listener(client_ca=pki.server)).port))
    leaver = of_bundle(found.client_bundles["partner"])
    assert cut_off(found, "partner", leaver).status == "passed"
