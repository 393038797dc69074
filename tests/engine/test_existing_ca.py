"""The tutorial's CA goes on under the program; a client that keeps its key gets a certificate."""

from __future__ import annotations

import pytest
from cryptography import x509

from operations.verification import checks, probes
from operations.verification.probes import is_success
from tests.engine.holders import outcome, set_secret
from tests.engine.tutorial_ca import TutorialCA

pytestmark = pytest.mark.in_order


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    return TutorialCA(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def adopted(engine, tutorial):
    """A stack that has taken over the CA, with one client of each kind."""
    request = tutorial.request("own", "/CN=what the request says")
    engine.configure(
        certificate_authority={
            "certificate": tutorial.read("private/ca.crt"),
            "index": tutorial.read("index.txt"),
        },
        clients={"browser": {}, "own": {"signing_request": request}},
    )
    set_secret(engine, "certificate_authority.private_key", tutorial.read("private/ca.key"))
    engine.up()
    return engine


def test_what_it_has_issued_goes_on_working(adopted, tutorial, tmp_path):
    client = tutorial.read("users/client.crt"), tutorial.read("users/client.key")
    assert is_success(outcome(adopted, *client, tmp_path))


def test_its_certificate_is_as_it_was_though_less_is_left_of_it_than_renew_before(
    adopted, tutorial
):
    assert adopted.outputs().ca_certificate == tutorial.read("private/ca.crt")


def test_what_it_has_issued_is_in_the_register_and_on_the_list(adopted):
    found = adopted.outputs()
    known = {(one.name, one.serial_number, one.status) for one in found.issued if one.imported}
    assert known == {("client", "face", "valid"), ("leaver", "facf", "revoked")}
    listed = x509.load_pem_x509_crl(found.certificate_revocation_list.encode())
    (entry,) = listed
    assert entry.serial_number == 0xFACF
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.key_compromise


def test_a_client_with_its_own_key_gets_through_and_its_key_is_nowhere(adopted, tutorial, tmp_path):
    bundle = adopted.outputs().client_bundles["own"]
    assert bundle.private_key is None
    key = tutorial.read("users/own.key")
    assert is_success(outcome(adopted, bundle.certificate, key, tmp_path))
    certificate = x509.load_pem_x509_certificate(bundle.certificate.encode())
    assert certificate.subject.rfc4514_string() == (
        "CN=own,OU=Platform,O=Example Ltd,ST=Zhejiang,C=CN"
    )
    body = "".join(key.split("\n")[1:-2])
    state = adopted.state(show_secrets=True).replace("\\n", "")
    assert body[:200] not in state


def test_the_cas_key_is_not_in_the_clear(adopted, tutorial):
    body = tutorial.read("private/ca.key").split("\n")[1:-2]
    shown = adopted.state() + adopted.succeed("preview", "--diff")
    assert not [line for line in body if line in shown]


def test_a_second_up_changes_nothing(adopted):
    assert adopted.steps("--expect-no-changes") == {}


def test_what_it_has_issued_is_revoked_by_name(adopted, tutorial):
    clients = adopted.values["config"]["slb-mutual-tls:clients"]
    adopted.configure(clients={**clients, "client": {"revoked": "affiliationChanged"}})
    set_secret(adopted, "certificate_authority.private_key", tutorial.read("private/ca.key"))
    steps = adopted.steps()
    assert set(steps.values()) == {"update"}
    adopted.up()
    found = adopted.outputs()
    statuses = {one.serial_number: one.status for one in found.issued if one.imported}
    assert statuses == {"face": "revoked", "facf": "revoked"}
    listed = x509.load_pem_x509_crl(found.certificate_revocation_list.encode())
    assert {entry.serial_number for entry in listed} == {0xFACE, 0xFACF}


def test_what_it_has_issued_goes_on_working_when_it_is_renewed(adopted, tutorial, tmp_path):
    own = adopted.values["config"]["slb-mutual-tls:certificate_authority"]
    adopted.configure(certificate_authority={**own, "validity": "3000d"})
    set_secret(adopted, "certificate_authority.private_key", tutorial.read("private/ca.key"))
    adopted.up()
    before = x509.load_pem_x509_certificate(tutorial.read("private/ca.crt").encode())
    after = adopted.outputs().ca
    assert after.not_valid_after_utc > before.not_valid_after_utc
    assert (after.subject, after.serial_number) == (before.subject, before.serial_number)
    client = tutorial.read("users/client.crt"), tutorial.read("users/client.key")
    assert is_success(outcome(adopted, *client, tmp_path))


def test_the_connection_is_mutual(adopted):
    found = adopted.outputs()
    answer = probes.probe(probes.target_of(found), probes.stack_context(found), None)
    assert checks.judge_refusal(answer, clients_get_through=True).status == "passed"


def rotated(adopted, tutorial, **authority):
    """Take a step of a rotation, as the preview says."""
    own = adopted.values["config"]["slb-mutual-tls:certificate_authority"]
    own = {name: value for name, value in own.items() if "generation" not in name}
    adopted.configure(certificate_authority={**own, **authority})
    set_secret(adopted, "certificate_authority.private_key", tutorial.read("private/ca.key"))
    steps = adopted.steps()
    adopted.up()
    assert adopted.steps() == {}
    return {name.split(":")[-3]: operation for name, operation in steps.items()}


def test_its_clients_and_those_of_the_next_ca_get_through_until_it_is_rotated(
    adopted, tutorial, tmp_path
):
    before, key = adopted.outputs(), tutorial.read("users/own.key")
    old = tutorial.read("users/client.crt"), tutorial.read("users/client.key")
    steps = rotated(adopted, tutorial, next_generation=2)
    assert "ServerCertificate" not in steps
    between = adopted.outputs()
    assert between.ca.public_key() == before.ca.public_key()
    own = between.client_bundles["own"]
    assert own.certificate != before.client_bundles["own"].certificate
    assert is_success(outcome(adopted, *old, tmp_path))
    assert is_success(outcome(adopted, own.certificate + own.chain, key, tmp_path))
    # What index.txt said stays under the key that signed it.
    by_present, by_next = between.revocation_lists
    assert {entry.serial_number for entry in by_present} == {0xFACE, 0xFACF}
    assert list(by_next) == []

    steps = rotated(adopted, tutorial, generation=2)
    assert "CertificateRegister" not in steps
    after = adopted.outputs()
    assert after.client_bundles == between.client_bundles
    assert after.ca_certificate == between.next_ca_certificate
    assert is_success(outcome(adopted, own.certificate + own.chain, key, tmp_path))
    assert outcome(adopted, *old, tmp_path).status == 400


def test_once_rotated_it_is_needed_no_more(adopted):
    own = adopted.values["config"]["slb-mutual-tls:certificate_authority"]
    needed = {name: own[name] for name in ("certificate", "validity")}
    adopted.configure(certificate_authority={**needed, "generation": 2})
    assert adopted.steps() == {}
