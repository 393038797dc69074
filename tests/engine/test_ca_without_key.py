"""A CA whose key stays elsewhere: its certificate alone, and clients that it issued itself.

Later the key is given, and taken away again. The tests of this file share one stack and run in
order.
"""

from __future__ import annotations

import json
import re

import pytest
from cryptography import x509

from components.pki import certificates, keys
from components.pki.windows import Window
from operations.certificates import rotation
from operations.verification.probes import is_success
from tests.engine.holders import outcome, set_secret
from tests.engine.tutorial_ca import TutorialCA

pytestmark = pytest.mark.in_order

CA, REGISTER, LIST = (
    f"pulumi-python:dynamic/pki:{kind}::slb-mutual-tls-test"
    for kind in ("CertificateAuthority", "CertificateRegister", "RevocationList")
)


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    made = TutorialCA(tmp_path_factory.mktemp("ca"))
    made.openssl(
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=www.example.com -days 365 "
        "-keyout server.key -out server.crt"
    )
    return made


def configure(engine, tutorial, clients, *, key=False, **authority):
    """Set the CA with or without its key, and the server's certificate."""
    engine.configure(
        # It is valid for a year, so that it is not due.
        certificate_authority={
            "certificate": tutorial.read("private/ca.crt"),
            "validity": "365d",
            "renew_before": "30d",
            **authority,
        },
        server={"certificate": tutorial.read("server.crt")},
        clients=clients,
        client_defaults={"validity": "30d", "renew_before": "10d"},
    )
    set_secret(engine, "server.private_key", tutorial.read("server.key"))
    if key:
        set_secret(engine, "certificate_authority.private_key", tutorial.read("private/ca.key"))


@pytest.fixture(scope="module")
def client(tutorial):
    return {"client": {"certificate": tutorial.read("users/client.crt")}}


@pytest.fixture(scope="module")
def deployed(engine, tutorial, client):
    configure(engine, tutorial, client)
    engine.up()
    return engine


def ca_certificate_id(engine):
    resources = json.loads(engine.state())["deployment"]["resources"]
    (found,) = (one["id"] for one in resources if one["type"].endswith(":CaCertificate"))
    return found


def list_number(engine):
    (found,) = engine.outputs().revocation_lists
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def held(tutorial):
    return tutorial.read("users/client.crt"), tutorial.read("users/client.key")


def test_its_client_gets_through_and_nobody_without(deployed, tutorial, tmp_path):
    assert is_success(outcome(deployed, *held(tutorial), tmp_path))
    found = deployed.outputs()
    assert found.ca_certificate == tutorial.read("private/ca.crt")
    assert (found.certificate_revocation_list, found.expired_probe) == ("", None)
    assert found.client_bundles["client"].private_key is None
    assert found.clients["client"].serial_number == "face"


def test_a_second_up_changes_nothing(deployed):
    assert deployed.steps("--expect-no-changes") == {}


def test_a_client_that_would_have_to_be_issued_is_refused(deployed, tutorial, client):
    configure(deployed, tutorial, {**client, "browser": {}})
    text = deployed.fail("preview")
    assert "clients.browser is to be issued a certificate, and the CA's private_key is not" in text


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("ec -pkeyopt ec_paramgen_curve:P-256", "takes no other, elliptic curves neither"),
        ("rsa:3072", "has 3072 bits, a size that the load balancer does not take"),
    ],
)
def test_a_server_key_that_the_load_balancer_does_not_take_is_refused(
    deployed, tutorial, client, key, told
):
    tutorial.openssl(
        f"req -x509 -newkey {key} -nodes -subj /CN=www.example.com -days 365 "
        "-keyout other.key -out other.crt"
    )
    deployed.configure(server={"certificate": tutorial.read("other.crt")})
    set_secret(deployed, "server.private_key", tutorial.read("other.key"))
    try:
        text = deployed.fail("preview")
    finally:
        configure(deployed, tutorial, client)
    assert told in text
    assert "PRIVATE KEY" not in text


def test_a_certificate_of_certificate_management_service_is_referred_to(deployed, tutorial, client):
    deployed.configure(server={"alicloud_certificate_id": "1234567-cn-hangzhou"})
    try:
        text = deployed.succeed("preview", "--diff")
    finally:
        configure(deployed, tutorial, client)
    assert re.search(r'\+ alicloudCertificateId *: "1234567-cn-hangzhou"', text)
    assert "pki:ServerCertificate" not in text


def test_with_its_key_it_issues_and_the_rest_stays(deployed, tutorial, client, tmp_path):
    before = deployed.outputs()
    request = tutorial.request("own", "/CN=own")
    clients = {**client, "own": {"signing_request": request}}
    configure(deployed, tutorial, clients, key=True)
    uploaded = ca_certificate_id(deployed)
    assert deployed.steps() == {CA: "update", REGISTER: "update", LIST: "update"}
    deployed.up()
    assert ca_certificate_id(deployed) == uploaded
    assert deployed.steps() == {}
    found = deployed.outputs()
    assert found.ca_certificate == before.ca_certificate
    assert found.clients["client"] == before.clients["client"]
    assert found.expired_probe is not None
    assert list_number(deployed) == 1
    assert is_success(outcome(deployed, *held(tutorial), tmp_path))
    own = found.client_bundles["own"].certificate, tutorial.read("users/own.key")
    assert is_success(outcome(deployed, *own, tmp_path))


def test_a_client_that_it_issued_itself_has_no_successor_in_a_rotation(deployed):
    found = deployed.outputs()
    another = certificates.issue_authority(
        found.ca.subject, keys.generate(2048), Window.of_certificate(found.ca)
    )
    following = found.model_copy(update={"next_ca_certificate": certificates.pem(another)})
    now = found.ca.not_valid_before_utc
    behind = [entry.name for entry in rotation.find_left_behind(following, now)]
    assert behind == ["client", "own"]


def test_its_key_leaves_the_state_with_the_configuration(deployed, tutorial, client):
    body = "".join(tutorial.read("private/ca.key").split("\n")[1:-2])
    assert body[:60] in deployed.state(show_secrets=True).replace("\\n", "")
    configure(deployed, tutorial, client)
    assert deployed.steps() == {CA: "update", REGISTER: "update", LIST: "update"}
    deployed.up()
    assert body[:60] not in deployed.state(show_secrets=True).replace("\\n", "")
    assert deployed.outputs().certificate_revocation_list == ""
    assert deployed.steps() == {}


def test_given_once_more_its_key_goes_on_with_the_numbers_of_the_lists(deployed, tutorial, client):
    configure(deployed, tutorial, client, key=True)
    assert deployed.steps() == {CA: "update", LIST: "update"}
    deployed.up()
    assert list_number(deployed) == 2
    assert deployed.steps() == {}


def test_a_client_entered_in_a_rotation_is_handed_the_ca_that_signed_it(deployed, tutorial, client):
    configure(deployed, tutorial, {}, key=True)
    deployed.up()
    configure(deployed, tutorial, client, key=True, next_generation=2)
    deployed.up()
    found = deployed.outputs()
    assert found.client_bundles["client"].chain == found.ca_certificate
    assert deployed.steps() == {}
