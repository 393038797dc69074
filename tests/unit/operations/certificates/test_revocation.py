from __future__ import annotations

import pytest

from operations.certificates.revocation import changes
from operations.errors import OperationError

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
