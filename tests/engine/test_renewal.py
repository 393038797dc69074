"""Renewal under load: nobody with a good certificate notices, and nobody else gets in.

The tests of this file share one stack and run in order.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from cryptography import x509

from benchmarks.streams import Visitor, list_strangers, run_streams, wait_until_served
from components.pki import certificates
from operations.certificates.inventory import list_certificates
from operations.verification import probes
from operations.verification.identity import bundle_identity

pytestmark = pytest.mark.in_order

NAME = "slb-mutual-tls-test"
CA = f"pulumi-python:dynamic/pki:CertificateAuthority::{NAME}"
SERVER = f"pulumi-python:dynamic/pki:ServerCertificate::{NAME}"
REGISTER = f"pulumi-python:dynamic/pki:CertificateRegister::{NAME}"
LIST = f"pulumi-python:dynamic/pki:RevocationList::{NAME}"
LISTENER = f"alicloud:slb/listener:Listener::{NAME}"


def under_load(found):
    """Requests by a client and by strangers, while the block runs."""
    browser = bundle_identity(found.client_bundles["browser"])
    client = Visitor(probes.target_of(found), found.ca_certificate, browser, pause=0.02)
    return run_streams({"client": client, **list_strangers(found)})


def test_the_server_certificate_is_renewed_without_losing_a_request(deployed):
    found = deployed.outputs()
    wait_until_served(found)
    deployed.configure(server={"validity": "200d"})
    steps = deployed.steps()
    assert steps[SERVER] == "update"
    assert steps[LISTENER] == "update"
    assert REGISTER not in steps
    assert CA not in steps
    with under_load(found) as seen:
        deployed.up()
    after = deployed.outputs()
    assert after.server_certificate != found.server_certificate
    client = seen.pop("client")
    assert client.failed == 0, client
    assert client.passed > 50
    assert all(stranger.outcomes.keys() == {"400"} for stranger in seen.values()), seen


def test_the_ca_is_renewed_with_its_key_and_no_client_notices(deployed):
    found = deployed.outputs()
    authority = {**deployed.values["config"]["slb-mutual-tls:certificate_authority"]}
    deployed.configure(certificate_authority={**authority, "validity": "4000d"})
    steps = deployed.steps()
    assert steps[CA] == "update"
    assert REGISTER not in steps
    assert SERVER not in steps
    with under_load(found) as seen:
        deployed.up()
    after = deployed.outputs()
    assert after.ca_certificate != found.ca_certificate
    assert after.ca.public_key() == found.ca.public_key()
    assert after.clients == found.clients
    client = seen.pop("client")
    assert client.failed == 0, client
    assert client.passed > 50
    assert all(stranger.outcomes.keys() == {"400"} for stranger in seen.values()), seen


def test_what_ca_and_server_had_before_is_in_the_inventory(deployed):
    items = list_certificates(deployed.outputs(), datetime.now(UTC))
    states = [(item.name, item.state) for item in items if item.role in {"ca", "server"}]
    now, before = [("CA", "valid"), ("server", "valid")], [("server", "superseded")]
    assert states == [*now, *before, ("CA", "superseded")]


def test_nothing_is_left_to_do(deployed):
    assert deployed.steps() == {}


def test_a_changed_window_alone_issues_nothing(deployed):
    deployed.configure(server={"validity": "200d", "renew_before": "40d"})
    before = deployed.stack.outputs()
    deployed.up()
    after = deployed.stack.outputs()
    assert after["server_certificate"] == before["server_certificate"]
    assert after["renewal"]["server"] == "40d"


def test_a_ca_that_is_replaced_on_request_shows_what_else_is_issued_anew(deployed):
    before = deployed.outputs()
    (urn,) = re.findall(rf'"(urn:[^"]*{re.escape(CA)})"', deployed.state())[:1]
    steps = deployed.steps("--replace", urn)
    assert steps[CA] == "replace"
    assert {steps[SERVER], steps[REGISTER], steps[LIST]} == {"update"}
    deployed.succeed("up", "--yes", "--replace", urn)
    after = deployed.outputs()
    assert after.ca.public_key() != before.ca.public_key()
    revoked = x509.load_pem_x509_crl(after.certificate_revocation_list.encode())
    assert revoked.is_signature_valid(after.ca.public_key())
    for name in after.client_bundles:
        leaf = certificates.load(after.client_bundles[name].certificate)
        leaf.verify_directly_issued_by(after.ca)
    assert deployed.steps() == {}
