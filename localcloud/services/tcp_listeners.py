"""TCP listeners: connections go to a server and stay there; nothing of what they carry is read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from localcloud.cloud import Cloud
from localcloud.dataplane import haproxy_syntax as syntax
from localcloud.errors import invalid, missing, not_emulated
from localcloud.products import SLB, Answer
from localcloud.requests import OnOff, validate_as_served
from localcloud.services import listeners
from localcloud.services.load_balancers import find_load_balancer

CREATED_WITH: dict[str, Any] = {
    "Bandwidth": -1,
    "Scheduler": "wrr",
    "PersistenceTimeout": 0,
    "EstablishedTimeout": 900,
    "HealthCheck": "on",
    "HealthCheckType": "tcp",
    "HealthCheckConnectTimeout": 5,
    "HealthCheckInterval": 2,
    "HealthyThreshold": 3,
    "UnhealthyThreshold": 3,
    "ProxyProtocolV2Enabled": False,
    "VServerGroupId": "",
    "AclStatus": "off",
    "AclId": "",
    "AclType": "",
    "Description": "",
}
"""Defaults of the API for what a request leaves out."""

OF_HTTP_CHECKS = {"HealthCheckURI": "/", "HealthCheckHttpCode": "http_2xx", "HealthCheckDomain": ""}
"""Attributes of health checks over HTTP, with their defaults."""

OPTIONAL = ("BackendServerPort", "HealthCheckConnectPort", *OF_HTTP_CHECKS)
"""Attributes that a listener need not have."""


def _check_uri(text: str) -> str:
    return text and syntax.check_uri(text)


CheckUri = Annotated[
    str,
    Field(pattern=r"^(/[A-Za-z0-9_\-/.%?#&=~]{0,79})?$"),
    validate_as_served(_check_uri, "a path for health checks"),
]
"""Path of health checks, empty where they are over TCP: the provider sends back what it got."""


class TcpAttributes(listeners.OfListener):
    """Attributes that both Create and Set take; a field that is not given keeps its value."""

    BackendServerPort: int | None = None
    Bandwidth: int | None = None
    Scheduler: Literal["wrr", "rr", "wlc", "sch", "tch", "qch"] | None = None
    Description: Annotated[str, Field(max_length=256)] | None = None
    PersistenceTimeout: int | None = None
    EstablishedTimeout: int | None = None
    HealthCheckSwitch: OnOff | None = None
    HealthCheckType: Literal["tcp", "http"] | None = None
    HealthCheckURI: CheckUri | None = None
    HealthCheckDomain: listeners.HealthCheckHost | None = None
    HealthCheckHttpCode: (
        Annotated[str, Field(pattern=r"^(http_[2345]xx(,http_[2345]xx)*)?$")] | None
    ) = None
    HealthCheckConnectPort: int | None = None
    HealthCheckConnectTimeout: int | None = None
    HealthyThreshold: int | None = None
    UnhealthyThreshold: int | None = None
    AclStatus: OnOff | None = None
    AclId: str | None = None
    AclType: Literal["", "white", "black"] | None = None
    VServerGroupId: str | None = None
    MasterSlaveServerGroupId: str | None = None
    ProxyProtocolV2Enabled: bool | None = None
    ConnectionDrain: OnOff | None = None
    ConnectionDrainTimeout: int | None = None


class CreateLoadBalancerTCPListener(TcpAttributes, listeners.Creation):
    healthCheckInterval: int | None = None  # noqa: N815 - as the API spells it


class SetLoadBalancerTCPListenerAttribute(TcpAttributes):
    HealthCheckInterval: int | None = None
    VServerGroup: OnOff | None = None
    MasterSlaveServerGroup: OnOff | None = None
    SynProxy: Literal["enable", "disable"] | None = None
    # Those of HTTP listeners, which the provider sends for every protocol.
    Cookie: str | None = None
    CookieTimeout: int | None = None
    Gzip: str | None = None
    HealthCheck: str | None = None
    HealthCheckMethod: str | None = None
    HealthCheckTimeout: int | None = None
    IdleTimeout: int | None = None
    RequestTimeout: int | None = None
    StickySession: str | None = None
    StickySessionType: str | None = None


@SLB.action
def create_tcp_listener(cloud: Cloud, request: CreateLoadBalancerTCPListener) -> Answer:
    attributes = {**CREATED_WITH, **_read_attributes(request)}
    if request.healthCheckInterval is not None:
        attributes["HealthCheckInterval"] = request.healthCheckInterval
    _settle_check(attributes)
    listeners.create(cloud, request, "tcp", attributes)
    return {}


@SLB.action
def set_tcp_listener(cloud: Cloud, request: SetLoadBalancerTCPListenerAttribute) -> Answer:
    listener = listeners.find(cloud, request, "tcp")
    values = _read_attributes(request)
    if request.HealthCheckInterval is not None:
        values["HealthCheckInterval"] = request.HealthCheckInterval
    if request.VServerGroup == "off":
        values["VServerGroupId"] = ""
    elif request.VServerGroup == "on" and not request.VServerGroupId:
        raise missing("VServerGroupId")
    if request.MasterSlaveServerGroup == "on":
        raise not_emulated("listeners with MasterSlaveServerGroup on")
    if request.SynProxy == "enable":
        raise not_emulated("the SYN proxy")
    listeners.require_same_port(listener, values)
    listener.attributes |= values
    _settle_check(listener.attributes)
    listeners.require_consistent(cloud, find_load_balancer(cloud, request), listener)
    cloud.store.put(listener)
    cloud.apply()
    return {}


@SLB.action_named("DescribeLoadBalancerTCPListenerAttribute")
def describe_tcp_listener(cloud: Cloud, request: listeners.OfListener) -> Answer:
    listener = listeners.find(cloud, request, "tcp")
    return listeners.describe(cloud, listener)


def _read_attributes(request: TcpAttributes) -> dict[str, Any]:
    """Read the attributes that a request sets, as the listener keeps them."""
    if request.MasterSlaveServerGroupId:
        raise not_emulated("listeners with MasterSlaveServerGroupId")
    if request.ConnectionDrain == "on":
        raise not_emulated("connection draining")
    if request.Scheduler in {"sch", "tch", "qch"}:
        raise not_emulated("schedulers by hashes of addresses or connection ids")
    if request.Bandwidth == 0:
        raise invalid("Bandwidth", "It is -1 or 1 to 5120.")
    values = request.model_dump(exclude_none=True)
    attributes = {name: values[name] for name in (*CREATED_WITH, *OPTIONAL) if name in values}
    # What the provider sends by this name is of HTTP listeners.
    attributes.pop("HealthCheck", None)
    if request.HealthCheckSwitch is not None:
        attributes["HealthCheck"] = request.HealthCheckSwitch
    return attributes


def _settle_check(values: dict[str, Any]) -> None:
    """Complete what a health check over HTTP needs; empty what one over TCP has no use for."""
    for name, default in OF_HTTP_CHECKS.items():
        if values["HealthCheckType"] == "tcp":
            # The provider's tests want it empty; what is left out, the provider keeps.
            values[name] = ""
        else:
            values[name] = values.get(name) or default
