"""Behaviour that listeners have in common: born stopped, started by a call of its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from localcloud import serving
from localcloud.cloud import Cloud
from localcloud.dataplane import haproxy_syntax as syntax
from localcloud.documents import (
    DomainExtension,
    ForwardingRule,
    Listener,
    LoadBalancer,
    VServerGroup,
)
from localcloud.errors import ApiError, invalid, missing, not_emulated
from localcloud.products import SLB, Answer
from localcloud.requests import OnOff, TaggedRequest, validate_as_served
from localcloud.services.acls import require_usable
from localcloud.services.load_balancers import OfLoadBalancer, find_load_balancer
from localcloud.services.tags import tag_keys

MOST = 50
"""Number of listeners that one load balancer has at most."""

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
"""Defaults of the API for what a request leaves out."""

OPTIONAL = (
    "BackendServerPort",
    "StickySessionType",
    "CookieTimeout",
    "Cookie",
    "HealthCheckDomain",
    "HealthCheckConnectPort",
)
"""Attributes that a listener need not have."""

ACL_DETAILS = ("AclId", "AclType")
"""Attributes that say something only while AclStatus is on, and are kept while it is off."""

REDIRECTING = ("ListenerForward", "ForwardPort", "AclStatus", "AclType", "AclId", "Description")
"""Attributes of a listener that redirects; it ignores all others."""


Protocol = Literal["http", "https", "tcp"]

CookieName = Annotated[
    str, validate_as_served(syntax.check_cookie, "a token of HTTP that begins without a $")
]

HealthCheckUri = Annotated[
    str,
    Field(pattern=r"^/[A-Za-z0-9_\-/.%?#&=~]{0,79}$"),
    validate_as_served(syntax.check_uri, "a path for health checks"),
]


def _check_host(text: str) -> str:
    return text if text in {"", serving.OWN_ADDRESS} else syntax.check_domain(text)


HealthCheckHost = Annotated[
    str,
    validate_as_served(_check_host, f"a domain of up to 80 characters, or {serving.OWN_ADDRESS}"),
]


HttpCodes = Annotated[str, Field(pattern=r"^http_[2345]xx(,http_[2345]xx)*$")]


class OfListener(OfLoadBalancer):
    ListenerPort: int


class Creation(OfListener, TaggedRequest):
    """Request that creates a listener of any protocol."""


class OfAnyListener(OfListener):
    ListenerProtocol: Protocol | None = None


class Attributes(OfListener):
    """Attributes that both Create and Set take; a field that is not given keeps its value."""

    BackendServerPort: int | None = None
    Bandwidth: int | None = None
    Scheduler: Literal["wrr", "rr", "wlc"] | None = None
    Description: Annotated[str, Field(max_length=256)] | None = None
    Gzip: OnOff | None = None
    IdleTimeout: int | None = None
    RequestTimeout: int | None = None
    XForwardedFor: Literal["on"] | None = None
    XForwardedFor_proto: OnOff | None = None
    XForwardedFor_SLBIP: OnOff | None = None
    XForwardedFor_SLBID: OnOff | None = None
    HealthCheck: OnOff | None = None
    HealthCheckURI: HealthCheckUri | None = None
    HealthCheckMethod: Literal["head", "get"] | None = None
    HealthCheckDomain: HealthCheckHost | None = None
    HealthCheckHttpCode: HttpCodes | None = None
    HealthCheckConnectPort: int | None = None
    HealthCheckTimeout: int | None = None
    HealthCheckInterval: int | None = None
    HealthyThreshold: int | None = None
    UnhealthyThreshold: int | None = None
    StickySession: OnOff | None = None
    StickySessionType: Literal["insert", "server"] | None = None
    CookieTimeout: int | None = None
    Cookie: CookieName | None = None
    AclStatus: OnOff | None = None
    AclId: str | None = None
    AclType: Literal["", "white", "black"] | None = None
    VServerGroupId: str | None = None
    MasterSlaveServerGroupId: str | None = None
    ProxyProtocolV2Enabled: bool | None = None


class Changes(Attributes):
    """Attributes that Set takes beyond those of Create."""

    VServerGroup: OnOff | None = None
    MasterSlaveServerGroup: OnOff | None = None
    HealthCheckConnectTimeout: int | None = None


@SLB.action_named("StartLoadBalancerListener")
def start_listener(cloud: Cloud, request: OfAnyListener) -> Answer:
    return _switch(cloud, request, running=True)


@SLB.action_named("StopLoadBalancerListener")
def stop_listener(cloud: Cloud, request: OfAnyListener) -> Answer:
    return _switch(cloud, request, running=False)


@SLB.action_named("DeleteLoadBalancerListener")
def delete_listener(cloud: Cloud, request: OfAnyListener) -> Answer:
    remove(cloud, find_any_protocol(cloud, request))
    owner = find_load_balancer(cloud, request)
    if owner.status == "active" and not cloud.store.all(Listener, load_balancer_id=owner.id):
        cloud.store.put(owner.model_copy(update={"status": "inactive", "emptied": True}))
    cloud.apply()
    return {}


def create(
    cloud: Cloud,
    request: Creation,
    protocol: Protocol,
    attributes: dict[str, Any],
) -> None:
    """Remember a new listener, stopped.

    Raises:
        ApiError: The port is taken, or the load balancer has as many listeners as it may have.
    """
    owner = find_load_balancer(cloud, request)
    present = cloud.store.all(Listener, load_balancer_id=owner.id)
    if any(listener.port == request.ListenerPort for listener in present):
        raise ApiError(
            400, "ListenerAlreadyExists", "There is already such a listener listening on that port."
        )
    if len(present) >= MOST:
        raise ApiError(
            400, "ListenerNumberOverLimit", "The maximum number of listeners is exceeded."
        )
    listener = Listener(
        id=f"{owner.id}:{protocol}:{request.ListenerPort}",
        region=owner.region,
        load_balancer_id=owner.id,
        protocol=protocol,
        port=request.ListenerPort,
        attributes=attributes,
        tags=request.tags(),
    )
    require_consistent(cloud, owner, listener)
    cloud.store.put(listener)


def change(cloud: Cloud, request: Changes, listener: Listener) -> None:
    """Change a listener as a request says, and have it served.

    Raises:
        ApiError: The listener cannot be changed so.
    """
    values = read_attributes(request)
    require_same_port(listener, values)
    if request.VServerGroup == "off":
        values["VServerGroupId"] = ""
    elif request.VServerGroup == "on" and not request.VServerGroupId:
        raise missing("VServerGroupId")
    if request.MasterSlaveServerGroup == "on":
        raise not_emulated("listeners with MasterSlaveServerGroup on")
    listener.attributes |= values
    require_consistent(cloud, find_load_balancer(cloud, request), listener)
    cloud.store.put(listener)
    cloud.apply()


def require_same_port(listener: Listener, values: dict[str, Any]) -> None:
    """Check that a change does not move the backends' port.

    Raises:
        ApiError: The change moves the port.
    """
    port = listener.attributes.get("BackendServerPort")
    if values.get("BackendServerPort", port) != port:
        raise invalid("BackendServerPort", "It is set when the listener is made.")


def read_attributes(request: Attributes) -> dict[str, Any]:
    """Read the attributes that a request sets, as the listener keeps them."""
    if request.MasterSlaveServerGroupId:
        raise not_emulated("listeners with MasterSlaveServerGroupId")
    if request.ProxyProtocolV2Enabled:
        raise not_emulated("the proxy protocol")
    if request.Bandwidth == 0:
        raise invalid("Bandwidth", "It is -1 or 1 to 5120.")
    values = request.model_dump(exclude_none=True)
    return {name: values[name] for name in (*CREATED_WITH, *OPTIONAL) if name in values}


def require_consistent(cloud: Cloud, owner: LoadBalancer, listener: Listener) -> None:
    """Check attributes against each other, and drop those that then mean nothing.

    Raises:
        ApiError: The attributes contradict each other, or refer to what is not there.
    """
    values = listener.attributes
    if values["AclStatus"] == "on":
        for name in ACL_DETAILS:
            if not values[name]:
                raise missing(name)
        require_usable(cloud, owner, listener.acl_ids)
    if values.get("ListenerForward") == "on":
        return
    if group := values["VServerGroupId"]:
        require_group(cloud, owner.id, group)
    elif values.get("BackendServerPort") is None:
        raise missing("BackendServerPort")
    if "StickySession" in values:
        settle_sticky_session(values)
    own = serving.OWN_PORT if group else values["BackendServerPort"]
    values.setdefault("HealthCheckConnectPort", own)
    require_port(values["HealthCheckConnectPort"])


def require_port(port: int) -> None:
    """Check the port to which health checks go.

    Raises:
        ApiError: The number is no port.
    """
    if port != serving.OWN_PORT and port < 1:
        raise invalid("HealthCheckConnectPort", "It is 1 to 65535, or -520 for the backend port.")


def require_group(cloud: Cloud, load_balancer_id: str, group: str) -> None:
    """Check that a load balancer has a VServer group.

    Raises:
        ApiError: The load balancer has no such group.
    """
    present = cloud.store.get(VServerGroup, group)
    if present is None or present.load_balancer_id != load_balancer_id:
        # The provider looks for these words.
        raise ApiError(404, "InvalidParameter", "The specified VServerGroupId does not exist.")


def settle_sticky_session(values: dict[str, Any]) -> None:
    """Check attributes of session persistence, and drop those that then mean nothing.

    Raises:
        ApiError: An attribute is missing.
    """
    kept: tuple[str, ...] = ()
    if values["StickySession"] == "on":
        if "StickySessionType" not in values:
            raise missing("StickySessionType")
        detail = "CookieTimeout" if values["StickySessionType"] == "insert" else "Cookie"
        if detail not in values:
            raise missing(detail)
        kept = ("StickySessionType", detail)
    for name in {"StickySessionType", "CookieTimeout", "Cookie"} - {*kept}:
        values.pop(name, None)


def find(cloud: Cloud, request: OfListener, protocol: Protocol) -> Listener:
    """Find the listener of a port and protocol.

    Raises:
        ApiError: The load balancer has no such listener.
    """
    owner = find_load_balancer(cloud, request)
    listener = cloud.store.get(Listener, f"{owner.id}:{protocol}:{request.ListenerPort}")
    if listener is None:
        # The provider looks for these words.
        raise ApiError(404, "ListenerNotFound", "The specified resource does not exist.")
    return listener


WITHOUT = {
    "ConnectionDrain": "off",
    "MasterSlaveServerGroupId": "",
    "SynProxy": "disable",
}
"""Attributes that the API describes of TCP listeners, and none here has."""

NEVER_FORWARDED = ("XForwardedFor_SLBPORT", "XForwardedFor_ClientSrcPort")
NEVER_FORWARDED_OF_CLIENTS = tuple(
    f"XForwardedFor_ClientCert{what}"
    for what in ("SubjectDN", "IssuerDN", "Fingerprint", "ClientVerify")
)
"""Headers that no listener here adds; CLB's API describes them and its metadata lets nobody set
those of clients' certificates."""


def headers_not_forwarded(listener: Listener) -> dict[str, str]:
    """Headers that a listener does not add to requests, each `off`."""
    if listener.protocol == "tcp" or listener.attributes["ListenerForward"] == "on":
        return {}
    of_clients = NEVER_FORWARDED_OF_CLIENTS if listener.protocol == "https" else ()
    return dict.fromkeys((*NEVER_FORWARDED, *of_clients), "off")


def describe(cloud: Cloud, listener: Listener) -> Answer:
    """Describe the attributes of a listener; its health check's only if it has one."""
    values = listener.attributes
    checked = values.get("HealthCheck") == "on"
    guarded = values["AclStatus"] == "on"
    return {
        **{
            name: value
            for name, value in values.items()
            if (
                checked
                or name == "HealthCheck"
                or not name.startswith(("HealthCheck", "Healthy", "Unhealthy"))
            )
            and (guarded or name not in ACL_DETAILS)
        },
        **(WITHOUT if listener.protocol == "tcp" else _describe_http(cloud, listener)),
        "Tags": {"Tag": tag_keys(listener)},
        "LoadBalancerId": listener.load_balancer_id,
        "ListenerPort": listener.port,
        "Status": cloud.listener_status(listener),
        **({"AclIds": {"AclId": listener.acl_ids}} if guarded else {}),
    }


def _describe_http(cloud: Cloud, listener: Listener) -> Answer:
    rules = [describe_rule(rule) for rule in serving.list_rules(cloud.store, listener)]
    return {**headers_not_forwarded(listener), "Rules": {"Rule": rules}, "SecurityStatus": "off"}


def describe_rule(rule: ForwardingRule) -> Answer:
    """Describe a forwarding rule as its listener shows it."""
    return {
        "RuleId": rule.id,
        "RuleName": rule.name,
        "Domain": rule.domain,
        "Url": rule.url,
        "VServerGroupId": rule.vserver_group_id,
    }


def remove(cloud: Cloud, listener: Listener) -> None:
    """Forget a listener with its further domains and its rules."""
    for document in (
        *find_domain_extensions(cloud, listener),
        *serving.list_rules(cloud.store, listener),
    ):
        cloud.store.delete(document)
    cloud.store.delete(listener)


def find_domain_extensions(cloud: Cloud, listener: Listener) -> list[DomainExtension]:
    """List the further domains of a listener."""
    return cloud.store.all(
        DomainExtension, load_balancer_id=listener.load_balancer_id, port=listener.port
    )


def _switch(cloud: Cloud, request: OfAnyListener, *, running: bool) -> Answer:
    listener = find_any_protocol(cloud, request)
    listener.running = running
    cloud.store.put(listener)
    owner = find_load_balancer(cloud, request)
    if running and owner.emptied:
        cloud.store.put(owner.model_copy(update={"status": "active", "emptied": False}))
    cloud.apply()
    if running:
        cloud.require_served(listener)
    return {}


def find_any_protocol(cloud: Cloud, request: OfAnyListener) -> Listener:
    """Find the listener of a port, whatever its protocol unless the request names one.

    Raises:
        ApiError: The port has no listener.
    """
    if request.ListenerProtocol is not None:
        return find(cloud, request, request.ListenerProtocol)
    for listener in cloud.store.all(
        Listener, load_balancer_id=find_load_balancer(cloud, request).id
    ):
        if listener.port == request.ListenerPort:
            return listener
    return find(cloud, request, "https")
