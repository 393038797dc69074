"""The default server group of a load balancer, and its health."""

from __future__ import annotations

import ast
import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from localcloud.cloud import Cloud
from localcloud.documents import BackendServer, Instance, Listener, LoadBalancer
from localcloud.errors import ApiError, invalid
from localcloud.products import SLB, Answer
from localcloud.requests import Port
from localcloud.services.load_balancers import OfLoadBalancer, load_balancer

PER_CALL = 20
"""Servers that one call takes."""


class GivenServer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ServerId: str
    Weight: Annotated[int, Field(ge=0, le=100)] = 100
    Type: Literal["ecs"] = "ecs"
    ServerIp: Literal[""] = ""
    Description: str = ""


SERVERS = TypeAdapter(list[GivenServer])


class AddBackendServers(OfLoadBalancer):
    BackendServers: str


class SetBackendServers(OfLoadBalancer):
    BackendServers: str


class RemoveBackendServers(OfLoadBalancer):
    BackendServers: str


class DescribeHealthStatus(OfLoadBalancer):
    ListenerPort: Port | None = None
    ListenerProtocol: str = ""


@SLB.action
def add_backend_servers(cloud: Cloud, request: AddBackendServers) -> Answer:
    found = load_balancer(cloud, request)
    present = {one.server_id for one in found.backends}
    for given in _given(request.BackendServers):
        instance = cloud.store.get(Instance, given.ServerId)
        if instance is None or instance.stopped or instance.region != found.region:
            raise ApiError(
                400, "ObtainIpFail", "Obtain IP address of a server failed: it is not running."
            )
        if given.ServerId not in present:
            present.add(given.ServerId)
            found.backends.append(BackendServer(server_id=given.ServerId, weight=given.Weight))
    return _saved(cloud, found)


@SLB.action
def set_backend_servers(cloud: Cloud, request: SetBackendServers) -> Answer:
    found = load_balancer(cloud, request)
    weights = {given.ServerId: given.Weight for given in _given(request.BackendServers)}
    for one in found.backends:
        one.weight = weights.get(one.server_id, one.weight)
    return _saved(cloud, found)


@SLB.action
def remove_backend_servers(cloud: Cloud, request: RemoveBackendServers) -> Answer:
    found = load_balancer(cloud, request)
    gone = {given.ServerId for given in _given(request.BackendServers)}
    found.backends = [one for one in found.backends if one.server_id not in gone]
    return _saved(cloud, found)


@SLB.action
def describe_health_status(cloud: Cloud, request: DescribeHealthStatus) -> Answer:
    found = load_balancer(cloud, request)
    listeners = [
        one
        for one in cloud.store.all(Listener, load_balancer_id=found.id)
        if request.ListenerPort in {None, one.port} and request.ListenerProtocol in {"", "https"}
    ]
    answers = []
    for listener in listeners:
        health = cloud.health(listener)
        for backend in found.backends:
            instance = cloud.store.get(Instance, backend.server_id)
            answers.append(
                {
                    "ServerId": backend.server_id,
                    "ServerIp": instance.private_ip if instance else "",
                    "Port": listener.attributes["BackendServerPort"],
                    "ListenerPort": listener.port,
                    "Protocol": "https",
                    "ServerHealthStatus": health.get(backend.server_id, "unavailable"),
                }
            )
    return {"BackendServers": {"BackendServer": answers}}


def _given(text: str) -> list[GivenServer]:
    """Read the list: JSON, or with the provider's single quotes; empty text is an empty list."""
    if not text:
        return []
    try:
        values = json.loads(text) if '"' in text else ast.literal_eval(text)
        servers = SERVERS.validate_python(values)
    except ValidationError as error:
        raise invalid("BackendServers", error.errors()[0]["msg"] + ".") from None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise invalid("BackendServers", "It is a JSON list of servers.") from None
    if len(servers) > PER_CALL:
        raise ApiError(
            400, "TooManyBackendServers", f"A call takes {PER_CALL} backend servers at most."
        )
    return servers


def _saved(cloud: Cloud, found: LoadBalancer) -> Answer:
    cloud.store.put(found)
    cloud.apply()
    members = [
        {"ServerId": one.server_id, "Weight": str(one.weight), "Type": "ecs"}
        for one in found.backends
    ]
    return {"LoadBalancerId": found.id, "BackendServers": {"BackendServer": members}}
