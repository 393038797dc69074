"""Rotation step by step, under load: what each plans and does, and whom it lets in.

`test_rotating.py` has the same as a person runs it. The tests of this file share one stack and run
in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from cryptography import x509

from benchmarks.streams import Visitor, list_strangers, run_streams, wait_until_served
from components.pki import certificates
from operations.certificates.inventory import list_certificates
from operations.review import plan
from operations.stacks import environment
from operations.verification import probes
from operations.verification.identity import Identity, bundle_identity

pytestmark = pytest.mark.in_order

AUTHORITY = {
    "dynamic/pki:CertificateAuthority": "update",
    "dynamic/pki:CertificateRecord": "update",
    "dynamic/pki:RevocationList": "update",
    "slb/caCertificate:CaCertificate": "replace",
    "slb/listener:Listener": "update",
}
REGISTER = {"dynamic/pki:CertificateRegister": "update"}
SERVER = {
    "dynamic/pki:ServerCertificate": "update",
    "slb/serverCertificate:ServerCertificate": "replace",
}


@dataclass(frozen=True)
class Holder:
    """A client as it is after it was handed its bundle: what it shows, and whom it trusts."""

    identity: Identity
    anchors: str

    def context(self):
        return probes.anchored_context(self.anchors)


def holder(engine, name="browser"):
    found = engine.outputs()
    anchors = found.ca_certificate + found.next_ca_certificate
    return Holder(bundle_identity(found.client_bundles[name]), anchors)


def configure(engine, **changes):
    """Set keys of the CA beside those that `Pulumi.local.yaml` has."""
    own = environment.read_configuration("local")["config"]["slb-mutual-tls:certificate_authority"]
    engine.configure(certificate_authority={**own, **changes})


@pytest.fixture(scope="module")
def deployed(deployed):
    wait_until_served(deployed.outputs())
    return deployed


@pytest.fixture(scope="module")
def holders(deployed):
    """By the time at which they were handed their bundles."""
    return {"before": holder(deployed)}


@pytest.fixture
def take(deployed, tmp_path):
    """Takes a step under the requests of one holder and of strangers; returns what they saw."""

    def operated(command, *options):
        log = tmp_path / command
        variables = {"PULUMI_DEBUG_COMMANDS": "true"}
        deployed.succeed(command, "--event-log", str(log), *options, variables=variables)
        changes = plan.parse_plan(log.read_text(encoding="utf-8")).changes
        return {one.type.split(":", 1)[1]: one.operation for one in changes}

    def step(authority, expected, visitor):
        configure(deployed, **authority)
        planned = operated("preview")
        found = deployed.outputs()
        asking = Visitor(probes.target_of(found), visitor.anchors, visitor.identity, pause=0.02)
        with run_streams({"holder": asking, **list_strangers(found)}) as seen:
            done = operated("up", "--yes", "--skip-preview")
        assert done == planned
        assert planned == expected
        assert deployed.steps() == {}
        asked = seen.pop("holder")
        assert asked.requests > 50, asked
        assert all(stranger.outcomes.keys() == {"400"} for stranger in seen.values()), seen
        return set(asked.outcomes)

    return step


def on_record(found):
    """What the inventory has of CA and server beside what they have now, and its state."""
    items = list_certificates(found, datetime.now(UTC))
    now = {"CA": found.ca_certificate, "next CA": found.next_ca_certificate}
    now["server"] = found.server_certificate
    held = {certificates.serial_number(certificates.load(pem)) for pem in now.values() if pem}
    return [
        (item.name, item.state)
        for item in items
        if item.role in {"ca", "server"} and item.serial_number not in held
    ]


def gets_through(engine, one):
    return (
        probes.probe(probes.target_of(engine.outputs()), one.context(), one.identity).status == 200
    )


def test_preparing_loses_no_request_of_those_who_have_their_old_bundles(deployed, holders, take):
    expected = {**AUTHORITY, **REGISTER}
    before = deployed.outputs()
    assert take({"next_generation": 2}, expected, holders["before"]) == {"200"}
    after = deployed.outputs()
    assert after.ca.public_key() == before.ca.public_key()
    assert after.server_certificate == before.server_certificate
    for name, bundle in after.client_bundles.items():
        assert bundle.certificate != before.client_bundles[name].certificate
    holders["between"] = holder(deployed)
    assert gets_through(deployed, holders["before"])
    assert gets_through(deployed, holders["between"])


def test_both_keys_have_a_list_in_between(deployed):
    found = deployed.outputs()
    following = x509.load_pem_x509_certificate(found.next_ca_certificate.encode())
    by_present, by_next = found.revocation_lists
    assert by_present.is_signature_valid(found.ca.public_key())
    assert by_next.is_signature_valid(following.public_key())


def test_the_next_key_is_a_secret(deployed):
    assert "PRIVATE KEY" not in deployed.state()
    assert "PRIVATE KEY" not in deployed.succeed("preview", "--diff")


def test_completing_loses_no_request_of_those_who_have_their_new_bundles(deployed, holders, take):
    before = deployed.outputs()
    expected = {**AUTHORITY, **SERVER}
    assert take({"generation": 2}, expected, holders["between"]) == {"200"}
    after = deployed.outputs()
    assert after.ca_certificate == before.next_ca_certificate
    assert after.next_ca_certificate == ""
    # The CA's first, the one that preparing gave it, and the next one's from it; the server's.
    assert on_record(before) == [("CA", "superseded"), ("next CA, signed by the CA", "valid")]
    assert on_record(after) == [
        ("CA", "superseded"),
        ("CA", "superseded"),
        ("next CA, signed by the CA", "superseded"),
        ("server", "superseded"),
    ]
    assert after.clients == before.clients
    assert after.client_bundles == before.client_bundles
    assert gets_through(deployed, holders["between"])
    refused = Holder(holders["before"].identity, after.ca_certificate)
    assert not gets_through(deployed, refused)


def test_a_client_of_later_comes_from_the_completed_ca(deployed):
    clients = {"browser": {}, "partner": {}}
    deployed.configure(clients={**clients, "auditor": {}})
    deployed.up()
    bundle = deployed.outputs().client_bundles["auditor"]
    assert bundle.chain == deployed.outputs().ca_certificate
    assert gets_through(deployed, holder(deployed, "auditor"))


def test_a_preview_tells_why_each_certificate_is_issued(deployed):
    configure(deployed, generation=2, next_generation=3)
    text = deployed.succeed("preview", "--diff")
    reasons = [line for line in text.splitlines() if "issued_because" in line]
    # Of three clients, of whom one is new, and of the list.
    assert len(reasons) == 4
    assert all(line.rstrip().endswith("CA's key changed\"") for line in reasons), reasons


def test_giving_a_rotation_up_loses_no_request_of_those_who_never_changed(deployed, holders, take):
    expected = {**AUTHORITY, **REGISTER}
    kept = holders["between"]
    prepared = {"generation": 2, "next_generation": 3}
    assert take(prepared, expected, kept) == {"200"}
    given = holder(deployed)
    assert gets_through(deployed, given)
    assert take({"generation": 2}, expected, kept) == {"200"}
    assert not gets_through(deployed, given)
    assert gets_through(deployed, kept)
    assert gets_through(deployed, holder(deployed))


def test_the_cas_subject_stays_while_a_rotation_is_under_way(deployed):
    configure(deployed, generation=2, next_generation=3, subject={"common_name": "Another CA"})
    text = deployed.fail("preview")
    assert "a rotation in two steps keeps the present CA until it is complete, but subject" in text
    configure(deployed, generation=2)
    assert deployed.steps() == {}


def test_the_cas_own_certificates_allow_no_more_than_they_have_to(deployed):
    assert not certificates.allows_below(deployed.outputs().ca, 1)
