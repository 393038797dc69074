"""Requests against the API's published metadata, every action in both directions.

The facts are kept in the repository; Alibaba Cloud's SDKs, generated from the metadata, hold them
to what is published.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from darabonba.model import DaraModel
from pydantic import BaseModel, ValidationError

from localcloud import metadata, services
from localcloud.deviations import ADDED, DEVIATIONS, EVERYWHERE, LEFT_OUT, VALUES_LEFT_OUT
from localcloud.known_actions import known_actions
from localcloud.metadata import Parameter
from localcloud.products import PRODUCTS, Action
from localcloud.requests import nest
from tests.unit.localcloud.fake_plane import Account
from tests.unit.localcloud.test_sdk_models import MODELS, attributes, fields

services.load()
ACTIONS = [action for product in PRODUCTS for action in product.actions.values()]

PYTHON = {
    "String": str,
    "Integer": int,
    "Long": int,
    "Float": float,
    "Boolean": bool,
    "RepeatList": list,
    "Array": list,
    "Struct": BaseModel,
}
"""What a parameter of a published type is here."""


def name_of(action: Action) -> str:
    return f"{action.product}.{action.name}"


def left_out(action: Action) -> set[str]:
    return {name for names in LEFT_OUT.get(name_of(action), {}).values() for name in names.split()}


def taken(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Parameters of a model, with those of the models within it: `SystemDisk.Size`."""
    for name, field in model.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from taken(field.annotation, f"{prefix}{name}.")


def published(action: Action) -> dict[str, Parameter]:
    return dict(metadata.read_published(action.product, action.name))


def first(name: str) -> str:
    return name.partition(".")[0]


def kind_of(annotation: Any) -> type:
    """The plain type of a field: of `Literal["on"] | None` it is `str`."""
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return type(typing.get_args(annotation)[0])
    if origin in {typing.Union, types.UnionType}:
        [inner] = [one for one in typing.get_args(annotation) if one is not types.NoneType]
        return kind_of(inner)
    if origin is typing.Annotated:
        return kind_of(typing.get_args(annotation)[0])
    found = origin or annotation
    return BaseModel if issubclass(found, BaseModel) else found


def parts(annotation: Any) -> Iterator[Any]:
    """Everything that is said within a type."""
    yield annotation
    inner = [*typing.get_args(annotation), *getattr(annotation, "__metadata__", ())]
    for one in inner if typing.get_origin(annotation) is not typing.Literal else ():
        yield from parts(one)
    yield from getattr(annotation, "metadata", ())


def range_of(field: Any) -> tuple[int | None, int | None]:
    said = [*parts(field.annotation), *field.metadata]
    least = [one.ge for one in said if hasattr(one, "ge")]
    greatest = [one.le for one in said if hasattr(one, "le")]
    return max(least, default=None), min(greatest, default=None)


@pytest.mark.parametrize("action", ACTIONS, ids=name_of)
def test_an_action_takes_the_parameters_that_are_published(action: Action) -> None:
    ours, theirs = set(taken(action.request)), set(published(action))
    # `Filter.1.Key` is left out as `Filter`, and `SystemDisk` is taken by its parts.
    lacking = {name if name in left_out(action) else first(name) for name in theirs - ours}
    whole = {first(name) for name in theirs}
    assert lacking == left_out(action)
    more = {name for name in ours if first(name) not in whole} - EVERYWHERE.keys()
    assert more == ADDED.get(name_of(action), {}).keys()


@pytest.mark.parametrize("action", ACTIONS, ids=name_of)
def test_parameters_are_of_the_published_type_and_range(action: Action) -> None:
    demanded = metadata.parameters(action.product, action.name)
    for name, field in action.request.model_fields.items():
        if name in demanded:
            said = (PYTHON[demanded[name].type], demanded[name].required, demanded[name].range)
            assert (kind_of(field.annotation), field.is_required(), range_of(field)) == said, name
        else:
            assert (field.is_required(), range_of(field)) == (False, (None, None)), name


def mistakes(action: Action, **parameters: Any) -> dict[str, str]:
    """What the model of an action says of a request, by parameter."""
    flat = {name: str(value) for name, value in parameters.items()}
    try:
        action.request.model_validate(nest(flat))
    except ValidationError as error:
        return {str(one["loc"][0]): one["type"] for one in error.errors()}
    return {}


@pytest.mark.parametrize("action", ACTIONS, ids=name_of)
def test_requests_outside_of_the_published_range_are_refused(action: Action) -> None:
    nothing = mistakes(action)
    for name, parameter in metadata.parameters(action.product, action.name).items():
        if name not in action.request.model_fields:
            continue
        assert (nothing.get(name) == "missing") == parameter.required, name
        for bound, beyond, wrong in zip(
            parameter.range, (-1, 1), ("greater_than_equal", "less_than_equal"), strict=True
        ):
            if bound is not None:
                assert name not in mistakes(action, **{name: bound})
                assert mistakes(action, **{name: bound + beyond})[name] == wrong


def test_every_deviation_deviates_and_says_why() -> None:
    emulated = {name_of(action): action for action in ACTIONS}
    seen: set[tuple[str, str]] = set()
    for deviation in DEVIATIONS:
        assert deviation.why
        for name in deviation.actions:
            parameter = published(emulated[name])[deviation.parameter]
            assert (deviation.range, deviation.required) != (None, None)
            assert deviation.range != parameter.range
            assert deviation.required != parameter.required
            assert (name, deviation.parameter) not in seen
            seen.add((name, deviation.parameter))
    assert LEFT_OUT.keys() | ADDED.keys() | TEXTS_DIFFER.keys() <= emulated.keys()
    assert SDKS_DIFFER.keys() <= {f"{product}.{action}" for product, action in FACTS}


@pytest.mark.parametrize("action", [one for one in ACTIONS if left_out(one)], ids=name_of)
def test_a_parameter_that_is_not_emulated_says_so(account: Account, action: Action) -> None:
    [product] = [one for one in PRODUCTS if one.name == action.product]
    for name in left_out(action):
        error = account.refusal(product, action.name, **{name.replace(".", "__"): "secret"})
        assert (error.status, error.code) == (400, "NotEmulated")
        assert f"{name} of {action.name}" in error.message
        assert "secret" not in error.message
        typo = account.refusal(product, action.name, **{f"{first(name)}Typo": "secret"})
        assert typo.code == "UnsupportedParameter"
        assert f"{first(name)}Typo is not one of {action.name}" in typo.message


FACTS = [
    (product, action)
    for product in MODELS
    for action in sorted(known_actions()[product])
    if action in metadata.actions(product)
]


@cache
def texts(model: type) -> dict[str, str]:
    """What an SDK says of each attribute of a model, in the comment above it."""
    blocks = re.findall(r"((?: +#.*\n)*) +self\.(\w+) = ", inspect.getsource(model.__init__))
    return {name: text for text, name in blocks}


def required_by(model: type) -> frozenset[str]:
    """Attributes of an SDK's model that are required, as the end of their text says."""
    last = "# This parameter is required.\n"
    return frozenset(name for name, text in texts(model).items() if text.endswith(last))


OWNERS = {"OwnerAccount", "OwnerId", "ResourceOwnerAccount", "ResourceOwnerId"}
"""Parameters that the SDKs have and the metadata hides."""

NEWER = "the SDK is of later than the metadata, and has it"
SDKS_DIFFER: dict[str, dict[str, str]] = {
    "Ecs.DescribeDisks": {"PerformanceLevel": NEWER},
    "Ecs.DescribeImages": {"Usable": NEWER},
    "Ecs.RunInstances": {"ManagedHostId": NEWER},
    "Vpc.CreateVSwitch": {
        "CidrBlock": "the later SDK has CidrMask in its place",
        "CidrMask": NEWER,
        "Ipv6CidrMask": NEWER,
    },
    "Vpc.ModifyVSwitchAttribute": {"Ipv6CidrMask": NEWER},
}
"""By action: parameters of which SDK and metadata say different things, and why."""


@pytest.mark.parametrize(("product", "action"), FACTS)
def test_what_is_published_is_what_the_sdks_know(product: str, action: str) -> None:
    model = MODELS[product][f"{action}Request".lower()]
    facts, names, kinds = metadata.read_published(product, action), attributes(model), fields(model)
    said = {
        name: (typing.get_origin(kinds[name]) or kinds[name], names[name] in required_by(model))
        for name in names.keys() - OWNERS
    }
    here = {name: (PYTHON[fact.type], fact.required) for name, fact in facts.items()}
    # A model within a model has a type of its own.
    said = {
        name: (BaseModel if issubclass(kind, DaraModel) else kind, required)
        for name, (kind, required) in said.items()
    }
    whole = {first(name) for name in here}
    differing = {name for name in here.keys() & said.keys() if here[name] != said[name]}
    differing |= {name for name in here if first(name) not in said and name not in said}
    differing |= {name for name in said if name not in whole and name not in here}
    assert differing == SDKS_DIFFER.get(f"{product}.{action}", {}).keys()


def test_every_action_of_slb_is_published() -> None:
    assert metadata.actions("Slb") == known_actions()["Slb"]
    assert len(FACTS) > 130


OWN_PORT = "-520, which Describe answers, is taken too"
DRAINING = "draining of connections is not emulated"
TEXTS_DIFFER: dict[str, dict[str, str]] = {
    "Slb.CreateLoadBalancerHTTPListener": {"HealthCheckConnectPort": OWN_PORT},
    "Slb.CreateLoadBalancerHTTPSListener": {"HealthCheckConnectPort": OWN_PORT},
    "Slb.SetLoadBalancerHTTPListenerAttribute": {"HealthCheckConnectPort": OWN_PORT},
    "Slb.SetLoadBalancerHTTPSListenerAttribute": {"HealthCheckConnectPort": OWN_PORT},
    "Slb.SetRule": {"HealthCheckConnectPort": OWN_PORT},
    "Slb.CreateLoadBalancerTCPListener": {
        "ConnectionDrainTimeout": DRAINING,
        "HealthCheckConnectPort": OWN_PORT,
    },
    "Slb.SetLoadBalancerTCPListenerAttribute": {
        "ConnectionDrainTimeout": DRAINING,
        "HealthCheckConnectPort": OWN_PORT,
    },
    "Ecs.RunInstances": {"Amount": "one instance a call here"},
}
"""By action: parameters whose text names another range than the one demanded, and why."""


def ranges_in(text: str) -> Iterator[tuple[int, int]]:
    """Ranges that a text names, such as `**1** to **65535**`."""
    plain = re.sub(r"[*`,]", "", text)
    for least, greatest in re.findall(r"(-?\d+) (?:to|and) (-?\d+)", plain):
        yield int(least), int(greatest)
    for greatest in re.findall(r"Maximum value: (\d+)", plain):
        yield 1, int(greatest)


@pytest.mark.parametrize("action", [a for a in ACTIONS if a.product in MODELS], ids=name_of)
def test_ranges_are_those_that_the_parameters_texts_name(action: Action) -> None:
    model = MODELS[action.product][f"{action.name}Request".lower()]
    names, said = attributes(model), texts(model)
    differing = set()
    for name, parameter in metadata.parameters(action.product, action.name).items():
        if name in action.request.model_fields and PYTHON[parameter.type] is int:
            named = set(ranges_in(said[names[name]]))
            # Where -1 stands for no limit, texts name it by itself.
            if named and parameter.range not in named | {(-1, greatest) for _, greatest in named}:
                differing.add(name)
    assert differing == TEXTS_DIFFER.get(name_of(action), {}).keys()


CASES = "the provider sends it in this case, and both mean the same"
PROVIDER = "the provider takes it"
REFUSED = "is refused by a sentence of its own where it cannot be"
CHOICES_ADDED: dict[str, dict[str, str]] = {
    "InternetChargeType": {
        "PayByBandwidth": CASES,
        "PayByTraffic": CASES,
        "paybybandwidth": REFUSED,
    },
    "InstanceChargeType": {"PayBySpec": REFUSED},
    "Scheduler": {"wlc": PROVIDER, "qch": PROVIDER},
    "InnerAccessPolicy": {"accept": CASES, "drop": CASES},
}
"""By parameter: values that are taken and its text does not name in every action, and why."""


def choices_in(text: str) -> set[str]:
    """Values that a text names, in a list or after `Valid values:`."""
    listed = re.findall(r"# *[*-] +[*`]*([A-Za-z_0-9.]+)[*`]*(?: \(default\)[*`]*)?(?::|\n)", text)
    inline = re.findall(r"[Vv]alid values?:(.*)", text)
    return {*listed, *(word for line in inline for word in re.findall(r"[*`]+([\w.]+)[*`]+", line))}


def choices_of(field: Any) -> set[str]:
    """The values that a field takes, where these are few."""
    literals = [
        part for part in parts(field.annotation) if typing.get_origin(part) is typing.Literal
    ]
    return {choice for literal in literals for choice in typing.get_args(literal)}


CHOSEN = [
    (action, name, theirs)
    for action in ACTIONS
    if action.product in MODELS
    for model in [MODELS[action.product][f"{action.name}Request".lower()]]
    for name, field in action.request.model_fields.items()
    if choices_of(field) and name in attributes(model)
    if (theirs := choices_in(texts(model)[attributes(model)[name]]))
]


@pytest.mark.parametrize(
    ("action", "name", "theirs"),
    CHOSEN,
    ids=lambda one: one.name if isinstance(one, Action) else one,
)
def test_choices_are_those_that_a_parameter_s_text_names(
    account: Account, action: Action, name: str, theirs: set[str]
) -> None:
    ours = choices_of(action.request.model_fields[name])
    assert ours - theirs - {""} <= CHOICES_ADDED.get(name, {}).keys()
    assert theirs - ours <= VALUES_LEFT_OUT.get(name, {}).keys()
    [product] = [one for one in PRODUCTS if one.name == action.product]
    fields = action.request.model_fields.items()
    given = {key: "1" for key, field in fields if field.is_required()}
    for value in theirs - ours:
        error = account.refusal(product, action.name, **{**given, name: value})
        assert error.code == "NotEmulated"
        assert f"{name} {value} of {action.name}" in error.message
        typo = account.refusal(product, action.name, **{**given, name: f"{value}s"})
        assert typo.code == "InvalidParameter"
        assert f"{value}s" not in typo.message


def test_the_texts_of_most_choices_were_understood() -> None:
    assert len(CHOSEN) > 60
    seen = {(name, choice) for _, name, theirs in CHOSEN for choice in theirs}
    assert seen >= {(name, choice) for name, some in VALUES_LEFT_OUT.items() for choice in some}
