"""Existing load balancer, made by hand as the tutorial makes it, read from the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from operations.errors import OperationError
from operations.slb import SlbApi


@dataclass(frozen=True)
class Existing:
    """Existing load balancer, its HTTPS listener and the listener's certificates, as the API tells.

    Attributes:
        instance: Body of DescribeLoadBalancerAttribute.
        port: Of the listener.
        listener: Body of DescribeLoadBalancerHTTPSListenerAttribute.
        ca_fingerprint: Of the listener's CA certificate, lower-case hex without colons; None for
            one-way TLS.
        redirect_port: Of an HTTP listener that redirects to this one; None if there is none.
        other_listeners: Further ones of the same load balancer, such as `http:8080`.
    """

    instance: Any
    port: int
    listener: Any
    ca_fingerprint: str | None
    redirect_port: int | None
    other_listeners: tuple[str, ...]

    @property
    def weights(self) -> dict[str, int]:
        """Weights in the default server group, by server id."""
        servers = self.instance.backend_servers.backend_server
        return {one.server_id: int(one.weight) for one in servers}

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the load balancer, without those that Alibaba Cloud sets."""
        tags = self.instance.tags.tag if self.instance.tags else []
        return {
            one.tag_key: one.tag_value
            for one in tags
            if not one.tag_key.startswith(("acs:", "aliyun"))
        }

    @property
    def domain_extensions(self) -> dict[str, str]:
        """Ids of the listener's domain extensions, by domain."""
        found = self.listener.domain_extensions
        extensions = found.domain_extension if found else []
        return {one.domain: one.domain_extension_id for one in extensions}


def look(api: SlbApi, load_balancer_id: str, port: int | None) -> Existing:
    """Read a load balancer and its HTTPS listener from the API.

    Args:
        api: Of its region.
        load_balancer_id: `lb-…`.
        port: Of its HTTPS listener; None if it has just one.

    Raises:
        OperationError: There is no such load balancer or listener, it is of a kind that the program
            does not take, or the API cannot be asked.
    """
    instance = api.ask("DescribeLoadBalancerAttribute", load_balancer_id=load_balancer_id)
    listeners = instance.listener_ports_and_protocol.listener_port_and_protocol
    https = [one.listener_port for one in listeners if one.listener_protocol == "https"]
    if port is None and len(https) == 1:
        (port,) = https
    if port is None or port not in https:
        have = ", ".join(map(str, https)) or "none"
        wanted = "one HTTPS listener" if port is None else f"an HTTPS listener at port {port}"
        raise OperationError(
            f"{load_balancer_id} does not have {wanted} (ports of HTTPS listeners: {have}); name "
            "the port by ARGS=--port=…."
        )
    listener = api.ask(
        "DescribeLoadBalancerHTTPSListenerAttribute",
        load_balancer_id=load_balancer_id,
        listener_port=port,
    )
    redirect_port = _redirect_port(listeners, port)
    existing = Existing(
        instance=instance,
        port=port,
        listener=listener,
        ca_fingerprint=_fingerprint(api, listener.cacertificate_id),
        redirect_port=redirect_port,
        other_listeners=tuple(
            f"{one.listener_protocol}:{one.listener_port}"
            for one in listeners
            if one.listener_port not in {port, redirect_port}
        ),
    )
    _require_the_tutorial_s_kind(existing)
    return existing


def _redirect_port(listeners: Sequence[Any], port: int) -> int | None:
    """Port of the first listener that redirects to `port`; the program makes only one."""
    return min(
        (
            int(one.listener_port)
            for one in listeners
            if one.listener_protocol == "http"
            and one.listener_forward == "on"
            and int(one.forward_port) == port
        ),
        default=None,
    )


def _fingerprint(api: SlbApi, certificate_id: str | None) -> str | None:
    if not certificate_id:
        return None
    found = api.ask("DescribeCACertificates", cacertificate_id=certificate_id)
    return str(found.cacertificates.cacertificate[0].fingerprint).replace(":", "").lower()


def _require_the_tutorial_s_kind(existing: Existing) -> None:
    instance, listener = existing.instance, existing.listener
    if instance.pay_type == "PrePay":
        raise OperationError(
            "The load balancer is a subscription (PrePay); only a pay-as-you-go one can be "
            "imported. To use it without managing it: load_balancer.id."
        )
    if not instance.load_balancer_spec:
        raise OperationError(
            "The load balancer is a shared-performance instance, which takes no TLS policy: give "
            "it a specification, or have it charged by LCU, first."
        )
    if listener.vserver_group_id:
        raise OperationError(
            f"The listener at port {existing.port} answers from VServer group "
            f"{listener.vserver_group_id}; only one that answers from the default server group can "
            "be imported. To use the load balancer without managing it: load_balancer.id."
        )
    servers = instance.backend_servers.backend_server
    if not servers:
        raise OperationError("The default server group is empty: add its servers first.")
    others = [one.server_id for one in servers if one.type not in {None, "", "ecs"}]
    if others:
        raise OperationError(
            f"The default server group has {', '.join(others)}, no ECS instances: only these can "
            "be the stack's backends. Remove the others from it first."
        )
