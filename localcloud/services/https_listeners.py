"""HTTPS listeners: born stopped, started by a call of its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from localcloud.cloud import Cloud
from localcloud.documents import Listener
from localcloud.errors import ApiError, invalid, missing, not_emulated
from localcloud.products import SLB, Answer
from localcloud.requests import OnOff, Port
from localcloud.services.certificates import ca_certificate, server_certificate
from localcloud.services.load_balancers import OfLoadBalancer, load_balancer

CREATED_WITH: dict[str, Any] = {
    "Bandwidth": -1,
    "Scheduler": "wrr",
    "StickySession": "off",
    "HealthCheck": "on",
    "HealthCheckURI": "/",
    "HealthCheckMethod": "head",
    "HealthCheckHttpCode": "http_2xx",
    "HealthCheckTimeout": 5,
    "HealthCheckInterval": 2,
    "HealthyThreshold": 3,
    "UnhealthyThreshold": 3,
    "IdleTimeout": 15,
    "RequestTimeout": 60,
    "Gzip": "on",
    "EnableHttp2": "on",
    "TLSCipherPolicy": "tls_cipher_policy_1_0",
    "CACertificateId": "",
    "VServerGroupId": "",
    "AclStatus": "off",
    "AclId": "",
    "AclType": "",
    "ListenerForward": "off",
    "XForwardedFor": "on",
    "XForwardedFor_proto": "off",
    "XForwardedFor_SLBIP": "off",
    "XForwardedFor_SLBID": "off",
    "Description": "",
}
"""The API's defaults for what a request leaves out."""

OWN_PORT = -520
"""HealthCheckConnectPort that stands for the backend port."""


class OfListener(OfLoadBalancer):
    ListenerPort: Port


class OfAnyListener(OfListener):
    ListenerProtocol: Literal["https"] = "https"


class HttpsAttributes(OfListener):
    """What both Create and Set take; a field that is not given keeps its value."""

    BackendServerPort: Port | None = None
    Bandwidth: Annotated[int, Field(ge=-1, le=5120)] | None = None
    Scheduler: Literal["wrr", "rr"] | None = None
    Description: Annotated[str, Field(max_length=80)] | None = None
    ServerCertificateId: str | None = None
    CACertificateId: str | None = None
    TLSCipherPolicy: (
        Literal[
            "tls_cipher_policy_1_0",
            "tls_cipher_policy_1_1",
            "tls_cipher_policy_1_2",
            "tls_cipher_policy_1_2_strict",
            "tls_cipher_policy_1_2_strict_with_1_3",
        ]
        | None
    ) = None
    EnableHttp2: OnOff | None = None
    Gzip: OnOff | None = None
    IdleTimeout: Annotated[int, Field(ge=1, le=60)] | None = None
    RequestTimeout: Annotated[int, Field(ge=1, le=180)] | None = None
    XForwardedFor: Literal["on"] | None = None
    XForwardedFor_proto: OnOff | None = None
    XForwardedFor_SLBIP: OnOff | None = None
    XForwardedFor_SLBID: OnOff | None = None
    HealthCheck: OnOff | None = None
    HealthCheckURI: Annotated[str, Field(pattern=r"^/[\w\-/.%?#&=~]{0,79}$")] | None = None
    HealthCheckMethod: Literal["head", "get"] | None = None
    HealthCheckDomain: Annotated[str, Field(pattern=r"^[\w.-]{0,80}$")] | None = None
    HealthCheckHttpCode: (
        Annotated[str, Field(pattern=r"^http_[2345]xx(,http_[2345]xx)*$")] | None
    ) = None
    HealthCheckConnectPort: Annotated[int, Field(ge=-520, le=65535)] | None = None
    HealthCheckTimeout: Annotated[int, Field(ge=1, le=300)] | None = None
    HealthCheckInterval: Annotated[int, Field(ge=1, le=50)] | None = None
    HealthyThreshold: Annotated[int, Field(ge=2, le=10)] | None = None
    UnhealthyThreshold: Annotated[int, Field(ge=2, le=10)] | None = None
    StickySession: OnOff | None = None
    AclStatus: OnOff | None = None
    AclId: Literal[""] | None = None
    AclType: Literal["", "white", "black"] | None = None
    VServerGroupId: str | None = None
    MasterSlaveServerGroupId: str | None = None
    ProxyProtocolV2Enabled: bool | None = None


class CreateLoadBalancerHTTPSListener(HttpsAttributes):
    pass


class SetLoadBalancerHTTPSListenerAttribute(HttpsAttributes):
    VServerGroup: OnOff | None = None
    MasterSlaveServerGroup: OnOff | None = None
    HealthCheckConnectTimeout: Annotated[int, Field(ge=1, le=300)] | None = None


class DescribeLoadBalancerHTTPSListenerAttribute(OfListener):
    pass


class StartLoadBalancerListener(OfAnyListener):
    pass


class StopLoadBalancerListener(OfAnyListener):
    pass


class DeleteLoadBalancerListener(OfAnyListener):
    pass


@SLB.action
def create_https_listener(cloud: Cloud, request: CreateLoadBalancerHTTPSListener) -> Answer:
    owner = load_balancer(cloud, request)
    for name in ("BackendServerPort", "ServerCertificateId"):
        if getattr(request, name) is None:
            raise missing(name)
    key = f"{owner.id}:https:{request.ListenerPort}"
    if cloud.store.get(Listener, key) is not None:
        raise ApiError(
            400, "ListenerAlreadyExists", "There is already such a listener listening on that port."
        )
    listener = Listener(
        id=key,
        region=owner.region,
        load_balancer_id=owner.id,
        port=request.ListenerPort,
        attributes={**CREATED_WITH, **_given(request)},
    )
    _require_consistent(cloud, listener)
    cloud.store.put(listener)
    return {}


@SLB.action
def set_https_listener(cloud: Cloud, request: SetLoadBalancerHTTPSListenerAttribute) -> Answer:
    listener = _listener(cloud, request)
    given = _given(request)
    port = listener.attributes["BackendServerPort"]
    if given.get("BackendServerPort", port) != port:
        raise invalid("BackendServerPort", "It is set when the listener is made.")
    listener.attributes |= given
    _require_consistent(cloud, listener)
    cloud.store.put(listener)
    cloud.apply()
    return {}


@SLB.action
def describe_https_listener(
    cloud: Cloud, request: DescribeLoadBalancerHTTPSListenerAttribute
) -> Answer:
    listener = _listener(cloud, request)
    values = listener.attributes
    checked = values["HealthCheck"] == "on"
    return {
        **{
            name: value
            for name, value in values.items()
            if checked or not name.startswith(("HealthCheck", "Healthy", "Unhealthy"))
        },
        "HealthCheck": values["HealthCheck"],
        "LoadBalancerId": listener.load_balancer_id,
        "ListenerPort": listener.port,
        "Status": "running" if listener.running else "stopped",
        "SecurityStatus": "off",
        "AclIds": {"AclId": []},
    }


@SLB.action
def start_listener(cloud: Cloud, request: StartLoadBalancerListener) -> Answer:
    return _switched(cloud, request, running=True)


@SLB.action
def stop_listener(cloud: Cloud, request: StopLoadBalancerListener) -> Answer:
    return _switched(cloud, request, running=False)


@SLB.action
def delete_listener(cloud: Cloud, request: DeleteLoadBalancerListener) -> Answer:
    cloud.store.delete(_listener(cloud, request))
    cloud.apply()
    return {}


def _switched(cloud: Cloud, request: OfListener, *, running: bool) -> Answer:
    listener = _listener(cloud, request)
    listener.running = running
    cloud.store.put(listener)
    cloud.apply()
    return {}


def _listener(cloud: Cloud, request: OfListener) -> Listener:
    owner = load_balancer(cloud, request)
    found = cloud.store.get(Listener, f"{owner.id}:https:{request.ListenerPort}")
    if found is None:
        # The provider looks for these words.
        raise ApiError(404, "ListenerNotFound", "The specified resource does not exist.")
    return found


def _given(request: HttpsAttributes) -> dict[str, Any]:
    """The attributes that a request sets, as the listener keeps them."""
    for switch in ("StickySession", "AclStatus", "VServerGroup", "MasterSlaveServerGroup"):
        if getattr(request, switch, "off") == "on":
            raise not_emulated(f"listeners with {switch} on")
    for group in ("VServerGroupId", "MasterSlaveServerGroupId"):
        if getattr(request, group):
            raise not_emulated(f"listeners with {group}")
    if request.ProxyProtocolV2Enabled:
        raise not_emulated("the proxy protocol")
    if request.Bandwidth == 0:
        raise invalid("Bandwidth", "It is -1 or 1 to 5120.")
    known = {*CREATED_WITH, "BackendServerPort", "ServerCertificateId", "HealthCheckDomain"}
    values = request.model_dump(exclude_none=True)
    given = {name: value for name, value in values.items() if name in known}
    if request.HealthCheckConnectPort is not None:
        given["HealthCheckConnectPort"] = request.HealthCheckConnectPort
    return given


def _require_consistent(cloud: Cloud, listener: Listener) -> None:
    values = listener.attributes
    server_certificate(cloud, values["ServerCertificateId"], listener.region)
    if values["CACertificateId"]:
        ca_certificate(cloud, values["CACertificateId"], listener.region)
    checked = values.setdefault("HealthCheckConnectPort", values["BackendServerPort"])
    if checked == OWN_PORT:
        values["HealthCheckConnectPort"] = values["BackendServerPort"]
    elif checked != values["BackendServerPort"]:
        raise not_emulated("health checks of another port than the backend's")
