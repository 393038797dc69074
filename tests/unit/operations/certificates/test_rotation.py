"""The steps of a rotation, and which certificates it would leave behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from components.pki import certificates, keys
from components.pki.names import distinguished_name
from components.pki.register import IssuedCertificate
from components.pki.windows import Window
from operations.certificates import rotation
from operations.certificates.rotation import revocation_changes as revocations
from operations.errors import OperationError
from operations.outputs import parse

NOW = datetime(2026, 3, 14, tzinfo=UTC)
AUTHORITY = "slb-mutual-tls:certificate_authority"
PREPARED = {"config": {AUTHORITY: {"generation": 3, "next_generation": 4}}}


def test_a_rotation_is_prepared_from_any_generation():
    assert rotation.rotation_changes({}, "prepare") == {f"{AUTHORITY}.next_generation": 2}
    values = {"config": {AUTHORITY: {"generation": 3}}}
    assert rotation.rotation_changes(values, "prepare") == {f"{AUTHORITY}.next_generation": 4}


def test_it_is_completed_or_given_up():
    assert rotation.rotation_changes(PREPARED, "complete") == {
        f"{AUTHORITY}.generation": 4,
        f"{AUTHORITY}.next_generation": None,
    }
    assert rotation.rotation_changes(PREPARED, "abort") == {f"{AUTHORITY}.next_generation": None}


@pytest.mark.parametrize(
    ("values", "step", "sentence"),
    [
        (PREPARED, "prepare", "A rotation to generation 4 is prepared already"),
        ({}, "complete", "No rotation is prepared, so there is none to complete"),
        ({"config": {AUTHORITY: None}}, "abort", "so there is none to abort"),
    ],
)
def test_a_step_at_the_wrong_time_is_refused(values, step, sentence):
    with pytest.raises(OperationError, match=sentence):
        rotation.rotation_changes(values, step)


def test_a_revocation_while_one_is_prepared_passes_over_the_prepared_key():
    values = {"config": {**PREPARED["config"], "slb-mutual-tls:clients": {"partner": {}}}}
    wanted = revocations(values, "partner", "keyCompromise")
    assert wanted[f"{AUTHORITY}.generation"] == 5
    assert wanted[f"{AUTHORITY}.next_generation"] is None


def issued(name, signer, **changes):
    return IssuedCertificate(
        **{
            "name": name,
            "serial_number": f"0{len(name)}",
            "fingerprint_sha256": "",
            "subject": f"CN={name}",
            "not_before": None,
            "not_after": NOW + timedelta(days=1),
            "status": "valid",
            "authority_key_id": signer,
            **changes,
        }
    )


@pytest.fixture(scope="module")
def following():
    """The prepared CA's certificate."""
    window = Window(NOW, NOW + timedelta(days=10))
    key = keys.generate(2048)
    return certificates.issue_authority(distinguished_name({"common_name": "CA G2"}), key, window)


def test_what_has_no_successor_is_left_behind(following, document):
    new = certificates.key_identifier(following).digest.hex()
    found = parse(document()).model_copy(
        update={
            "next_ca_certificate": certificates.pem(following),
            # A server's certificate stands in an index of `openssl ca` as a client's does.
            "server_names": ("www.example.com",),
            "issued": (
                issued("browser", "old", status="superseded"),
                issued("browser", new),
                issued("partner", "old", status="revoked"),
                issued("expired", "old", not_after=NOW - timedelta(days=1)),
                issued("imported", "old", imported=True),
                issued("www.example.com", "old", imported=True),
                issued("unsaid", ""),
            ),
        }
    )
    behind = rotation.find_left_behind(found, NOW)
    assert [entry.name for entry in behind] == ["imported", "unsaid"]
    assert rotation.list_entries(behind) == "imported (08), unsaid (06)"
    assert (
        rotation.find_left_behind(found.model_copy(update={"next_ca_certificate": ""}), NOW) == []
    )
