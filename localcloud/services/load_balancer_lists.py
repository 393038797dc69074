"""Lists of CLB instances and listeners, as the provider's data sources ask for them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from localcloud.cloud import Cloud
from localcloud.documents import Instance, Listener, LoadBalancer
from localcloud.products import SLB, Answer
from localcloud.requests import PagedRequest, TaggedRequest
from localcloud.services.listeners import ACL_DETAILS, headers_not_forwarded
from localcloud.services.load_balancers import describe_balancer
from localcloud.services.tags import has_tags, tag_keys

BY_ALL = ("BackendServerPort", "Bandwidth", "Description", "Scheduler", "VServerGroupId")
"""Attributes that DescribeLoadBalancerListeners shows outside of a protocol's own object."""


class DescribeLoadBalancers(PagedRequest, TaggedRequest):
    LoadBalancerId: str = ""
    LoadBalancerName: str = ""
    LoadBalancerStatus: str = ""
    Address: str = ""
    AddressIPVersion: Literal["", "ipv4", "ipv6"] = ""
    AddressType: Literal["", "internet", "intranet"] = ""
    InternetChargeType: str = ""
    MasterZoneId: str = ""
    SlaveZoneId: str = ""
    NetworkType: str = ""
    PayType: str = ""
    ResourceGroupId: str = ""
    ServerId: str = ""
    ServerIntranetAddress: str = ""
    VpcId: str = ""
    VSwitchId: str = ""


class DescribeLoadBalancerListeners(TaggedRequest):
    LoadBalancerId: list[str] = []
    ListenerPort: int | None = None
    ListenerProtocol: Literal["", "http", "https", "tcp"] = ""
    Description: str = ""
    MaxResults: int = 20
    NextToken: Annotated[str, Field(pattern=r"^[0-9]{0,9}$")] = ""


@SLB.action
def describe_load_balancers(cloud: Cloud, request: DescribeLoadBalancers) -> Answer:
    servers = _find_servers(cloud, request)
    balancers = []
    for balancer in cloud.store.all(LoadBalancer, region=request.RegionId):
        shown = describe_balancer(balancer)
        if servers is not None and not servers & {
            backend.server_id for backend in balancer.backends
        }:
            continue
        if all(_is_as_asked(shown, request, name) for name in _FILTERS) and has_tags(
            balancer, request.Tag
        ):
            balancers.append({name: value for name, value in shown.items() if name not in _ENDS})
    return {"LoadBalancers": {"LoadBalancer": request.page(balancers)}, **request.paging(balancers)}


@SLB.action
def describe_load_balancer_listeners(
    cloud: Cloud, request: DescribeLoadBalancerListeners
) -> Answer:
    listeners = [
        listener
        for listener in cloud.store.all(Listener)
        if request.RegionId in {"", listener.region}
        and (not request.LoadBalancerId or listener.load_balancer_id in request.LoadBalancerId)
        and request.ListenerPort in {None, listener.port}
        and request.ListenerProtocol in {"", listener.protocol}
        and request.Description in {"", listener.attributes.get("Description", "")}
        and has_tags(listener, request.Tag)
    ]
    first = int(request.NextToken or 0)
    last = first + request.MaxResults
    return {
        "Listeners": [_describe_listener(cloud, listener) for listener in listeners[first:last]],
        "MaxResults": request.MaxResults,
        "TotalCount": len(listeners),
        **({"NextToken": str(last)} if last < len(listeners) else {}),
    }


_FILTERS = (
    "LoadBalancerId",
    "LoadBalancerName",
    "LoadBalancerStatus",
    "Address",
    "AddressIPVersion",
    "AddressType",
    "InternetChargeType",
    "MasterZoneId",
    "SlaveZoneId",
    "NetworkType",
    "PayType",
    "ResourceGroupId",
    "VpcId",
    "VSwitchId",
)
_SEVERAL = ("LoadBalancerId", "LoadBalancerName")
_ENDS = ("EndTime", "EndTimeStamp")


_TCP = {"ConnectionDrain": "off", "MasterSlaveServerGroupId": ""}
"""Attributes that this list describes of TCP listeners, and none here has."""


def _is_as_asked(shown: dict[str, Any], request: DescribeLoadBalancers, name: str) -> bool:
    wanted: str = getattr(request, name)
    choices = wanted.split(",") if name in _SEVERAL else [wanted]
    return not wanted or shown[name] in choices


def _describe_access_control(listener: Listener) -> dict[str, Any]:
    if listener.attributes["AclStatus"] != "on":
        return {}
    shown = {name: listener.attributes[name] for name in ACL_DETAILS}
    return {**shown, "AclIds": listener.acl_ids}


def _find_servers(cloud: Cloud, request: DescribeLoadBalancers) -> set[str] | None:
    """Servers of which a load balancer must have one; None: the request names none."""
    if not request.ServerId and not request.ServerIntranetAddress:
        return None
    addresses = request.ServerIntranetAddress.split(",")
    return {
        instance.id
        for instance in cloud.store.all(Instance)
        if instance.id == request.ServerId or instance.private_ip in addresses
    }


def _describe_listener(cloud: Cloud, listener: Listener) -> dict[str, Any]:
    values = listener.attributes
    own = {
        name: value
        for name, value in values.items()
        if name not in BY_ALL and not name.startswith("Acl")
    }
    if listener.protocol == "tcp":
        # Of all booleans, it alone is text here.
        own |= {**_TCP, "ProxyProtocolV2Enabled": str(own["ProxyProtocolV2Enabled"]).lower()}
    else:
        own |= headers_not_forwarded(listener)
    if listener.protocol == "https":
        del own["ListenerForward"]
    return {
        **{name: values[name] for name in BY_ALL if name in values},
        "LoadBalancerId": listener.load_balancer_id,
        "ListenerPort": listener.port,
        "ListenerProtocol": listener.protocol,
        "Status": cloud.listener_status(listener),
        "AclStatus": values["AclStatus"],
        **_describe_access_control(listener),
        "Tags": tag_keys(listener),
        f"{listener.protocol.upper()}ListenerConfig": own,
    }
