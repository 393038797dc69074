"""Requests and answers against the models of Alibaba Cloud's own Python SDK.

The provider panics at a null or at text for a number: answers are held to the models' types.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import alibabacloud_ecs20140526.models as ecs_models
import alibabacloud_slb20140515.models as slb_models
import alibabacloud_vpc20160428.models as vpc_models
import pytest
from darabonba.model import DaraModel
from pydantic import BaseModel

from localcloud import services
from localcloud.deviations import ADDED, EVERYWHERE
from localcloud.products import PRODUCTS, Action
from localcloud.store import Store
from tests.unit.localcloud.fake_plane import Account
from tests.unit.localcloud.tour import tour

MODELS = {
    product: {model.__name__.lower(): model for model in models.__all__}
    for product, models in (("Slb", slb_models), ("Ecs", ecs_models), ("Vpc", vpc_models))
}

ONE_SHAPE = "one shape for rules of both directions"
ADDED_WITHIN: dict[str, dict[str, str]] = {
    "Ecs.AuthorizeSecurityGroup": {"Permissions.DestGroupId": ONE_SHAPE},
    "Ecs.AuthorizeSecurityGroupEgress": {"Permissions.SourceGroupId": ONE_SHAPE},
}
"""By action: parameters within others that the SDK's model lacks, and why they are taken."""

EXTRA_FIELDS: dict[str, dict[str, str]] = {
    "DescribeLoadBalancerHTTPSListenerAttribute": {
        "ListenerForward": "the provider reads it of listeners of every protocol"
    }
}
"""By action: fields that the SDK's model lacks, and why they are answered all the same."""

LATER = "appears on orders of subscriptions, which are no longer sold"
OTHER_PROTOCOLS = "UDP is not emulated"
DRAINING = "connection draining is not emulated"
UNDOCUMENTED = "in the model, and in no parameter of the action that would set it"
MISSING_FIELDS: dict[str, dict[str, str]] = {
    "AddBackendServers": {
        "BackendServers.BackendServer[].Description": "the default group keeps no descriptions"
    },
    "SetBackendServers": {
        "BackendServers.BackendServer[].Description": "the default group keeps no descriptions"
    },
    "CreateLoadBalancer": {"OrderId": LATER},
    "ModifyLoadBalancerInstanceSpec": {"OrderId": LATER},
    "ModifyLoadBalancerInternetSpec": {"OrderId": LATER},
    "DescribeLoadBalancerAttribute": {
        "AutoReleaseTime": "only of an instance that is to be released",
        "RenewalCycUnit": LATER,
        "RenewalDuration": LATER,
        "RenewalStatus": LATER,
    },
    "DescribeLoadBalancers": {"LoadBalancers.LoadBalancer[].InternetChargeTypeAlias": UNDOCUMENTED},
    "DescribeLoadBalancerListeners": {
        "NextToken": "only where there is a further page",
        "Listeners[].TCPListenerConfig.ConnectionDrainTimeout": DRAINING,
        "Listeners[].TCPListenerConfig.HealthCheckMethod": UNDOCUMENTED,
        "Listeners[].UDPListenerConfig": OTHER_PROTOCOLS,
        **{
            f"Listeners[].{protocol}ListenerConfig.{name}": UNDOCUMENTED
            for protocol in ("HTTP", "HTTPS")
            for name in ("HealthCheckHttpVersion", "HealthCheckType")
        },
    },
    "DescribeLoadBalancerTCPListenerAttribute": {
        "ConnectionDrainTimeout": DRAINING,
        "HealthCheckMethod": UNDOCUMENTED,
    },
    "ListTagResources": {"NextToken": "all tags fit into one answer"},
    "UploadCACertificate": {
        "CreateTime": "not in the documentation's answer",
        "CreateTimeStamp": "not in the documentation's answer",
    },
}
"""By action of SLB: fields of the SDK's model that no answer has, and why."""

services.load()
ACTIONS = [action for product in PRODUCTS for action in product.actions.values()]
MODELLED = [action for action in ACTIONS if action.product in MODELS]


def name_of(action: Action) -> str:
    return f"{action.product}.{action.name}"


class Asked(dict[str, Any]):
    """Notes which keys a model asks it for; as a value it is an object, and a list of one."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def get(self, key: str, default: Any = None) -> Any:
        self.names[key] = None

    def __iter__(self) -> Iterator[Any]:
        return iter([{}])

    def __bool__(self) -> bool:
        return True


@cache
def attributes(model: type[DaraModel]) -> dict[str, str]:
    """A model's attributes by the names that they have on the wire."""
    asked = Asked()
    empty = vars(model().from_map(asked))
    found = {}
    for name in asked.names:
        filled = vars(model().from_map({name: Asked()}))
        [found[name]] = [
            key
            for key in filled
            if type(filled[key]) is not type(empty[key]) or filled[key] != empty[key]
        ]
    return found


@cache
def fields(model: type[DaraModel]) -> dict[str, Any]:
    """A model's fields as they are on the wire, with their types."""
    types = typing.get_type_hints(model.__init__)
    return {name: types[attribute] for name, attribute in attributes(model).items()}


def problems(value: Any, kind: Any, path: str) -> Iterator[str]:
    """What of an answer is not as its model says."""
    if isinstance(kind, type) and issubclass(kind, DaraModel):
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        known = fields(kind)
        for name, item in value.items():
            if name in known:
                yield from problems(item, known[name], f"{path}.{name}")
            else:
                yield f"{path}.{name} is unknown"
    elif typing.get_origin(kind) is list:
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for item in value:
            yield from problems(item, typing.get_args(kind)[0], f"{path}[]")
    elif kind is float:
        if type(value) not in {int, float}:
            yield f"{path} is {type(value).__name__} and no number"
    elif type(value) is not kind:
        yield f"{path} is {type(value).__name__} and not {kind.__name__}"


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Every answer of a tour through all actions, by action."""
    store = Store(tmp_path_factory.mktemp("tour") / "cloud.sqlite")
    account = Account(store)
    tour(account)
    found: dict[str, list[dict[str, Any]]] = {}
    for product, action, answer in account.answers:
        found.setdefault(f"{product}.{action}", []).append(answer)
    yield found
    store.close()


@pytest.mark.parametrize("action", ACTIONS, ids=name_of)
def test_no_answer_holds_a_null_or_what_json_lacks(answers, action: Action) -> None:
    def values(value: Any) -> Iterator[Any]:
        match value:
            case dict():
                for item in value.values():
                    yield from values(item)
            case list():
                for item in value:
                    yield from values(item)
            case _:
                yield value

    kinds = {type(value) for answer in answers[name_of(action)] for value in values(answer)}
    assert kinds <= {str, int, float, bool}


@pytest.mark.parametrize("action", MODELLED, ids=name_of)
def test_answers_are_as_the_sdk_s_models_say(answers, action: Action) -> None:
    model = MODELS[action.product][f"{action.name}ResponseBody".lower()]
    found = {
        problem
        for answer in answers[name_of(action)]
        for problem in problems(answer, model, action.name)
    }
    excused = {f"{action.name}.{name} is unknown" for name in EXTRA_FIELDS.get(action.name, {})}
    assert found == excused


def filled(value: Any, path: str = "") -> Iterator[str]:
    """The fields that an answer has."""
    if isinstance(value, dict):
        for name, item in value.items():
            inner = f"{path}.{name}" if path else name
            yield inner
            yield from filled(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from filled(item, f"{path}[]")


def lacking(present: set[str], kind: Any, path: str = "") -> Iterator[str]:
    """The fields of a model that are not present, where what they belong to is."""
    if typing.get_origin(kind) is list:
        # A list that stays empty on the tour says nothing of its items.
        if any(name.startswith(f"{path}[]") for name in present):
            yield from lacking(present, typing.get_args(kind)[0], f"{path}[]")
    elif isinstance(kind, type) and issubclass(kind, DaraModel):
        for name, inner in fields(kind).items():
            full = f"{path}.{name}" if path else name
            if full in present:
                yield from lacking(present, inner, full)
            elif path or name != "RequestId":
                yield full


@pytest.mark.parametrize("action", [a for a in MODELLED if a.product == "Slb"], ids=name_of)
def test_answers_have_what_the_sdk_s_models_have(answers, action: Action) -> None:
    present = {name for answer in answers[name_of(action)] for name in filled(answer)}
    model = MODELS[action.product][f"{action.name}ResponseBody".lower()]
    assert set(lacking(present, model)) == set(MISSING_FIELDS.get(action.name, {}))


@pytest.mark.parametrize("action", MODELLED, ids=name_of)
def test_parameters_are_those_of_the_sdk_s_models(action: Action) -> None:
    model = MODELS[action.product][f"{action.name}Request".lower()]
    unknown = set(unknown_parameters(action.request, model))
    added = {*ADDED.get(name_of(action), {}), *ADDED_WITHIN.get(name_of(action), {})}
    assert unknown - EVERYWHERE.keys() == added


def unknown_parameters(request: type[BaseModel], model: type[DaraModel]) -> Iterator[str]:
    known = fields(model)
    for name, field in request.model_fields.items():
        if name not in known:
            yield name
            continue
        ours, theirs = member(field.annotation, BaseModel), member(known[name], DaraModel)
        if ours is not None and theirs is not None:
            yield from (f"{name}.{one}" for one in unknown_parameters(ours, theirs))


def member(kind: Any, base: type) -> type | None:
    """The model within a type, such as a list of it."""
    if isinstance(kind, type) and issubclass(kind, base):
        return kind
    found = (member(inner, base) for inner in typing.get_args(kind))
    return next((one for one in found if one is not None), None)
