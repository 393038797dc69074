"""Certificates that are issued for one run, and where the CA's key comes from."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from components.pki import certificates, keys, paths
from operations.clb.throwaway import AUTHORITY_TYPE, Throwaways, stack_issuer
from tests.conformance import specimens

NOW = datetime.now(UTC)


@pytest.fixture(scope="module", params=["ascii", "rotating", "constrained"])
def throwaways(request):
    return Throwaways(specimens.root(request.param), NOW)


def refusal(identity, throwaways):
    leaf, *between = certificates.load_chain(identity.certificates)
    return paths.refusal(leaf, between, throwaways.ca.certificate, NOW)


def test_a_client_is_good_for_an_hour(throwaways):
    identity = throwaways.client()
    (leaf,) = certificates.load_chain(identity.certificates)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(hours=1)
    assert leaf.not_valid_after_utc < NOW + timedelta(hours=1)
    assert refusal(identity, throwaways) is None
    assert identity.encrypted_key.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert identity.encrypted_key not in repr(identity)


def test_a_client_with_an_elliptic_curve_key(throwaways):
    (leaf,) = certificates.load_chain(throwaways.client(keys.Ecdsa("P-256")).certificates)
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)
    assert leaf.public_key().curve.name == "secp256r1"


def test_a_ca_below_the_stack_s_is_within_its_path_length(throwaways):
    lower = throwaways.lower_ca()
    leads = throwaways.client(below=lower)
    assert refusal(leads, throwaways) is None
    named = lower.certificate.subject == throwaways.ca.certificate.subject
    assert named is throwaways.lower_ca_is_self_issued
    assert named is not certificates.allows_below(throwaways.ca.certificate, 1)


def test_a_ca_below_certifies_no_names_that_it_may_not(throwaways):
    outside = x509.DNSName("out.example.com")
    lower = throwaways.lower_ca(x509.NameConstraints(None, [outside]))
    within = throwaways.client(names=[x509.DNSName("in.example.com")], below=lower)
    assert refusal(within, throwaways) is None
    assert refusal(throwaways.client(names=[outside], below=lower), throwaways)


def state(private_key):
    return {
        "resources": [
            {"type": "pulumi:pulumi:Stack"},
            {"type": AUTHORITY_TYPE, "outputs": {"private_key": private_key}},
        ]
    }


def test_the_key_comes_from_the_stack_s_state():
    root = specimens.root()
    pem = keys.pkcs1(root.private_key)
    wrapped = {"4dabf18193072939515e22adb298388d": "1b47", "plaintext": json.dumps(pem)}
    for value in (wrapped, pem):
        found = stack_issuer(state(value), root.certificate)
        assert found.private_key.public_key() == root.certificate.public_key()


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "no key",
        {"4dabf18193072939515e22adb298388d": "1b47", "ciphertext": "v1:x"},
        keys.pkcs1(specimens.key("another")),
    ],
)
def test_no_other_key_passes_for_it(value):
    assert stack_issuer(state(value), specimens.root().certificate) is None
    assert stack_issuer({}, specimens.root().certificate) is None
