from __future__ import annotations

import pytest

from operations.certificates.rotation import check_cut_off, find_client, revocation_changes
from operations.errors import OperationError
from operations.outputs import parse
from operations.verification.identity import bundle_identity

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
    assert revocation_changes(VALUES, "partner", "keyCompromise") == {
        'slb-mutual-tls:clients["partner"].revoked': "keyCompromise",
        "slb-mutual-tls:certificate_authority.generation": 2,
    }


def test_generations_go_on_from_the_present_one():
    authority = {"slb-mutual-tls:certificate_authority": {"generation": 4}}
    values = {"config": {**VALUES["config"], **authority}}
    wanted = revocation_changes(values, "browser", "keyCompromise")
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
        revocation_changes(VALUES, name, "keyCompromise")


def test_a_client_that_still_gets_in_is_not_cut_off(document, serve, listener):
    found = parse(document(serve(listener()).port))
    check = check_cut_off(found, "partner", bundle_identity(found.client_bundles["partner"]))
    assert check.title == "What partner had is refused"
    assert check.status == "failed"


def test_what_a_client_had_of_another_ca_is_refused(document, serve, listener, pki):
    found = parse(document(serve(listener(client_ca=pki.server)).port))
    leaver = bundle_identity(found.client_bundles["partner"])
    assert check_cut_off(found, "partner", leaver).status == "passed"


def test_a_serial_number_names_its_client_in_small_letters_and_capitals(document):
    def issued(name, serial, **more):
        return {
            "name": name,
            "serial_number": serial,
            "fingerprint_sha256": "",
            "subject": f"CN={name}",
            "not_after": "2099-01-01T00:00:00Z",
            "status": "valid",
            **more,
        }

    entries = [issued("partner", "0a1b"), issued("phone", "0a1c", imported=True)]
    found = parse(document(issued=entries))
    assert find_client(VALUES, found, "browser") == ("browser", False)
    assert find_client(VALUES, found, "0A1B") == ("partner", False)
    for meant in ("0A1C", "0a1c", "phone"):
        assert find_client(VALUES, found, meant) == ("0a1c", True)
    assert find_client(VALUES, found, "nobody") == ("nobody", False)
    wanted = revocation_changes(VALUES, "0a1c", "keyCompromise", imported=True)
    assert wanted['slb-mutual-tls:clients["0a1c"].revoked'] == "keyCompromise"


def test_what_a_client_with_a_key_of_its_own_had_cannot_be_tried(document):
    check = check_cut_off(parse(document()), "partner", None)
    assert (check.status, check.title) == ("skipped", "What partner had is refused")
