"""What the state keeps of the classes: types, references to providers, which outputs are secret."""

from __future__ import annotations

import base64
import pickletools
from dataclasses import dataclass

import dill
import pulumi
import pytest
from pulumi.dynamic import Resource
from pulumi.dynamic.dynamic import serialize_provider

from components.dynamic import certificate_record, revocation_list, server_certificate
from components.dynamic.certificate_authority import CertificateAuthority
from components.dynamic.certificate_record import CertificateRecord
from components.dynamic.certificate_register import CertificateRegister
from components.dynamic.properties import unpack
from components.dynamic.revocation_list import RevocationList
from components.dynamic.server_certificate import ServerCertificate
from tests.unit.components.dynamic.engine import Declaration, Kept, texts
from tests.unit.components.dynamic.programs import (
    AUTHORITY,
    LIST,
    SERVER,
    TWO,
    present,
    revocations,
    server,
)

SIGNER = {
    "ca_certificate": "certificate",
    "ca_private_key": "key",
    "ca_key_id": "id",
    "ca_id": "id",
}
RESOURCES = {
    CertificateAuthority: AUTHORITY,
    CertificateRegister: {**SIGNER, "clients": TWO},
    ServerCertificate: {**SIGNER, **SERVER},
    RevocationList: {**SIGNER, **LIST},
    CertificateRecord: {"certificates": [{"role": "ca", "name": "CA", "certificate": "of a CA"}]},
}
PATHS = {
    CertificateAuthority: "components.dynamic.certificate_authority",
    CertificateRegister: "components.dynamic.certificate_register",
    ServerCertificate: "components.dynamic.server_certificate",
    RevocationList: "components.dynamic.revocation_list",
    CertificateRecord: "components.dynamic.certificate_record",
}
ROTATION = {
    CertificateAuthority: {
        "next_certificate",
        "cross_certificate",
        "next_private_key",
        "next_key_id",
    },
    RevocationList: {"next_revocation_list"},
}
"""Outputs that are there while a rotation is under way, and inputs that are asked for then."""

OPTIONAL = {
    CertificateAuthority: {
        "next_generation",
        "adopted_certificate",
        "adopted_private_key",
        "name_constraints",
    },
    CertificateRegister: {"index", "others", "adopted_key_id", "present_ca_certificate"},
    ServerCertificate: {"name_constraints"},
    RevocationList: {
        "first_number",
        "next_ca_certificate",
        "next_ca_private_key",
        "next_ca_key_id",
    },
}
every_resource = pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: kind.__name__)


@dataclass(frozen=True)
class Secret:
    """Stands for a secret output, which only an event loop could look into."""

    value: str


@pytest.fixture
def declare(monkeypatch):
    """Makes a resource of a class and returns what it asked for, without an engine."""
    asked = []

    def record(self, provider, name, props, opts):
        options = opts or pulumi.ResourceOptions()
        kind = f"pulumi-python:{self._resource_type_name}"
        asked.append(Declaration(kind, provider, props, options))

    monkeypatch.setattr(Resource, "__init__", record)
    monkeypatch.setattr(pulumi.Output, "secret", Secret)

    def made(kind, opts=None):
        kind("test", **RESOURCES[kind], opts=opts)
        return asked[-1]

    return made


@every_resource
def test_types_are_those_of_the_state(declare, kind):
    assert declare(kind).type == f"pulumi-python:dynamic/pki:{kind.__name__}"


@every_resource
def test_a_provider_is_kept_as_a_reference_to_its_class(declare, kind):
    pickled = base64.b64decode(serialize_provider(declare(kind).provider))
    assert len(pickled) < 200
    named = [text for _, text, _ in pickletools.genops(pickled) if isinstance(text, str)]
    assert named == [PATHS[kind], "Provider"]
    provider = dill.loads(pickled)
    assert type(provider) is type(declare(kind).provider)
    assert vars(provider) == {}


@every_resource
def test_a_reference_to_a_provider_is_the_same_each_time(declare, kind):
    first, second = (serialize_provider(declare(kind).provider) for _ in range(2))
    assert first == second


@every_resource
def test_a_reference_to_a_provider_is_no_secret(declare, kind):
    assert declare(kind).provider.serialize_as_secret_always is False


@every_resource
def test_what_a_caller_asks_for_is_kept(declare, kind):
    options = declare(kind, pulumi.ResourceOptions(protect=True)).options
    assert options.protect is True
    # The lists of who was issued what have nothing to hide.
    public = {RevocationList, CertificateRecord}
    assert bool(options.additional_secret_outputs) == (kind not in public)


@pytest.fixture
def created(declare, ca, kept_register):
    """Each class' declaration beside its resource as the state would keep it."""
    issued = Kept(server_certificate.Provider())
    issued.up(server(ca))
    listed = Kept(revocation_list.Provider())
    listed.up(revocations(ca, kept_register))
    recorded = Kept(certificate_record.Provider())
    recorded.up(present(ca, server=issued))
    kept = (ca, kept_register, issued, listed, recorded)
    return [(declare(kind), found) for kind, found in zip(RESOURCES, kept, strict=True)]


def test_every_output_that_a_class_offers_is_declared_and_made(created):
    for kind, (declaration, kept) in zip(RESOURCES, created, strict=True):
        offered = set(kind.__annotations__)
        assert offered - ROTATION.get(kind, set()) - {"adopted_at"} <= set(kept.outputs)
        unset = {name for name, value in declaration.properties.items() if value is None}
        assert unset == offered | OPTIONAL.get(kind, set())


def test_no_secret_is_in_an_output_that_the_state_shows(created):
    secrets = {
        text
        for declaration, kept in created
        for name in declaration.secret_outputs & set(kept.outputs)
        for text in texts(unpack(kept.outputs[name]) if name == "bundles" else kept.outputs[name])
        if "CERTIFICATE" not in text
    }
    # The CA's key, the probe's and the server's; of two clients: bundle, phrase and key.
    assert len(secrets) == 9
    for declaration, kept in created:
        shown = {
            name: value
            for name, value in kept.outputs.items()
            if name not in declaration.secret_outputs
        }
        assert not [one for one in secrets for text in texts(shown) if one in text]
        assert not [text for text in texts(shown) if "PRIVATE KEY" in text]


def test_every_output_of_a_renewal_is_as_secret_as_before(created, clock):
    for kind, (declaration, kept) in zip(RESOURCES, created, strict=True):
        if kind is CertificateRecord:
            continue  # It has no time of its own.
        before = set(kept.outputs)
        clock("3000d")
        news = {
            name: value for name, value in kept.inputs.items() if name in declaration.properties
        }
        assert kept.up(news) == "update"
        assert set(kept.outputs) == before
        shown = before - declaration.secret_outputs
        assert not [
            text for name in shown for text in texts(kept.outputs[name]) if "PRIVATE KEY" in text
        ]


@every_resource
def test_the_cas_key_is_handed_on_as_a_secret_and_nothing_else_is(declare, kind):
    properties = declare(kind).properties
    secret = {name for name, value in properties.items() if isinstance(value, Secret)}
    assert secret == {"ca_private_key"} & set(RESOURCES[kind])
    assert all(properties[name].value == "key" for name in secret)
