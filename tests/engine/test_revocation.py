"""A client leaves, by the real engine: what that does, what it does not, and what does.

The tests of this file share one stack and run in order.
"""

from __future__ import annotations

import pytest
from cryptography import x509

from operations.verification import probes
from operations.verification.identity import bundle_identity
from tests.engine import tracebacks
from tests.hostile.visitor import WAYS, ReturningVisitor

pytestmark = pytest.mark.in_order

NAME = "slb-mutual-tls-test"
BOTH = {"browser": {}, "partner": {}}
PARTNER_REVOKED = {"browser": {}, "partner": {"revoked": "keyCompromise"}}


def pki(kind: str) -> str:
    return f"pulumi-python:dynamic/pki:{kind}::{NAME}"


@pytest.fixture(scope="module")
def leaver(deployed):
    """The certificate and key that the partner goes away with."""
    return bundle_identity(deployed.outputs().client_bundles["partner"])


def request(found, identity):
    return probes.probe(probes.target_of(found), probes.stack_context(found), identity)


def revoked_serials(found) -> list[int]:
    listed = x509.load_pem_x509_crl(found.certificate_revocation_list.encode())
    assert listed.is_signature_valid(found.ca.public_key())
    return [entry.serial_number for entry in listed]


def test_an_added_client_touches_nobody_else(deployed):
    before = deployed.stack.outputs()["clients"]
    deployed.configure(clients={**BOTH, "auditor": {}})
    assert deployed.steps() == {pki("CertificateRegister"): "update"}
    deployed.up()
    after = deployed.stack.outputs()["clients"]
    assert {name: after[name] for name in before} == before
    assert after["auditor"]["status"] == "valid"
    deployed.configure(clients=BOTH)
    deployed.up()


def test_a_misspelt_name_revokes_nobody_in_silence(deployed):
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        deployed.configure(clients={**BOTH, "partnr": {"revoked": "keyCompromise"}})
        said = deployed.fail(*command)
        assert "clients.partnr is revoked, and there is no client of that name" in said
        assert "did you mean partner?" in said
        assert tracebacks.of_ours(said) == []
    deployed.configure(clients=BOTH)
    assert deployed.steps() == {}


def test_a_revoked_client_is_on_the_list_and_is_still_let_in(deployed, leaver):
    deployed.configure(clients=PARTNER_REVOKED)
    assert deployed.steps() == {
        pki("CertificateRegister"): "update",
        pki("RevocationList"): "update",
    }
    deployed.up()
    assert deployed.steps() == {}
    found = deployed.outputs()
    serial = int(found.clients["partner"].serial_number, 16)
    assert found.clients["partner"].status == "revoked"
    assert "partner" not in found.client_bundles
    assert serial in revoked_serials(found)
    reasons = {one.name: one.reason for one in found.issued if one.status == "revoked"}
    assert reasons == {"auditor": "cessationOfOperation", "partner": "keyCompromise"}
    # CLB reads no revocation list. This is why README says what does cut a client off.
    assert request(found, leaver).status == 200


def test_another_generation_of_the_ca_cuts_it_off(deployed, leaver):
    address = deployed.outputs()
    returning = {way: ReturningVisitor(leaver.load_into, way) for way in WAYS}
    for way, visitor in returning.items():
        assert visitor.visit(address) == (200, False), way
    deployed.configure(certificate_authority={"generation": 2})
    steps = deployed.steps()
    assert steps[pki("CertificateAuthority")] == "replace"
    assert steps[f"alicloud:slb/listener:Listener::{NAME}"] == "update"
    deployed.up()
    assert deployed.steps() == {}
    found = deployed.outputs()
    assert request(found, leaver).status == 400
    for way, visitor in returning.items():
        assert visitor.visit(address) == (400, False), way
    report = deployed.verify()
    assert report.passed, report.to_json()
