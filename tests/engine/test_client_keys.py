"""Clients with keys of every kind, on one stack, under every TLS policy that CLB has.

The tests of this file share the stack and run in order.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from benchmarks.streams import wait_until_served
from components.pki import keys
from operations.certificates.inventory import list_certificates
from operations.verification import probes
from operations.verification.identity import Identity, bundle_identity
from operations.verification.probes import OLD_VERSIONS, ProbeTarget, is_success, restrict_to

pytestmark = pytest.mark.in_order

PHRASE = "a phrase of the test"
OWN = {"gateway": keys.Ecdsa("P-521"), "meter": keys.Rsa(3072)}
"""Clients that keep their keys to themselves."""

MADE = {
    "browser": "RSA 2048",
    "partner": "ECDSA P-256",
    "phone": "ECDSA P-384",
    "desk": "RSA 3072",
}
POLICIES = ("1_0", "1_1", "1_2", "1_2_strict")
"""Beside the main listener's, each with a listener of its own."""

VERSIONS = {
    "listener": ("TLSv1.2", "TLSv1.3"),
    "1_0": ("TLS 1.0", "TLS 1.1", "TLSv1.2"),
    "1_1": ("TLS 1.1", "TLSv1.2"),
    "1_2": ("TLSv1.2",),
    "1_2_strict": ("TLSv1.2",),
}


def signing_request(key) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.fixture(scope="module")
def own():
    """The keys that this stack never gets."""
    return {name: kind.generate() for name, kind in OWN.items()}


@pytest.fixture(scope="module")
def mixed(deployed, own):
    """The stack with all of them, and what the preview said of it."""
    deployed.configure(
        clients={
            "browser": {},
            "partner": {"key_algorithm": "ECDSA"},
            "phone": {"key_algorithm": "ECDSA", "key_curve": "P-384", "bundle_encoding": "legacy"},
            "desk": {"key_bits": 3072},
            **{name: {"signing_request": signing_request(key)} for name, key in own.items()},
        },
        additional_listeners={
            policy: {"port": 9000 + place, "tls_cipher_policy": f"tls_cipher_policy_{policy}"}
            for place, policy in enumerate(POLICIES)
        },
    )
    shown = json.loads(deployed.succeed("preview", "--json"))
    deployed.up()
    found = deployed.outputs()
    wait_until_served(found, *(one.port for one in found.listeners[1:]))
    return shown, found


def identities(found, own):
    """What each client shows."""
    held = {name: bundle_identity(found.client_bundles[name]) for name in MADE}
    for name, key in own.items():
        chain = found.client_bundles[name].certificate + found.client_bundles[name].chain
        held[name] = Identity(chain, keys.encrypted_pkcs8(key, PHRASE), PHRASE)
    return held


def test_the_preview_says_why_a_client_is_issued_anew_and_of_the_others_nothing(mixed):
    (step,) = (
        one
        for one in mixed[0]["steps"]
        if one["urn"].endswith(":CertificateRegister::slb-mutual-tls-test")
    )
    clients = step["newState"]["inputs"]["clients"]
    because = {name: client["issued_because"] for name, client in clients.items()}
    assert because == {
        "browser": "first issue",
        "partner": "key_algorithm changed",
        **dict.fromkeys(["phone", "desk", *OWN], "first issue"),
    }
    before = step["oldState"]["inputs"]["clients"]
    assert clients["browser"] == before["browser"]


def test_every_client_gets_through_under_every_policy_that_carries_it(mixed, own):
    _, found = mixed
    place = probes.target_of(found)
    ports = {one.name.rpartition(".")[2]: one.port for one in found.listeners}
    assert set(ports) == set(VERSIONS)
    refused = {}
    for name, identity in identities(found, own).items():
        for listener, versions in VERSIONS.items():
            port = place.port if listener == "listener" else ports[listener]
            for version in versions:
                context = probes.stack_context(found)
                if version in OLD_VERSIONS:
                    restrict_to(context, OLD_VERSIONS[version])
                else:
                    context.minimum_version = context.maximum_version = getattr(
                        probes.ssl.TLSVersion, version.replace(".", "_")
                    )
                outcome = probes.probe(ProbeTarget(place.host, port), context, identity)
                if not is_success(outcome) or (version[:4] == "TLSv" and outcome.tls != version):
                    refused[name, listener, version] = str(outcome)
    assert refused == {}


def test_the_verification_names_each_key(deployed, mixed):
    seen = {check.id: check for check in deployed.verify().checks}
    assert seen["clients"].status == "passed", seen["clients"]
    assert seen["clients"].detail.startswith(
        "browser (RSA 2048), desk (RSA 3072), partner (ECDSA P-256), phone (ECDSA P-384): HTTP 200"
    )
    elsewhere = "gateway (ECDSA P-521), meter (RSA 3072): by name, key, dates and purpose"
    assert (seen["clients_elsewhere"].status, seen["clients_elsewhere"].detail) == (
        "passed",
        elsewhere,
    )


def test_outputs_and_inventory_name_each_key(mixed):
    _, found = mixed
    kinds = MADE | {name: str(kind) for name, kind in OWN.items()}
    assert {name: record.key for name, record in found.clients.items()} == kinds
    items = list_certificates(found, datetime.now(UTC))
    current = {item.name: item.key for item in items if item.role == "client" and item.due_at}
    assert current == kinds
    assert {item.key for item in items if item.role in {"ca", "server"}} == {"RSA 2048"}


def test_nothing_is_left_to_do(deployed, mixed):
    deployed.succeed("preview", "--expect-no-changes")
