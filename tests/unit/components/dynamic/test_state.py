"""A state that this version has written is understood by every later one.

The files in `state/` are resources as the first version kept them, on 14 March 2026. They are not
to be regenerated: a test that fails here means that stacks in use would lose or replace something.
Key material, and what follows from it, is a placeholder in them that is filled here.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from pathlib import Path

import dill
import pytest

from components.dynamic import certificate_authority, certificate_register, server_certificate
from pki import bundles, certificates, keys
from pki.certificates import Issuer
from pki.names import distinguished_name
from pki.windows import Window
from tests.unit.components.dynamic.engine import Kept
from tests.unit.pki.material import small_key

STATE = Path(__file__).parent / "state"
PROVIDERS = {
    "certificate_authority": certificate_authority.Provider,
    "certificate_register": certificate_register.Provider,
    "server_certificate": server_certificate.Provider,
}
BEGIN, END = "2026-03-14T00:00:00Z", "2027-03-13T23:59:59Z"


def described(place, certificate, key):
    return {
        f"{place} certificate": certificates.pem(certificate),
        f"{place} key": keys.pkcs1(key),
        f"{place} fingerprint": certificates.fingerprint_sha256(certificate),
        f"{place} serial number": certificates.serial_number(certificate),
        f"{place} public key digest": certificates.public_key_sha256(certificate),
    }


@functools.cache
def material():
    """What the placeholders stand for."""
    ca_key, server_key, client_key = (small_key() for _ in range(3))
    name = distinguished_name({"common_name": "Example CA", "country": "CN"})
    authority = certificates.self_signed_authority(
        name, ca_key, Window.of_properties(BEGIN, "2036-03-10T23:59:59Z")
    )
    issuer, window = Issuer(authority, ca_key), Window.of_properties(BEGIN, END)
    server = certificates.server(
        issuer,
        distinguished_name({"common_name": "www.example.com"}),
        server_key.public_key(),
        window,
        certificates.alternative_names(["www.example.com"], ["203.0.113.10"]),
    )
    browser = certificates.client(
        issuer, distinguished_name({"common_name": "browser"}), client_key.public_key(), window
    )
    bundle = bundles.bundle(
        "browser", client_key, browser, authority, pass_phrase="a phrase", encoding="modern"
    )
    return {
        **described("ca", authority, ca_key),
        **described("server", server, server_key),
        **described("browser", browser, client_key),
        "bundle pkcs12": bundle.pkcs12,
        "bundle pass phrase": bundle.pass_phrase,
        "bundle private key": bundle.private_key,
    }


def kept(kind):
    """A resource as the state holds it."""
    text = (STATE / f"{kind}.json").read_text()
    filled = re.sub(r"<([^<>]+)>", lambda found: json.dumps(material()[found[1]])[1:-1], text)
    state = json.loads(filled)
    return Kept(PROVIDERS[kind](), state["inputs"], state["outputs"], state["id"])


CHOSEN = {"not_before", "not_after", "key_id"}
"""What `check` adds to a program's inputs."""


def asked_for(resource, **changes):
    """The inputs of the program that made a resource."""
    inputs = {name: value for name, value in resource.inputs.items() if name not in CHOSEN}
    if "clients" in inputs:
        inputs["clients"] = {
            client: {name: value for name, value in own.items() if name not in CHOSEN}
            for client, own in inputs["clients"].items()
        }
    return inputs | changes


@pytest.mark.parametrize("kind", PROVIDERS)
def test_the_states_reference_to_the_provider_leads_to_it(kind):
    for properties in (kept(kind).inputs, kept(kind).outputs):
        provider = dill.loads(base64.b64decode(properties["__provider"]))
        assert type(provider) is PROVIDERS[kind]


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_stack_of_an_earlier_version_stays_as_it_is(kind, made_keys):
    resource = kept(kind)
    assert resource.up(asked_for(resource)) == "same"
    assert made_keys == []


@pytest.mark.parametrize("kind", PROVIDERS)
def test_the_files_hold_no_key_material(kind):
    text = (STATE / f"{kind}.json").read_text()
    assert "BEGIN" not in text
    # Base64 of more than a provider's reference or a digest.
    assert not re.search(r"[A-Za-z0-9+/=]{120}", text)


@pytest.mark.parametrize(
    ("kind", "day"), [("certificate_authority", "2920d"), ("server_certificate", "335d")]
)
def test_what_is_due_is_renewed_with_every_output(kind, day, clock):
    resource = kept(kind)
    before = dict(resource.outputs)
    clock(day)
    assert resource.up(asked_for(resource)) == "update"
    assert set(before) - {"__provider"} <= set(resource.outputs)
    assert resource.outputs["serial_number"] != before["serial_number"]


def test_a_renewed_ca_keeps_the_key_of_the_state(clock):
    resource = kept("certificate_authority")
    before = dict(resource.outputs)
    clock("2920d")
    resource.up(asked_for(resource))
    for name in ("private_key", "key_id", "public_key_sha256", "expired_probe"):
        assert resource.outputs[name] == before[name]


def test_a_client_in_the_state_is_renewed_rebundled_and_revoked(clock):
    resource = kept("certificate_register")
    news = asked_for(resource)
    news["clients"]["browser"]["bundle_encoding"] = "legacy"
    assert resource.up(news) == "update"
    bundle = resource.seen["bundles"]["browser"]
    assert bundle["certificate"] == material()["browser certificate"]
    assert bundle["pass_phrase"] == material()["bundle pass phrase"]
    clock("335d")
    assert resource.up(news) == "update"
    statuses = [entry["status"] for entry in resource.seen["issued"]]
    assert statuses == ["revoked", "superseded", "valid"]
    assert resource.up({**news, "clients": {}}) == "update"
    statuses = [entry["status"] for entry in resource.seen["issued"]]
    assert statuses == ["revoked", "revoked", "revoked"]
