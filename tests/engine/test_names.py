"""Names of the server and of clients by the real engine: further addresses, name constraints.

The tests of this file share one stack and run in order.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from components.pki import certificates, keys, name_constraints
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.windows import Window
from operations.verification import checks, probes
from operations.verification.identity import Identity, bundle_identity
from operations.verification.probes import Rejected
from tests.engine import leaks, tracebacks

pytestmark = pytest.mark.in_order

NAME = "slb-mutual-tls-test"
SERVER = {"domains": ["www.example.com"], "ip_addresses": ["192.0.2.10", "2001:db8::10"]}
SUBJECT = {"common_name": "Example Private CA"}
PHRASE = "of a client in the test"


def pki(kind: str) -> str:
    return f"pulumi-python:dynamic/pki:{kind}::{NAME}"


def constrained(**sides):
    return {"subject": SUBJECT, "name_constraints": sides}


@pytest.fixture(scope="module")
def deployed(engine):
    engine.configure(certificate_authority={"subject": SUBJECT}, server=SERVER)
    engine.up()
    return engine


def outputs_of(deployed):
    return deployed.outputs()


def request(found, identity):
    return probes.probe(probes.target_of(found), probes.stack_context(found), identity)


def stranger(deployed, email):
    """A client that the CA's key has signed without regard to its constraints."""
    found = outputs_of(deployed)
    resources = json.loads(deployed.state(show_secrets=True))["deployment"]["resources"]
    (held,) = (
        one["outputs"]["private_key"]
        for one in resources
        if one["type"].endswith(":CertificateAuthority")
    )
    ca_key = keys.load(json.loads(held["plaintext"]))
    assert leaks.SIGNATURE in held
    window = Window.opening(datetime.now(UTC), timedelta(days=1))
    free = certificates.issue_authority(found.ca.subject, ca_key, window)
    key = keys.generate(2048)
    subject = distinguished_name({"common_name": "stranger"})
    made = certificates.issue_client(Issuer(free, ca_key), subject, key.public_key(), window, email)
    # The free certificate of the CA goes along, as an attacker would have it.
    chain = certificates.pem(made) + certificates.pem(free)
    return Identity(chain, keys.encrypted_pkcs8(key, PHRASE), PHRASE)


def test_ranges_are_refused_before_anything_is_made_while_the_address_is_open(engine):
    engine.configure(
        certificate_authority=constrained(permitted={"ip_ranges": ["127.0.0.0/8"]}), server={}
    )
    text = engine.fail("preview")
    assert "the load balancer's address is not known before it exists" in text
    assert "bring the stack up without ip_ranges, and set them then" in text
    assert tracebacks.of_ours(text) == []


def test_the_server_is_known_by_every_name_and_address(deployed):
    found = outputs_of(deployed)
    assert list(found.server_names) == ["www.example.com", found.address, *SERVER["ip_addresses"]]
    held = checks.subject_alternative_names(found.server)
    assert held == ["www.example.com", found.address, *SERVER["ip_addresses"]]
    assert deployed.steps() == {}


def test_constraints_renew_the_ca_alone_and_everybody_goes_on(deployed):
    before = outputs_of(deployed)
    browser = bundle_identity(before.client_bundles["browser"])
    permitted = {
        "domains": ["example.com"],
        "email_domains": ["example.com"],
        "ip_ranges": [f"{before.address}/32", "192.0.2.0/24", "2001:db8::/32"],
    }
    deployed.configure(certificate_authority=constrained(permitted=permitted))
    steps = deployed.steps()
    assert steps[pki("CertificateAuthority")] == "update"
    untouched = {pki("CertificateRegister"), pki("ServerCertificate"), pki("RevocationList")}
    assert not untouched & steps.keys()
    assert "name constraints changed" in deployed.succeed("preview", "--diff")
    deployed.up()
    assert deployed.steps() == {}
    found = outputs_of(deployed)
    assert name_constraints.of(found.ca) is not None
    assert found.ca.public_key() == before.ca.public_key()
    assert found.clients == before.clients
    assert found.server == before.server
    assert request(found, browser).status == 200
    report = deployed.verify()
    assert report.passed, report.to_json()


def test_the_listener_refuses_what_the_constrained_ca_may_not_certify(deployed):
    found = outputs_of(deployed)
    assert request(found, stranger(deployed, "a@example.com")).status == 200
    # HAProxy does not go on with its page after this error: docs/hostile-clients.md.
    refused = request(found, stranger(deployed, "a@example.org"))
    assert refused == Rejected("certificate unknown")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"clients": {"browser": {"subject": {"email": "a@example.org"}}}},
            "clients.browser: the e-mail address a@example.org is outside of the CA's permitted "
            "e-mail domains (example.com)",
        ),
        (
            {"server": {"domains": ["www.example.org"]}},
            "server: the DNS name www.example.org is outside of the CA's permitted domains "
            "(example.com)",
        ),
        (
            {"clients": {"alice.smith": {}}},
            'clients["alice.smith"]: the common name alice.smith, which is read as a DNS name',
        ),
    ],
    ids=["e-mail", "server", "common name"],
)
def test_names_outside_are_refused_before_anything_happens(deployed, settings, sentence):
    text = deployed.refused(**settings)
    assert sentence in text
    assert "Traceback" not in text, text


def test_an_address_outside_is_refused_in_the_preview(deployed):
    permitted = {"domains": ["example.com"], "ip_ranges": ["192.0.2.0/24", "2001:db8::/32"]}
    deployed.configure(certificate_authority=constrained(permitted=permitted))
    text = deployed.fail("preview")
    address = outputs_of(deployed).address
    assert f"the IP address {address} is outside of the CA's permitted IP ranges" in text


def test_without_constraints_the_ca_is_renewed_once_more(deployed):
    before = outputs_of(deployed)
    deployed.configure(certificate_authority={"subject": SUBJECT})
    deployed.up()
    found = outputs_of(deployed)
    assert name_constraints.of(found.ca) is None
    assert found.ca.public_key() == before.ca.public_key()
    assert request(found, stranger(deployed, "a@example.org")).status == 200
    assert deployed.steps() == {}
