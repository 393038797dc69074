"""The service as one component: its arguments are the configuration's models."""

from __future__ import annotations

import asyncio
import json

import pulumi
import pytest
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.util import camel_case

from components.arguments import arguments
from components.service import MutualTlsService
from configuration.model import Model
from settings import Settings


@pytest.fixture(scope="module")
def schema():
    """What `pulumi package get-schema` prints of the component package."""
    return json.loads(ComponentProvider([MutualTlsService], "slb-mutual-tls", None, "1.0.0").schema)


def resource(schema):
    return schema["resources"]["slb-mutual-tls:index:MutualTlsService"]


def typed(schema, name):
    return schema["types"][f"slb-mutual-tls:index:{name}"]["properties"]


def test_every_key_of_the_configuration_is_an_argument_and_none_is_required(schema):
    found = resource(schema)
    assert set(found["inputProperties"]) == {camel_case(name) for name in Settings.model_fields}
    assert found["requiredInputs"] == []


def test_arguments_have_the_models_types(schema):
    listener = typed(schema, "ListenerArgs")
    assert listener["port"]["type"] == "integer"
    assert listener["http2"]["type"] == "boolean"
    assert listener["tlsCipherPolicy"]["type"] == "string"
    assert listener["healthCheck"]["$ref"].endswith("HealthCheckArgs")
    assert typed(schema, "ServerArgs")["domains"]["items"]["type"] == "string"
    clients = resource(schema)["inputProperties"]["clients"]
    assert clients["additionalProperties"]["$ref"].endswith("ClientArgs")
    assert typed(schema, "ServerArgs")["privateKey"]["type"] == "string"


def test_outputs_are_those_of_the_component(schema):
    assert set(resource(schema)["properties"]) == {
        "address",
        "caCertificate",
        "certificateRevocationList",
        "clientBundles",
        "loadBalancerId",
        "serverCertificate",
    }


def test_a_field_without_default_is_required():
    class Sample(Model):
        needed: int | None
        number_or_text: int | str = 1
        table: dict[str, list[float]] = {}  # noqa: RUF012

    made = arguments(Sample)
    assert made.__required_keys__ == {"needed"}
    assert made.__optional_keys__ == {"number_or_text", "table"}
    assert made.__annotations__["needed"] is int


def test_wrong_arguments_are_one_sentence_each():
    async def made():
        # Within a loop, as the engine has it: the SDK asks for one.
        MutualTlsService("api", {"listener": {"prot": 443}})

    with pytest.raises(
        pulumi.RunError, match=r"^api: listener\.prot: there is no such key; did you"
    ):
        asyncio.run(made())
