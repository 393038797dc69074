"""The service as one component: its arguments are the configuration's models."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import get_args, get_origin, is_typeddict

import pulumi
import pytest
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.util import camel_case

from components.args import MutualTlsServiceArgs
from components.arguments.model import Model
from components.arguments.service import MutualTlsServiceArguments
from components.service import MutualTlsService
from tests.unit.components.mock_cloud import deploy


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
    assert set(found["inputProperties"]) == {
        camel_case(name) for name in MutualTlsServiceArguments.model_fields
    }
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


def models():
    """The argument types, each with the model that checks what arrives."""
    found = {MutualTlsServiceArgs: MutualTlsServiceArguments}
    waiting = [(MutualTlsServiceArgs, MutualTlsServiceArguments)]
    while waiting:
        kind, model = waiting.pop()
        for name, annotation in kind.__annotations__.items():
            for inner in parts(annotation):
                if is_typeddict(inner) and inner not in found:
                    (found[inner],) = [
                        one
                        for one in parts(model.model_fields[name].annotation)
                        if isinstance(one, type) and issubclass(one, Model)
                    ]
                    waiting.append((inner, found[inner]))
    return found


def parts(annotation):
    """A type and those that it is made of."""
    yield annotation
    for inner in get_args(annotation):
        yield from parts(inner)


@pytest.mark.parametrize(("kind", "model"), models().items(), ids=lambda one: one.__name__)
def test_an_argument_type_has_what_its_model_takes(kind, model):
    assert kind.__annotations__.keys() == model.model_fields.keys()
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    assert kind.__required_keys__ == required
    for name, field in model.model_fields.items():
        late = "_plain_or_late" in repr((field.annotation, field.metadata))
        assert (Awaitable in map(get_origin, parts(kind.__annotations__[name]))) == late, name


def test_each_argument_and_output_is_described(schema):
    described = {"": resource(schema)["inputProperties"] | resource(schema)["properties"]}
    described |= {name: one["properties"] for name, one in schema["types"].items()}
    missing = [
        f"{kind} {name}"
        for kind, properties in described.items()
        for name, one in properties.items()
        if not one.get("description")
    ]
    assert missing == []


def test_wrong_arguments_are_one_sentence_each():
    with pytest.raises(
        pulumi.RunError, match=r"^api: listener\.prot: there is no such key; did you"
    ):
        deploy(lambda: MutualTlsService("api", {"listener": {"prot": 443}}))
