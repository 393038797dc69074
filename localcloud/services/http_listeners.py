"""HTTP listeners: those that forward, and those that redirect to HTTPS."""

from __future__ import annotations

from localcloud.cloud import Cloud
from localcloud.documents import Listener
from localcloud.errors import ApiError, invalid, missing
from localcloud.products import SLB, Answer
from localcloud.requests import OnOff
from localcloud.services import listeners


class CreateLoadBalancerHTTPListener(listeners.Attributes, listeners.Creation):
    ListenerForward: OnOff = "off"
    ForwardPort: int | None = None


@SLB.action
def create_http_listener(cloud: Cloud, request: CreateLoadBalancerHTTPListener) -> Answer:
    attributes = {**listeners.CREATED_WITH, **listeners.read_attributes(request)}
    if request.ListenerForward == "on":
        port = request.ForwardPort
        if port is None:
            raise missing("ForwardPort")
        if cloud.store.get(Listener, f"{request.LoadBalancerId}:https:{port}") is None:
            raise invalid("ForwardPort", "The load balancer has no HTTPS listener on that port.")
        attributes |= {"ListenerForward": "on", "ForwardPort": port}
        attributes = {name: attributes[name] for name in listeners.REDIRECTING}
    listeners.create(cloud, request, "http", attributes)
    return {}


@SLB.action_named("SetLoadBalancerHTTPListenerAttribute")
def set_http_listener(cloud: Cloud, request: listeners.Changes) -> Answer:
    listener = listeners.find(cloud, request, "http")
    if listener.attributes["ListenerForward"] == "on":
        raise ApiError(
            400,
            "Operation.NotAllowed",
            "Operation Denied. The HTTP listener does not support this action.",
        )
    listeners.change(cloud, request, listener)
    return {}


@SLB.action_named("DescribeLoadBalancerHTTPListenerAttribute")
def describe_http_listener(cloud: Cloud, request: listeners.OfListener) -> Answer:
    listener = listeners.find(cloud, request, "http")
    return listeners.describe(cloud, listener)
