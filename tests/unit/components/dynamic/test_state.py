"""A state that this version has written is understood by every later one.

A test that fails here means that stacks in use would lose or replace something. By the real engine
the same is tried in `tests/engine/test_earlier_state.py`.
"""

from __future__ import annotations

import base64
import re

import dill
import pytest

from tests.unit.components.dynamic.earlier_state import (
    PROVIDERS,
    STATE,
    asked_for,
    kept,
    material,
)
from tests.unit.components.dynamic.engine import wire


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
def test_a_refresh_finds_no_difference(kind):
    # The engine compares what it has read with the inputs of the state, without a check.
    resource = kept(kind)
    found = resource.provider.diff(resource.id, wire(resource.outputs), wire(resource.inputs))
    assert not found.changes
    assert not found.replaces


@pytest.mark.parametrize("kind", PROVIDERS)
def test_the_files_hold_no_key_material(kind):
    text = (STATE / f"{kind}.json").read_text()
    assert "BEGIN" not in text
    # Base64 of more than a provider's reference or a digest.
    assert not re.search(r"[A-Za-z0-9+/=]{120}", text)


@pytest.mark.parametrize(
    ("kind", "day"),
    [
        ("certificate_authority", "2920d"),
        ("server_certificate", "335d"),
        ("revocation_list", "20d"),
    ],
)
def test_what_is_due_is_renewed_with_every_output(kind, day, clock):
    resource = kept(kind)
    before = dict(resource.outputs)
    clock(day)
    assert resource.up(asked_for(resource)) == "update"
    assert set(before) - {"__provider"} <= set(resource.outputs)
    changes_with_it = "number" if kind == "revocation_list" else "serial_number"
    assert resource.outputs[changes_with_it] != before[changes_with_it]


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
