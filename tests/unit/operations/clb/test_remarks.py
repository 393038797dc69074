from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes

from components.pki import certificates, keys
from components.pki.names import distinguished_name
from components.pki.windows import Window
from operations.clb import adoption
from operations.clb import existing as remarks_of
from tests.unit.operations.clb.existing import configured, existing, several


@pytest.fixture(scope="module")
def authority():
    key = keys.generate(2048)
    window = Window.of_properties("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z")
    name = distinguished_name({"common_name": "Tutorial CA"})
    return certificates.issue_authority(name, key, window)


def remarks(found, config=None):
    """What is said before the import."""
    _, settings = adoption.adopt_settings(found, config or {})
    return list(remarks_of.list_remarks(found, settings, config or {}))


def test_the_same_ca_is_known_by_its_fingerprint(authority):
    found = existing(ca_fingerprint=authority.fingerprint(hashes.SHA1()).hex())
    config = configured(certificate_authority={"certificate": certificates.pem(authority)})
    left, ca = remarks(found, config)
    assert left == (
        "Left alone: server certificate server-1 and CA certificate ca-1. After `make up` this "
        "listener does not refer to them; once no other does, delete them by hand."
    )
    assert ca == "The CA stays the same: client certificates of before go on working."


def test_another_ca_is_said_to_refuse_who_was_admitted(authority):
    config = configured(certificate_authority={"certificate": certificates.pem(authority)})
    for given in (config, {}):
        *_, ca = remarks(existing(), given)
        assert "after `make up` the listener refuses every client certificate of before" in ca


def test_one_way_tls_and_other_listeners_are_told():
    left, others, ca = remarks(existing(ca_fingerprint=None, other_listeners=("http:8080",)))
    assert "CA certificate" not in left
    assert others == "Left alone: listeners http:8080."
    assert "asks for no client certificate today" in ca


@pytest.mark.parametrize(
    ("found", "config", "sentence"),
    [
        (
            {"listener": {"tlscipher_policy": "tls_cipher_policy_1_0"}},
            {},
            "The TLS policy tls_cipher_policy_1_0 becomes tls_cipher_policy_1_2_strict_with_1_3",
        ),
        ({"listener": {"description": "main"}}, {}, "The listener's description, main, becomes"),
        (
            {
                "instance": {
                    "modification_protection_status": "ConsoleProtection",
                    "modification_protection_reason": "used",
                }
            },
            {},
            "The reason of the load balancer's protection, used, becomes",
        ),
        ({"listener": {"status": "stopped"}}, {}, "The listener is stopped, and"),
        (
            {"instance": {"load_balancer_status": "inactive"}},
            {},
            "The load balancer is stopped, and",
        ),
        (
            {"listener": {"rules": several("rule", [{"rule_name": "images"}])}},
            {},
            "Left alone: forwarding rules images.",
        ),
        (
            {"redirect_port": 80},
            configured(listener={"redirect_port": 8080}),
            "Left alone: listeners http:80.",
        ),
        (
            {"domains": {"api.example.com": "de-1"}},
            configured(listener={"domain_extensions": {"api.example.com": {}}}),
            "and the certificates for api.example.com",
        ),
    ],
    ids=[
        "policy",
        "description",
        "protection",
        "stopped",
        "inactive",
        "rules",
        "redirect",
        "domains",
    ],
)
def test_what_does_not_stay_or_is_left_is_told(found, config, sentence):
    assert sentence in " ".join(remarks(existing(**found), config))
    assert sentence not in " ".join(remarks(existing()))
